"""Answers that attack: packed, stacked, cut or damaged, and more of them than were asked for."""

from __future__ import annotations

import gzip
import json
import socketserver
import ssl
import threading
import tracemalloc
import zlib
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
import trustme

from muapi_client import AsyncMuAPI, Journal, MuAPI, Retry, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "sk-live-0123456789abcdef"
CALL = raw_call("new/model", {"prompt": "a red fox"})
STREAM = raw_call("new/model/stream", {"prompt": "a red fox"})
MIB = 2**20
CAP = 4 * MIB  # bytes of the longest answer and of the longest event, here
AUTHORITY = trustme.CA()


def answer(body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    told = {"content-type": kind, "content-length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode() + body


def accepted(job: str, *, padding: int = 0) -> bytes:
    return answer(json.dumps({"request_id": job, "status": "processing", "padding": " " * padding}).encode())


class Server(socketserver.ThreadingTCPServer):
    """Answers one request after another with the next of its answers, over connections that stay open."""

    daemon_threads = True

    def __init__(self, *, tls: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[bytes] = []
        self.asked: list[bytes] = []
        self.links: list[Any] = []
        self.opened = 0
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_address[1]}"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self.context is not None:
            AUTHORITY.issue_cert("127.0.0.1").configure_cert(self.context)


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        wrap = server.context.wrap_socket if server.context else lambda link, **_: link
        with suppress(OSError), wrap(self.request, server_side=True) as link, link.makefile("rb") as stream:
            server.opened += 1
            server.links.append(link)
            while head := stream.readline():
                length = 0
                while line := stream.readline().strip():
                    head += line + b"\n"
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                stream.read(length)
                server.asked.append(head)
                link.sendall(server.answers.pop(0) if len(server.answers) > 1 else server.answers[0])


@contextmanager
def serve(*, tls: bool = False) -> Iterator[Server]:
    with Server(tls=tls) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@contextmanager
def client(kind: str, url: str, **options: Any) -> Iterator[Callable[..., Any]]:
    """A client of a kind, as a function that calls one of its methods and answers what it answers."""
    options = {"retry": Retry(attempts=1), "timeout": 60.0, **options}
    if kind == "sync":
        with MuAPI(KEY, url, **options) as mu:
            yield (
                lambda method, *given, **named: (
                    list(mu.stream(*given)) if method == "stream" else getattr(mu, method)(*given, **named)
                )
            )
        return
    from anyio.from_thread import start_blocking_portal

    async def call(method: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if method == "stream":
            return [event async for event in amu.stream(*given)]
        return await getattr(amu, method)(*given, **named)

    amu = AsyncMuAPI(KEY, url, **options)
    with start_blocking_portal(backend=kind) as portal:
        yield lambda method, *given, **named: portal.call(call, method, given, named)
        portal.call(amu.close)


KINDS = pytest.mark.parametrize("kind", ["sync", "asyncio", "trio"])


@KINDS
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("padding", [0, 15_000, 70_000, 300_000])
def test_an_answer_nobody_asked_for_is_never_the_next_ones(
    kind: str, padding: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, tls: bool
) -> None:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    monkeypatch.setattr("muapi_client._transport.opening.tls", lambda: context)
    with serve(tls=tls) as server, client(kind, server.url) as call:
        server.answers = [accepted("job-1", padding=padding) + accepted("another's"), accepted("job-2")]
        assert call("submit", CALL).id == "job-1"
        assert call("submit", CALL).id == "job-2"
        assert call("submit", CALL).id == "job-2"
    assert server.opened == 2  # the connection of which too much came, and the one that is kept


@KINDS
@pytest.mark.parametrize("logger", ["", httpcore.__name__, f"{httpcore.__name__}.http11"])
def test_no_logger_of_httpcore_shows_a_key_that_is_echoed(
    kind: str, logger: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger)
    body = json.dumps({"request_id": "job-1", "status": "processing"}).encode()
    server.answers = [answer(body, x_echo=KEY)]
    with client(kind, server.url) as call:
        assert call("submit", CALL).id == "job-1"
    assert "receive_response_headers.complete" in caplog.text
    assert KEY not in caplog.text


@KINDS
def test_an_answer_pushed_while_a_connection_is_idle_is_never_the_next_ones(kind: str, server: Server) -> None:
    server.answers = [accepted("job-1"), accepted("job-2")]
    with client(kind, server.url) as call:
        assert call("submit", CALL).id == "job-1"
        server.links[0].sendall(accepted("another's"))
        assert call("submit", CALL).id == "job-2"
    assert server.opened == 2


@KINDS
def test_a_connection_by_a_transport_of_the_users_own_is_left_likewise(kind: str, server: Server) -> None:
    transport = httpx.HTTPTransport() if kind == "sync" else httpx.AsyncHTTPTransport()
    server.answers = [accepted("job-1") + accepted("another's"), accepted("job-2")]
    with client(kind, server.url, transport=transport) as call:
        assert call("submit", CALL).id == "job-1"
        assert call("submit", CALL).id == "job-2"


@KINDS
def test_a_connection_on_which_nothing_more_came_is_kept(kind: str, server: Server) -> None:
    server.answers = [accepted("job-1", padding=70_000)]
    with client(kind, server.url) as call:
        for _ in range(3):
            assert call("submit", CALL).id == "job-1"
    assert server.opened == 1


@KINDS
def test_gzip_is_asked_for_and_unpacked(kind: str, server: Server) -> None:
    body = json.dumps({"request_id": "job-1", "status": "processing", "note": "x" * 200_000}).encode()
    server.answers = [answer(gzip.compress(body[:90]) + gzip.compress(body[90:]), content_encoding="GZip")]
    with client(kind, server.url) as call:
        assert call("submit", CALL).id == "job-1"
    assert b"accept-encoding: gzip\n" in server.asked[0].lower()


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("beyond", [b"", bytes(512)], ids=["nothing more", "padding"])
@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**17])
def test_gzip_of_any_size_is_whole(kind: str, server: Server, size: int, beyond: bytes) -> None:
    body = b'{"request_id": "job-1", "status": "processing"}'.ljust(size)
    server.answers = [answer(gzip.compress(body) + beyond, content_encoding="gzip")]
    with client(kind, server.url) as call:
        assert call("submit", CALL).id == "job-1"


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_time_out_of_any_length_is_kept(kind: str, server: Server) -> None:
    server.answers = [accepted("job-1")]
    with client(kind, server.url, timeout=1e300) as call:
        assert call("submit", CALL).id == "job-1"


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize(
    "webhook",
    [
        "https://hooks.example/flux-dev-image-outputs/hook",
        "https://hooks.example/predictions-callback",
        "https://hooks.example/%6F%75%74%70%75%74%73",
        "https://hooks.example/%00%00%00%00%00%00",
    ],
)
def test_words_of_a_webhooks_url_are_not_taken_out_of_what_was_paid_for(
    kind: str, server: Server, webhook: str
) -> None:
    made = "https://cdn.example/flux-dev-image-outputs/predictions-callback/a.png"
    job = {"id": "predictions-callback-77", "status": "completed", "outputs": [made]}
    server.answers = [answer(json.dumps(job).encode())]
    with client(kind, server.url, webhook=webhook) as call:
        done = call("run", CALL)
    assert (done.id, done.outputs[0].url) == ("predictions-callback-77", made)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Eighty megabytes of zeros, packed, and packed again."""
    content = bytes(20 * CAP)
    yield "deflate", zlib.compress(content)
    for layers in range(1, 4):
        content = gzip.compress(content)
        yield ", ".join(["gzip"] * layers), content


BOMBS = dict(bombs())


@pytest.fixture
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold that no more memory was used at a time than twice what an answer may have, and 10 MB."""
    monkeypatch.setattr("muapi_client._transport.driver.ANSWER_MAXIMUM", CAP)
    monkeypatch.setattr("muapi_client._streams.framing.FRAME_MAXIMUM", CAP)
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= 2 * CAP + 10 * 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("coding", BOMBS)
@pytest.mark.parametrize("status", [200, 422, 500])
@pytest.mark.usefixtures("_little_memory")
def test_a_packed_answer_never_takes_more_memory_than_an_answer_may(
    kind: str, server: Server, coding: str, status: int
) -> None:
    server.answers = [answer(BOMBS[coding], status=status, content_encoding=coding)]
    with client(kind, server.url) as call:
        with pytest.raises(errors.MuAPIError) as caught:
            call("submit", CALL)
        told = {422: (errors.ValidationError, errors.SubmitOutcomeUnknownError)}
        assert isinstance(caught.value, told.get(status, errors.SubmitOutcomeUnknownError))
        with suppress(errors.MuAPIError):
            call("look", "job-1")


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("coding", BOMBS)
@pytest.mark.usefixtures("_little_memory")
def test_a_packed_stream_never_takes_more_memory_than_an_event_may(kind: str, server: Server, coding: str) -> None:
    server.answers = [answer(BOMBS[coding], kind="text/event-stream", content_encoding=coding)]
    with client(kind, server.url) as call, pytest.raises(errors.MuAPIError):
        call("stream", STREAM)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("coding", [*BOMBS, "br"])
@pytest.mark.usefixtures("_little_memory")
def test_a_packed_file_is_counted_as_it_is_unpacked_and_only_gzip_is(
    kind: str, server: Server, coding: str, tmp_path: Path
) -> None:
    done = {"id": "job-1", "status": "completed", "outputs": [f"{server.url}/a.png"]}
    server.answers = [
        answer(json.dumps(done).encode()),
        answer(BOMBS.get(coding, b"\x1b packed"), kind="image/png", content_encoding=coding),
    ]
    with client(kind, server.url) as call:
        prediction = call("look", "job-1")
        told = f"passes {CAP} bytes" if coding == "gzip" else f"the coding '{coding}', which was not asked for"
        with pytest.raises(errors.DownloadError, match=told):
            call("download", prediction, tmp_path / "out", max_bytes=CAP)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "zstd", "x" * 500])
def test_a_submit_answered_in_a_coding_nobody_asked_for_is_in_doubt_and_told_with_its_cost(
    kind: str, server: Server, tmp_path: Path, coding: str
) -> None:
    server.answers = [answer(b"\x1b\x03 packed", content_encoding=coding, x_muapi_cost_usd="0.25")]
    with closing(Journal(tmp_path / "jobs.db")) as journal, client(kind, server.url, journal=journal) as call:
        with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
            call("submit", CALL)
        assert [entry.state for entry in journal.unknown()] == ["unknown"]
    assert str(caught.value.cost.charged_usd) == "0.25"


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_refusal_in_a_coding_nobody_asked_for_is_still_a_refusal(kind: str, server: Server) -> None:
    server.answers = [answer(b"\x1b\x03 packed", status=401, content_encoding="br")]
    with client(kind, server.url) as call, pytest.raises(errors.AuthenticationError):
        call("submit", CALL)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_an_answer_packed_as_gzip_that_was_cut_is_no_answer(kind: str, server: Server) -> None:
    whole = gzip.compress(b'{"request_id": "job-1", "status": "processing"}')
    for content in (whole[:-9], whole[:12], b"no gzip at all"):
        server.answers = [answer(content, content_encoding="gzip")]
        with client(kind, server.url) as call, pytest.raises(errors.SubmitOutcomeUnknownError, match="unpacked"):
            call("submit", CALL)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_byte_that_is_no_utf8_hides_neither_the_id_nor_the_status_beside_it(kind: str, server: Server) -> None:
    server.answers = [
        answer(b'{"request_id": "job-1", "status": "processing", "prompt": "caf\xc3"}'),
        answer(b'{"id": "job-1", "status": "failed", "error": "refused: caf\xc3"}'),
    ]
    with client(kind, server.url) as call:
        assert call("submit", CALL).id == "job-1"
        with pytest.raises(errors.JobFailedError, match="refused: caf\ufffd"):
            call("wait", "job-1")


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("body", [b'{"request_id": "job-\xff"}', rb'{"request_id": "job-\ud800"}'])
def test_an_id_that_is_damaged_itself_is_none(kind: str, server: Server, body: bytes) -> None:
    server.answers = [answer(body)]
    with client(kind, server.url) as call, pytest.raises(errors.SubmitOutcomeUnknownError):
        call("submit", CALL)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("status", [200, 400, 422, 429])
def test_half_a_character_in_an_answer_leaves_everything_that_is_told_of_it_writable(
    kind: str, server: Server, status: int, tmp_path: Path
) -> None:
    problem = rb'{"msg": "\ud800", "loc": ["body", "\udfff"], "type": "a\ud83d"}'
    failed = b'"id": "job-1", "status": "failed", "error": ' + problem
    server.answers = [
        answer(b'{"detail": [%b]}' % problem if status in (422, 429) else b"{" + failed + b"}", status=status)
    ]
    with closing(Journal(tmp_path / "jobs.db")) as journal, client(kind, server.url, journal=journal) as call:
        with pytest.raises(errors.MuAPIError) as caught:
            call("run", CALL)
        known = [*journal.entries(), str(caught.value), vars(caught.value)]
    assert "\ufffd" in str(caught.value)
    (tmp_path / "written.txt").write_text("\n".join(f"{each}" for each in known), "utf-8")
    json.dumps(getattr(caught.value, "detail", None), ensure_ascii=False).encode()
