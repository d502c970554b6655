"""How fast jobs go with a journal in PostgreSQL beside none and a file: ``tests/fleet/throughput.py [rounds]``.

2,000 jobs of the awaiting client, each a submit and one look, 100 under way, on the benchmarks' server; each round
takes them in turn, and the ratio of medians is told. ``MUAPI_TEST_POSTGRES`` names the database; else one is started.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "benchmarks")]

import server as jobs_server  # noqa: E402 - found by the line above
from postgres_server import PostgresServer  # noqa: E402 - found by the line above

from muapi_client import AsyncMuAPI  # noqa: E402 - found by the line above
from muapi_client.models import flux_dev_image  # noqa: E402 - found by the line above

JOBS: Final = 2000
AT_ONCE: Final = 100
ROUNDS: Final = 3


async def take_seconds(url: str, journal: Any) -> float:
    """Seconds of all jobs, connections included."""
    todo = iter(range(JOBS))
    async with AsyncMuAPI("sk-live-0123456789abcdef", url, journal=journal) as mu:

        async def work() -> None:
            for _ in todo:
                await mu.look(await mu.submit(flux_dev_image(prompt="a fox", width=1024)))  # type: ignore[arg-type]

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return time.perf_counter() - start


def measure(database: str, rounds: int) -> None:
    """Measure, and tell."""
    taken: dict[str, list[float]] = {"without a journal": [], "a file": [], "PostgreSQL": []}
    with jobs_server.running() as url, tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for kind, journal in zip(taken, (None, Path(folder, f"{number}.db"), database), strict=True):
                taken[kind].append(asyncio.run(take_seconds(url, journal)))
    fastest = median(taken["without a journal"])
    for kind, seconds in taken.items():
        rate = f"{JOBS / median(seconds):.0f} jobs/s, {fastest / median(seconds):.2f} of the rate without"
        sys.stdout.write(f"{kind}: {rate}\n")


if __name__ == "__main__":
    given = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    if found := os.environ.get("MUAPI_TEST_POSTGRES"):
        measure(found, given)
    else:
        own = PostgresServer()
        try:
            measure(own.url, given)
        finally:
            own.remove()
