"""Targets: how far a JSONPath gets in a document, and what stands there in place of what it looks for.

Lives here: the words that help a person retarget an action. Does not live here: applying actions (``correcting``).
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

import jsonpath_rfc9535

from .errors import quoted

_NAME = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")  # a name selector in the library's normalised text of a segment
_SHOWN = 3  # near names, or names at all


def near(target: str, document: dict[str, Any]) -> str:
    """Where a target that matches nothing stops matching, with the nearest names there.

    Args:
        target: A JSONPath that is well formed and matches nothing.
        document: Where it is looked for.
    """
    segments = [str(one) for one in jsonpath_rfc9535.compile(target).segments]
    reached = "$"
    found: list[Any] = [document]
    for segment in segments:
        further = [node.value for node in jsonpath_rfc9535.find(f"{reached}{segment}", document)]
        if not further:
            return f"{_told(reached)} is there, {_missing(segment, found)}"
        reached, found = f"{reached}{segment}", further
    return f"{_told(reached)} is empty"


def _missing(segment: str, found: list[Any]) -> str:
    """What a segment looks for among the values before it, and what there is."""
    names = list(dict.fromkeys(name for one in found if isinstance(one, dict) for name in one))
    wanted = [re.sub(r"\\(.)", r"\1", name) for name in _NAME.findall(segment)] if "?" not in segment else []
    if not wanted:
        several = f"{len(found)} values" if len(found) > 1 else "what is there"
        return f"but {quoted(segment)} fits nothing in {several}"
    close = [one for name in wanted for one in get_close_matches(name, names, n=_SHOWN, cutoff=0.6)]
    told = " and ".join(map(quoted, wanted))
    if close:
        return f"{told} is not; near it: {', '.join(map(quoted, close))}"
    listed = f"{', '.join(map(quoted, names[:_SHOWN]))}{', …' if len(names) > _SHOWN else ''}" if names else "no names"
    return f"{told} is not; there: {listed}"


def _told(path: str) -> str:
    """A path in the short form people write."""
    return re.sub(r"\['([A-Za-z_]\w*)'\]", r".\1", path).replace("[*]", ".*")
