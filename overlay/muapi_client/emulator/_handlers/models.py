"""The price list as an API: models, one model, an estimate. None of them takes a key.

Lives here: the three operations. Does not live here: prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client.emulator._messages.messages import Refusal, Reply
from muapi_client.emulator._spec.operations import operations
from muapi_client.emulator._spec.price_list import catalogue
from muapi_client.emulator._spec.prices import CURRENCY, card, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._handlers.checked_request import Visit
    from muapi_client.emulator._state.world import World


def list_models(_world: World, visit: Visit) -> Reply:
    """``GET models``, narrowed by ``category``, ``family`` and ``group_of``."""
    entries = [entry for entry in catalogue().values() if visit.query.items() <= entry.items()]
    cards = [card(entry) for entry in entries]
    return Reply({"models": cards, "total": len(cards), "currency": CURRENCY})


def get_model(_world: World, visit: Visit) -> Reply:
    """``GET models/{name}``."""
    return Reply(card(_entry(visit)))


def estimate_cost(_world: World, visit: Visit) -> Reply:
    """``POST models/{name}/estimate-cost``: what a submit of this payload would be charged."""
    entry = _entry(visit)
    return Reply(estimate(entry, operations().by_name.get(entry["name"]), visit.body))


def _entry(visit: Visit) -> Mapping[str, Any]:
    entry = catalogue().get(visit.parameters["name"])
    if entry is None:
        raise Refusal(404, "Not Found")
    return entry
