"""The cost of a request as a value.

Lives here: amounts in US dollars, exact, and the cost of a request as the documents word it. Does not live here: prices
(``_spec/prices``), the account's money (``_state/wallet``).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any

from attrs import frozen

CENT = Decimal("0.01")  # one credit, begun ones counted: 0.0042 USD is 1 credit in the API reference's example
MICRO = Decimal("0.000001")  # a charge has the six decimals of X-MuAPI-Cost-USD, so that header and body agree
MOST = Decimal(10**15)  # US dollars


def dollars(amount: Decimal | float | str) -> Decimal:
    """``amount`` exactly as written, a float by its shortest form, rounded to six decimals.

    Raises:
        ValueError: It is no amount from 0 to 10**15. Sums of larger ones would not stay exact: they have 28 digits.
    """
    try:
        exact = Decimal(str(amount))
    except ArithmeticError:
        exact = Decimal("NaN")
    if not (exact.is_finite() and 0 <= exact <= MOST):
        raise ValueError(f"{str(amount)[:40]!r} is no amount in US dollars, from 0 to {MOST:,}")
    return exact.quantize(MICRO, ROUND_HALF_EVEN)


@frozen
class Cost:
    """The cost of one request; a refund leaves the amount standing (API reference, "Per-Request Cost")."""

    usd: Decimal = Decimal(0)
    bonus_credits: int = 0
    refunded: bool = False

    @property
    def credits(self) -> int:
        """The same charge in whole credits."""
        return int((self.usd / CENT).to_integral_value(ROUND_CEILING))

    def body(self) -> dict[str, Any]:
        """The ``cost`` object of an answer."""
        return {
            "amount_usd": float(self.usd),
            "amount_credits": self.credits,
            "bonus_credits_used": self.bonus_credits,
            "refunded": self.refunded,
        }

    def headers(self) -> dict[str, str]:
        """The same as headers; the last two only when they say something."""
        headers = {"X-MuAPI-Cost-USD": f"{self.usd:.6f}", "X-MuAPI-Cost-Credits": str(self.credits)}
        if self.bonus_credits:
            headers["X-MuAPI-Cost-Bonus-Credits"] = str(self.bonus_credits)
        if self.refunded:
            headers["X-MuAPI-Cost-Refunded"] = "true"
        return headers
