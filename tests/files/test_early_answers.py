"""A server may refuse a file before it has read all of it: the refusal is told, and the file sent no more than once."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme
from fileserver import KEY, PNG, Face, FileServer, says

from muapi_client import AsyncMuAPI, Retry, errors
from muapi_client._transport.async_network import is_final, pass_interim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGE = PNG + bytes(9 * 2**20)  # more than the buffers of two sockets hold
REFUSAL = b'HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: 24\r\n%s\r\n{"detail": "too large!!"}'
STORED = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{"url":"https://x/a.png"}\n'


class Hasty:
    """A server that answers the head of a request and deals with the rest of it as it likes."""

    def __init__(self, serve: Callable[[Any], None], certificate: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.certificate = certificate
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.socket.getsockname()[1]}"
        self.count, self.serve, self.over = 0, serve, threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a reset drops what waits to be sent
            with connection:
                if connection.recv(4, socket.MSG_PEEK) == b"over":
                    return
                if self.certificate is not None:
                    connection = self.certificate.wrap_socket(connection, server_side=True)
                with connection:
                    connection.recv(4096)
                    self.count += 1
                    self.serve(connection)

    def close(self) -> None:
        with socket.create_connection(self.socket.getsockname()) as last:
            last.sendall(b"over")
        self.thread.join()
        self.socket.close()


@pytest.fixture
def hasty() -> Iterator[Callable[..., Hasty]]:
    """Makes such servers."""
    running: list[Hasty] = []

    def new(serve: Callable[[Any], None], certificate: ssl.SSLContext | None = None) -> Hasty:
        running.append(Hasty(serve, certificate))
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


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server that speaks TLS shows, and the clients trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    monkeypatch.setattr("muapi_client._transport.opening.tls", lambda: trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("resets", [False, True], ids=["reads on", "resets"])
@pytest.mark.parametrize("pieces", [1, 6])
def test_an_early_refusal_is_told_on_each_event_loop_with_and_without_tls(
    hasty: Any, picture: Path, certificate: ssl.SSLContext, *, backend: str, tls: bool, resets: bool, pieces: int
) -> None:
    answer = REFUSAL % (b"413 Payload Too Large", b"connection: close\r\n")
    size = -(-len(answer) // pieces)

    def refuse_in_pieces(connection: Any) -> None:
        for start in range(0, len(answer), size):  # a record of TLS each
            connection.sendall(answer[start : start + size])
        while not resets and connection.recv(2**16):
            pass

    async def upload(url: str) -> None:
        async with AsyncMuAPI(KEY, url) as mu:
            await mu.upload(picture)

    server = hasty(refuse_in_pieces, certificate if tls else None)
    with pytest.raises(errors.APIStatusError, match="too large!!"):
        anyio.run(upload, server.url, backend=backend)
    assert server.count == 1


def test_an_answer_to_a_whole_request_leaves_the_connection_for_the_next(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muapi_client._transport.async_network.TURNS", 5000)  # it comes while the client looks for it
    server.plays("/api/v1/upload_file", says({"url": "https://x/a.png"}))
    path = tmp_path / "small.png"
    path.write_bytes(PNG)
    face = Face(AsyncMuAPI, server.url, {"retry": Retry(attempts=1)})
    assert [face.upload(path), face.upload(path)] == ["https://x/a.png"] * 2
    assert len(server.asked) == 2
    face.close()
    face.runner.close()


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


def test_interim_answers_without_end_cost_no_time(twin: Callable[..., Face], hasty: Any, picture: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.settimeout(30)
        said = threading.Thread(target=connection.sendall, args=(b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000,))
        said.start()  # a client need not listen before it has sent all
        left = len(LARGE) - 4096
        while left > 0:
            left -= len(connection.recv(2**16))
        said.join()
        connection.sendall(STORED)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**16):  # closed with anything unread, a connection drops what was said
            pass

    server = hasty(serve)
    face = Face(twin().kind, server.url, {})
    begun = time.process_time()
    assert face.upload(picture) == "https://x/a.png"
    assert time.process_time() - begun < 10  # seconds: each is read once, and not once more for each piece sent
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
    assert is_final(early, pass_interim(early)) is answer
