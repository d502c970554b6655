"""The passing of time for a virtual clock that is served.

Lives here: how fast it passes, and that it does so once, however many servers read the clock. Does not live here: the
clock (``muapi_client._runtime.clock``).
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.clock import VirtualClock
from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._runtime.clock import Clock

SPEED: Final = 60.0  # emulated seconds a second: a video of 90 s takes 1.5 s


class RunningClock:
    """Lets a virtual clock run with real time; when it is moved on by hand, it runs on from there.

    Args:
        clock: The clock.
        speed: Emulated seconds a real second.
    """

    def __init__(self, clock: VirtualClock, speed: float) -> None:
        self.speed = speed
        self.servers = 0
        self._clock = clock
        self._last = monotonic()
        self._lock = ForkLock()

    def now(self) -> float:
        """The clock's reading, brought up to date."""
        with self._lock:
            reading = monotonic()
            self._clock.run(reading - self._last, self.speed)
            self._last = reading
        return self._clock.now()


_running: Final[dict[VirtualClock, RunningClock]] = {}  # of the clocks that are served now
_lock: Final = ForkLock()


def begin_serving(clock: Clock, speed: float | None) -> Callable[[], float]:
    """How one more server reads ``clock``, until :func:`end_serving` is called for it.

    Raises:
        ValueError: ``speed`` is no speed or not that of the other servers, or the clock goes by itself.
    """
    if not isinstance(clock, VirtualClock):
        if speed is not None:
            raise ValueError(
                "speed is for the emulator's virtual clock; this one was given a clock that goes by itself"
            )
        return clock.now
    if speed is not None and not speed > 0:
        raise ValueError(f"speed={speed!r} is no speed: 60 lets a minute pass in a second, 1 is real time")
    with _lock:
        passing = _running.get(clock) or RunningClock(clock, SPEED if speed is None else speed)
        if speed not in {None, passing.speed}:
            raise ValueError(
                f"this emulator is served already, with speed={passing.speed:g}: its time has one speed, so leave "
                "speed out, or close the other server"
            )
        passing.servers += 1
        _running[clock] = passing
    return passing.now


def return_to_real_time(clock: VirtualClock) -> None:
    """Let a clock's time of day be the real one again; its reading goes on."""
    passing = _running.get(clock)
    if passing is not None:
        passing.now()  # or what has passed since the last request would be added to it
    clock.return_to_real_time()


def end_serving(clock: Clock) -> None:
    """One server less reads ``clock``; without any, its time stands still again."""
    with _lock:
        if not isinstance(clock, VirtualClock) or clock not in _running:
            return
        _running[clock].servers -= 1
        if not _running[clock].servers:
            del _running[clock]
