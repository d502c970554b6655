"""The second opinion: what specshift finds in a later document we have told already; what only it finds is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import mutator
import pytest

from muapi_client.pinning import PinError, diff
from muapi_client.pinning._diff.specshift import add_second_opinion

if TYPE_CHECKING:
    from muapi_client.pinning import Diff

specshift = pytest.importorskip("specshift.differ", reason="the extra `diff` is not installed")


def seconded(old: dict[str, Any], new: dict[str, Any]) -> tuple[Diff, Diff]:
    found = diff(old, new)
    return found, add_second_opinion(old, new, found)


def test_nothing_it_finds_was_missed(document: dict[str, Any]) -> None:
    later, _ = mutator.later(document, seed=11)
    assert len(specshift.diff_specs(document, later).changes) > 50
    found, more = seconded(document, later)
    assert more == found


def test_what_was_missed_would_be_told(small: dict[str, Any]) -> None:
    made = mutator.Mutator(small, seed=3)
    told = [one for name in ("field_removed", "operation_added", "enum_imposed") for one in mutator.KINDS[name](made)]
    nothing = diff(small, small)
    more = add_second_opinion(small, made.document, nothing).changes
    assert {one.path for one in more} == {one.path for one in told}
    assert {one.kind for one in more} == {"unsorted"}
    assert all(one.sentence.startswith("specshift says: ") for one in more)


def test_schemas_inside_themselves_do_not_hold_it_up() -> None:
    def made(limit: int) -> dict[str, Any]:
        links = {f"l{n}": {"$ref": f"#/components/schemas/N{n}"} for n in range(4)}
        nodes = {f"N{n}": {"type": "object", "properties": {**links, "size": {"maxLength": limit}}} for n in range(4)}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/N0"}}}
        operation = {"requestBody": {"content": content}, "responses": {}}
        return {"openapi": "3.1.0", "paths": {"/api/v1/m": {"post": operation}}, "components": {"schemas": nodes}}

    found, more = seconded(made(9), made(8))
    assert found.changes
    assert more == found


def test_a_document_it_cannot_read_is_an_error_that_says_so() -> None:
    def made(choices: list[Any]) -> dict[str, Any]:
        content = {"application/json": {"schema": {"enum": choices}}}
        operation = {"requestBody": {"content": content}, "responses": {}}
        return {"openapi": "3.1.0", "paths": {"/api/v1/m": {"post": operation}}}

    with pytest.raises(PinError, match="--second-opinion"):
        seconded(made([{}]), made([["x"]]))


def test_without_specshift_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, small: dict[str, Any]) -> None:
    monkeypatch.setitem(sys.modules, "specshift", None)
    with pytest.raises(ImportError, match=r"muapi-client\[diff\]"):
        seconded(small, small)
