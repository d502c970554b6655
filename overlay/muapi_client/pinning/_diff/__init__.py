"""The diff: what changed between two documents, and what each change does to users of this client.

Lives here: reading schemas away from how they are written, finding what differs, judging it. Does not live here: which
of it a code base uses (``_usage``), writing it down (``_report``).
"""
