"""The usage: which of MuAPI's operations a code base calls, read from its syntax trees.

Lives here: files, imports, names and calls. Does not live here: what changed (``_diff``).
"""
