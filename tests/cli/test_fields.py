"""What a person types becomes what the document wants, or a sentence that says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client.cli._field_values import Unfit, read_fields, read_loosely, read_value
from muapi_client.errors import ValidationError

SCHEMAS = list({json.dumps(f.schema, sort_keys=True): f.schema for m in catalog.all() for f in m.fields}.values())
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
UNION = {"nullable": True, "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_read_back(number: int) -> None:
    for kind in ("integer", "number"):
        value = read_value([str(number)], {"type": kind})
        assert (value, type(value)) == (number, int)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back(number: float) -> None:
    assert read_value([repr(number)], {"type": "number"}) == number


@given(st.text())
def test_text_is_taken_as_it_is(text: str) -> None:
    assert read_value([text], {"type": "string"}) == text


@given(st.lists(st.text(), min_size=2))
def test_repeated_fields_make_a_list(texts: list[str]) -> None:
    assert read_value(texts, {"type": "array", "items": {"type": "string"}}) == texts
    assert read_value(texts, UNION) == texts


@given(st.lists(JSON_VALUES, max_size=4))
def test_a_list_may_be_json(values: list[Any]) -> None:
    assert read_value([json.dumps(values)], {"type": "array", "items": {"type": "object"}}) == values


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_an_object_is_json(value: dict[str, Any]) -> None:
    assert read_value([json.dumps(value)], {"type": "object"}) == value


@given(JSON_VALUES)
def test_a_value_of_unknown_type_is_json_where_it_is_json(value: Any) -> None:
    assert read_loosely(json.dumps(value)) == value


@given(st.sampled_from(SCHEMAS), st.lists(st.text() | JSON_VALUES.map(json.dumps), min_size=1, max_size=3))
def test_any_text_for_any_field_is_read_or_refused_in_a_sentence(schema: dict[str, Any], texts: list[str]) -> None:
    name = "field"
    try:
        values = read_fields([f"{name}={text}" for text in texts], {name: schema}, about="model")
    except ValidationError as refused:
        said = [error["msg"] for error in refused.errors]
    else:
        said = []
        json.dumps(values[name])
    assert all(said)


def test_every_choice_of_the_document_can_be_typed() -> None:
    choosing = [schema for schema in SCHEMAS if "enum" in schema]
    assert choosing
    for schema in choosing:
        for choice in schema["enum"]:
            text = choice if isinstance(choice, str) else json.dumps(choice)
            value = read_value([text], schema)
            assert (value, type(value)) == (choice, type(choice))


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("true", {"type": "boolean"}, True),
        ("No", {"type": "boolean"}, False),
        ("1", {"type": "boolean"}, True),
        ("1", {"type": "integer"}, 1),
        ("+7", {"type": "integer"}, 7),
        (".5", {"type": "number"}, 0.5),
        ("2e3", {"type": "number"}, 2000.0),
        ("null", {"type": "string", "nullable": True}, None),
        ("null", {"type": "integer", "nullable": True}, None),
        ("null", {"type": "string"}, "null"),
        ("null", {"type": "string", "nullable": True, "enum": ["null"]}, "null"),
        ("10", {"type": "string", "enum": ["5", "10"]}, "10"),
        ("10", {"type": "integer", "enum": [5, 10]}, 10),
        ("0.50", {"type": "number", "enum": [0.5, 1.0]}, 0.5),
        ("1", {"type": "array", "items": {"type": "integer"}}, [1]),
        ("[]", {"type": "array", "items": {"type": "string"}}, []),
        ("[a] fox", {"type": "array", "items": {"type": "string"}}, ["[a] fox"]),
        ('{"path": "x"}', {"type": "array", "items": {"type": "object"}}, [{"path": "x"}]),
        ("a", UNION, "a"),
        ('["a"]', UNION, ["a"]),
        ("null", UNION, None),
        ("a fox", {}, "a fox"),
        ("3", {}, 3),
        ("NaN", {}, "NaN"),
        ("x=y=z", {"type": "string"}, "x=y=z"),
    ],
)
def test_values(text: str, schema: dict[str, Any], value: Any) -> None:
    found = read_value([text], schema)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("texts", "schema", "words"),
    [
        (["wide"], {"type": "integer"}, "'wide' is no whole number"),
        (["1.5"], {"type": "integer"}, "'1.5' is no whole number"),
        ([""], {"type": "integer"}, "'' is no whole number"),
        (["1_000"], {"type": "integer"}, "no whole number"),
        (["9" * 5000], {"type": "integer"}, "5000 digits"),
        (["1e999"], {"type": "number"}, "is no number"),
        (["NaN"], {"type": "number"}, "is no number"),
        (["maybe"], {"type": "boolean"}, "neither true nor false"),
        (["null"], {"type": "boolean"}, "neither true nor false"),
        (["16/9"], {"type": "string", "enum": ["16:9", "1:1"]}, "did you mean '16:9'?"),
        (["huge"], {"type": "string", "enum": ["1k", "2k"]}, "its choices: '1k', '2k'"),
        (["x"], {"type": "integer", "enum": list(range(100))}, "and 88 more"),
        (["[1]"], {"type": "object"}, "takes a JSON object"),
        (["{x}"], {"type": "object"}, "no JSON"),
        (["[" * 100_000], {"type": "object"}, "nested too deeply"),
        (["a", "b"], {"type": "string"}, "given 2 times"),
        (["1", "x"], {"type": "array", "items": {"type": "integer"}}, "'x' is no whole number"),
    ],
)
def test_refusals_say_why(texts: list[str], schema: dict[str, Any], words: str) -> None:
    with pytest.raises(Unfit, match=r".") as refused:
        read_value(texts, schema)
    assert words in str(refused.value)


def test_every_wrong_field_is_named_at_once_in_the_servers_form() -> None:
    schemas = {"width": {"type": "integer"}, "sync": {"type": "boolean"}}
    with pytest.raises(ValidationError, match="some-model: width: 'x' is no whole number; sync:") as refused:
        read_fields(["width=x", "sync=x"], schemas, about="some-model")
    assert [error["loc"] for error in refused.value.errors] == [["body", "width"], ["body", "sync"]]


def test_a_field_of_unknown_type_is_read_loosely_and_gathers_its_values() -> None:
    assert read_fields(["a=1", "b=x", "c=1", "c=2"], {}, about="x") == {"a": 1, "b": "x", "c": [1, 2]}
