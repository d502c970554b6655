"""What time it is, and letting it pass.

Lives here: the clock a client runs on, real or virtual. Does not live here: what is waited for, or how long.
All readings are seconds on a monotonic scale whose zero means nothing; ``wall_time``, which ours also tell, is what the
calendar says at the reading.
"""

import time
from typing import Final, Protocol

from muapi_client._runtime.locks import ForkLock

LONGEST_SLEEP: Final = 1e9  # seconds, 30 years; systems refuse to sleep much longer


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
    """Real time.

    ``now()`` reads seconds on the system's monotonic clock, ``wall_time()`` the time of day in seconds since 1970.
    """

    now = staticmethod(time.monotonic)
    wall_time = staticmethod(time.time)

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(min(seconds, LONGEST_SLEEP))

    async def asleep(self, seconds: float) -> None:
        """Yield to the event loop for ``seconds``."""
        import anyio  # noqa: PLC0415 - costs 28 ms, needed by async programs only

        await anyio.sleep(min(seconds, LONGEST_SLEEP))


class VirtualClock:
    """Time that passes at once, for tests and the emulator.

    Sleepers that overlap in reality overlap here: each wakes at the reading it asked for, not after the sum.

    Args:
        start: The first reading.
        epoch: The time of day at reading 0, in seconds since 1970, for times that are the same in every run. By default
            the time of day is the real one, ahead of it by what was slept until :meth:`return_to_real_time`, and never
            behind it.
    """

    def __init__(self, start: float = 0.0, *, epoch: float | None = None) -> None:
        self._now = start
        self._is_real = epoch is None
        self._epoch = time.time() - start if epoch is None else epoch
        self._lock = ForkLock()

    def wall_time(self) -> float:
        """The time of day, in seconds since 1970."""
        with self._lock:
            if self._is_real:  # while the reading stood still, real time went on
                self._epoch = max(self._epoch, time.time() - self._now)
            return self._epoch + self._now

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

    def run(self, seconds: float, speed: float) -> None:
        """Let real ``seconds`` pass: the reading moves on ``speed`` times as far, the time of day does not."""
        with self._lock:
            self._now += seconds * speed
            self._epoch -= seconds * (speed - 1)

    def return_to_real_time(self) -> None:
        """Let the time of day be the real one again, whatever was slept; the reading stays, and so does an epoch."""
        with self._lock:
            if self._is_real:
                self._epoch = time.time() - self._now

    def _wake(self, target: float) -> None:
        with self._lock:
            self._now = max(self._now, target)


def since_boot() -> float:
    """Seconds, which go on while the machine sleeps; where the system has no such clock, Python's own does so."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
