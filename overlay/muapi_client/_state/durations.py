"""How long the jobs of a client took, model by model: what teaches it when to look.

Lives here: the latest durations of each model, and of each model with what its jobs' length hangs on. Does not live
here: the looks that follow from them (``_settings/schedule``), what of a wait teaches (``_jobs/learning``), the
durations that a journal tells (``journal``).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client._runtime.forks import forks
from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muapi_client._settings.polling import Polling
    from muapi_client._settings.schedule import Schedule

MAIN_INPUTS: Final = ("duration", "num_images", "quality", "resolution")  # what a job's length hangs on, where told
PLAIN: Final = frozenset({str, int, float, bool})  # the types of their values
KEPT: Final = 48  # durations of a kind; of more, the older ones are of another day's load
KINDS: Final = 512  # of which the latest taught are kept: 512 * 48 floats take 0.6 MB
DISPLACED: Final = 3  # durations read of a journal that one of the client's own puts out: they are less exact
LONGEST_READ: Final = 3600.0  # seconds; what a journal says took longer was looked at late
TOO_LATE: Final = 10  # times the lower quartile: what a journal says took longer was looked at late, too
LEAST: Final = 3  # durations of which a range is told
MADE_ANEW: Final = 6  # times that a schedule is made while the durations it is of are replaced
GOLDEN: Final = 0.6180339887498949  # steps of it, modulo 1, lie evenly in any number


class Kind(NamedTuple):
    """Jobs that take about as long: those of a model, or of a model with the same main inputs."""

    slug: str
    inputs: tuple[tuple[str, str | int | float | bool], ...] = ()


class _Known:
    """What is known of one kind."""

    def __init__(self) -> None:
        self.own: deque[float] = deque(maxlen=KEPT)
        self.read: tuple[float, ...] = ()
        self.new = 0  # durations since the schedule was made
        self.made: tuple[Polling, Schedule | None] | None = None

    def durations(self) -> list[float]:
        """Return those that count, the client's own before those of the journal."""
        return [*self.own, *self.read[: max(0, KEPT - DISPLACED * len(self.own))]]


class Durations:
    """The durations a client has learnt; threads share it, and so does ``with_options``.

    Attributes:
        has_read: Whether the journal was asked, which is done once.
    """

    def __init__(self) -> None:
        self.has_read = False
        self._known: OrderedDict[Kind, _Known] = OrderedDict()
        self._lock = ForkLock()
        self._phase = 0.0

    def teach(self, kind: Kind, *, after: float, until: float) -> None:
        """Take in that a job ended between two looks.

        It is taken to have ended somewhere between them, evenly over many jobs, so that what is learnt is not what the
        looks themselves have laid down.

        Args:
            after: Seconds from its acceptance to the last look at which it ran.
            until: Seconds from its acceptance to the look that found its end.
        """
        with self._lock:
            self._phase = (self._phase + GOLDEN) % 1.0
            seconds = after + (until - after) * (1.0 - self._phase)
            for each in {kind, Kind(kind.slug)}:
                known = self._of(each)
                known.own.append(seconds)
                known.new += 1

    def teach_read(self, told: Iterable[tuple[Kind, float]]) -> None:
        """Take in what a journal tells, the latest first: seconds at most, for some were looked at late."""
        read: dict[Kind, list[float]] = {}
        for kind, seconds in told:
            if 0 < seconds <= LONGEST_READ:
                for each in {kind, Kind(kind.slug)}:
                    read.setdefault(each, []).append(seconds)
        with self._lock:
            for each, durations in read.items():
                latest = durations[:KEPT]
                longest = TOO_LATE * sorted(latest)[len(latest) // 4]
                known = self._of(each)
                known.read, known.made = tuple(one for one in latest if one <= longest), None

    def schedule(self, kind: Kind, polling: Polling) -> Schedule | None:
        """The looks at a job of a kind; None where neither it nor its model is known well enough."""
        with self._lock:
            return self._schedule(kind, polling) or self._schedule(Kind(kind.slug), polling)

    def usual(self, kind: Kind) -> tuple[float, float, int] | None:
        """How long jobs of a kind usually take: from and to, in seconds, of how many; None where too little is known.

        Three of four lie within; of a few all but the extremes.
        """
        with self._lock:
            for each in (kind, Kind(kind.slug)):
                known = self._known.get(each)
                durations = sorted(known.durations()) if known is not None else []
                if len(durations) >= LEAST:
                    cut = len(durations) // 8
                    return durations[cut], durations[-1 - cut], len(durations)
        return None

    def _schedule(self, kind: Kind, polling: Polling) -> Schedule | None:
        known = self._known.get(kind)
        if known is None:
            return None
        if known.made is None or known.made[0] != polling or known.new * MADE_ANEW >= max(len(known.own), 1):
            with forks.kept_waiting:
                from muapi_client._settings.schedule import make_schedule  # noqa: PLC0415 - once anything is known

            known.made, known.new = (polling, make_schedule(known.durations(), polling)), 0
        return known.made[1]

    def _of(self, kind: Kind) -> _Known:
        """What is known of a kind; the kind longest untaught makes room."""
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = _Known()
            if len(self._known) > KINDS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(kind)
        return known


def kind_of(slug: str, body: Any) -> Kind:
    """The kind of a call."""
    fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
    told = [(name, fields[name]) for name in MAIN_INPUTS if type(fields.get(name)) in PLAIN]
    return Kind(slug, tuple(told))
