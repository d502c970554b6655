"""Requests and answers as values, and the forms inside: money, times, addresses, multipart.

Lives here: what every other room speaks. Does not live here: anything that knows the document (``_spec``) or remembers
something (``_state``).
"""
