"""The price list, by default the pinned one.

Lives here: finding a model in it by its catalogue name. Does not live here: the price of a payload (``prices``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def read_price_list() -> Mapping[str, Mapping[str, Any]]:
    """The pinned price list, by catalogue name."""
    return index_prices(pinned().models)


def index_prices(listed: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """A price list as ``GET /api/v1/models`` answers it, by catalogue name."""
    return {entry["name"]: entry for entry in listed["models"]}
