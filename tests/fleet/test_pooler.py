"""Through a pooler in transaction mode the books are the same, and other programs' sessions are left as they were."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from by_kind import make_image
from journal_writes import COST, intend
from places import SERVER, Database
from test_interruptions import interrupted_at
from transaction_pooler import TransactionPooler

pytest.importorskip("psycopg")

import psycopg

from muapi_client import AsyncMuAPI, Budget, MuAPI, Polling, PostgresJournal, errors
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from places import Place

JOBS = 60
LINES = 150  # of a write, at least: an interrupt that is swallowed ends the sweep before
SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def pooler() -> Iterator[TransactionPooler]:
    """A pooler before the server."""
    pooler = TransactionPooler(SERVER)
    yield pooler
    pooler.close()


@pytest.fixture
def address(pooler: TransactionPooler) -> Callable[..., str]:
    """``address(place)``: of a journal by way of the pooler; ``options`` are its session's, which others get, too."""

    def by_way_of(place: Place, options: str = "") -> str:
        url = str(place.location).replace(SERVER, pooler.url)
        return url.replace("options=", f"options={quote(options)}%20")

    return by_way_of


def test_machines_that_share_a_run_pay_for_each_call_once(
    address: Callable[..., str], place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    emulator = Emulator(job_seconds=0.1, balance=1000)
    calls = [make_image(prompt=f"fox {number}") for number in range(JOBS)]
    options: dict[str, Any] = {"polling": Polling(minimum=0.05, maximum=0.1), "budget": Budget(100, per="day")}

    async def share(url: str) -> list[Any]:
        async with AsyncMuAPI("sk-live", url, journal=address(place), **options) as mu:
            return [outcome async for outcome in mu.map(calls, run="r", concurrency=20)]

    async def share_twice(url: str) -> list[list[Any]]:
        return list(await asyncio.gather(share(url), share(url)))

    with emulator.serve() as url:
        outcomes = asyncio.run(share_twice(url))
        with MuAPI("sk-live", url, journal=address(place)) as mu:
            (books,) = mu.spend_report(by=())
            assert (mu.unknown(), list(mu.resume())) == ([], [])
    assert [outcome.error for each in outcomes for outcome in each] == [None] * 2 * JOBS
    assert emulator.accepted == JOBS
    assert (books["jobs"], books["charged_usd"]) == (JOBS, emulator.charged_usd)
    assert [record.message for record in caplog.records if record.name.startswith("psycopg")] == []


def test_nothing_is_set_or_prepared_in_sessions_that_others_get(
    pooler: TransactionPooler, address: Callable[..., str], place: Place
) -> None:
    with psycopg.connect(pooler.url, autocommit=True, prepare_threshold=None) as other:
        ask = f"SELECT {', '.join(f'current_setting({name!r})' for name in SETTINGS)},".encode()
        ask += b" (SELECT count(*) FROM pg_prepared_statements)"
        before = other.execute(ask).fetchone()
        journals = [PostgresJournal(address(place)) for _ in range(2)]
        for number in range(8):  # a statement is prepared when it is sent for the sixth time
            for name, journal in zip("mn", journals, strict=True):
                intend(journal, f"{name}{number}")
                journal.accept(f"{name}{number}", f"r-{name}{number}", COST)
        after = {other.execute(ask).fetchone() for _ in range(2 * pooler.sessions)}
        for journal in journals:
            journal.close()
    assert after == {before}
    assert place.states() == ["accepted"] * 16


def test_two_journals_in_two_schemas_are_told_apart(address: Callable[..., str], place: Database) -> None:
    other = place.anew()
    journals = [PostgresJournal(address(each)) for each in (place, other)]
    for number in range(5):
        for name, journal in zip("mn", journals, strict=True):
            intend(journal, f"{name}{number}")
    for journal in journals:
        journal.close()
    assert place.written() == [f"m{number}" for number in range(5)]
    assert other.written() == [f"n{number}" for number in range(5)]


@pytest.mark.parametrize("setting", ["synchronous_commit=off", "default_transaction_isolation=serializable"])
def test_what_a_write_relies_on_is_so_in_each_session(address: Callable[..., str], place: Place, setting: str) -> None:
    journal: Any = PostgresJournal(address(place))
    others = [PostgresJournal(address(place, f"-c {setting}")) for _ in range(2)]
    for each in (journal, *others):
        intend(each, str(id(each)))
    ask = "SELECT current_setting('synchronous_commit') AS lasts, current_setting('transaction_isolation') AS sees"
    found = {tuple(journal._rows(ask, {})[0].values()) for _ in range(6)}
    for each in (journal, *others):
        each.close()
    assert found == {("on", "read committed")}


def test_a_place_in_a_run_that_is_taken_costs_no_connection(
    pooler: TransactionPooler, address: Callable[..., str], place: Place
) -> None:
    journal: Any = PostgresJournal(address(place))
    intend(journal, "m", run="r", run_key="1")
    with pytest.raises(errors.JournalError, match="has an entry for '1' already; nothing was sent"):
        intend(journal, "n", run="r", run_key="1")
    intend(journal, "o")
    assert pooler.sessions == 1
    journal.close()
    assert place.written() == ["m", "o"]


def test_a_group_in_which_one_goes_wrong_is_written_without_it(address: Callable[..., str], place: Place) -> None:
    journal: Any = PostgresJournal(address(place))
    intend(journal, "a")
    writes = [journal.commits.make_write(partial(intend, journal, name)) for name in "bc"]
    writes.append(journal.commits.make_write(partial(journal.accept, "gone", "r-gone", COST)))
    journal.commits.carry_out(*writes)
    journal.close()
    assert place.written() == ["a", "b", "c"]


def test_a_write_whose_connection_is_lost_is_done_again_and_ends_no_session_of_others(
    pooler: TransactionPooler, address: Callable[..., str], place: Place
) -> None:
    journal: Any = PostgresJournal(address(place))
    intend(journal, "m")
    journal._store._session.connection.pgconn.finish()
    with psycopg.connect(pooler.url, autocommit=True, prepare_threshold=None) as other, other.transaction():
        before = other.execute("SELECT pg_backend_pid()").fetchone()
        journal.accept("m", "r-m", COST)
        assert other.execute("SELECT pg_backend_pid()").fetchone() == before
    assert place.states() == ["accepted"]
    journal.close()


def test_an_interrupt_at_any_line_of_a_write_is_raised_and_leaves_it_done_or_not(
    address: Callable[..., str], place: Place
) -> None:
    journal: Any = PostgresJournal(address(place))
    intend(journal, "m")
    line, going_on, written = 0, True, ["m"]
    while going_on:
        line += place.lines_apart
        going_on = interrupted_at(line, partial(intend, journal, f"m{line}"))
        intend(journal, f"n{line}")
        written += {f"m{line}"} & set(place.written()) | {f"n{line}"}
        assert place.written() == sorted(written), line
    journal.close()
    assert line > LINES
