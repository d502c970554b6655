"""One job, live: its status, a running clock, when it usually ends, looks that fail, its cost, the balance.

In a terminal in which lines can be drawn anew it is the lowest line, and its clock runs. Elsewhere (a file, a pipe, CI,
a dumb terminal) a line comes when there is something to tell: after ten seconds, after thirty, each minute, and when a
look fails. What cannot be shown is not, and ends nothing.

Lives here: what is shown, and when. Does not live here: where (``muapi_client._client.map_display``, which shows maps
by the same painters), what a job's end means (``_progress``).
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client import catalog
from muapi_client._catalog.kinds import find_kinds
from muapi_client._client.map_display import View, find_painter
from muapi_client._jobs.learning import usual_seconds
from muapi_client.cli._console import make_safe
from muapi_client.cli._formats import format_usd
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client import MuAPI
    from muapi_client._client.map_display import Painter
    from muapi_client._types.cost import Cost
    from muapi_generated.types import Call

ACCEPTED: Final = "accepted"  # our word, until the server says one
TICK: Final = 0.25  # seconds between two drawings
MOMENTS: Final = (10.0, 30.0)  # seconds after which a line is written where none can be drawn anew; then each minute
# Seconds that jobs mostly take, as several clients of MuAPI observed; of other kinds nothing is known.
OBSERVED: Final[Mapping[tuple[str, str | None], tuple[float, float]]] = {
    ("image", "fast"): (2, 5),
    ("image", None): (20, 60),
    ("video", None): (60, 600),
}
LONG: Final = 120.0  # seconds from which minutes are told


class Known(NamedTuple):
    """What is known of the job.

    Attributes:
        status: The server's word, or ours before there is one.
        failures: Looks that told nothing, in a row.
        trouble: Why the latest did.
        cost: What it costs, as far as it is told.
    """

    status: str = "submitting"
    failures: int = 0
    trouble: str = ""
    cost: Cost | None = None


class LiveJob:
    """The display of one job, from before its submit to its end.

    Args:
        mu: Its client, which knows balance and durations.
        call: What is submitted, or None where only an id is known.
        status: What is told before the server says anything.
    """

    def __init__(self, mu: MuAPI, call: Call[Any] | None, status: str) -> None:
        self._mu = mu
        self._call = call
        self._state = Known(status)
        self._shown = Known(status)
        self._began = time.monotonic()
        self._moment = 0.0  # seconds after which the next line is due, where lines are written
        self._painter: Painter | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()  # of the painter: it is drawn by the clock's thread, and ended by the main one
        self._clock = threading.Thread(target=self._run, name="muapi-progress", daemon=True)

    def open(self) -> None:
        """Begin."""
        self._painter = find_painter()
        self._moment = 0.0 if self._painter is not None and self._painter.is_live else MOMENTS[0]
        if self._painter is not None:
            self._clock.start()

    def change(self, **known: Any) -> None:
        """More is known of the job: fields of :class:`Known`."""
        self._state = self._state._replace(**known)

    def fail(self, error: MuAPIError) -> None:
        """A look told nothing."""
        self._state = self._state._replace(failures=self._state.failures + 1, trouble=str(error))

    def close(self) -> None:
        """End, and leave the terminal as it was. Twice does no harm."""
        self._over.set()
        with self._lock, suppress(Exception):  # whatever the painter finds wrong: the job goes on
            painter, self._painter = self._painter, None
            if painter is not None and painter.is_live:
                painter.end(View((), 0, None), "")

    def _run(self) -> None:
        while not self._over.wait(0.0 if self._moment == 0.0 else TICK):
            with self._lock:
                if self._painter is None:
                    return
                try:
                    self._draw(self._painter)
                except Exception:  # noqa: BLE001 - a terminal that is gone, a library that fails: the job goes on
                    self._painter = None

    def _draw(self, painter: Painter) -> None:
        seconds, state = time.monotonic() - self._began, self._state
        if not painter.is_live:
            has_failed = state.failures > 0 and self._shown.failures == 0
            is_other = state.status not in {self._shown.status, ACCEPTED}  # that it was accepted is told already
            is_news = has_failed or (sys.stderr.isatty() and is_other)
            if seconds < self._moment and not is_news:
                return
            self._shown = state
        painter.show(View(tuple(self._parts(state, seconds)), 0, None))
        if seconds >= self._moment:
            self._moment = next((moment for moment in MOMENTS if moment > seconds), 60.0 * (seconds // 60 + 1))

    def _parts(self, state: Known, seconds: float) -> Iterator[tuple[str, str]]:
        yield f"{make_safe(state.status)} {_as_clock(seconds)}", "bold"
        if state.failures:
            count = f"{state.failures} looks" if state.failures > 1 else "a look"
            yield f"{count} failed, it is looked on: {make_safe(state.trouble)[:60]}", "yellow"
        if usual := describe_usual(self._mu, self._call, seconds):
            yield usual, ""
        if state.cost is not None:
            yield f"{format_usd(state.cost.charged_usd)} USD", ""
        if self._mu.account_balance is not None:
            yield f"balance {format_usd(self._mu.account_balance)} USD", ""


def describe_usual(mu: Any, call: Call[Any] | None, seconds: float) -> str:
    """When such a job usually ends: of how long this user's own took, or of what is known of all; else empty.

    Args:
        mu: The client.
        seconds: How long it runs by now.
    """
    if call is None:
        return ""
    known = usual_seconds(call, mu._context)  # noqa: SLF001 - what a client has learnt is its own
    if known is not None:
        least, most, count = known
        late = ", and this one is late" if seconds > 1.5 * most else ""
        return f"usually {_as_range(least, most)} (your last {count}){late}"
    with suppress(MuAPIError):
        model = catalog.get(call.operation.slug, package=call.operation.package)
        fields = {field.name: field.schema for field in model.fields}
        is_edit = model.kind.endswith("_edit")  # of an image an image is made, and of a video a video
        kinds = find_kinds(model.slug, model.kind, fields) if is_edit else (model.kind,)
        for tier, kind in ((tier, kind) for tier in (model.tier, None) for kind in kinds):
            if observed := OBSERVED.get((kind, tier)):
                fast = "fast " if tier else ""
                return f"{fast}{kind}s mostly take {_as_range(*observed)}"
    return ""


def _as_clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _as_range(least: float, most: float) -> str:
    unit, divisor = ("min", 60) if most >= LONG else ("s", 1)
    low, high = _round(least / divisor), _round(most / divisor)
    return f"{high} {unit}" if low == high else f"{low} to {high} {unit}"


def _round(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")  # noqa: PLR2004 - a digit that tells
