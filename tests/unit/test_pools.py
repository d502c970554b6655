"""Which request has which connection, asked by many threads at once, and waiting for one where all are in use."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import MuAPIError
from muapi_client._transport.pools import AsyncPools, BlockingPools

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 100  # connections to a host at a time
ROUNDS = 3000  # of each thread; with a lock left out, some of the first hundred go wrong


class Fake:
    """A connection as its network left it.

    Attributes:
        users: How many requests have it; more than one is a fault.
    """

    def __init__(self, *_: object) -> None:
        self.idle, self.closed, self.expired, self.users = True, False, False, 0

    def is_idle(self) -> bool:
        return self.idle

    def is_closed(self) -> bool:
        return self.closed

    def has_expired(self) -> bool:
        return self.expired


def request(host: str = "api.example", seconds: float = 60.0) -> httpx.Request:
    return httpx.Request("GET", f"https://{host}/", extensions={"timeout": {"pool": seconds}})


def open_pools() -> BlockingPools[object, Fake]:
    return BlockingPools(lambda _url: object(), Fake, MOST)


def take(pools: Any, asked: httpx.Request) -> Any:
    """A connection, or what awaits one."""
    return pools.take(pools.find(asked.url), asked)


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_no_two_requests_have_one_connection() -> None:
    pools = open_pools()
    faults: list[object] = []

    def work() -> None:
        try:
            for _ in range(ROUNDS):
                requests = [request() for _ in range(4)]
                connections = [take(pools, each) for each in requests]
                for connection in connections:
                    connection.users += 1
                faults.extend(connection for connection in connections if connection.users != 1)
                for connection in connections:
                    connection.users -= 1
                pools.give_up(requests[0])
                for connection in pools.retired():
                    pools.drop(connection)
                for each in requests:
                    pools.leave(each)
        except Exception as error:  # noqa: BLE001 - of whatever kind
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_connection_used_last_is_used_next_unless_it_is_over() -> None:
    pools = open_pools()
    first, second, third = request(), request(), request()
    early, late = take(pools, first), take(pools, second)
    pools.leave(first)
    pools.leave(second)
    assert take(pools, third) is late
    pools.leave(third)
    late.expired = True
    assert take(pools, third) is early
    assert pools.retired() == [late]
    pools.drop(late)
    assert pools.retired() == []


def test_connections_that_were_idle_for_too_long_are_closed_although_others_are_used() -> None:
    pools = open_pools()
    requests = [request() for _ in range(3)]
    connections = [take(pools, each) for each in requests]
    for each in requests:
        pools.leave(each)
    connections[0].expired = connections[1].expired = True
    assert take(pools, requests[0]) is connections[2]
    assert pools.retired() == connections[:2]


@pytest.mark.parametrize("end", ["closed", "busy", "given up"])
def test_a_connection_that_is_closed_busy_or_given_up_is_not_used_again(end: str) -> None:
    pools = open_pools()
    asked = request()
    connection = take(pools, asked)
    if end == "given up":
        pools.give_up(asked)
    else:
        connection.closed, connection.idle = end == "closed", False
        pools.leave(asked)
    assert take(pools, asked) is not connection
    assert pools.retired() == ([] if end == "closed" else [connection])


def test_each_host_has_connections_of_its_own() -> None:
    pools = open_pools()
    requests = [request() for _ in range(MOST)]
    for each in requests:
        take(pools, each)
    asked = request()
    assert pools.try_take(pools.find(asked.url), asked) is None
    take(pools, request("cdn.example"))


def test_a_request_waits_until_another_ends() -> None:
    pools = open_pools()
    requests = [request() for _ in range(MOST)]
    connections = [take(pools, each) for each in requests]
    found: list[Fake] = []
    waiting = threading.Thread(target=lambda: found.append(take(pools, request())))
    waiting.start()
    waiting.join(0.02)
    assert waiting.is_alive()
    pools.leave(requests[7])
    waiting.join()
    assert found == [connections[7]]


def test_a_request_that_no_connection_is_free_for_says_so_at_the_end_of_its_time() -> None:
    pools = open_pools()
    requests = [request() for _ in range(MOST)]
    for each in requests:
        take(pools, each)
    with pytest.raises(httpx.PoolTimeout, match=r"all 100 connections to api\.example are in use"):
        take(pools, request(seconds=0.0))


def test_nothing_is_opened_anew_for_a_request_that_ends_after_all_were_closed() -> None:
    opened: list[httpx.URL] = []

    def make_opener(url: httpx.URL) -> object:
        opened.append(url)
        return url

    pools: BlockingPools[object, Fake] = BlockingPools(make_opener, Fake, MOST)
    asked, another = request(), request()
    connection, other = take(pools, asked), take(pools, another)
    assert pools.close() == [connection, other, opened[0]]
    pools.leave(asked)
    pools.give_up(another)
    assert (len(opened), pools.retired()) == (1, [])


def test_a_connection_whose_leaving_was_interrupted_is_not_used_again() -> None:
    pools = open_pools()
    asked = request()
    connection, pool = take(pools, asked), pools.find(asked.url)
    pool.idle.append(connection)  # as far as ``leave`` came
    pools.give_up(asked)
    assert (pool.idle, pools.retired()) == ([], [connection])


def test_a_connection_that_another_request_took_after_an_interrupted_leave_stays_with_it() -> None:
    pools = open_pools()
    asked, another = request(), request()
    connection, pool = take(pools, asked), pools.find(asked.url)
    pool.idle.append(connection)  # as far as ``leave`` came
    assert take(pools, another) is connection
    pools.give_up(asked)
    assert pools.retired() == []


def test_requests_that_are_forgotten_use_no_connection() -> None:
    pools = open_pools()
    requests = [request() for _ in range(MOST)]
    connections = [take(pools, each) for each in requests]
    requests.clear()
    gc.collect()
    assert take(pools, request()) not in connections
    assert pools.retired() == connections


def test_a_closed_client_says_so_to_those_who_wait() -> None:
    pools = open_pools()
    requests = [request() for _ in range(MOST)]
    for each in requests:
        take(pools, each)
    found: list[Exception] = []

    def wait() -> None:
        try:
            take(pools, request())
        except MuAPIError as error:
            found.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    pools.close()
    waiting.join()
    assert [str(error).partition(":")[0] for error in found] == ["this client is closed"]


def test_a_closed_awaiting_client_says_so_to_those_who_wait() -> None:
    async def main() -> None:
        pools: AsyncPools[object, Fake] = AsyncPools(lambda _url: object(), Fake, MOST)
        requests = [request() for _ in range(MOST)]
        for each in requests:
            await take(pools, each)
        tasks = [asyncio.create_task(take(pools, request())) for _ in range(3)]
        await asyncio.sleep(0)
        pools.close()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(end).partition(":")[0] for end in ended] == ["this client is closed"] * 3

    asyncio.run(asyncio.wait_for(main(), 10))


def test_tasks_that_send_one_request_after_another_leave_others_their_turn() -> None:
    looks = dict.fromkeys(range(MOST + 20), 0)

    async def main() -> None:
        pools: AsyncPools[object, Fake] = AsyncPools(lambda _url: object(), Fake, MOST)

        async def look(task: int) -> None:
            while min(looks.values()) < 5:
                asked = request()
                await take(pools, asked)
                await asyncio.sleep(0)
                pools.leave(asked)
                looks[task] += 1

        await asyncio.gather(*map(look, looks))

    asyncio.run(asyncio.wait_for(main(), 60))
    assert max(looks.values()) <= 4 * min(looks.values())


def test_the_end_of_a_request_to_one_host_calls_nobody_who_waits_for_another() -> None:
    async def main() -> None:
        pools: AsyncPools[object, Fake] = AsyncPools(lambda _url: object(), Fake, MOST)
        requests = {host: [request(host) for _ in range(MOST)] for host in ("api.example", "cdn.example")}
        for each in (*requests["api.example"], *requests["cdn.example"]):
            await take(pools, each)
        tasks = {host: asyncio.create_task(take(pools, request(host))) for host in requests}
        await asyncio.sleep(0)
        pools.leave(requests["cdn.example"][0])
        await tasks["cdn.example"]
        assert not tasks["api.example"].done()
        pools.leave(requests["api.example"][0])
        await tasks["api.example"]

    asyncio.run(asyncio.wait_for(main(), 10))


def test_the_end_of_a_request_of_another_event_loop_calls_nobody() -> None:
    async def main() -> None:
        pools: AsyncPools[object, Fake] = AsyncPools(lambda _url: object(), Fake, MOST)
        requests = [request() for _ in range(MOST)]
        for each in requests:
            await take(pools, each)
        waiting = asyncio.create_task(take(pools, request()))
        await asyncio.sleep(0)
        for end in (pools.leave, pools.give_up):
            await asyncio.to_thread(end, request())
        await asyncio.sleep(0)
        assert not waiting.done()
        pools.leave(requests[0])
        await waiting

    asyncio.run(asyncio.wait_for(main(), 10))


def test_tasks_wait_in_turn_and_one_that_is_cancelled_costs_nobody_his_turn() -> None:
    async def main() -> None:
        pools: AsyncPools[object, Fake] = AsyncPools(lambda _url: object(), Fake, MOST)
        requests = [request() for _ in range(MOST)]
        for each in requests:
            await take(pools, each)
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(take(pools, request())) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[0].cancel()  # while it waits
        pools.leave(requests[0])
        pools.leave(requests[1])
        tasks[2].cancel()  # just after its turn has come
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ended] == [
            asyncio.CancelledError,
            Fake,
            asyncio.CancelledError,
            Fake,
        ]

    asyncio.run(asyncio.wait_for(main(), 10))
