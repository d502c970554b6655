"""An emulator of another document, and of other prices, than the pinned ones."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from by_kind import IMAGE

from muapi_client import MuAPI, errors, raw_call
from muapi_client.emulator import Emulator
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
    with pytest.raises(ValueError, match="altered"):
        Emulator.load(emulator.save())


def test_the_given_document_is_the_one_that_is_published() -> None:
    from muapi_client.emulator import Request

    answer = Emulator(document=make_document()).handle(Request("GET", "/openapi.json"))
    assert set(json.loads(answer.body)["paths"]) == {"/api/v1/new-model", "/api/v1/predictions/{id}/result"}


@pytest.mark.parametrize("document", [{}, {"openapi": "3.1.0"}, {"swagger": "2.0"}, {"openapi": "3.1.0", "paths": {}}])
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="document"):
        Emulator(document=document)
