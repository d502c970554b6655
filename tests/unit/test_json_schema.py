"""The input of a model in JSON Schema: valid, alone, and refusing what the client itself refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from by_kind import IMAGE
from fitting import ADDRESS, make_fitting
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client._spec.validation import check
from muapi_client.errors import ValidationError
from muapi_generated import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS = catalog.all()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(max_size=5)
    | st.just(ADDRESS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def is_taken(model: catalog.Model, body: Mapping[str, Any]) -> bool:
    """Whether the client itself would send this."""
    try:
        check(model.call(**body))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", sorted({model.kind for model in MODELS}))
def test_every_model_has_a_valid_schema_that_stands_alone(kind: str) -> None:
    for model in catalog.find(kind=kind):
        schema = model.json_schema()
        assert schema["$schema"] == DIALECT
        assert schema["title"] == model.slug
        jsonschema_rs.meta.validate(schema)
        assert schema["properties"].keys() == {field.name for field in model.fields}
        assert "$ref" not in json.dumps(schema)
        assert jsonschema_rs.Draft202012Validator(schema).is_valid(make_fitting(schema, {}))


def test_it_says_what_the_document_says_and_what_a_job_costs() -> None:
    model = catalog.get(IMAGE.slug)
    schema = model.json_schema()
    for field in model.fields:
        told = schema["properties"][field.name]
        assert told.get("default") == field.default
        assert told.get("description", "") == field.description
        assert field.nullable is ({"type": "null"} in told.get("anyOf", ()))
        for word in ("minimum", "maximum", "enum", "pattern"):
            if not field.nullable:
                assert told.get(word) == field.schema.get(word)
    assert model.price
    assert str(model.price) in schema["description"]
    unpriced = next(each for each in MODELS if each.price is None)
    assert "not in the price catalogue" in unpriced.json_schema()["description"]


def test_it_is_the_callers_to_change() -> None:
    model = catalog.get(IMAGE.slug)
    schema, before = model.json_schema(), json.dumps(model.json_schema())
    schema["properties"]["prompt"]["description"] = "changed"
    schema["properties"]["num_images"]["enum"].append(9)
    assert json.dumps(model.json_schema()) == before
    assert "9" not in map(str, next(field for field in model.fields if field.name == "num_images").choices)


def test_a_model_without_a_body_takes_no_fields() -> None:
    model = catalog.Model(
        "a-model",
        "a_model",
        "audio",
        "audio",
        None,
        None,
        streams=False,
        price=None,
        request="",
        package="muapi_generated",
    )
    schema = model.json_schema()
    assert jsonschema_rs.Draft202012Validator(schema).is_valid({})
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({"prompt": "a fox"})


@given(st.sampled_from([model for model in MODELS if model.request]), st.data())
@settings(deadline=None, max_examples=400)
def test_what_the_client_refuses_the_schema_refuses_and_nothing_else(model: catalog.Model, data: st.DataObject) -> None:
    schema = model.json_schema()
    body = make_fitting(schema, {})
    names = [*schema["properties"], "no_such_field"]
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True)):
        field = schema["properties"].get(name, {})
        fitting = [st.just(make_fitting(field, {}))] if field else []
        if data.draw(st.booleans()):
            body.pop(name, None)
        else:
            body[name] = data.draw(st.one_of(JSON, *fitting, st.sampled_from(field.get("enum") or [1])))
    assume(not has_odd_address(body))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert validator.is_valid(body) is is_taken(model, body)


def has_odd_address(value: Any) -> bool:
    """Whether a text might be an address of another scheme, which a schema takes and the client does not."""
    if isinstance(value, str):
        return ":" in value and value != ADDRESS
    return any(
        map(has_odd_address, value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    )


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The classes that are sent, for a test to fill in, as a later document may have them."""
    classes: dict[str, Any] = {}
    monkeypatch.setattr(schemas, "_requests", lambda: classes)
    caches = (schemas._count_classes, schemas._holds_itself)
    for cache in caches:
        cache.cache_clear()
    yield classes
    for cache in caches:
        cache.cache_clear()


def part(name: str, **more: Any) -> dict[str, Any]:
    return {"required": False, "nullable": False, "type": "object", "request": name, **more}


TEXT = {"required": False, "nullable": False, "type": "string"}


def model_of(request: str) -> catalog.Model:
    return catalog.Model("a-model", "a_model", "audio", "audio", None, None, streams=False, price=None, request=request)


def test_classes_that_each_hold_the_next_twice_come_to_an_end(requests: dict[str, Any]) -> None:
    levels = 28
    for level in range(levels):
        requests[f"L{level}"] = {"a": part(f"L{level + 1}"), "b": part(f"L{level + 1}")}
    requests[f"L{levels}"] = {"name": TEXT}
    schema = model_of("L0").json_schema()
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    right: dict[str, Any] = {"name": "deep"}
    wrong: dict[str, Any] = {"name": 1}
    for _ in range(levels):
        right, wrong = {"a": right}, {"b": wrong}
    assert validator.is_valid(right)
    assert not validator.is_valid(wrong)
    assert len(json.dumps(schema)) < 100_000
    alone = schemas.to_json_schema("L0")  # for pydantic, which has definitions of its own
    assert alone["properties"]["a"] == {"type": "object"}


def test_a_class_that_holds_itself_is_referred_to_and_written_out_once_without_definitions(
    requests: dict[str, Any],
) -> None:
    requests["Forest"] = {"trees": {"required": True, "nullable": True, "type": "array", "items": part("Tree")}}
    requests["Tree"] = {"name": {**TEXT, "required": True}, "left": part("Tree"), "hedge": part("Hedge")}
    requests["Hedge"] = {"tree": part("Tree", description="what it is made of")}
    schema = model_of("Forest").json_schema()
    jsonschema_rs.meta.validate(schema)
    assert schema["$defs"].keys() == {"Tree", "Hedge"}
    validator = jsonschema_rs.Draft202012Validator(schema)
    leaf = {"name": "leaf"}
    assert validator.is_valid({"trees": [{"name": "a", "left": leaf, "hedge": {"tree": leaf}}]})
    assert validator.is_valid({"trees": None})
    assert not validator.is_valid({"trees": [{"name": "a", "left": {"hedge": {"tree": {"name": 1}}}}]})
    alone = schemas.to_json_schema("Forest")
    tree = alone["properties"]["trees"]["anyOf"][0]["items"]
    assert tree["properties"]["name"]["type"] == "string"
    assert tree["properties"]["left"] == {"type": "object"}
    assert schemas.to_json_schema("Tree")["properties"]["left"] == {"type": "object"}


def test_a_class_that_stands_twice_is_written_out_twice(requests: dict[str, Any]) -> None:
    requests["Pair"] = {"high": part("Lora"), "low": part("Lora", description="the other one")}
    requests["Lora"] = {"path": {**TEXT, "required": True}}
    schema = model_of("Pair").json_schema()
    assert "$defs" not in schema
    high, low = schema["properties"]["high"], schema["properties"]["low"]
    assert high["properties"] == low["properties"] == {"path": {"type": "string"}}
    assert low["description"] == "the other one"
