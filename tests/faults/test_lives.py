"""A client among threads, forks and event loops, interrupted, cancelled and closed."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from doors import SHORT, LeapingClock
from plans import Dice, strike

from muapi_client import AsyncMuAPI, MuAPI, Polling, Retry, errors, raw_call

if TYPE_CHECKING:
    from server import FaultServer

KEY = "sk-test-0123456789"
HASTE = Retry(attempts=8, initial=0.01, maximum=0.05, retry_after_maximum=0.05)


def _call(marker: str) -> Any:
    return raw_call(IMAGE.slug, {"prompt": marker})


def _outcome(mu: MuAPI, marker: str) -> str:
    try:
        return mu.run(_call(marker), timeout=60).status
    except errors.MuAPIError as error:
        return type(error).__name__


def test_one_client_serves_32_threads_under_faults(faults: FaultServer) -> None:
    faults.plan = Dice(seed=3, rate=0.3)
    markers = [f"job-{number}" for number in range(160)]
    options: Any = {"timeout": 1.0, "retry": HASTE, "polling": Polling(minimum=0.01)}
    with MuAPI(KEY, faults.url, **options) as mu, ThreadPoolExecutor(32) as pool:
        told = dict(zip(markers, pool.map(lambda marker: _outcome(mu, marker), markers), strict=True))
        known = {job.id for job in faults.truth.jobs.values() if told[job.marker] != "SubmitOutcomeUnknownError"}
        total = sum(faults.truth.jobs[name].net for name in known)

    assert max(faults.truth.accepted.values()) == 1
    assert len(set(told.values())) > 3  # the faults did strike
    assert mu.spend.total_usd == Decimal(total).scaleb(-6)
    assert mu.spend.requests == len(known)


def test_a_client_works_on_both_sides_of_a_fork(faults: FaultServer) -> None:
    with MuAPI(KEY, faults.url, clock=LeapingClock()) as mu:
        assert mu.run(_call("completed-before")).done
        child = os.fork()
        if child == 0:
            _exit_with(lambda: mu.run(_call("completed-child")).done)
        mine = mu.run(_call("completed-parent")).done
        _, status = os.waitpid(child, 0)

    assert mine
    assert os.waitstatus_to_exitcode(status) == 0
    assert faults.truth.accepted == {"completed-before": 1, "completed-child": 1, "completed-parent": 1}


def test_a_fork_while_another_thread_holds_the_locks_leaves_the_child_a_client_that_works(
    faults: FaultServer,
) -> None:
    with MuAPI(KEY, faults.url, clock=LeapingClock()) as mu:
        assert mu.run(_call("completed-before")).done
        inside, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with mu._connections._lock, mu._ledger._lock:  # a moment, made to last
                inside.set()
                leave.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        inside.wait()
        child = os.fork()
        if child == 0:
            _exit_with(lambda: mu.run(_call("completed-child")).done)
        _, status = os.waitpid(child, 0)
        leave.set()
        holder.join()

    assert os.waitstatus_to_exitcode(status) == 0


def _exit_with(work: Any) -> None:
    """End a forked child by whether the work was good, without the test run's own endings."""
    signal.alarm(60)  # seconds; a child that waits for ever is killed
    try:
        good = work()
    except BaseException:  # noqa: BLE001 - a child must not go on as a second test run
        good = False
    os._exit(0 if good else 1)


ABANDONED = pytest.mark.filterwarnings(  # a loop that ended with connections open: they close when they are collected
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@ABANDONED
def test_an_asynchronous_client_serves_two_event_loops_one_after_another(faults: FaultServer) -> None:
    mu = AsyncMuAPI(KEY, faults.url, clock=LeapingClock())

    async def once(marker: str) -> bool:
        done = await mu.run(_call(marker))
        return done.done

    async def last() -> bool:
        async with mu:
            return await once("completed-2")

    assert asyncio.run(once("completed-1"))
    assert asyncio.run(last())
    gc.collect()
    assert faults.truth.accepted == {"completed-1": 1, "completed-2": 1}


@ABANDONED
def test_event_loops_that_ended_are_let_go(faults: FaultServer) -> None:
    held = _loops_held_after(5, faults.url)
    gc.collect()

    assert held <= 1  # the latest


def _loops_held_after(runs: int, url: str) -> int:
    mu = AsyncMuAPI(KEY, url, clock=LeapingClock())
    loops = []

    async def once(marker: str) -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await mu.run(_call(marker))

    for number in range(runs):
        asyncio.run(once(f"completed-{number}"))
    gc.collect()
    return sum(loop() is not None for loop in loops)


def test_a_cancelled_submit_leaves_a_client_that_works_and_is_not_sent_again(faults: FaultServer) -> None:
    faults.plan.queues["submit"].append(strike("hang", accepts=True))
    arrived = threading.Event()
    faults.on_request = lambda _what, _subject: arrived.set()

    async def cancel() -> bool:
        async with AsyncMuAPI(KEY, faults.url, clock=LeapingClock()) as mu:
            task = asyncio.create_task(mu.submit(_call("completed-1")))
            await asyncio.to_thread(arrived.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await mu.run(_call("completed-2"))).done

    assert asyncio.run(cancel())
    assert faults.truth.posts == faults.truth.accepted == {"completed-1": 1, "completed-2": 1}


@pytest.mark.usefixtures("no_collection")
def test_an_interrupted_submit_leaves_a_client_that_works_and_is_not_sent_again(faults: FaultServer) -> None:
    faults.plan.queues["submit"].append(strike("hang", accepts=True))
    faults.on_request = lambda _what, subject: (
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT) if subject == "completed-1" else None
    )

    with MuAPI(KEY, faults.url, clock=LeapingClock()) as mu:
        with pytest.raises(KeyboardInterrupt):
            mu.submit(_call("completed-1"))
        assert mu.run(_call("completed-2")).done

    assert faults.truth.posts == faults.truth.accepted == {"completed-1": 1, "completed-2": 1}


def test_a_wait_can_be_cancelled_and_taken_up_again(faults: FaultServer) -> None:
    arrived = threading.Event()

    async def cancel() -> str:
        async with AsyncMuAPI(KEY, faults.url, clock=LeapingClock()) as mu:
            job = await mu.submit(_call("completed-1"))
            faults.plan.queues["look"].append(strike("hang"))
            faults.on_request = lambda _what, _subject: arrived.set()
            task = asyncio.create_task(mu.wait(job))
            await asyncio.to_thread(arrived.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await mu.wait(job)).id or ""

    assert asyncio.run(cancel()) == "completed-1.1"


def test_close_is_idempotent_and_says_so_to_whoever_goes_on(kind: str, faults: FaultServer, open_door: Any) -> None:
    door = open_door()
    assert door.run(_call("completed-1")).done

    door.close()
    door.close()

    with pytest.raises(errors.MuAPIError, match="closed"):
        door.submit(_call("completed-2"))
    assert faults.truth.posts["completed-2"] == 0


def test_a_client_never_used_closes_too(open_door: Any) -> None:
    door = open_door()
    door.close()
    door.close()


def test_no_thread_outlives_a_client(kind: str, faults: FaultServer, open_door: Any) -> None:
    before = set(threading.enumerate())
    door = open_door()
    faults.plan.queues["look"].append(strike("hang"))
    job = door.submit(_call("completed-1"))
    door.mu = door.mu.with_options(timeout=SHORT)

    assert door.wait(job).done
    door.shut()

    assert set(threading.enumerate()) == before


def test_closing_while_threads_wait_gives_each_an_error_of_ours(faults: FaultServer) -> None:
    faults.plan.always["look"] = strike("hang")
    mu = MuAPI(KEY, faults.url)
    jobs = [mu.submit(_call(f"completed-{number}")) for number in range(4)]
    waiting = mu.with_options(timeout=SHORT)

    def wait(job: Any) -> str:
        try:
            return waiting.wait(job, timeout=50).status
        except errors.MuAPIError as error:
            return type(error).__name__

    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(wait, job) for job in jobs]
        while faults.truth.looks.total() < 4:
            time.sleep(0.01)
        mu.close()

        assert {each.result(60) for each in told} <= {"WaitTimeoutError", "MuAPIError", "APIConnectionError"}
