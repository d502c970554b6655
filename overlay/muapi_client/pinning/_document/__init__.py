"""The pinned document: read, fetched, kept in one form under a lock. Knows nothing of comparing two."""
