"""The price list as an API: models, one model, an estimate. None of them takes a key.

Lives here: the three operations. Does not live here: prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client.emulator._messages.messages import Refusal, Reply
from muapi_client.emulator._spec.prices import CURRENCY, build_estimate, build_model_card

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.world import World


def list_models(world: World, checked: CheckedRequest) -> Reply:
    """``GET models``, narrowed by ``category``, ``family`` and ``group_of``."""
    entries = [entry for entry in world.operations.prices.values() if checked.query.items() <= entry.items()]
    cards = [build_model_card(entry) for entry in entries]
    return Reply({"models": cards, "total": len(cards), "currency": CURRENCY})


def get_model(world: World, checked: CheckedRequest) -> Reply:
    """``GET models/{name}``."""
    return Reply(build_model_card(_find_entry(world, checked)))


def estimate_cost(world: World, checked: CheckedRequest) -> Reply:
    """``POST models/{name}/estimate-cost``: what a submit of this payload would be charged."""
    entry = _find_entry(world, checked)
    return Reply(build_estimate(entry, world.operations.by_name.get(entry["name"]), checked.body))


def _find_entry(world: World, checked: CheckedRequest) -> Mapping[str, Any]:
    entry = world.operations.prices.get(checked.parameters["name"])
    if entry is None:
        raise Refusal(404, "Not Found")
    return entry
