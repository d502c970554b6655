"""The price of a request.

Lives here: the price of a payload, and the price list as the API shows it. Does not live here: the list itself
(``price_list``), who pays.

The real strategies are unknown; what is known is the cost of one run as the price list has it, and that most prices
depend on the payload. The emulator's formula, the same for the estimate and for the charge:

    cost x pieces x duration / usual duration x resolution / usual resolution x quality / usual quality

What is usual is the document's default of the field. A field that is left out, that has no default, or that says
neither seconds nor a known step ("auto") counts as usual. A model whose price the list calls fixed
(``dynamic_pricing: false``) costs that price whatever is asked. Amounts are exact, rounded once, to a millionth of a
dollar.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.cost import MOST, dollars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._spec.kinds import Kind
    from muapi_client.emulator._spec.operations import Operation

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

_COUNTS: Final = ("num_images", "num_videos", "batch_size")  # fields that say how many pieces to make
_DURATIONS: Final = ("duration", "duration_seconds", "seconds")  # fields that say how long it is to be, in seconds
# What a count or a duration counts as at most, since some have no bound in the document: an answer must stay small.
_MOST_PIECES: Final = 1000
_MOST_SECONDS: Final = 10**6

# How dear a step of resolution or quality is, in the price of 720p, 1k and medium.
_TIERS: Final[dict[str, dict[str, Decimal]]] = {
    "resolution": {
        "360": Decimal("0.4"),
        "480": Decimal("0.5"),
        "512": Decimal("0.5"),
        "540": Decimal("0.6"),
        "580": Decimal("0.8"),
        "720": Decimal(1),
        "768": Decimal(1),
        "1k": Decimal(1),
        "1080": Decimal(2),
        "1.5k": Decimal("1.5"),
        "2k": Decimal(2),
        "4k": Decimal(4),
        "8k": Decimal(8),
    },
    "quality": {
        "low": Decimal("0.5"),
        "basic": Decimal(1),
        "medium": Decimal(1),
        "high": Decimal(2),
        "xhigh": Decimal(3),
        "max": Decimal(4),
    },
}
_TIERS["output_resolution"] = _TIERS["resolution"]
_WEIGHED: Final = (*_DURATIONS, *_TIERS)


def count_pieces(body: Mapping[str, Any]) -> int:
    """How many pieces a payload asks for; 1 when it does not say."""
    for name in _COUNTS:
        number = body.get(name)
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return min(number, _MOST_PIECES)
    return 1


def compute_price(operation: Operation, body: Mapping[str, Any]) -> Decimal:
    """The charge for ``body`` in US dollars: of the catalogue's cost, or of the kind's default."""
    if operation.listed is None:
        return _times(DEFAULTS[operation.kind], _factor(operation, body))
    return compute_cost(operation.listed, operation, body)


def compute_cost(entry: Mapping[str, Any], operation: Operation | None, body: Mapping[str, Any]) -> Decimal:
    """The charge for ``body`` by an entry of the price list; ``None`` for a model that the document lacks."""
    unit = dollars(entry["cost"])
    return _times(unit, _factor(operation, body)) if entry["dynamic_pricing"] else unit


def build_estimate(entry: Mapping[str, Any], operation: Operation | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ``estimate-cost``: what :func:`compute_price` would charge."""
    return {
        "model": entry["name"],
        "cost": float(compute_cost(entry, operation, body)),
        "currency": CURRENCY,
        "dynamic_pricing": entry["dynamic_pricing"],
        "cost_strategy": entry["cost_strategy"],
    }


def build_model_card(entry: Mapping[str, Any]) -> dict[str, Any]:
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
        # A price that never changes needs no endpoint (observed: the whole answer of August 2026).
        "estimate_endpoint": f"/api/v1/models/{name}/estimate-cost" if entry["dynamic_pricing"] else None,
    }


def _times(unit: Decimal, factor: Decimal) -> Decimal:
    return dollars(min(unit * factor, MOST))


def _factor(operation: Operation | None, body: Mapping[str, Any]) -> Decimal:
    """How many times the usual price ``body`` costs."""
    factor = Decimal(count_pieces(body))
    if operation is None:
        return factor
    for name in _WEIGHED:
        if body.get(name) is not None:
            asked, usual = _weight(name, body[name]), _weight(name, operation.default(name))
            factor *= asked / usual if asked is not None and usual is not None else 1
    return factor


def _weight(name: str, value: Any) -> Decimal | None:
    """Weigh a field's value; ``None`` when it says nothing that counts."""
    if name in _TIERS:
        return _TIERS[name].get(str(value).lower().removesuffix("p"))
    if isinstance(value, bool) or not (isinstance(value, int | float) or _is_digits(value)):
        return None
    number = min(Decimal(str(value)), Decimal(_MOST_SECONDS))
    return number if number > 0 else None


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()
