"""Limits as an intent is held against them, and how a statement has them: in millionths of a dollar.

Lives here: values. Does not live here: the sums that are kept of them (``budget``, ``server_form``),
what a budget is (``_types/budget``).
"""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - a field's type
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client._types.money import EXACT, MICRO_USD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muapi_client._types.entry import Account

LARGEST: Final = 2**62  # millionths; integers of both stores have 63 bits
LARGEST_JOB: Final = 10**15  # millionths that one job counts at most, so that sums of a server's do not overflow


class Limit(NamedTuple):
    """A budget as it holds for one job.

    Attributes:
        usd: The most that may be spent, in USD.
        starts: Jobs intended earlier do not count; None: all do. UTC.
        ends: Nor those intended then or later. UTC.
        tag: Only jobs of this tag count; None: all do.
        run: Only jobs of this run count; None: all do.
    """

    usd: Decimal
    starts: datetime | None = None
    ends: datetime | None = None
    tag: str | None = None
    run: str | None = None


class Room(NamedTuple):
    """The first limit that has no room, and what is spent and set aside of it, in USD."""

    limit: Limit
    spent_usd: Decimal


def scope_of(limit: Limit, account: Account) -> str:
    """The key of a limit's sum: the columns that it is kept by, as JSON."""
    return json.dumps([*_columns(limit, account).values()])


def as_row(limit: Limit, account: Account) -> dict[str, Any]:
    """A limit as the row of its sum."""
    return {"scope": scope_of(limit, account), **_columns(limit, account)}


def _columns(limit: Limit, account: Account) -> dict[str, str | None]:
    starts, ends = (None if at is None else at.isoformat() for at in (limit.starts, limit.ends))
    return {
        "origin": account.origin,
        "account": account.fingerprint,
        "tag": limit.tag,
        "run": limit.run,
        "starts": starts,
        "ends": ends,
    }


def limits_as_text(limits: Sequence[Limit], account: Account, needed: Decimal | None) -> dict[str, Any]:
    """Limits, and what a job needs of them, as values of ``budget.FULL``."""
    pairs = [[scope_of(limit, account), _millionths(limit.usd, ROUND_FLOOR)] for limit in limits]
    return {"limits": json.dumps(pairs), "needed": _millionths(needed or Decimal(0), ROUND_CEILING)}


def read_usd(millionths: int) -> Decimal:
    """An amount as a journal has it, in USD."""
    return EXACT.multiply(Decimal(millionths), MICRO_USD)


def _millionths(usd: Decimal, rounding: str) -> int:
    return min(int(EXACT.divide(usd, MICRO_USD).to_integral_value(rounding)), LARGEST)
