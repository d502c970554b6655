"""What jobs cost together, by model, day, tag and such. Pure.

Lives here: grouping and exact sums. Does not live here: which jobs are known (``recall``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client._types.entry_state import MAYBE_CHARGED
from muapi_client._types.money import ZERO, total
from muapi_client._types.words import show
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo
    from decimal import Decimal

    from muapi_client._types.entry import Entry
    from muapi_generated.types import Call

COLUMNS: Final[dict[str, Callable[[Entry, tzinfo], str | None]]] = {
    "model": lambda entry, _: entry.slug,
    "day": lambda entry, zone: entry.intended_at.astimezone(zone).date().isoformat(),
    "month": lambda entry, zone: entry.intended_at.astimezone(zone).strftime("%Y-%m"),
    "tag": lambda entry, _: entry.tag,
    "run": lambda entry, _: entry.run,
    "outcome": lambda entry, _: "unknown" if entry.state == "intent" else entry.state,
}

AMOUNTS: Final = ("charged_usd", "refunded_usd", "in_doubt_usd", "reserved_usd")


def read_columns(by: Any) -> tuple[str, ...]:
    """What to group by.

    Raises:
        MuAPIError: There is no such column.
    """
    columns = (by,) if isinstance(by, str) else by
    if not isinstance(columns, list | tuple) or not all(column in COLUMNS for column in columns):
        raise MuAPIError(f"by must be of {', '.join(COLUMNS)}, not {show(by)}")
    return tuple(columns)


def report(
    entries: Iterable[Entry], columns: tuple[str, ...], price: Callable[[Call[Any]], Decimal | None], zone: tzinfo
) -> list[dict[str, Any]]:
    """Add jobs up, one row a group, sorted by the columns.

    Args:
        entries: The jobs.
        columns: What to group by.
        price: What a call costs by the price list, in USD, or None; asked for jobs that set nothing aside.
        zone: Where days and months begin.
    """
    groups: dict[tuple[str | None, ...], dict[str, Any]] = {}
    for entry in entries:
        place = tuple(COLUMNS[column](entry, zone) for column in columns)
        row = groups.setdefault(
            place,
            {
                **dict(zip(columns, place, strict=True)),
                "jobs": 0,
                **dict.fromkeys(AMOUNTS, ZERO),
                "unpriced": 0,
            },
        )
        row["jobs"] += 1
        for name, amount in _read_amounts(entry, price).items():
            row[name] = row[name] + amount if name == "unpriced" else total(row[name], amount)
    return [groups[place] for place in sorted(groups, key=lambda place: [text or "" for text in place])]


def _read_amounts(entry: Entry, price: Callable[[Call[Any]], Decimal | None]) -> dict[str, Any]:
    if entry.cost is not None:
        return {"refunded_usd" if entry.cost.refunded else "charged_usd": entry.cost.amount_usd}
    expected = entry.set_aside_usd
    if expected is None:
        expected = (price(entry.call) if entry.call is not None else None) or ZERO
    if entry.state in MAYBE_CHARGED:
        return {"in_doubt_usd": expected}
    if entry.state == "accepted":
        return {"reserved_usd": expected}
    return {"unpriced": 1}
