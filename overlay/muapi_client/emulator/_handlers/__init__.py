"""Handlers: the way from a request to its answer, and one module a subject of the API.

Lives here: handlers, and the order in which a request is judged (``dispatch``). Does not live here: what is remembered
(``_state``), how a request arrives (``_http``).
"""
