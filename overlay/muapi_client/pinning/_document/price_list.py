"""The price catalogue in the one form in which it is pinned. Pure: bytes in, bytes out.

Lives here: which facts of ``GET /api/v1/models`` are pinned, their order, their bytes.
Does not live here: what a payload costs (the server's estimate says), which model belongs to which operation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.strict_json import as_list, as_object, parse

if TYPE_CHECKING:
    from datetime import date

# The live list also carries prose and addresses: prose is the vendor's, `endpoint` is wrong for some 19
# models, and `cost_currency` repeats `currency`.
FACTS = ("name", "category", "family", "group_of", "cost", "cost_strategy", "dynamic_pricing")


def canonicalize_models(served: bytes, *, today: date, before: bytes | None = None) -> bytes:
    """Bring a price catalogue into its pinned form: sorted by name, one model a line.

    Args:
        served: ``{"models": [...], "currency": ..., "total"?: ..., "as_of"?: ...}`` as JSON in UTF-8.
        today: The date, UTC, from which the prices count if the catalogue does not say so itself.
        before: The catalogue pinned so far: the same prices keep the date since which they are known.

    Raises:
        PinError: Not a whole price catalogue.
    """
    answer = parse(served, "the price catalogue")
    models, currency = _read_models(answer), answer.get("currency")
    if not isinstance(currency, str):
        raise PinError("the price catalogue names no currency: it is not the answer of GET /api/v1/models")
    as_of = answer.get("as_of")
    pinned = _read_pinned(before)
    if as_of is None and (pinned.get("models"), pinned.get("currency")) == (models, currency):
        as_of = pinned.get("as_of")
    return _serialize(as_of if isinstance(as_of, str) else today.isoformat(), currency, models)


def _read_models(answer: dict[str, Any]) -> list[dict[str, Any]]:
    models = as_list(answer.get("models"))
    if not models:
        raise PinError("the price catalogue has no list of models: it is not the answer of GET /api/v1/models")
    if answer.get("total", len(models)) != len(models):
        raise PinError(f"the price catalogue brought {len(models)} of the {quote(answer['total'])} models it counts")
    facts = [_select_facts(model) for model in models]
    names = [model["name"] for model in facts]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PinError(f"the price catalogue holds {quote(twice)} twice, and only one of the two prices can be meant")
    return sorted(facts, key=lambda model: str(model["name"]))


def _read_pinned(pinned: bytes | None) -> dict[str, Any]:
    """A catalogue pinned before; nothing where it cannot be read, for it is about to be replaced."""
    try:
        return parse(pinned, "spec/models.json") if pinned else {}
    except PinError:
        return {}


def _select_facts(entry: object) -> dict[str, Any]:
    model = as_object(entry) or {}
    if not isinstance(model.get("name"), str):
        raise PinError(f"the price catalogue holds a model without a name: {quote(entry)}")
    cost = model.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float | None):
        raise PinError(f"the price of {quote(model['name'])} is no number: {quote(cost)}")
    return {fact: model[fact] for fact in FACTS if fact in model}


def _serialize(as_of: str, currency: str, models: list[dict[str, Any]]) -> bytes:
    head = "".join(
        f" {_to_json(key)}: {_to_json(value)},\n" for key, value in (("as_of", as_of), ("currency", currency))
    )
    lines = ",\n".join(f"  {_to_json(model)}" for model in models)
    return f'{{\n{head} "models": [\n{lines}\n ]\n}}\n'.encode()


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
