"""What of an operation matters: what changes its hash, and what leaves it alone."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from fingerprints_of import fingerprints_of
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client.pinning import pinned
from muapi_client.pinning._document.reader import Document
from muapi_generated import SPEC
from rules.fingerprints import Essences, counts_in_first_form

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

PATH = "/api/v1/fox"
FIRST = "381e982c61bfb719d45b09dd04a6eaf4e8716fd73bacd249306f9bbcd132bfe8"  # of the document below, in the first form
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "security": [{"Key": []}],
    "paths": {
        PATH: {
            "parameters": [{"name": "team_id", "in": "query", "schema": {"type": "integer"}}],
            "post": {
                "operationId": "fox",
                "tags": ["Image: Edit & Reference"],
                "summary": "fox (fast)",
                "description": "Draws a fox.",
                "parameters": [
                    {"name": "webhook", "in": "query", "schema": {"type": "string"}},
                    {"name": "x-api-key", "in": "header", "required": False, "schema": {"type": "string"}},
                    {"$ref": "#/components/parameters/Seed"},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fox"}}}},
                "responses": {
                    "200": {"description": "Good", "content": {"application/json": {"schema": {}}}},
                    "422": {"description": "Bad", "content": {"application/json": {"schema": {"type": "object"}}}},
                },
            },
        },
        "/api/v1/hen": {"post": {"responses": {}}},
    },
    "components": {
        "parameters": {"Seed": {"name": "seed", "in": "query", "schema": {"type": "integer", "minimum": 0.0}}},
        "schemas": {
            "Fox": {
                "title": "Fox",
                "type": "object",
                "required": ["title", "size"],
                "properties": {
                    "title": {"type": "string", "title": "Title", "default": {"description": "kept"}},
                    "size": {"enum": ["s", "m", "l"], "examples": ["m"]},
                    "$ref": {"type": "string"},
                    "cub": {"$ref": "#/components/schemas/Cub"},
                },
            },
            "Cub": {"properties": {"parent": {"$ref": "#/components/schemas/Fox"}, "x-tail": {"type": "number"}}},
        },
        "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
    },
}


def hashed(change: Callable[[dict[str, Any]], object] = len) -> str:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return fingerprints_of(document)["fox"]


def fox(document: dict[str, Any]) -> dict[str, Any]:
    return document["paths"][PATH]["post"]


def schema(document: dict[str, Any], name: str = "Fox") -> dict[str, Any]:
    return document["components"]["schemas"][name]


def renamed(document: dict[str, Any]) -> None:
    text = json.dumps(document["paths"]).replace("schemas/Fox", "schemas/Vixen")
    document["paths"] = json.loads(text)
    schemas = json.loads(json.dumps(document["components"]["schemas"]).replace("schemas/Fox", "schemas/Vixen"))
    document["components"]["schemas"] = {"Vixen": schemas.pop("Fox"), **schemas}


SILENT: dict[str, Callable[[dict[str, Any]], object]] = {
    "nothing": len,
    "wording": lambda document: fox(document).update(description="?", deprecated=True, operationId="x"),
    "a schema's title and description": lambda document: schema(document).update(title="F", description="?"),
    "a field's examples": lambda document: schema(document)["properties"]["size"].pop("examples"),
    "an extension": lambda document: schema(document).update({"x-order": 1}),
    "another operation": lambda document: document["paths"].pop("/api/v1/hen"),
    "the order of what is required": lambda document: schema(document)["required"].reverse(),
    "the order of parameters": lambda document: fox(document)["parameters"].reverse(),
    "a header of the client's own": lambda document: fox(document)["parameters"].pop(1),
    "that it is required": lambda document: fox(document)["parameters"][1].update(required=True),
    "1.0 for 1": lambda document: document["components"]["parameters"]["Seed"]["schema"].update(minimum=0),
    "what a refusal is answered": lambda document: fox(document)["responses"].pop("422"),
}
LOUD: dict[str, Callable[[dict[str, Any]], object]] = {
    "a field added": lambda document: schema(document)["properties"].update(new={"type": "string"}),
    "a field removed": lambda document: schema(document)["properties"].pop("size"),
    "a field called title": lambda document: schema(document)["properties"].pop("title"),
    "a field called $ref": lambda document: schema(document)["properties"].pop("$ref"),
    "a field like an extension": lambda document: schema(document, "Cub")["properties"].pop("x-tail"),
    "a field required": lambda document: schema(document)["required"].append("cub"),
    "an enum's order": lambda document: schema(document)["properties"]["size"]["enum"].reverse(),
    "a default": lambda document: schema(document)["properties"]["title"].update(default=None),
    "a word inside a default": lambda document: schema(document)["properties"]["title"]["default"].clear(),
    "a bound, through a reference": lambda document: document["components"]["parameters"]["Seed"]["schema"].clear(),
    "a parameter of the path": lambda document: document["paths"][PATH].pop("parameters"),
    "a header that the function takes": lambda document: fox(document)["parameters"].append(
        {"name": "X-Mode", "in": "header", "schema": {"type": "string"}}
    ),
    "a cookie": lambda document: fox(document)["parameters"].append(
        {"name": "sid", "in": "cookie", "schema": {"type": "string"}}
    ),
    "an answer": lambda document: fox(document)["responses"]["200"].pop("content"),
    "a field two references away": lambda document: schema(document, "Cub")["properties"].pop("parent"),
    "where a reference leads": lambda document: schema(document, "Cub")["properties"].update(
        parent={"$ref": "#/components/schemas/Cub"}
    ),
    "a schema's name": renamed,
    "the catalogue name": lambda document: fox(document).update(summary="vixen (fast)"),
    "the tier": lambda document: fox(document).update(summary="fox (best)"),
    "the group": lambda document: fox(document).update(tags=["Audio"]),
    "no security": lambda document: fox(document).update(security=[]),
    "the key's header": lambda document: document["components"]["securitySchemes"]["Key"].update(name="key"),
}


@pytest.mark.parametrize("change", SILENT.values(), ids=SILENT)
def test_what_does_not_matter_leaves_the_hash_alone(change: Callable[[dict[str, Any]], object]) -> None:
    assert hashed(change) == hashed()


WAYS = [
    [{"const": "2k", "type": "string"}, {"enum": ["2k"], "type": "string"}],
    [
        {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}], "default": None, "title": "A"},
        {"anyOf": [{"type": "null"}, {"type": "string", "format": "uri", "title": "B"}], "default": None},
        {"type": ["null", "string"], "format": "uri", "default": None},
        {"type": ["string", "null"], "format": "uri", "default": None},
        {"type": "string", "nullable": True, "format": "uri", "default": None},
    ],
    [{"type": "string"}, {"type": ["string"]}, {"type": "string", "nullable": False}],
    [{"anyOf": [{"$ref": "#/components/schemas/Cub"}, {"type": "null"}]}],
    [{"anyOf": [{"type": "string"}, {"type": "integer"}]}],
    [{"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}], "maxLength": 9}],
    [{"anyOf": [{"type": "null"}]}],
    [{"type": "null"}],
    [{}],
]


def test_what_means_the_same_has_the_same_hash_and_nothing_else_has() -> None:
    def written(field: dict[str, Any]) -> str:
        return hashed(lambda document: schema(document)["properties"].update(field=field))

    hashes = [{written(way) for way in ways} for ways in WAYS]
    assert [len(one) for one in hashes] == [1] * len(WAYS)
    assert len(set.union(*hashes)) == len(WAYS)


@pytest.mark.parametrize("change", LOUD.values(), ids=LOUD)
def test_what_matters_changes_it(change: Callable[[dict[str, Any]], object]) -> None:
    assert hashed(change) != hashed()


def test_every_loud_change_has_a_hash_of_its_own() -> None:
    assert len({hashed(change) for change in LOUD.values()}) == len(LOUD)


def shuffled(node: Any, chance: random.Random) -> Any:
    """The same JSON, every object's keys in another order."""
    if isinstance(node, dict):
        keys = chance.sample(list(node), len(node))
        return {key: shuffled(node[key], chance) for key in keys}
    return [shuffled(item, chance) for item in node] if isinstance(node, list) else node


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(chance: random.Random) -> None:
    assert fingerprints_of(shuffled(DOCUMENT, chance))["fox"] == hashed()


def test_every_pinned_operation_has_a_hash_of_its_own() -> None:
    assert len(set(fingerprints_of(pinned().document).values())) == pinned().lock.operations


def test_those_of_locks_of_before_are_what_they_were() -> None:
    """Whoever locked with an earlier client has these in his repository."""
    told = json.loads(files("muapi_generated").joinpath("fingerprints.json").read_bytes())
    assert told["uncorrected"] == fingerprints_of(pinned().document, counts_in_first_form)
    assert hashed() == FIRST


def test_the_rendered_ones_are_of_every_function_and_of_the_corrected_document() -> None:
    told = json.loads(files("muapi_generated").joinpath("fingerprints.json").read_bytes())
    assert told["sha256"] == SPEC.sha256
    assert (
        told["functions"].keys()
        == told["uncorrected"].keys()
        == {one.function for one in Document(pinned().document).operations.values()}
    )
    assert told["functions"][IMAGE.function] != told["uncorrected"][IMAGE.function]  # its answer is corrected


def test_references_that_multiply_are_read_once() -> None:
    document = copy.deepcopy(DOCUMENT)
    deep = {f"S{n}": {"anyOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 9} for n in range(60)}
    document["components"]["schemas"] = {"Fox": {"$ref": "#/components/schemas/S0"}, **deep, "S60": {"type": "string"}}
    essence = Essences(document).select("POST", PATH, "")
    assert len(essence["referred"]) == 62  # 9 ** 60 if each were read where it is named


def test_a_discriminator_counts_by_where_it_leads() -> None:
    def discriminated(target: str) -> str:
        way = {"propertyName": "kind", "mapping": {"cub": target}}
        return hashed(lambda document: schema(document).update(discriminator=way))

    assert discriminated("Cub") == discriminated("#/components/schemas/Cub") != discriminated("Fox")


def test_a_key_behind_a_reference_counts_as_what_it_is() -> None:
    def refer(name: str) -> Callable[[dict[str, Any]], object]:
        key = {"type": "apiKey", "in": "header", "name": name}
        scheme = {"Key": {"$ref": "#/components/x-keys/One"}}
        return lambda document: document["components"].update({"x-keys": {"One": key}, "securitySchemes": scheme})

    assert hashed(refer("x-api-key")) == hashed() != hashed(refer("x-other-key"))
