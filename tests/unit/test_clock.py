"""Virtual time: sleepers overlap, nothing waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from muapi_client._runtime.clock import SystemClock, VirtualClock

if TYPE_CHECKING:
    import pytest


@given(st.lists(st.floats(0, 1000)))
def test_one_sleeper_adds_up(pauses: list[float]) -> None:
    clock, expected = VirtualClock(5.0), 5.0
    for pause in pauses:
        clock.sleep(pause)
        expected += pause
    assert clock.now() == expected


def test_tasks_overlap() -> None:
    clock = VirtualClock()

    async def sleepers() -> None:
        await asyncio.gather(*(clock.asleep(seconds) for seconds in (3.0, 1.0, 2.0)))

    asyncio.run(sleepers())
    assert clock.now() == 3.0


def test_it_never_goes_back() -> None:
    clock, readings = VirtualClock(), list[float]()

    def sleep() -> None:
        for _ in range(200):
            before = clock.now()
            clock.sleep(0.5)
            readings.append(clock.now() - before)

    threads = [threading.Thread(target=sleep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(readings) >= 0.5
    assert clock.now() >= 100.0


def test_real_time_is_monotonic_and_its_sleeps_may_be_empty() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.0)
    asyncio.run(clock.asleep(0.0))
    assert clock.now() >= before


def test_a_sleep_longer_than_the_system_takes_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    SystemClock().sleep(1e300)
    assert slept == [1e9]
