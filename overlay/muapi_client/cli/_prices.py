"""What jobs will cost, told before any of them is submitted.

Lives here: which inputs a price hangs on, and the sentence, out of the price catalogue, which asks nobody. Does not
live here: asking the server for the price of an input (``MuAPI.estimate``), what the catalogue tells of a call, holding
a job back for its price (``_jobs/budget``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from muapi_client._jobs.budget import PIECES, listed_price
from muapi_client._types.money import ZERO
from muapi_client.cli._config import read_budget
from muapi_client.cli._formats import format_usd

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from muapi_client.cli._console import Console
    from muapi_generated.types import Call

Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]


def group_by_price(calls: Iterable[Call[Any]], schemas: Schemas) -> list[list[Call[Any]]]:
    """Put together the calls of a model that are taken to cost the same: they differ in free text and files alone.

    Args:
        schemas: What the document says of each field, by its name.
    """
    groups: dict[str, list[Call[Any]]] = {}
    for call in calls:
        told = {name: _weigh(value, schemas.get(name, {})) for name, value in _read_body(call).items()}
        groups.setdefault(json.dumps(told, sort_keys=True, default=lambda _: "a file"), []).append(call)
    return list(groups.values())


def tell_price(calls: Sequence[Call[Any]], options: argparse.Namespace, console: Console, schemas: Schemas) -> None:
    """Tell a person what these jobs of one model will cost together, as far as anybody knows beforehand.

    Args:
        schemas: What the document says of each field, by its name.
    """
    if not calls or console.json or console.quiet:
        return
    limit = _find_limit(options)
    groups = group_by_price(calls, schemas)
    prices = sorted((price, len(group)) for group in groups if (price := listed_price(group[0])) is not None)
    if not prices:
        if limit is None:
            slug = calls[0].operation.slug
            console.remark(
                f"price: nobody tells what {slug} costs before it runs, and no limit is set: --max-spend USD would"
                " refuse it"
            )
        return
    cost = sum((price * count for price, count in prices), ZERO)
    least, most = format_usd(prices[0][0]), format_usd(prices[-1][0])
    each = f" ({least if least == most else f'{least} to {most}'} each)" if len(calls) > 1 else ""
    asks = ", which this input may change: --estimate asks" * any(_asks_for_more(group[0], schemas) for group in groups)
    room = ""
    if limit is not None and cost > limit:
        room = f"; the limit of {format_usd(limit)} USD has room for {_count_room(prices, limit)}"
    console.remark(f"price: about {format_usd(cost)} USD{each}, by the price list's example{asks}{room}")


def _read_body(call: Call[Any]) -> Mapping[str, Any]:
    body: Any = call.body
    return cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}


def _weigh(value: Any, schema: Mapping[str, Any]) -> Any:
    """What of a value a price may hang on: of free text, of an address and of a file only that it is there."""
    if isinstance(value, list | tuple):
        return [_weigh(each, schema.get("items", {})) for each in cast("Sequence[Any]", value)]
    return "" if isinstance(value, str) and not schema.get("enum") else value


def _asks_for_more(call: Call[Any], schemas: Schemas) -> bool:
    """Whether a call sets what may change its price, and what the price list does not tell of."""
    return any(
        name not in PIECES
        and isinstance(value, str | int | float)
        and _weigh(value, schemas.get(name, {})) not in ("", schemas.get(name, {}).get("default"))
        for name, value in _read_body(call).items()
    )


def _find_limit(options: argparse.Namespace) -> Decimal | None:
    """The most that the jobs of this command may cost, by its nearest limit."""
    budget = options.budget or options.settings.budget_usd
    limits = [options.max_spend, read_budget(budget)[0] if budget else None]
    return min((limit for limit in limits if limit is not None), default=None)


def _count_room(prices: Iterable[tuple[Decimal, int]], limit: Decimal) -> str:
    """How many jobs a limit has room for, of those that cost least first.

    Args:
        prices: Each price, the lowest first, with how many jobs cost it.
    """
    fitting, left = 0, limit
    for price, count in prices:
        more = min(count, int(left // price))
        fitting, left = fitting + more, left - more * price
    return f"{fitting} of them at most" if fitting else "none of them"
