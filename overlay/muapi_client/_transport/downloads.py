"""Carrying out a download: several outputs at a time, once blocking in threads, once awaiting in tasks.

Lives here: what runs side by side. Does not live here: what is saved and how (``_files/download``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import anyio

from muapi_client._files.download import collect_paths, save
from muapi_client._files.temp_file import PartialFile
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from muapi_client._files.download import Plan, Result
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._protocol.steps import Flow


def download(plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Path]) -> list[Path]:
    """Save every output, ``plan.concurrency`` at a time, blocking.

    Raises:
        DownloadError: One could not be saved; ``saved`` tells which were.
    """
    save_output = partial(_save_one, plan, transfer, drive)
    indexes = range(len(plan.outputs))
    if 1 in (len(plan.outputs), plan.concurrency):
        return collect_paths(plan, [save_output(index) for index in indexes])
    with ThreadPoolExecutor(plan.concurrency, thread_name_prefix="muapi-download") as pool:
        try:
            results = list(pool.map(save_output, indexes))
        except BaseException:  # an interrupt: no thread goes on behind the caller's back
            plan.limits.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return collect_paths(plan, results)


def _save_one(plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Path], index: int) -> Result:
    part = PartialFile(plan.directory)
    try:
        return drive(save(plan, index, part, transfer))
    except MuAPIError as error:
        return error
    finally:
        part.discard()


async def adownload(plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Awaitable[Path]]) -> list[Path]:
    """The twin of :func:`download`, awaiting."""
    limiter = anyio.CapacityLimiter(plan.concurrency)
    results: dict[int, Result] = {}

    async def save_output(index: int) -> None:
        async with limiter:
            results[index] = await _asave_one(plan, transfer, drive, index)

    async with anyio.create_task_group() as group:
        for index in range(len(plan.outputs)):
            group.start_soon(save_output, index)
    return collect_paths(plan, [results[index] for index in sorted(results)])


async def _asave_one(
    plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Awaitable[Path]], index: int
) -> Result:
    part = PartialFile(plan.directory)
    try:
        return await drive(save(plan, index, part, transfer))
    except MuAPIError as error:
        return error
    finally:
        part.discard()  # not awaited: a cancelled task could not
