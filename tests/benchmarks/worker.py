"""Measure one client at one task, in a process of its own: ``python worker.py URL MODULE TASK [JSON of options]``.

Prints one line of JSON. A process of its own, so that what one client loads, patches or holds is no other's, and its
memory can be told. Jobs begin until there are enough of them or the time is up; those that then still do not end are
left behind, and that is told as well.

Lives here: carrying out a task. Does not live here: which tasks there are and how they are told (``measuring``,
``table``).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NoReturn

import server

if TYPE_CHECKING:
    from collections.abc import Callable


class Jobs:
    """Jobs to be done, and what became of them; asked by threads and tasks, one step of the interpreter's at a time.

    Args:
        jobs: How many.
        limit: Seconds after which no more of them begin.
    """

    def __init__(self, jobs: int, limit: float) -> None:
        self.limit = limit
        self._todo = iter(range(jobs))
        self._ended: list[float] = []  # when each did
        self._failed: Counter[str] = Counter()
        self._start, self._used = time.perf_counter(), time.process_time()

    def begin(self) -> bool:
        """Whether there is another."""
        return time.perf_counter() - self._start < self.limit and next(self._todo, None) is not None

    def end(self, error: Exception | None = None) -> None:
        """One has ended."""
        if error is None:
            self._ended.append(time.perf_counter())
        else:
            self._failed[type(error).__name__] += 1

    def left(self) -> float:
        """Seconds in which those that have begun may end: three times the limit, from the start."""
        return max(0.0, self._start + 3 * self.limit - time.perf_counter())

    def told(self, *, stalled: bool) -> dict[str, Any]:
        """As it is printed: seconds a job, by the clock and of the processor."""
        ended = len(self._ended)
        seconds = max(self._ended, default=self._start) - self._start
        return {
            "seconds": seconds / ended if ended else None,
            "cpu": (time.process_time() - self._used) / ended if ended else None,
            "jobs": ended,
            "stalled": stalled,
            "failed": dict(self._failed),
        }


def many(client: Any, url: str, *, how: str, looks: bool, at_once: int, jobs: int, limit: float) -> dict[str, Any]:
    """Jobs, each a submit and a look, or looks alone; so many at once, by ``threads`` or ``tasks``."""
    if how == "tasks":
        return asyncio.run(_by_tasks(client, url, jobs, limit, at_once=at_once, looks=looks))
    return _by_threads(client, url, jobs, limit, at_once=at_once, looks=looks)


async def _by_tasks(client: Any, url: str, jobs: int, limit: float, *, at_once: int, looks: bool) -> dict[str, Any]:
    async with client.awaiting(url) as (submit, look):
        first = await submit()
        await look(first)  # whatever the first call loads is another row's
        todo = Jobs(jobs, limit)

        async def work() -> None:
            while todo.begin():
                try:
                    await look(first if looks else await submit())
                except Exception as error:  # noqa: BLE001 - told in the table, whatever it is
                    todo.end(error)
                else:
                    todo.end()

        _, left = await asyncio.wait([asyncio.create_task(work()) for _ in range(at_once)], timeout=todo.left())
        _print_and_leave(todo.told(stalled=bool(left)))


def _by_threads(client: Any, url: str, jobs: int, limit: float, *, at_once: int, looks: bool) -> dict[str, Any]:
    with client.blocking(url) as (submit, look):
        first = submit()
        look(first)
        todo = Jobs(jobs, limit)

        def work() -> None:
            while todo.begin():
                try:
                    look(first if looks else submit())
                except Exception as error:  # noqa: BLE001 - as above
                    todo.end(error)
                else:
                    todo.end()

        workers = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(todo.left())
        _print_and_leave(todo.told(stalled=any(worker.is_alive() for worker in workers)))


def one(client: Any, url: str, *, jobs: int) -> dict[str, Any]:
    """The median seconds of a submit and a look, one after another over one connection."""
    if hasattr(client, "blocking"):
        with client.blocking(url) as (submit, look):
            return {"seconds": _median(lambda: look(submit()), jobs)}
    return asyncio.run(_one(client, url, jobs))


async def _one(client: Any, url: str, jobs: int) -> dict[str, Any]:
    taken: list[float] = []
    async with client.awaiting(url) as (submit, look):
        for _ in range(jobs + 1):
            start = time.perf_counter()
            await look(await submit())
            taken.append(time.perf_counter() - start)
    return {"seconds": median(taken[1:])}


def build(client: Any, _: str, *, times: int) -> dict[str, Any]:
    """The median seconds of building a call."""
    return {"seconds": _median(client.build, times)}


def _median(do: Callable[[], object], times: int) -> float:
    taken: list[float] = []
    for _ in range(times + 1):  # the first is not counted
        start = time.perf_counter()
        do()
        taken.append(time.perf_counter() - start)
    return median(taken[1:])


def download(client: Any, url: str, *, mib: int) -> dict[str, Any]:
    """Seconds of fetching a job's file into a folder, and of asking where it is; the best of three."""
    taken = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="muapi-bench-") as folder:
            start = time.perf_counter()
            client.download(url, Path(folder))
            taken.append(time.perf_counter() - start)
            (file,) = Path(folder).iterdir()
            assert file.stat().st_size == mib * 2**20
    return {"seconds": min(taken)}


def polls(client: Any, _: str, *, durations: list[float]) -> dict[str, Any]:
    """Looks a job, and seconds late, of a client's own way to wait; in virtual time, in which an exchange takes none.

    What is put in its place: the sleep of ``time``, its clocks, and httpx's transport.
    """
    import httpx

    now, ends, looks, late = 0.0, 0.0, 0, 0.0
    here = "http://127.0.0.1:9"

    def answer(_: Any, request: httpx.Request) -> httpx.Response:
        nonlocal looks, late
        path = request.url.raw_path.decode()
        if request.method == "POST":
            return httpx.Response(200, json=server.submitted(path, here, 1), request=request)
        is_status = not path.startswith("/fal/") or "/status" in path
        looks += is_status
        if is_status and now >= ends:
            late += now - ends
        return httpx.Response(200, json=server.looked(path, here, done=now >= ends), request=request)

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    began = time.time()
    trust = httpx.create_ssl_context()
    httpx.HTTPTransport.handle_request = answer  # type: ignore[method-assign]
    httpx._transports.default.create_ssl_context = lambda **_: trust  # type: ignore[attr-defined] # muapi-cli loads one an exchange
    time.sleep, time.time = sleep, lambda: began + now
    given_up = 0
    for seconds in durations:
        ends = now + seconds
        try:
            client.wait(here)
        except Exception:  # noqa: BLE001 - as above
            given_up += 1
    return {"looks": looks / len(durations), "late": late / max(1, len(durations) - given_up), "given_up": given_up}


def memory(client: Any, url: str, *, jobs: int) -> dict[str, Any]:
    """MiB at the highest, with jobs in flight: all are submitted, a hundred at a time, before one is looked at."""
    return asyncio.run(_memory(client, url, jobs))


async def _memory(client: Any, url: str, jobs: int) -> dict[str, Any]:
    turns = asyncio.Semaphore(100)
    async with client.awaiting(url) as (submit, look):

        async def do() -> None:
            async with turns:
                job = await submit()
            waiting.release()
            await all_out.wait()
            async with turns:
                await look(job)

        waiting, all_out = asyncio.Semaphore(0), asyncio.Event()
        tasks = [asyncio.create_task(do()) for _ in range(jobs)]
        for _ in tasks:
            await waiting.acquire()
        all_out.set()
        await asyncio.gather(*tasks)
    return {"memory": _highest()}


def _highest() -> float:
    """MiB of memory at the highest.

    By Linux's own account of this program: ``getrusage`` has that of who started it, as long as it was more.
    """
    if (status := Path("/proc/self/status")).exists():
        (kib,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    else:
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(kib) / 1024


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    task.__name__: task for task in (many, one, build, download, polls, memory)
}


def _print_and_leave(told: dict[str, Any]) -> NoReturn:
    """Without waiting for what is left behind."""
    print(json.dumps(told), flush=True)
    os._exit(0)


def main(url: str, module: str, task: str, options: str = "{}") -> None:
    """Print what a task came to."""
    client = import_module(f"clients.{module}")
    _print_and_leave(TASKS[task](client, url, **json.loads(options)))


if __name__ == "__main__":
    main(*sys.argv[1:])
