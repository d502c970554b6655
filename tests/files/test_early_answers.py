"""A server may refuse a file before it has read all of it: the refusal is told, and the file sent no more than once."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fileserver import KEY, PNG, Face

from muapi_client import AsyncMuAPI, errors
from muapi_client._transport.async_network import is_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGE = PNG + bytes(9 * 2**20)  # more than the buffers of two sockets hold
REFUSAL = b'HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: 24\r\n%s\r\n{"detail": "too large!!"}'
STORED = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{"url":"https://x/a.png"}\n'


class Hasty:
    """A server that answers the head of a request and deals with the rest of it as it likes."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.count, self.serve, self.over = 0, serve, threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection:
                if not connection.recv(4096).startswith(b"POST"):
                    return
                self.count += 1
                self.serve(connection)

    def close(self) -> None:
        with socket.create_connection(self.socket.getsockname()) as last:
            last.sendall(b"over")
        self.thread.join()
        self.socket.close()


@pytest.fixture
def hasty() -> Iterator[Callable[[Callable[[socket.socket], None]], Hasty]]:
    """Makes such servers."""
    running: list[Hasty] = []

    def new(serve: Callable[[socket.socket], None]) -> Hasty:
        running.append(Hasty(serve))
        return running[-1]

    yield new
    for server in running:
        server.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(LARGE)
    return path


def refuse(status: bytes, *, reads: int = 0, close: bool = True) -> Callable[[socket.socket], None]:
    """Refuse, having read so much, and reset the connection: what was not read is on its way."""

    def serve(connection: socket.socket) -> None:
        left = reads
        while left > 0 and (piece := connection.recv(min(left, 2**16))):
            left -= len(piece)
        connection.sendall(REFUSAL % (status, b"connection: close\r\n" if close else b""))
        connection.shutdown(socket.SHUT_WR)

    return serve


@pytest.mark.parametrize("reads", [0, 2**20, 5 * 2**20])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"413 Payload Too Large", errors.APIStatusError),
        (b"401 Unauthorized", errors.AuthenticationError),
        (b"402 Payment Required", errors.InsufficientCreditError),
    ],
)
def test_an_early_refusal_is_told_and_the_file_sent_once(
    twin: Callable[..., Face], hasty: Any, picture: Path, *, reads: int, status: bytes, kind: type[Exception]
) -> None:
    server = hasty(refuse(status, reads=reads))
    face = Face(twin().kind, server.url, {})
    with pytest.raises(kind, match="too large!!"):
        face.upload(picture)
    assert server.count == 1
    face.close()
    face.runner.close()


def test_trio_hears_it_too(hasty: Any, picture: Path) -> None:
    server = hasty(refuse(b"413 Payload Too Large"))

    async def upload() -> None:
        async with AsyncMuAPI(KEY, server.url) as mu:
            await mu.upload(picture)

    with pytest.raises(errors.APIStatusError, match="too large!!"):
        trio.run(upload)
    assert server.count == 1


def test_a_server_that_refuses_and_reads_no_more_is_not_waited_for(hasty: Any, picture: Path) -> None:
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(REFUSAL % (b"413 Payload Too Large", b""))
        over.wait(60)

    server = hasty(serve)
    face = Face(AsyncMuAPI, server.url, {})
    try:
        with pytest.raises(errors.APIStatusError, match="too large!!"):
            face.upload(picture)
    finally:
        over.set()
    assert server.count == 1
    face.close()
    face.runner.close()


def test_an_interim_answer_is_no_answer(twin: Callable[..., Face], hasty: Any, picture: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        left = len(LARGE) - 4096
        while left > 0:
            left -= len(connection.recv(2**16))
        connection.sendall(STORED)

    server = hasty(serve)
    face = Face(twin().kind, server.url, {})
    assert face.upload(picture) == "https://x/a.png"
    assert server.count == 1
    face.close()
    face.runner.close()


def test_a_connection_that_breaks_without_an_answer_is_tried_again(
    twin: Callable[..., Face], hasty: Any, picture: Path
) -> None:
    server = hasty(lambda _: None)
    face = Face(twin().kind, server.url, {})
    with pytest.raises(errors.APIConnectionError):
        face.upload(picture)
    assert server.count == 3
    face.close()
    face.runner.close()


@pytest.mark.parametrize(
    ("early", "answer"),
    [
        (b"", False),
        (b"HTTP/1.1 ", False),
        (b"HTTP/1.1 4", True),
        (b"HTTP/1.1 100 Continue\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 ", True),
        (b"no HTTP at all", True),
    ],
)
def test_a_final_answer_is_told_from_an_interim_one(early: bytes, *, answer: bool) -> None:
    assert is_answer(early) is answer
