"""Files over loopback: a server that answers as told and keeps what it was asked, and clients that block.

A script is a list of steps for a path, one a request; the last one repeats. A step is a function of the request's
handler; ``Handler`` has the usual ones. Time is real, but pauses between tries pass at once.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections import defaultdict
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from muapi_client import AsyncMuAPI, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-live-must-stay-with-the-api"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 8
HTML = b"<!DOCTYPE html><html><body>403 Forbidden</body></html>"


class Asked(NamedTuple):
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def form(self) -> dict[str, tuple[str | None, str, bytes]]:
        """The multipart fields in their order: file name, content type, content."""
        message = BytesParser().parsebytes(
            b"content-type: " + self.headers["content-type"].encode() + b"\n\n" + self.body
        )
        parts: Any = message.get_payload()
        return {
            part.get_param("name", header="content-disposition"): (
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in parts
        }


class Handler(BaseHTTPRequestHandler):
    """Answers as the test's script says."""

    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        self.server.asked.append(asked)
        steps = self.server.scripts[asked.path]
        step = (steps.pop(0) if len(steps) > 1 else steps[0]) if steps else self.missing
        step(self)

    def do_POST(self) -> None:
        self.do_GET()

    def missing(self, _self: Handler) -> None:
        self.answer(404, HTML, content_type="text/html")

    def log_message(self, *words: object) -> None:
        """Say nothing: a test's output is its own."""

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        """Give the connection up."""
        self.wfile.flush()
        self.close_connection = True


def sends(body: bytes, status: int = 200, **headers: str) -> Callable[[Handler], None]:
    """A whole answer."""
    return lambda handler: handler.answer(status, body, **headers)


def says(value: Any, status: int = 200) -> Callable[[Handler], None]:
    """A JSON answer."""
    return sends(json.dumps(value).encode(), status, content_type="application/json")


def cuts(body: bytes, after: int, **headers: str) -> Callable[[Handler], None]:
    """An answer whose body breaks off."""

    def step(handler: Handler) -> None:
        handler.answer(200, body[:after], content_length=str(len(body)), **headers)
        handler.cut()

    return step


def ranges(body: bytes, **headers: str) -> Callable[[Handler], None]:
    """The part that was asked for."""

    def step(handler: Handler) -> None:
        start = int(handler.headers["range"].removeprefix("bytes=").removesuffix("-"))
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.answer(206, body[start:], content_range=place, **headers)

    return step


def drips(head: bytes) -> Callable[[Handler], None]:
    """An answer that goes on, byte after byte, for as long as somebody listens."""

    def step(handler: Handler) -> None:
        handler.answer(200, head, content_length="1000000")
        try:
            while not handler.server.over.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            handler.cut()

    return step


class FileServer(ThreadingHTTPServer):
    """A server that does what a test tells it, and remembers what it was asked."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Asked] = []
        self.scripts: defaultdict[str, list[Callable[[Handler], None]]] = defaultdict(list)
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many a test is about."""

    def plays(self, path: str, *steps: Callable[[Handler], None]) -> str:
        """Answer requests for a path by these steps; gives its URL."""
        self.scripts[path] = list(steps)
        return self.url + path


class LeapingClock:
    """Real time in which sleeping takes none."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    async def asleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.slept += seconds


class Face:
    """A client of either kind with blocking methods."""

    def __init__(self, kind: type, url: str, options: dict[str, Any]) -> None:
        self.runner = asyncio.Runner()
        self.kind = kind
        self.mu: Any = kind(KEY, url, **{"clock": LeapingClock(), "retry": Retry(attempts=3), "timeout": 10, **options})

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.mu, name)
        return (lambda *args, **named: self.go(member(*args, **named))) if inspect.ismethod(member) else member

    def go(self, outcome: Any) -> Any:
        """What a method comes to."""

        async def awaited() -> Any:
            return await outcome

        return self.runner.run(awaited()) if inspect.isawaitable(outcome) else outcome

    def together(self, *thunks: Callable[[Any], Any]) -> list[Any]:
        """Several uses of the client at once: threads, or tasks."""
        if self.kind is AsyncMuAPI:

            async def all_of_them() -> list[Any]:
                return list(await asyncio.gather(*(thunk(self.mu) for thunk in thunks)))

            return self.runner.run(all_of_them())
        found: list[Any] = [None] * len(thunks)

        def one(index: int) -> None:
            found[index] = thunks[index](self.mu)

        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(thunks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found
