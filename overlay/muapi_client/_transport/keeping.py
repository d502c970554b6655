"""Carry out writes to the journal: once blocking, once awaiting. Once begun, one is finished, whatever strikes.

Lives here: finishing a write that an interrupt or a cancellation falls into, and the writes of an event loop's tasks,
which travel to one thread together. Does not live here: making them durable (``_state/journal/commits``), when they
are written (``_jobs``).
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from muapi_client._runtime.locks import ForkLock
from muapi_client._transport.threads import run_in_thread
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

    from muapi_client._state.journal.commits import GroupCommit, Write

THREADS: Final = 8  # in which an event loop's tasks use journals at a time; a file lets one through at a time
GROUPS: Final = 4  # carried out one after another before another task takes over: whose thread it is waits for them


def keep(work: Callable[[], Any], commits: GroupCommit | None, *, is_lasting: bool = True) -> Any:
    """Write to the journal, as :class:`Keep` says.

    A write that an interrupt cuts short is done once more before the interrupt goes on.
    """
    write = None
    try:
        if commits is None:
            return work()
        write = commits.make_write(work, is_lasting=is_lasting)
        commits.carry_out(write)
        return write.answer()
    except MuAPIError:
        raise
    except BaseException as interrupt:
        try:
            if commits is None or write is None:
                work()
            else:
                commits.finish(write)
                write.note_failure(interrupt)
        except Exception as error:  # noqa: BLE001 - whatever it is: the interrupt is not replaced by it
            interrupt.add_note(str(error) or type(error).__name__)
        raise


async def akeep(work: Callable[[], Any], commits: GroupCommit | None, *, is_lasting: bool = True) -> Any:
    """The twin of :func:`keep`, in a worker thread: once begun it is finished, and then a cancellation goes on.

    A shield holds off the cancellations of anyio and trio. Those of asyncio strike through it, and drop the work where
    no thread has taken it up yet, so it is asked for again until it is done.
    """
    import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

    doing = _Alone(work) if commits is None else _Together(work, commits, is_lasting=is_lasting)
    cancelled = None
    with anyio.CancelScope(shield=True):
        while True:
            try:
                await doing.finish()
                break
            except GeneratorExit as closing:  # nothing can be awaited any more
                doing.finish_at_once()
                doing.note_failure(closing)
                raise
            except anyio.get_cancelled_exc_class() as error:
                cancelled = error
    if cancelled is None:
        return doing.answer()
    doing.note_failure(cancelled)
    try:
        raise cancelled
    finally:
        del cancelled  # its traceback holds this frame


class _Alone:
    """Work that is done once, whoever asks for it and how often, in a thread of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work: Callable[[], Any] | None = work
        self._lock = ForkLock()
        self._outcome: Any = None
        self._error: BaseException | None = None

    async def finish(self) -> None:
        """Work, or wait until it is done."""
        await run_in_thread(self.finish_at_once, limiter=_find_limiter())

    def finish_at_once(self) -> None:
        """The same, in this thread."""
        with self._lock:
            work, self._work = self._work, None
            if work is not None:
                try:
                    self._outcome = work()
                except BaseException as error:  # noqa: BLE001 - answer() raises it where the flow can be told
                    self._error = error

    def answer(self) -> Any:
        """What the work came to."""
        if self._error is not None:
            raise self._error
        return self._outcome

    def note_failure(self, interrupt: BaseException) -> None:
        """Let an interrupt say that the work failed; the failure does not take its place."""
        if self._error is not None:
            interrupt.add_note(str(self._error))


class _Together:
    """The twin of :class:`_Alone`: a write that travels to its thread with those of other tasks."""

    def __init__(self, work: Callable[[], Any], commits: GroupCommit, *, is_lasting: bool) -> None:
        self._commits, self._write = commits, commits.make_write(work, is_lasting=is_lasting)
        self.answer, self.note_failure = self._write.answer, self._write.note_failure

    async def finish(self) -> None:
        """Write, or wait until it is written."""
        await _find_queue(self._commits).finish(self._write, self._commits)

    def finish_at_once(self) -> None:
        """The same, in this thread."""
        self._commits.carry_out(self._write)


class _Queue:
    """The writes of an event loop's tasks to one journal: while some are carried out, the next ones gather."""

    def __init__(self) -> None:
        self._waiting: dict[Write, anyio.Event] = {}
        self._is_busy = False

    async def finish(self, write: Write, commits: GroupCommit) -> None:
        """Wait until a write is carried out, or carry out all that wait."""
        import anyio  # noqa: PLC0415 - as above

        try:
            while not write.is_done:
                called = self._waiting[write] = anyio.Event()
                if self._is_busy:
                    await called.wait()
                else:
                    await self._carry_out(commits)
        finally:
            self._waiting.pop(write, None)

    async def _carry_out(self, commits: GroupCommit) -> None:
        from muapi_client._transport.event_loop import find_call_soon  # noqa: PLC0415 - as above

        self._is_busy = True
        try:
            await run_in_thread(self._carry_out_gathered, commits, find_call_soon(), limiter=_find_limiter())
        finally:  # a cancellation of asyncio's may leave the thread at work: whoever is called next waits for it
            self._is_busy = False
            with suppress(RuntimeError):  # the event loop has ended, and with it the tasks that wait
                self._call()

    def _carry_out_gathered(self, commits: GroupCommit, call_soon: Callable[[Callable[[], None]], None]) -> None:
        """Carry out what waits, and then, without a way through the event loop, what has gathered meanwhile."""
        for _ in range(GROUPS):
            writes = [write for write in tuple(self._waiting) if not write.is_done]
            if not writes:
                break
            commits.carry_out(*writes)
            call_soon(self._call)

    def _call(self) -> None:
        """Tell those whose writes are done and, where no thread is at work, one of the others to begin anew."""
        left = []
        for write, called in self._waiting.items():
            if write.is_done:
                called.set()
            else:
                left.append(called)
        if left and not self._is_busy:
            left[0].set()


def _find_limiter() -> Any:
    """How many threads this event loop's tasks may use journals in at a time.

    A limit of its own: threads that themselves wait for this client may have used up the one all others share.
    """
    import anyio  # noqa: PLC0415 - as above

    limits, _ = _of_loop()
    try:
        return limits.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(THREADS)
        limits.set(limiter)
        return limiter


def _find_queue(commits: GroupCommit) -> _Queue:
    """The queue of this event loop for a journal."""
    _, queues = _of_loop()
    known: WeakKeyDictionary[GroupCommit, _Queue]
    try:
        known = queues.get()
    except LookupError:
        known = WeakKeyDictionary()
        queues.set(known)
    queue = known.get(commits)
    if queue is None:
        queue = known[commits] = _Queue()
    return queue


@cache
def _of_loop() -> tuple[Any, Any]:
    from anyio.lowlevel import RunVar  # noqa: PLC0415 - as above

    return RunVar("muapi_client_journal_limit"), RunVar("muapi_client_journal_queues")
