"""What an answer says of cost and balance, in its headers and its body. Missing is not zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from muapi_client._types.cost import Cost
from muapi_client._types.money import EXACT, MICRO_USD, _usd

if TYPE_CHECKING:
    from decimal import Decimal

DISPUTE: Final = "the cost headers say"  # how the warning about a contradiction begins


def cost_from_headers(headers: Mapping[str, str]) -> Cost | None:
    """Read the ``X-MuAPI-Cost-…`` headers; names in lower case."""
    amount = _usd(_header(headers, "x-muapi-cost-usd"))
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        _count(_header(headers, "x-muapi-cost-credits")),
        _count(_header(headers, "x-muapi-cost-bonus-credits")),
        _header(headers, "x-muapi-cost-refunded").lower() == "true",
    )


def cost_from_body(body: object) -> Cost | None:
    """Read a body's ``cost`` object."""
    said = body.get("cost") if isinstance(body, Mapping) else None
    if not isinstance(said, Mapping):
        return None
    amount = _usd(said.get("amount_usd"))
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        _count(said.get("amount_credits")),
        _count(said.get("bonus_credits_used")),
        said.get("refunded") is True,
    )


def settle(in_headers: Cost | None, in_body: Cost | None) -> tuple[Cost | None, str | None]:
    """Make one cost of the two places that tell it, and say where they disagree.

    The body wins: the reference calls it "the actual wallet charge" and the headers a copy of it.
    """
    if in_headers is None or in_body is None:
        return in_body or in_headers, None
    told, said = (cost.amount_usd.quantize(MICRO_USD, context=EXACT) for cost in (in_headers, in_body))
    same = told == said and in_headers.refunded == in_body.refunded
    return (
        in_body,
        None if same else f"{DISPUTE} {_say(in_headers)}, the body says {_say(in_body)}",
    )


def balance_from_headers(headers: Mapping[str, str]) -> Decimal | None:
    """Read ``X-Account-Balance``: what is left in the wallet, in USD."""
    return _usd(_header(headers, "x-account-balance"))


def _header(headers: Mapping[str, str], name: str) -> str:
    """A header's value; one that a proxy has repeated counts once, one that contradicts itself not at all."""
    text = headers.get(name, "")
    if "," not in text:
        return text
    said = {value.strip() for value in text.split(",")}
    return said.pop() if len(said) == 1 else ""


def _count(value: object) -> int:
    amount = _usd(value)
    return int(amount) if amount is not None else 0


def _say(cost: Cost) -> str:
    return f"{cost.amount_usd} USD{' (refunded)' if cost.refunded else ''}"
