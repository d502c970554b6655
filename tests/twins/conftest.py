"""One test body, both clients: a scripted server in virtual time, and a face that hides who awaits.

A script is a list of steps, one a request; the last one repeats. A step is the JSON of a 200, a ``(status, body)`` or
``(status, body, headers)``, an exception to raise once the request was sent, ``("unsent", exception)`` to raise it
before, or a function of the request that answers a step.

Words of these tests: the two clients are twins. ``twin`` makes clients of one kind, and so runs a test once for each;
``twin(*steps, **options)`` is a ``face``: a client of that kind with blocking methods, and its scripted ``server``.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import AsyncMuAPI, MuAPI, raw_call
from muapi_client._runtime.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

KEY = "sk-live-4f1d0c2e9b"


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body that tells whether it was closed, and may take virtual time to arrive."""

    def __init__(self, chunks: list[bytes], pause: Callable[[], None] = lambda: None) -> None:
        self.chunks, self.pause, self.closed = chunks, pause, False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.pause()
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Script(httpx.MockTransport):
    """A server that answers as told, and keeps what it was asked. It tells what was sent, as httpcore does."""

    tells_when_sent = True

    def __init__(self, steps: tuple[Any, ...], clock: VirtualClock) -> None:
        super().__init__(self._answer)
        self.steps, self.clock = list(steps), clock
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.bodies: list[Body] = []

    @property
    def posts(self) -> int:
        """How many POSTs arrived."""
        return sum(request.method == "POST" for request in self.requests)

    @property
    def gets(self) -> int:
        """How many GETs arrived."""
        return sum(request.method == "GET" for request in self.requests)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(self.clock.now())
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        while callable(step) and not isinstance(step, type):
            step = step(request)
        if isinstance(step, tuple) and step[0] == "unsent":
            raise step[1]
        telling = request.extensions["trace"]("script.send_request_headers.started", {"request": request})
        if inspect.iscoroutine(telling):
            with suppress(StopIteration):
                telling.send(None)
        if isinstance(step, BaseException | type):
            raise step
        return self._response(step)

    def _response(self, step: Any) -> httpx.Response:
        status, body, headers = (*step, {})[:3] if isinstance(step, tuple) else (200, step, {})
        if not isinstance(body, Body):
            text = body if isinstance(body, str | bytes) else json.dumps(body)
            body = Body([text.encode() if isinstance(text, str) else text])
        self.bodies.append(body)
        return httpx.Response(status, headers=headers, stream=body)


class Face:
    """A client of either kind with blocking methods, and the server it talks to."""

    def __init__(self, kind: type, steps: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.clock = VirtualClock(1000.0)
        self.server = Script(steps, self.clock)
        self.mu = kind(**{"api_key": KEY, "transport": self.server, **options})

    def go(self, outcome: Any) -> Any:
        """What a method of the client comes to."""
        return asyncio.run(_await(outcome)) if inspect.isawaitable(outcome) else outcome

    def resume(self, **options: Any) -> list[Any]:
        """What ``resume`` iterates over."""
        return self._listed(self.mu.resume(**options))

    def jobs(self, **options: Any) -> list[Any]:
        """What ``jobs`` iterates over."""
        return self._listed(self.mu.jobs(**options))

    def events(self, call: Any) -> list[Any]:
        """What ``stream`` iterates over."""
        return self._listed(self.mu.stream(call))

    def _listed(self, iterator: Any) -> list[Any]:
        return asyncio.run(_collect(iterator)) if hasattr(iterator, "__aiter__") else list(iterator)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.mu, name)
        return (lambda *args, **named: self.go(member(*args, **named))) if inspect.ismethod(member) else member

    def sharing(self, **changes: Any) -> Face:
        """The face of ``with_options``."""
        other = object.__new__(Face)
        other.__dict__ = {**self.__dict__, "mu": self.mu.with_options(**changes)}
        return other


async def _collect(iterator: Any) -> list[Any]:
    return [item async for item in iterator]


async def _await(outcome: Any) -> Any:
    return await outcome


class Twin:
    """Makes faces of one kind."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.key = KEY
        self.call = raw_call("new/model", {"prompt": "a red fox"})

    def __call__(self, *steps: Any, **options: Any) -> Face:
        return Face(self.kind, steps, options)

    @property
    def awaits(self) -> bool:
        """Whether its methods are coroutines."""
        return self.kind is AsyncMuAPI

    def body(self, *chunks: bytes, pause: Callable[[], None] = lambda: None) -> Body:
        """A body to watch."""
        return Body(list(chunks), pause)


@pytest.fixture(params=[MuAPI, AsyncMuAPI], ids=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    """The kind of client the test runs on."""
    return Twin(request.param)
