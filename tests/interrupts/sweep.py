"""The number: what interrupted calls lost, doubled, replaced or broke. ``python tests/interrupts/sweep.py [--full]``.

Lives here: which trials are made, and the table. Does not live here: a trial (``blocking``, ``awaiting``), what is a
fault (``verdicts``). Prints the seed and a table in Markdown; exits with 1 where a count is not zero.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1]))

import awaiting
import blocking
from awaiting import Awaiting
from blocking import Blocking
from clients import ENTRIES, JOURNALS
from loopback import Server
from verdicts import Row, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from positions import Place
    from verdicts import Trial

GUARDED: Final = ("submit, max_spend", "submit, keyed")  # further ways through a submission
TROUBLES: Final = (  # what makes a client pause, and the entry points that then do
    ("run", "submit 429"),
    ("run", "look 503"),
    ("submit", "submit 429"),
    ("send", "submit 429"),
    ("stream", "submit 429"),
    ("submit, keyed", "submit reset"),
    ("run, keyed", "submit reset"),
)
PAUSES: Final = 3  # a call that meets one trouble makes that many, where it makes any
LINES, AWAITS = 40, 6  # of each row, in the small size


@dataclass(frozen=True)
class Part:
    """What one process does at a time: the trials of one entry point with one kind of journal."""

    work: str  # the name of a method of Sweep
    entry: str
    journal: str
    seed: int
    full: bool

    def __str__(self) -> str:
        return f"{self.work.replace('_', ' ')}: {self.entry}, journal {self.journal}"


class Sweep:
    """Makes the trials of a part, and counts them."""

    def __init__(self, server: Server, folder: Path, part: Part) -> None:
        self.tally = Tally()
        self._server, self._part = server, part
        self._blocking, self._awaiting = Blocking(server, folder), Awaiting(server, folder)
        self._dice = random.Random(str(part))

    def interrupt_lines(self) -> None:
        """Interrupt the blocking client."""
        entry, journal = self._part.entry, self._part.journal
        places = self._blocking.lines(entry, journal)
        for kind in blocking.KINDS:
            row = Row("sync", entry, journal, kind)
            for at in self._choose_lines(places, every=kind == "KeyboardInterrupt"):
                self._count(row, self._blocking.interrupt(entry, journal, kind, at))

    def interrupt_awaits(self) -> None:
        """Cancel the awaiting client."""
        entry, journal = self._part.entry, self._part.journal
        for kind in awaiting.KINDS:
            row = Row("async", entry, journal, kind)
            many = len(self._awaiting.awaits(entry, journal, kind))
            for at in self._choose(range(many), None if self._part.full else AWAITS):
                self._count(row, self._awaiting.interrupt(entry, journal, kind, at))

    def leave_streams(self) -> None:
        """Leave streams after each number of events."""
        journal = self._part.journal
        for client, kinds in ((self._blocking, blocking.CLOSES), (self._awaiting, awaiting.CLOSES)):
            for kind in kinds:
                for after in range(blocking.EVENTS):
                    self._count(Row(client.name, "stream", journal, kind), client.leave(journal, kind, after))

    def close_in_pauses(self) -> None:
        """Close clients while they back off."""
        journal = self._part.journal
        for client in (self._blocking, self._awaiting):
            for entry, trouble in TROUBLES:
                row = Row(client.name, entry, journal, f"closed, {trouble}")
                for at in range(PAUSES):
                    self._count(row, client.close(entry, journal, trouble, at))

    def _choose_lines(self, places: list[Place], *, every: bool) -> list[int]:
        """The lines to interrupt.

        In the small size half of them are of this project and half of the rest, and the last is among them. In the
        full size it is every line each time it runs; or the first time it runs, for what is only another exception,
        and for a locked journal, which makes every write wait.
        """
        if self._part.full:
            if every and self._part.journal != "locked":
                return list(range(len(places)))
            firsts = {place: at for at, place in reversed(list(enumerate(places)))}
            return sorted(
                at for place, at in firsts.items() if every or place.is_ours or self._part.journal != "locked"
            )
        ours = [at for at, place in enumerate(places) if place.is_ours]
        theirs = [at for at, place in enumerate(places) if not place.is_ours]
        half = LINES // 2
        return sorted({*self._choose(ours, half), *self._choose(theirs, half), len(places) - 1})

    def _choose(self, positions: Iterable[int], most: int | None) -> list[int]:
        found = list(positions)
        return found if most is None or most >= len(found) else sorted(self._dice.sample(found, most))

    def _count(self, row: Row, trial: Trial) -> None:
        self.tally.add(row, trial)
        if trial.broken:
            self._server.drop_connections()  # what a broken client holds open is not the next one's trouble


def parts(seed: int, *, full: bool) -> list[Part]:
    """All there is to do."""
    works = [("interrupt_lines", entry, journal) for entry in ENTRIES for journal in JOURNALS]
    works += [("interrupt_lines", entry, "journal") for entry in GUARDED]
    works += [("interrupt_awaits", entry, journal) for entry in ENTRIES for journal in JOURNALS]
    works += [("leave_streams", "stream", journal) for journal in JOURNALS]
    works += [("close_in_pauses", "all", journal) for journal in JOURNALS]
    return [Part(*work, seed, full) for work in works]


def make(part: Part) -> Tally:
    """Make the trials of a part."""
    warnings.simplefilter("ignore")  # of sockets that an interrupted library leaves open
    signal.signal(signal.SIGINT, signal.default_int_handler)
    memory = Path("/dev/shm")  # each trial writes files through to their disk, which takes long where it is one
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder, Server() as server:
        sweep = Sweep(server, Path(folder), part)
        getattr(sweep, part.work)()
    return sweep.tally


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the sweep; 0 where every count is zero."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every position, rather than some of each row")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    say(f"seed {options.seed}")
    tally = Tally()
    began = time.monotonic()
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for part, counted in zip(todo := parts(options.seed, full=options.full), pool.map(make, todo), strict=True):
            tally.merge(counted)
            say(f"{time.monotonic() - began:5.0f} s  {part}")
    say(f"\n{tally.table()}\n{tally.report()}")
    return 1 if tally.total else 0


if __name__ == "__main__":
    sys.exit(main())
