"""Numbers as users give them: of any type that is one, numpy's and Decimal too, and no text that looks like one.

Lives here: making a float or an int of them. Does not live here: which ones an option allows.
"""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from muapi_client._types.words import show
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Convert a whole number; what is none stays as it is, for :func:`require_number` to refuse."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def require_number(
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    whole: bool = False,
    example: float | None = None,
) -> Callable[[object, Attribute[Any], object], None]:
    """Make the validator of a setting that is a number; it refuses what :func:`to_float` and :func:`to_int` left.

    Args:
        least: The smallest number allowed.
        above: What it has to be larger than.
        most: The largest number allowed.
        whole: Whether only whole numbers are allowed.
        example: What a refusal tells to write, by default the setting's own default.

    Returns:
        A validator of attrs, which raises ``MuAPIError``.
    """
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("of at least", least), ("above", above), ("and at most", most))
        if math.isfinite(bound)
    ]
    wanted = " ".join(["a whole number" if whole else "a finite number", *bounds])

    def check(setting: object, field: Attribute[Any], value: object) -> None:
        number = as_float(value)
        if number is None or (whole and type(value) is not int) or not above < number or not least <= number <= most:
            name = type(setting).__name__
            right = field.default if example is None else example
            raise MuAPIError(
                f"{field.name} of {name} must be {wanted}, not {show(value)}: write {name}({field.name}={right}), for"
                " example"
            )

    return check
