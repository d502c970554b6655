"""Asking for calls and handing out their outcomes, once blocking and once awaiting.

Lives here: when a map goes on, and what it leaves behind when it is left. Does not live here: its books
(``_jobs/mapping``), carrying its calls on (``scheduler``).

Calls are asked for where the outcomes are: in the caller's own thread or task, one at a time, while it waits. So a map
that nobody reads begins no more calls, and what an iterable raises reaches its reader.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator
from inspect import isawaitable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

from muapi_client._transport.scheduler import Task
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from muapi_client._jobs.map_item import Item
    from muapi_client._jobs.mapping import Mapping
    from muapi_client._protocol.steps import Flow
    from muapi_client._transport.scheduler import Tasks, Threads
    from muapi_client._types.outcome import Outcome, Progress

END: Final = object()  # there are no more calls
PATIENCE: Final = 0.5  # seconds after which a waiting thread looks up: where it waits for ever, Windows hears no Ctrl-C


class Work:
    """What both drivers are given.

    Args:
        books: The map's.
        flow: Makes the flow of a call; is given what to call with the item once it was accepted.
        progress: Reads how far the map is.
    """

    def __init__(
        self,
        books: Mapping,
        flow: Callable[[Item, Callable[[Item], object]], Flow[Outcome[Any]]],
        progress: Callable[[], Progress],
    ) -> None:
        self.books = books
        self._flow = flow
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

    def begin(self, call: Any, workers: Threads[Any] | Tasks[Any], note: Callable[[Item], object]) -> bool:
        """Have the next call carried on; answers whether there was one.

        Args:
            call: The next one, or ``END``.
            note: Called with the item whenever more is known of it, from whatever thread.
        """
        if call is END:
            self.books.stop()
            return False
        item = self.books.begin(call)

        def end(task: Task[Outcome[Any]]) -> None:
            item.end(task.answer, task.error)
            note(item)

        workers.start(Task(self._flow(item, note), end))
        return True

    def take(self, item: Item) -> object:
        """Take in what is known of a call by now; answers what the caller's ``on_progress`` does.

        Raises:
            BaseException: What ended it in place of an outcome.
        """
        self.books.take(item)
        return None if self.books.on_progress is None else self.books.on_progress(self._progress())


def run_map(work: Work, calls: Iterator[Any], threads: Threads[Outcome[Any]]) -> Generator[Outcome[Any]]:
    """Hand out the outcomes of calls as they come."""
    books = work.books
    news: SimpleQueue[Item] = SimpleQueue()  # of which more is known than before
    try:
        while True:
            work.refuse_fork()
            began = books.has_room and work.begin(next(calls, END), threads, news.put)
            while not news.empty():
                work.take(news.get())
            outcome = books.next()
            if outcome is not None:
                yield outcome
                books.hand_out(outcome)
            elif not began:
                if books.is_empty:
                    return
                work.take(_wait(news))
    except BaseException as why:
        if work.is_ours:
            _leave(books, threads, news, why)
        raise
    finally:
        threads.close()


def _leave(books: Mapping, threads: Threads[Any], news: SimpleQueue[Item], why: BaseException) -> None:
    """Begin no more, and see what is being submitted to its end; a second interrupt leaves at once."""
    try:
        books.stop()
        threads.abandon()
        while books.has_submits:
            _wait(news)
    except BaseException as again:
        again.add_note(books.describe())
        raise
    why.add_note(books.describe())


def _wait(news: SimpleQueue[Item]) -> Item:
    while True:
        try:
            return news.get(timeout=PATIENCE)
        except Empty:
            continue


async def arun_map(
    work: Work, calls: AsyncIterator[Any] | Iterator[Any], make_tasks: Callable[[], Tasks[Outcome[Any]]]
) -> AsyncGenerator[Outcome[Any]]:
    """The twin of :func:`run_map`, awaiting."""
    books, news, tasks = work.books, News(), make_tasks()
    try:
        while True:
            began = books.has_room and work.begin(await _next(calls), tasks, news.put)
            while news.items:
                await _await(work.take(news.items.popleft()))
            outcome = books.next()
            if outcome is not None:
                yield outcome
                books.hand_out(outcome)
            elif not began:
                if books.is_empty:
                    return
                await news.wait()
    except BaseException as why:
        await _aleave(books, tasks, news, why)
        raise
    finally:
        tasks.close()


async def _aleave(books: Mapping, tasks: Tasks[Any], news: News, why: BaseException) -> None:
    """The twin of :func:`_leave`."""
    try:
        books.stop()
        tasks.abandon()
        with anyio.CancelScope(shield=True):  # a second cancellation by asyncio itself strikes through it
            while books.has_submits:
                news.items.clear()
                await news.wait()
    except BaseException as again:
        again.add_note(books.describe())
        raise
    why.add_note(books.describe())


class News:
    """What more is known of, for one task that waits for it."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self._came = anyio.Event()

    def put(self, item: Item) -> None:
        """More is known of an item."""
        self.items.append(item)
        self._came.set()

    async def wait(self) -> None:
        """Wait until there are news."""
        if not self.items:
            self._came = anyio.Event()
            await self._came.wait()


async def _next(calls: AsyncIterator[Any] | Iterator[Any]) -> Any:
    if isinstance(calls, AsyncIterator):
        return await anext(calls, END)
    await anyio.lowlevel.checkpoint()  # so that what was begun goes on while many calls are asked for
    return next(calls, END)


async def _await(answer: object) -> None:
    if isawaitable(answer):
        await answer
