"""Measure this client beside others on one server: ``nox -s bench [-- --quick]``, the table that ``results.md`` holds.

With names, ``nox -s bench -- polling rendering …``, what concerns this client alone is measured in detail, held
against its goals and printed. Every number is a ratio of one run (or a count): machines are noisy, ratios travel.
Nothing here asserts; the table tells, the reader judges.

Lives here: the command, and the page around the table. Does not live here: what is measured (``measuring``), how a
table is written (``table``).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from measuring import Machine
    from table import Row, Target

HERE = Path(__file__).parent
BENCHMARKS = ("imports", "polling", "emulator", "rendering", "comparing", "checkers", "fast")

HEAD = """\
# Measured

By `nox -s bench`; nothing here is asserted. **{date}**, {machine}; {versions}.

A cell says how many times as much as ours a client takes, of time, looks or memory: ours is **1.00**, and above 1 is
worse than ours. It is the median of {rounds} rounds or more, with the least and the most of them in parentheses; in
each round the clients take turns, and a ratio is one of numbers of the same round. A row with a journal holds ours
against ours without one. "-": the client has no such thing. While these were taken, {load:.0f} other programs wanted
the machine's cores in the mean{advice}.

One server for all, a process of its own on loopback: it accepts what it is sent, and every job has ended by the first
look. `httpx` and `aiohttp` are a loop by hand around those; `stock` is what openapi-python-client renders of the same
document without our templates; fal-client, replicate and muapi-cli are spoken to in their own dialects, in answers of
about the same size. A job is a submit and a look: {jobs:,} of them, or as many as begin within {limit:g} s.
"""
SERVER = """
The server ({loop}) was busy for at most {most} of the time, so that a client's own work is what was measured; less true
the nearer this is to 100 %. By client: {shares}.
"""


class Detail(NamedTuple):
    """One measurement: what, the number, and the goal it is held against."""

    what: str
    number: float
    goal: float | None
    unit: str = "x"

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"goal {self.goal:g}"
        verdict = "" if self.goal is None else ("ok" if self.number <= self.goal else "MISSED")
        return f"{self.what:<78} {self.number:>9.2f} {self.unit:<3} {goal:<10} {verdict}"


def main(words: list[str]) -> None:
    """Measure the named things, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"in place of the table, these in detail: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="tiny counts, to see that it works; writes no results.md")
    parser.add_argument(
        "--rounds", type=int, help="of each client at each task, in place of 3, and of 5 where it is quick"
    )
    parser.add_argument("--output", type=Path, help="the folder of results.md and its picture; by default this")
    parser.add_argument("--cache", type=Path, help="a folder for the stock client")
    options = parser.parse_args(words)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # for stock's hooks
    for name in options.names:
        for row in import_module(name).rows():
            print(Detail(*row), flush=True)
    if not options.names:
        output = options.output or (Path(tempfile.mkdtemp(prefix="muapi-bench-")) if options.quick else HERE)
        cache = options.cache or Path(tempfile.mkdtemp(prefix="muapi-bench-"))
        compare(output.resolve(), cache.resolve(), quick=options.quick, rounds=options.rounds)


def compare(output: Path, cache: Path, *, quick: bool, rounds: int | None) -> None:
    """Measure all clients, and write the page and the picture into a folder."""
    import measuring
    import plot
    from table import table

    counts = measuring.QUICK if quick else measuring.Counts()
    if rounds:
        counts = counts._replace(rounds=rounds, programs=rounds, checks=rounds, renderings=rounds)
    rows = []
    cache.mkdir(parents=True, exist_ok=True)
    loads = []  # what waits for a core besides: the work here is one client and the server
    with measuring.opened(counts, cache) as machine:
        for row in measuring.rows(machine):
            rows.append(row)
            loads.append(os.getloadavg()[0])
            print(table([row], list(measuring.MODULES)).splitlines()[2], flush=True)
    load = max(0.0, median(loads) - 2)
    page = [
        HEAD.format(
            date=datetime.now(UTC).date(),
            machine=describe_machine(),
            versions=measuring.versions(),
            jobs=counts.jobs,
            limit=counts.limit,
            rounds=counts.rounds,
            load=load,
            advice="" if load < 1 else ": trust the processor's time more than the clock's",
        ),
        table(rows, list(machine.can)),
        *(f"\n{client} could not be measured: {why}" for client, why in machine.missing.items()),
        describe_server(machine),
        "\n![Jobs a second over jobs in flight](results.png)\n",
        "## Held against targets\n\n| ours | measured | target | |\n|---|---|---|---|",
        *map(str, targets({row.what: row for row in rows})),
        "\n" + describe_fast(quick),
    ]
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    plot.draw(rows, output / "results.png")
    print(f"written to {output}")


def describe_machine() -> str:
    """The processor, its cores and the system; no name of this machine."""
    cpu = platform.machine()
    if (told := Path("/proc/cpuinfo")).exists():
        found = re.search(r"^model name\s*:\s*(.+)$", told.read_text(), re.MULTILINE)
        cpu = found[1] if found else cpu
    return f"{os.cpu_count()} cores of {cpu}, {platform.system()}"


def describe_server(machine: Machine) -> str:
    """How much of the time the server was busy."""
    import measuring

    shares = sorted(machine.busy.items(), key=lambda item: -item[1])
    loop = "uvloop" if measuring.is_quick_server() else "asyncio"
    told = ", ".join(f"{client} {share:.0%}" for client, share in shares)
    return SERVER.format(loop=loop, most=f"{shares[0][1]:.0%}", shares=told)


def targets(rows: Mapping[str, Row]) -> Iterator[Target]:
    """What ours is held against."""
    from table import OURS, Target

    def of(what: str, to: str, most: float) -> Iterator[Target]:
        row = rows.get(what)
        if row and row.ratios(OURS, to):
            yield Target(f"{what} / {to}", row.ratio(OURS, to), most)

    yield from of("import", "httpx", 0.7)
    yield from of("first call: import, connect, submit, look", "httpx", 1.15)
    yield Target("build a call, checked", 1e6 * median(rows["build a call, checked"].numbers[OURS]), 30, "µs")
    yield from of("submit + look, one connection", "httpx", 1.05)
    yield from of("tasks, 16 in flight", "httpx", 1 / 2)
    yield from of("tasks, 100 in flight", "httpx", 1 / 3)
    for what, row in rows.items():
        if what.endswith("with a journal"):
            yield Target(f"{what} / without", row.ratio(OURS), 1 / 0.8)
    if {"tasks, 1,000 in flight", "tasks, 16 in flight"} <= rows.keys():
        many, few = (median(rows[f"tasks, {tasks} in flight"].numbers[OURS]) for tasks in ("1,000", "16"))
        yield Target("tasks, 1,000 in flight / 16", many / few, 1 / 0.8)
    if held := rows.get("memory, 10,000 jobs in flight"):
        yield Target(held.what, held.numbers[OURS][0], 150, "MiB")
    yield from of("regenerate the package, formatted and checked", "stock", 1.0)


def describe_fast(quick: bool) -> str:
    """The numbers behind the decision on aiohttp for looks."""
    import fast
    from table import spread

    lines = [
        "## No extra `[fast]`",
        "",
        "Would aiohttp, for looks alone and never for a submit, pay for a second HTTP library? It was to bring looks",
        "alone to 0.4 or more of the rate of aiohttp's own loop, **and** submit + look to 1.2 or more of what it is",
        "without. `fast.py` measures two ways to do it, neither of which is shipped: at the door that the driver sends",
        "by, and beside the driver, as an exchange that holds to the same rules without httpx's objects.",
        "",
        "| rates | way | ratio | wanted |",
        "|---|---|---|---|",
    ]
    measured = fast.measure(*((60, 1) if quick else ()))
    return "\n".join(
        [*lines, *(f"| {each.what} | {each.way} | {spread(each.ratios)} | ≥ {each.goal} |" for each in measured)]
    )


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main(sys.argv[1:])
