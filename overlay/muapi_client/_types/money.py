"""Exact amounts of money in USD: reading them out of JSON and headers, adding them, and writing them for people.

Lives here: what is an amount, exact sums, how one is written. Does not live here: what was charged (``cost``), the sums
that a client keeps (``_state/ledger``).
"""

from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache, reduce
from typing import Final

MICRO_USD: Final = Decimal("0.000001")  # the resolution of X-MuAPI-Cost-USD
ZERO: Final = Decimal(0)
LARGEST: Final = Decimal(10) ** 12  # USD; what is beyond it is noise, not a sum of money
DECIMALS: Final = 24  # digits after the point that a sum of money may have; a float as JSON writes it has fewer
LONGEST: Final = 100  # characters of an amount; what is longer is noise, and would be kept
EXACT: Final = Context(prec=64, traps=[])  # the caller's own context may round to less, or raise


def usd(value: object) -> Decimal | None:
    """Read an amount of money out of JSON exactly: the decimal digits that were written, not the nearest float."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        text = str(value)
    except ValueError:  # an int of more digits than Python writes
        return None
    return _amount(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=256)  # every answer tells its amounts twice, and looks at a job tell them again
def _amount(text: str) -> Decimal | None:
    if "_" in text:  # Python's way to write 1_000, which Decimal takes, and no server's
        return None
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        return None
    # NaN, Infinity, 1e999 and 1e-999 are noise; the comparisons are exact in every decimal context.
    if not amount.is_finite() or not -LARGEST < amount < LARGEST:
        return None
    return amount if int(amount.as_tuple().exponent) >= -DECIMALS else None


def write_usd(amount: Decimal) -> str:
    """An amount in all its digits and without trailing zeros, whatever the caller's own context rounds to."""
    return f"{EXACT.normalize(amount):f}"


def total(*amounts: Decimal) -> Decimal:
    """Add amounts exactly."""
    return reduce(EXACT.add, amounts, ZERO)
