"""What the server expects a job to cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from decimal import Decimal


@frozen
class Estimate:
    """What the server expects a job to cost.

    Attributes:
        model: The catalogue name the price was asked by.
        cost_usd: The price in USD.
        dynamic: Whether it depends on the input.
        strategy: The server's name for how it is computed, or None.
    """

    model: str
    cost_usd: Decimal
    dynamic: bool
    strategy: str | None
