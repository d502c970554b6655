"""Fetching over HTTP: what is asked for, what is refused. The server is on loopback, on a free port."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client.pinning import Fetched, Limits, PinError, fetch, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOCUMENT = json.dumps({
    "openapi": "3.1.0",
    "paths": {f"/api/v1/{slug}": {"post": {"description": slug * 500}} for slug in ("a", "b")},
}).encode()  # fmt: skip
KEY = "sk-live-do-not-send"


class Handler(BaseHTTPRequestHandler):
    """Answers as the test's script says."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.script(self)

    def log_message(self, *words: object) -> None:
        """Say nothing: a test's output is its own."""

    def answer(self, status: int = 200, body: bytes = DOCUMENT, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def wait(self) -> None:
        """Say nothing until the test is over."""
        self.server.over.wait()

    def drip(self, *pieces: bytes) -> None:
        """Send pieces, then byte after byte for as long as the test runs and somebody listens."""
        self.wfile.write(b"".join(pieces))
        while not self.server.over.wait(0.01):
            self.wfile.write(b"x")


class Server(ThreadingHTTPServer):
    """A server that does what a test tells it, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self.script: Callable[[Handler], None] = Handler.answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/openapi.json"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many of these tests are about."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return tmp_path / "spec"


def refused(server: Server, spec: Path, **options: Any) -> str:
    """What a fetch says that must fail, in one line, changing nothing; without its cap it would end minutes later."""
    with pytest.raises(PinError) as caught:
        fetch(server.url, spec, **options)
    assert not spec.exists()
    told = str(caught.value)
    assert told.endswith("; the old pin is untouched")
    assert "\n" not in told
    return told


def test_the_document_is_fetched_and_its_source_recorded(server: Server, spec: Path) -> None:
    server.script = lambda handler: handler.answer(etag='"v1"')
    done = fetch(server.url, spec)
    lock = tomllib.loads((spec / "lock.toml").read_text())
    assert (lock["source"], lock["etag"], lock["operations"]) == (server.url, '"v1"', 2)
    assert done.added == ("POST /api/v1/a", "POST /api/v1/b")
    assert verify(spec) == ()


def test_no_key_is_ever_sent_and_no_proxy_asked_on_this_machine(
    server: Server, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MUAPI_API_KEY", "MUAPIAPP_API_KEY"):
        monkeypatch.setenv(name, KEY)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetch(server.url, spec)
    ((path, headers),) = server.asked
    assert path == "/openapi.json"
    assert set(headers) == {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert KEY not in str(headers)


def conditional(handler: Handler) -> None:
    known = handler.headers.get("if-none-match") == '"v1"'
    handler.answer(304, b"") if known else handler.answer(etag='"v1"')


def contents(spec: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in spec.iterdir()}


def test_a_known_document_is_not_sent_again(server: Server, spec: Path) -> None:
    server.script = conditional
    fetch(server.url, spec)
    before = contents(spec)
    done = fetch(server.url, spec)
    assert [headers.get("if-none-match") for _, headers in server.asked] == [None, '"v1"']
    assert done.message.startswith("unchanged: ")
    assert contents(spec) == before


@pytest.mark.parametrize("harm", ["pin", "lock", "generator", "claim", "other address"])
def test_an_etag_counts_only_for_the_same_source_and_an_unharmed_pin(server: Server, spec: Path, harm: str) -> None:
    server.script = conditional
    fetch(server.url, spec)
    lock = (spec / "lock.toml").read_text()
    if harm == "pin":
        (spec / "openapi.json").write_bytes(b"{}")
    elif harm == "lock":
        (spec / "lock.toml").write_text("")
    elif harm == "generator":
        (spec / "lock.toml").write_text(lock.replace("openapi-python-client==", "older=="))
    fetch(server.url + "?again" * (harm == "other address"), spec, note="new" if harm == "claim" else None)
    assert server.asked[1][1].get("if-none-match") is None
    assert verify(spec) == ()


def test_the_etag_of_a_copy_is_not_taken_for_that_of_its_original(server: Server, spec: Path) -> None:
    server.script = conditional
    fetch(server.url, spec, recorded_source="https://api.muapi.ai/openapi.json")
    assert tomllib.loads((spec / "lock.toml").read_text())["etag"] == ""


@pytest.mark.parametrize("etag", ["v1", '"a b"', '"\xe4"', '"v1", "v2"'])
def test_an_etag_that_cannot_be_sent_again_is_not_kept(server: Server, spec: Path, etag: str) -> None:
    server.script = lambda handler: handler.answer(etag=etag)
    fetch(server.url, spec)
    assert tomllib.loads((spec / "lock.toml").read_text())["etag"] == ""


def test_a_compressed_document_is_the_same_document(server: Server, spec: Path) -> None:
    server.script = lambda handler: handler.answer(body=gzip.compress(DOCUMENT), content_encoding="gzip")
    done = fetch(server.url, spec)
    assert "gzip" in server.asked[0][1]["accept-encoding"]
    server.script = Handler.answer
    assert fetch(server.url, spec).after == done.after


def redirect(*steps: str) -> Callable[[Handler], None]:
    """Lead from the first path through the given places, and answer at the last."""

    def script(handler: Handler) -> None:
        done = len(handler.server.asked) - 1
        if done == len(steps):
            handler.answer()
        else:
            port = str(handler.server.server_port)
            handler.answer(301 + done % 2, b"", location=steps[done].replace("PORT", port))

    return script


@pytest.mark.parametrize("steps", [["/b"], ["/b", "c?d=e"], ["http://127.0.0.1:PORT/b"], list("abcde")])
def test_redirects_within_the_host_are_followed(server: Server, spec: Path, steps: list[str]) -> None:
    server.script = redirect(*steps)
    fetch(server.url, spec)
    assert len(server.asked) == len(steps) + 1
    assert tomllib.loads((spec / "lock.toml").read_text())["source"] == server.url


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["https://api.muapi.ai/openapi.json"], "redirects to 'https://api.muapi.ai/openapi.json'"),
        (["http://localhost:PORT/b"], "name that address if you trust it"),
        (["http://127.0.0.1:1/b"], "redirects to 'http://127.0.0.1:1/b'"),
        (["https://127.0.0.1:PORT/b"], "redirects to 'https://"),
        (["http://me:secret@127.0.0.1:PORT/b"], "holds a user name or password"),
        (["http://example.com/b"], "only https"),
        (["file:///etc/hostname"], "only https"),
        ([""], "redirects to ''"),
        (list("abcdef"), "redirect more than 5 times"),
    ],
)
def test_other_redirects_are_not(server: Server, spec: Path, steps: list[str], told: str) -> None:
    server.script = redirect(*steps)
    assert told in refused(server, spec)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (lambda handler: handler.answer(404, b"{}"), "answered HTTP 404 ('Not Found'), not the document"),
        (lambda handler: handler.answer(503, b"<html>"), "answered HTTP 503"),
        (lambda handler: handler.answer(206), "answered HTTP 206"),
        (lambda handler: handler.answer(204, b""), "answered HTTP 204"),
        (lambda handler: handler.answer(304, b""), "answered HTTP 304"),
        (lambda handler: handler.answer(body=b"<html>maintenance"), "web page"),
        (lambda handler: handler.answer(body=DOCUMENT[:-9]), "breaks off"),
        (lambda handler: handler.answer(content_length=str(len(DOCUMENT) + 1)), "broke off, half a document"),
        (lambda handler: handler.answer(content_length=str(len(DOCUMENT) - 9)), "breaks off"),
        (
            lambda handler: handler.answer(body=gzip.compress(DOCUMENT)[:-30], content_encoding="gzip"),
            "broke off, half a document",
        ),
        (lambda handler: handler.answer(content_encoding="gzip"), "broke off, half a document or a broken one"),
        (lambda handler: handler.answer(content_encoding="br"), "coding 'br', which was not asked for"),
        (lambda handler: handler.answer(content_encoding="gzip, gzip"), "coding 'gzip, gzip'"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.7\r\n"), "broke off"),
        (lambda handler: handler.wfile.write(b""), "broke off"),
    ],
)
def test_what_is_not_the_whole_document_is_refused(
    server: Server, spec: Path, script: Callable[[Handler], None], told: str
) -> None:
    server.script = script
    assert told in refused(server, spec)


def test_more_than_the_size_cap_is_not_read_to_its_end(server: Server, spec: Path) -> None:
    server.script = lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\n\r\n", DOCUMENT)
    assert "gives more than 1,000 bytes" in refused(server, spec, limits=Limits(size=1_000))


def test_the_size_cap_counts_what_is_unpacked(server: Server, spec: Path) -> None:
    packed = gzip.compress(b" " * 1_000_000)
    server.script = lambda handler: handler.answer(body=packed, content_encoding="gzip")
    assert len(packed) < 2_000
    assert "gives more than 2,000 bytes" in refused(server, spec, limits=Limits(size=2_000))


@pytest.mark.parametrize(
    "pieces", [[b"HTTP/1.1 200 OK\r\nx-slow: "], [b"HTTP/1.1 200 OK\r\n\r\n{"]], ids=["headers", "body"]
)
def test_the_time_cap_holds_against_a_slow_drip(server: Server, spec: Path, pieces: list[bytes]) -> None:
    server.script = lambda handler: handler.drip(*pieces)
    assert "did not give the whole document within 1 s" in refused(server, spec, limits=Limits(seconds=1))


def test_a_silent_server_is_left(server: Server, spec: Path) -> None:
    server.script = Handler.wait
    assert "did not answer: " in refused(server, spec, limits=Limits(silence=1))


def test_nobody_at_home_is_told(spec: Path) -> None:
    with socket.socket() as mute:  # holds the port and does not listen on it; a port let go may be another's by now
        mute.bind(("127.0.0.1", 0))
        with pytest.raises(PinError, match="cannot be reached"):
            fetch(f"http://127.0.0.1:{mute.getsockname()[1]}/openapi.json", spec)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("http://api.muapi.ai/openapi.json", "only https, http to this machine, or a file"),
        ("ftp://127.0.0.1/openapi.json", "only https"),
        ("https:///openapi.json", "only https"),
        ("https://me:secret@api.muapi.ai/openapi.json", "user name or password"),
        ("https://api.muapi.ai:99999/openapi.json", "is no URL"),
        ("https://[::1/openapi.json", "is no URL"),
        ("http://127.0.0.1.example.com/openapi.json", "only https"),
    ],
)
def test_an_address_that_cannot_be_trusted_is_not_asked(spec: Path, source: str, told: str) -> None:
    with pytest.raises(PinError) as caught:
        fetch(source, spec)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_broken_environment_is_told_as_such(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://127.0.0.1:9")
    with pytest.raises(PinError, match="cannot be reached: Unknown scheme for proxy URL"):
        fetch("https://api.muapi.ai/openapi.json", spec)


def test_prices_come_from_an_address_too(server: Server, spec: Path) -> None:
    prices = json.dumps({"models": [{"name": IMAGE.name, "cost": 0.025}], "total": 1, "currency": "USD"}).encode()
    server.script = lambda handler: handler.answer(body=prices if handler.path == "/models" else DOCUMENT)
    assert "models.json" in fetch(server.url, spec, models=server.url.replace("openapi.json", "models")).changed


def test_a_caller_with_an_event_loop_of_its_own_is_served(server: Server, spec: Path) -> None:
    async def notebook() -> Fetched:
        return fetch(server.url, spec)

    assert asyncio.run(notebook()).changed == ("openapi.json", "lock.toml")
