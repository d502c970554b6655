"""What an interrupted call left behind, held against the server's books. Pure: what was seen in, a verdict out.

Lives here: what "lost in silence", "twice", "replaced" and "broken after" mean, and the table of counts. Does not live
here: interrupting (``positions``), asking the clients (``blocking``, ``awaiting``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from positions import NOWHERE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

FAULTS: Final = ("lost", "twice", "replaced", "broken")
HEADS: Final = {"lost": "lost in silence", "twice": "twice", "replaced": "replaced", "broken": "broken after"}


@dataclass(frozen=True)
class Row:
    """Which trials are counted together."""

    client: str
    entry: str
    journal: str
    kind: str


@dataclass
class Trial:
    """One interrupted call, and all that can be known of it afterwards.

    Attributes:
        marker: The prompt of the call.
        place: Where it was interrupted; None where it ended before.
        accepted: The ids under which the server accepted it.
        arrived: Whether a byte of it reached the server.
        answers: What it returned, or the events of its stream so far.
        raised: What it raised.
        intact: Whether what came out is what was raised: the same object, or a cancellation.
        listed: What ``unknown()`` and ``resume()`` of the same client list.
        listed_later: The same of a second client on the journal, opened after the first was closed; None without one.
        doubted: What ``unknown()`` of the same client lists.
        finished: What ``jobs()`` lists of it, where the client has that method. Information.
        broken: What went wrong with the next job of the same client; empty where nothing did.
    """

    marker: str
    place: Place | None = None
    accepted: list[str] = field(default_factory=list)
    arrived: bool = False
    answers: list[Any] = field(default_factory=list)
    raised: BaseException | None = None
    intact: bool = True
    listed: list[Any] = field(default_factory=list)
    listed_later: list[Any] | None = None
    doubted: list[Any] = field(default_factory=list)
    finished: list[Any] = field(default_factory=list)
    broken: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a trial: a sentence for each fault, empty where there is none."""

    lost: str = ""
    twice: str = ""
    replaced: str = ""
    broken: str = ""
    is_false_doubt: bool = False


def judge(trial: Trial) -> Verdict:
    """Judge a trial."""
    return Verdict(
        lost=_lost(trial),
        twice=f"accepted as {trial.accepted}" if len(trial.accepted) > 1 else "",
        replaced="" if trial.intact else f"{_words(trial.raised)} came out",
        broken=trial.broken,
        is_false_doubt=not trial.arrived and _is_among(trial.doubted, trial.marker, None),
    )


def _lost(trial: Trial) -> str:
    for job in trial.accepted:
        told = [*trial.answers, *_shown(trial.raised)]
        if _is_among(told, trial.marker, job):
            continue
        after = f"{job} was accepted, {_words(trial.raised)} came out"
        if _is_among(trial.finished, trial.marker, job):
            after += " (jobs() knows it)"
        if not _is_among(trial.listed, trial.marker, job):
            return after
        if trial.listed_later is not None and not _is_among(trial.listed_later, trial.marker, job):
            return f"{after}; a second client on the journal does not list it"
    return ""


def _is_among(things: Iterable[Any], marker: str, job: str | None) -> bool:
    return any(_names(thing, marker, job) for thing in things)


def _names(thing: Any, marker: str, job: str | None) -> bool:
    """Whether something a client hands out tells of a job, by its id or by its call."""
    if thing is None:
        return False
    held = [getattr(thing, name, None) for name in ("id", "request_id")]
    held += [getattr(getattr(thing, name, None), "id", None) for name in ("job", "prediction")]
    if job is not None and job in [str(one) for one in held if one is not None]:
        return True
    body = getattr(getattr(thing, "call", None), "body", None) or {}
    if marker in (body.get("prompt"), body.get("domain")):
        return True
    words = "\n".join(getattr(thing, "__notes__", []))
    words += str(getattr(thing, "data", ""))  # of a stream's event
    if isinstance(thing, dict):
        words += str(thing)
    return f'"{marker}"' in words or f"'{marker}'" in words or (job is not None and job in words)


def _shown(error: BaseException | None) -> list[BaseException]:
    """An error and those in whose handling it struck: a traceback shows them all."""
    shown: list[BaseException] = []
    while error is not None:
        shown.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown


def _words(error: BaseException | None) -> str:
    return "no exception" if error is None else f"{type(error).__name__}({str(error)[:80]!r})"


class Tally:
    """Counts verdicts, by row."""

    def __init__(self) -> None:
        self.positions: Counter[Row] = Counter()
        self.missed: Counter[Row] = Counter()  # trials that ended before they could be interrupted
        self.faults: Counter[tuple[Row, str]] = Counter()
        self.offenders: dict[str, Counter[str]] = {name: Counter() for name in FAULTS}
        self.examples: dict[tuple[str, str], str] = {}
        self.false_doubts: Counter[str] = Counter()
        self.doubtful: Counter[Row] = Counter()

    def add(self, row: Row, trial: Trial) -> Verdict:
        """Count a trial."""
        verdict = judge(trial)
        self.positions[row] += 1
        self.missed[row] += trial.place is None
        place = str(trial.place or NOWHERE)
        for name in FAULTS:
            if sentence := getattr(verdict, name):
                self.faults[row, name] += 1
                self.offenders[name][place] += 1
                self.examples.setdefault(
                    (name, place), f"{row.client} {row.entry}, {row.journal}, {row.kind}: {sentence}"
                )
        if verdict.is_false_doubt:
            self.false_doubts[place] += 1
            self.doubtful[row] += 1
        return verdict

    def merge(self, other: Tally) -> None:
        """Take in the counts of another."""
        for mine, theirs in zip(self._counters(), other._counters(), strict=True):
            mine.update(theirs)
        self.examples = {**other.examples, **self.examples}

    def _counters(self) -> list[Counter[Any]]:
        counters = [self.positions, self.missed, self.faults, self.false_doubts, self.doubtful]
        return [*counters, *(self.offenders[name] for name in FAULTS)]

    @property
    def total(self) -> int:
        """How many faults there are."""
        return self.faults.total()

    def table(self) -> str:
        """The counts, in Markdown."""
        heads = ["client", "entry point", "journal", "kind", "positions", *HEADS.values(), "false doubts"]
        lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        sums: Counter[str] = Counter()
        for row, positions in self.positions.items():
            counts = [self.faults[row, name] for name in FAULTS]
            sums.update({"positions": positions, **dict(zip(FAULTS, counts, strict=True))})
            sums["doubtful"] += self.doubtful[row]
            cells = [row.client, row.entry, row.journal, row.kind, positions, *counts, self.doubtful[row]]
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        cells = ["all", "", "", "", sums["positions"], *(sums[name] for name in FAULTS), sums["doubtful"]]
        return "\n".join([*lines, "| " + " | ".join(str(cell) for cell in cells) + " |"])

    def report(self, most: int = 12) -> str:
        """The places with the most faults, each with an example."""
        lines = []
        for name in FAULTS:
            places = self.offenders[name]
            if places:
                lines.append(f"\n{HEADS[name]}: {places.total()} at {len(places)} places")
            for place, count in places.most_common(most):
                lines.append(f"  {count:4} {place}\n       {self.examples[name, place]}")
        if self.false_doubts:
            lines.append(f"\nfalse doubts (nothing was sent; for information): {self.false_doubts.total()}")
            lines += [f"  {count:4} {place}" for place, count in self.false_doubts.most_common(most)]
        return "\n".join(lines)
