"""Values a user holds: money, costs, statuses, predictions, jobs, stream events, estimates, sandbox verdicts.

Rule 1: they can be read at run time. Annotations are evaluated (no ``from __future__ import annotations``), by names
of this room, ``muapi_generated.types`` and the standard library, so that ``typing.get_type_hints``, and whatever makes
tools of functions, can follow them. The room imports nothing above itself.
Rule 2: every public class, here and elsewhere, says as its ``__module__`` the public module it is imported from, so
that no pickle and no traceback pins where it is kept. The price: ``inspect.getsource`` looks for the class in that
module and does not find it (from Python 3.13 on it may show other lines of it). It finds the methods; editors and
checkers go by the text.
"""
