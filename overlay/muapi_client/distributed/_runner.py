"""A worker's part of a map: one client that carries on many calls, begun and reported of by short tasks.

Lives here: what runs in a worker. Does not live here: which worker gets a call, and what becomes of those of a dead one
(``_cluster``).

A job waits for minutes, so a task a job would hold a thread of the worker for nothing. A task here only hands over
calls or fetches what is known of them by now, and is over; the calls are carried on by the client's own few threads,
as in ``MuAPI.map``.

dask may run a task twice: where a worker dies its tasks go elsewhere, and results that only it held are computed again.
No call may be begun twice by that. So a task names the process it is meant for, and another one refuses it; within that
process batches have numbers, and each is begun once.
"""

from __future__ import annotations

import atexit
import pickle
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import field, frozen

from muapi_client._client.mapping import MOST_THREADS, count_workers, make_work, with_given, world_of
from muapi_client._runtime.forks import forks
from muapi_client._runtime.processes import fleet_owner
from muapi_client._state.journal.sqlite import Journal
from muapi_client._transport.scheduler import Threads
from muapi_client._version import __version__
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from muapi_client._jobs.map_item import Item
    from muapi_client._types.job import Job
    from muapi_client._types.outcome import Outcome
    from muapi_client.distributed._client_options import ClientOptions

PATIENCE: Final = 2.0  # seconds a task waits for news: how often an idle worker is asked
WATCHED_EVERY: Final = 60.0  # seconds
FORGOTTEN_AFTER: Final = 1800.0  # seconds without a question, as a worker busy with other tasks may let ours wait


@frozen
class MapOptions:
    """What a runner is given to begin with; holds no secret.

    Attributes:
        client: What its client is made of.
        concurrency: How many calls may be under way in the whole cluster.
        run: The run's name, or None.
        tag: The jobs' tag, or None for the client's.
        reuse: Whether equal calls are answered from the journal, or None for what the client does.
        retry_unknown: Whether what may have been charged is submitted again.
        download_to: Where outputs are saved, or None.
        version: This package's.
    """

    client: ClientOptions
    concurrency: int
    run: str | None
    tag: str | None
    reuse: bool | None
    retry_unknown: bool
    download_to: str | None
    version: str = __version__


class RunnerInfo(NamedTuple):
    """Which runner it is, and where.

    Attributes:
        token: The runner's.
        process: Its process, as ``_runtime/processes`` names one.
        keeps_file: Whether its journal is a file of its machine.
    """

    token: str
    process: str
    keeps_file: bool

    @property
    def host(self) -> str:
        """The machine, of which another may have the same name."""
        return self.process.partition(":")[0]


@frozen
class Assignment:
    """A call that a runner is to carry on.

    Attributes:
        index: Its place among the calls.
        key: Its key.
        call: The call, pickled.
        job: Its job, where another process had it accepted, and no journal knows of it.
    """

    index: int
    key: str
    call: bytes
    job: Job | None


@frozen
class Batch:
    """Calls on their way to a runner, whose repr, which dask may log, tells nothing of them.

    Attributes:
        number: Its place among those for this runner, from 0.
        assignments: The calls.
    """

    number: int
    assignments: tuple[Assignment, ...] = field(repr=False)


class RunnerGoneError(MuAPIError):
    """The runner a task is meant for is not in this process."""


@frozen
class Report:
    """What is known of a call by now.

    Attributes:
        index: Its place among the calls.
        news: That it was accepted, what came of it, or what ended it in place of an outcome; None where a job that it
            waited for came to nothing, and another one is submitted, or where another process has it in hand.
        left_in_doubt: How many submits of it may have been charged, and were followed by another.
        is_earlier: Whether its job was submitted in an earlier run, or by another process.
        is_elsewhere: Whether another process has it in hand.
    """

    index: int
    news: Job | Outcome[Any, Any] | BaseException | None
    left_in_doubt: int = 0
    is_earlier: bool = False
    is_elsewhere: bool = False


class Reports(NamedTuple):
    """What a runner has to tell.

    Attributes:
        news: Reports that were not seen.
        is_closed: Whether there will be no more.
    """

    news: list[Report]
    is_closed: bool


class Runner:
    """One client, and the calls it carries on."""

    def __init__(self, options: MapOptions) -> None:
        if options.version != __version__:
            raise MuAPIError(
                f"this worker has muapi-client {__version__}, and the program {options.version}: install the same"
            )
        self._client = options.client.make_client()
        self.keeps_file = isinstance(self._client._context.journal, Journal)  # noqa: SLF001 - the same package
        try:
            client = with_given(self._client, tag=options.tag, reuse=options.reuse)
            self._work = make_work(
                client,
                (),
                concurrency=options.concurrency,
                ordered=False,
                run=options.run,
                key=lambda _place, _call: self._key,
                stop_on=None,
                retry_unknown=options.retry_unknown,
                download_to=options.download_to,
                progress=False,
                on_progress=None,
            )
        except BaseException:
            self._client.close()
            raise
        most = count_workers(client, options.concurrency, MOST_THREADS)
        self._threads: Threads[Outcome[Any, Any]] = Threads(*world_of(client), most=most)
        self._work.workers = self._threads
        self._key = ""  # of the call that is begun
        self._indexes: dict[int, int] = {}  # places in the map, by places here, of calls that have not ended
        self._given = 0  # calls
        self._begun = 0  # batches
        self._reports: deque[Report] = deque()
        self._dropped = 0  # reports that were seen
        self._changed = threading.Condition()
        self._asked_at = monotonic()
        self._closed = threading.Event()

    def begin(self, batch: Batch) -> None:
        """Begin the calls of a batch; of one that was begun before, nothing."""
        with self._changed:
            if batch.number < self._begun:
                return
            self._begun += 1
            for assignment in batch.assignments:
                self._begin(assignment)

    def _begin(self, assignment: Assignment) -> None:
        try:
            call = pickle.loads(assignment.call)  # noqa: S301 - of the program that made this runner
        except Exception as error:  # noqa: BLE001 - whatever its class raises, such as a package that is not here
            what = f"{type(error).__name__}: {error}"
            reason = MuAPIError(f"call {assignment.key!r} cannot be read by this worker, and was not sent: {what}")
            self._report(Report(assignment.index, reason))
            return
        self._key = assignment.key
        self._indexes[self._given] = assignment.index
        self._given += 1
        self._work.begin(call, self._note, assignment.job)

    def _note(self, item: Item) -> None:
        """Take in what is known of a call by now, in whichever thread carries it on."""
        with self._changed:
            known = (item.left_in_doubt, item.is_earlier, item.is_elsewhere)
            if item.trouble is not None:
                self._report(Report(self._indexes.pop(item.index), item.trouble))
            elif item.outcome is not None:
                self._work.books.take(item)
                self._work.books.hand_out(item.outcome)
                self._report(Report(self._indexes.pop(item.index), item.outcome, *known))
            else:
                self._report(Report(self._indexes[item.index], item.job, *known))

    def _report(self, report: Report) -> None:
        self._reports.append(report)
        self._changed.notify_all()

    def has_news(self, seen: int) -> bool:
        """Whether there are reports that were not seen."""
        return self._dropped + len(self._reports) > seen

    def read(self, seen: int, patience: float) -> Reports:
        """What became known since; waits for some, or for the runner to be closed.

        Args:
            seen: How many reports were seen before: they are dropped.
            patience: Seconds to wait at most.
        """
        with self._changed:
            self._asked_at = monotonic()
            self._changed.wait_for(lambda: self.has_news(seen) or self._closed.is_set(), patience)
            while self._dropped < seen and self._reports:
                self._reports.popleft()
                self._dropped += 1
            return Reports(list(self._reports), self._closed.is_set())

    def close(self) -> None:
        """Submit nothing more, see what is on its way to its end, and close the client."""
        self._client.close()
        self._threads.close()
        with self._changed:
            self._closed.set()  # there will be no more reports
            self._changed.notify_all()

    def wait_until_forgotten(self) -> bool:
        """Wait until nobody has asked for long and nothing is under way, or the runner is closed; answers which."""
        while not self._closed.wait(WATCHED_EVERY):
            with self._changed:
                if not self._indexes and monotonic() - self._asked_at > FORGOTTEN_AFTER:
                    return True
        return False


_runners: dict[str, Runner] = {}  # of this process, by token
_opening = threading.Lock()


def open_runner(token: str, options: MapOptions) -> RunnerInfo:
    """Open a runner in this process, a task of its own. Twice does no harm.

    Raises:
        MuAPIError: The worker's client cannot be made.
    """
    with _opening:
        if token not in _runners:
            _runners[token] = runner = Runner(options)
            threading.Thread(target=_close_forgotten, args=(token, runner), name="muapi-runner", daemon=True).start()
        return RunnerInfo(token, fleet_owner(), _runners[token].keeps_file)


def begin_batch(info: RunnerInfo, batch: Batch) -> None:
    """Begin calls in a runner of this process, a task of its own.

    Raises:
        RunnerGoneError: It is not here.
    """
    _find(info).begin(batch)


def read_reports(info: RunnerInfo, seen: int) -> Reports:
    """What became known in a runner, a task of its own; while it waits it leaves the worker's thread to others.

    Raises:
        RunnerGoneError: It is not here.
    """
    runner = _find(info)
    if not runner.has_news(seen):
        _leave_thread()
    reports = runner.read(seen, PATIENCE)
    if reports.is_closed:
        _runners.pop(info.token, None)
    return reports


def close_runner(info: RunnerInfo) -> None:
    """Close a runner, a task of its own; what became known until then is read afterwards.

    Raises:
        RunnerGoneError: It is not here.
    """
    runner = _find(info)
    _leave_thread()
    runner.close()


def _leave_thread() -> None:
    """Have the worker carry on other tasks in another thread than this one."""
    with forks.kept_waiting:
        import distributed  # noqa: PLC0415 - whoever runs tasks of dask has it

    secede: Any = distributed.secede
    secede()


def _find(info: RunnerInfo) -> Runner:
    runner = _runners.get(info.token) if info.process == fleet_owner() else None
    if runner is None:
        raise RunnerGoneError(
            f"{info.process} carried these calls on, and this is {fleet_owner()}: nothing was begun here"
        )
    return runner


def _close_forgotten(token: str, runner: Runner) -> None:
    if runner.wait_until_forgotten():
        _runners.pop(token, None)
        runner.close()


@atexit.register
def _close_all() -> None:
    """Let no submit be cut off where a worker ends in order."""
    for runner in list(_runners.values()):
        runner.close()
