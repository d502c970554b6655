"""Patterns: which of a document's regular expressions may be held against a text in the user's own program.

Lives here: what Python cannot read, and what it could search for hours. Both are left to the server, which reads
patterns by a dialect and an engine of its own. Does not live here: the check itself (``validators``).
"""

from __future__ import annotations

import re

_FEW = 4  # repeats; more may take as long as endless ones
_TOKEN = re.compile(
    r"""
      (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])  # a ] that comes first, and what is escaped, end no class
    | (?P<escape>\\.)
    | (?P<open>\((?:\?(?:P?<\w+>|<?[=!]|[:>]|[aiLmsux-]+:))?)
    | (?P<close>\))
    | (?P<repeat>[*+?]|\{(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\})
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def can_check(pattern: str) -> bool:
    """Return whether Python reads a pattern, and searches any text for it in a time that does not explode.

    Where a group repeats, and what is in it may be of several lengths or one thing or another, a text can be divided
    among the repeats in more ways than can be tried: ``^(a+)+$``. Some such patterns are harmless; none is missed.
    """
    try:
        re.compile(pattern)
    except re.error:
        return False
    return not _repeats_what_varies(pattern)


def _repeats_what_varies(pattern: str) -> bool:
    varies = [False]  # of each group that is open, the whole pattern first
    closed = False  # whether the group that ends here varies
    for token in _TOKEN.finditer(pattern):
        if token["repeat"] and closed and _repeats_often(token):
            return True
        closed = False
        if token["open"]:
            varies.append(False)
        elif token["close"] and len(varies) > 1:
            closed = varies.pop()
            varies[-1] |= closed
        elif token["other"] == "|" or (token["repeat"] and not _is_fixed(token)):
            varies[-1] = True
    return False


def _is_fixed(repeat: re.Match[str]) -> bool:
    """Return whether it is one number of times: ``{4}``, ``{4,4}``."""
    return bool(repeat["low"]) and (not repeat["comma"] or repeat["low"] == repeat["high"])


def _repeats_often(repeat: re.Match[str]) -> bool:
    if repeat["repeat"] in "*+?":
        return repeat["repeat"] != "?"
    most = repeat["high"] if repeat["comma"] else repeat["low"]
    return not most or int(most) > _FEW
