"""When to look next at a job of a model whose durations are known. Pure: durations in, pauses out.

Lives here: how looks are laid over the time since acceptance. Does not live here: which durations are known
(``_state/durations``), pauses where none are (``polling``), looking (``_jobs/waiting``).

Looks pay where jobs end. Of n durations in order, each of the n + 1 gaps beside and between them is as likely as any
other to hold the end of the next job. A stretch of time that is ``w`` long, holds the end with probability ``p`` and is
lived through to its middle with probability ``s``, is best looked at ``r * w`` times, with ``r`` in proportion to
``sqrt(p / (w * s))``: no other way to spend as many looks in the mean finds the end earlier in the mean, and where
durations say nothing, all ``r`` are the same, which is a fixed interval.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muapi_client._settings.polling import Polling

LEAST: Final = 3  # durations that have to be known
LOOKS: Final = 19.0  # a job in the mean; jitter, and jobs that take longer than any before, make it 21
LONG: Final = 600.0  # seconds; jobs that take longer in the mean are looked at more often, by the square root
EARLY: Final = 4  # stretches before the shortest duration, each half as long: a job seldom ends far earlier
BETWEEN: Final = 8  # stretches from the shortest to the longest, of as many durations each
APART: Final = 0.3  # of the time from the shortest to the longest: a gap that is longer is a stretch of its own
SHORTEST: Final = 0.001  # seconds that a job takes at the least
ALIKE: Final = 0.01  # of a duration: by so much those that are the same are taken to differ
NO_GAIN: Final = 0.9  # of a fixed interval's lateness: what promises no less is noise, and the interval is kept


class Stretch(NamedTuple):
    """A stretch of the time since acceptance.

    Attributes:
        seconds: How long it is.
        ends: The probability that a job ends in it.
        lives: The probability that a job lives to its middle.
    """

    seconds: float
    ends: float
    lives: float


class Schedule(NamedTuple):
    """The looks at a job of a model whose durations are known.

    Attributes:
        until: When each stretch of time ends, in seconds since acceptance, in order.
        rates: How many looks a second belong to each.
        polling: The bounds of a pause, and the pauses after the last stretch.
    """

    until: tuple[float, ...]
    rates: tuple[float, ...]
    polling: Polling

    def pause(self, waited: float, *, draw: float, retry_after: float | None = None) -> float:
        """Seconds to let pass before the next look.

        Args:
            waited: Seconds since the job was accepted.
            draw: A random number from 0 to 1.
            retry_after: The server's Retry-After in seconds, which wins where it is longer.
        """
        polling = self.polling
        steady = min(max(self._next_look(waited) - waited, polling.minimum), polling.maximum)
        return max(steady * (1 - polling.jitter * draw), retry_after or 0.0)

    def _next_look(self, waited: float) -> float:
        """When one look's worth of the rates has passed, in seconds since acceptance."""
        at, left = waited, 1.0
        for until, rate in zip(self.until, self.rates, strict=True):
            if until <= at:
                continue
            share = (until - at) * rate
            if share >= left:
                return at + left / rate
            at, left = until, left - share
        return at + left * self.polling.pause(at, draw=0.0)


def make_schedule(durations: Iterable[float], polling: Polling) -> Schedule | None:
    """The looks at a job of a model, or None where too little is known of its durations.

    Args:
        durations: Seconds that jobs took from their acceptance, in any order.
        polling: The bounds of a pause.
    """
    known = sorted(max(one, SHORTEST) for one in durations)
    if len(known) < LEAST:
        return None
    for index in range(1, len(known)):
        known[index] = max(known[index], known[index - 1] * (1 + ALIKE / len(known)))
    stretches = list(_divide(known))
    fixed = sum(one.seconds * one.lives for one in stretches)  # the looks of an interval of one second
    best = sum(sqrt(one.seconds * one.ends * one.lives) for one in stretches)  # those of the best looks, in proportion
    looks = LOOKS * sqrt(max(1.0, fixed / LONG))
    until, rates, at = [], [], 0.0
    for one in stretches:
        at += one.seconds
        until.append(at)
        rate = sqrt(one.ends / (one.seconds * one.lives)) / best if best * best < NO_GAIN * fixed else 1 / fixed
        rates.append(looks * rate)
    return Schedule(tuple(until), tuple(rates), polling)


def _divide(known: list[float]) -> Iterator[Stretch]:
    """Divide the time to the longest duration into stretches."""
    gap = 1 / (len(known) + 1)  # the probability of each gap
    ends = [(known[0] * (1 - 0.5**power), gap / EARLY) for power in range(1, EARLY)] + [(known[0], gap / EARLY)]
    marks = {round(step * (len(known) - 1) / BETWEEN) for step in range(BETWEEN + 1)}
    for index, (earlier, later) in enumerate(pairwise(known)):
        if later - earlier > APART * (known[-1] - known[0]):
            marks |= {index, index + 1}
    ends += [(known[later], (later - earlier) * gap) for earlier, later in pairwise(sorted(marks))]
    at, alive = 0.0, 1.0
    for end, probability in ends:
        yield Stretch(end - at, probability, alive - probability / 2)
        at, alive = end, alive - probability
