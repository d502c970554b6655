"""Comparing the pinned document with a later one: seconds, and four times the document to four times the seconds."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).parents[1] / "diff"))  # scripts side by side, no package

import mutator
import test_scale

from muapi_client.pinning import diff, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """What a comparison takes, where every operation differs."""
    document = mutator.base(pinned().document)
    later, _ = mutator.later(document, seed=2)
    yield "compare the whole document with a later one", _seconds(document, later), 3.0, "s"
    small = mutator.base(pinned().document, every=5)
    changed = mutator.Mutator(small, seed=2)
    mutator.key_no_longer_enough(changed)
    once = _seconds(small, changed.document)
    four = _seconds(test_scale.many(small, 4), test_scale.many(changed.document, 4))
    yield "compare four times the document / four times that of one", four / (4 * once), 1.3, "x"


def _seconds(old: dict[str, Any], new: dict[str, Any]) -> float:
    """The median of this process's own seconds, so that a busy machine changes little."""
    taken: list[float] = []
    for _ in range(7):
        gc.collect()
        start = process_time()
        diff(old, new)
        taken.append(process_time() - start)
    return median(taken)
