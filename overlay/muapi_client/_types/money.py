"""Exact amounts of money in USD: reading them out of JSON and headers, adding them, and writing them for people.

Lives here: what is an amount. Does not live here: adding and writing, as of any decimal (``_runtime/exact``), what was
charged (``cost``), the sums that a client keeps (``_state/ledger``).
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from muapi_client._runtime.exact import EXACT, ZERO, total
from muapi_client._runtime.exact import write_decimal as write_usd

__all__ = ["EXACT", "LARGEST", "LONGEST", "MICRO_USD", "ZERO", "total", "usd", "write_usd"]

MICRO_USD: Final = Decimal("0.000001")  # the resolution of X-MuAPI-Cost-USD
LARGEST: Final = Decimal(10) ** 12  # USD; what is beyond it is noise, not a sum of money
DECIMALS: Final = 24  # digits after the point that a sum of money may have; a float as JSON writes it has fewer
LONGEST: Final = 100  # characters of an amount; what is longer is noise, and would be kept


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
