"""What a request costs.

Lives here: the pinned price list by catalogue name, and the price of a payload. Does not live here: who pays.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._money import dollars
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._kinds import Kind

CURRENCY: Final = "USD"

# For models the price list lacks: the order of magnitude of their neighbours, in US dollars.
DEFAULTS: Final[dict[Kind, Decimal]] = {
    "image": Decimal("0.03"),
    "video": Decimal("0.30"),
    "audio": Decimal("0.05"),
    "3d": Decimal("0.20"),
    "text": Decimal("0.002"),
    "data": Decimal("0.01"),
    "training": Decimal("1.00"),
}

# Fields that say how many pieces to make; each piece is charged.
_COUNTS: Final = ("num_images", "num_videos", "batch_size")


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """The pinned price list, by catalogue name."""
    return {entry["name"]: entry for entry in pinned().models["models"]}


def count(body: Mapping[str, Any]) -> int:
    """How many pieces a payload asks for; 1 when it does not say."""
    for name in _COUNTS:
        number = body.get(name)
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
    return 1


def price(name: str, kind: Kind, body: Mapping[str, Any]) -> Decimal:
    """The charge for ``body`` in US dollars: the catalogue's cost, or the kind's default, once for each piece."""
    entry = catalogue().get(name)
    unit = DEFAULTS[kind] if entry is None else dollars(entry["cost"])
    return dollars(unit * count(body))


def estimate(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ``estimate-cost``: what :func:`price` would charge."""
    return {
        "model": entry["name"],
        "cost": float(dollars(dollars(entry["cost"]) * count(body))),
        "currency": CURRENCY,
        "dynamic_pricing": entry["dynamic_pricing"],
        "cost_strategy": entry["cost_strategy"],
    }


def card(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A model as ``GET models`` lists it."""
    name = entry["name"]
    return {
        "name": name,
        "description": f"{entry['category']} with {name}.",
        "category": entry["category"],
        "family": entry["family"],
        "group_of": entry["group_of"],
        "cost": entry["cost"],
        "cost_currency": CURRENCY,
        "cost_strategy": entry["cost_strategy"],
        "dynamic_pricing": entry["dynamic_pricing"],
        "endpoint": f"/api/v1/{name}",
        "estimate_endpoint": f"/api/v1/models/{name}/estimate-cost",
    }
