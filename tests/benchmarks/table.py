"""The table in Markdown: ratios to ours, each within its round, with their spread and footnotes. Pure.

Lives here: rows, ratios, how they are written. Does not live here: measuring (``measuring``), the picture (``plot``).
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OURS = "ours"
UNITS: dict[str, Callable[[float], str]] = {
    "s": lambda value: f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms" if value >= 1e-3 else _micro(value),
    "jobs/s": lambda value: f"{1 / value:,.0f} jobs/s",
    "looks/s": lambda value: f"{1 / value:,.0f} looks/s",
    "looks": lambda value: f"{value:.1f} looks",
    "s late": lambda value: f"{value:.2g} s",
    "MiB": lambda value: f"{value:.0f} MiB",
    "64 MiB": lambda value: f"{64 / value:,.0f} MiB/s",
}


def _micro(value: float) -> str:
    return f"{value * 1e6:.3g} µs"


class Row(NamedTuple):
    """One task.

    Attributes:
        what: The task.
        unit: How our own number is written, a key of ``UNITS``.
        numbers: What each round took, by client: seconds, MiB or looks, of which less is better.
        notes: Remarks on a client's cell, or on the row (by "").
        base: What ours is held against; its own numbers, where it is none.
    """

    what: str
    unit: str
    numbers: Mapping[str, Sequence[float]]
    notes: Mapping[str, Sequence[str]] = {}
    base: Sequence[float] = ()

    def ratios(self, client: str, to: str = OURS) -> list[float]:
        """A client's numbers over those of another in the same round."""
        base = self.base or self.numbers.get(to, ())
        return [mine / other for mine, other in zip(self.numbers.get(client, ()), base, strict=False)]

    def ratio(self, client: str, to: str = OURS) -> float:
        """The median of :meth:`ratios`."""
        return median(self.ratios(client, to))


class Target(NamedTuple):
    """What a ratio, or a number of ours, is held against; told, not asserted."""

    what: str
    number: float
    most: float
    unit: str = "x"

    def __str__(self) -> str:
        verdict = "met" if self.number <= self.most else "**missed**"
        return f"| {self.what} | {_ratio(self.number)} {self.unit} | ≤ {self.most:.3g} {self.unit} | {verdict} |"


def table(rows: Sequence[Row], clients: Sequence[str]) -> str:
    """All rows, then what the signs in them mean."""
    notes: dict[str, int] = {}

    def sign(row: Row, place: str) -> str:
        numbers = [notes.setdefault(note, len(notes) + 1) for note in row.notes.get(place, ())]
        return "".join(f" [{number}]" for number in numbers)

    lines = ["| | ours, absolute | " + " | ".join(clients) + " |", "|---|---" + "|---" * len(clients) + "|"]
    for row in rows:
        mine = row.numbers.get(OURS)
        absolute = UNITS[row.unit](median(mine)) if mine else "-"
        cells = [f"{row.what}{sign(row, '')}", absolute, *(cell(row, client) + sign(row, client) for client in clients)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"{number}. {note}" for note, number in notes.items())])


def cell(row: Row, client: str) -> str:
    """A client's ratio, with its spread; a dash where it has none."""
    ratios = row.ratios(client)
    return spread(ratios, bold=client == OURS) if ratios else "-"


def spread(ratios: Sequence[float], *, bold: bool = False) -> str:
    """The median, with the least and the most of the rounds where they differ."""
    told, least, most = (_ratio(each) for each in (median(ratios), min(ratios), max(ratios)))
    told = f"**{told}**" if bold else told
    return told if least == most else f"{told} ({least}-{most})"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
