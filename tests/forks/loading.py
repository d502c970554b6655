"""A program that does all that a client can, and prints what it loads on the way where no fork waits for it.

``python tests/forks/loading.py MuAPI|AsyncMuAPI URL FOLDER [guarded] [bare]``, with the URL of a served emulator;
``bare`` hides sniffio, which comes with trio and is no dependency of ours.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import os
import sys
from contextlib import suppress
from decimal import Decimal
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import muapi_client
from muapi_client._runtime.forks import forks

in_time: list[str] = []
elsewhere: list[str] = []


class Watch:
    """Is asked for every module first, and knows none."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> None:
        """Note who asks."""
        (in_time if forks.kept_waiting.is_mine() else elsewhere).append(name)


class Bare(PathFinder):
    """Finds no sniffio."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        """Find any other module."""
        return None if name == "sniffio" else PathFinder.find_spec(name, path, target)


MODELS = json.loads(os.environ["MODELS_BY_KIND"])  # the request function of each kind, as tests choose them
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200)


async def use(mu: Any, folder: Path) -> None:
    """Call all that a client has; what it answers is awaited where it has to be."""
    models = muapi_client.models
    fox = folder / "fox.png"
    fox.write_bytes(PICTURE)

    async def get(answer: Any) -> Any:
        return await answer if inspect.isawaitable(answer) else answer

    async def walk(answer: Any) -> list[Any]:
        answer = await get(answer)
        return [each async for each in answer] if hasattr(answer, "__aiter__") else list(answer)

    done = await get(mu.run(getattr(models, MODELS["image"])(prompt="a fox")))
    await get((await get(mu.submit(getattr(models.text_to_image, MODELS["other_image"])(prompt="a fox")))).wait())
    await get(mu.upload(fox))
    await get(mu.upload(io.BytesIO(PICTURE + b"more")))
    await get(mu.run(getattr(models, MODELS["edit"])(prompt="a fox", images_list=[str(await get(mu.upload(fox)))])))
    await walk(mu.stream(getattr(models, MODELS["stream"])(prompt="a fox")))
    await get(mu.download(done, folder))
    await get(mu.estimate(getattr(models, MODELS["image"])(prompt="a fox")))
    await get(mu.sandbox())
    await walk(mu.history(limit=3))
    await get(mu.account.balance())
    await get(mu.keys.list())
    await get(mu.models.list())
    await get(mu.unknown())
    await walk(mu.resume())
    await walk(mu.jobs())
    await get(mu.send(getattr(models, MODELS["image"])(prompt="a fox")))
    for mistake in (
        lambda: mu.look("nobody's"),
        lambda: mu.submit(muapi_client.raw_call("flux-dev-image", {"promt": "a fox"})),
        lambda: mu.submit(getattr(models, MODELS["image"])(width="wide")),
    ):
        try:
            await get(mistake())
        except muapi_client.MuAPIError:
            continue


async def main(kind: str, url: str, folder: Path, options: dict[str, Any]) -> None:
    """Use one client."""
    mu = getattr(muapi_client, kind)("sk-live", url, **options)
    await use(mu, folder)
    closed = mu.close()
    if inspect.isawaitable(closed):
        await closed


if __name__ == "__main__":
    where = Path(sys.argv[3])
    guarded = {"journal": where / "jobs.db", "max_spend": Decimal(100), "expect": "live"}
    work = main(sys.argv[1], sys.argv[2], where, guarded if "guarded" in sys.argv else {})
    if "bare" in sys.argv:
        sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
    sys.meta_path.insert(0, Watch)  # type: ignore[arg-type]
    if sys.argv[1] == "MuAPI":  # awaits nothing, so that no event loop loads anything on its behalf
        with suppress(StopIteration):
            work.send(None)
    else:
        asyncio.run(work)
    sys.stdout.write(f"loaded in time: {len(in_time) > 100}\nloaded elsewhere: {elsewhere}\n")
