"""muapi-client, without a journal unless the environment names one (``BENCH_JOURNAL``)."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from muapi_client import AsyncMuAPI, MuAPI
from muapi_client._spec.validation import check
from muapi_client.models import flux_dev_image

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from clients import Async, Blocking

KEY = "sk-live-0123456789abcdef0123456789abcdef"  # as long as a real one, which is looked for in every answer
JOURNAL = os.environ.get("BENCH_JOURNAL")


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    with MuAPI(KEY, url, journal=JOURNAL) as mu:
        yield lambda: mu.submit(flux_dev_image(prompt="a fox", width=1024)), mu.look


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    async with AsyncMuAPI(KEY, url, journal=JOURNAL) as mu:
        yield lambda: mu.submit(flux_dev_image(prompt="a fox", width=1024)), mu.look


def build() -> None:
    check(flux_dev_image(prompt="a fox", width=1024, height=768, num_images=2, sync=False))


def download(url: str, folder: Path) -> None:
    with MuAPI(KEY, url) as mu:
        mu.download(mu.look("job-1"), folder)
