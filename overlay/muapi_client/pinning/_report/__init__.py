"""The report: changes gathered for readers, as text, Markdown, JSON or SARIF.

Lives here: gathering and writing. Does not live here: which changes there are (``_diff``), the changelog (``_locks``).
"""
