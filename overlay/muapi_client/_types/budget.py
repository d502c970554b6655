"""A budget: what jobs may cost together, over every process that shares a journal. Pure.

Lives here: what a user sets, and which time it is about. Does not live here: what was spent of it
(``_state/journal/budget``), refusing a job (``_jobs/budget``).
"""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from muapi_client._types.error import MuAPIError
from muapi_client._types.money import usd
from muapi_client._types.words import show

PERIODS = ("run", "day", "month", "ever")


class Period(NamedTuple):
    """The time that a budget is about, in UTC; None where it has no end."""

    starts: datetime | None
    ends: datetime | None


def _read_usd(value: Any) -> Decimal:
    amount = usd(value)
    if amount is None or amount < 0:
        raise MuAPIError(f"a budget is an amount in USD, such as Decimal('5'), not {show(value)}")
    return amount


def _check_period(_budget: object, _field: Any, value: str) -> None:
    if value not in PERIODS:
        raise MuAPIError(f"per must be one of {', '.join(PERIODS)}, not {show(value)}")


def _check_tag(_budget: object, _field: Any, value: str | None) -> None:
    if value is not None and not isinstance(value, str):
        raise MuAPIError(f"tag must be text, not {show(value)}")


def _check_timezone(_budget: object, _field: Any, value: str) -> None:
    find_zone(value)


@frozen
class Budget:
    """What jobs may cost together; kept in the journal, so that it holds over every process that shares it.

    A job whose estimate would pass it is refused before anything is sent. What is under way or in doubt counts as its
    estimate until its cost is known. It counts the jobs of the client's own API and key, to the micro-dollar.

    Attributes:
        usd: The most that may be spent, in USD; 0 sends nothing.
        per: What it is for: each ``run`` of ``mu.map(calls, run=…)``, each ``day``, each ``month``, or for ``ever``.
            With ``run`` a job outside of a run is refused.
        tag: Only jobs of this tag are counted and held back; by default all.
        timezone: Where days and months begin at midnight: a name such as ``Europe/Berlin``.

    Raises:
        MuAPIError: One of them cannot be right.
    """

    __module__ = "muapi_client"

    usd: Decimal = field(converter=_read_usd)
    per: Literal["run", "day", "month", "ever"] = field(default="ever", kw_only=True, validator=_check_period)
    tag: str | None = field(default=None, kw_only=True, validator=_check_tag)
    timezone: str = field(default="UTC", kw_only=True, validator=_check_timezone)

    def period(self, moment: datetime) -> Period:
        """The day or month, in its time zone, that a moment falls into."""
        if self.per in ("run", "ever"):
            return Period(None, None)
        local = moment.astimezone(find_zone(self.timezone))
        first = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.per == "month":
            first = first.replace(day=1)
        following = first + timedelta(days=1 if self.per == "day" else 32)
        if self.per == "month":
            following = following.replace(day=1)
        return Period(first.astimezone(UTC), following.astimezone(UTC))


def find_zone(name: str) -> tzinfo:
    """The time zone of a name.

    Raises:
        MuAPIError: There is none, or this machine knows none.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - 6 ms, and most budgets are in UTC

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, TypeError, OSError) as error:
        raise MuAPIError(
            f"timezone must be a name like 'Europe/Berlin' that this machine knows, not {show(name)} ({error}); the"
            " package tzdata brings them all"
        ) from error


def read_budgets(given: Any) -> tuple[Budget, ...]:
    """Budgets as a client is given them: one, several or none.

    Raises:
        MuAPIError: It is something else.
    """
    budgets = () if given is None else (given,) if isinstance(given, Budget) else given
    if not isinstance(budgets, list | tuple) or not all(isinstance(each, Budget) for each in budgets):
        raise MuAPIError(f"budget must be a Budget(…), such as Budget(5, per='day'), or several, not {show(given)}")
    return tuple(budgets)
