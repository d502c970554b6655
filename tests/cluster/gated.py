"""The emulator over HTTP, whose answers to submits can be held back, and its books.

Lives here: a server for workers of a cluster. A job ends at the second look: each look lets its time pass.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve
from by_kind import make_image

from muapi_client.emulator import Emulator, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client import Call

JOB_SECONDS = 10.0


class GatedServer:
    """A MuAPI on loopback.

    Attributes:
        accepted: How often each prompt was accepted: the truth.
        held: Prompts whose submits are carried out and not answered, until :meth:`release`; None holds all.
    """

    def __init__(self) -> None:
        self.emulator = Emulator(job_seconds=JOB_SECONDS, balance=10_000)
        self.accepted: Counter[str] = Counter()
        self.held: set[str] | None = set()
        self._changed = threading.Condition()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.gated = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answer(self, request: Request) -> Any:
        """Answer one request; a submit when it may be."""
        if request.method == "GET":
            self.emulator.clock.sleep(JOB_SECONDS / 2)
        with self._changed:
            before = self.emulator.accepted
            response = self.emulator.handle(evolve(request, now=self.emulator.clock.now()))
            if self.emulator.accepted > before:
                prompt = json.loads(request.body)["prompt"]
                self.accepted[prompt] += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self.held is not None and prompt not in self.held)
        return response

    def wait_for(self, count: int, seconds: float = 60.0) -> None:
        """Wait until so many submits were accepted."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.accepted.total() >= count, seconds), dict(self.accepted)

    def release(self) -> None:
        """Answer what was held back, and hold nothing more."""
        with self._changed:
            self.held = set()
            self._changed.notify_all()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    gated: GatedServer

    def handle_error(self, *_: Any) -> None:
        """A client that was killed reads no answer."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query))
        own = {"host": headers["host"], "served": True}
        response = self.server.gated.answer(Request(self.command, parts.path, query, headers, body, **own))
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "date"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_HEAD = do_GET  # noqa: N815 - http.server looks for it
    do_POST = do_GET  # noqa: N815 - http.server looks for it

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def make_calls(count: int) -> list[Call[Any]]:
    return [make_image(prompt=f"fox {number}") for number in range(count)]


def serve() -> Iterator[GatedServer]:
    server = GatedServer()
    yield server
    server.close()
