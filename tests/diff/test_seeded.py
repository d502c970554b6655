"""Seeded later documents: every change is found, none is misjudged, and nothing else is told."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

import mutator
import pytest

from muapi_client.pinning import diff

if TYPE_CHECKING:
    from muapi_client.pinning import Diff


def told_by(found: Diff) -> Counter[mutator.Told]:
    return Counter(mutator.Told(one.path, one.place, one.field, one.kind, one.impact) for one in found.changes)


def test_there_are_enough_changes_of_enough_kinds() -> None:
    assert len(mutator.KINDS) >= 60


@pytest.mark.parametrize("seed", range(3))
def test_a_later_document_is_told_exactly(document: dict[str, Any], seed: int) -> None:
    later, told = mutator.later(document, seed)
    expected = Counter(one for each in told.values() for one in each)
    found = told_by(diff(document, later))
    assert not expected - found, "missed or misjudged"
    assert not found - expected, "told, and nothing of the kind was done"


def test_a_document_against_itself_is_silent(document: dict[str, Any]) -> None:
    again = copy.deepcopy(document)
    assert not diff(document, again).changes
    assert diff(document, again).worst is None
