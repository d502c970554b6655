"""Whatever two documents say: comparing them ends, is told both ways round, and is silent only where they agree."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client.pinning import diff
from muapi_client.pinning._document.reader import key_of
from muapi_client.pinning._report.forms import render
from muapi_client.pinning._report.report import Report

NAMES = st.sampled_from(["A", "B", "C"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "é", "|`<"]), st.just(1.5))
WORDS = {
    "type": st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object", "strange"]),
    "enum": st.lists(SCALARS, max_size=3),
    "const": SCALARS,
    "default": SCALARS,
    "nullable": st.booleans(),
    "minimum": st.one_of(st.integers(-3, 3), st.just("no number")),
    "exclusiveMinimum": st.one_of(st.integers(-3, 3), st.booleans()),
    "maxLength": st.integers(0, 3),
    "pattern": st.sampled_from(["a", "("]),
    "format": st.sampled_from(["uri", "date-time", "int32"]),
    "title": st.text(max_size=3),
    "required": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    "additionalProperties": st.booleans(),
    "discriminator": st.just({"propertyName": "a"}),
    "x-thing": SCALARS,
}
LEAVES = st.one_of(
    st.fixed_dictionaries({}, optional=WORDS),
    NAMES.map(lambda name: {"$ref": f"#/components/schemas/{name}"}),
    st.booleans(),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}, optional=WORDS),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}, optional=WORDS),
        st.fixed_dictionaries({"additionalProperties": inner}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)
PARAMETERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["q", "webhook", "x-key"]), "in": st.sampled_from(["query", "header", "path"])},
    optional={"schema": SCHEMAS, "required": st.booleans()},
)
CONTENT = st.dictionaries(
    st.sampled_from(["application/json", "multipart/form-data", "text/plain"]),
    st.fixed_dictionaries({}, optional={"schema": SCHEMAS}),
    max_size=2,
)
OPERATIONS = st.fixed_dictionaries(
    {},
    optional={
        "summary": st.sampled_from(["a (fast)", "a (best)", "b"]),
        "tags": st.lists(st.sampled_from(["Audio", "API"]), max_size=2),
        "parameters": st.lists(PARAMETERS, max_size=2),
        "requestBody": st.fixed_dictionaries({"content": CONTENT}, optional={"required": st.booleans()}),
        "responses": st.dictionaries(
            st.sampled_from(["200", "201", "422", "default"]),
            st.fixed_dictionaries({}, optional={"content": CONTENT}),
            max_size=2,
        ),
        "security": st.lists(st.just({"K": []}), max_size=1),
        "deprecated": st.booleans(),
    },
)
PATHS = st.dictionaries(
    st.sampled_from(["/api/v1/a", "/api/v1/a-b", "/api/v1/{id}", "/other"]),
    st.dictionaries(st.sampled_from(["get", "post"]), OPERATIONS, max_size=2),
    max_size=3,
)
DOCUMENTS = st.builds(
    lambda version, paths, schemas: {"openapi": version, "paths": paths, "components": {"schemas": schemas}},
    st.sampled_from(["3.0.3", "3.1.0"]),
    PATHS,
    st.fixed_dictionaries(dict.fromkeys("AB", SCHEMAS)),  # C leads nowhere
)


@given(DOCUMENTS)
def test_a_document_is_itself(document: dict[str, Any]) -> None:
    assert not diff(document, document).changes
    assert not diff(document, copy.deepcopy(document)).changes


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=60)
def test_any_two_documents_are_compared_and_told_both_ways(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = copy.deepcopy(old), copy.deepcopy(new)
    forth, back = diff(old, new), diff(new, old)
    assert (old, new) == (before, after)  # neither is touched
    new_ones = dict.fromkeys(("added", "presumed", "undecided"), "added")
    opposite = {**dict.fromkeys(new_ones, "removed"), "removed": "added", "renamed": "renamed"}
    gone = sorted((one.path, opposite[one.effect]) for one in forth.changes if one.kind == "operation")
    come = sorted((one.path, new_ones.get(one.effect, one.effect)) for one in back.changes if one.kind == "operation")
    if "renamed" not in dict(map(reversed, gone)):  # a rename is told under the old name
        assert gone == come
    assert bool(forth.changes) == bool(back.changes)
    for form in ("text", "markdown", "json", "sarif"):
        assert render(Report(forth, "old", "new"), form)


def test_fields_that_inherit_from_each_other_are_compared() -> None:
    def tree(name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}"}

    def inheriting(first: str, second: str, **beside: Any) -> dict[str, Any]:
        fields = [{"properties": {"a": tree(one), "b": tree(one)}} for one in (first, second)]
        return {"allOf": [*fields, {"anyOf": [{"allOf": [tree(first), tree(second)]}, tree(second)]}], **beside}

    old, new = (
        within(tree("A"), "body", A=inheriting("A", "B"), B=inheriting("B", "A", **beside))
        for beside in ({}, {"required": ["a"]})
    )
    assert not diff(old, copy.deepcopy(old)).changes
    assert {change.path for change in diff(old, new).changes} == {"/api/v1/m"}


@pytest.mark.parametrize("alternatives", [1, 2])
@pytest.mark.parametrize("union", ["oneOf", "anyOf"])
def test_an_alternative_that_inherits_from_its_own_union_is_compared(union: str, alternatives: int) -> None:
    def made(least: int) -> dict[str, Any]:
        own = {"allOf": [{"$ref": "#/components/schemas/A"}, {"minimum": least, "format": "int32"}], "format": "uri"}
        union_of = {union: [own, {"type": "string", "maxLength": 3}][:alternatives]}
        return within({"$ref": "#/components/schemas/A"}, "body", A=union_of)

    assert not diff(made(1), made(1)).changes
    assert {change.path for change in diff(made(1), made(2)).changes} == {"/api/v1/m"}


def test_facts_nobody_understood_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muapi_client.pinning._diff.operations._compare", lambda *_: iter(()))
    assert not diff(within({"type": "string"}, "body"), within({"type": "string", "title": "A"}, "body")).changes
    for side, place, impact in (("body", "operation", "breaking"), ("answer", "answer", "types")):
        (change,) = diff(within({"type": "string"}, side), within({"type": "integer"}, side)).changes
        assert (change.place, change.kind, change.impact) == (place, "rule", impact)


SIMPLE = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "number", "boolean"])},
    optional={
        "minimum": st.integers(1, 3),
        "maxLength": st.integers(1, 3),
        "pattern": st.sampled_from(["a", "b"]),
        "format": st.sampled_from(["uri", "date-time", "int32"]),
        "default": st.integers(0, 2),
        "title": st.sampled_from(["A", "B"]),
        "multipleOf": st.integers(1, 4),
        "readOnly": st.just(True),
        "x-thing": st.integers(0, 2),
        "if": st.just({"type": "string"}),
        "enum": st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
    },
)


@given(SIMPLE, SIMPLE, st.sampled_from(["body", "answer"]))
@settings(max_examples=150)
def test_two_schemas_that_say_different_things_are_never_silent(one: Any, other: Any, side: str) -> None:
    found = diff(within(one, side), within(other, side)).changes
    assert bool(found) == (key_of(one) != key_of(other))


NULLS: dict[str, Any] = {"type": "array", "items": {"type": "null"}}  # beside any array, another says nothing
AROUND: dict[str, Any] = {
    "itself": lambda one: one,
    "prefixItems": lambda one: {"type": "array", "prefixItems": [one]},
    "contains": lambda one: {"type": "array", "contains": one},
    "items": lambda one: {"type": "array", "items": one},
    "properties": lambda one: {"type": "object", "properties": {"a b": one}},
    "patternProperties": lambda one: {"type": "object", "patternProperties": {"^a": one}},
    "propertyNames": lambda one: {"type": "object", "propertyNames": one},
    "additionalProperties": lambda one: {"type": "object", "additionalProperties": one},
    "unevaluatedProperties": lambda one: {"type": "object", "unevaluatedProperties": one},
    "dependentSchemas": lambda one: {"type": "object", "dependentSchemas": {"a": one}},
    "not": lambda one: {"not": one},
    "if": lambda one: {"if": one, "then": {"type": "string"}},
    "then": lambda one: {"if": {"type": "string"}, "then": one},
    "else": lambda one: {"if": {"type": "string"}, "else": one},
    "union": lambda one: {"anyOf": [one, NULLS]},
    "null": lambda one: {"oneOf": [one, {"type": "null"}]},
    "two unions": lambda one: {"anyOf": [{"type": "array"}, {"type": "null"}], "oneOf": [one, NULLS]},
    "whole": lambda one: {"allOf": [one], "x-beside": True},
    "part": lambda one: {
        "allOf": [
            {"type": "object", "properties": {"a": one}},
            {"type": "object", "properties": {"a": {"externalDocs": {"url": "x"}}}},
        ]
    },
    "kept": lambda one: {"type": "object", "$defs": {"a": one}},
}


@given(SIMPLE, SIMPLE, st.lists(st.sampled_from([*AROUND]), min_size=1, max_size=3), st.booleans(), st.data())
@settings(max_examples=250)
def test_wherever_a_schema_stands_what_it_says_differently_is_told(
    one: Any, other: Any, around: list[str], referred: bool, data: st.DataObject
) -> None:
    def made(schema: Any) -> dict[str, Any]:
        inner = {"$ref": "#/components/schemas/Inner"} if referred else schema
        for name in around:
            inner = AROUND[name](inner)
        return within(inner, side, Inner=schema)

    side = data.draw(st.sampled_from(["body", "answer", "parameter"]))
    old, new = made(one), made(other)
    told = {(change.method, change.path) for change in diff(old, new).changes}
    assert told == ({("POST", "/api/v1/m")} if key_of(one) != key_of(other) else set())


def within(schema: Any, side: str, **components: Any) -> dict[str, Any]:
    """A document of one operation, with the schema on one of its sides."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = {
        "body": {"requestBody": content},
        "answer": {"responses": {"200": content}},
        "parameter": {"parameters": [{"name": "q", "in": "query", "schema": schema}]},
    }[side]
    return {"openapi": "3.1.0", "paths": {"/api/v1/m": {"post": operation}}, "components": {"schemas": components}}
