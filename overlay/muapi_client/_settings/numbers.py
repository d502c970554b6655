"""Numbers as users give them: of any type that is one, numpy's and Decimal too, and no text that looks like one.

Lives here: making a float or an int of them. Does not live here: which ones an option allows.
"""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attrs import Attribute


def as_float(value: object) -> float | None:
    """A finite number as a float; None for one that is not finite or too large for that, and for what is no number."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):  # an int of 400 digits; a signalling NaN
        return None
    return number if math.isfinite(number) else None


def to_float(value: float) -> float:
    """Convert what is a finite number; what is none stays as it is, for :func:`require_number` to refuse."""
    number = as_float(value)
    return value if number is None else number


def to_int(value: int) -> int:
    """Convert a whole number; what is none stays as it is, for :func:`require_count` to refuse."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def require_number(_: object, field: Attribute[Any], value: object) -> None:
    """Refuse what :func:`to_float` left as it was.

    Raises:
        ValueError: It is no finite number.
    """
    if as_float(value) is None:
        raise ValueError(f"{field.name!r} must be a finite number, not {value!r}")


def require_count(_: object, field: Attribute[Any], value: object) -> None:
    """Refuse what :func:`to_int` left as it was.

    Raises:
        ValueError: It is no whole number.
    """
    if type(value) is not int:
        raise ValueError(f"{field.name!r} must be a whole number, not {value!r}")
