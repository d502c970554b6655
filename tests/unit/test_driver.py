"""Carrying a flow out: nothing that goes wrong leaves it suspended, and a journal write once begun is finished."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from muapi_client._protocol.steps import Do, Keep, Sleep
from muapi_client._runtime.clock import VirtualClock
from muapi_client._settings.api_key import APIKey
from muapi_client._transport import driver as _driver
from muapi_client._transport.connections import AsyncConnections, Connections
from muapi_client.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

KEY = APIKey("sk-live-0123456789abcdef")


def drive(flow: Any) -> Any:
    return _driver.run(flow, Connections(None, most=1), VirtualClock(), "http://127.0.0.1:9", KEY)


async def adrive(flow: Any) -> Any:
    return await _driver.arun(flow, AsyncConnections(None, most=1), VirtualClock(), "http://127.0.0.1:9", KEY)


class Flow:
    """A flow of three steps that notes what it was thrown, and how it ended."""

    def __init__(self) -> None:
        self.thrown: BaseException | None = None
        self.ended = False
        self.kept = 0

    def steps(self) -> Generator[Any, Any, str]:
        try:
            yield Do(lambda: None)
            yield Sleep(1.0)
            yield Keep(lambda: None)
        except BaseException as error:
            self.thrown = error
            yield Keep(self.keep)
            raise
        else:
            return "done"
        finally:
            self.ended = True

    def keep(self) -> None:
        self.kept += 1


def interrupting(at: int, functions: set[Any]) -> tuple[Callable[..., Any], list[int]]:
    """A trace function that raises at the line event number ``at`` of some functions, and how many it has seen."""
    seen = [0]

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code not in functions:
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == at:
                raise KeyboardInterrupt
        return trace

    return trace, seen


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_interrupt_at_any_line_of_the_driver_reaches_the_flow(kind: str) -> None:
    names = ["run", "_run", "carry_out", "keep"] if kind == "sync" else ["arun", "_arun", "acarry_out", "akeep"]
    codes = {getattr(_driver, name).__code__ for name in names}
    at, before = 0, sys.gettrace()
    while True:
        at += 1
        told = Flow()
        flow = told.steps()
        trace, seen = interrupting(at, codes)
        coroutine = adrive(flow) if kind == "async" else None
        interrupted = False
        loop = asyncio.new_event_loop()
        sys.settrace(trace)
        try:
            drive(flow) if coroutine is None else loop.run_until_complete(coroutine)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(before)
            with warnings.catch_warnings(), suppress(Exception):
                warnings.simplefilter("ignore")
                loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
        assert told.ended or not told.thrown, f"line event {at}"
        assert inspect.getgeneratorstate(flow) != inspect.GEN_SUSPENDED, f"line event {at}"
        if seen[0] < at:
            break
        assert interrupted, f"swallowed at line event {at}"
        if told.thrown is not None:
            assert isinstance(told.thrown, KeyboardInterrupt)
            assert told.kept == 1
    assert at > 20


def test_an_error_out_of_a_flow_that_has_ended_is_not_thrown_into_it_again() -> None:
    def flow() -> Generator[Any, Any, None]:
        yield Do(lambda: None)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        drive(flow())


def keeping(write: Callable[[], Any], log: list[Any]) -> Generator[Any, Any, str]:
    """A flow of one write that notes what came of it."""
    try:
        log.append((yield Keep(write)))
    except BaseException as error:
        log.append(error)
        raise
    return "kept"


def test_a_write_that_an_interrupt_cuts_short_is_done_once_more_and_then_the_interrupt_goes_on() -> None:
    tries: list[BaseException | None] = [KeyboardInterrupt(), None]
    begun: list[Any] = []

    def write() -> None:
        begun.append(tries.pop(0))
        if begun[-1] is not None:
            raise begun[-1]

    log: list[Any] = []
    with pytest.raises(KeyboardInterrupt) as caught:
        drive(keeping(write, log))
    assert caught.value is begun[0]
    assert begun[1:] == [None]
    assert log == [caught.value]


def test_what_goes_wrong_with_the_second_write_does_not_replace_the_interrupt() -> None:
    interrupt = KeyboardInterrupt()
    tries: list[BaseException] = [interrupt, OSError("no space left")]

    def write() -> None:
        raise tries.pop(0)

    log: list[Any] = []
    with pytest.raises(KeyboardInterrupt) as caught:
        drive(keeping(write, log))
    assert caught.value is interrupt
    assert caught.value.__notes__ == ["no space left"]
    assert (log, tries) == ([interrupt], [])


def test_the_trouble_of_the_second_write_is_a_note_of_the_interrupt() -> None:
    tries: list[BaseException] = [KeyboardInterrupt(), JournalError("the disk is full")]

    def write() -> None:
        raise tries.pop(0)

    with pytest.raises(KeyboardInterrupt) as caught:
        drive(keeping(write, []))
    assert caught.value.__notes__ == ["the disk is full"]


def test_a_write_that_fails_by_itself_is_not_done_again() -> None:
    done: list[int] = []

    def write() -> None:
        done.append(1)
        raise JournalError("the disk is full")

    for attempt in (drive, lambda flow: asyncio.run(adrive(flow))):
        with pytest.raises(JournalError, match="full"):
            attempt(keeping(write, []))
    assert len(done) == 2


class SlowWrite:
    """A write that stands until it is let go on."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.begun, self.go, self.done = threading.Event(), threading.Event(), 0
        self.fault = fault

    def __call__(self) -> str:
        self.begun.set()
        assert self.go.wait(60)
        self.done += 1
        if self.fault is not None:
            raise self.fault
        return "written"


async def until(event: threading.Event) -> None:
    while not event.is_set():
        await anyio.lowlevel.checkpoint()


def test_a_native_cancellation_waits_for_the_write_however_often_it_comes() -> None:
    async def main(log: list[Any], write: SlowWrite) -> asyncio.Task[str]:
        task = asyncio.create_task(adrive(keeping(write, log)))
        await until(write.begun)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not task.done()
        write.go.set()
        with suppress(asyncio.CancelledError):
            await task
        return task

    log: list[Any] = []
    write = SlowWrite()
    assert asyncio.run(main(log, write)).cancelled()
    assert write.done == 1
    assert [type(one) for one in log] == [asyncio.CancelledError]


def test_a_cancellation_before_the_write_has_begun_does_not_drop_it() -> None:
    async def main(turns: int) -> int:
        written: list[int] = []
        task = asyncio.create_task(adrive(keeping(lambda: written.append(1), [])))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return len(written)

    assert asyncio.run(main(0)) == 0  # the flow had not begun
    for turns in range(1, 12):
        assert asyncio.run(main(turns)) == 1, turns


def test_what_goes_wrong_with_a_write_never_replaces_a_cancellation() -> None:
    async def main(write: SlowWrite) -> BaseException:
        task = asyncio.create_task(adrive(keeping(write, [])))
        await until(write.begun)
        task.cancel()
        await asyncio.sleep(0)
        write.go.set()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value

    assert asyncio.run(main(SlowWrite(JournalError("locked")))).__notes__ == ["locked"]


@pytest.mark.parametrize("limit", ["wait_for", "timeout", "task group"])
def test_limits_of_asyncio_wait_for_the_write_and_then_strike(limit: str) -> None:
    async def main(write: SlowWrite, log: list[Any]) -> None:
        async def let_go() -> None:
            await until(write.begun)
            await asyncio.sleep(0.02)
            write.go.set()

        helper = asyncio.create_task(let_go())
        if limit == "wait_for":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(adrive(keeping(write, log)), 0.01)
        elif limit == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await adrive(keeping(write, log))
        else:
            with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
                async with asyncio.TaskGroup() as group:
                    group.create_task(adrive(keeping(write, log)))
                    await until(write.begun)
                    raise ValueError("the other one")
            assert caught.group_contains(ValueError)
        await helper

    write, log = SlowWrite(), []
    asyncio.run(main(write, log))
    assert write.done == 1
    assert len(log) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_scope_waits_for_the_write_and_then_strikes(backend: str) -> None:
    async def main(write: SlowWrite, log: list[Any]) -> bool:
        async with anyio.create_task_group() as group:

            async def let_go() -> None:
                await until(write.begun)
                scope.cancel()
                await anyio.sleep(0.01)
                write.go.set()

            with anyio.CancelScope() as scope:
                group.start_soon(let_go)
                await adrive(keeping(write, log))
                await anyio.lowlevel.checkpoint()
        return scope.cancelled_caught

    write, log = SlowWrite(), []
    assert anyio.run(main, write, log, backend=backend)
    assert write.done == 1
    assert log == ["written"]


def test_a_coroutine_that_is_closed_still_writes() -> None:
    """An event loop that ends closes what it awaited: nothing can be awaited then."""
    told = Flow()
    coroutine = adrive(told.steps())

    async def main() -> None:
        asyncio.current_task()
        with suppress(StopIteration):
            for _ in range(2):  # into the sleep of the flow, or the write after it
                coroutine.send(None)

    asyncio.run(main())
    coroutine.close()
    assert told.ended
    assert isinstance(told.thrown, GeneratorExit)
    assert told.kept == 1
