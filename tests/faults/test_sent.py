"""Whether a submit was sent is a fact: what fails before its first byte is not sent, whatever it failed by."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import socketserver
import threading
from contextlib import closing, contextmanager
from traceback import TracebackException
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx
import pytest
from PIL import Image

from muapi_client import AsyncMuAPI, Call, Journal, MuAPI, Retry, errors, raw_call
from muapi_client._files.temp_file import wrap_disk_errors
from muapi_client._runtime.clock import VirtualClock
from muapi_client._state.journal.file import JournalFile
from muapi_client._transport.opening import tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "sk-live-0123456789abcdef"
CALL = raw_call("new/model", {"prompt": "a red fox"})
STREAM = raw_call("new/model/stream", {"prompt": "a red fox"})
ACCEPTED = b'{"request_id": "r1", "status": "processing"}'
ONCE = Retry(attempts=1)


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def serving(handler: Callable[[bytes], bytes], *, hang_up: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """A raw server; it answers each head it reads by ``handler``, and hangs up where that answers nothing."""
    heads: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = []
            while line := self.rfile.readline().strip():
                lines.append(line)
            if not lines:
                return
            heads.append(lines[0])
            length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
            self.rfile.read(length)
            self.wfile.write(handler(lines[0]))
            if not hang_up:
                self.rfile.read(1)  # until the client does

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], heads
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that nobody listens at; it is held meanwhile, for one let go may be another's by now."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(autouse=True)
def _fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSLKEYLOGFILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    tls.cache_clear()
    yield
    tls.cache_clear()


def submit(kind: str, base_url: str, journal: Journal | None = None, **options: Any) -> Any:
    """What a submit comes to with a client of either kind: an answer, or the error it raised and what is unknown."""
    options = {"clock": VirtualClock(), "retry": ONCE, "allow_http": True, "journal": journal, **options}
    if kind == "sync":
        with MuAPI(KEY, base_url, **options) as mu:
            return mu.submit(CALL)

    async def main() -> Any:
        async with AsyncMuAPI(KEY, base_url, **options) as mu:
            return await mu.submit(CALL)

    return asyncio.run(main())


def refuse_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)


BROKEN_SETTINGS = [
    ({"SSL_CERT_FILE": "{tmp}/gone.pem"}, "SSL_CERT_FILE=.*gone.pem"),
    ({"SSL_CERT_FILE": "{tmp}"}, "SSL_CERT_FILE="),
    ({"SSL_CERT_FILE": "{tmp}/gone.pem", "HTTPS_PROXY": "http://127.0.0.1:9"}, "^(?!.*HTTPS_PROXY).*SSL_CERT_FILE="),
    ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "ALL_PROXY names.*socksio"),
    ({"all_proxy": "socks://127.0.0.1:9"}, "all_proxy names.*socks5://"),
    ({"HTTPS_PROXY": "http://user:hush@[::1"}, "HTTPS_PROXY names.*cannot be read"),
    ({"HTTPS_PROXY": "http://127.0.0.1:port"}, "HTTPS_PROXY names"),
    ({"HTTPS_PROXY": "http://user:hush@127.0.0.1:{port}"}, "(?:refused|attempts failed).*mend or unset HTTPS_PROXY"),
    ({"HTTPS_PROXY": "garbage.invalid"}, "mend or unset HTTPS_PROXY, which names a proxy for api.example"),
]
if httpx.__name__ == "httpx":  # httpx2 does not read it
    BROKEN_SETTINGS.append(({"SSLKEYLOGFILE": "{tmp}/no/such/folder/keys"}, "SSLKEYLOGFILE=.*keys"))


@pytest.mark.parametrize(("settings", "cause"), BROKEN_SETTINGS, ids=str)
def test_a_setting_that_cannot_be_right_is_not_sent_and_named(  # noqa: PLR0917 - fixtures
    kind: str,
    settings: dict[str, str],
    cause: str,
    tmp_path: Path,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path, port=closed_port))
    with closing(Journal(tmp_path / "jobs.db")) as journal:
        with pytest.raises(errors.APIConnectionError, match=cause) as caught:
            submit(kind, "https://api.example", journal)
        assert caught.value.sent is False
        assert "hush" not in str(caught.value)
        assert MuAPI(KEY, journal=journal).unknown() == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host", ["api..muapi.example", f"{'a' * 64}.example", ".".join(["label"] * 50), "-.example", "127.0.0.1.", "0x7f"]
)
def test_an_odd_host_is_not_sent(kind: str, scheme: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def local(host: Any, *rest: Any, **more: Any) -> Any:
        text = host if isinstance(host, str) else host.decode()
        text.encode("idna")  # as the real one does, before it asks anybody
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", local)
    with pytest.raises(errors.APIConnectionError) as caught:
        submit(kind, f"{scheme}://{host}")
    assert caught.value.sent is False


def test_a_closed_port_and_a_name_that_does_not_resolve_are_not_sent(
    kind: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.APIConnectionError, match="not sent") as caught:
        submit(kind, f"http://127.0.0.1:{closed_port}")
    assert caught.value.sent is False
    refuse_names(monkeypatch)
    with pytest.raises(errors.APIConnectionError, match="not known") as caught:
        submit(kind, "http://nowhere.example")
    assert caught.value.sent is False


@pytest.mark.parametrize(
    "reply", [answer(b"", "502 Bad Gateway"), answer(b"", "407 Proxy Authentication"), b""], ids=str
)
def test_a_proxy_that_gives_no_way_to_the_host_has_not_sent_the_request(
    kind: str, reply: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: reply) as (port, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(errors.APIConnectionError, match="not sent") as caught:
            submit(kind, "https://api.example", retry=Retry(attempts=2))
    assert caught.value.sent is False
    assert [head.split()[0] for head in heads] == [b"CONNECT", b"CONNECT"]


def test_a_tls_handshake_that_fails_has_not_sent_the_request(kind: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(errors.APIConnectionError, match="not sent") as caught:
            submit(kind, f"https://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert caught.value.sent is False


def test_what_was_sent_over_a_proxy_was_sent(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: b"") as (port, heads):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(errors.SubmitOutcomeUnknownError):
            submit(kind, "http://api.example", retry=Retry(attempts=3))
    assert [head.split()[0] for head in heads] == [b"POST"]


NO_PROXY = [("{host}:{port}", False), ("{host}", False), ("http://{host}:{port}", False), ("{host}:1", True)]


@pytest.mark.parametrize(("name", "goes"), NO_PROXY)
def test_no_proxy_may_name_a_port(kind: str, name: str, goes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def local(_host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    with serving(lambda _: answer(ACCEPTED)) as (port, _), serving(lambda _: answer(ACCEPTED)) as (proxy, proxied):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("no_proxy", name.format(host="api.example", port=port))
        assert submit(kind, f"http://api.example:{port}").id == "r1"
    assert bool(proxied) is goes


def test_a_server_that_hangs_up_without_an_answer_was_sent_the_request_once(kind: str) -> None:
    with serving(lambda _: b"") as (port, heads), pytest.raises(errors.SubmitOutcomeUnknownError):
        submit(kind, f"http://127.0.0.1:{port}", retry=Retry(attempts=3))
    assert len(heads) == 1


class Wrapping(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of a user's own, around httpx's."""

    def __init__(self) -> None:
        self.sync, self.awaiting = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.sync.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.awaiting.handle_async_request(request)


class Telling(Wrapping):
    """One that lets httpcore tell what was sent."""

    tells_when_sent = True


def refusing(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused, says the mock")


@pytest.mark.parametrize("transport", [Wrapping, lambda: httpx.MockTransport(refusing)], ids=["own", "mock"])
def test_a_transport_that_does_not_tell_has_sent_what_it_was_given(
    kind: str, closed_port: int, transport: Callable[[], Any]
) -> None:
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        submit(kind, f"http://127.0.0.1:{closed_port}", transport=transport(), retry=Retry(attempts=3))


@pytest.mark.parametrize("own", [True, False], ids=["own", "httpx"])
def test_a_given_transport_that_tells_has_not_sent_what_it_could_not(kind: str, closed_port: int, own: bool) -> None:
    plain: Any = httpx.HTTPTransport() if kind == "sync" else httpx.AsyncHTTPTransport()
    with pytest.raises(errors.APIConnectionError) as caught:
        submit(kind, f"http://127.0.0.1:{closed_port}", transport=Telling() if own else plain)
    assert caught.value.sent is False


@pytest.mark.parametrize("layer", ["httpx", "httpcore"])
def test_a_library_that_mocks_http_has_seen_what_it_was_given(
    kind: str, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def mock(_self: Any, request: Any) -> Any:
        seen.append(request)
        raise (httpx.ConnectError if layer == "httpx" else httpcore.ConnectError)("refused, says the mock")

    async def amock(_self: Any, request: Any) -> Any:
        mock(_self, request)

    for target, name, put in {
        "httpx": [
            (httpx.HTTPTransport, "handle_request", mock),
            (httpx.AsyncHTTPTransport, "handle_async_request", amock),
        ],
        "httpcore": [
            (httpcore.ConnectionPool, "handle_request", mock),
            (httpcore.AsyncConnectionPool, "handle_async_request", amock),
        ],
    }[layer]:
        monkeypatch.setattr(target, name, put)
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        submit(kind, "http://127.0.0.1:9", retry=Retry(attempts=3))
    assert len(seen) == 1


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("kind_of_error", [TimeoutError, OSError, ConnectionResetError, ValueError, UnicodeError])
def test_a_signal_handlers_exception_passes_through_an_exchange(kind_of_error: type[Exception]) -> None:
    own = kind_of_error("the user's own")

    def handler(*_: object) -> None:
        raise own

    def struck_in_main(_: bytes) -> bytes:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        released.wait(60)
        return b""

    released = threading.Event()
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with serving(struck_in_main) as (port, heads), MuAPI(KEY, f"http://127.0.0.1:{port}") as mu:
            with pytest.raises(kind_of_error) as caught:
                mu.look("job-1")
            assert caught.value is own
            assert own.__cause__ is None
            assert own.__context__ is None
            with pytest.raises(kind_of_error) as caught:
                mu.run(CALL)
            assert caught.value is own
            released.set()
            assert len(heads) == 2
    finally:
        released.set()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("way", ["written into the URL", "shown in a message"])
def test_the_exception_of_a_handler_that_strikes_while_a_value_becomes_text_passes_too(way: str) -> None:
    own = OSError("the user's own")

    def handler(*_: object) -> None:
        raise own

    strikes = [signal.SIGUSR1]

    class Struck:
        def __str__(self) -> str:
            if strikes:
                signal.raise_signal(strikes.pop())
            return "x"

        __repr__ = __str__

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(OSError, match="own") as caught, MuAPI(KEY, "http://127.0.0.1:9", retry=ONCE) as mu:
            mu.submit(Call(CALL.operation, CALL.body, {"a": Struck()}) if "URL" in way else raw_call("x", Struck()))  # type: ignore[arg-type]
        assert caught.value is own
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("work", ["a path", "an open file", "a picture", "the journal", "the disk"])
def test_the_exception_of_a_handler_that_strikes_at_a_file_passes_too(
    work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OSError("the user's own")

    def handler(*_: object) -> None:
        raise own

    def strike(*_: object, **__: object) -> Any:
        signal.raise_signal(signal.SIGUSR1)

    class Struck(io.BytesIO):
        read = strike

    class StruckPath(type(tmp_path)):  # type: ignore[misc]
        stat = strike

    def do(mu: MuAPI) -> None:
        if work == "the disk":
            with wrap_disk_errors(tmp_path):
                strike()
        elif work == "the journal":
            monkeypatch.setattr(JournalFile, "_opened", strike)
            mu.submit(CALL)
        elif work == "a path":
            monkeypatch.setattr("muapi_client._files.source.Path", StruckPath)
            mu.upload(tmp_path / "fox.png")
        else:
            monkeypatch.setattr(Image.Image, "save", strike)
            mu.upload(picture if work == "a picture" else Struck(b"fox"))

    before = signal.signal(signal.SIGUSR1, handler)
    picture = Image.new("RGB", (1, 1))
    journal = Journal(tmp_path / "jobs.db")
    try:
        with MuAPI(KEY, "http://127.0.0.1:9", journal=journal) as mu, pytest.raises(OSError, match="own") as caught:
            do(mu)
        assert caught.value is own
    finally:
        signal.signal(signal.SIGUSR1, before)
        monkeypatch.undo()
        journal.close()


def test_the_exception_of_a_handler_that_strikes_while_the_request_is_written_passes_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = OSError("the user's own")

    def handler(*_: object) -> None:
        raise own

    class Struck(socket.socket):
        def send(self, *_: Any) -> int:
            signal.raise_signal(signal.SIGUSR1)
            return 0

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with serving(lambda _: answer(ACCEPTED)) as (port, heads), MuAPI(KEY, f"http://127.0.0.1:{port}") as mu:
            monkeypatch.setattr(socket, "socket", Struck)
            with pytest.raises(OSError, match="the user's own") as caught:
                mu.submit(CALL)
            monkeypatch.undo()
        assert caught.value is own
        assert heads == []
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_exception_of_a_handler_that_strikes_while_connecting_passes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = TimeoutError("the user's own")

    def handler(*_: object) -> None:
        raise own

    def connecting(*_: Any, **__: Any) -> Any:
        signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    monkeypatch.setattr(socket, "create_connection", connecting)
    try:
        with MuAPI(KEY, "http://localhost:9") as mu, pytest.raises(TimeoutError) as caught:
            mu.submit(CALL)
        assert caught.value is own
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_request_that_is_cut_short_shows_no_key_in_its_traceback(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    async def ainterrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(httpcore._backends.sync.SyncStream, "write", interrupted)
    monkeypatch.setattr(httpcore._backends.anyio.AnyIOStream, "write", ainterrupted)
    with serving(lambda _: answer(ACCEPTED)) as (port, _), pytest.raises(KeyboardInterrupt) as caught:
        submit(kind, f"http://127.0.0.1:{port}")
    ours = TracebackException.from_exception(caught.value, capture_locals=True).stack
    shown = [frame for frame in ours if "/tests/" not in frame.filename and "asyncio" not in frame.filename]
    assert len(shown) > 10
    assert KEY not in str([frame.locals for frame in shown])


@pytest.mark.usefixtures("no_collection")
def test_a_stream_that_was_not_sent_says_so_and_lets_a_handlers_exception_pass(closed_port: int) -> None:
    mu = MuAPI(KEY, f"http://127.0.0.1:{closed_port}", retry=ONCE)
    with pytest.raises(errors.APIConnectionError, match="not sent") as caught:
        next(mu.stream(STREAM))
    assert caught.value.sent is False
    own = TimeoutError("the user's own")

    def handler(*_: object) -> None:
        raise own

    def begin_and_strike(_: bytes) -> bytes:
        threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGUSR1)).start()
        return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99\r\n\r\n"

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with serving(begin_and_strike, hang_up=False) as (port, _), pytest.raises(TimeoutError) as struck:
            list(MuAPI(KEY, f"http://127.0.0.1:{port}").stream(STREAM))
        assert struck.value is own
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_awaiting_client_runs_under_asyncio_and_trio(backend: str, tmp_path: Path) -> None:
    done = b'{"id": "r1", "status": "completed", "outputs": ["https://cdn.muapi.ai/a.png"]}'

    async def main() -> Any:
        async with AsyncMuAPI(KEY, f"http://127.0.0.1:{port}", journal=journal) as mu:
            return await mu.run(CALL)

    with (
        closing(Journal(tmp_path / "jobs.db")) as journal,
        serving(lambda head: answer(ACCEPTED if head.startswith(b"POST") else done)) as (port, heads),
    ):
        assert anyio.run(main, backend=backend).done
    assert len(heads) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_scope_that_is_cancelled_while_connecting_leaves_nothing_in_doubt(backend: str) -> None:
    async def main() -> bool:
        async with AsyncMuAPI(KEY, f"http://127.0.0.1:{port}") as mu:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await mu.submit(CALL)
            return scope.cancelled_caught

    with serving(lambda _: answer(ACCEPTED)) as (port, heads):
        assert anyio.run(main, backend=backend)
    assert heads == []


def test_a_client_that_is_closed_during_a_back_off_says_so_and_sends_no_more(kind: str) -> None:
    class Closing(VirtualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            clients[0].close()

        async def asleep(self, seconds: float) -> None:
            await super().asleep(seconds)
            await clients[0].close()

    posts: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        posts.append(request)
        return httpx.Response(429)

    clients: list[Any] = []
    maker = MuAPI if kind == "sync" else AsyncMuAPI
    clients.append(maker(KEY, transport=httpx.MockTransport(busy), clock=Closing()))
    attempt = clients[0].submit if kind == "sync" else lambda call: asyncio.run(clients[0].submit(call))
    with pytest.raises(errors.MuAPIError, match="this client is closed"):
        attempt(CALL)
    assert len(posts) == 1
