"""replicate, by its ``base_url``."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from replicate.client import Client
from replicate.helpers import FileOutput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from clients import Async, Blocking

BODY = {"prompt": "a fox", "width": 1024}


def _client(url: str) -> Any:
    return Client(api_token="r8_0123456789abcdef", base_url=url)


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    client = _client(url)
    yield lambda: client.predictions.create("c", BODY), lambda job: job.reload()


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    client = _client(url)
    yield lambda: client.predictions.async_create("c", BODY), lambda job: job.async_reload()


def wait(url: str) -> None:
    """A job, to its end, looked at as often as it does of its own accord."""
    _client(url).predictions.create("c", BODY).wait()


def download(url: str, folder: Path) -> None:
    client = _client(url)
    output = FileOutput(client.predictions.get("job-1").output[0], client)
    with (folder / "out.png").open("wb") as file:
        for piece in output:
            file.write(piece)
