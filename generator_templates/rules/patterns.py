"""Patterns: which of a document's regular expressions may be held against a text in the user's own program.

Lives here: what Python cannot read, and what it could search for hours. Both are left to the server, which reads
patterns by a dialect and an engine of its own. Does not live here: the check itself (``validators``).
"""

from __future__ import annotations

import itertools
import math
import re

_FEW = 4  # times that a part repeats; more may take as long as endless ones
_MOST_ENDLESS = 3  # parts that repeat; a search takes as long as the text, to the power of their number
_MOST_VARYING = 12  # parts of which a text may take less or more; a search tries each way with each
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

    A text can be divided in more ways than can be tried where what repeats holds what repeats, ``^(a+)+$``, or one
    thing or another; where two parts that repeat follow each other with nothing between them that has to be there,
    ``a*a*x``; and where many parts vary. Some such patterns are harmless.
    """
    try:
        re.compile(pattern)
    except re.error:
        return False
    return not _may_explode(pattern)


def _may_explode(pattern: str) -> bool:
    tokens = [*_TOKEN.finditer(pattern)]
    endless = varying = 0
    apart = True  # whether something that has to be there stands behind the last part that repeats
    around: list[tuple[int, int, bool]] = []  # these three, where each group that is open began
    for token, behind in itertools.zip_longest(tokens, tokens[1:]):
        repeat = behind if behind is not None and behind["repeat"] else None
        is_fixed = repeat is None or _is_fixed(repeat)
        if token["open"]:
            around.append((endless, varying, apart))
        elif token["close"] and around:
            endless_before, varying_before, began = around.pop()
            most, within = _find_most(repeat), varying - varying_before
            if (endless > endless_before and most > 1) or (within and most > _FEW):
                return True
            varying = varying_before + (int(within * most) if within else 0)
            apart = apart if is_fixed else began
        elif token["repeat"]:
            varying += not _is_fixed(token)
            if not _is_fixed(token) and _find_most(token) > _FEW:
                if not apart:
                    return True
                endless, apart = endless + 1, False
        elif token["other"] == "|":
            varying += 1
        elif token["other"] not in {"^", "$"}:
            apart = apart or is_fixed
    return endless > _MOST_ENDLESS or varying > _MOST_VARYING


def _is_fixed(repeat: re.Match[str]) -> bool:
    """Return whether it is one number of times: ``{4}``, ``{4,4}``."""
    return bool(repeat["low"]) and (not repeat["comma"] or repeat["low"] == repeat["high"])


def _find_most(repeat: re.Match[str] | None) -> float:
    """Find how often at most a part stands there; once, where nothing repeats it."""
    if repeat is None or repeat["repeat"] == "?":
        return 1
    most = repeat["high"] if repeat["comma"] else repeat["low"]
    return int(most) if most else math.inf
