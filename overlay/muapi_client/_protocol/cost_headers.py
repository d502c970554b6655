"""What an answer says of cost and balance, in its headers and its body. Missing is not zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from attrs import evolve

from muapi_client._types.cost import Cost
from muapi_client._types.money import EXACT, MICRO_USD, usd

if TYPE_CHECKING:
    from decimal import Decimal

DISPUTE: Final = "the cost headers say"  # how the warning about a contradiction begins
WORDS: Final = {  # how a refund is told as text; a number as text is read as a number
    **dict.fromkeys(("true", "yes", "y", "on", "t", "refunded"), True),
    **dict.fromkeys(("false", "no", "n", "off", "f"), False),
}


def read_cost(headers: Mapping[str, str], body: object) -> tuple[Cost | None, str | None]:
    """Read what one answer tells of the charge, in its headers and its body, and say where they disagree.

    Args:
        headers: The answer's headers; names in lower case.
        body: The answer's body, decoded: what holds ``cost``.
    """
    cost, dispute = settle(cost_from_headers(headers), cost_from_body(body))
    if cost is None:
        return None, None
    in_headers, in_body = _refund_in_headers(headers, cost.amount_usd), _refund_in_body(body, cost.amount_usd)
    if (in_headers or in_body) and not cost.refunded:
        cost = evolve(cost, refunded=True)
    if dispute is None and {in_headers, in_body} == {True, False}:
        yes, no = ("headers", "body") if in_headers else ("body", "headers")
        dispute = (
            f"{DISPUTE} otherwise than the body: {cost.amount_usd} USD were refunded by the {yes}, not by the {no}"
        )
    return cost, dispute


def tells_refund(headers: Mapping[str, str], body: object, amount: Decimal) -> bool:
    """Whether an answer says that a charge of ``amount`` USD, told by an earlier one, was given back."""
    return bool(_refund_in_headers(headers, amount) or _refund_in_body(body, amount))


def cost_from_headers(headers: Mapping[str, str]) -> Cost | None:
    """Read the ``X-MuAPI-Cost-…`` headers; names in lower case."""
    amount = _header(headers, "x-muapi-cost-usd")
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        int(_header(headers, "x-muapi-cost-credits") or 0),
        int(_header(headers, "x-muapi-cost-bonus-credits") or 0),
        _refund_in_headers(headers, amount) is True,
    )


def cost_from_body(body: object) -> Cost | None:
    """Read a body's ``cost`` object."""
    cost = body.get("cost") if isinstance(body, Mapping) else None
    if not isinstance(cost, Mapping):
        return None
    amount = usd(cost.get("amount_usd"))
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        _count(cost.get("amount_credits")),
        _count(cost.get("bonus_credits_used")),
        _refund_in_body(body, amount) is True,
    )


def settle(in_headers: Cost | None, in_body: Cost | None) -> tuple[Cost | None, str | None]:
    """Make one cost of the two places that tell it, and say where they disagree about the amount.

    The body's amount wins: the reference calls it "the actual wallet charge" and the headers a copy of it. A refund
    counts whichever place tells it. It comes after the charge and is never taken back, so that of two places the one
    that tells it speaks later; the other one was written before, or is silent. (No documented field tells of a part;
    see :func:`_read_refund`.)
    """
    if in_headers is None or in_body is None:
        return in_body or in_headers, None
    header, body = (cost.amount_usd.quantize(MICRO_USD, context=EXACT) for cost in (in_headers, in_body))
    cost = evolve(in_body, refunded=True) if in_headers.refunded and not in_body.refunded else in_body
    return cost, None if header == body else f"{DISPUTE} {_say(in_headers)}, the body says {_say(in_body)}"


def _refund_in_headers(headers: Mapping[str, str], amount: Decimal) -> bool | None:
    return _any_refund(headers.get("x-muapi-cost-refunded", "").split(","), amount)


def _refund_in_body(body: object, amount: Decimal) -> bool | None:
    if not isinstance(body, Mapping):
        return None
    cost = body.get("cost")
    return _any_refund([body.get("refunded"), cost.get("refunded") if isinstance(cost, Mapping) else None], amount)


def _any_refund(values: Iterable[object], amount: Decimal) -> bool | None:
    found = {_read_refund(value, amount) for value in values}
    return True if True in found else False if False in found else None


def _read_refund(value: object, amount: Decimal) -> bool | None:
    """Whether a charge was given back, or None where that is not told.

    Told as a boolean, as text or as a number: 1, or the amount itself. Any other number would be a part of it, and what
    remains of the charge is not told, so it counts as charged: better too much than more than ``max_spend``.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in WORDS:
        return WORDS[word]
    number = usd(value)
    if number is None:
        return None
    return False if number == 0 else True if number in (1, amount) else None


def balance_from_headers(headers: Mapping[str, str]) -> Decimal | None:
    """Read ``X-Account-Balance``: what is left in the wallet, in USD."""
    return _header(headers, "x-account-balance")


def _header(headers: Mapping[str, str], name: str) -> Decimal | None:
    """A header's number; one that a proxy has repeated counts once, one that contradicts itself not at all."""
    text = headers.get(name, "")
    if "," not in text:
        return usd(text)
    amounts = {usd(value) for value in text.split(",")}
    return amounts.pop() if len(amounts) == 1 else None


def _count(value: object) -> int:
    amount = usd(value)
    return int(amount) if amount is not None else 0


def _say(cost: Cost) -> str:
    return f"{cost.amount_usd} USD{' (refunded)' if cost.refunded else ''}"
