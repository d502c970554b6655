"""What aiohttp would bring if it carried the looks, and httpx the submits: the question of an extra ``[fast]``.

Two ways, neither of which is shipped. "At the door": ``AsyncHosts`` hands a GET to aiohttp and makes httpx's response
of the answer, so that all above it stays as it is. "Beside the driver": an exchange of its own without httpx's request
and response, which holds to what the driver's does (address, proxy, deadline, size, coding, secrets, mocks). To be
worth a second HTTP library, whose faults would all have to be known as well as httpx's are, looks had to reach 0.4 of
what a loop of aiohttp's own does, and submit + look 1.2 of what they are without.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import anyio
import httpx
import server
from clients import bare_aiohttp, ours
from yarl import URL

from muapi_client._protocol.steps import NoReply, Reply
from muapi_client._runtime.content_coding import Unpacking
from muapi_client._runtime.tracebacks import clear_locals
from muapi_client._transport import driver, hosts
from muapi_client._transport.mocks import is_replaced
from muapi_client._transport.proxies import find_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

JOBS = 500
ROUNDS = 7
IN_FLIGHT = (16, 100)
SEND, EXCHANGE = hosts.AsyncHosts.send, driver._aexchange
WITHOUT, AT_THE_DOOR, BESIDE_THE_DRIVER, LOOP = "without", "at the door", "beside the driver", "a loop of aiohttp's"
WAYS = (WITHOUT, AT_THE_DOOR, BESIDE_THE_DRIVER, LOOP)
LOOKS_GOAL, JOBS_GOAL = 0.4, 1.2  # of the rate of a loop of aiohttp's; of the rate without

_session: aiohttp.ClientSession


class Found(NamedTuple):
    """The rate of one way, over that which it is held against, in each round."""

    what: str
    way: str
    ratios: list[float]
    goal: float


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """As ratios of seconds, since less is better in this list; the goals are inverted likewise."""
    for found in measure():
        yield f"{found.what}, {found.way}: seconds", 1 / median(found.ratios), 1 / found.goal, "x"


def measure(jobs: int = JOBS, rounds: int = ROUNDS) -> Iterator[Found]:
    """All ways in turn, for looks alone and for jobs."""
    with server.running() as url:
        for looks in (True, False):
            for tasks in IN_FLIGHT:
                taken: dict[str, list[float]] = {way: [] for way in WAYS}
                for _ in range(rounds):
                    for way, times in taken.items():
                        times.append(asyncio.run(_seconds(way, url, jobs, tasks, looks=looks)))
                base, goal = (LOOP, LOOKS_GOAL) if looks else (WITHOUT, JOBS_GOAL)
                what = f"{'looks alone' if looks else 'submit + look'}, {tasks} tasks, over {base}"
                for way in (AT_THE_DOOR, BESIDE_THE_DRIVER):
                    ratios = [other / mine for mine, other in zip(taken[way], taken[base], strict=True)]
                    yield Found(what, way, ratios, goal)


async def _seconds(way: str, url: str, jobs: int, tasks: int, *, looks: bool) -> float:
    todo = iter(range(jobs))
    client = bare_aiohttp if way == LOOP else ours
    async with _sending(way), client.awaiting(url) as (submit, look):
        first = await submit()
        await look(first)

        async def work() -> None:
            for _ in todo:
                await look(first if looks else await submit())

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(tasks)))
        return (time.perf_counter() - start) / jobs


@asynccontextmanager
async def _sending(way: str) -> AsyncIterator[None]:
    global _session
    connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=4)
    never = aiohttp.ClientTimeout(total=None)  # the deadline is ours
    cookies = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(
        connector=connector, timeout=never, cookie_jar=cookies, auto_decompress=False
    ) as _session:
        try:
            hosts.AsyncHosts.send = _at_the_door if way == AT_THE_DOOR else SEND  # type: ignore[method-assign]
            driver._aexchange = _beside_the_driver if way == BESIDE_THE_DRIVER else EXCHANGE
            yield
        finally:
            hosts.AsyncHosts.send, driver._aexchange = SEND, EXCHANGE  # type: ignore[method-assign]


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.content.iter_any():
            yield piece

    async def aclose(self) -> None:
        self._answer.release()


def _at_the_door(self: Any, request: httpx.Request, delivery: Any) -> Any:
    return _send(request, delivery) if request.method == "GET" else SEND(self, request, delivery)


async def _send(request: httpx.Request, delivery: Any) -> httpx.Response:
    delivery.started = True
    headers = dict(request.headers.items())
    answer = await _session.get(URL(str(request.url), encoded=True), headers=headers, allow_redirects=False)
    return httpx.Response(answer.status, headers=list(answer.raw_headers), stream=_Body(answer))


@lru_cache(maxsize=1024)
def _address(origin: str, path: str) -> URL:
    return URL(str(hosts.api_address(origin, path)), encoded=True)


@lru_cache(maxsize=64)
def _proxy(origin: str) -> str | None:
    return find_proxy(httpx.URL(origin))


async def _beside_the_driver(send: Any, connections: Any, clock: Any, origin: str, api_key: Any) -> Reply | NoReply:
    if send.method != "GET" or send.content or is_replaced(httpx.AsyncClient):
        return await EXCHANGE(send, connections, clock, origin, api_key)
    ends, handled = clock.now() + send.timeout, sys.exception()
    content = bytearray()
    try:
        with anyio.CancelScope(deadline=anyio.current_time() + send.timeout + driver.GRACE) as scope:
            url = _address(origin, send.path)
            url = url.update_query(list(send.query)) if send.query else url
            driver.hide_webhooks(send, api_key)
            headers = {**hosts.ASKING, **(send.headers or {}), "x-api-key": api_key.reveal()}
            async with _session.get(url, headers=headers, allow_redirects=False, proxy=_proxy(origin)) as answer:
                unpacking = Unpacking(httpx.Headers(list(answer.raw_headers)))
                async for piece in answer.content.iter_any():
                    for unpacked in unpacking.feed(piece):
                        content += unpacked
                    driver._guard(len(content), ends - clock.now(), send)
                unpacking.end()
        if scope.cancelled_caught:
            raise TimeoutError  # noqa: TRY301 - as the driver does
    except BaseException as error:
        clear_locals(error, handled, everything=False)
        raise
    driver.hide_webhooks(send, api_key)
    told: dict[str, str] = {}
    for name, value in answer.headers.items():
        lower = name.lower()
        told[lower] = f"{told[lower]}, {value}" if lower in told else value
    return Reply(answer.status, api_key.hide_values(told), api_key.hide(bytes(content)), clock.now())
