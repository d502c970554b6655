"""How many looks a second a client's waits may send together: whose turn it is.

Lives here: the turns. Does not live here: when a look is due (``_settings/polling``, ``_settings/schedule``), waiting
for a turn (``_jobs/waiting``), the pace of submits (``pace``), which no look holds back.

Turns follow each other at a fixed distance and are given away in the order in which they are asked for, which is when
a look becomes due. A turn is a reading of the clock, so whoever has one needs no other to go on, and what gives up (its
deadline, an interrupt) gives its turn back to the next that asks.
"""

from __future__ import annotations

import heapq
import math

from muapi_client._runtime.locks import ForkLock


class LookRate:
    """The turns of a client's looks. Shared by its waits; threads may share it. Readings are in seconds.

    Args:
        per_second: How many looks a second there may be.
    """

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._next = -math.inf  # the first turn that nobody has had
        self._returned: list[float] = []  # a heap
        self._lock = ForkLock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.per_second:g})"

    def take(self, now: float, *, latest: float) -> float | None:
        """The earliest turn that is left, or None where that is after ``latest``."""
        with self._lock:
            while self._returned and self._returned[0] < now:
                heapq.heappop(self._returned)
            turn = self._returned[0] if self._returned else max(now, self._next)
            if turn > latest:
                return None
            if self._returned:
                heapq.heappop(self._returned)
            else:
                self._next = turn + 1 / self.per_second
            return turn

    def give_back(self, turn: float) -> None:
        """Nobody looks at this turn: it is the next one's."""
        with self._lock:
            heapq.heappush(self._returned, turn)
