"""An emulator of another document, and of other prices, than the pinned ones."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from by_kind import IMAGE

from muapi_client import MuAPI, errors, raw_call
from muapi_client.emulator import Emulator, Outcome
from muapi_client.pinning import pinned

SUMMARY = "new-model (fast)"


def make_document(**extra: Any) -> dict[str, Any]:
    """A document of one model that the pin does not have."""
    properties = {"prompt": {"type": "string"}, "num_images": {"type": "integer", "default": 1}}
    body = {"type": "object", "properties": properties, "required": ["prompt"]}
    query = {"name": "webhook", "in": "query", "schema": {"type": "string"}}
    key = {"name": "x-api-key", "in": "header", "schema": {"type": "string"}}
    operation = {
        "summary": SUMMARY,
        "operationId": "new_model",
        "tags": ["Text to Image"],
        "parameters": [query, key],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "ok"}},
    }
    result = {**operation, "summary": "result", "parameters": [key], "requestBody": {}}
    del result["requestBody"]
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "MuAPI", "version": "1"},
        "paths": {
            "/api/v1/new-model": {"post": operation},
            "/api/v1/predictions/{id}/result": {"get": {**result, "parameters": [key, parameter]}},
            "/app/elsewhere": {"get": result},
        },
        **extra,
    }


def make_prices(cost: float) -> dict[str, Any]:
    entry = {
        "name": "new-model",
        "category": "Text to Image",
        "family": "new",
        "group_of": "image",
        "cost": cost,
        "cost_strategy": "new-model",
        "dynamic_pricing": True,
    }
    return {"models": [entry]}


def test_a_model_of_another_document_runs_at_its_price_and_pinned_ones_are_unknown() -> None:
    emulator = Emulator(document=make_document(), prices=make_prices(0.125))
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        assert mu.run(raw_call("new-model", {"prompt": "x", "num_images": 2})).done
        assert emulator.charged_usd == Decimal("0.25")
        with pytest.raises(errors.NotFoundError):
            mu.run(raw_call(IMAGE.slug, {"prompt": "x"}))


@pytest.mark.parametrize("wrong", [{"summary": None}, {"tags": None}, {"parameters": ["x"]}, {"parameters": None}])
def test_a_document_that_cannot_be_answered_is_refused_at_once(wrong: Any) -> None:
    document = make_document()
    document["paths"]["/api/v1/new-model"]["post"].update(wrong)
    with pytest.raises(ValueError, match="/api/v1/new-model of the document cannot be answered"):
        Emulator(document=document)


# ---- What stands elsewhere in a document -----------------------------------------------------------------------------

REFERRED = {"$ref": "#/components/schemas/A%20B"}
COMPONENTS: dict[str, Any] = {
    "schemas": {
        "A B": {
            "type": "object",
            "properties": {"prompt": {"$ref": "#/components/schemas/Text"}},
            "required": ["prompt"],
        },
        "Text": {"$ref": "#/components/schemas/Again"},
        "Again": {"type": "string", "minLength": 2},
        "Chain": {"$ref": "#/components/schemas/A%20B/properties/prompt"},
    },
    "requestBodies": {
        "First": {"$ref": "#/components/requestBodies/Second"},
        "Second": {"required": True, "content": {"application/json; charset=utf-8": {"schema": REFERRED}}},
    },
    "parameters": {
        "Webhook": {"name": "webhook", "in": "query", "schema": {"type": "string"}},
        "Key": {"name": "x-api-key", "in": "header", "schema": {"type": "string"}},
        "Limit": {"name": "limit", "in": "query", "required": True, "schema": {"$ref": "#/components/schemas/Limit"}},
    },
    "pathItems": {},
}


def make_referring_document() -> dict[str, Any]:
    """The same model, said by references wherever OpenAPI has them."""
    document = make_document(components=json.loads(json.dumps(COMPONENTS)))
    item = document["paths"]["/api/v1/new-model"]
    del item["post"]["parameters"]
    item["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in ("Webhook", "Key", "Limit")]
    item["post"]["requestBody"] = {"$ref": "#/components/requestBodies/First"}
    document["components"]["schemas"]["Limit"] = {"type": "integer", "maximum": 3}
    document["components"]["pathItems"]["New"] = item
    document["paths"]["/api/v1/new-model"] = {"$ref": "#/components/pathItems/New"}
    return document


@pytest.mark.parametrize(
    ("query", "body", "status", "loc"),
    [
        ("?limit=2", {"prompt": "fox"}, 200, None),
        ("?limit=2", {"prompt": "f"}, 422, ["body", "prompt"]),
        ("?limit=2", {}, 422, ["body", "prompt"]),
        ("?limit=9", {"prompt": "fox"}, 422, ["query", "limit"]),
        ("?limit=x", {"prompt": "fox"}, 422, ["query", "limit"]),
        ("", {"prompt": "fox"}, 422, ["query", "limit"]),
    ],
)
def test_what_stands_elsewhere_in_the_document_counts(
    connect: Any, query: str, body: dict[str, Any], status: int, loc: list[str] | None
) -> None:
    emulator = Emulator(document=make_referring_document(), prices=make_prices(0.5))
    answer = connect(emulator)("POST", f"new-model{query}", json=body)
    assert answer.status_code == status
    assert emulator.accepted == (status == 200)
    if loc is not None:
        assert [problem["loc"] for problem in answer.json()["detail"]] == [loc]
    assert connect(emulator, None)("POST", "new-model?limit=2", json={"prompt": "fox"}).status_code == 401


def test_an_operation_has_parameters_of_its_own_in_place_of_its_paths(connect: Any) -> None:
    document = make_referring_document()
    own = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 5}}
    document["components"]["pathItems"]["New"]["post"]["parameters"] = [own]
    send = connect(Emulator(document=document))
    answers = [send("POST", f"new-model{query}", json={"prompt": "fox"}) for query in ("?limit=9", "?limit=2", "")]
    assert [answer.status_code for answer in answers] == [200, 422, 200]


def test_a_variable_of_a_path_that_no_parameter_declares_is_text(connect: Any) -> None:
    document = make_document()
    del document["paths"]["/api/v1/predictions/{id}/result"]["get"]["parameters"][1]
    send = connect(Emulator(document=document, job_seconds=0))
    job = send("POST", "new-model", json={"prompt": "x"}).json()["request_id"]
    assert send("GET", f"predictions/{job}/result").json()["status"] == "completed"


def test_a_reference_may_lead_into_a_schema_and_a_schema_may_hold_itself(connect: Any) -> None:
    document = make_document(components={"schemas": COMPONENTS["schemas"]})
    body = document["paths"]["/api/v1/new-model"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    here = "#/paths/~1api~1v1~1new-model/post/requestBody/content/application~1json/schema"
    body["properties"] |= {"again": {"$ref": here}, "text": {"$ref": "#/components/schemas/Chain"}, "any": True}
    send = connect(Emulator(document=document))
    fits = {"prompt": "x", "text": "xy", "any": [1], "again": {"prompt": "x", "again": {"prompt": "x"}}}
    assert send("POST", "new-model", json=fits).status_code == 200
    wrong = {"prompt": "x", "text": 5, "again": {"prompt": "x", "again": {}}}
    refused = send("POST", "new-model", json=wrong)
    assert [problem["loc"][1:] for problem in refused.json()["detail"]] == [["again", "again", "prompt"], ["text"]]


def test_a_document_of_openapi_3_0_is_read_in_its_own_words(connect: Any) -> None:
    document = {**make_document(), "openapi": "3.0.3"}
    body = document["paths"]["/api/v1/new-model"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"] |= {
        "width": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "nullable": True},
        "style": {"type": "string", "enum": ["a", "b"], "nullable": True},
    }
    send = connect(Emulator(document=document))
    for fields, status in [
        ({"width": None, "style": None}, 200),
        ({"width": 1, "style": "a"}, 200),
        ({"width": 0}, 422),
        ({"style": "c"}, 422),
    ]:
        assert send("POST", "new-model", json={"prompt": "x", **fields}).status_code == status


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"type": "string", "pattern": "("}, r'body/properties/odd/pattern: "\(" is not a "regex"'),
        ({"type": "strng"}, "body/properties/odd/type"),
        ({"type": "integer", "exclusiveMinimum": True}, "body/properties/odd/exclusiveMinimum"),
        ({"enum": "abc"}, "body/properties/odd/enum"),
        ({"properties": None}, "cannot be answered"),
        (None, "cannot be answered"),
    ],
)
def test_a_schema_that_is_none_is_told_before_any_request_and_of_each_operation(field: Any, why: str) -> None:
    document = make_document()
    model = document["paths"]["/api/v1/new-model"]
    model["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["odd"] = field
    document["paths"]["/api/v1/other"] = model
    document["paths"]["/api/v1/sound"] = make_document()["paths"]["/api/v1/new-model"]
    with pytest.raises(ValueError, match=why) as caught:
        Emulator(document=document)
    told = str(caught.value).splitlines()
    assert [name for name in ("new-model", "other", "sound") if f"/api/v1/{name} of" in str(caught.value)] == [
        "new-model",
        "other",
    ]
    assert len(told) == 2


def test_a_parameter_whose_pattern_is_none_and_a_body_that_refers_to_itself_are_told() -> None:
    document = make_referring_document()
    document["components"]["schemas"]["Limit"]["pattern"] = "["
    with pytest.raises(ValueError, match="POST /api/v1/new-model of the document cannot be answered: limit/pattern: "):
        Emulator(document=document)
    document = make_referring_document()
    document["components"]["requestBodies"]["Second"] = {"$ref": "#/components/requestBodies/First"}
    with pytest.raises(ValueError, match="#/components/requestBodies/First leads only to itself"):
        Emulator(document=document)


@pytest.mark.parametrize("cost", [-5, "abc", None, float("nan"), 1e30, True])
def test_a_cost_that_is_no_amount_is_refused_at_once(cost: Any) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        Emulator(prices=make_prices(cost))


@pytest.mark.parametrize("lacking", ["name", "category", "cost", "dynamic_pricing"])
def test_half_an_entry_of_a_price_list_is_refused_at_once(lacking: str) -> None:
    prices = make_prices(1)
    del prices["models"][0][lacking]
    with pytest.raises(ValueError, match=f"lacks {lacking} of"):
        Emulator(prices=prices)


def test_prices_alone_may_be_others() -> None:
    pin = pinned()
    changed = json.loads(json.dumps(pin.models))
    for entry in changed["models"]:
        entry["cost"] = 2.5
    emulator = Emulator(prices=changed)
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        mu.run(raw_call(IMAGE.slug, {"prompt": "x"}))
    assert emulator.charged_usd == Decimal("2.5")
    assert Emulator().balance == 100


def test_a_saved_one_goes_on_with_the_document_it_is_given_again() -> None:
    emulator = Emulator(document=make_document(), job_seconds=0)
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        done = mu.run(raw_call("new-model", {"prompt": "x"}))
    loaded = Emulator.load(emulator.save(), document=make_document())
    with MuAPI("sk-live", transport=loaded.transport()) as mu:
        assert mu.look(str(done.id)).done
    told = r"made with another document, 'MuAPI' 1 \(sha256 \w{16}\), and has a job of POST /api/v1/new-model, which"
    with pytest.raises(ValueError, match=told):
        Emulator.load(emulator.save())


@pytest.mark.parametrize("word", ["new", "new-modle"])  # the catalogue's name, and a misspelt slug
def test_who_names_a_model_wrong_is_told_its_slug(word: str) -> None:
    document, prices = make_document(), make_prices(1)
    document["paths"]["/api/v1/new-model"]["post"]["summary"] = "new (fast)"
    prices["models"][0]["name"] = "new"
    with pytest.raises(ValueError, match=rf"no model '{word}': did you mean new-model\?"):
        Emulator(document=document, prices=prices).next(Outcome.failed(), model=word)


def test_the_given_document_is_the_one_that_is_published() -> None:
    from muapi_client.emulator import Request

    answer = Emulator(document=make_document()).handle(Request("GET", "/openapi.json"))
    assert set(json.loads(answer.body)["paths"]) == {"/api/v1/new-model", "/api/v1/predictions/{id}/result"}


@pytest.mark.parametrize("document", [{}, {"openapi": "3.1.0"}, {"swagger": "2.0"}, {"openapi": "3.1.0", "paths": {}}])
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="document"):
        Emulator(document=document)
