"""What jobs will cost, told before any of them is submitted.

Lives here: the sentence, out of the price catalogue, which asks nobody. Does not live here: asking the server for the
price of an input, holding a job back for its price (``_jobs/budget``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client._jobs.budget import listed_price
from muapi_client._types.money import ZERO
from muapi_client.cli._config import read_budget
from muapi_client.cli._formats import format_usd

if TYPE_CHECKING:
    import argparse
    from decimal import Decimal

    from muapi_client.cli._console import Console
    from muapi_generated.types import Call


def tell_price(call: Call[Any], times: int, options: argparse.Namespace, console: Console) -> None:
    """Tell a person what so many jobs of a call's model will cost, as far as anybody knows beforehand."""
    slug, price, limit = call.operation.slug, listed_price(call), _find_limit(options)
    if price is not None:
        each = f" ({format_usd(price)} each)" if times > 1 else ""
        short = limit is not None and price * times > limit
        room = f"; the limit of {format_usd(limit)} USD has room for {_count_room(price, limit)}" if short else ""
        console.remark(f"price: about {format_usd(price * times)} USD{each}, by the price list's example{room}")
    elif limit is None:
        console.remark(
            f"price: nobody tells what {slug} costs before it runs, and no limit is set: --max-spend USD would refuse"
            " it"
        )


def _find_limit(options: argparse.Namespace) -> Decimal | None:
    """The most that the jobs of this command may cost, by its nearest limit."""
    budget = options.budget or options.settings.budget_usd
    limits = [options.max_spend, read_budget(budget)[0] if budget else None]
    return min((limit for limit in limits if limit is not None), default=None)


def _count_room(price: Decimal, limit: Decimal | None) -> str:
    count = 0 if limit is None or price <= ZERO else int(limit // price)
    return f"{count} of them at most" if count else "none of them"
