"""Many jobs at once, each a submit and one look: ours beside a bare httpx loop that does the same two requests.

By tasks and by threads, with and without a journal, on a server in a process of its own; and what 10,000 jobs in flight
take of memory. Where aiohttp is installed it runs beside them: what Python can do, were the rest for nothing.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx
import server

from muapi_client import AsyncMuAPI, Job, MuAPI
from muapi_client.models import flux_dev_image

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

KEY = "sk-live-0123456789abcdef0123456789abcdef"
HEADERS = {"x-api-key": KEY}
BODY = {"prompt": "a fox", "width": 1024}
JOBS = 2000
ROUNDS = 3
TASKS = (1, 16, 100, 1000)  # in flight
THREADS = (1, 16, 100)
MANY = 10_000
GOALS = {16: 1 / 2, 100: 1 / 3}  # seconds of ours / of bare httpx, by how many tasks are in flight

if TYPE_CHECKING:
    DoAsync = Callable[[], Awaitable[object]]  # one job
    Kind = Callable[[str, Path], Any]  # opens what does one


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Ratios of seconds, each pair taken in turn."""
    with server.running() as url, tempfile.TemporaryDirectory(prefix="muapi-bench-") as folder:
        yield from _task_rows(url, Path(folder))
        yield from _thread_rows(url, Path(folder))
        yield f"{MANY} jobs in flight: memory of the program at its highest", _memory(url), 150, "MB"


def _task_rows(url: str, folder: Path) -> Iterator[tuple[str, float, float | None, str]]:
    kinds: dict[str, Kind] = {"ours": _ours, "journal": _with_journal, "httpx": _bare}
    if find_spec("aiohttp"):
        kinds["aiohttp"] = _aiohttp
    ours: dict[int, float] = {}
    for tasks in TASKS:
        taken: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, times in taken.items():
                if kind != "httpx" or tasks < 1000:  # its pool comes to a standstill there
                    times.append(asyncio.run(_seconds(kinds[kind], url, folder, tasks)))
        found = {kind: median(times) for kind, times in taken.items() if times}
        ours[tasks] = found["ours"]
        what = f"{JOBS} jobs, {tasks} tasks"
        if "httpx" in found:
            rates = f"({JOBS / found['ours']:.0f} / {JOBS / found['httpx']:.0f} jobs/s)"
            yield (
                f"{what}: seconds / a bare httpx loop's {rates}",
                found["ours"] / found["httpx"],
                GOALS.get(tasks),
                "x",
            )
        if "aiohttp" in found:
            rate = f"({JOBS / found['aiohttp']:.0f} jobs/s)"
            yield f"{what}: seconds / an aiohttp loop's {rate}", found["ours"] / found["aiohttp"], None, "x"
        with_journal = found["journal"] / found["ours"]
        yield f"{what}: with a journal ({JOBS / found['journal']:.0f} jobs/s) / without", with_journal, 1 / 0.8, "x"
    yield f"{JOBS} jobs: seconds of 1000 tasks / of 16", ours[1000] / ours[16], 1 / 0.8, "x"


async def _seconds(kind: Kind, url: str, folder: Path, tasks: int) -> float:
    """Seconds of all jobs, ``tasks`` at a time, connections included."""
    todo = iter(range(JOBS))
    async with kind(url, folder) as do:

        async def work() -> None:
            for _ in todo:
                await do()

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(tasks)))
        return time.perf_counter() - start


@asynccontextmanager
async def _ours(url: str, _: Path, journal: Path | None = None) -> AsyncIterator[DoAsync]:
    async with AsyncMuAPI(KEY, url, journal=journal) as mu:

        async def do() -> None:
            job = await mu.submit(flux_dev_image(prompt="a fox", width=1024))
            assert isinstance(job, Job)
            await mu.look(job)

        yield do


_numbers = count(1)


def _with_journal(url: str, folder: Path) -> Any:
    return _ours(url, folder, folder / f"jobs-{next(_numbers)}.db")


@asynccontextmanager
async def _bare(url: str, _: Path) -> AsyncIterator[DoAsync]:
    async with httpx.AsyncClient(timeout=60) as client:

        async def do() -> None:
            accepted = (await client.post(f"{url}/api/v1/flux-dev-image", json=BODY, headers=HEADERS)).json()
            path = f"/api/v1/predictions/{accepted['request_id']}/result"
            (await client.get(url + path, headers=HEADERS)).json()

        yield do


@asynccontextmanager
async def _aiohttp(url: str, _: Path) -> AsyncIterator[DoAsync]:
    import aiohttp

    async with aiohttp.ClientSession(headers=HEADERS) as client:

        async def do() -> None:
            async with client.post(f"{url}/api/v1/flux-dev-image", json=BODY) as answer:
                accepted = await answer.json()
            async with client.get(f"{url}/api/v1/predictions/{accepted['request_id']}/result") as answer:
                await answer.json()

        yield do


def _thread_rows(url: str, folder: Path) -> Iterator[tuple[str, float, float | None, str]]:
    for threads in THREADS:
        taken: dict[str, list[float]] = {"ours": [], "journal": [], "httpx": []}
        for _ in range(ROUNDS):
            with MuAPI(KEY, url) as mu:
                taken["ours"].append(_thread_seconds(lambda: _do_ours(mu), threads))
            with MuAPI(KEY, url, journal=folder / f"jobs-{next(_numbers)}.db") as mu:
                taken["journal"].append(_thread_seconds(lambda: _do_ours(mu), threads))
            with httpx.Client(timeout=60) as client:
                taken["httpx"].append(_thread_seconds(lambda: _do_bare(client, url), threads))
        ours, journal, bare = (median(times) for times in taken.values())
        what, rates = f"{JOBS} jobs, {threads} threads", f"({JOBS / ours:.0f} / {JOBS / bare:.0f} jobs/s)"
        yield f"{what}: seconds / a bare httpx.Client's {rates}", ours / bare, None, "x"
        yield f"{what}: with a journal ({JOBS / journal:.0f} jobs/s) / without", journal / ours, 1 / 0.8, "x"


def _thread_seconds(do: Callable[[], None], threads: int) -> float:
    todo = iter(range(JOBS))  # one step of the interpreter's each: threads may share it

    def work() -> None:
        for _ in todo:
            do()

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for each in [pool.submit(work) for _ in range(threads)]:
            each.result()
    return time.perf_counter() - start


def _do_ours(mu: MuAPI) -> None:
    job = mu.submit(flux_dev_image(prompt="a fox", width=1024))
    assert isinstance(job, Job)
    mu.look(job)


def _do_bare(client: httpx.Client, url: str) -> None:
    accepted = client.post(f"{url}/api/v1/flux-dev-image", json=BODY, headers=HEADERS).json()
    client.get(f"{url}/api/v1/predictions/{accepted['request_id']}/result", headers=HEADERS).json()


IN_FLIGHT = """
import asyncio, resource, sys
from muapi_client import AsyncMuAPI
from muapi_client.models import flux_dev_image

async def main():
    async with AsyncMuAPI("k", sys.argv[1], timeout=600) as mu:
        async def do():
            job = await mu.submit(flux_dev_image(prompt="a fox", width=1024))
            waiting.release()
            await all_out.wait()
            await mu.wait(job)
        waiting, all_out = asyncio.Semaphore(0), asyncio.Event()
        tasks = [asyncio.create_task(do()) for _ in range(int(sys.argv[2]))]
        for _ in tasks:
            await waiting.acquire()
        all_out.set()
        await asyncio.gather(*tasks)
asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _memory(url: str) -> float:
    told = subprocess.run([sys.executable, "-c", IN_FLIGHT, url, str(MANY)], capture_output=True, check=True, text=True)
    return int(told.stdout) / 1024
