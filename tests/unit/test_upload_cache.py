"""The turn of a content that is uploaded: whoever has it lets the next one in, whatever strikes in between."""

from __future__ import annotations

import threading

import anyio
import pytest

from muapi_client._runtime.locks import ForkLock
from muapi_client._state.upload_cache import UploadCache


def test_whoever_was_interrupted_before_it_was_his_turn_takes_no_turn_away() -> None:
    turn = UploadCache().turn("digest", ForkLock)
    turn.end()  # never taken
    taken, done = threading.Event(), threading.Event()

    def upload() -> None:
        turn.lock.acquire()
        taken.set()
        done.wait(60)
        turn.end()

    other = threading.Thread(target=upload)
    other.start()
    taken.wait(60)
    turn.end()  # of another thread, which still has it
    assert not turn.lock.acquire(blocking=False)
    done.set()
    other.join()
    assert turn.lock.acquire(blocking=False)
    turn.end()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_so_it_is_in_an_event_loop(backend: str) -> None:
    async def main() -> None:
        turn = UploadCache().turn("digest", anyio.Lock)
        turn.end()
        await turn.lock.acquire()
        async with anyio.create_task_group() as group:
            group.start_soon(interrupted, turn)
        assert turn.lock.locked()
        turn.end()
        assert not turn.lock.locked()

    async def interrupted(turn: object) -> None:
        turn.end()  # type: ignore[attr-defined]

    anyio.run(main, backend=backend)
