"""Measure this client against bare httpx and the stock generator: ``nox -s bench [-- imports calls loopback …]``.

Every number is a ratio of one run (or a count), the median of seven where seconds are involved: machines are noisy,
ratios travel. Nothing here asserts; the table tells, the reader judges.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NamedTuple

BENCHMARKS = ("imports", "calls", "loopback", "jobs", "polling", "emulator", "rendering", "comparing", "checkers")


class Row(NamedTuple):
    """One measurement: what, the number, and the goal it is held against."""

    what: str
    number: float
    goal: float | None
    unit: str = "x"

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"goal {self.goal:g}"
        verdict = "" if self.goal is None else ("ok" if self.number <= self.goal else "MISSED")
        return f"{self.what:<78} {self.number:>9.2f} {self.unit:<3} {goal:<10} {verdict}"


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    for name in names or BENCHMARKS:
        for row in import_module(name).rows():
            print(Row(*row), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0])
    main(sys.argv[1:])
