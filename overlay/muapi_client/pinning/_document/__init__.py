"""The pinned document: got, kept in one form under a lock, verified, and read.

Lives here: one document, its bytes, its lock and its price list. Does not live here: comparing two (``_diff``).
"""
