"""The emulator: jobs a second in process, requests a second over HTTP, and how long it takes to start.

Beside a bare ``http.server`` that answers with a fixed body, which is the least that a server of the standard library
does. The load comes from a process of its own, over four connections that are kept.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import TYPE_CHECKING

import httpx
import timing

from muapi_client.emulator import Emulator, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS = 4
PAIRS = 500
ROUNDS = 250  # of one submit and one look a connection
BODY = json.dumps({"prompt": "a fox", "width": 1024}).encode()
HEAD = "HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: sk-live\r\ncontent-type: application/json\r\n"
SUBMIT = f"POST /api/v1/flux-dev-image {HEAD}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
API = "https://api.muapi.ai/api/v1/"
KEY = {"x-api-key": "sk-live"}
START = (
    "from muapi_client.emulator import Emulator; from urllib.request import urlopen; import time; "
    "start = time.perf_counter(); url = Emulator().serve(); {ask}print(time.perf_counter() - start)"
)


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Rates, with the ratio to the bare server, and the start."""
    pure, carried = _pairs_per_second()
    yield f"submit and look, the service alone: {pure:.0f} pairs/s; ms a pair", 1000 / pure, 0.5, "ms"
    yield f"the same by its transport: {carried:.0f} pairs/s (goal 2000)", 1000 / carried, 0.5, "ms"
    emulator = Emulator(balance=10**6)
    with _bare_server() as bare, emulator.serve() as ours:
        rates = [(_requests_per_second(bare), _requests_per_second(ours.port)) for _ in range(timing.RUNS)]
    bare_rate, our_rate = (median(each) for each in zip(*rates, strict=True))
    assert emulator.accepted == timing.RUNS * CONNECTIONS * ROUNDS
    yield f"requests over HTTP: {our_rate:.0f}/s (goal 800); ms a request", 1000 / our_rate, 1.25, "ms"
    yield f"a request over HTTP / a bare http.server ({bare_rate:.0f}/s)", bare_rate / our_rate, None, "x"
    (importing,) = timing.of_programs("from muapi_client.emulator import Emulator")
    yield "import muapi_client.emulator, in ms", 1000 * importing, None, "ms"
    yield "Emulator().serve(), until it listens, in ms", _start(""), 150, "ms"
    yield "the same, until it has answered", _start("urlopen(url + '/api/v1/models/flux-dev').read(); "), 150, "ms"


def _pairs_per_second() -> tuple[float, float]:
    """By the pure function, and by the httpx transport; the requests that go into it are httpx's work, made before."""
    emulator = Emulator(balance=10**6)
    transport = emulator.transport()
    submit = httpx.Request("POST", f"{API}flux-dev-image", headers=KEY, content=BODY)
    submit.headers["content-type"] = "application/json"
    first = json.loads(transport.handle_request(submit).read())["request_id"]
    look = httpx.Request("GET", f"{API}predictions/{first}/result", headers=KEY)

    def carried() -> None:
        assert transport.handle_request(submit).read()
        assert transport.handle_request(look).read()

    def pure() -> None:
        headers = {**KEY, "content-type": "application/json"}
        told = emulator.handle(Request("POST", "/api/v1/flux-dev-image", headers=headers, body=BODY))
        request_id = json.loads(told.body)["request_id"]
        assert emulator.handle(Request("GET", f"/api/v1/predictions/{request_id}/result", headers=KEY)).status == 200

    return _rate(pure), _rate(carried)


def _rate(work: Callable[[], None]) -> float:
    """How often a second of one core's time: what else the machine does is not counted."""
    taken: list[float] = []
    for _ in range(timing.RUNS):
        start = time.process_time()
        for _ in range(PAIRS):
            work()
        taken.append(time.process_time() - start)
    return PAIRS / median(taken)


def _start(ask: str) -> float:
    """Median milliseconds, in fresh interpreters that have imported the emulator; what they run is compiled."""
    command = [sys.executable, "-c", START.format(ask=ask)]
    with timing.compiling() as environment:
        _, *taken = (subprocess.check_output(command, text=True, env=environment) for _ in range(timing.RUNS + 1))
    return 1000 * median(map(float, taken))


def _requests_per_second(port: int) -> float:
    return float(subprocess.check_output([sys.executable, __file__, str(port)], text=True))


@contextmanager
def _bare_server() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self) -> None:
            body = b'{"request_id": "abc", "status": "processing"}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _answer(line: socket.socket) -> bytes:
    told = b""
    while b"\r\n\r\n" not in told:
        told += line.recv(65536)
    head, _, body = told.partition(b"\r\n\r\n")
    length = next(int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:"))
    while len(body) < length:
        body += line.recv(65536)
    return body


def _load(port: int) -> float:
    """Requests a second."""
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for _ in range(ROUNDS):
        for line in lines:
            line.sendall(SUBMIT)
        ids = [json.loads(_answer(line))["request_id"] for line in lines]
        for line, request_id in zip(lines, ids, strict=True):
            line.sendall(f"GET /api/v1/predictions/{request_id}/result {HEAD}\r\n".encode())
        for line in lines:
            _answer(line)
    return 2 * CONNECTIONS * ROUNDS / (time.perf_counter() - start)


if __name__ == "__main__":
    print(_load(int(sys.argv[1])))
