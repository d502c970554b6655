"""httpx by hand: the same two requests, and nothing else."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from clients import Async, Blocking

HEADERS = {"x-api-key": "sk-live-0123456789abcdef0123456789abcdef"}
BODY = {"prompt": "a fox", "width": 1024}


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    with httpx.Client(timeout=60) as client:

        def submit() -> Any:
            return client.post(f"{url}/api/v1/flux-dev-image", json=BODY, headers=HEADERS).json()["request_id"]

        yield submit, lambda job: client.get(f"{url}/api/v1/predictions/{job}/result", headers=HEADERS).json()


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    async with httpx.AsyncClient(timeout=60) as client:

        async def submit() -> Any:
            return (await client.post(f"{url}/api/v1/flux-dev-image", json=BODY, headers=HEADERS)).json()["request_id"]

        async def look(job: Any) -> Any:
            return (await client.get(f"{url}/api/v1/predictions/{job}/result", headers=HEADERS)).json()

        yield submit, look


def download(url: str, folder: Path) -> None:
    with httpx.Client(timeout=60) as client:
        job = client.get(f"{url}/api/v1/predictions/job-1/result", headers=HEADERS).json()
        with client.stream("GET", job["outputs"][0]) as answer, (folder / "out.png").open("wb") as file:
            for piece in answer.iter_bytes():
                file.write(piece)
