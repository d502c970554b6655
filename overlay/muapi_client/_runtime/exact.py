"""Sums of decimals, exact and in all their digits, whatever decimal context the program has set.

Here since all rooms that write money share it, a notebook's cards among them, which know nothing of the room of values.

Lives here: adding and writing. Does not live here: what is an amount of money (``_types/money``).
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import reduce
from typing import Final

ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=64, traps=[])  # the caller's own context may round to less, or raise


def total(*amounts: Decimal) -> Decimal:
    """Add amounts exactly."""
    return reduce(EXACT.add, amounts, ZERO)


def write_decimal(amount: Decimal) -> str:
    """An amount in all its digits and without trailing zeros."""
    return f"{EXACT.normalize(amount):f}"
