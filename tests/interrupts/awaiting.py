"""The awaiting client, cancelled at an await: by asyncio in every way it has, by anyio, and on trio.

Lives here: one trial, from opening a client to what is known afterwards. Does not live here: which trials are made
(``sweep``), how they are judged (``verdicts``).
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import anyio
import trio
from blocking import limited, spilled, wrong_next
from clients import KEY, MARKERS, Clock, call_of, journal_locked, open_journal, options_of, plain_call
from positions import Code, Place, Stepped
from verdicts import Trial

from muapi_client import AsyncMuAPI, errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from loopback import Server

    Act = Callable[[Any, Trial], Awaitable[None]]

LIMIT: Final = 50.0  # seconds a caller's time-out allows; the client's own are longer
TRIO: Final = "trio scope"


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time can be moved on, so that a time-out is met at a chosen await."""

    ahead = 0.0

    def time(self) -> float:
        """The reading, in seconds."""
        return super().time() + self.ahead


class SiblingError(Exception):
    """A task fails, and its group cancels the others."""


async def _cancel(stepped: Stepped) -> None:
    task = asyncio.ensure_future(stepped.run())
    stepped.strike = task.cancel
    await asyncio.wait([task])
    await task


async def _wait_for(stepped: Stepped) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)

    def jump() -> None:
        loop.ahead += 2 * LIMIT

    stepped.strike = jump
    await asyncio.wait_for(stepped.run(), LIMIT)


async def _timeout(stepped: Stepped) -> None:
    async with asyncio.timeout(None) as limit:
        stepped.strike = lambda: limit.reschedule(asyncio.get_running_loop().time() - 1.0)
        await stepped


async def _task_group(stepped: Stepped) -> None:
    woken = asyncio.Event()
    stepped.strike = woken.set

    async def sibling() -> None:
        await woken.wait()
        if stepped.struck is not None:
            raise SiblingError

    async def ours() -> None:
        try:
            await stepped
        finally:
            woken.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(sibling())
        group.create_task(ours())


async def _scope(stepped: Stepped) -> None:
    with anyio.CancelScope() as scope:
        stepped.strike = scope.cancel
        await stepped


async def _trio_scope(stepped: Stepped) -> None:
    with trio.CancelScope() as scope:
        stepped.strike = scope.cancel
        await stepped


KINDS: Final[dict[str, Callable[[Stepped], Awaitable[None]]]] = {
    "cancel": _cancel,
    "cancel, resuming": _cancel,
    "cancel, twice": _cancel,
    "wait_for": _wait_for,
    "timeout": _timeout,
    "TaskGroup": _task_group,
    "anyio scope": _scope,
    TRIO: _trio_scope,
}
CLOSES: Final = ("aclose()", "dropped")


class Awaiting:
    """Makes trials with ``AsyncMuAPI``.

    Args:
        client: What makes a client; by default ``AsyncMuAPI``.
    """

    name = "async"

    def __init__(self, server: Server, folder: Path, client: Callable[..., Any] = AsyncMuAPI) -> None:
        self.server, self.folder, self.client = server, folder, client
        self.code = Code()
        self.clock = Clock()
        self._files = 0

    def awaits(self, entry: str, journal: str, kind: str) -> list[Place]:
        """Every place where a call suspends, in order."""
        steps: list[Stepped] = []
        self._trial(entry, journal, kind, self._acting(entry, kind, None, steps))
        return steps[0].places

    def interrupt(self, entry: str, journal: str, kind: str, at: int) -> Trial:
        """Cancel a call at its n-th await."""
        steps: list[Stepped] = []
        trial = self._trial(entry, journal, kind, self._acting(entry, kind, at, steps))
        if steps:
            _take(trial, steps[0], kind)
        return trial

    def leave(self, journal: str, kind: str, after: int) -> Trial:
        """Leave a stream after some of its events."""
        return self._trial("stream", journal, kind, lambda mu, trial: self._leave(mu, trial, kind, after))

    def close(self, entry: str, journal: str, trouble: str, at: int) -> Trial:
        """Close the client during its n-th pause; ``trouble`` is what makes it pause."""
        return self._trial(
            entry, journal, "cancel", lambda mu, trial: self._closed(mu, entry, trial, trouble, at), closed=True
        )

    def _acting(self, entry: str, kind: str, at: int | None, steps: list[Stepped]) -> Act:
        """What enters an entry point, and is cancelled at its n-th await; how it went is added to ``steps``."""

        async def act(mu: Any, trial: Trial) -> None:
            entered = _enter(mu, entry, call_of(entry, trial.marker), trial.answers)
            stepped = Stepped(self.code, entered, at, resuming=kind.endswith("resuming"), again=kind.endswith("twice"))
            steps.append(stepped)
            await KINDS[kind](stepped)

        return act

    async def _leave(self, mu: Any, trial: Trial, kind: str, after: int) -> None:
        events = mu.stream(call_of("stream", trial.marker))
        trial.place = Place("muapi_client", f"stream left after {after} events", 0, kind)
        try:
            for _ in range(after):
                trial.answers.append(await anext(events))
        except StopAsyncIteration:
            trial.place = None
        trial.answers[:-1] = []
        try:
            if kind == "aclose()":
                await events.aclose()
        except BaseException:
            trial.intact = False
            raise
        with spilled(trial):
            asyncio.get_running_loop().set_exception_handler(lambda _loop, told: _spill(trial, told.get("exception")))
            del events
            gc.collect()
            for _ in range(20):  # the event loop closes what was dropped, in a task of its own
                await asyncio.sleep(0)
            gc.collect()

    async def _closed(self, mu: Any, entry: str, trial: Trial, trouble: str, at: int) -> None:
        what, _, answer = trouble.partition(" ")
        self.server.trouble[what] = [answer]

        def close(number: int) -> Any:
            if number != at:
                return None
            trial.place = Place("muapi_client", f"closed during pause {at} after {trouble}", 0, entry)
            return mu.close()

        self.clock.pauses, self.clock.on_sleep = 0, close
        try:
            await _enter(mu, entry, call_of(entry, trial.marker), trial.answers)
        except errors.MuAPIError:
            raise
        except BaseException:
            trial.intact = False
            raise
        finally:
            self.server.trouble.clear()

    def _trial(self, entry: str, journal: str, kind: str, act: Act, *, closed: bool = False) -> Trial:
        """One trial, in an event loop of its own."""
        trial = Trial(next(MARKERS))
        self._files += 1
        path = self.folder / f"async-{self._files}.db"

        async def tried() -> None:
            kept = open_journal(path) if journal != "without" else None
            self.clock = Clock()
            mu = self.client(KEY, self.server.url, journal=kept, clock=self.clock, **options_of(entry))
            locked = journal_locked(self.server, path, trial.marker) if journal == "locked" else nullcontext()
            try:
                await _enter(mu, entry, call_of(entry, next(MARKERS)), [])
                with locked:
                    await self._act(mu, trial, act)
                trial.doubted, trial.listed, trial.finished = await _lists(mu)
                if not closed:
                    trial.broken = await self._next_job(mu)
            finally:
                await mu.close()
                if kept is not None:
                    kept.close()
            if kept is not None:
                trial.listed_later = await self._later(path)

        with limited(trial, "it hung"):
            if kind == TRIO:
                trio.run(tried)
            else:
                with asyncio.Runner(loop_factory=JumpingLoop) as runner:
                    runner.run(tried())
        for file in self.folder.glob(path.name + "*"):
            file.unlink()
        return trial

    async def _act(self, mu: Any, trial: Trial, act: Act) -> None:
        before = self.server.bytes_received
        try:
            await act(mu, trial)
        except (Exception, asyncio.CancelledError, trio.Cancelled) as error:  # noqa: BLE001 - what the caller would get
            trial.raised = error.with_traceback(None)
        self.server.settle()
        trial.arrived = self.server.bytes_received > before
        trial.accepted = list(self.server.accepted[trial.marker])

    async def _later(self, path: Path) -> list[Any]:
        journal = open_journal(path)
        try:
            async with self.client(KEY, self.server.url, journal=journal) as mu:
                doubted, listed, _ = await _lists(mu)
                return [*doubted, *listed]
        finally:
            journal.close()

    async def _next_job(self, mu: Any) -> str:
        """Have one more job done; a sentence where it goes wrong."""
        marker = next(MARKERS)
        spent = mu.spend.total_usd
        try:
            done = await mu.run(plain_call(marker))
        except Exception as error:  # noqa: BLE001 - any at all
            return f"the next job: {type(error).__name__}: {error}"
        return wrong_next(done, self.server.accepted[marker], mu.spend.total_usd - spent)


def _spill(trial: Trial, error: BaseException | None) -> None:
    """Take what an event loop was told of an exception that nobody awaited."""
    trial.raised, trial.intact = error, False


def _take(trial: Trial, stepped: Stepped, kind: str) -> None:
    """Take over what was seen at the client's own coroutine, which a time-out around it may replace."""
    trial.place = stepped.struck
    must_be_heard = kind.startswith("cancel")  # a scope, a time-out or a group may find that all was done before
    if must_be_heard and stepped.raised is None and trial.raised is not None:
        trial.answers.clear()  # asyncio drops what a task returns that was cancelled meanwhile
    trial.raised = stepped.raised or trial.raised
    if stepped.struck is None:
        trial.intact = trial.raised is None or isinstance(trial.raised, errors.MuAPIError)
    elif stepped.interrupted or must_be_heard:
        trial.intact = isinstance(trial.raised, asyncio.CancelledError | trio.Cancelled)


async def _enter(mu: Any, entry: str, call: Any, answers: list[Any]) -> None:
    """Call an entry point; what it answers is added to ``answers`` as it comes."""
    method = entry.partition(",")[0]
    if method == "stream":
        async for event in mu.stream(call):
            answers[:] = [event]
    else:
        answers.append(await getattr(mu, method)(call))


async def _lists(mu: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """What ``unknown()`` lists, that and what ``resume()`` lists, and what ``jobs()`` lists."""
    try:
        doubted = await _listed(mu.unknown())
        listed = [*doubted, *await _listed(mu.resume())]
    except errors.MuAPIError:  # told where it matters: nothing is listed
        return [], [], []
    return doubted, listed, await _listed(mu.jobs()) if hasattr(mu, "jobs") else []


async def _listed(found: Any) -> list[Any]:
    """The items of a list, an iterator, an asynchronous one, or what awaiting gives."""
    if inspect.isawaitable(found):
        found = await found
    if hasattr(found, "__aiter__"):
        return [item async for item in found]
    return list(found)
