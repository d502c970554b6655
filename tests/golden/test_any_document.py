"""Documents nobody wrote: whatever comes, it is rendered whole or refused in a line; never a traceback, never less."""

from __future__ import annotations

import copy
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pipeline
import specimen
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rules import corrections, document_checks
from rules.document_text import parse
from rules.errors import GenerationError
from rules.plan import make_plan
from rules.price_list import PriceList

if TYPE_CHECKING:
    import pytest

NAMES = ["A", "b_c", "Body", "list", "Größe", "_x", "2d", "Any", "from", "models", "x-y", "大", "submission"]
WORDS = st.sampled_from(
    ["a", "b", "class", "prompt", "id", "self", "大", "x-y", "2nd", "None", '"', "\\", "{{", "\n", ""]
)
NUMBERS = st.one_of(st.integers(-5, 500), st.floats(-(2.0**100), 2.0**100))
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans(), st.none())
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
REFERENCES = st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in NAMES])


def leaves() -> st.SearchStrategy[Any]:
    """Schemas without schemas in them."""
    bounded = {
        "minimum": NUMBERS, "exclusiveMaximum": NUMBERS | st.booleans(), "multipleOf": st.sampled_from([1, 0.5, 2.0]),
        "minLength": st.integers(0, 3), "pattern": st.sampled_from(["^a", "(", "\\d+"]), "default": JSON,
        "format": st.sampled_from(["uri", "date-time", "binary", "odd"]), "nullable": st.booleans(),
        "description": WORDS,
    }  # fmt: skip
    kinds = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null", "file"])
    plain = st.fixed_dictionaries({"type": kinds | st.lists(kinds, min_size=1, max_size=3)}, optional=bounded)
    listed = st.fixed_dictionaries({"enum": st.lists(JSON, max_size=4)}, optional={"default": JSON, "type": kinds})
    constant = st.fixed_dictionaries({"const": JSON})
    return plain | listed | constant | REFERENCES | st.booleans() | st.just({})


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas made of schemas."""
    some = st.lists(inner, min_size=1, max_size=3)
    properties = st.dictionaries(WORDS, inner, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"anyOf": some}, optional={"default": JSON}),
        st.fixed_dictionaries({"oneOf": some, "discriminator": st.just({"propertyName": "a"})}),
        st.fixed_dictionaries({"allOf": some}, optional={"properties": properties, "nullable": st.booleans()}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 2)}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": properties},
            optional={
                "required": st.lists(WORDS, max_size=2),
                "additionalProperties": st.booleans(),
                "readOnly": st.booleans(),
            },
        ),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
        st.fixed_dictionaries({"type": st.just("array"), "prefixItems": some}, optional={"items": inner}),
    )


SCHEMAS = st.recursive(leaves(), around, max_leaves=6)


def content(kinds: list[str]) -> st.SearchStrategy[Any]:
    media = st.fixed_dictionaries({}, optional={"schema": SCHEMAS})
    return st.dictionaries(st.sampled_from(kinds), media, max_size=2).map(lambda one: {"content": one})


def operation() -> st.SearchStrategy[Any]:
    """An operation, with whatever it may take."""
    parameter = st.fixed_dictionaries(
        {"name": WORDS, "in": st.sampled_from(["query", "query", "path", "header", "cookie"]), "schema": SCHEMAS}
    )
    code = st.sampled_from(["200", "201", "2XX", "422", "default"])
    return st.fixed_dictionaries(
        {"responses": st.dictionaries(code, content(["application/json", "text/html"]), max_size=2)},
        optional={
            "parameters": st.lists(parameter, max_size=2),
            "requestBody": content(["application/json", "multipart/form-data", "application/x-www-form-urlencoded"]),
            "operationId": WORDS,
            "summary": WORDS,
            "tags": st.lists(WORDS, max_size=2),
        },
    )


PATHS = st.lists(
    st.sampled_from(["api", "v1", "a", "{id}", "{a}", "class", "größe", "..", "b.c", "B", "stream", "", "print"]),
    min_size=1,
    max_size=3,
).map(lambda parts: "/" + "/".join(parts))
DOCUMENTS = st.fixed_dictionaries(
    {
        "openapi": st.sampled_from(["3.0.3", "3.1.0"]),
        "paths": st.dictionaries(
            PATHS, st.dictionaries(st.sampled_from(["get", "post", "delete"]), operation(), min_size=1, max_size=2),
            min_size=1, max_size=3,
        ),
        "components": st.fixed_dictionaries({"schemas": st.dictionaries(st.sampled_from(NAMES), SCHEMAS, max_size=6)}),
    }
)  # fmt: skip


def count(document: dict[str, Any]) -> int:
    return sum(method in document_checks.METHODS for item in document["paths"].values() for method in item)


def planned(document: dict[str, Any]) -> Any:
    """The plan of a document, or None where it was refused, in a line."""
    try:
        document_checks.check_document(document)
        return make_plan(document, PriceList("2026-08-20", {}), {"sha256": ""})
    except GenerationError as error:
        message = str(error)
    assert len(message.splitlines()) == 1
    return None


@given(DOCUMENTS)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_operation_is_planned_or_the_document_is_refused(document: dict[str, Any]) -> None:
    made = planned(document)
    assert made is None or made.operations == count(document)
    assert made is None or sum(len(item) for item in made.document["paths"].values()) == count(document)


ATTEMPT = iter(range(10_000))


@given(DOCUMENTS)
@settings(
    max_examples=15,
    # Most documents of odd pieces are rightly refused, which the test before this one looks at.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
def test_what_is_planned_is_rendered_whole_and_can_be_imported(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    assume(planned(document) is not None)
    folder = tmp_path_factory.mktemp("any")
    name = f"any_{next(ATTEMPT)}"
    (folder / "document.json").write_text(json.dumps(document), encoding="utf-8")
    result = pipeline.render_file(folder / "document.json", folder / "out" / name)
    assert result.code == 0, result.output
    assert sorted(one.name for one in folder.iterdir()) == ["document.json", "out"]
    assert sorted(one.name for one in (folder / "out").iterdir()) == [name, f"{name}.toml"]
    endpoints = [file for file in result.package.glob("api/*/*.py") if file.stem != "__init__"]
    assert len(endpoints) == count(document)
    sys.path.insert(0, str(folder / "out"))
    try:
        for file in [*endpoints, *(one for one in result.package.glob("models/*.py") if one.stem != "__init__")]:
            importlib.import_module(".".join((name, *file.relative_to(result.package).with_suffix("").parts)))
    finally:
        sys.path.remove(str(folder / "out"))


def places(node: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, one in items for place in [(*where, key), *places(one, (*where, key))]]


SPECIMEN = pipeline.correct(specimen.DOCUMENT, corrections.read_actions(specimen.CORRECTIONS))
PLACES = places(SPECIMEN)


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON | SCHEMAS), min_size=1, max_size=3))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_a_document_with_anything_anywhere_is_planned_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(SPECIMEN)
    for place, value in changes:
        node: Any = document
        for step in place[:-1]:
            node = node[step] if isinstance(node, dict) and step in node else None
        if isinstance(node, dict):
            node[place[-1]] = value
    planned(document)


@given(st.text(max_size=60) | st.recursive(JSON, st.lists).map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    for name in ("a.json", "a.yaml"):
        message = ""
        try:
            assert isinstance(parse(text, Path(name)), dict)
        except GenerationError as error:
            message = str(error)
        assert len(message.splitlines()) <= 1
