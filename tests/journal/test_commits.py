"""Writes that wait at one moment become durable at once: each is told when all are, and none is lost."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from by_kind import make_image
from journal_writes import COST, finished, intend
from test_interruptions import interrupted_at, is_open

from muapi_client import AsyncMuAPI, Journal, MuAPI, errors, raw_call
from muapi_client._state.journal.limits import Limit
from muapi_client._transport import keeping
from muapi_client._transport.keeping import akeep, keep
from muapi_client._types.entry import Replaced
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from places import Place

KEYS = ("a", "b", "c")
KEY = "sk-live-0123456789abcdef"  # of a client


@pytest.fixture
def statements(journal: Any, path: Path) -> Iterator[list[str]]:
    """What SQLite was told, in order."""
    told: list[str] = []
    connection: Any = journal._store._connection
    connection.set_trace_callback(lambda statement: told.append(statement.split()[0]))
    yield told
    connection.set_trace_callback(None)


def writes(journal: Journal, names: tuple[str, ...] = KEYS) -> list[Any]:
    return [journal.commits.make_write(partial(intend, journal, name)) for name in names]


def in_threads(journal: Journal, work: list[Callable[[], object]]) -> list[Any]:
    """Do work in a thread each, all of which wait for the journal at one moment; answers what came of each."""
    outcomes: list[Any] = [None] * len(work)

    def do(number: int) -> None:
        try:
            outcomes[number] = work[number]()
        except errors.MuAPIError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(work))]
    with journal._lock:
        for thread in threads:
            thread.start()
        ends = time.monotonic() + 30
        while len(journal.commits._waiting) < len(work):
            assert time.monotonic() < ends
            time.sleep(0)
    for thread in threads:
        thread.join()
    return outcomes


def test_threads_that_wait_at_one_moment_share_a_transaction(
    journal: Journal, place: Place, statements: list[str]
) -> None:
    work = [partial(keep, partial(intend, journal, str(number)), journal.commits) for number in range(8)]
    in_threads(journal, list(work))
    assert statements.count("COMMIT") == 1
    assert statements.count("INSERT") == 8
    assert place.written() == [str(number) for number in range(8)]


def test_whose_write_is_durable_waits_for_no_later_one(journal: Journal, place: Place) -> None:
    may_end = threading.Event()

    def write_late() -> None:
        may_end.wait(5)
        intend(journal, "late")

    later = [journal.commits.make_write(work) for work in (write_late, partial(intend, journal, "later"))]
    late = threading.Thread(target=journal.commits.carry_out, args=later)

    def write_first() -> None:
        intend(journal, "first")
        if late.ident is None:  # else it is done again
            late.start()
            while id(later[-1]) not in journal.commits._waiting:
                time.sleep(0)

    works = [write_first, *(partial(intend, journal, name) for name in KEYS)]
    in_threads(journal, [partial(keep, work, journal.commits) for work in works])
    assert late.is_alive()
    may_end.set()
    late.join()
    assert place.written() == [*KEYS, "first", "late", "later"]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("write_all", ["keep", "finish"])
def test_a_write_of_several_statements_is_a_transaction(
    journal: Journal, statements: list[str], write_all: str
) -> None:
    replacing = partial(intend, journal, "a", replaces=Replaced("doubt", "run", "0"))
    if write_all == "keep":
        keep(replacing, journal.commits)
    else:  # an interrupt has cut it short
        journal.commits.finish(journal.commits.make_write(replacing))
    assert statements == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]


def test_a_write_that_is_alone_is_one_statement(journal: Journal, statements: list[str]) -> None:
    keep(partial(intend, journal, "a"), journal.commits)
    assert statements == ["INSERT"]


def test_what_has_to_outlast_the_machine_is_synced_and_an_end_is_with_what_follows(tmp_path: Path) -> None:
    """SQLite syncs a commit where ``synchronous`` is FULL (2), and not where it is NORMAL (1)."""
    levels: list[tuple[str, int]] = []
    journal = Journal(tmp_path / "jobs.db")
    store: Any = journal._store

    def note(name: str) -> None:
        levels.append((name, store._connection.execute("PRAGMA synchronous").fetchone()[0]))

    with closing(journal):
        emulator = Emulator(job_seconds=1)
        for name in ("intend", "accept", "begin_wait", "finish"):
            write = getattr(journal, name)

            def noted(*given: Any, name: str = name, write: Any = write, **more: Any) -> Any:
                answer = write(*given, **more)
                note(name)
                return answer

            setattr(journal, name, noted)
        with MuAPI("sk-live", transport=emulator.transport(), journal=journal) as mu:
            mu.wait(mu.submit(make_image(prompt="fox")))
            assert levels == [("intend", 2), ("accept", 2), ("begin_wait", 1), ("finish", 1)]
        together = [partial(keep, partial(intend, journal, "a"), journal.commits)]
        together += [partial(keep, lambda: note("end"), journal.commits, is_lasting=False)]
        levels.clear()
        in_threads(journal, list(together))
        assert ("end", 2) in levels, "beside one that has to last, all do"
        keep(lambda: note("end"), journal.commits, is_lasting=False)
        journal.entries()
        note("after")
        assert levels[-1] == ("after", 2)


def test_none_is_told_before_all_are_durable(journal: Journal, place: Place) -> None:
    seen: list[tuple[bool, list[str]]] = []
    group = writes(journal)

    def look() -> None:
        seen.append((any(write.is_done for write in group), place.written()))

    group.append(journal.commits.make_write(look))
    journal.commits.carry_out(*group)
    assert seen == [(False, [])]
    assert all(write.is_done for write in group)
    assert place.written() == list(KEYS)


def test_each_is_told_what_it_came_to(journal: Journal) -> None:
    intend(journal, "lost")
    settle = partial(keep, partial(journal.settle, "lost", "r-lost"), journal.commits)
    none = partial(keep, partial(journal.settle, "nobody's", "r"), journal.commits)
    assert in_threads(journal, [settle, none]) == [True, False]


def test_the_first_intents_of_a_budget_are_written_though_they_come_at_one_moment(journal: Journal) -> None:
    limits = [Limit(Decimal(100))]
    options = {"account": journal.account("https://api.example", "sk"), "set_aside_usd": COST.amount_usd}
    work = [partial(keep, partial(intend, journal, name, limits=limits, **options), journal.commits) for name in KEYS]
    assert in_threads(journal, work) == [None] * len(KEYS)
    assert sorted(entry.key for entry in journal.entries()) == [*KEYS]


def test_one_that_goes_wrong_harms_no_other(journal: Journal, place: Place) -> None:
    work = [partial(intend, journal, name, run="r", run_key="1" if name in "ab" else name) for name in ("a", "b", "c")]
    work.append(partial(journal.accept, "nobody's", "r-1", COST))
    first, second, third, fourth = in_threads(journal, [partial(keep, each, journal.commits) for each in work])
    refused = [each for each in (first, second) if each is not None]
    assert [str(each) for each in refused] == [
        f"journal {journal._store.name}: run 'r' has an entry for '1' already; nothing was sent"
    ]
    assert third is None
    assert "any more" in str(fourth)
    assert len(place.written()) == 2


def test_many_that_go_wrong_are_found_at_once(journal: Journal, place: Place, statements: list[str]) -> None:
    known: dict[str, Any] = {"run": "r", "run_key": "1"}
    group = [journal.commits.make_write(partial(intend, journal, f"{n}", **known if n % 2 else {})) for n in range(16)]
    journal.commits.carry_out(*group)
    assert [statements.count(word) for word in ("BEGIN", "ROLLBACK", "COMMIT")] == [2, 1, 1]
    assert len(place.written()) == 9


def test_groups_after_one_that_went_wrong_are_written_as_ever(journal: Journal, place: Place) -> None:
    """What a server was told of a statement in a transaction that it rolled back, it does not know any more."""
    intend(journal, "first", run="r", run_key="1")
    for number in range(12):
        intend(journal, f"{number}")
        refused, accepted, ended = (
            journal.commits.make_write(work)
            for work in (
                partial(intend, journal, f"again {number}", run="r", run_key="1"),
                partial(journal.accept, f"{number}", f"r-{number}", COST),
                partial(journal.finish, finished(f"r-{number}"), key=f"{number}"),
            )
        )
        journal.commits.carry_out(refused, accepted, ended)
        with pytest.raises(errors.JournalError, match="has an entry for '1' already"):
            refused.answer()
        assert (accepted.answer(), ended.answer()) == (None, None)
    assert sorted(place.states()) == ["completed"] * 12 + ["intent"]


@pytest.mark.usefixtures("path")  # alone, which is what a database has it be, no write is of two statements
def test_one_that_goes_wrong_halfway_leaves_nothing(journal: Journal, place: Place) -> None:
    def write_twice() -> None:
        intend(journal, "half")
        journal.accept("nobody's", "r-1", COST)

    told = in_threads(
        journal, [partial(keep, work, journal.commits) for work in (write_twice, partial(intend, journal, "whole"))]
    )
    assert isinstance(told[0], errors.JournalError)
    assert place.written() == ["whole"]


def test_where_a_transaction_cannot_be_each_says_itself_what_is_wrong(journal: Journal, path: Path) -> None:
    path.unlink()
    told = in_threads(journal, [partial(keep, partial(intend, journal, name), journal.commits) for name in KEYS])
    assert [type(each) for each in told] == [errors.JournalError] * 3
    assert all("deleted or replaced" in str(each) and "nothing was sent" in str(each) for each in told)


def test_all_that_wait_for_a_locked_journal_are_told_within_the_busy_timeout(
    open_journal: Callable[..., Journal], place: Place
) -> None:
    journal = open_journal(busy_timeout=0.5)
    with place.lock():
        began = time.monotonic()
        work = [partial(keep, partial(intend, journal, str(number)), journal.commits) for number in range(12)]
        told = in_threads(journal, list(work))
    assert all("stayed locked by" in str(each) for each in told)
    assert time.monotonic() - began < 4  # and not 6


def test_a_commit_that_fails_leaves_each_to_itself(
    journal: Any, path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Failing:
        """The connection, whose commits fail."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

        def execute(self, statement: str, *given: Any) -> Any:
            told.append(statement)
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self.connection.execute(statement, *given)

    monkeypatch.setattr(journal._store, "_connection", Failing(journal._store._opened(1.0)))
    work = [partial(keep, partial(intend, journal, name), journal.commits) for name in KEYS]
    assert in_threads(journal, list(work)) == [None] * 3
    assert place.written() == list(KEYS)
    assert told.count("BEGIN IMMEDIATE") == 1  # and not once more for each


# A connection whose opening or closing was cut short is closed as it is dropped, of which Python 3.13 warns.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning", "ignore:.*was deleted while still open")
def test_an_interrupt_at_any_line_of_a_group_leaves_no_half_write_and_loses_none(place: Place) -> None:
    line, going_on, here = 0, True, place
    while going_on:
        line += place.lines_apart
        here = here.emptied()
        with closing(here.open(busy_timeout=1.0)) as journal:
            mine, *others = writes(journal)
            for write in others:  # of threads that wait
                journal.commits._waiting[id(write)] = write
            going_on = interrupted_at(line, lambda: journal.commits.carry_out(mine))  # noqa: B023 - called here
            assert is_open(journal._lock), line
            told = [write.is_done for write in (mine, *others)]
            assert all(key in here.written() for key, done in zip(KEYS, told, strict=True) if done), line
            journal.commits.finish(mine)  # as whoever is interrupted does
            with here.lock():  # nothing holds it
                pass
            for write in others:  # as each thread does that gets it next
                journal.commits.carry_out(write)
            assert here.written() == list(KEYS), line
            assert not journal.commits._waiting
    assert line > 20
    gc.collect()  # what hangs in a circle is dropped here, where its warning is expected


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning", "ignore:.*was deleted while still open")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # struck within a generator that ends
@pytest.mark.parametrize("follows", [False, True])
def test_an_interrupt_at_any_line_holds_up_none_who_waits(place: Place, follows: bool) -> None:
    line, going_on, here = 0, True, place
    while going_on:
        line += place.lines_apart
        here = here.emptied()
        with closing(here.open(busy_timeout=5.0)) as journal:
            others = [threading.Thread(target=_keep_intent, args=(journal, name), daemon=True) for name in "bcd"]
            ahead, later = (others[:1], others[1:]) if follows else ([], others)

            def come(later: list[threading.Thread] = later) -> None:
                for other in later:
                    other.start()
                time.sleep(0.005)  # some of them get to where they wait for this thread

            def write(journal: Journal = journal, ahead: list[threading.Thread] = ahead) -> None:
                taken = threading.Event()
                holder = threading.Thread(target=_hold, args=(journal, taken), daemon=True)
                if ahead:
                    holder.start()
                    taken.wait(5)
                for other in ahead:
                    other.start()
                    while journal.commits._next is None and other.is_alive():
                        time.sleep(0)
                keep(partial(intend, journal, "a"), journal.commits)

            going_on = interrupted_at(line, write, come)
            if not going_on:
                come()
            for other in others:
                other.join(10)
                assert not other.is_alive(), line
            assert here.written() == ["a", "b", "c", "d"], line
            assert not journal.commits._waiting
            assert is_open(journal._lock)
    assert line > 20
    gc.collect()


def _keep_intent(journal: Journal, name: str) -> None:
    keep(partial(intend, journal, name), journal.commits)


def _hold(journal: Journal, taken: threading.Event) -> None:
    """Use the journal for a moment, as a thread does that reads."""
    with journal._lock:
        taken.set()
        time.sleep(0.02)


def test_what_an_interrupt_has_given_up_is_not_written_behind_its_back(journal: Journal, place: Place) -> None:
    mine, *others = writes(journal)
    for write in (mine, *others):
        journal.commits._waiting[id(write)] = write
    journal.commits.finish(mine)
    journal.withdraw("a")
    journal.commits.carry_out(*others)
    assert place.written() == ["b", "c"]


KILLED = """
import os, signal, sys
sys.path[:0] = [{here!r}]
from functools import partial
from journal_writes import intend
from muapi_client import Journal
journal = Journal({path!r})
count = 0
def strike(statement):
    global count
    count += 1
    if count == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
journal._store._connection.set_trace_callback(strike)
journal.commits.carry_out(*(journal.commits.make_write(partial(intend, journal, name)) for name in "abc"))
print("told", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
def test_a_kill_at_any_statement_leaves_all_of_a_group_or_nothing_and_all_of_what_was_told(tmp_path: Path) -> None:
    at, told = 0, False
    while not told:
        at += 1
        path = tmp_path / f"{at}.db"
        program = KILLED.format(here=str(Path(__file__).parent), path=str(path), at=at)
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        told = "told" in ended.stdout
        assert told or ended.returncode == -signal.SIGKILL, ended.stderr
        with closing(Journal(path)) as journal:
            found = [entry.key for entry in journal.entries()]
        assert found == (list(KEYS) if told else []), at
    assert at > 4  # a begin, three writes, a commit


def test_a_signal_handler_that_writes_in_the_middle_of_a_group_is_durable_at_once(
    journal: Journal, place: Place
) -> None:
    seen: list[list[str]] = []

    def handle() -> None:  # a handler is called between two instructions of the thread that it interrupts
        if not seen:
            seen.append([])
            keep(partial(intend, journal, "handler"), journal.commits)
            seen[0] = place.written()

    first, *others = writes(journal)
    interrupted = journal.commits.make_write(handle)
    journal.commits.carry_out(first, interrupted, *others)
    assert seen == [["handler"]]
    assert place.written() == sorted([*KEYS, "handler"])


def test_a_signal_handler_that_writes_waits_for_nobody_who_waits_for_its_thread(journal: Journal, place: Place) -> None:
    other = threading.Thread(target=keep, args=(partial(intend, journal, "other"), journal.commits))
    with journal._lock:  # as a thread has it that reads, and is interrupted
        other.start()
        while journal.commits._next is None:
            time.sleep(0)
        keep(partial(intend, journal, "handler"), journal.commits)
        assert "handler" in place.written()
    other.join()
    assert place.written() == ["handler", "other"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_writes_nothing_that_its_parents_threads_wait_with(journal: Journal, place: Place) -> None:
    parents, *_ = writes(journal)
    journal.commits._waiting[id(parents)] = parents
    pid = os.fork()
    if pid == 0:
        try:
            journal.commits.carry_out(*writes(journal, ("child-1", "child-2")))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert place.written() == ["child-1", "child-2"]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("names", [("a",), KEYS])
def test_what_a_signal_handler_writes_while_a_fork_begins_leaves_its_child_no_connection(
    journal: Any, place: Place, names: tuple[str, ...]
) -> None:
    """SQLite in a child that inherits one, and closes it, takes away what it or the parent writes."""
    journal._store.hold()  # as a fork has it
    journal.commits.carry_out(*writes(journal, names))
    assert journal._store._connection is None
    journal._store.release_mine()
    keep(partial(intend, journal, "later"), journal.commits)
    assert journal._store._connection is not None
    assert place.written() == [*names, "later"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_share_transactions(journal: Journal, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    told, numbers, carry_out = [], count(1), journal._store.carry_out

    def note(works: Any, ends: float) -> Any:
        told.append(len(works))
        return carry_out(works, ends)

    monkeypatch.setattr(journal._store, "carry_out", note)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"request_id": f"job-{next(numbers)}", "status": "processing"})

    async def main() -> None:
        mock = httpx.MockTransport(answer)
        async with AsyncMuAPI(KEY, journal=journal, transport=mock) as mu, anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(mu.submit, raw_call("a-model", {"prompt": str(number)}))

    anyio.run(main, backend=backend)
    assert [entry.state for entry in journal.entries()] == ["accepted"] * 60
    assert 0 < len(told) < 40  # of 120 writes


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_has_written_all_the_same(journal: Journal, place: Place, backend: str) -> None:
    ended: list[str] = []

    async def write(name: str) -> None:
        try:
            await akeep(partial(intend, journal, name), journal.commits)
        finally:
            ended.append(name)
            ended.append(str(name in place.written()))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for name in KEYS:
                group.start_soon(write, name)
            await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert ended.count("True") == 3
    assert place.written() == list(KEYS)


def test_a_task_that_asyncio_cancels_has_written_and_holds_up_no_other(journal: Journal, place: Place) -> None:
    async def main() -> list[Any]:
        tasks = [asyncio.create_task(akeep(partial(intend, journal, name), journal.commits)) for name in KEYS]
        await asyncio.sleep(0)
        tasks[0].cancel()  # whose thread carries out the first group
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert others == [None, None]
    assert place.written() == list(KEYS)


def test_those_who_wait_are_served_when_nobody_comes_after_them(
    journal: Journal, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "GROUPS", 1)
    names = [f"{number:02}" for number in range(20)]

    async def main() -> None:
        async with anyio.create_task_group() as group:
            with journal._lock:
                for name in names:
                    group.start_soon(akeep, partial(intend, journal, name), journal.commits)
                    await anyio.lowlevel.checkpoint()
                    while not journal.commits._waiting:  # the first one is in its thread
                        await anyio.lowlevel.checkpoint()
        assert not keeping._find_queue(journal.commits)._waiting

    anyio.run(main)
    assert place.written() == names


def test_a_finish_in_a_group_is_what_it_is_alone(journal: Journal) -> None:
    for name in KEYS:
        intend(journal, name)
        journal.accept(name, f"r-{name}", COST)
    work = [partial(keep, partial(journal.finish, finished(f"r-{name}"), key=name), journal.commits) for name in KEYS]
    in_threads(journal, list(work))
    assert {(entry.state, entry.cost) for entry in journal.entries()} == {("completed", COST)}
