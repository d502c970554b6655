"""What time it is, and letting it pass.

Lives here: the clock a client runs on, real or virtual. Does not live here: what is waited for, or how long.
All readings are seconds on a monotonic scale whose zero means nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Clock(Protocol):
        """A monotonic reading and two ways to let time pass."""

        def now(self) -> float:
            """The reading, in seconds; it never goes back."""
            ...

        def sleep(self, seconds: float) -> None:
            """Let ``seconds`` pass, blocking this thread."""
            ...

        async def asleep(self, seconds: float) -> None:
            """Let ``seconds`` pass, yielding to the event loop."""
            ...


class SystemClock:
    """Real time."""

    def now(self) -> float:
        """Seconds on the system's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Yield to the event loop for ``seconds``."""
        import anyio  # noqa: PLC0415 - costs 28 ms, needed by async programs only

        await anyio.sleep(seconds)


class VirtualClock:
    """Time that passes at once, for tests and the emulator.

    Sleepers that overlap in reality overlap here: each wakes at the reading it asked for, not after the sum.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """The virtual reading, in seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the reading on by ``seconds`` and return at once."""
        self._wake(self._now + seconds)

    async def asleep(self, seconds: float) -> None:
        """Move the reading on by ``seconds`` once the event loop has let others run."""
        import anyio.lowlevel  # noqa: PLC0415 - as in SystemClock

        target = self._now + seconds
        await anyio.lowlevel.checkpoint()
        self._wake(target)

    def _wake(self, target: float) -> None:
        with self._lock:
            self._now = max(self._now, target)
