"""What becomes of a client's connections when something strikes in the middle of an exchange: the next job is done."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import socket
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import h11
import httpcore
import httpx
import pytest

from muapi_client import AsyncMuAPI, Job, MuAPI, Retry, errors, raw_call
from muapi_client._runtime.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk-live-0123456789abcdef"
CALL = raw_call("new/model", {"prompt": "a red fox"})
STREAM = raw_call("new/model/stream", {"prompt": "a red fox"})
LEFT = raw_call("new/model/stream", {"prompt": "a fox of which one event is enough"})


class Alarm(Exception):  # noqa: N818 - a program's own, as its signal handler raises it
    pass


class Server(socketserver.ThreadingTCPServer):
    """Accepts every job over connections that stay open, and counts both.

    Attributes:
        held: An answer waits for it.
        opened: How many connections were opened.
        open: How many of them are open.
        greeted: Whether the latest of them has sent anything.
        asked: Released for each request that arrived.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.held = threading.Event()
        self.held.set()
        self.opened = self.open = self.accepted = 0
        self.greeted = False
        self.asked = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        server.opened += 1
        server.open += 1
        with suppress(OSError):
            server.greeted = self.request.recv(1, socket.MSG_PEEK) != b""
            while head := self.rfile.readline().strip():
                length = 0
                while line := self.rfile.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                self.rfile.read(length)
                server.accepted += 1
                number = server.accepted
                server.asked.release()
                server.held.wait(10)
                self.wfile.write(self.answer(head, f"job-{number}"))
        server.open -= 1

    def answer(self, head: bytes, job: str) -> bytes:
        body, kind = f'{{"request_id": "{job}", "status": "processing"}}', "application/json"
        if b"stream" in head:
            body, kind = f'data: {{"request_id": "{job}", "text": "a"}}\n\ndata: [DONE]\n\n', "text/event-stream"
        return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.held.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """What SIGUSR1 raises."""
    own = Alarm("the program's own")

    def handler(*_: object) -> None:
        raise own

    before = signal.signal(signal.SIGUSR1, handler)
    yield own
    signal.signal(signal.SIGUSR1, before)


@contextmanager
def client(kind: str, server: Server, **changed: Any) -> Iterator[Callable[..., Any]]:
    """A client of either kind, as a function that submits a job and answers its id, or reads a stream's events."""
    options: dict[str, Any] = {"clock": VirtualClock(), "retry": Retry(attempts=1), "allow_http": True, **changed}
    if kind == "sync":
        with MuAPI(KEY, server.url, **options) as mu:
            yield lambda call=CALL: mu.submit(call).id if call is CALL else read(mu, call)
        return

    with asyncio.Runner() as runner:
        amu = AsyncMuAPI(KEY, server.url, **options)
        try:
            yield lambda call=CALL: runner.run(aask(amu, call))
        finally:
            runner.run(amu.close())


def read(mu: MuAPI, call: Any) -> list[Any]:
    with closing(mu.stream(call)) as events:
        return list(itertools.islice(events, 1 if call is LEFT else None))


async def aask(mu: AsyncMuAPI, call: Any) -> Any:
    if call is CALL:
        return (await mu.submit(call)).id
    found = []
    async with aclosing(mu.stream(call)) as events:
        async for event in events:
            found.append(event)
            if call is LEFT:
                break
    return found


def strike_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, strike: Callable[[], Any]) -> list[str]:
    """Have something happen before the next call of a method in the main thread; answers where it is noted."""
    real = getattr(owner, name)
    struck: list[str] = []

    def replaced(*args: Any, **options: Any) -> Any:
        if not struck and threading.current_thread() is threading.main_thread():
            struck.append(name)
            strike()
        return real(*args, **options)

    monkeypatch.setattr(owner, name, replaced)
    return struck


def owners(kind: str) -> dict[str, tuple[Any, str]]:
    """Methods that an exchange passes, of every layer below the client."""
    aio = kind == "async"
    connection = httpcore.AsyncHTTP11Connection if aio else httpcore.HTTP11Connection
    return {
        "send": (h11.Connection, "send"),
        "next_event": (h11.Connection, "next_event"),
        "start_next_cycle": (h11.Connection, "start_next_cycle"),
        "expired": (connection, "has_expired"),
        "closed": (connection, "_response_closed"),
        "close": (httpx.Response, "aclose" if aio else "close"),
    }


PLACES = ["send", "next_event", "start_next_cycle", "expired", "closed", "close"]


def throw(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("call", [CALL, STREAM], ids=["submit", "stream"])
@pytest.mark.parametrize("what", ["KeyboardInterrupt", "SystemExit", "signal handler"])
@pytest.mark.parametrize("place", PLACES)
def test_an_interrupt_in_the_middle_of_an_exchange_leaves_a_client_that_works(  # noqa: PLR0917 - fixtures
    kind: str, place: str, what: str, call: Any, server: Server, alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    error: BaseException = {"KeyboardInterrupt": KeyboardInterrupt(), "SystemExit": SystemExit(3)}.get(what, alarm)
    with client(kind, server) as ask:
        ask()
        with monkeypatch.context() as patched:
            strike = (lambda: signal.raise_signal(signal.SIGUSR1)) if error is alarm else lambda: throw(error)
            struck = strike_once(patched, *owners(kind)[place], strike)
            with pytest.raises(type(error)) as caught:
                ask(call)
        assert struck
        assert caught.value is error
        assert ask().startswith("job-")
        assert ask().startswith("job-")
    del caught
    gc.collect()  # an unclosed socket would say so, and fail the test


@pytest.mark.parametrize("call", [CALL, STREAM], ids=["submit", "stream"])
@pytest.mark.parametrize("bug", [RuntimeError, TypeError, AssertionError, h11.LocalProtocolError])
@pytest.mark.parametrize("place", PLACES[:-1])
def test_a_bug_below_the_client_is_told_as_an_error_of_the_connection(  # noqa: PLR0917 - fixtures
    kind: str, place: str, bug: type[Exception], call: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client(kind, server) as ask:
        ask()
        before, events = server.accepted, []
        told: errors.MuAPIError | None = None
        with monkeypatch.context() as patched:
            struck = strike_once(patched, *owners(kind)[place], lambda: throw(bug("a bug")))
            try:
                events = ask(call)
            except errors.MuAPIError as error:
                told = error
        assert struck
        if told is None:  # the bug struck behind the last event
            assert (call, len(events)) == (STREAM, 2)
        else:
            assert bug.__name__ in str(told)
            assert server.accepted == before or getattr(told, "sent", True)
        assert ask().startswith("job-")
        assert ask().startswith("job-")
    gc.collect()


@pytest.mark.parametrize("place", ["closed", "close"])
def test_a_bug_in_closing_a_stream_that_was_left_is_not_the_callers(
    kind: str, place: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client(kind, server) as ask:
        with monkeypatch.context() as patched:
            struck = strike_once(patched, *owners(kind)[place], lambda: throw(httpx.ReadError("a bug")))
            assert len(ask(LEFT)) == 1
        assert struck
        assert ask().startswith("job-")
    gc.collect()


def test_an_exchange_leaves_nothing_to_the_garbage_collector(kind: str, server: Server) -> None:
    """What hangs in a ring stays until the collector comes, and has it come more often."""
    with client(kind, server) as ask:
        ask()
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            ask()
            gc.collect()
            left = [each for each in gc.garbage if isinstance(each, httpx.Request | httpx.Response | httpx.Headers)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert left == []


def test_another_threads_exchange_ends_over_connections_that_were_given_up_and_then_they_are_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []
    with client("sync", server) as ask:
        ask()
        server.held.clear()
        other = threading.Thread(target=lambda: answers.append(ask()))
        other.start()
        server.asked.acquire()  # the first job's
        server.asked.acquire(timeout=10)
        with monkeypatch.context() as patched:
            strike_once(patched, h11.Connection, "send", lambda: throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                ask()
        assert server.open >= 1
        server.held.set()
        other.join()
        assert answers == ["job-2"]
        ask()
        wait_until(lambda: server.open == 1)
    wait_until(lambda: server.open == 0)
    gc.collect()


def test_a_cancellation_keeps_the_connections_of_others_and_of_later_calls(server: Server) -> None:
    async def main() -> None:
        async with AsyncMuAPI(KEY, server.url, allow_http=True) as mu:
            server.held.clear()
            submits = [asyncio.create_task(mu.submit(CALL)) for _ in range(4)]
            await await_until(lambda: server.accepted == 4)
            server.held.set()
            await asyncio.gather(*submits)
            while server.asked.acquire(blocking=False):
                pass
            for _ in range(3):
                server.held.clear()
                task = asyncio.create_task(mu.submit(CALL))
                await await_until(lambda: server.asked.acquire(blocking=False))
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                server.held.set()
            await mu.submit(CALL)
            assert server.opened == 4

    asyncio.run(main())


class Cancelled:
    """Awaits something, and cancels its task at the n-th suspension, and so many times more at the next ones."""

    def __init__(self, awaited: Any, at: int, more: int) -> None:
        self.awaited, self.struck = awaited, range(at, at + 1 + more)
        self.seen = 0

    def __await__(self) -> Any:
        inner = self.awaited.__await__()
        step, given = inner.send, None
        while True:
            try:
                suspended = step(given)
            except StopIteration as end:
                return end.value
            if self.seen in self.struck:
                cast("Any", asyncio.current_task()).cancel()
            self.seen += 1
            try:
                step, given = inner.send, (yield suspended)
            except BaseException as error:  # noqa: BLE001 - the coroutine decides
                step, given = inner.throw, error


@pytest.mark.parametrize("more", [0, 1])
def test_a_task_cancelled_at_any_await_leaves_no_connection_that_is_busy_for_ever(server: Server, more: int) -> None:
    async def submit(mu: AsyncMuAPI, at: int) -> bool:
        """Submit, cancelled; whether it ended before."""
        cancelled = Cancelled(mu.submit(CALL), at, more)

        async def main() -> None:
            await cancelled

        with suppress(asyncio.CancelledError):
            await asyncio.create_task(main())
        return cancelled.seen <= at

    async def main() -> None:
        async with AsyncMuAPI(KEY, server.url, allow_http=True) as mu:
            await mu.submit(CALL)
            at = 0
            while not await submit(mu, at):
                await mu.submit(CALL)
                at += 1
                await await_until(lambda: server.open == 1)
            assert at > 1  # two awaits with httpx2, of the request and its answer; more with httpx

    asyncio.run(main())


def test_a_fork_after_an_interrupt_leaves_both_processes_a_client_that_works(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client("sync", server) as ask:
        ask()
        with monkeypatch.context() as patched:
            strike_once(patched, h11.Connection, "start_next_cycle", lambda: throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                ask()
        child = os.fork()
        if child == 0:
            done = 1
            with suppress(BaseException):
                done = 0 if ask().startswith("job-") else 1
            os._exit(done)
        assert os.waitpid(child, 0)[1] == 0
        assert ask().startswith("job-")


def test_a_task_cancelled_during_a_tls_handshake_leaves_no_connection_open(server: Server) -> None:
    async def main() -> None:
        async with AsyncMuAPI(KEY, server.url.replace("http:", "https:")) as mu:
            for _ in range(3):
                task = asyncio.create_task(mu.submit(CALL))
                await await_until(lambda: server.greeted)  # by a handshake that it never answers
                server.greeted = False
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await await_until(lambda: server.open == 0)

    asyncio.run(main())


@pytest.mark.parametrize("place", ["send", "next_event", "expired", "closed"])
def test_an_interrupt_leaves_a_client_that_works_where_a_program_wraps_the_transport(
    kind: str, place: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As programs that trace their requests do."""
    owner, name = (
        (httpx.AsyncHTTPTransport, "handle_async_request")
        if kind == "async"
        else (httpx.HTTPTransport, "handle_request")
    )
    real = getattr(owner, name)

    def traced(self: Any, request: httpx.Request) -> Any:
        return real(self, request)

    monkeypatch.setattr(owner, name, traced)
    with client(kind, server) as ask:
        ask()
        with monkeypatch.context() as patched:
            strike_once(patched, *owners(kind)[place], lambda: throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                ask()
        for _ in range(3):
            assert ask().startswith("job-")
    assert server.opened == 2


def test_failures_use_up_no_connection_where_a_program_sends_a_request_of_its_own(
    kind: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = httpx.AsyncClient if kind == "async" else httpx.Client
    real: Any = owner._send_single_request

    def send_copy(self: Any, request: httpx.Request) -> Any:
        copy = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions=request.extensions,
        )
        return real(self, copy)

    monkeypatch.setattr(owner, "_send_single_request", send_copy)
    with client(kind, server, max_connections=3) as ask:
        with monkeypatch.context() as patched:
            broken = httpcore.AsyncHTTP11Connection if kind == "async" else httpcore.HTTP11Connection
            name = "handle_async_request" if kind == "async" else "handle_request"
            patched.setattr(broken, name, lambda *_: throw(httpcore.ReadError("broken")))
            for _ in range(5):
                with pytest.raises(errors.MuAPIError, match="broken"):
                    ask()
        assert ask().startswith("job-")


def test_jobs_at_once_open_no_more_connections_than_the_client_may(server: Server) -> None:
    with MuAPI(KEY, server.url, max_connections=3) as mu, ThreadPoolExecutor(20) as threads:
        ids = {job.id for job in threads.map(mu.submit, [CALL] * 60) if isinstance(job, Job)}
    assert len(ids) == 60
    assert server.opened <= 3


def test_tasks_at_once_open_no_more_connections_than_the_client_may(server: Server) -> None:
    async def main() -> set[str | None]:
        async with AsyncMuAPI(KEY, server.url, max_connections=3) as mu:
            return {job.id for job in await asyncio.gather(*(mu.submit(CALL) for _ in range(60)))}

    assert len(asyncio.run(main())) == 60
    assert server.opened <= 3


NO_CONNECTION = r"\(it was not sent\)$"


def test_a_submit_that_no_connection_is_free_for_in_time_was_not_sent(server: Server) -> None:
    with MuAPI(KEY, server.url, max_connections=1, retry=Retry(attempts=1)) as mu:
        server.held.clear()
        first = threading.Thread(target=mu.submit, args=(CALL,))
        first.start()
        assert server.asked.acquire(timeout=10)
        with pytest.raises(errors.APIConnectionError, match=NO_CONNECTION) as told:
            mu.with_options(timeout=0.1).submit(CALL)
        server.held.set()
        first.join()
        assert not told.value.sent
        assert mu.unknown() == []
    assert (server.opened, server.accepted) == (1, 1)


def test_an_awaited_submit_that_no_connection_is_free_for_in_time_was_not_sent(server: Server) -> None:
    async def main() -> errors.APIConnectionError:
        async with AsyncMuAPI(KEY, server.url, max_connections=1, retry=Retry(attempts=1)) as mu:
            server.held.clear()
            first = asyncio.create_task(mu.submit(CALL))
            assert await asyncio.to_thread(server.asked.acquire, timeout=10)
            with pytest.raises(errors.APIConnectionError, match=NO_CONNECTION) as told:
                await mu.with_options(timeout=0.1).submit(CALL)
            server.held.set()
            await first
            assert await mu.unknown() == []
            return told.value

    assert not asyncio.run(main()).sent
    assert (server.opened, server.accepted) == (1, 1)


def wait_until(holds: Callable[[], bool]) -> None:
    """Until the server's threads have seen what the client did."""
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.001)


async def await_until(holds: Callable[[], bool]) -> None:
    """The same, where the client's event loop must go on meanwhile."""
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        await asyncio.sleep(0.001)
