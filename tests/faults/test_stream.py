"""Streams over real sockets: whatever the connection does, the end is seen or an error tells what is known."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import gzip
import os
import socket
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest
from by_kind import make_stream
from server import LINGER_0
from wire import End, Pause, head

from muapi_client import AsyncMuAPI, MuAPI, Retry, errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wire import Move

CALL = make_stream(prompt="x")
KEY = "sk-live-5150"
SSE = ("content-type", "text/event-stream")
CHUNKED = ("transfer-encoding", "chunked")
COST = ("x-muapi-cost-usd", "0.002000")
HEL, LO, DONE = b'data: {"text": "Hel"}\n\n', b'data: {"text": "lo"}\n\n', b"data: [DONE]\n\n"
FINISH = b"".join(
    b'data: {"choices": [{"index": %d, "delta": {"content": "Hel"}, "finish_reason": %s}]}\n\n' % one
    for one in ((0, b'"stop"'), (1, b"null"))
)
GZIP = ("content-encoding", "gzip")
PACKED = gzip.compress(HEL)
START = head(200, [SSE, CHUNKED, COST])
LAST = b"0\r\n\r\n"
SILENCE = 2  # seconds without a byte that these clients bear; a busy machine is never silent as long
SOON = 20.0  # seconds in which even a busy machine ends what should end at once; the server would go on for 60


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def waits_for_the_peer(connection: socket.socket) -> bool:
    """Whether bytes that were sent have not arrived yet."""
    return fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)) != bytes(4)


class RawServer:
    """A server that answers each request with the next list of moves, the last one again and again."""

    def __init__(self) -> None:
        self.scripts: list[list[Move]] = []
        self.requests: list[bytes] = []
        self.closed = threading.Event()  # the client has closed a connection that we had not
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                while self._answer(connection):
                    pass

    def _answer(self, connection: socket.socket) -> bool:
        """Serve one request; whether the connection is still good."""
        try:
            if not self._read(connection):
                return False
            for move in self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]:
                if isinstance(move, bytes):
                    connection.sendall(move)
                elif isinstance(move, Pause):
                    self._over.wait(move.seconds)
                else:
                    if move is End.RESET:
                        while waits_for_the_peer(connection):  # a reset drops what has not arrived
                            os.sched_yield()
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
                    return False
        except OSError:
            self.closed.set()
            return False
        return True

    def _read(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"}"):
            piece = connection.recv(65536)
            if not piece:
                self.closed.set()
                return False
            data += piece
        self.requests.append(data)
        return True


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server without a script."""
    with RawServer() as running:
        yield running


def listen(kind: str, server: RawServer, *, only: int | None = None, **options: Any) -> tuple[str, Any]:
    """The text a stream yields, and the error it ends with, or its last event."""
    options = {"timeout": SILENCE, "retry": Retry(attempts=2, initial=0.01), **options}
    heard: list[Any] = []
    try:
        if kind == "sync":
            _hear(MuAPI(KEY, server.url, **options), heard, only)
        else:
            asyncio.run(_ahear(AsyncMuAPI(KEY, server.url, **options), heard, only))
    except errors.MuAPIError as error:
        return "".join(event.text for event in heard), error
    return "".join(event.text for event in heard), heard[-1]


def _hear(mu: MuAPI, heard: list[Any], only: int | None) -> None:
    with mu:
        for event in mu.stream(CALL):
            heard.append(event)
            if len(heard) == only:
                break


async def _ahear(mu: AsyncMuAPI, heard: list[Any], only: int | None) -> None:
    async with mu:
        async for event in mu.stream(CALL):
            heard.append(event)
            if len(heard) == only:
                break


@pytest.mark.parametrize(
    "moves",
    [
        [START, chunk(HEL), chunk(LO), chunk(DONE), LAST],
        [START, chunk(HEL), chunk(LO), LAST],
        [START + chunk(HEL + LO) + LAST],
        [START, *(move for byte in HEL + LO for move in (chunk(bytes([byte])), Pause(0.001))), LAST],
        [START, chunk(HEL), Pause(SILENCE * 0.6), chunk(b": still there\n\n"), Pause(SILENCE * 0.6), chunk(LO), LAST],
        [head(200, [SSE, ("content-length", str(len(HEL + LO)))]), HEL, LO],
        [head(200, [SSE, CHUNKED, GZIP]), chunk(gzip.compress(HEL)), chunk(gzip.compress(LO)), LAST],
        [head(200, [SSE]), HEL, LO, DONE, End.CLOSE],
        [head(200, [SSE]), HEL, LO, DONE.strip(), End.CLOSE],
        [head(200, [("connection", "close")]), b'{"text": "Hel"}\n{"text": "lo", "done": true}', End.CLOSE],
        [head(200, [("content-type", "application/json")]), b'{"text": "Hello"}', End.CLOSE],
        [START, chunk(HEL), chunk(LO), chunk(DONE), End.RESET],
        [START, chunk(HEL), chunk(LO), chunk(DONE), End.CLOSE],
        [head(429, [("content-length", "2")]) + b"{}", START + chunk(HEL + LO) + LAST],
        [b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", START, chunk(HEL + LO), LAST],
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_whose_end_was_seen_is_whole(kind: str, server: RawServer, moves: list[Any]) -> None:
    first, rest = (moves[:1], moves[1:]) if moves[0].startswith(b"HTTP/1.1 429") else (moves, [])
    server.scripts = [first, rest] if rest else [first]
    text, last = listen(kind, server)
    assert text == "Hello"
    assert last.done
    assert len(server.requests) == (2 if rest else 1)


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ([START, chunk(HEL), End.RESET], "reset|broke|read"),
        ([START, chunk(HEL), End.CLOSE], "incomplete chunked read"),
        ([START, chunk(HEL), chunk(LO)[:-9], End.CLOSE], "incomplete chunked read"),
        ([START, chunk(HEL), b"zz\r\n", End.CLOSE], "illegal chunk header"),
        ([head(200, [SSE, COST, ("content-length", "500")]), HEL, End.CLOSE], "without sending complete message body"),
        ([head(200, [SSE, COST]), HEL, End.CLOSE], "no end was reported"),
        ([head(200, [SSE, COST]), HEL, LO[:12], End.CLOSE], "no end was reported"),
        ([START, chunk(HEL), Pause(60), chunk(LO), LAST], f"nothing came for {SILENCE} s"),
        ([head(200, [SSE, COST]), HEL, b'data: {"text": "a {b}', End.CLOSE], "no end was reported"),
        (
            [head(200, [SSE, COST]), FINISH, b'data: {"choices": [{"index": 1, "delta"', End.CLOSE],
            "no end was reported",
        ),
        ([head(200, [SSE, CHUNKED, GZIP]), chunk(PACKED[:-4]), LAST], "cannot be unpacked"),
        ([head(200, [SSE, CHUNKED, GZIP]), chunk(PACKED + b"more"), LAST], "cannot be unpacked"),
        (
            [START, chunk(HEL), chunk(b'data: {"object": "x", "status": "completed"}\n\n'), End.RESET],
            "reset|broke|read",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_breaks_off_never_ends_in_silence(
    kind: str, server: RawServer, moves: list[Any], why: str
) -> None:
    server.scripts = [moves]
    text, error = listen(kind, server)
    assert isinstance(error, errors.StreamBrokenError)
    assert (text, error.text) == ("Hel", "Hel")
    assert len(server.requests) == 1
    assert KEY not in str(error)
    assert any(word in str(error).lower() for word in why.split("|")), str(error)


@pytest.mark.parametrize(
    "moves",
    [
        [End.RESET],
        [End.CLOSE],
        [head(200, [SSE])[:20], End.RESET],
        [b"\x16\x03 no HTTP\r\n\r\n", End.CLOSE],
        [Pause(60), START, chunk(HEL), LAST],
        [head(200, [SSE, CHUNKED]), End.CLOSE],
        [head(200, [SSE, CHUNKED]), LAST],
        [head(200, [SSE]), End.CLOSE],
        [head(200, [("content-type", "text/html"), ("content-length", "13")]), b"<html></html>"],
        [head(200, [("content-type", "application/json"), ("content-length", "2")]), b"{}"],
        [head(200, [SSE, ("content-encoding", "gzip"), ("content-length", "9")]), b"no gzip!!"],
        [head(502, [("content-type", "text/html"), ("content-length", "6")]), b"<html>"],
        [head(302, [("location", "http://127.0.0.1:9/"), ("content-length", "0")])],
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_never_began_may_have_been_charged_and_is_not_sent_again(
    kind: str, server: RawServer, moves: list[Any]
) -> None:
    server.scripts = [moves]
    text, error = listen(kind, server)
    assert isinstance(error, errors.SubmitOutcomeUnknownError)
    assert text == ""
    assert error.call == CALL
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_drip_does_not_outlive_the_time_for_all_of_it(kind: str, server: RawServer) -> None:
    drip = [move for _ in range(1200) for move in (chunk(b'data: {"text": "a"}\n\n'), Pause(0.05))]
    server.scripts = [[START, *drip, LAST]]
    before = time.monotonic()
    text, error = listen(kind, server, wait_timeout=1.5)
    assert time.monotonic() - before < SOON
    assert isinstance(error, errors.WaitTimeoutError)
    assert error.text == text
    assert 1 <= len(text) < 1200


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_end_that_was_told_is_not_waited_for_long(
    kind: str, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muapi_client._streams.flow.AFTERMATH", 0.1)
    server.scripts = [[START, chunk(HEL + LO + DONE), Pause(60), LAST]]
    before = time.monotonic()
    text, last = listen(kind, server, timeout=60)
    assert time.monotonic() - before < SOON
    assert text == "Hello"
    assert last.done


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_comments_after_the_end_are_not_listened_to_for_ever(
    kind: str, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muapi_client._streams.flow.AFTERMATH", 0.2)
    comments = [move for _ in range(1200) for move in (chunk(b": still here\n\n"), Pause(0.05))]
    server.scripts = [[START, chunk(HEL + LO + DONE), *comments, LAST]]
    before = time.monotonic()
    text, last = listen(kind, server)
    assert time.monotonic() - before < SOON
    assert text == "Hello"
    assert last.done
    assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_leaving_early_closes_the_connection(kind: str, server: RawServer) -> None:
    server.scripts = [[START, chunk(HEL), *[chunk(b"data: x\n\n" * 5000)] * 400]]
    text, _ = listen(kind, server, only=1)
    gc.collect()
    assert text == "Hel"
    assert server.closed.wait(30)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_whole_stream_leaves_its_connection_to_the_next(kind: str, server: RawServer) -> None:
    server.scripts = [[START, chunk(HEL), chunk(LO), LAST]]

    async def twice() -> list[str]:
        async with AsyncMuAPI(KEY, server.url, timeout=60) as mu:
            return [event.text for _ in range(2) async for event in mu.stream(CALL)]

    if kind == "sync":
        with MuAPI(KEY, server.url, timeout=60) as mu:
            texts = [event.text for _ in range(2) for event in mu.stream(CALL)]
    else:
        texts = asyncio.run(twice())
    assert "".join(texts) == "HelloHello"
    assert len(server.requests) == 2  # the server serves one connection at a time, so it was the same


def test_a_cancelled_task_closes_the_connection(server: RawServer) -> None:
    server.scripts = [[START, chunk(HEL), Pause(0.3), *[chunk(b"data: x\n\n" * 5000)] * 400]]

    async def main() -> None:
        async with AsyncMuAPI(KEY, server.url, timeout=60) as mu:
            heard = asyncio.Event()

            async def hear() -> None:
                async for _ in mu.stream(CALL):
                    heard.set()

            task = asyncio.create_task(hear())
            await heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert server.closed.wait(30)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_that_is_closed_ends_its_streams_with_an_error(kind: str, server: RawServer) -> None:
    server.scripts = [[START, chunk(HEL), Pause(60), chunk(LO), LAST]]
    heard: list[str] = []

    def hear() -> None:
        mu = MuAPI(KEY, server.url, timeout=60)
        for event in mu.stream(CALL):
            heard.append(event.text)
            mu.close()

    async def ahear() -> None:
        mu = AsyncMuAPI(KEY, server.url, timeout=60)
        async for event in mu.stream(CALL):
            heard.append(event.text)
            await mu.close()

    with pytest.raises(errors.StreamBrokenError) as caught:
        hear() if kind == "sync" else asyncio.run(ahear())
    assert (heard, caught.value.text) == (["Hel"], "Hel")


def test_a_scope_that_is_cancelled_closes_the_connection(server: RawServer, tmp_path: Path) -> None:
    server.scripts = [[START, chunk(HEL), Pause(0.4), *[chunk(b"data: x\n\n" * 5000)] * 400]]

    async def main() -> bool:
        async with AsyncMuAPI(KEY, server.url, timeout=60, journal=tmp_path / "jobs.db") as mu:
            with anyio.CancelScope() as scope:
                async for _ in mu.stream(CALL):
                    scope.cancel()
            assert [entry.state for entry in await mu.unknown()] == ["unknown"]
        return scope.cancelled_caught

    assert asyncio.run(main())
    assert server.closed.wait(30)
