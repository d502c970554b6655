"""fal-client; its settings name a host that is spoken to over https, so its address is set from here."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import fal_client
from fal_client import client as inside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from clients import Async, Blocking

BODY = {"prompt": "a fox", "width": 1024}


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    inside.QUEUE_URL_FORMAT = f"{url}/fal/"
    client = fal_client.SyncClient(key="k:s")
    yield lambda: client.submit("fal-ai/flux", BODY), lambda job: job.status()


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    inside.QUEUE_URL_FORMAT = f"{url}/fal/"
    client = fal_client.AsyncClient(key="k:s")
    yield lambda: client.submit("fal-ai/flux", BODY), lambda job: job.status()


def wait(url: str) -> None:
    """A job, to its end, looked at as often as it does of its own accord."""
    inside.QUEUE_URL_FORMAT = f"{url}/fal/"
    fal_client.SyncClient(key="k:s").submit("fal-ai/flux", BODY).get()
