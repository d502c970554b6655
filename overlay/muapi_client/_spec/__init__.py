"""The pinned document at run time: generated packages, validation of calls, calls by slug."""
