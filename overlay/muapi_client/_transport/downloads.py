"""Carrying out a download: several outputs at a time, once blocking in threads, once awaiting in tasks.

Lives here: what runs side by side. Does not live here: what is saved and how (``_files/download``).
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Thread
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

    This thread works, too, and does it all where others cannot be started: when the program ends (Python 3.12), or
    where the system has no more. Of ``concurrent.futures`` nothing works then, importing it included.

    Raises:
        DownloadError: One could not be saved; ``saved`` tells which were.
    """
    waiting = deque(range(len(plan.outputs)))
    results: dict[int, Result] = {}
    failed: list[BaseException] = []

    def work() -> None:
        while True:
            try:
                index = waiting.popleft()
            except IndexError:  # none is left
                return
            results[index] = _save_one(plan, transfer, drive, index)

    def work_beside() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, where somebody waits for it
            failed.append(error)
            stop()

    def stop() -> None:
        waiting.clear()
        plan.limits.stop.set()

    threads = [Thread(target=work_beside, name=f"muapi-download-{n}") for n in range(1, _count_workers(plan))]
    try:
        with suppress(RuntimeError):  # see above
            for thread in threads:
                thread.start()
        work()
        _join(threads)
    except BaseException:  # an interrupt: no thread goes on behind the caller's back
        stop()
        _join(threads)
        raise
    if failed:
        raise failed[0]
    return collect_paths(plan, [results[index] for index in sorted(results)])


def _count_workers(plan: Plan) -> int:
    return min(plan.concurrency, len(plan.outputs))


def _join(threads: list[Thread]) -> None:
    for thread in threads:
        if thread.ident is not None:  # it was started
            thread.join()


def _save_one(plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Path], index: int) -> Result:
    try:
        with PartialFile(plan.directory) as part:
            return drive(save(plan, index, part, transfer))
    except MuAPIError as error:
        return error


async def adownload(plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Awaitable[Path]]) -> list[Path]:
    """The twin of :func:`download`, awaiting."""
    waiting = iter(range(len(plan.outputs)))
    results: dict[int, Result] = {}
    failed: list[BaseException] = []

    async def work(group: anyio.abc.TaskGroup) -> None:
        try:
            for index in waiting:
                results[index] = await _asave_one(plan, transfer, drive, index)
        except (anyio.get_cancelled_exc_class(), GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - raised below: out of the group it would come as one of a group
            failed.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(_count_workers(plan)):
            group.start_soon(work, group)
    if failed:
        raise failed[0]
    return collect_paths(plan, [results[index] for index in sorted(results)])


async def _asave_one(
    plan: Plan, transfer: FileTransfer, drive: Callable[[Flow[Path]], Awaitable[Path]], index: int
) -> Result:
    try:
        with PartialFile(plan.directory) as part:  # its end is not awaited: a cancelled task could not
            return await drive(save(plan, index, part, transfer))
    except MuAPIError as error:
        return error
