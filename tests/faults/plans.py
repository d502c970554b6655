"""When a fault strikes: as a script says, or by seed and rate. Pure but for the script being used up."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Final

from wire import KINDS, Kind

# The 20 MB answers and the ones that cost a whole timeout are rarer than the rest, so that a run of 10,000 jobs ends.
RARE: Final = {
    "huge": 0.05,
    "huge_junk": 0.05,
    "deep_json": 0.5,
    "hang": 0.4,
    "drip_head": 0.4,
    "drip_body": 0.4,
}
CONNECTION_KINDS: Final = frozenset({"reset_on_accept"})  # struck before there is a request
BLACKOUT: Final = "refuse"  # the listening socket closes for a moment


@dataclass(frozen=True)
class Strike:
    """One fault at one request; ``accepts`` tells whether a submit is accepted before."""

    kind: Kind
    accepts: bool


def strike(name: str, *, accepts: bool = False) -> Strike:
    """The fault of a name; kinds that leave no choice whether the submit is accepted overrule ``accepts``."""
    kind = KINDS[name]
    return Strike(kind, accepts if kind.accepts is None else kind.accepts)


class Script:
    """Faults in a fixed order, for each of: submits, looks, connections. None is no fault; used up, none strikes."""

    def __init__(self) -> None:
        self.queues: dict[str, deque[Strike | None]] = defaultdict(deque)
        self.always: dict[str, Strike] = {}

    def connection(self) -> Strike | None:
        """What meets a connection as it is accepted."""
        queue = self.queues["connection"]
        return queue.popleft() if queue else None

    def request(self, what: str, subject: str) -> Strike | None:  # noqa: ARG002 - a script minds the order only
        """What meets a request."""
        queue = self.queues[what]
        return queue.popleft() if queue else self.always.get(what)

    def blackout(self, subject: str) -> bool:  # noqa: ARG002
        """Whether the listening socket closes for a moment after this request."""
        return False


class Dice:
    """Faults by seed and rate. Each job's n-th request meets the same fault in every run of one seed."""

    def __init__(self, seed: int, rate: float) -> None:
        self.seed = seed
        self.rate = rate
        self._count: dict[str, int] = defaultdict(int)
        names = [name for name in KINDS if name not in CONNECTION_KINDS]
        self._names = [*names, BLACKOUT]
        self._weights = [RARE.get(name, 1.0) for name in self._names]
        self.struck: dict[str, int] = defaultdict(int)

    def connection(self) -> Strike | None:
        """As :meth:`Script.connection`: a hundredth of the rate, on top of what strikes requests."""
        self._count["connection"] += 1
        dice = random.Random(f"{self.seed} connection {self._count['connection']}")
        if dice.random() >= self.rate / 10:
            return None
        self.struck["reset_on_accept"] += 1
        return strike("reset_on_accept")

    def request(self, what: str, subject: str) -> Strike | None:
        """As :meth:`Script.request`."""
        key = f"{what} {subject}"
        self._count[key] += 1
        dice = random.Random(f"{self.seed} {key} {self._count[key]}")
        if dice.random() >= self.rate:
            return None
        name = dice.choices(self._names, self._weights)[0]
        self.struck[name] += 1
        if name == BLACKOUT:
            self._dark = True
            return None
        return strike(name, accepts=dice.random() < 0.5)

    _dark = False

    def blackout(self, subject: str) -> bool:  # noqa: ARG002
        """As :meth:`Script.blackout`."""
        dark, self._dark = self._dark, False
        return dark
