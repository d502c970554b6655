"""Which request uses which pool, told by many threads at once."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from muapi_client._transport.pools import Pools

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3000  # of each thread; with a lock left out, some of the first hundred go wrong


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_requests_end_while_others_are_counted() -> None:
    pools: Pools[object] = Pools(lambda _url: object())
    faults: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(ROUNDS):
                requests = [httpx.Request("GET", "https://api.example/") for _ in range(4)]
                for request in requests:
                    pools.take(request)
                pools.used_with(requests[0])
                pools.give_up(requests[0])
                pools.unused()
                for request in requests:
                    pools.leave(request)
        except Exception as error:  # noqa: BLE001 - of whatever kind
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
