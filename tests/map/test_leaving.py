"""Leaving a map, whatever ends it: nothing more is sent, nothing hangs, and what was sent is known."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import make_image
from faces import make_calls

from muapi_client import AsyncMuAPI, MuAPI, MuAPIError, errors
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from faces import Face


class Slow(httpx.BaseTransport):
    """The emulator, which answers a submit only once it is told to."""

    tells_when_sent = True

    def __init__(self, emulator: Emulator) -> None:
        self.inside = emulator.transport()
        self.posts = 0
        self.may_answer = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.posts += 1
            request.extensions["trace"]("http11.send_request_headers.started", {})
            assert self.may_answer.wait(30)
        return self.inside.handle_request(request)


def read_one(outcomes: Any) -> None:
    """Ask for an outcome, unless the client is closed meanwhile."""
    with suppress(MuAPIError):
        next(outcomes, None)


def test_calls_that_no_thread_has_taken_up_are_never_sent(emulator: Emulator) -> None:
    transport, ends = Slow(emulator), []
    mu = MuAPI("sk-live", transport=transport, clock=emulator.clock)
    outcomes = mu.map(make_calls(200), concurrency=200)

    def read() -> None:
        try:
            next(outcomes)
        except MuAPIError as error:
            ends.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    while transport.posts < 32:
        reader.join(0.01)
    closer = threading.Thread(target=mu.close)
    closer.start()
    while not mu._maps or not all(work.books.is_left for work in mu._maps):
        closer.join(0.01)
    transport.may_answer.set()
    for thread in (closer, reader):
        thread.join(30)
    assert "the client was closed while this map was read" in ends[0]
    assert transport.posts == emulator.accepted == len(list(mu.jobs())) == 32


def test_an_interrupt_waits_for_what_is_on_its_way_and_knows_it(face: Face, emulator: Emulator) -> None:
    outcomes = face.map((make_image(prompt=f"fox {number}") for number in count()), concurrency=50)
    next(outcomes)
    with pytest.raises(KeyboardInterrupt) as caught:
        outcomes.throw(KeyboardInterrupt())
    assert len(list(face.ask("jobs"))) == emulator.accepted
    assert any("The map was left" in note for note in caught.value.__notes__)


def test_an_interrupt_waits_for_a_submit_that_follows_an_equal_job_that_failed(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.next(Outcome.failed("no"))
    with MuAPI("sk-live", transport=emulator.transport(), journal=tmp_path / "jobs.db") as mu:
        mu.submit(make_image(prompt="fox 0"))
    transport = Slow(emulator)

    def strike() -> Iterator[Any]:
        yield from make_calls(1)
        while not transport.posts:
            time.sleep(0.001)
        threading.Timer(0.1, transport.may_answer.set).start()
        raise KeyboardInterrupt

    mu = MuAPI("sk-live", transport=transport, clock=emulator.clock, journal=tmp_path / "jobs.db", reuse=True)
    with mu, pytest.raises(KeyboardInterrupt) as caught:
        list(mu.map(strike()))
    (job,) = mu.jobs(state="accepted")
    assert f"1 jobs live on ({job.id})" in caught.value.__notes__[0]
    assert emulator.accepted == 2


def interrupt_the_first_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strike where this thread first sleeps, as Ctrl-C may; it must not sleep again."""
    sleep, waits = time.sleep, []

    def interrupt(seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            sleep(seconds)
            return
        waits.append(seconds)
        assert len(waits) == 1, "it waits again"
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)


def test_a_second_interrupt_leaves_the_map_and_the_client_at_once(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Slow(emulator)

    def calls() -> Iterator[Any]:
        yield from make_calls(3)
        while transport.posts < 3:
            threading.Event().wait(0.01)
        interrupt_the_first_wait(monkeypatch)
        raise KeyboardInterrupt

    mu = MuAPI("sk-live", transport=transport, journal=tmp_path / "jobs.db")
    with pytest.raises(KeyboardInterrupt) as caught, mu:
        list(mu.map(calls(), run="foxes"))
    assert transport.posts == 3
    (note,) = caught.value.__notes__
    assert "3 submits may have been charged, mu.unknown() lists them" in note
    transport.may_answer.set()


def test_an_interrupt_of_a_close_that_waits_is_not_waited_for_again(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Slow(emulator)
    mu = MuAPI("sk-live", transport=transport)
    outcomes = mu.map(make_calls(2))
    reader = threading.Thread(target=read_one, args=(outcomes,), daemon=True)
    reader.start()
    while transport.posts < 2:
        reader.join(0.01)
    interrupt_the_first_wait(monkeypatch)
    with pytest.raises(KeyboardInterrupt) as caught:
        mu.close()
    assert "2 submits may have been charged" in caught.value.__notes__[0]
    mu.close()
    transport.may_answer.set()


def test_a_second_cancellation_leaves_the_awaiting_map_and_its_client_at_once() -> None:
    posts: list[httpx.Request] = []
    ends: list[BaseException] = []

    async def main() -> None:
        async def hang(request: httpx.Request) -> httpx.Response:
            request.extensions["trace"]("http11.send_request_headers.started", {"request": request}).close()
            posts.append(request)
            await asyncio.Event().wait()
            raise AssertionError

        transport = httpx.MockTransport(hang)
        transport.tells_when_sent = True  # type: ignore[attr-defined]

        async def read() -> None:
            async with AsyncMuAPI("sk-live", transport=transport) as mu:
                async for _ in mu.map(make_calls(2)):
                    pass

        reading = asyncio.ensure_future(read())
        while len(posts) < 2:  # noqa: ASYNC110 - what the tasks of the map come to
            await asyncio.sleep(0)
        for _ in range(2):
            reading.cancel()
            for _ in range(20):
                await asyncio.sleep(0)
        try:
            await asyncio.wait_for(reading, 30)
        except asyncio.CancelledError as error:
            ends.append(error)

    asyncio.run(main())
    assert "2 submits may have been charged" in ends[0].__notes__[0]


INTERRUPTED_TWICE = """
import signal, sys, threading, time
import httpx
from by_kind import make_image
from muapi_client import MuAPI

came, sleep = threading.Event(), time.sleep

class Hanging(httpx.BaseTransport):
    tells_when_sent = True

    def handle_request(self, request):
        request.extensions["trace"]("http11.send_request_headers.started", {"request": request})
        came.set()
        threading.Event().wait()

def strike(seconds):
    time.sleep = sleep
    signal.raise_signal(signal.SIGINT)

def calls():
    yield make_image(prompt="a red fox")
    came.wait()
    time.sleep = strike
    signal.raise_signal(signal.SIGINT)

mu = MuAPI("sk-live", transport=Hanging(), journal=sys.argv[1])
try:
    list(mu.map(calls(), run="foxes"))
except KeyboardInterrupt:
    print([entry.state for entry in mu.jobs()])
"""


def test_a_program_that_was_interrupted_twice_waits_for_nothing_at_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED_TWICE, str(tmp_path / "jobs.db")]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("['unknown']\n", "")
    with MuAPI("sk-live", journal=tmp_path / "jobs.db") as mu:
        assert len(mu.unknown()) == 1


def test_closing_the_client_sees_a_map_that_is_left_to_its_end(emulator: Emulator) -> None:
    mu = MuAPI("sk-live", transport=emulator.transport())
    outcomes = mu.map((make_image(prompt=f"fox {number}") for number in count()), concurrency=20)
    next(outcomes)
    mu.close()
    before = emulator.accepted
    assert len(list(mu.jobs())) == before
    assert mu.unknown() == []


def test_an_event_loop_that_ends_after_a_break_leaves_nothing_in_doubt(emulator: Emulator) -> None:
    kept: list[Any] = []

    async def main() -> int:
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            async for outcome in mu.map(make_calls(200), concurrency=100):
                kept.append(outcome)
                break
            kept.append(mu)
        return len(await kept[1].unknown())

    assert asyncio.run(main()) == 0


def test_a_source_may_wait_for_outcomes(emulator: Emulator) -> None:
    """A crawl: each result makes the next call."""

    async def main() -> list[str]:
        asked: asyncio.Queue[int | None] = asyncio.Queue()
        await asked.put(0)

        async def calls() -> AsyncIterator[Any]:
            while (number := await asked.get()) is not None:
                yield make_image(prompt=f"fox {number}")

        seen = []
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            async for outcome in mu.map(calls()):
                seen.append(outcome.call.body["prompt"])
                await asked.put(len(seen) if len(seen) < 5 else None)
        return seen

    assert asyncio.run(asyncio.wait_for(main(), 60)) == [f"fox {number}" for number in range(5)]


def test_what_an_asynchronous_source_raises_reaches_a_reader_who_is_busy(emulator: Emulator) -> None:
    async def calls() -> AsyncIterator[Any]:
        yield make_calls(1)[0]
        await asyncio.sleep(0)
        raise LookupError("the table is gone")

    async def main() -> None:
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            async for _ in mu.map(calls()):
                await asyncio.sleep(0.05)

    with pytest.raises(LookupError, match="the table is gone"):
        asyncio.run(main())


def test_an_asynchronous_source_that_is_quiet_does_not_hold_up_a_map_that_stops(emulator: Emulator) -> None:
    async def calls() -> AsyncIterator[Any]:
        yield "no call"
        await asyncio.Event().wait()

    async def main() -> list[Any]:
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            return [outcome async for outcome in mu.map(calls(), stop_on=MuAPIError)]

    assert len(asyncio.run(asyncio.wait_for(main(), 30))) == 1


def test_a_forked_child_closes_its_parents_client_without_waiting_for_the_parents_map(emulator: Emulator) -> None:
    transport = Slow(emulator)
    mu = MuAPI("sk-live", transport=transport, clock=emulator.clock)
    outcomes = mu.map(make_calls(3))
    reader = threading.Thread(target=read_one, args=(outcomes,), daemon=True)
    reader.start()
    while not any(work.books.has_submits for work in mu._maps):
        reader.join(0.01)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        mu.close()
        os._exit(0)
    ended = threading.Thread(target=os.waitpid, args=(child, 0), daemon=True)
    ended.start()
    ended.join(30)
    assert not ended.is_alive()
    transport.may_answer.set()
    mu.close()


def test_a_map_whose_own_tasks_are_cancelled_ends_with_that() -> None:
    emulator = Emulator(job_seconds=600)

    async def main() -> None:
        with emulator.serve() as url:
            async with AsyncMuAPI("sk-live", url) as mu:
                outcomes = mu.map(make_calls(3))
                reading = asyncio.ensure_future(anext(outcomes))
                while emulator.accepted < 3:  # noqa: ASYNC110 - a server in a thread
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)
                for task in asyncio.all_tasks() - {asyncio.current_task(), reading}:
                    task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(asyncio.shield(reading), 30)
                await outcomes.aclose()

    asyncio.run(main())


def test_where_no_thread_can_be_started_that_is_said(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        outcomes = mu.map(make_calls(3))
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(MuAPIError, match="map needs a thread, and the system starts none"):
            next(outcomes)
    assert emulator.accepted == 0


PROGRAM = """
import sys
from by_kind import make_image
from muapi_client import MuAPI
mu = MuAPI("sk-live", sys.argv[1], journal=sys.argv[2])
outcomes = mu.map(make_image(prompt=f"fox {n}") for n in range(10_000))
for outcome in outcomes:
    sys.exit("enough")
"""


def test_a_program_that_ends_in_the_middle_ends_and_knows_what_it_sent(tmp_path: Path) -> None:
    emulator = Emulator(job_seconds=0.2, balance=10**6)
    with emulator.serve() as url:
        command = [sys.executable, "-c", PROGRAM, url, str(tmp_path / "jobs.db")]
        environment = {"PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.strip() == "enough"
    with MuAPI("sk-live", url, journal=tmp_path / "jobs.db") as mu:
        assert mu.unknown() == []
        assert len(list(mu.jobs())) == emulator.accepted


def test_a_journal_that_was_locked_hides_no_accepted_job(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from muapi_client import Journal

    def refuse(*_: Any, **__: Any) -> None:
        raise errors.JournalError("journal jobs.db: it stayed locked")

    face = open_client(journal=tmp_path / "jobs.db")
    monkeypatch.setattr(Journal, "accept", refuse)
    (outcome,) = face.map(make_calls(1), run="portraits", retry_unknown=True)
    assert isinstance(outcome.error, errors.JournalError)
    assert outcome.job.id == outcome.error.request_id
    monkeypatch.undo()
    (again,) = face.map(make_calls(1), run="portraits", retry_unknown=True)
    assert again.job.id == outcome.job.id
    assert emulator.accepted == 1


def test_what_is_no_call_is_refused_in_a_run_as_well(open_client: Callable[..., Face], tmp_path: Path) -> None:
    face = open_client(journal=tmp_path / "jobs.db")
    list(face.map(make_calls(2), run="portraits"))
    first, second = face.map(["no call", make_calls(2)[1]], run="portraits", ordered=True)
    assert isinstance(first.error, MuAPIError)
    assert second.error is None


class Endless:
    """Calls that tell a length, of whatever kind."""

    def __init__(self, length: Any) -> None:
        self.length = length

    def __len__(self) -> int:
        answer: int = self.length
        return answer

    def __iter__(self) -> Iterator[Any]:
        return iter(make_calls(2))


@pytest.mark.parametrize("length", [None, -1, 2**62])
def test_a_length_that_is_none_or_no_forecast_ends_nothing(face: Face, length: Any) -> None:
    told: list[Any] = []
    assert len(list(face.map(Endless(length), on_progress=told.append))) == 2
    assert told[-1].finished == 2


@pytest.mark.parametrize("word", ["\ud800", "fox \udfff"])
def test_half_characters_are_refused_as_names(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path, word: str
) -> None:
    face = open_client(journal=tmp_path / "jobs.db")
    with pytest.raises(MuAPIError, match="without halves of characters"):
        face.map(make_calls(1), run=word)
    with pytest.raises(MuAPIError, match="without halves of characters"):
        list(face.map(make_calls(1), key=lambda *_: word))
    assert emulator.accepted == 0


def test_what_waits_for_its_turn_is_not_in_the_journal_yet(emulator: Emulator, tmp_path: Path) -> None:
    """Killed while it waits, it was provably not sent."""
    states: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            states.append(len(list(MuAPI("sk-live", journal=tmp_path / "jobs.db").jobs(state="intent"))))
            return httpx.Response(429, json={"detail": "slow down"}, headers={"retry-after": "30"})
        return httpx.Response(404)

    transport = httpx.MockTransport(answer)
    options: dict[str, Any] = {"journal": tmp_path / "jobs.db", "clock": emulator.clock, "wait_timeout": 300.0}
    with MuAPI("sk-live", transport=transport, **options) as mu:
        outcomes = list(mu.map(make_calls(20), concurrency=20))
        assert {type(outcome.error) for outcome in outcomes} == {errors.RateLimitError}
        assert list(mu.jobs()) == []
    assert len(states) < 20 * 30


def test_a_clock_of_ones_own_is_slept_on_beside_the_others() -> None:
    class Fast:
        """A hundred times as fast as time."""

        def now(self) -> float:
            return time.monotonic() * 100

        def sleep(self, seconds: float) -> None:
            threading.Event().wait(seconds / 100)

        async def asleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds / 100)

    with (
        Emulator(job_seconds=0.1).serve() as url,
        MuAPI("sk-live", url, clock=Fast(), timeout=6000.0) as mu,
    ):
        assert len(list(mu.map(make_calls(10), concurrency=5))) == 10
