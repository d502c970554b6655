"""Pauses that a hint cuts short, once blocking and once awaiting.

Lives here: pausing on the system's clock until somebody wakes the wait. Does not live here: who wakes whom
(``_state/waiters``), the pauses of many flows side by side (``scheduler``).

On a clock of a user's own nobody can be woken while it sleeps; there a hint counts before the sleep and after it.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.clock import LONGEST_SLEEP, SystemClock

if TYPE_CHECKING:
    from muapi_client._runtime.clock import Clock
    from muapi_client._state.waiters import Waiter

PATIENCE: Final = 0.5 if sys.platform == "win32" else LONGEST_SLEEP  # seconds; a lock on Windows hears no Ctrl-C


def pause(seconds: float, waiter: Waiter, clock: Clock) -> None:
    """Let seconds pass, or fewer where a hint comes."""
    if not isinstance(clock, SystemClock):
        if not waiter.is_woken:
            clock.sleep(seconds)
        return
    hints: SimpleQueue[None] = SimpleQueue()  # a signal's handler may put into it, whatever it has interrupted
    ends = time.monotonic() + min(seconds, LONGEST_SLEEP)
    waiter.listen(partial(hints.put, None))
    try:
        while (left := ends - time.monotonic()) > 0:
            try:
                hints.get(timeout=min(left, PATIENCE))
            except Empty:
                continue
            break
    finally:
        waiter.listen(None)


async def apause(seconds: float, waiter: Waiter, clock: Clock) -> None:
    """The twin of :func:`pause`, yielding to the event loop."""
    if not isinstance(clock, SystemClock):
        if not waiter.is_woken:
            await clock.asleep(seconds)
        return
    import anyio  # noqa: PLC0415 - 28 ms, for async programs only, which have loaded it by now

    from muapi_client._transport.event_loop import find_call_soon  # noqa: PLC0415 - as above

    hint = anyio.Event()
    waiter.listen(partial(find_call_soon(), hint.set))
    try:
        with anyio.CancelScope(deadline=anyio.current_time() + min(seconds, LONGEST_SLEEP)):
            await hint.wait()
    finally:
        waiter.listen(None)
