"""The price list, by default the pinned one.

Lives here: finding a model in it by its catalogue name. Does not live here: the price of a payload (``prices``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from muapi_client.emulator._messages.cost import dollars
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_FIELDS: Final = {"name", "category", "family", "group_of", "cost", "cost_strategy", "dynamic_pricing"}


@cache
def read_price_list() -> Mapping[str, Mapping[str, Any]]:
    """The pinned price list, by catalogue name."""
    return index_prices(pinned().models)


def index_prices(listed: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """A price list as ``GET /api/v1/models`` answers it, by catalogue name.

    Raises:
        ValueError: An entry lacks something, or its cost is no amount.
    """
    entries = listed.get("models")
    if not isinstance(entries, list):
        raise ValueError("a price list has a list of models")  # noqa: TRY004 - as other options
    return {entry["name"]: entry for entry in map(_check_entry, cast("Collection[Any]", entries))}


def _check_entry(entry: Any) -> dict[str, Any]:
    lacking = _FIELDS - cast("dict[str, Any]", entry).keys() if isinstance(entry, dict) else _FIELDS
    if lacking:
        raise ValueError(f"the price list lacks {', '.join(sorted(lacking))} of {str(cast('Any', entry))[:80]}")
    found = cast("dict[str, Any]", entry)
    dollars(found["cost"])
    return found
