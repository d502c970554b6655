"""What one request cost, as the server reported it, and what all of a client's requests cost together.

Lives here: reading money out of headers and bodies, and exact sums. Does not live here: prices before the fact
(``catalog``, ``MuAPI.estimate``) and deciding what to do about them.
Source: API reference, "Per-Request Cost". Missing is not zero: every reader answers None where nothing was reported.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Self

from attrs import asdict, frozen

from muapi_client._types.money import ZERO
from muapi_client._types.schema import describe_value

SMALL: Final = ("amount_credits", "bonus_credits_used", "refunded")  # shown in a repr where there is any


@frozen
class Cost:
    """The wallet charge of one request.

    Attributes:
        amount_usd: The charge in USD, after bonus and discount. A refund does not zero it: see ``charged_usd``.
        amount_credits: The same charge in MuAPI credits.
        bonus_credits_used: The part of it paid from a bonus pool, in credits.
        refunded: Whether a failed job's charge was given back.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    amount_usd: Decimal
    amount_credits: int = 0
    bonus_credits_used: int = 0
    refunded: bool = False

    def __repr__(self) -> str:
        """Show what was charged, and whatever else there is."""
        parts = [f"charged_usd={self.charged_usd:f}"]
        if self.refunded:
            parts.append(f"amount_usd={self.amount_usd:f}")
        parts += [f"{name}={value}" for name in SMALL if (value := getattr(self, name))]
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def charged_usd(self) -> Decimal:
        """What the request cost in the end, in USD: 0 once refunded."""
        return ZERO if self.refunded else self.amount_usd

    def to_token(self) -> dict[str, Any]:
        """The cost in JSON's words, the amount as decimal digits so that nothing is rounded."""
        return {**asdict(self), "amount_usd": str(self.amount_usd)}

    @classmethod
    def from_token(cls, token: Mapping[str, Any]) -> Self:
        """Read back what :meth:`to_token` gave.

        Raises:
            TypeError, ArithmeticError: It is no such token.
        """
        return cls(**{**token, "amount_usd": Decimal(token["amount_usd"])})


class SpendWarning(UserWarning):
    """A job cost more than was set aside for it within ``max_spend``."""

    __module__ = "muapi_client"


def is_charge(cost: Cost | None) -> bool:
    """Whether a cost tells of a charge, in dollars, credits or bonus credits, given back or not."""
    return cost is not None and (cost.amount_usd > 0 or cost.amount_credits > 0 or cost.bonus_credits_used > 0)
