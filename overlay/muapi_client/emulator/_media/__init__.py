"""The files that jobs make: small, real, and told apart by their seed.

Lives here: writing them. Does not live here: which file a job makes (``_handlers/outputs``), handing it out
(``_handlers/cdn``).
"""
