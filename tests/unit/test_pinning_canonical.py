"""The canonical form of a document, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client.pinning import PinError
from muapi_client.pinning._document.canonical import restrict_to_scope, serialize
from muapi_client.pinning._document.strict_json import parse

if TYPE_CHECKING:
    from collections.abc import Callable

Paths = dict[str, list[str]]  # the schemas that each path names
Edges = dict[str, list[tuple[str, str]]]  # how each schema refers to which others

SCHEMAS = [f"S{number}" for number in range(6)]
REFERENCES: dict[str, Callable[[str], Any]] = {
    "property": lambda ref: {
        "type": "object",
        "properties": {"default": {"$ref": ref}, "$ref": {"type": "string"}},
    },
    "items": lambda ref: {"type": "array", "items": {"$ref": ref}},
    "branch": lambda ref: {"anyOf": [{"$ref": ref}, {"type": "null"}], "default": None},
    "mapping": lambda ref: {"discriminator": {"propertyName": "kind", "mapping": {"a": ref}}},
    "bare mapping": lambda ref: {"discriminator": {"propertyName": "kind", "mapping": {"a": ref.split("/")[-1]}}},
    "inside": lambda ref: {"additionalProperties": {"$ref": f"{ref}/title"}},
    "example": lambda ref: {"properties": {"example": {"allOf": [{"$ref": ref}]}}},
    "awkward names": lambda ref: {
        "properties": {
            "properties": {"items": {"$ref": ref}, "default": {"$ref": "#/nowhere"}},
            "discriminator": {"description": "a property", "mapping": {"a": "Nowhere"}},
        }
    },
    "definition": lambda ref: {"$defs": {"enum": {"$ref": ref}}},
}
DATA = {
    "example": {"$ref": "#/nowhere"},
    "default": {"$ref": "#/nowhere"},
    "enum": [{"$ref": "#/nowhere"}],
    "x-a": {"$ref": "/"},
}


def pointer(name: str) -> str:
    return f"#/components/schemas/{name}"


def operation(schemas: list[str]) -> dict[str, Any]:
    answers = {
        str(200 + at): {"content": {"a/b": {"schema": {"$ref": pointer(name)}}}} for at, name in enumerate(schemas)
    }
    return {"post": {"summary": "ü", "operationId": "a", "responses": answers}}


def document(paths: Paths, edges: Edges) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        name: {
            "title": name,
            "allOf": [REFERENCES[kind](pointer(to)) for kind, to in edges.get(name, [])],
            **DATA,
        }
        for name in SCHEMAS
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1.0.0"},
        "paths": {path: operation(named) for path, named in paths.items()},
        "components": {"schemas": schemas, "securitySchemes": {"z": {}, "a": {}}},
    }


def canonical(content: bytes) -> bytes:
    return serialize(restrict_to_scope(parse(content, "the document")))


def served(content: object) -> bytes:
    return json.dumps(content).encode()


SMALL = document({"/api/v1/a": ["S0"]}, {})
PATHS = st.dictionaries(
    st.sampled_from(["/api/v1/a", "/api/v1/b/{id}", "/api/v1", "/app/c", "/api/v10", "/api/v1/mmaudio-v2/text"]),
    st.lists(st.sampled_from(SCHEMAS), max_size=2),
).map(lambda paths: {"/api/v1/z": [], **paths})
EDGES = st.dictionaries(
    st.sampled_from(SCHEMAS),
    st.lists(st.tuples(st.sampled_from(sorted(REFERENCES)), st.sampled_from(SCHEMAS)), max_size=2),
)


@given(PATHS, EDGES)
def test_canonical_is_idempotent(paths: Paths, edges: Edges) -> None:
    once = canonical(served(document(paths, edges)))
    assert canonical(once) == once


@given(PATHS, EDGES)
def test_exactly_the_schemas_that_kept_paths_reach_are_kept(paths: Paths, edges: Edges) -> None:
    reached = {name for path, named in paths.items() if f"{path}/".startswith("/api/v1/") for name in named}
    while more := {to for name in reached for _, to in edges.get(name, [])} - reached:
        reached |= more
    kept = json.loads(canonical(served(document(paths, edges))))
    assert list(kept["components"]["schemas"]) == sorted(reached)


@given(PATHS, EDGES)
def test_what_is_kept_is_word_for_word_and_in_its_own_order(paths: Paths, edges: Edges) -> None:
    given_document = document(paths, edges)
    kept = json.loads(canonical(served(given_document)))
    assert list(kept["paths"]) == sorted(path for path in paths if f"{path}/".startswith("/api/v1/"))
    for part in ("paths", "schemas"):
        before = given_document["paths"] if part == "paths" else given_document["components"]["schemas"]
        after = kept["paths"] if part == "paths" else kept["components"]["schemas"]
        assert {name: json.dumps(after[name]) for name in after} == {name: json.dumps(before[name]) for name in after}
    assert [key for key in kept if key != "paths"] == [key for key in given_document if key != "paths"]
    assert list(kept["components"]["securitySchemes"]) == ["z", "a"]


@given(st.data(), PATHS, EDGES)
def test_the_order_of_paths_and_schemas_as_served_does_not_matter(
    data: st.DataObject, paths: Paths, edges: Edges
) -> None:
    straight = document(paths, edges)
    shuffled = document(dict(data.draw(st.permutations(list(paths.items())))), edges)
    shuffled["components"]["schemas"] = dict(
        data.draw(st.permutations(list(straight["components"]["schemas"].items())))
    )
    assert canonical(served(shuffled)) == canonical(served(straight))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_any_data_survives(value: object) -> None:
    kept = json.loads(canonical(served({**SMALL, "x-data": value})))
    assert repr(kept["x-data"]) == repr(value)


def test_the_form_is_one_line_a_value_in_plain_utf_8_with_a_newline_at_the_end() -> None:
    form = canonical(served(SMALL))
    assert form.startswith(b'{\n "openapi": "3.1.0",\n "info": {\n  "title": "T",\n')
    assert '"summary": "ü"'.encode() in form
    assert form.endswith(b"}\n")
    assert not form.endswith(b"\n\n")


def test_a_document_without_components_is_pinned() -> None:
    kept = canonical(b'{"openapi": "3.0.3", "paths": {"/api/v1/a": {"get": {}}}}')
    assert json.loads(kept) == {"openapi": "3.0.3", "paths": {"/api/v1/a": {"get": {}}}}


def test_a_byte_order_mark_is_no_content() -> None:
    assert canonical(b"\xef\xbb\xbf" + served(SMALL)) == canonical(served(SMALL))


def with_paths(**item: object) -> bytes:
    return served({**SMALL, "paths": {"/api/v1/a": item}})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<!doctype html><title>502</title>", "web page"),
        (b"not json", "not JSON: Expecting value at line 1, column 1"),
        (served(SMALL)[:-30], "breaks off"),
        (served(SMALL)[: served(SMALL).index(b'"summary"') + 5], "breaks off"),
        (served(SMALL) + b"{}", "not JSON: Extra data"),
        (b"\xff\xfe{}", "not text in UTF-8"),
        (served({**SMALL, "x-a": "\ud800"}), "not text in UTF-8"),
        (b"[]", "of the type list where an object belongs"),
        (b'{"openapi": "3.1.0", "openapi": "3.1.0"}', "'openapi' stands twice"),
        (b'{"openapi": NaN}', "NaN"),
        (b'{"openapi": -Infinity}', "Infinity"),
        (b'{"openapi": 1e999}', "1e999"),
        (b'{"openapi": ' + b"9" * 5000 + b"}", "not strict JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"openapi": "3.1.0", "x-a": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 200 deep"),
        (b'{"detail": "Not Found"}', "names no OpenAPI version"),
        (b'{"swagger": "2.0"}', "Swagger '2.0'"),
        (served({**SMALL, "openapi": "3.2.0"}), "OpenAPI '3.2.0'"),
        (served({**SMALL, "openapi": 3.1}), "OpenAPI 3.1;"),
        (served({**SMALL, "openapi": "3.1"}), "OpenAPI '3.1';"),
        (b'{"openapi": "3.1.0"}', "no object of paths"),
        (served({**SMALL, "paths": {}}), "no operation under /api/v1 (0 paths elsewhere)"),
        (
            served({**SMALL, "paths": {"/app/a": operation([])}}),
            "no operation under /api/v1 (1 paths elsewhere)",
        ),
        (with_paths(summary="no operation here"), "no operation under /api/v1"),
        (with_paths(post=[]), "paths['/api/v1/a'] of the document is no object of operations"),
        (served({**SMALL, "paths": {"/api/v1/a": None}}), "paths['/api/v1/a'] of the document"),
        (served({**SMALL, "components": {"schemas": []}}), "components.schemas"),
        (served({**SMALL, "components": []}), "components.schemas"),
        (served(document({"/api/v1/a": ["Gone"]}, {})), "refers to '#/components/schemas/Gone'"),
        (
            served(document({"/api/v1/a": ["S0"]}, {"S0": [("mapping", "Gone")]})),
            "in components.schemas['S0']",
        ),
        (served(document({"/api/v1/a": ["S0"]}, {"S0": [("bare mapping", "Gone")]})), "schemas/Gone'"),
        (with_paths(get={"parameters": [{"$ref": "other.json#/a"}]}), "refers to 'other.json#/a'"),
        (
            with_paths(get={"parameters": [{"$ref": "#/paths/~1api~1v1~1a/get/parameters/7"}]}),
            "parameters/7'",
        ),
    ],
)
def test_what_cannot_be_pinned_is_refused_in_one_line(content: bytes, told: str) -> None:
    with pytest.raises(PinError) as caught:
        canonical(content)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_reference_to_anything_in_the_document_is_followed() -> None:
    parameters = [
        {"$ref": "#/paths/~1api~1v1~1a/get/parameters/1"},
        {"schema": {"$ref": "#/components/schemas/S%33"}},
    ]
    kept = json.loads(canonical(with_paths(get={"parameters": parameters})))
    assert list(kept["components"]["schemas"]) == ["S3"]


def test_a_dangling_reference_in_a_schema_that_nothing_reaches_does_no_harm() -> None:
    kept = json.loads(canonical(served(document({"/api/v1/a": []}, {"S0": [("items", "Gone")]}))))
    assert kept["components"]["schemas"] == {}
