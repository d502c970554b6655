"""Comparing costs what the documents hold: twice as much, twice the time."""

from __future__ import annotations

import gc
from time import process_time
from typing import Any

import mutator

from muapi_client.pinning import diff


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
        return {key: f"{one}{number or ''}" if key == "$ref" else _moved(one, number) for key, one in part.items()}
    return [_moved(one, number) for one in part] if isinstance(part, list) else part


def seconds(old: dict[str, Any], new: dict[str, Any]) -> float:
    """Of this process's own time, so that a busy machine changes little."""
    gc.collect()
    start = process_time()
    diff(old, new)
    return process_time() - start


def test_the_whole_document_takes_seconds(document: dict[str, Any]) -> None:
    later, _ = mutator.later(document, seed=2)  # with a new security scheme, so that every operation is looked into
    assert seconds(document, later) < 3


def test_four_times_the_document_takes_four_times_as_long(small: dict[str, Any]) -> None:
    made = mutator.Mutator(small, seed=2)
    mutator.key_no_longer_enough(made)
    later = made.document
    once = min(seconds(small, later) for _ in range(3))
    assert seconds(many(small, 4), many(later, 4)) < 4.5 * once + 0.3  # s; a busy machine's caches
