"""A program that has many jobs done and may be killed at any moment: ``python driver.py sync|async URL FOLDER``.

What it wants is in FOLDER/wanted (a marker a line); it writes a marker to FOLDER/begun before it touches it, what
became of it to FOLDER/told, and at its end what the client counted as spent to FOLDER/closed. Started again, it first
waits for what the journal says was accepted, and then goes on with what it has not begun. It relies on nothing but the
client's public methods.

``--edges SEED`` interrupts its own calls besides (signals, exceptions at a line, cancelled tasks), lets its clock be up
to an hour off, and gives up on a locked journal soon. ``--bare`` keeps no journal: what the client itself remembers is
told at the end. ``--max-spend USD`` asks for jobs that nobody can price, under a limit. ``--map`` gives all of it to
``map`` as one run, each time it is started, and notes every outcome.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import inspect
import json
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.append(str(Path(__file__).parent.parent / "interrupts"))

from positions import OURS, Code, LineTrace

from muapi_client import AsyncMuAPI, Job, Journal, MuAPI, Outcome, Polling, Prediction, Retry, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from muapi_client import Spend

KEY: Final = "sk-faults-0123456789"
THREADS: Final = 16
TASKS: Final = 32
TRIES: Final = 4  # of a job that provably was not accepted: refused, or not sent
OPTIONS: Final[dict[str, Any]] = {
    "timeout": 1.5,  # seconds; loopback answers in a few milliseconds
    "wait_timeout": 120.0,
    "retry": Retry(attempts=6, initial=0.02, maximum=0.2, retry_after_maximum=0.1),
    "polling": Polling(minimum=0.01, maximum=0.2),
}
INTERRUPTED: Final = 0.1  # of the jobs, with --edges
LINES: Final = 2000  # of ours; more than a run passes
BUSY: Final = 0.2  # seconds a journal write waits for a lock, with --edges
UNPRICED: Final = Decimal(2)  # USD set aside for a job that nobody can price: the server never charges more
RUN: Final = "storm"
TERMINATED: Final = 143  # the exit status of a program that SIGTERM ended
ENDS: Final = {errors.JobFailedError: "failed", errors.JobCancelledError: "cancelled"}


class Record:
    """The program's own notes, appended line by line: they survive a kill, not always the last of them."""

    def __init__(self, folder: Path) -> None:
        begun = folder / "begun"
        done = set(begun.read_text().split()) if begun.exists() else set()
        self.all = (folder / "wanted").read_text().split()
        self.wanted = [marker for marker in self.all if marker not in done]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._begun = os.open(begun, flags)
        self._told = os.open(folder / "told", flags)
        self._closed = os.open(folder / "closed", flags)
        self.costs: dict[str, int | None] = {}

    def begin(self, marker: str) -> None:
        """Note that a job is about to be begun."""
        os.write(self._begun, f"{marker}\n".encode())

    def tell(self, marker: str, state: str, ended: Prediction | errors.MuAPIError | None = None) -> None:
        """Note what became of a job."""
        cost = ended.cost if ended is not None else None
        known = {
            "marker": marker,
            "state": state,
            "id": (ended.id if isinstance(ended, Prediction) else ended.request_id) if ended is not None else None,
            "micro_usd": int(cost.charged_usd.scaleb(6)) if cost else None,
        }
        if known["id"] is not None:
            self.costs[known["id"]] = known["micro_usd"]
        os.write(self._told, (json.dumps(known) + "\n").encode())

    def close(self, spend: Spend) -> None:
        """Note what this process learnt of costs, job by job, and what the client says they are together."""
        known = {"spent": str(spend.total_usd), "micro_usd": sum(cost or 0 for cost in self.costs.values())}
        os.write(self._closed, (json.dumps(known) + "\n").encode())

    def tell_outcome(self, outcome: Outcome[Any, Any]) -> None:
        """Note what a map made of a job."""
        if outcome.error is None:
            self.tell(outcome.key, "completed", outcome.prediction)
        else:
            self.tell_error(outcome.key, outcome.error)

    def tell_interrupt(self, marker: str, error: BaseException) -> None:
        """Note what an interrupt says of a job: that it may be charged, or nothing."""
        notes = "\n".join(getattr(error, "__notes__", []))
        self.tell(marker, "unknown" if marker in notes else "interrupted")

    def tell_error(self, marker: str, error: errors.MuAPIError) -> bool:
        """Note what an error says of a job; answers whether it may safely be tried again."""
        if isinstance(error, errors.SubmitOutcomeUnknownError):
            self.tell(marker, "unknown", error)
        elif isinstance(error, errors.JobError):
            self.tell(marker, ENDS.get(type(error), "accepted"), error)
        elif error.request_id is not None:
            self.tell(marker, "accepted", error)
        else:
            self.tell(marker, f"not accepted: {type(error).__name__}", None)
            return True
        return False


class Alarm(Exception):  # noqa: N818 - a program's own, as its signal handler raises it
    """What this program's signal handler raises."""


class OddClock:
    """Real time, told with an offset."""

    def __init__(self, offset: float) -> None:
        self._offset = offset

    def now(self) -> float:
        """The reading, in seconds."""
        return time.monotonic() + self._offset

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Let the event loop run others."""
        await asyncio.sleep(seconds)


class Program:
    """What both drivers share: the options, the calls, and which of them are interrupted."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.record = Record(options.folder)
        self.maps = options.map
        self.bare, self.edges = options.bare, options.edges is not None
        self.dice = random.Random(f"{options.edges} {len(self.record.wanted)}")
        self.code = Code(OURS)  # not httpx's: other threads share its locks
        self.slug = "flux-dev-image" if options.max_spend is None else "a-model-without-a-price"
        self.options = dict(OPTIONS)
        if not options.bare:
            self.options["journal"] = self._journal(options.folder / "journal.db")
        if self.edges:
            self.options["clock"] = OddClock(self.dice.uniform(0.0, 7200.0))  # two readings may lie an hour apart
        if options.max_spend is not None:
            self.options["max_spend"] = options.max_spend
            if "unpriced" in inspect.signature(MuAPI).parameters:
                self.options["unpriced"] = UNPRICED

    def _journal(self, path: Path) -> Any:
        if not self.edges:
            return path
        try:
            return Journal(path, busy_timeout=BUSY)
        except TypeError:  # a client that has no such option yet
            return path

    def call(self, marker: str) -> Any:
        """The job of a marker."""
        return raw_call(self.slug, {"prompt": marker})

    def is_interrupted(self) -> bool:
        """Whether the next job is to be interrupted."""
        return self.edges and self.dice.random() < INTERRUPTED


def _lives_on(error: errors.MuAPIError) -> bool:
    """Whether a look was refused, as by a redirect: the job can be waited for again."""
    return isinstance(error, errors.APIStatusError) and error.request_id is not None


def _marker(job: Any) -> str:
    return str(job.call.body["prompt"]) if job.call and job.call.body else ""


class Threads:
    """All of it, in threads."""

    def __init__(self, program: Program, mu: MuAPI) -> None:
        self.program, self.record, self.mu = program, program.record, mu

    def drive(self) -> None:
        """Drive."""
        program, record = self.program, self.record
        few = len(record.wanted) // 20 if program.edges and not program.bare else 0
        first, signalled, wanted = record.wanted[:1], record.wanted[1 : few + 1], record.wanted[few + 1 :]
        for marker in first:  # it loads what loads with a call: Python's own imports do not outlive every interrupt
            self.begin(marker)
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                list(pool.map(self.resume, self.mu.resume() if not program.bare else ()))
                work = pool.map(self.begin_or_interrupt, wanted)
                self.begin_under_alarm(signalled)
                list(work)
                if program.bare:
                    list(pool.map(self.resume, self.remembered()))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        record.close(self.mu.spend)

    def remembered(self) -> list[Job]:
        """Note what a client without a journal knows as perhaps charged; answers the jobs that can be waited for."""
        try:
            _tell_unknown(self.record, self.mu.unknown())
            return list(self.mu.resume())
        except errors.MuAPIError as error:  # it remembers nothing, which is counted
            sys.stderr.write(f"{error}\n")
            return []

    def resume(self, job: Job) -> None:
        """Wait for a job that was accepted before; again where a look was refused, as by a redirect."""
        for _ in range(TRIES):
            try:
                return self.record.tell(_marker(job), "completed", self.mu.wait(job))
            except errors.MuAPIError as error:
                self.record.tell_error(_marker(job), error)
                if not _lives_on(error):
                    return None
        return None

    def begin(self, marker: str, run: Callable[[Any], Prediction] | None = None) -> None:
        """Have a job done."""
        self.record.begin(marker)
        for _ in range(TRIES):
            try:
                return self.record.tell(marker, "completed", (run or self.mu.run)(self.program.call(marker)))
            except errors.MuAPIError as error:
                if not self.record.tell_error(marker, error):
                    return self.resume(Job(error.request_id, self.program.call(marker))) if _lives_on(error) else None
            except (Alarm, SystemExit) as error:
                self.record.tell_interrupt(marker, error)
                raise
        return None

    def begin_or_interrupt(self, marker: str) -> None:
        """Have a job done, unless it is chosen to be interrupted."""
        program = self.program
        if not program.is_interrupted():
            return self.begin(marker)

        def run(call: Any) -> Prediction:
            with LineTrace(program.code, program.dice.randrange(LINES), Alarm()):
                return self.mu.run(call)

        with suppress(Alarm):
            self.begin(marker, run)
        return None

    def begin_under_alarm(self, markers: Iterable[str]) -> None:
        """Have jobs done that a signal may interrupt anywhere, in this program's own lines too: the journal knows."""

        def alarm(*_: Any) -> None:
            raise Alarm

        signal.signal(signal.SIGALRM, alarm)
        for marker in markers:
            with suppress(Alarm):
                try:
                    signal.setitimer(signal.ITIMER_REAL, self.program.dice.uniform(0.001, 0.05))
                    self.begin(marker)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)


class Tasks:
    """The same, in one event loop."""

    def __init__(self, program: Program, mu: AsyncMuAPI) -> None:
        self.program, self.record, self.mu = program, program.record, mu

    async def drive(self) -> None:
        """Drive."""
        bare = self.program.bare
        await _each(self.resume, [] if bare else await _listed(self.mu.resume()))
        await _each(self.begin_or_cancel, self.record.wanted)
        if bare:
            await _each(self.resume, await self.remembered())
        self.record.close(self.mu.spend)

    async def remembered(self) -> list[Job]:
        """Note what a client without a journal knows as perhaps charged; answers the jobs that can be waited for."""
        try:
            _tell_unknown(self.record, await _listed(self.mu.unknown()))
            return await _listed(self.mu.resume())
        except errors.MuAPIError as error:  # it remembers nothing, which is counted
            sys.stderr.write(f"{error}\n")
            return []

    async def resume(self, job: Job) -> None:
        """Wait for a job that was accepted before; again where a look was refused, as by a redirect."""
        for _ in range(TRIES):
            try:
                return self.record.tell(_marker(job), "completed", await self.mu.wait(job))
            except errors.MuAPIError as error:
                self.record.tell_error(_marker(job), error)
                if not _lives_on(error):
                    return None
        return None

    async def begin(self, marker: str) -> None:
        """Have a job done."""
        self.record.begin(marker)
        for _ in range(TRIES):
            try:
                return self.record.tell(marker, "completed", await self.mu.run(self.program.call(marker)))
            except errors.MuAPIError as error:
                if not self.record.tell_error(marker, error):
                    job = Job(error.request_id, self.program.call(marker)) if _lives_on(error) else None
                    return await self.resume(job) if job else None
            except asyncio.CancelledError as error:
                self.record.tell_interrupt(marker, error)
                raise
        return None

    async def begin_or_cancel(self, marker: str) -> None:
        """Have a job done, unless it is chosen to be cancelled."""
        dice = self.program.dice
        if not self.program.is_interrupted():
            return await self.begin(marker)
        patience = dice.uniform(0.0, 0.1)
        if dice.random() < 0.5:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.begin(marker)
            return None
        task = asyncio.ensure_future(self.begin(marker))
        await asyncio.wait([task], timeout=patience)
        task.cancel()
        await asyncio.wait([task])
        return None


def drive_map(program: Program, mu: MuAPI) -> None:
    """All of it, by ``map``."""
    calls = [program.call(marker) for marker in program.record.all]
    for outcome in mu.map(calls, run=RUN, key=read_marker):
        program.record.tell_outcome(outcome)


async def adrive_map(program: Program, mu: AsyncMuAPI) -> None:
    """The same, in one event loop."""
    calls = [program.call(marker) for marker in program.record.all]
    async for outcome in mu.map(calls, run=RUN, key=read_marker):
        program.record.tell_outcome(outcome)


def read_marker(_: int, call: Any) -> str:
    """The marker of a call, which is its key in the run."""
    return str(call.body["prompt"])


def _tell_unknown(record: Record, unknown: Iterable[Any]) -> None:
    """Note what a client without a journal remembers as perhaps charged."""
    for entry in unknown:
        record.tell(_marker(entry), "unknown")


async def _listed(found: Any) -> list[Any]:
    """The items of a list, an iterator, an asynchronous one, or what awaiting gives."""
    if hasattr(found, "__await__"):
        found = await found
    if hasattr(found, "__aiter__"):
        return [item async for item in found]
    return list(found)


async def _each(work: Any, items: list[Any]) -> None:
    """Some tasks share the items."""
    left = iter(items)

    async def share() -> None:
        for item in left:
            await work(item)

    await asyncio.gather(*(share() for _ in range(TASKS)))


async def _until_terminated(program: Program, url: str) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncMuAPI(KEY, url, **program.options) as mu:
        await (adrive_map(program, mu) if program.maps else Tasks(program, mu).drive())


def main() -> None:
    """Drive."""
    faulthandler.enable()  # SIGABRT tells where a program hangs
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["sync", "async"])
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edges", metavar="SEED", help="interrupt calls, and let clock and journal be odd")
    parser.add_argument("--bare", action="store_true", help="keep no journal")
    parser.add_argument("--map", action="store_true", help="give all of it to map, as one run")
    parser.add_argument("--max-spend", type=Decimal, help="USD, for jobs that nobody can price")
    options = parser.parse_args()
    program = Program(options)
    if options.kind == "sync":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
        with MuAPI(KEY, options.url, **program.options) as mu:
            drive_map(program, mu) if program.maps else Threads(program, mu).drive()
        return
    try:
        asyncio.run(_until_terminated(program, options.url))
    except asyncio.CancelledError:
        sys.exit(TERMINATED)


if __name__ == "__main__":
    main()
