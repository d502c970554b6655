"""How fast a client's submits may follow each other: at once, until the server says 429.

Lives here: the pace. Does not live here: waiting for one's turn (``_jobs/submission``), whether a refused submit may be
sent again and after which pause of its own (``_protocol/exchange``), looks, which no pace holds back.

A server that says "too many" means the account, not the one request: where each of a hundred submits under way only
waited for itself, all would come back at the same moment. So what one is told counts for all, and so does what a write
is told that submits nothing: a refusal takes some of the rate away, and time gives it back. So a client is soon as fast
as the server lets it be, and a single refusal, or a storm that is over, is soon forgotten.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from muapi_client._runtime.locks import ForkLock

KEPT: Final = 0.7  # of the rate, after a refusal
GROWTH: Final = 0.1  # of the rate, each second
LONE: Final = 10.0  # submits a second: what a client that sends one now and then is taken for
SLOWEST: Final = 1 / 30  # submits a second
FASTEST: Final = 1_000.0  # submits a second; beyond it no pace is kept
LATEST: Final = 1_024  # submits that tell how fast they followed each other


class Pace:
    """The pace of one client's submits. Shared by ``with_options``; threads may share it. Readings are in seconds.

    Attributes:
        is_kept: Whether submits wait for their turn.
        left: When the latest submits left.
    """

    def __init__(self) -> None:
        self.is_kept = False
        self.left: deque[float] = deque(maxlen=LATEST)
        self._lock = ForkLock()
        self._rate = 0.0  # submits a second, at the last refusal
        self._slowed_at = 0.0
        self._next = 0.0  # when the next submit may leave
        self._waiting = 0

    def rate(self, now: float) -> float:
        """How many submits a second may leave; without end where no pace is kept."""
        rate = self._rate * math.exp(min(GROWTH * (now - self._slowed_at), 50.0)) if self.is_kept else math.inf
        return rate if rate < FASTEST else math.inf

    def ask(self, now: float, *, draw: float) -> float:
        """Ask for a turn: 0 where it is now, else in how many seconds to ask again, which another may then have taken.

        Args:
            draw: A random number from 0 to 1: those who wait come back one after another.
        """
        with self._lock:
            rate = self.rate(now)
            if rate == math.inf:
                self.is_kept = False
                return 0.0
            if now >= self._next:
                self._next = now + 1 / rate
                return 0.0
            return self._next - now + draw * min(self._waiting / rate, max(1.0, self._waiting / FASTEST))

    def join(self) -> None:
        """One more waits for its turn."""
        with self._lock:
            self._waiting += 1

    def leave(self) -> None:
        """One waits no more: it has its turn, or gave up."""
        with self._lock:
            self._waiting -= 1

    def slow_down(self, *, left: float, now: float, until: float) -> None:
        """A submit was refused for its being one too many.

        Args:
            left: When it left. What left before the pace was last slowed tells nothing new.
            until: No other submit leaves before this reading.
        """
        with self._lock:
            if not self.is_kept or left > self._slowed_at:
                lately = sum(at > now - 1 for at in self.left.copy())  # which others add to
                self._rate = max(min(self.rate(now), max(lately, LONE)) * KEPT, SLOWEST)
                self._slowed_at, self.is_kept = now, True
            self._next = max(self._next, until)
