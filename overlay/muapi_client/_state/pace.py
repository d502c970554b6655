"""How fast a client's submits may follow each other: at once, until the server says 429.

Lives here: the pace, as additive increase and multiplicative decrease. Does not live here: whether a refused submit may
be sent again and after which pause of its own (``_protocol/exchange``), looks, which no pace holds back.

A server that says "too many" means the account, not the one request: where each of a hundred submits under way only
waited for itself, all would come back at the same moment. So what one is told counts for all.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from muapi_client._runtime.locks import ForkLock

LATEST: Final = 32  # acceptances that tell how fast it went
KEPT: Final = 0.7  # of the rate, after a refusal
GAIN: Final = 0.05  # of the rate after a refusal: what each acceptance adds, so that one refusal in ten slows nothing
LONE: Final = 4.0  # submits a second
SLOWEST: Final = 1 / 30  # submits a second
FASTEST: Final = 1_000.0  # submits a second; beyond it no pace is kept


class Pace:
    """The pace of one client's submits. Shared by ``with_options``; threads may share it. Readings are in seconds.

    Attributes:
        rate: Submits a second; None while no pace is kept.
        accepted: When the latest ones were accepted.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self.accepted: deque[float] = deque(maxlen=LATEST)
        self._lock = ForkLock()
        self._gain = 0.0  # what each acceptance adds to the rate
        self._next = 0.0  # when the next submit may leave
        self._slowed_until = 0.0  # until when no refusal slows it further

    def book(self, now: float) -> float:
        """Take the next turn; answers in how many seconds it comes."""
        with self._lock:
            if self.rate is None:
                return 0.0
            at = max(now, self._next)
            self._next = at + 1 / self.rate
            return at - now

    def hold(self, *, until: float) -> None:
        """Let no submit leave before a reading."""
        with self._lock:
            self._next = max(self._next, until)

    def slow_down(self, now: float) -> None:
        """A submit was refused for its being one too many; those that were under way with it count with it."""
        with self._lock:
            if self.rate is not None and now < self._slowed_until:
                return
            self.rate = max((self.rate or self._measure()) * KEPT, SLOWEST)
            self._gain = self.rate * GAIN
            self._slowed_until = max(now, self._next) + 1 / self.rate

    def speed_up(self) -> None:
        """A submit was accepted while a pace is kept."""
        with self._lock:
            if self.rate is not None:
                self.rate += self._gain
                if self.rate > FASTEST:
                    self.rate = None

    def _measure(self) -> float:
        """How many submits a second were accepted lately; never fewer than a lone caller's tries follow each other."""
        first, last = (self.accepted[0], self.accepted[-1]) if self.accepted else (0.0, 0.0)
        return max((len(self.accepted) - 1) / (last - first), LONE) if last > first else LONE
