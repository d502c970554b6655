"""aiohttp by hand: what Python can do, were the rest for nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from clients import Async

HEADERS = {"x-api-key": "sk-live-0123456789abcdef0123456789abcdef"}
BODY = {"prompt": "a fox", "width": 1024}


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    async with aiohttp.ClientSession(headers=HEADERS) as client:

        async def submit() -> Any:
            async with client.post(f"{url}/api/v1/flux-dev-image", json=BODY) as answer:
                return (await answer.json())["request_id"]

        async def look(job: Any) -> Any:
            async with client.get(f"{url}/api/v1/predictions/{job}/result") as answer:
                return await answer.json()

        yield submit, look


def download(url: str, folder: Path) -> None:
    asyncio.run(_download(url, folder))


async def _download(url: str, folder: Path) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{url}/api/v1/predictions/job-1/result", headers=HEADERS) as answer:
            job = await answer.json()
        async with client.get(job["outputs"][0]) as answer:
            with (folder / "out.png").open("wb") as file:
                async for piece in answer.content.iter_any():
                    file.write(piece)
