"""Journals whose writes are cut short, or whose file others hold: no half write, no closed lock, no long wait."""

from __future__ import annotations

import gc
import linecache
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from journal_writes import COST, finish, finished, intend
from places import open_journal

from muapi_client import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from places import Place

    from muapi_client import Journal

LATER = datetime.now(UTC) + timedelta(hours=1)
WRITES: dict[str, Callable[[Journal], object]] = {
    "intend": lambda journal: intend(journal, "new", run="r", run_key="1", secrets=("a secret of mine",)),
    "withdraw": lambda journal: journal.withdraw("intent"),
    "mark_unknown": lambda journal: journal.mark_unknown("intent", "?"),
    "accept": lambda journal: journal.accept("intent", "r-intent", COST, waiting=True),
    "fail": lambda journal: journal.fail("intent", COST, "?"),
    "finish": lambda journal: journal.finish(finished("r-accepted")),
    "saved": lambda journal: journal.saved("r-ended", [Path("a.png")]),
    "begin_wait": lambda journal: journal.begin_wait("r-accepted"),
    "settle": lambda journal: journal.settle("intent", "r-intent"),
    "forget": lambda journal: journal.forget(before=LATER),
    "ids": lambda journal: journal.ids(),
    "reopening": lambda journal: (journal.close(), intend(journal, "new")),
}


def interrupted_at(line: int, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> bool:
    """Do ``work`` and raise at its n-th line in the journal's modules; answers whether there was such a line.

    What is to happen right ``before`` that is called there.

    The line of a ``with`` comes a second time on the way out, before its ``__exit__``: no signal is handled there, so
    that one is left out.
    """
    seen = 0
    entered: set[tuple[int, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        path = Path(frame.f_code.co_filename)
        if path.parts[-3:-1] != ("_state", "journal"):
            return None
        if event == "line":
            place = (id(frame), frame.f_lineno)
            if linecache.getline(str(path), frame.f_lineno).lstrip().startswith("with "):
                if place in entered:
                    return trace
                entered.add(place)
            seen += 1
            if seen == line:
                sys.settrace(None)
                before()
                raise KeyboardInterrupt
        return trace

    traced = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(traced)
    return False


def is_open(lock: Any) -> bool:
    """Whether another thread can have it."""
    answers: list[bool] = []

    def attempt() -> None:
        answers.append(lock.acquire(blocking=False))
        if answers[0]:
            lock.release()

    other = threading.Thread(target=attempt)
    other.start()
    other.join()
    return answers[0]


# A connection whose opening or closing was cut short is closed as it is dropped, of which Python 3.13 warns.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning", "ignore:.*was deleted while still open")
@pytest.mark.parametrize("name", WRITES)
def test_an_interrupt_at_any_line_leaves_no_half_write_and_no_closed_lock(name: str, place: Place) -> None:
    line, going_on, here = 0, True, place
    while going_on:
        line += place.lines_apart
        here = here.emptied()
        with closing(here.open(busy_timeout=1.0)) as journal:
            intend(journal, "intent")
            intend(journal, "accepted")
            journal.accept("accepted", "r-accepted", COST)
            finish(journal, "ended")
            before = here.books()
            going_on = interrupted_at(line, lambda: WRITES[name](journal))
            after = here.books()
            assert is_open(journal._lock), line
            WRITES[name](journal)  # as whoever finishes an interrupted write does
            assert after in (before, here.books())
            with here.lock():  # nothing holds it
                pass
    assert line > 5
    gc.collect()  # what hangs in a circle is dropped here, where its warning is expected


@pytest.fixture
def locked(place: Place, journal: Journal) -> Iterator[None]:
    """Another program holds it."""
    with place.lock():
        yield


def test_a_locked_journal_is_told_within_the_busy_timeout(place: Place, open_journal: Callable[..., Journal]) -> None:
    journal = open_journal(busy_timeout=0.2)
    with place.lock():
        began = time.monotonic()
        with pytest.raises(errors.JournalError, match=r"stayed locked by .* for 0\.2 s.*nothing was sent"):
            intend(journal, "m")
        assert 0.15 < time.monotonic() - began < 5


@pytest.mark.usefixtures("locked", "path")
def test_a_locked_file_is_read_all_the_same(open_journal: Callable[..., Journal]) -> None:
    assert open_journal(busy_timeout=0.2).entries() == []


def test_threads_do_not_wait_one_after_another_for_a_locked_journal(
    place: Place, open_journal: Callable[..., Journal]
) -> None:
    journal = open_journal(busy_timeout=1.0)

    def write(number: int) -> float:
        with pytest.raises(errors.JournalError, match="stayed locked"):
            intend(journal, str(number))
        return time.monotonic() - began

    with place.lock(), ThreadPoolExecutor(12) as pool:
        began = time.monotonic()
        slowest = max(pool.map(write, range(12)))
    assert slowest < 6  # and not 12


def test_a_journal_that_is_let_go_in_time_is_written(place: Place, journal: Journal) -> None:
    holding, waited = threading.Event(), threading.Event()

    def hold() -> None:
        with place.lock():
            holding.set()
            waited.wait(0.1)

    other = threading.Thread(target=hold)
    other.start()
    holding.wait(30)
    intend(journal, "m")
    other.join()
    assert [entry.key for entry in journal.entries()] == ["m"]


def test_many_threads_share_one_journal(journal: Journal) -> None:
    def live(number: int) -> None:
        finish(journal, str(number))
        journal.entries()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live, range(80)))
    assert {entry.state for entry in journal.entries()} == {"completed"}
    assert len(journal.ids()) == 80


def test_a_journal_that_is_dropped_warns_of_nothing(place: Place) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        journal = open_journal(place.location)
        intend(journal, "m")
        circle: list[Any] = [journal]
        circle.append(circle)
        del journal, circle
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
