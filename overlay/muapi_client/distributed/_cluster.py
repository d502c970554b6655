"""The workers of a cluster, as the program sees them that maps: who gets a call, and what becomes of a dead one's.

Lives here: handing calls to workers, hearing of them, noticing who is gone. Does not live here: what runs in a worker
(``_runner``), asking for calls and handing out outcomes (``_transport/map_driver``).

Each worker has a runner, which two threads here talk to, by short tasks pinned to it. Where it dies such a task waits
for it for ever, so the list of workers is looked at every second. dask itself never decides whether a call is begun
again:

- it was not handed over: another worker gets it;
- a journal is shared: another worker gets it, and finds in the journal what became of it;
- it is known to be accepted: another worker waits for its job;
- anything else may have been charged: it is told as doubtful, and sent again only where its user said so.
"""

from __future__ import annotations

import pickle
import threading
import time
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from attrs import evolve

from muapi_client._types.job import Job
from muapi_client._types.outcome import Outcome
from muapi_client.distributed._runner import (
    Assignment,
    Batch,
    MapOptions,
    RunnerGoneError,
    RunnerInfo,
    begin_batch,
    close_runner,
    open_runner,
    read_reports,
)
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client

    from muapi_client._jobs.map_item import Item
    from muapi_client.distributed._runner import Report

LOOKED_UP: Final = 0.5  # seconds after which one that waits for a task looks whether its worker is gone
FETCHED_WITHIN: Final = 5.0  # seconds after which one that fetches a result looks whether it is lost with its worker
WATCHED_EVERY: Final = 1.0  # seconds between two looks at which workers there are
OPENED_WITHIN: Final = 30.0  # seconds the first call waits for all workers' clients; those that come later join in
WORKERLESS: Final = 60.0  # seconds without any worker until a map gives up: a nanny restarts one within some
CLOSED_WITHIN: Final = 5.0  # seconds the end of a map waits for its runners
CLOSED: Final = ("closing", "closed")  # states of a client of dask's that has no workers any more, nor will have
LARGEST_BATCH: Final = 64  # calls
MOST_LOSSES: Final = 3  # workers that may die with one call, as dask allows of a task
PRIORITY: Final = 100  # before a program's own tasks: ours are short


class Cluster:
    """All workers of a map; stands in the place of its threads.

    Args:
        client: dask's.
        options: What each runner is given.
    """

    def __init__(self, client: Client, options: MapOptions) -> None:
        self.client: Any = client
        self.options = options
        self.lock = threading.RLock()
        self.is_left = False  # nothing more may be submitted
        self.is_over = False
        self._note: Callable[[Item], object] = lambda _item: None
        self._workers: dict[str, Worker] = {}  # by address; one that never opened stays, so that it is not tried again
        self._waiting: deque[Item] = deque()  # for a worker
        self._losses: dict[int, list[SubmitOutcomeUnknownError]] = {}  # of calls whose worker died, by index
        self._troubles: list[BaseException] = []  # of workers whose client could not be made
        self._opened = threading.Condition(self.lock)
        self._has_begun = False
        self._workerless_since: float | None = None
        self._host: str | None = None  # whose file the journal is

    def open(self) -> None:
        """Have all workers make their clients.

        Raises:
            MuAPIError: One of them cannot, or there is no worker; nothing was sent.
        """
        threading.Thread(target=self._watch, name="muapi-cluster", daemon=True).start()
        ends = time.monotonic() + OPENED_WITHIN
        with self._opened:
            while not self._troubles and time.monotonic() < ends:
                workers = list(self._workers.values())
                if workers and all(worker.is_open for worker in workers):
                    break
                self._opened.wait(LOOKED_UP)
            if self._troubles:
                raise self._troubles[0]
            if not any(worker.is_open for worker in self._workers.values()):
                raise MuAPIError(
                    f"no worker of the cluster has made a client within {OPENED_WITHIN:g} s; nothing was sent. Are"
                    " there workers, and threads of theirs that are not busy (client.nthreads(), client.processing())?"
                )
            self._has_begun = True

    def start(self, item: Item, note: Callable[[Item], object]) -> None:
        """Have a worker carry on a call, which is refused here where it cannot travel.

        Args:
            item: The call.
            note: Called with it whenever more is known of it, from whatever thread.
        """
        self._note = note
        try:
            pickle.dumps(item.call)
        except Exception as error:  # noqa: BLE001 - whatever what it holds raises
            refusal = MuAPIError(
                f"call {item.key!r} cannot travel to a worker, and was not sent: {error}. Give a file's path, which"
                " must be readable where the workers run, or the URL that mu.upload(file) answers, not an open file."
            )
            item.end(Outcome(item.index, item.key, item.call, error=refusal), None)
            note(item)
            return
        with self.lock:
            self._waiting.append(item)
            self._assign()

    def _assign(self) -> None:
        """Give those that wait to the worker that has the fewest."""
        if self.is_left:
            return
        workers = [worker for worker in self._workers.values() if worker.is_open and not worker.is_lost]
        while workers and self._waiting:
            min(workers, key=lambda worker: len(worker.items)).give(self._waiting.popleft())

    def abandon(self) -> None:
        """Send nothing more: have every runner see what is on its way to its end."""
        with self.lock:
            self.is_left = True
            self._tell_waiting()
            self.close()

    def _tell_waiting(self) -> None:
        """Those that wait for another worker have none any more."""
        for item in self._waiting:
            if item.is_begun and not item.is_known:
                self._doubt(item)
        self._waiting.clear()

    def _doubt(self, item: Item) -> None:
        """A call may have been charged, and nothing more is done about it."""
        error = self._losses.pop(item.index)[-1]
        item.end(Outcome(item.index, item.key, item.call, error=error), None)
        self._note(item)

    def close(self) -> None:
        """Close all runners."""
        with self.lock:
            self.is_over = True
            for worker in self._workers.values():
                worker.wake()

    def join(self) -> None:
        """Wait, but not for long, until all runners are closed."""
        ends = time.monotonic() + CLOSED_WITHIN
        for worker in list(self._workers.values()):
            worker.listener.join(max(0.0, ends - time.monotonic()))

    def _watch(self) -> None:
        """Look every second which workers there are, until the last of them is heard of no more."""
        while not self.is_over or not all(worker.is_ended for worker in list(self._workers.values())):
            try:
                addresses = set(self.client.nthreads())
            except Exception:  # noqa: BLE001 - dask's, of many kinds: whether it is still connected is what counts
                addresses = set(self._workers) if self.client.status == "running" else set()
            with self.lock:
                for address, worker in self._workers.items():
                    worker.is_gone = worker.is_gone or address not in addresses
                if not self.is_over:
                    room = max(0, self.options.concurrency - len(self._workers))  # more workers would have no call
                    for address in sorted(addresses - set(self._workers))[:room]:
                        self._workers[address] = Worker(self, address)
                for address, worker in list(self._workers.items()):
                    if worker.is_lost and (worker.is_open or address not in addresses):  # another one may be opened
                        del self._workers[address]
                self._refuse_waiting()
            time.sleep(WATCHED_EVERY)

    def _refuse_waiting(self) -> None:
        """Give up where there has been no worker for long."""
        now = time.monotonic()
        if any(not worker.is_lost for worker in self._workers.values()) or not self._has_begun:
            self._workerless_since = None
            return
        self._workerless_since = self._workerless_since or now
        is_closed = self.client.status in CLOSED
        if self._waiting and (is_closed or now - self._workerless_since > WORKERLESS):
            what = f"the cluster has had no worker for {WORKERLESS:g} s"
            if is_closed:
                what = "dask's client was closed while this map was read, or has lost its scheduler for good"
            why = f": {self._troubles[-1]}" if self._troubles else ""
            next_step = "Begin the run again with a client that has workers."
            if self.options.run is None:
                next_step = "Without a journal another map pays for all of it again: what lives on is noted below."
            item = self._waiting.popleft()
            item.end(None, MuAPIError(f"{what}{why}. {next_step}"))
            self._note(item)

    def opened(self, worker: Worker) -> None:
        """A worker has made its client.

        Raises:
            MuAPIError: Its journal is a file of another machine than the others'.
        """
        assert worker.runner is not None
        with self._opened:
            if worker.runner.keeps_file:
                self._host = self._host or worker.runner.host
                if worker.runner.host != self._host:
                    raise MuAPIError(
                        f"the journal is a file, which serves one machine, and there are workers on {self._host} and on"
                        f" {worker.runner.host}: give the URL of a PostgreSQL database, which all of them share"
                    )
            worker.is_open = True
            self._opened.notify_all()
            self._assign()

    def take(self, worker: Worker, reports: list[Report]) -> None:
        """Take in what a worker reports."""
        for report in reports:
            with self.lock:
                item = worker.items.get(report.index)
                if item is None:
                    continue
                item.is_earlier, item.is_elsewhere = report.is_earlier, report.is_elsewhere
                if report.news is None:
                    item.begin_anew()
                elif isinstance(report.news, Job):
                    item.accept(report.news)
                else:
                    item.left_in_doubt += report.left_in_doubt
                    del worker.items[report.index]
                    worker.sent_at.pop(report.index, None)
                    self._losses.pop(report.index, None)
                    self._end(item, report.news)
            self._note(item)

    def _end(self, item: Item, news: Outcome[Any, Any] | BaseException) -> None:
        if isinstance(news, Outcome):
            item.is_reused = news.reused
            item.end(evolve(news, index=item.index, call=item.call), None)
        elif isinstance(news, MuAPIError):  # the worker could not read the call
            item.end(Outcome(item.index, item.key, item.call, error=news), None)
        else:
            item.end(None, news)

    def lose(self, worker: Worker, why: BaseException) -> None:
        """A worker is gone, or cannot work: decide about each of its calls."""
        with self._opened:
            items, worker.items = worker.items, {}
            is_trouble = not worker.is_open and not worker.is_gone and not self.is_over
            if is_trouble:
                why.add_note(f"So says the worker at {worker.address}.")
                self._troubles.append(why)
            worker.is_lost = True
            worker.wake()
            for item in items.values():
                if item.is_begun:
                    losses = self._losses.setdefault(item.index, [])
                    losses.append(_doubt_error(item, worker, why, self.options.run))
                    may_go_on = self.options.run is not None or self.options.retry_unknown
                    if item.job is None and not (may_go_on and len(losses) < MOST_LOSSES):
                        self._doubt(item)
                        continue
                    item.left_in_doubt += item.job is None and self.options.run is None  # of a run the journal tells
                self._waiting.append(item)
            if self.is_left:
                self._tell_waiting()
            self._assign()
            self._opened.notify_all()
        if is_trouble and self._has_begun:
            warnings.warn(f"the worker at {worker.address} does not take part: {why}", RuntimeWarning, stacklevel=2)


class Worker:
    """One worker.

    Attributes:
        address: Where dask finds it.
        runner: Which runner it has, once that was opened.
        listener: The thread that hears of its calls.
        items: The calls it was given and that have not ended, by index.
        sent_at: When each was handed over, in seconds since the epoch, by index.
        is_open: Whether it has made its client.
        is_gone: Whether the scheduler does not list it any more.
        is_lost: Whether it is gone, or cannot work.
        is_ended: Whether nothing more is heard of it.
    """

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.address = address
        self.runner: RunnerInfo | None = None
        self.items: dict[int, Item] = {}
        self.sent_at: dict[int, float] = {}
        self.is_open = self.is_gone = self.is_lost = self.is_ended = False
        self._cluster = cluster
        self._outbox: deque[Item] = deque()
        self._came = threading.Condition(cluster.lock)
        self._failure: BaseException | None = None  # of handing over
        self.listener = threading.Thread(target=self._listen, name="muapi-listener", daemon=True)
        self.listener.start()

    def give(self, item: Item) -> None:
        """Hand a call over; the cluster's lock is held."""
        self.items[item.index] = item
        self._outbox.append(item)
        self._came.notify_all()

    def wake(self) -> None:
        """Look up whether there is anything more to hand over; the cluster's lock is held."""
        self._came.notify_all()

    def _listen(self) -> None:
        """Open the runner, and take in its reports until the map is over or the worker is gone."""
        seen = 0
        try:
            self.runner = runner = self._ask(open_runner, uuid4().hex, self._cluster.options)
            self._cluster.opened(self)
            threading.Thread(target=self._speak, name="muapi-speaker", daemon=True).start()
            is_closed = False
            while not is_closed:
                news, is_closed = self._ask(read_reports, runner, seen)
                seen += len(news)
                self._cluster.take(self, news)
        except BaseException as error:  # noqa: BLE001 - of dask, of many kinds: each means that the worker is lost
            self._cluster.lose(self, error)
        finally:
            self.is_ended = True

    def _speak(self) -> None:
        """Hand calls over, all that have come at a time, and close the runner in the end."""
        batches = 0
        try:
            while assignments := self._next_assignments():
                self._ask(begin_batch, self.runner, Batch(batches, assignments))
                batches += 1
            if not self.is_lost:
                self._ask(close_runner, self.runner)
        except BaseException as error:  # noqa: BLE001 - the listener tells it
            self._failure = error

    def _next_assignments(self) -> tuple[Assignment, ...]:
        """The calls to be handed over next, which from here on may be charged; none where there are no more."""
        with self._came:
            while not self._outbox and not self._is_closed:
                self._came.wait()
            if self._is_closed:
                return ()
            items = [self._outbox.popleft() for _ in range(min(len(self._outbox), LARGEST_BATCH))]
            assignments = []
            for item in items:
                item.is_begun = True
                self.sent_at[item.index] = time.time()
                job = item.job if self._cluster.options.run is None else None
                assignments.append(Assignment(item.index, item.key, pickle.dumps(item.call), job))
            return tuple(assignments)

    @property
    def _is_closed(self) -> bool:
        return self.is_lost or self._cluster.is_over

    def _ask(self, function: Callable[..., Any], *given: Any) -> Any:
        """Have a task carried out by this worker alone, once.

        Raises:
            RunnerGoneError: The worker is gone.
            Exception: What the task raised, or dask.
        """
        name = f"muapi-{function.__name__}-{uuid4().hex}"
        options = {"pure": False, "retries": 0, "priority": PRIORITY, "allow_other_workers": False}
        future = self._cluster.client.submit(function, *given, key=name, workers=[self.address], **options)
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        try:
            while not done.wait(LOOKED_UP):
                self._require_alive()
            while True:
                try:
                    return future.result(timeout=FETCHED_WITHIN)
                except (TimeoutError, UnboundLocalError):  # so dask's sync raises, in a race, what is no Exception
                    if future.status == "error":
                        raise
                except BaseException as error:
                    if future.status == "cancelled":
                        raise RunnerGoneError("dask's client has lost its scheduler, or was closed") from error
                    raise
                self._require_alive()
        finally:
            future.release()

    def _require_alive(self) -> None:
        """Refuse to wait for a worker of which nothing will come.

        Raises:
            RunnerGoneError: It is gone.
            Exception: It could not be handed calls.
        """
        if self._failure is not None:
            raise self._failure
        if self.is_gone:
            raise RunnerGoneError("the scheduler lists it no more")


def _doubt_error(item: Item, worker: Worker, why: BaseException, run: str | None) -> SubmitOutcomeUnknownError:
    """The error of a call whose worker died with it."""
    next_step = (
        "A shared journal (options={'journal': …}) would tell; mu.reconcile(error) looks for its job in the history."
        if run is None
        else f"{MOST_LOSSES} workers died with it; what the journal knows of it, begin run {run!r} again to see."
    )
    return SubmitOutcomeUnknownError(
        f"the worker at {worker.address} was lost with call {item.key!r} in hand ({why}): it may have been accepted and"
        f" charged, and was not sent again. {next_step}",
        call=item.call,
        started_at=worker.sent_at.get(item.index),
    )
