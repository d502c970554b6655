"""A receiver of webhooks that runs in the process of a wait: each job is looked at once, when its webhook comes."""

from __future__ import annotations

import asyncio
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image

from muapi_client import AsyncMuAPI, MuAPI, Polling, webhooks
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

SELDOM = Polling(minimum=25, maximum=25)
CALLS = [make_image(prompt=f"fox {number}") for number in range(12)]


class Receiver(BaseHTTPRequestHandler):
    """The recipe of ``webhooks`` for a process that waits itself, in the threads of a web server."""

    token = webhooks.new_token()
    mu: Any  # of either kind, and another client than the one that waits

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        known = webhooks.same_token(self.token, self.path.rpartition("/")[2])
        if known:
            self.mu.wake(webhooks.receive(body))
        self.send_response(200 if known else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(params=[MuAPI, AsyncMuAPI])
def hook(request: pytest.FixtureRequest, served: str) -> Iterator[str]:
    """The URL of a receiver that holds a client of either kind."""
    kind = type("OneReceiver", (Receiver,), {"mu": request.param("sk-live", served)})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/{Receiver.token}"
        server.shutdown()


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(job_seconds=18)  # 0.3 real seconds


@pytest.fixture
def served(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as url:
        yield url


def count_looks(emulator: Emulator) -> int:
    return sum("/predictions/" in exchange.request.path for exchange in emulator.requests)


@pytest.fixture(autouse=True)
def no_long_wait() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 20, "a look that nobody hastened comes after 25 s"


def test_a_blocking_run_looks_once(hook: str, served: str, emulator: Emulator) -> None:
    with MuAPI("sk-live", served, webhook=hook, polling=SELDOM) as mu:
        assert mu.run(CALLS[0]).done
    assert count_looks(emulator) == 1


def test_a_blocking_map_looks_once_at_each_job(hook: str, served: str, emulator: Emulator) -> None:
    with MuAPI("sk-live", served, webhook=hook, polling=SELDOM) as mu:
        assert [outcome.error for outcome in mu.map(CALLS)] == [None] * len(CALLS)
    assert count_looks(emulator) == len(CALLS)


def test_awaiting_runs_look_once(hook: str, served: str, emulator: Emulator) -> None:
    async def main() -> None:
        async with AsyncMuAPI("sk-live", served, webhook=hook, polling=SELDOM) as mu:
            assert all(done.done for done in await asyncio.gather(*(mu.run(call) for call in CALLS)))

    asyncio.run(main())
    assert count_looks(emulator) == len(CALLS)


def test_an_awaiting_map_looks_once_at_each_job(hook: str, served: str, emulator: Emulator) -> None:
    async def main() -> None:
        async with AsyncMuAPI("sk-live", served, webhook=hook, polling=SELDOM) as mu:
            assert [outcome.error async for outcome in mu.map(CALLS)] == [None] * len(CALLS)

    asyncio.run(main())
    assert count_looks(emulator) == len(CALLS)
