"""Whatever bytes a fetch is given: the canonical form, or a PinError of one line; never anything else."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muapi_client.pinning import PinError, fetch
from muapi_client.pinning._document.canonical import METHODS, SCOPE, iter_operations, restrict_to_scope, serialize
from muapi_client.pinning._document.strict_json import parse

if TYPE_CHECKING:
    import pytest

SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/B"}}}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/api/v1/b": {"post": {"tags": ["x"], "requestBody": BODY, "responses": {"200": {"description": "ok"}}}},
        "/api/v1/a/{id}": {"get": {"parameters": [{"name": "id", "in": "path"}], "responses": {}}},
        "/app/c": {"get": {"responses": {}}},
    },
    "components": {"schemas": {"A": SCHEMA, "B": {"enum": ["a", None], "default": {"$ref": "no reference"}}, "C": {}}},
}
TEXT = json.dumps(DOCUMENT).encode()
WORDS = st.sampled_from(
    ["a", "paths", "$ref", "#/components/schemas/A", "/api/v1/x", "get", "properties", "", "\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def places(node: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, one in items for place in [(*where, key), *places(one, (*where, key))]]


def changed(changes: list[tuple[tuple[Any, ...], Any]]) -> bytes:
    """The document with other values at some places."""
    document = copy.deepcopy(DOCUMENT)
    for place, value in changes:
        node: Any = document
        for step in place[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node[place[-1]] = value
    return json.dumps(document).encode()


def spliced(at: int, length: int, between: bytes) -> bytes:
    """The document's bytes with some of them replaced."""
    return TEXT[:at] + between + TEXT[at + length :]


ODD = st.one_of(
    st.binary(max_size=80),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(st.sampled_from(places(DOCUMENT)), JSON), min_size=1, max_size=3).map(changed),
    st.builds(spliced, st.integers(0, len(TEXT)), st.integers(0, 40), st.binary(max_size=8)),
)


def canonical(content: bytes) -> bytes | None:
    """What would be pinned, or None where it is refused in a line."""
    try:
        return serialize(restrict_to_scope(parse(content, "the document")))
    except PinError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    return None


@given(ODD)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_have_a_canonical_form_or_are_refused(content: bytes) -> None:
    form = canonical(content)
    if form is None:
        return
    assert canonical(form) == form
    document, served = json.loads(form), json.loads(content.decode("utf-8-sig"))
    assert list(document["paths"]) == sorted(document["paths"])
    inside = {path for path in served["paths"] if path == SCOPE or path.startswith(f"{SCOPE}/")}
    assert document["paths"].keys() == inside
    assert [found for found in iter_operations(document)] == [  # noqa: C416 - the generator is what is tested
        (method.upper(), path, served["paths"][path][method])
        for path in document["paths"]
        for method in document["paths"][path]
        if method in METHODS
    ]


@given(st.sampled_from([b"", TEXT[:-1], b"\xff", b"<html>", b"[]", b'{"openapi": "3.1.0"}']) | st.binary(max_size=20))
@settings(max_examples=30)
def test_a_fetch_of_any_bytes_leaves_the_old_pin_or_a_whole_new_one(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("pin")
    source = folder / "served.json"
    source.write_bytes(TEXT)
    fetch(str(source), folder / "spec")
    before = {file.name: file.read_bytes() for file in (folder / "spec").iterdir()}
    source.write_bytes(content)
    said = ""
    try:
        fetch(str(source), folder / "spec")
    except PinError as error:
        said = str(error)
    after = {file.name: file.read_bytes() for file in (folder / "spec").iterdir()}
    assert said.endswith("; the old pin is untouched") is (after == before)
    assert len(said.splitlines()) == 1
