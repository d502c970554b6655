"""Machines of a fleet: their clocks, names and forks, and what they are told of a database that will not do."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from by_kind import IMAGE, make_image
from journal_writes import COST, call_of, intend
from places import SERVER, Database
from postgres_server import PASSWORD

pytest.importorskip("psycopg")

from muapi_client import Budget, MuAPI, PostgresJournal, errors
from muapi_client._runtime import processes
from muapi_client._runtime.clock import SystemClock
from muapi_client._state.journal import server as journal_server
from muapi_client._state.journal.limits import Limit, Room
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place

WRONG = "wr0ng-" + "passw0rd"  # which no line of this file holds in one piece
ELSEWHERE = "worker@01234567-1:17:5-01234567:0123456789ab"


class Clock(SystemClock):
    """The system's, as it is told by now: a test sets it."""

    def wall_time(self) -> float:  # type: ignore[override]
        return time.time()


@pytest.fixture(params=[26.0, -26.0])
def hours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """This machine's calendar is off by so much."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * request.param)
    return request.param


def test_a_machine_with_a_wrong_clock_dates_jobs_as_the_server_does(place: Place, hours: float) -> None:
    emulator = Emulator(job_seconds=0)
    journal = place.open()
    assert abs(journal.clock_offset() + 3600 * hours) < 30
    with MuAPI("sk-live", transport=emulator.transport(), journal=journal, clock=Clock()) as mu:
        mu.submit(make_image(prompt="a fox"))
        (entry,) = journal.entries()
        assert abs(entry.intended_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock of this system tells how long it slept")
def test_a_machine_that_wakes_from_a_night_s_sleep_dates_jobs_of_the_morning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = place.open()
    calendar, boot, night = time.time, time.clock_gettime, 8 * 3600
    monkeypatch.setattr(time, "time", lambda: calendar() + night)
    monkeypatch.setattr(time, "clock_gettime", lambda which: boot(which) + night)
    assert journal.clock_offset() == 0


def test_while_a_connection_is_opened_anew_its_server_s_clock_is_known(place: Place, hours: float) -> None:
    journal: Any = place.open()
    journal._store._prepare(journal._store._session)
    assert abs(journal.clock_offset() + 3600 * hours) < 30


def test_it_spends_no_other_day_s_budget(place: Place, hours: float, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(job_seconds=0)
    budget = Budget("0.015", per="day")
    options: dict[str, Any] = {"transport": emulator.transport(), "journal": place.location, "budget": budget}
    with MuAPI("sk-live", **options, clock=Clock()) as wrong:
        wrong.submit(make_image(prompt="a fox"))
    monkeypatch.undo()
    with MuAPI("sk-live", **options, clock=Clock()) as right, pytest.raises(errors.SpendLimitError):
        right.submit(make_image(prompt="a fox"))


def test_it_takes_up_no_job_that_another_machine_waits_for(place: Place, hours: float) -> None:
    journal = place.open()
    intend(journal, "m")
    journal.accept("m", "r-m", COST, waiting=True)
    intend(journal, "intent")
    place.change("UPDATE job SET owner = ?", ELSEWHERE)
    assert (journal.unfinished(), journal.unknown()) == ([], [])
    place.change("UPDATE job SET lease = muapi_after('-1 second')")
    assert [entry.request_id for entry in journal.unfinished()] == ["r-m"]
    assert [entry.key for entry in journal.unknown()] == ["intent"]


def test_of_a_process_on_another_machine_of_the_same_name_the_lease_tells(place: Place) -> None:
    journal = place.open()
    intend(journal, "m")
    host, _, rest = journal._store.owner().partition("@")
    _, _, started = rest.partition(":")
    place.change("UPDATE job SET owner = ?", f"{host}@89abcdef-1:{started}")
    assert processes.is_alive(journal.entries()[0].owner) is None
    assert journal.unknown() == []


def test_a_dead_process_of_this_machine_is_known_to_be_dead_at_once(place: Place) -> None:
    journal = place.open()
    intend(journal, "m")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host, _, _ = journal._store.owner().partition(":")
    place.change("UPDATE job SET owner = ?", f"{host}:{gone.pid}:1-0:token")
    assert [entry.key for entry in journal.unknown()] == ["m"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_no_hook_was_told_of_leaves_its_parent_s_session_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a library forks by itself: what the child inherits is dropped, never closed in the server's sight."""
    journal: Any = place.open()
    intend(journal, "before")
    backend = journal._store._session.backend
    with monkeypatch.context() as unhooked:
        unhooked.setattr(journal_server.JournalServer, "hold", lambda _: None)
        child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            intend(journal, "child")
            journal.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    intend(journal, "after")
    assert journal._store._session.backend == backend
    assert place.written() == ["after", "before", "child"]


def with_setting(place: Place, setting: str) -> str:
    """The address of a journal for a role, or a database, of which this is set."""
    return str(place.location).replace("options=", f"options={quote(f'-c {setting} ')}")


@pytest.mark.parametrize(
    "setting",
    [
        "standard_conforming_strings=off",
        "default_transaction_isolation=serializable",
        "IntervalStyle=sql_standard",
        "DateStyle=German,DMY",
        "plpgsql.variable_conflict=use_column",
    ],
)
def test_whatever_is_set_for_the_role_the_books_are_the_same(place: Place, setting: str) -> None:
    place.open().close()  # made by another role
    journal = PostgresJournal(with_setting(place, setting))
    account, now = journal.account("https://api.example", "sk-live-0123456789abcdef"), datetime.now(UTC)
    known: dict[str, Any] = {"intended_at": now, "set_aside_usd": Decimal("0.5"), "limits": [Limit(Decimal("0.51"))]}
    assert journal.intend("m", call_of("m"), account, **known) is None
    journal.accept("m", "r-m", COST)
    assert journal.intend("n", call_of("n"), account, **known) is None
    assert journal.intend("o", call_of("o"), account, **known) == Room(known["limits"][0], Decimal("0.5042"))
    journal.close()


def test_a_role_that_may_end_no_session_goes_on_where_there_is_none_to_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal: Any = place.open()
    intend(journal, "m")
    journal._store._session.connection.pgconn.finish()
    monkeypatch.setattr(journal_server, "END", "SELECT nobody_may()")
    journal.accept("m", "r-m", COST)
    assert place.states() == ["accepted"]


def test_a_session_that_the_server_ends_for_it_was_idle_is_opened_anew(place: Place) -> None:
    journal: Any = PostgresJournal(with_setting(place, "idle_session_timeout=50"))
    intend(journal, "m")
    session = journal._store._session.backend.pid
    while place.ask(f"SELECT 1 FROM pg_stat_activity WHERE pid = {session}"):
        time.sleep(0.01)
    journal.accept("m", "r-m", COST)
    assert place.states() == ["accepted"]
    journal.close()


def test_of_a_database_that_only_reads_it_is_said_which_one_to_name(place: Place) -> None:
    place.open().close()
    journal = PostgresJournal(with_setting(place, "default_transaction_read_only=on"), busy_timeout=0.2)
    with pytest.raises(errors.JournalError, match=r"read-only .*target_session_attrs=read-write .*nothing was sent"):
        intend(journal, "m")
    journal.close()


def test_of_a_schema_that_is_not_there_it_is_said_how_it_comes_to_be(place: Place) -> None:
    with pytest.raises(errors.JournalError, match=r"no schema .*CREATE SCHEMA.*\?options=-csearch_path%3D"):
        PostgresJournal(re.sub("t_[0-9a-f]+$", "t_nowhere", place.location))


@pytest.mark.parametrize(("condition", "words"), [("42501", "its role lacks a right"), ("53100", "make room there")])
def test_what_only_somebody_else_can_end_is_told_with_what_to_do(place: Place, condition: str, words: str) -> None:
    journal = place.open()
    raising = f"BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{condition}'; END"
    place.change(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${raising}$$")
    place.change("CREATE TRIGGER refusing BEFORE INSERT ON muapi_job FOR EACH ROW EXECUTE FUNCTION refuse()")
    with pytest.raises(errors.JournalError, match=f"{words}.*; nothing was sent"):
        intend(journal, "m")


@pytest.mark.parametrize(
    "setting", ["default_transaction_isolation=read\\ committed", "default_transaction_isolation=serializable"]
)
def test_ten_machines_may_start_at_once(place: Place, setting: str) -> None:
    def start(number: int) -> str:
        journal = PostgresJournal(with_setting(place, setting))
        intend(journal, str(number))
        account = journal.account("https://api.example", "sk-live-0123456789abcdef")
        journal.close()
        return account.fingerprint

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(start, range(10)))) == 1
    assert len(place.written()) == 10


def leaks(error: BaseException) -> list[str]:
    """Where a password is in what is told of an error: words, causes, and locals down to every frame of ours."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines = "".join(told.format())
    found = [line for line in lines.splitlines() if WRONG in line]
    return found + [str(each) for each in (error, repr(error)) if WRONG in str(each)]


def wrong_address(place: Place) -> str:
    return str(place.location).replace(PASSWORD, WRONG)


def connect_wrongly(place: Place, kind: str) -> None:
    """Each way in which an address fails; the names of locals here hold no password."""
    if kind == "password":
        PostgresJournal(wrong_address(place))
    elif kind == "client":
        MuAPI("sk-live", journal=wrong_address(place))
    elif kind == "key":
        MuAPI("no key", journal=wrong_address(place))
    elif kind == "parameter":
        PostgresJournal(wrong_address(place) + "&no_such_word=1")
    elif kind == "port":
        PostgresJournal(f"postgresql://muapi:{WRONG}@127.0.0.1:9/jobs", busy_timeout=0)
    elif kind == "slash":
        PostgresJournal(f"postgresql://muapi:{WRONG}/2@127.0.0.1:9/jobs", busy_timeout=0)
    elif kind == "timeout":
        PostgresJournal(wrong_address(place), busy_timeout=-1)
    else:
        from muapi_client import Journal

        Journal(wrong_address(place))


@pytest.mark.parametrize("kind", ["password", "client", "key", "parameter", "port", "slash", "timeout", "file"])
def test_no_error_shows_the_password(place: Place, kind: str) -> None:
    began = time.monotonic()
    with pytest.raises(errors.MuAPIError) as caught:
        connect_wrongly(place, kind)
    assert time.monotonic() - began < 5  # a server that answers is not asked again and again
    assert leaks(caught.value) == []
    assert kind == "key" or isinstance(caught.value, errors.JournalError)


def test_neither_a_repr_nor_a_pickle_shows_it(place: Place) -> None:
    journal = place.open()
    client = MuAPI("sk-live", journal=place.location, transport=Emulator().transport())
    assert repr(journal).startswith("PostgresJournal('postgresql://muapi@127.0.0.1:")
    for thing in (journal, client, client._context, journal._store.__dict__):
        assert PASSWORD not in repr(thing)
    with pytest.raises(TypeError, match="open it anew"):
        pickle.dumps(journal)
    client.close()


def test_a_later_form_is_refused_by_name_and_left_alone(place: Place) -> None:
    place.open().close()
    place.change("UPDATE meta SET value = '99' WHERE name = 'form'")
    with pytest.raises(errors.JournalError, match="it is of form 99, which a later version of muapi-client wrote"):
        place.open()


def test_an_earlier_form_is_brought_up_to_date_once_and_its_jobs_stay(place: Place) -> None:
    intend(place.open(), "m")
    place.change("DROP TABLE item")  # which form 1 had not
    place.change("UPDATE meta SET value = '1' WHERE name = 'form'")

    first, second = place.open(), place.open()
    first.reuse("m", "run", "0")
    second.reuse("m", "run", "0")

    assert place.ask("SELECT run, run_key, key FROM item") == [("run", "0", "m")]
    assert place.ask("SELECT value FROM meta WHERE name = 'form'") == [("2",)]
    assert [entry.key for entry in second.entries()] == ["m"]


def test_what_a_later_form_adds_stands_beside_the_rest(place: Database) -> None:
    other = place.anew()
    intend(place.open(), "m")
    place.change("DROP TABLE item")
    place.change("UPDATE meta SET value = '1' WHERE name = 'form'")
    schema = other.location.rpartition("%3D")[2]

    PostgresJournal(place.location.replace("search_path%3D", f"search_path%3D{schema},")).close()
    place.open().reuse("m", "run", "0")

    assert place.ask("SELECT run, run_key, key FROM item") == [("run", "0", "m")]


def test_a_table_of_something_else_is_refused_by_name(place: Database) -> None:
    place.change("CREATE TABLE muapi_meta (name text, value int)")
    place.change("INSERT INTO meta VALUES ('form', 1)")
    with pytest.raises(errors.JournalError, match="its table muapi_meta is something else's"):
        place.open()


def test_a_journal_that_was_replaced_is_not_written_into(place: Database) -> None:
    journal = place.open()
    intend(journal, "m")
    place.change("UPDATE meta SET value = 'ff' WHERE name = 'salt'")
    journal.close()
    with pytest.raises(errors.JournalError, match=r"replaced by another journal .*; nothing was sent"):
        intend(journal, "n")
    place.change("DROP TABLE meta")
    with pytest.raises(errors.JournalError, match=r"its tables are gone .*; nothing was sent"):
        intend(journal, "n")


def test_a_database_that_cannot_hold_every_text_is_refused(place: Place) -> None:
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as db:
        db.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(errors.JournalError, match="its encoding is LATIN1"):
                PostgresJournal(SERVER.replace("/postgres", "/latin"))
        finally:
            db.execute("DROP DATABASE latin WITH (FORCE)")


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "muapi_client._state.journal.server", None)
    with pytest.raises(errors.JournalError, match=r"pip install 'muapi-client\[postgres\]'"):
        PostgresJournal(SERVER)


def test_psycopg_is_loaded_with_the_first_journal_of_this_kind(place: Place, tmp_path: Path) -> None:
    program = (
        "import sys; from muapi_client import MuAPI, PostgresJournal; MuAPI('sk-live', journal=sys.argv[1]).close();"
        "print('psycopg' in sys.modules)"
    )
    for location, loaded in ((place.location, "True"), (tmp_path / "jobs.db", "False")):
        command = [sys.executable, "-c", program, str(location)]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == loaded


def test_the_page_on_fleets_says_what_runs(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/fleet.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (query,) = re.findall(r"```sql\n(.*?);\n```", page, flags=re.DOTALL)
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    for shown, real in (("postgresql://muapi@db.example/jobs", place.location), ("flux_dev_image", IMAGE.function)):
        assert shown in program
        program = program.replace(shown, real)
    emulator = Emulator(job_seconds=1)
    with emulator.serve() as url:
        monkeypatch.setenv("MUAPI_BASE_URL", url)
        exec(compile(program, "fleet.md", "exec"), {})
    assert {line.partition(" (")[0] for line in capsys.readouterr().out.splitlines()} == {
        *("a red fox in snow", "a grey wolf", "a snowy owl")
    }
    assert place.ask(query) == [(IMAGE.slug, 3, emulator.charged_usd)]


def test_the_command_adds_up_a_database_and_shows_no_password(place: Place, environment: dict[str, str]) -> None:
    journal = place.open()
    journal.intend("m", call_of("m"), None, intended_at=datetime.now(UTC))
    journal.accept("m", "r-m", COST)
    command = [sys.executable, "-m", "muapi_client.cli", "spend", "--journal", str(place.location)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "0.0042" in told.stdout, told.stderr
    assert PASSWORD not in told.stdout + told.stderr
