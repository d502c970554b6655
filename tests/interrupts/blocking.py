"""The blocking client, interrupted at a line, closed in the middle of a stream, or closed by another thread.

Lives here: one trial, from opening a client to what is known afterwards. Does not live here: which trials are made
(``sweep``), how they are judged (``verdicts``).
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from clients import KEY, MARKERS, Clock, call_of, journal_locked, open_journal, options_of, plain_call
from loopback import PRICE
from positions import Code, LineTrace, Place
from verdicts import Trial

from muapi_client import MuAPI, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from loopback import Server

PATIENCE: Final = 30.0  # seconds each part of a trial may take; a lock that was left closed would take for ever


class Alarm(Exception):  # noqa: N818 - a program's own, as its signal handler raises it
    """What a user's signal handler raises."""


class StuckError(BaseException):
    """A call did not come back."""


KINDS: Final[dict[str, Callable[[], BaseException]]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "own exception": lambda: Alarm("from a signal handler"),
}
CLOSES: Final = ("close()", "dropped")  # what ends a stream early
TROUBLES: Final = {"submit": "429", "look": "503"}
EVENTS: Final = 4  # more than the events of a stream


class Blocking:
    """Makes trials with ``MuAPI``.

    Args:
        client: What makes a client; by default ``MuAPI``.
    """

    name = "sync"

    def __init__(self, server: Server, folder: Path, client: Callable[..., Any] = MuAPI) -> None:
        self.server, self.folder, self.client = server, folder, client
        self.code = Code()
        self.clock = Clock()
        self._files = 0

    def lines(self, entry: str, journal: str) -> list[Place]:
        """Every line that a call passes, in order."""
        trace = LineTrace(self.code)
        self._trial(entry, journal, lambda mu, trial: self._traced(mu, entry, trial, trace))
        return trace.places

    def interrupt(self, entry: str, journal: str, kind: str, at: int) -> Trial:
        """Interrupt a call at its n-th line."""
        error = KINDS[kind]()
        trace = LineTrace(self.code, at, error)
        trial = self._trial(entry, journal, lambda mu, trial: self._traced(mu, entry, trial, trace))
        trial.place = trace.struck
        may_come = trial.raised is None or isinstance(trial.raised, errors.MuAPIError)
        trial.intact = trial.raised is error if trace.struck else may_come
        return trial

    def leave(self, journal: str, kind: str, after: int) -> Trial:
        """Leave a stream after some of its events."""
        return self._trial("stream", journal, lambda mu, trial: self._leave(mu, trial, kind, after))

    def close(self, entry: str, journal: str, trouble: str, at: int) -> Trial:
        """Close the client from another thread during its n-th pause; ``trouble`` is what makes it pause."""
        return self._trial(entry, journal, lambda mu, trial: self._closed(mu, entry, trial, trouble, at), closed=True)

    def _traced(self, mu: Any, entry: str, trial: Trial, trace: LineTrace) -> None:
        call = call_of(entry, trial.marker)
        with trace:
            _enter(mu, entry, call, trial.answers)

    def _leave(self, mu: Any, trial: Trial, kind: str, after: int) -> None:
        events = mu.stream(call_of("stream", trial.marker))
        trial.place = Place("muapi_client", f"stream left after {after} events", 0, kind)
        try:
            for _ in range(after):
                trial.answers.append(next(events))
        except StopIteration:
            trial.place = None
        trial.answers[:-1] = []  # a caller who leaves a stream holds the last event he saw
        try:
            if kind == "close()":
                events.close()
        except BaseException:
            trial.intact = False
            raise
        with spilled(trial):
            del events
            gc.collect()

    def _closed(self, mu: Any, entry: str, trial: Trial, trouble: str, at: int) -> None:
        what, _, answer = trouble.partition(" ")
        self.server.trouble[what] = [answer]

        def close(number: int) -> None:
            if number == at:
                trial.place = Place("muapi_client", f"closed during pause {at} after {trouble}", 0, entry)
                thread = threading.Thread(target=mu.close)
                thread.start()
                thread.join()

        self.clock.pauses, self.clock.on_sleep = 0, close
        try:
            _enter(mu, entry, call_of(entry, trial.marker), trial.answers)
        except errors.MuAPIError:
            raise
        except BaseException:
            trial.intact = False
            raise
        finally:
            self.server.trouble.clear()

    def _trial(self, entry: str, journal: str, act: Callable[[Any, Trial], None], *, closed: bool = False) -> Trial:
        trial = Trial(next(MARKERS))
        self._files += 1
        path = self.folder / f"sync-{self._files}.db"
        kept = open_journal(path) if journal != "without" else None
        self.clock = Clock()
        mu = self.client(KEY, self.server.url, journal=kept, clock=self.clock, **options_of(entry))
        _warm(mu, entry)
        self._act(mu, trial, act, journal_locked(self.server, path, trial.marker) if journal == "locked" else None)
        with limited(trial, "listing hung"):
            trial.doubted, trial.listed, trial.finished = _lists(mu)
        if not closed:
            with limited(trial, "the next job hung"):
                trial.broken = trial.broken or self._next_job(mu)
        if not trial.broken.endswith("hung"):  # else close() would hang as well
            with limited(trial, "close() hung"):
                mu.close()
                if kept is not None:
                    kept.close()
        if kept is not None:
            trial.listed_later = self._later(path)
        for file in self.folder.glob(path.name + "*"):
            file.unlink()
        return trial

    def _act(self, mu: Any, trial: Trial, act: Callable[[Any, Trial], None], locked: Any) -> None:
        before = self.server.bytes_received
        with locked or nullcontext():
            try:
                with limited(trial, "the call hung"):
                    act(mu, trial)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the caller would get
                trial.raised = error.with_traceback(None)
            self.server.settle()
        trial.arrived = self.server.bytes_received > before
        trial.accepted = list(self.server.accepted[trial.marker])

    def _later(self, path: Path) -> list[Any]:
        journal = open_journal(path)
        try:
            with self.client(KEY, self.server.url, journal=journal) as mu:
                doubted, listed, _ = _lists(mu)
                return [*doubted, *listed]
        finally:
            journal.close()

    def _next_job(self, mu: Any) -> str:
        """Have one more job done; a sentence where it goes wrong."""
        marker = next(MARKERS)
        spent = mu.spend.total_usd
        try:
            done = mu.run(plain_call(marker))
        except Exception as error:  # noqa: BLE001 - any at all
            return f"the next job: {type(error).__name__}: {error}"
        return wrong_next(done, self.server.accepted[marker], mu.spend.total_usd - spent)


def wrong_next(done: Any, accepted: list[str], spent: Decimal) -> str:
    """What is wrong with the job that followed an interrupt; empty where nothing is."""
    if accepted != [done.id] or not done.outputs:
        return f"the next job: answered {done.id}, accepted {accepted}"
    return "" if spent == Decimal(PRICE) else f"the next job: {spent} USD counted, {PRICE} charged"


@contextmanager
def limited(trial: Trial, what: str) -> Iterator[None]:
    """Give up after a while: a lock that was left closed is a fault, not a wait."""

    def stuck(*_: Any) -> None:
        raise StuckError

    before = signal.signal(signal.SIGALRM, stuck)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    except StuckError:
        trial.broken = trial.broken or what
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def spilled(trial: Trial) -> Iterator[None]:
    """Take an exception that nobody can catch, out of an object that was dropped, for one that came out wrongly."""

    def spill(unraisable: Any) -> None:
        trial.raised, trial.intact = unraisable.exc_value, False

    before, sys.unraisablehook = sys.unraisablehook, spill
    try:
        yield
    finally:
        sys.unraisablehook = before


def _warm(mu: Any, entry: str) -> None:
    """Open the connection, and load what loads with the first call."""
    _enter(mu, entry, call_of(entry, next(MARKERS)), [])


def _enter(mu: Any, entry: str, call: Any, answers: list[Any]) -> None:
    """Call an entry point; what it answers is added to ``answers`` as it comes."""
    method = entry.partition(",")[0]
    if method == "stream":
        for event in mu.stream(call):
            answers[:] = [event]
    else:
        answers.append(getattr(mu, method)(call))


def _lists(mu: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """What ``unknown()`` lists, that and what ``resume()`` lists, and what ``jobs()`` lists."""
    try:
        doubted = list(mu.unknown())
        listed = [*doubted, *mu.resume()]
    except errors.MuAPIError:  # told where it matters: nothing is listed
        return [], [], []
    return doubted, listed, list(mu.jobs()) if hasattr(mu, "jobs") else []
