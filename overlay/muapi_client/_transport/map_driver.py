"""Asking for calls and handing out their outcomes, once blocking and once awaiting.

Lives here: when a map goes on, and what it leaves behind when it is left. Does not live here: its books
(``_jobs/mapping``), carrying its calls on (``scheduler``).

The blocking one asks for calls where the outcomes are: in the caller's own thread, one at a time, while it waits. So
what an iterable raises reaches its reader, and a cursor stays in its thread. The awaiting one asks for them in a task
of its own, so that a source may wait for outcomes. Neither is more than ``concurrency`` calls ahead of what is read.

Whoever leaves a map has nothing more submitted. What is on its way is seen to its end by the workers: an interrupt
waits for that. Leaving the loop of the blocking one does not, for the generator may be finalised anywhere, by the
garbage collector within one of the workers, too, or at the end of the program; then the client's ``close``, or the
program's end, waits. ``aclose`` of the awaiting one does. An interrupt of that wait gives it up, once for all: nobody
who pressed Ctrl-C twice waits a third time, for the client or for the end of the program.
"""

from __future__ import annotations

import atexit
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from inspect import isawaitable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakSet

import anyio
import anyio.lowlevel

from muapi_client._transport.scheduler import Abandoned
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from muapi_client._jobs.map_item import Item
    from muapi_client._jobs.mapping import Books
    from muapi_client._transport.scheduler import Tasks
    from muapi_client._types.job import Job
    from muapi_client._types.outcome import Outcome, Progress

END: Final = object()  # there are no more calls
PATIENCE: Final = 0.5  # seconds after which a waiting thread looks up: where it waits for ever, Windows hears no Ctrl-C
CALLED_OFF: Final = 5.0  # seconds that looks may take to end whose connections were closed
LOOKED_AFTER: Final = 0.01  # seconds between two looks at whether all submits have ended


class Display(Protocol):
    """What shows how far a map is; ``_client/map_display`` is one."""

    def open(self) -> None:
        """Begin."""
        ...

    def change(self) -> None:
        """Something has changed."""
        ...

    @property
    def due(self) -> float:
        """Seconds after which there is something to catch up with."""
        ...

    def catch_up(self) -> None:
        """Show what has changed."""
        ...

    def close(self, *, is_left: bool, stopped_by: MuAPIError | None) -> None:
        """End."""
        ...


class Workers(Protocol):
    """What carries the calls of a map on: threads, tasks, other machines."""

    def abandon(self) -> None:
        """Send nothing more: see what is on its way to its end."""

    def close(self) -> None:
        """End, once there is nothing to carry on."""


class Work:
    """What both drivers are given.

    Args:
        books: The map's.
        start: Has the workers carry a call on; is given what to call with it whenever more is known of it.
        progress: Reads how far the map is.
        display: Shows it, or None.
    """

    def __init__(
        self,
        books: Books,
        start: Callable[[Any, Item, Callable[[Item], object]], object],
        progress: Callable[[], Progress],
        display: Display | None = None,
    ) -> None:
        self.books = books
        self.display = display
        self.workers: Workers | None = None
        self.is_given_up = False  # whether nobody waits any more until it is known what became of each submit
        self._start = start
        self._progress = progress
        self._pid = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this very process began it."""
        return self._pid == os.getpid()

    def refuse_fork(self) -> None:
        """Refuse to go on in a forked child, into which the threads of a map do not follow.

        Raises:
            MuAPIError: It is one.
        """
        if not self.is_ours:
            raise MuAPIError("this map was begun by the process that forked, and goes on there: begin another one")

    def begin(self, call: Any, note: Callable[[Item], object], job: Job | None = None) -> bool:
        """Have the next call carried on; answers whether there was one.

        Args:
            call: The next one, or ``END``.
            note: Called with the item whenever more is known of it, from whatever thread.
            job: Its job, where another process had it accepted: it is waited for.
        """
        if call is END:
            self.books.stop()
            return False
        item = self.books.begin(call)
        item.job = job
        self._start(self.workers, item, note)
        return True

    def take(self, item: Item) -> object:
        """Take in what is known of a call by now; answers what the caller's ``on_progress`` does.

        Raises:
            MuAPIError: The client was closed meanwhile.
            BaseException: What ended it in place of an outcome.
        """
        if isinstance(item.trouble, Abandoned):
            self.refuse_left()
        self.books.take(item)
        if self.display is not None:
            self.display.change()
        return None if self.books.on_progress is None else self.books.on_progress(self._progress())

    def refuse_left(self) -> None:
        """Refuse to go on where the client was closed while the map was read.

        Raises:
            MuAPIError: It was.
        """
        if self.books.is_left:
            raise MuAPIError(
                "the client was closed while this map was read; mu.jobs() lists what it has submitted. Begin the map"
                " again, with run= and a journal, to go on."
            )

    def end_display(self) -> None:
        """Show no more how far it is."""
        if self.display is not None and self.is_ours:
            self.display.close(is_left=self.books.is_left, stopped_by=self.books.stopped_by)

    def leave(self) -> None:
        """Begin no more calls, and send nothing more."""
        self.books.leave()
        if self.workers is not None:
            self.workers.abandon()

    @property
    def has_submits(self) -> bool:
        """Whether to wait until it is known what became of a submit."""
        return not self.is_given_up and self.books.has_submits

    @property
    def has_begun(self) -> bool:
        """Whether to wait until a call that was begun has ended."""
        return self.is_ours and not self.is_given_up and self.books.has_begun

    def give_up(self, why: BaseException) -> None:
        """Wait no more for what is on its way; what interrupted the wait carries what is known."""
        self.is_given_up = True
        why.add_note(self.books.describe())


def run_map(work: Work, calls: Iterator[Any], workers: Workers) -> Generator[Outcome[Any, Any]]:
    """Hand out the outcomes of calls as they come."""
    books, work.workers = work.books, workers
    news: SimpleQueue[Item] = SimpleQueue()  # of which more is known than before
    _blocking.add(work)
    try:
        if work.display is not None:
            work.display.open()
        while True:
            work.refuse_fork()
            began = books.has_room and work.begin(next(calls, END), news.put)
            while not news.empty():
                work.take(news.get())
            outcome = books.next()
            if outcome is not None:
                yield outcome
                books.hand_out(outcome)
            elif began:
                continue
            elif books.is_empty:
                work.refuse_left()
                return
            else:
                work.take(_wait(news, work.display))
    except BaseException as why:
        _leave_because(work, why)
        raise
    finally:
        if work.is_ours:
            workers.close()
        work.end_display()


def _leave_because(work: Work, why: BaseException) -> None:
    """Leave a map; where anybody sees what ended it, wait for what is on its way, and note what lives on."""
    if not work.is_ours:
        return
    if isinstance(why, GeneratorExit):
        work.leave()
        return
    leave_map(work)
    why.add_note(work.books.describe())


def leave_map(work: Work) -> None:
    """Have nothing more submitted, and wait until it is known what became of all that was.

    Raises:
        BaseException: What interrupted the wait, which nobody takes up again.
    """
    if not work.is_ours:  # its threads did not follow
        return
    try:
        work.leave()
        while work.has_submits:
            time.sleep(LOOKED_AFTER)
    except BaseException as why:
        work.give_up(why)
        raise


def end_map(work: Work) -> None:
    """Wait, but not for long, until all calls of a map that was left have ended, so that nothing writes any more."""
    ends = time.monotonic() + CALLED_OFF
    while work.has_begun and time.monotonic() < ends:
        time.sleep(LOOKED_AFTER)
    work.end_display()


def _wait(news: SimpleQueue[Item], display: Display | None) -> Item:
    while True:
        try:
            return news.get(timeout=PATIENCE if display is None else min(PATIENCE, display.due))
        except Empty:
            if display is not None:
                display.catch_up()


_blocking: WeakSet[Work] = WeakSet()


@atexit.register
def _leave_all() -> None:
    """Let no submit be cut off by the end of the program: its threads end with it, wherever they are."""
    for work in list(_blocking):
        leave_map(work)
        work.end_display()


async def arun_map(
    work: Work, calls: AsyncIterator[Any] | Iterator[Any], make_tasks: Callable[..., Tasks[Outcome[Any, Any]]]
) -> AsyncGenerator[Outcome[Any, Any]]:
    """The twin of :func:`run_map`, awaiting."""
    books, news = work.books, News()
    work.workers = tasks = make_tasks(on_trouble=news.fail)
    source = Source(work, calls, news)
    tasks.spawn(source.ask)
    try:
        if work.display is not None:
            work.display.open()
        while True:
            while news.items:
                answer = work.take(news.items.popleft())
                if isawaitable(answer):
                    await answer
            outcome = books.next()
            if outcome is not None:
                yield outcome
                books.hand_out(outcome)
                source.make_room()
            elif books.is_empty and (source.is_over or books.is_stopped):
                news.raise_trouble()
                work.refuse_left()
                return
            elif work.display is None:
                await news.wait()
            else:
                with anyio.move_on_after(work.display.due):
                    await news.wait()
                work.display.catch_up()
    except BaseException as why:
        source.close()
        await _aleave_because(work, why)
        raise
    finally:
        source.close()
        tasks.close()
        work.end_display()


async def _aleave_because(work: Work, why: BaseException) -> None:
    """The twin of :func:`_leave_because`; it always waits, which holds nobody up."""
    await aleave_map(work)
    why.add_note(work.books.describe())


async def aleave_map(work: Work) -> None:
    """The twin of :func:`leave_map`."""
    if not work.is_ours:
        return
    try:
        work.leave()
        with anyio.CancelScope(shield=True):  # a second cancellation by asyncio itself strikes through it
            while work.has_submits:  # noqa: ASYNC110 - facts, which no event tells for certain
                await anyio.sleep(LOOKED_AFTER)
    except BaseException as why:
        work.give_up(why)
        raise


async def aend_map(work: Work) -> None:
    """The twin of :func:`end_map`."""
    with anyio.move_on_after(CALLED_OFF):
        while work.has_begun:  # noqa: ASYNC110 - as above
            await anyio.sleep(LOOKED_AFTER)
    work.end_display()


class News:
    """What more is known of, for the one task that waits for it."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self._came = anyio.Event()
        self._trouble: BaseException | None = None

    def put(self, item: Item) -> None:
        """More is known of an item."""
        self.items.append(item)
        self._came.set()

    def fail(self, trouble: BaseException) -> None:
        """The map cannot go on."""
        self._trouble = trouble
        self._came.set()

    def wake(self) -> None:
        """Have the task look again."""
        self._came.set()

    async def wait(self) -> None:
        """Wait until there are news.

        Raises:
            BaseException: What :meth:`fail` was given.
        """
        await self._came.wait()
        self._came = anyio.Event()
        self.raise_trouble()

    def raise_trouble(self) -> None:
        """Raise what :meth:`fail` was given, if anything."""
        if self._trouble is not None:
            raise self._trouble


class Source:
    """Asks for calls, in a task of its own, while there is room for more.

    Attributes:
        is_over: Whether there are no more.
    """

    def __init__(self, work: Work, calls: AsyncIterator[Any] | Iterator[Any], news: News) -> None:
        self.is_over = False
        self._work = work
        self._calls = calls
        self._news = news
        self._room = anyio.Event()
        self._scope = anyio.CancelScope()

    def make_room(self) -> None:
        """An outcome was read."""
        self._room.set()

    def close(self) -> None:
        """Ask for no more."""
        self._scope.cancel()

    async def ask(self) -> None:
        """Ask until there are no more."""
        try:
            with self._scope:
                while not self._work.books.is_stopped:
                    if self._work.books.has_room:
                        call = await _next(self._calls)
                        if not self._work.books.is_stopped:
                            self._work.begin(call, self._news.put)
                    else:
                        self._room = anyio.Event()
                        await self._room.wait()
        except BaseException as error:  # noqa: BLE001 - of the user's own iterable: raised where the outcomes are read
            self._news.fail(error)
        finally:
            self.is_over = True
            self._news.wake()


async def _next(calls: AsyncIterator[Any] | Iterator[Any]) -> Any:
    if isinstance(calls, AsyncIterator):
        return await anext(calls, END)
    await anyio.lowlevel.checkpoint()  # so that what was begun goes on while many calls are asked for
    return next(calls, END)
