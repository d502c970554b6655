"""The pinned document at run time: operations, checks of a request, and prices.

Lives here: reading the document and judging a request by it. Does not live here: what an account has or did
(``_state``).
"""
