"""Patterns: which of a document's regular expressions may be held against a text in the user's own program.

Lives here: what Python cannot read, and what it could search for hours. Both are left to the server, which reads
patterns by a dialect and an engine of its own. Does not live here: the check itself (``validators``).
"""

from __future__ import annotations

import re

_FEW = 4  # repeats; more may take as long as endless ones
_MOST_ENDLESS = 3  # parts that repeat; a search takes as long as the text, to the power of their number
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

    A text can be divided in more ways than can be tried where a group repeats, and what is in it may be of several
    lengths or one thing or another, ``^(a+)+$``; where two parts that repeat follow each other, with nothing between
    them that has to be there, ``a*a*x``; and where more than a few repeat. Some such patterns are harmless.
    """
    try:
        re.compile(pattern)
    except re.error:
        return False
    return not _repeats_what_varies(pattern) and not _repeats_in_a_row(pattern)


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


def _repeats_in_a_row(pattern: str) -> bool:
    """Return whether parts that repeat follow each other, or are too many."""
    tokens = [*_TOKEN.finditer(pattern)]
    apart = True  # whether something that has to be there stands behind the last part that repeats
    around: list[bool] = []  # the same, where each group that is open began
    endless = 0
    for token, behind in zip(tokens, [*tokens[1:], None], strict=True):
        varies = behind is not None and behind["repeat"] is not None and not _is_fixed(behind)
        if token["repeat"] and _repeats_often(token):
            endless += 1
            if not apart or endless > _MOST_ENDLESS:
                return True
            apart = False
        elif token["open"]:
            around.append(apart)
        elif token["close"] and around:
            began = around.pop()
            apart = began if varies else apart
        elif token["class"] or token["escape"] or (token["other"] and token["other"] not in "^$"):
            apart = apart or not varies
    return False


def _is_fixed(repeat: re.Match[str]) -> bool:
    """Return whether it is one number of times: ``{4}``, ``{4,4}``."""
    return bool(repeat["low"]) and (not repeat["comma"] or repeat["low"] == repeat["high"])


def _repeats_often(repeat: re.Match[str]) -> bool:
    if repeat["repeat"] in "*+?":
        return repeat["repeat"] != "?"
    most = repeat["high"] if repeat["comma"] else repeat["low"]
    return not most or int(most) > _FEW
