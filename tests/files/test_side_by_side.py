"""Several outputs at a time: in threads where there are any to be had, and whatever goes wrong comes out alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fileserver import KEY, PNG, drips, sends

from muapi_client import AsyncMuAPI, Output, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from fileserver import Face, FileServer


def left(directory: Path) -> list[str]:
    """What stands in a directory."""
    return sorted(path.name for path in directory.iterdir())


def fail_with(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise error

    return fail


LATE = {
    "a thread that outlives the main one": "threading.Thread(target=job).start()",
    "atexit": "atexit.register(job)",
}


@pytest.mark.parametrize("client", ["MuAPI", "AsyncMuAPI"])
@pytest.mark.parametrize("begin", LATE.values(), ids=LATE)
@pytest.mark.parametrize("count", [1, 3])
def test_a_download_works_while_the_program_ends(
    server: FileServer, tmp_path: Path, *, client: str, begin: str, count: int
) -> None:
    url = server.plays("/a.png", sends(PNG))
    program = f"""
import asyncio, atexit, threading, time
def job():
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    from muapi_client import AsyncMuAPI, MuAPI, Output, Prediction
    prediction = Prediction("r", "completed", (Output(url={url!r}),) * {count})
    if {client!r} == "MuAPI":
        with MuAPI({KEY!r}, {server.url!r}) as mu:
            print("saved", len(mu.download(prediction, {str(tmp_path)!r})))
        return
    async def work():
        async with AsyncMuAPI({KEY!r}, {server.url!r}) as mu:
            print("saved", len(await mu.download(prediction, {str(tmp_path)!r})))
    asyncio.run(work())
{begin}
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout.split() == ["saved", str(count)], ran.stderr[-2000:]


def test_without_other_threads_one_does_it_all(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mu.kind is AsyncMuAPI:
        return  # its tasks need none
    monkeypatch.setattr("threading.Thread.start", fail_with(RuntimeError("can't start new thread")))
    assert len(mu.download(made(*[Output(text="x")] * 5), tmp_path)) == 5


def test_thousands_of_outputs_need_no_more_than_their_workers(mu: Face, made: Any, tmp_path: Path) -> None:
    outputs = [Output(text=str(number)) for number in range(1000)]
    before = threading.active_count()
    saved = mu.download(made(*outputs), tmp_path, concurrency=3)
    assert [int(path.read_text()) for path in saved] == list(range(1000))
    assert threading.active_count() <= before + 3  # anyio keeps idle ones for a while


@pytest.mark.parametrize("error", [KeyError("a bug"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("count", [1, 3])
def test_what_is_no_fault_of_a_download_comes_out_alone(
    mu: Face, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, error: BaseException, count: int
) -> None:
    monkeypatch.setattr("muapi_client._transport.downloads.save", fail_with(error))
    with pytest.raises(type(error)) as caught:
        mu.download(made(*[Output(text="x")] * count), tmp_path)
    assert caught.value is error
    assert left(tmp_path) == []


def in_trio(server: FileServer, work: Callable[[AsyncMuAPI], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with AsyncMuAPI(KEY, server.url) as mu:
            return await work(mu)

    return trio.run(run)


def test_trio_downloads(server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", sends(PNG))
    assert len(in_trio(server, lambda mu: mu.download(made(url, url, url), tmp_path))) == 3


@pytest.mark.parametrize("error", [KeyError("a bug"), KeyboardInterrupt()])
def test_in_trio_too_it_comes_out_alone(
    server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr("muapi_client._transport.downloads.save", fail_with(error))
    with pytest.raises(type(error)):
        in_trio(server, lambda mu: mu.download(made(*[Output(text="x")] * 3), tmp_path))


def test_in_trio_a_failed_download_is_a_download_error(server: FileServer, made: Any, tmp_path: Path) -> None:
    bad = server.plays("/b.png", sends(b"", 404))
    with pytest.raises(errors.DownloadError, match="1 more failed"):
        in_trio(server, lambda mu: mu.download(made(bad, bad), tmp_path))


def test_trio_cancels_a_download_whole(server: FileServer, made: Any, tmp_path: Path) -> None:
    begun = threading.Event()

    def step(handler: Any) -> None:
        begun.set()
        drips(PNG)(handler)

    url = server.plays("/a.png", step)

    async def work(mu: AsyncMuAPI) -> bool:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mu.download, made(url, url), tmp_path)
            assert await trio.to_thread.run_sync(begun.wait, 60)
            nursery.cancel_scope.cancel()
        return nursery.cancel_scope.cancelled_caught

    assert in_trio(server, work)
    assert left(tmp_path) == []


def test_a_cancellation_is_one_although_another_output_fails(server: FileServer, made: Any, tmp_path: Path) -> None:
    begun = threading.Event()

    def step(handler: Any) -> None:
        begun.set()
        drips(PNG)(handler)

    url = server.plays("/a.png", step)

    async def cancelled() -> None:
        async with AsyncMuAPI(KEY, server.url) as mu:
            outputs = made(url, Output(text="x"), server.url + "/missing.png")
            task = asyncio.create_task(mu.download(outputs, tmp_path, concurrency=3))
            assert await asyncio.to_thread(begun.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert [name for name in left(tmp_path) if name.endswith(".part")] == []
