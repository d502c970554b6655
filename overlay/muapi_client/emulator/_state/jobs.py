"""Jobs and their life over time.

Lives here: one job, what it is at a reading of the clock, the book of all jobs with its refunds. Does not
live here: how an answer looks (``_handlers/result_bodies``), what a job yields (``_handlers/outputs``).
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from muapi_client.emulator._messages.addresses import CDN
from muapi_client.emulator._messages.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.outcomes import Outcome, Shape
    from muapi_client.emulator._state.wallet import Wallet

HOOK: Final = "webhook_url"  # the field of a body that says where to tell of the job's end
_FIRST_PHASE: Final = 0.1  # share of a job's time in its first word, "queued"


@define(eq=False)
class Job:
    """One accepted submit.

    Args:
        id: The request id.
        operation: What was called.
        body: The payload.
        outcome: How it ends.
        shape: How its answers are laid out.
        accepted_at: Reading of the clock, in seconds.
        created_at: The time of day then, as answers tell it.
        seconds: How long it takes; 0 for one that was answered at once.
        usd: The charge.
        outputs: What it yields if it completes; emptied when its media are deleted.
        is_test: Whether a test key submitted it.
        number: Its place in the history; -1 outside it.
        inline: Whether the submit itself was answered with the result.
        waits: How long it stands in a queue before it runs, in seconds.
        lasts: How long its result can be had after its end, in seconds.
        base: ``http://HOST:PORT`` where the client that submitted it reaches the emulator, else ``""``.
        refunded: Whether the charge was given back.
    """

    id: str
    operation: Operation
    body: Mapping[str, Any]
    outcome: Outcome
    shape: Shape
    accepted_at: float
    created_at: str
    seconds: float
    usd: Decimal
    outputs: tuple[Any, ...]
    is_test: bool = False
    number: int = -1
    inline: bool = False
    waits: float = 0.0
    lasts: float = math.inf
    base: str = ""
    refunded: bool = False

    @property
    def ends_at(self) -> float:
        """The reading of the clock at which it ends."""
        return self.accepted_at + self.waits + self.seconds

    def expired(self, now: float) -> bool:
        """Return whether its result can no longer be had at ``now``."""
        return now >= self.ends_at + self.lasts

    def completed(self, now: float) -> bool:
        """Return whether it has ended by ``now`` as it should."""
        return self.ended(now) and self.outcome.end == "completed"

    def ended(self, now: float) -> bool:
        """Return whether it has ended by ``now``."""
        return now >= self.ends_at

    def status(self, now: float) -> str:
        """The word for what it is at ``now``."""
        if self.ended(now):
            return self.outcome.status or self.shape.done
        words = self.shape.running
        if now < self.accepted_at + self.waits:
            return words[0]
        share = (now - self.accepted_at - self.waits) / self.seconds
        if len(words) == 1 or share < _FIRST_PHASE:
            return words[0]
        later = (share - _FIRST_PHASE) / (1 - _FIRST_PHASE) * (len(words) - 1)
        return words[1 + min(int(later), len(words) - 2)]

    @property
    def cost(self) -> Cost:
        """Its cost, with its refund if there was one."""
        return Cost(self.usd, self.outcome.bonus_credits, self.refunded)


@define(eq=False, repr=False)
class JobBook:
    """Every job by its id, the live ones in order, and the refunds that are due."""

    _by_id: dict[str, Job] = field(factory=dict[str, Job], init=False)
    _history: list[Job | None] = field(factory=list["Job | None"], init=False)
    _by_path: dict[str, Job] = field(factory=dict[str, Job], init=False)
    _due: list[tuple[float, int, Job]] = field(factory=list[tuple[float, int, Job]], init=False)

    @property
    def accepted(self) -> int:
        """How many jobs were accepted from live keys."""
        return len(self._history)

    def add(self, job: Job) -> None:
        """Keep ``job``; one from a test key stays out of the history."""
        self._by_id[job.id] = job
        self._by_path |= dict.fromkeys(_paths(job.outputs), job)
        if job.is_test:
            return
        job.number = len(self._history)
        self._history.append(job)
        self._expect(job)

    def _expect(self, job: Job) -> None:
        if job.outcome.refunded:
            heapq.heappush(self._due, (job.ends_at, job.number, job))

    def get(self, request_id: str) -> Job | None:
        """The job of this id."""
        return self._by_id.get(request_id)

    def at(self, path: str, now: float) -> bool:
        """Return whether a file stands at ``path`` of the CDN: an output of a completed job that still has it."""
        job = self._by_path.get(path)
        return job is not None and job.completed(now) and not job.expired(now)

    def delete_media(self, job: Job) -> None:
        """Delete what ``job`` made."""
        for path in _paths(job.outputs):
            self._by_path.pop(path, None)
        job.outputs = ()

    def delete(self, job: Job) -> None:
        """Forget ``job``; what it cost and that it was accepted stay."""
        self.delete_media(job)
        del self._by_id[job.id]
        if not job.is_test:
            self._history[job.number] = None

    def settle(self, now: float, wallet: Wallet) -> None:
        """Give back the charge of every job that has ended by ``now`` and is to be refunded."""
        while self._due and self._due[0][0] <= now:
            job = heapq.heappop(self._due)[2]
            job.refunded = True
            wallet.refund(job.usd)

    def newest(self, before: int | None = None) -> Iterator[Job]:
        """The live jobs, newest first, from the one before number ``before`` on."""
        start = len(self._history) if before is None else min(before, len(self._history))
        for number in range(start - 1, -1, -1):
            job = self._history[number]
            if job is not None:
                yield job

    def all(self) -> Iterator[Job]:
        """Every job that is not forgotten, test keys' too, in order of acceptance."""
        yield from self._by_id.values()

    def owed(self) -> Iterator[Job]:
        """Every job that is forgotten and still to be refunded."""
        yield from (job for _, _, job in self._due if job.id not in self._by_id)

    def restore(self, jobs: Iterable[Job], owed: Iterable[Job], accepted: int) -> None:
        """Take in what :meth:`all` and :meth:`owed` gave, of a book that had ``accepted`` so many."""
        self._history = [None] * accepted
        for job in jobs:
            self._by_id[job.id] = job
            self._by_path |= dict.fromkeys(_paths(job.outputs), job)
            if not job.is_test:
                self._history[job.number] = job
                if not job.refunded:
                    self._expect(job)
        for job in owed:
            self._expect(job)


def _paths(outputs: tuple[Any, ...]) -> Iterator[str]:
    """Where those of ``outputs`` stand that are files on the CDN."""
    for output in outputs:
        if isinstance(output, str) and output.startswith(f"{CDN}/"):
            yield output.removeprefix(CDN)
