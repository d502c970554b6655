"""Comparing costs what the documents hold: four times as much to compare is four times the work.

Work is counted in calls of functions, which no other program on the machine can add to; seconds are measured by
``tests/benchmarks/comparing.py``.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import mutator

from muapi_client.pinning import diff
from muapi_client.pinning._diff.values import Comparison

if TYPE_CHECKING:
    from types import FrameType

    import pytest


def many(document: dict[str, Any], times: int) -> dict[str, Any]:
    """The document several times over, each time under names of its own."""
    paths, schemas = {}, {}
    for number in range(times):
        for path, item in document["paths"].items():
            paths[f"{path}-{number}" if number else path] = _moved(item, number)
        for name, schema in document["components"]["schemas"].items():
            schemas[f"{name}{number or ''}"] = _moved(schema, number)
    return {**document, "paths": paths, "components": {**document["components"], "schemas": schemas}}


def _moved(part: Any, number: int) -> Any:
    if isinstance(part, dict):
        return {
            key: f"{inner}{number or ''}" if key == "$ref" else _moved(inner, number) for key, inner in part.items()
        }
    return [_moved(item, number) for item in part] if isinstance(part, list) else part


def calls(old: dict[str, Any], new: dict[str, Any]) -> int:
    """How many calls of Python functions, and steps of generators, the comparison takes."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        diff(old, new)
    finally:
        sys.setprofile(before)
    return counted


def test_four_times_the_document_is_four_times_the_work(small: dict[str, Any]) -> None:
    changed = mutator.Mutator(small, seed=2)
    mutator.key_no_longer_enough(changed)  # so that every operation is looked into
    later = changed.document
    assert calls(many(small, 4), many(later, 4)) < 4.1 * calls(small, later)


def test_a_pair_of_schemas_is_compared_once_however_many_operations_share_it(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare, compared = Comparison._compare, Counter[tuple[str, str]]()

    def count(self: Comparison, old: Any, new: Any) -> Any:
        compared[old.pointer, new.pointer] += 1
        return compare(self, old, new)

    monkeypatch.setattr(Comparison, "_compare", count)
    later, _ = mutator.later(document, seed=2)  # with a new security scheme, so that every operation is looked into
    diff(document, later)
    assert len(compared) > 5000
    assert compared.most_common(1)[0][1] == 1
