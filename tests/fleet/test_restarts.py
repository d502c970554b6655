"""A server that dies in the middle of everything and comes back: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from by_kind import make_image
from journal_writes import COST, call_of, finished, intend

pytest.importorskip("psycopg")

from muapi_client import AsyncMuAPI, MuAPI, Polling, PostgresJournal, errors
from muapi_client._state.journal.limits import Limit
from muapi_client._state.journal.server import JournalServer
from muapi_client._transport.keeping import keep
from muapi_client.emulator import Emulator, Fault

if TYPE_CHECKING:
    from places import Place
    from postgres_server import PostgresServer

JOBS = 1000
AWAY = 0.5  # seconds a killed server stays away


def bring_back_often(server: PostgresServer, emulator: Emulator, at: list[int]) -> None:
    """Kill the server each time so many jobs were accepted, and bring it back."""
    for accepted in at:
        while emulator.accepted < accepted:
            time.sleep(0.01)
        server.kill()
        time.sleep(AWAY)
        server.start()


def test_a_server_killed_among_a_thousand_jobs_loses_and_doubles_none(server: PostgresServer) -> None:
    emulator = Emulator(job_seconds=0.1, balance=1000)
    calls = [make_image(prompt=f"fox {number}") for number in range(JOBS)]

    async def main(url: str) -> list[Any]:
        options: dict[str, Any] = {"journal": server.url, "polling": Polling(minimum=0.1, maximum=0.5)}
        async with AsyncMuAPI("sk-live", url, **options) as mu:
            return [outcome async for outcome in mu.map(calls, run="r", concurrency=100)]

    with emulator.serve() as url:
        killing = threading.Thread(target=bring_back_often, args=(server, emulator, [150, 400, 800]))
        killing.start()
        outcomes = asyncio.run(main(url))
        killing.join()
        with MuAPI("sk-live", url, journal=server.url) as mu:
            assert mu.unknown() == []
            assert list(mu.resume()) == []
            (books,) = mu.spend_report(by=())

    assert [outcome.error for outcome in outcomes] == [None] * JOBS
    assert emulator.accepted == JOBS
    assert (books["jobs"], books["charged_usd"]) == (JOBS, emulator.charged_usd)
    rows = server.ask("SELECT run_key, request_id, state FROM muapi_job")
    assert len(rows) == len({key for key, *_ in rows}) == len({request_id for _, request_id, _ in rows}) == JOBS
    assert {state for *_, state in rows} == {"completed"}


def test_a_server_that_stays_away_is_told_and_nothing_is_sent(server: PostgresServer) -> None:
    emulator = Emulator(job_seconds=0)
    journal = PostgresJournal(server.url, busy_timeout=0.5)
    mu = MuAPI("sk-live", transport=emulator.transport(), journal=journal)
    job: Any = mu.submit(make_image(prompt="a fox"))
    server.kill()
    began = time.monotonic()
    with pytest.raises(errors.JournalError, match=r"its server could not be had for 0\.5 s .*; nothing was sent$"):
        mu.submit(make_image(prompt="a fox"))
    assert time.monotonic() - began < 10
    assert emulator.accepted == 1
    with pytest.raises(errors.JournalError, match=f"job {job.id} has ended: look at it again"):
        mu.look(job)
    server.start()
    assert mu.look(job).done
    assert [entry.state for entry in mu.jobs()] == ["completed"]
    mu.close()


def test_an_acceptance_that_cannot_be_written_still_tells_the_id(server: PostgresServer) -> None:
    emulator = Emulator(job_seconds=0)
    journal = PostgresJournal(server.url, busy_timeout=0.5)
    accept = journal.accept

    def die_first(*given: Any, **options: Any) -> None:
        server.kill()
        accept(*given, **options)

    journal.accept = die_first  # type: ignore[method-assign]
    with MuAPI("sk-live", transport=emulator.transport(), journal=journal) as mu:
        with pytest.raises(errors.JournalError, match=r"; job \S+ was accepted$") as caught:
            mu.submit(make_image(prompt="a fox"))
        server.start()
        assert mu.look(str(caught.value.request_id)).done
        assert mu.unknown() == []


class LosesAnswers:
    """Has the answers to some statements be lost: they are carried out, and the connection is gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, words: bytes) -> None:
        from muapi_client._state.journal import server_session as journal_server_session

        self.left, self.words = 1, words
        self._execute = journal_server_session.Connection.execute
        lost = self

        def execute(connection: Any, statement: Any, *given: Any) -> Any:
            cursor = lost._execute(connection, statement, *given)
            if lost.left and lost.words in statement:
                lost.left -= 1
                connection.pgconn.finish()
                raise journal_server_session.psycopg.OperationalError("the server closed the connection unexpectedly")
            return cursor

        monkeypatch.setattr(journal_server_session.Connection, "execute", execute)


def test_a_commit_whose_answer_is_lost_is_done_again_and_leaves_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = place.open()
    lost = LosesAnswers(monkeypatch, b"COMMIT")
    writes = [journal.commits.make_write(partial(intend, journal, name)) for name in "abc"]
    journal.commits.carry_out(*writes)
    assert lost.left == 0
    assert [write.answer() for write in writes] == [None] * 3
    assert place.written() == ["a", "b", "c"]


@pytest.mark.parametrize("words", [b"INSERT INTO muapi_job", b"state = CASE", b"said = ", b"DELETE"])
def test_so_is_a_write_that_is_alone(place: Place, monkeypatch: pytest.MonkeyPatch, words: bytes) -> None:
    journal = place.open()
    lost = LosesAnswers(monkeypatch, words)
    keep(partial(intend, journal, "m"), journal.commits)
    keep(partial(journal.accept, "m", "r-m", COST), journal.commits)
    keep(partial(journal.finish, finished("r-m"), key="m"), journal.commits)
    keep(partial(intend, journal, "n"), journal.commits)
    keep(partial(journal.withdraw, "n"), journal.commits)
    assert lost.left == 0
    assert [(entry.key, entry.state, entry.cost) for entry in journal.entries()] == [("m", "completed", COST)]


@pytest.mark.parametrize("wrong", ["a place in the run that is taken", "a session that the server has ended"])
def test_what_goes_wrong_in_a_group_is_told_by_nobody_else(
    place: Place, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What psycopg logs goes to standard error, where a program has set up no logging."""
    journal: Any = place.open()
    intend(journal, "a", run="r", run_key="a")
    if wrong == "a session that the server has ended":
        place.ask(f"SELECT pg_terminate_backend({journal._store._session.backend.pid}, 5000)")
    names = ["a" if "taken" in wrong else "b", *map(str, range(60))]
    writes = [journal.commits.make_write(partial(intend, journal, f"{name}'", run="r", run_key=name)) for name in names]
    journal.commits.carry_out(*writes)
    assert place.written() == sorted({"a"} | {f"{name}'" for name in names} - {"a'"})
    assert [record.message for record in caplog.records if record.name.startswith("psycopg")] == []


def test_an_intent_that_may_have_been_written_and_was_not_sent_is_taken_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost, and the server stayed away: told as not sent, it is not told as perhaps charged later."""
    emulator = Emulator(job_seconds=0)
    with MuAPI("sk-live", transport=emulator.transport(), journal=place.open(busy_timeout=0.3)) as mu:
        LosesAnswers(monkeypatch, b"INSERT INTO muapi_job")
        with monkeypatch.context() as away:
            opened = JournalServer._open

            def refuse(_: Any, __: float) -> Any:
                from psycopg import OperationalError

                raise OperationalError("connection refused")

            away.setattr(JournalServer, "_open", refuse)
            with pytest.raises(errors.JournalError, match="nothing was sent"):
                mu.submit(make_image(prompt="a fox"))
            assert opened is not refuse
        assert place.states() == ["intent"]
        assert mu.unknown() == []
        assert place.states() == []
    assert emulator.accepted == 0


def test_one_in_the_place_of_a_doubt_gives_it_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from psycopg import OperationalError

    emulator = Emulator(job_seconds=0)
    with MuAPI("sk-live", transport=emulator.transport(), journal=place.open(busy_timeout=0.3)) as mu:
        emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
        list(mu.map([make_image(prompt="a fox")], run="foxes"))
        intend = PostgresJournal.intend

        def intend_and_lose(*given: Any, **named: Any) -> Any:
            def refuse(*_: Any) -> Any:
                raise OperationalError("connection refused")

            LosesAnswers(monkeypatch, b"COMMIT")
            with monkeypatch.context() as away:
                away.setattr(JournalServer, "_open", refuse)
                try:
                    return intend(*given, **named)
                finally:
                    assert sorted(place.states()) == ["intent", "unknown"]

        monkeypatch.setattr(PostgresJournal, "intend", intend_and_lose)
        (outcome,) = mu.map([make_image(prompt="a fox")], run="foxes", retry_unknown=True)
        assert isinstance(outcome.error, errors.JournalError)
        assert [(entry.state, entry.run_key) for entry in mu.jobs()] == [("unknown", "0")]
    assert emulator.accepted == 1


def test_a_statement_that_is_still_under_way_is_ended_before_it_is_done_again(place: Place) -> None:
    """A session that nobody listens to any more may not write behind the back of what comes after it."""
    import psycopg

    journal: Any = place.open()
    intend(journal, "m")
    with psycopg.connect(place.location) as other:
        other.execute("SELECT 1 FROM muapi_job WHERE key = 'm' FOR UPDATE")
        session = journal._store._session
        session.is_busy = True
        session.connection.pgconn.send_query(b"DELETE FROM muapi_job WHERE key = 'm'")
        session.connection.pgconn.flush()
        journal._store.close()  # as after an interrupt
        assert [entry.key for entry in journal.entries()] == ["m"]  # on another connection
        other.rollback()
    assert place.written() == ["m"]
    assert place.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]


FROZEN = """
import sys
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from journal_writes import call_of
from places import open_journal
from muapi_client._state.journal import server_session
from muapi_client._state.journal.limits import Limit

journal, place = open_journal(sys.argv[1]), int(sys.argv[2])
account = journal.account("https://api.example", "sk-live")
known = dict(intended_at=datetime.now(UTC), set_aside_usd=Decimal("0.01"), limits=[Limit(Decimal(1))])

def begin(name):
    return journal.commits.make_write(partial(journal.intend, name, call_of(name), account, **known))

journal.commits.carry_out(begin("first"))
translated = server_session.translate
left = place

def translate(words):
    global left
    left -= 1
    if not left:
        journal._store._session.connection.pgconn.flush()
        print("frozen", flush=True)
        sys.stdin.read()
    return translated(words)

server_session.translate = translate
group = [begin(name) for name in "abcd"]
journal.commits.carry_out(*group)
print([write.answer() for write in group], flush=True)
"""


@pytest.mark.parametrize("at", [2, 3, 5])  # in the middle of a group, and before its commit
def test_a_machine_that_sleeps_in_the_middle_of_a_group_holds_up_nobody_for_long(
    place: Place, environment: dict[str, str], at: int
) -> None:
    command = [sys.executable, "-c", FROZEN, str(place.location), str(at)]
    asleep = subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert asleep.stdout is not None
    assert asleep.stdout.readline() == "frozen\n"
    journal = place.open()
    account, limits = journal.account("https://api.example", "sk-live"), [Limit(Decimal(1))]
    known: dict[str, Any] = {"intended_at": datetime.now(UTC), "set_aside_usd": Decimal("0.01"), "limits": limits}
    assert journal.intend("awake", call_of("m"), account, **known) is None
    told, _ = asleep.communicate("")  # it wakes, and does its own again
    assert told == "[None, None, None, None]\n"
    assert place.written() == ["a", "awake", "b", "c", "d", "first"]


def test_what_hangs_up_now_and_then_is_asked_again(place: Place) -> None:
    """As a pooler does that is begun anew: each time one is not let in, who asks whether it is there is answered."""
    address = urlsplit(place.location)
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_hang_up, args=(door, (address.hostname, address.port), {0, 2}), daemon=True).start()
        through = place.location.replace(f":{address.port}/", f":{door.getsockname()[1]}/")
        journal = PostgresJournal(through)
        intend(journal, "m")
        journal.close()
    assert place.written() == ["m"]


def _hang_up(door: socket.socket, server: tuple[Any, Any], on: set[int]) -> None:
    """Let clients through to a server, but for those at these places."""
    for number in count():
        try:
            client, _ = door.accept()
        except OSError:
            return
        if number in on:
            client.recv(1024)
            client.close()
            continue
        ends = client, socket.create_connection(server)
        for source, target in (ends, ends[::-1]):
            threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_what_is_away_at_first_is_waited_for(server: PostgresServer) -> None:
    server.kill()
    coming = threading.Timer(0.5, server.begin)
    coming.start()
    journal = PostgresJournal(server.url)
    coming.join()
    journal.intend("m", call_of("m"), None, intended_at=datetime.now(UTC))
    assert [entry.key for entry in journal.entries()] == ["m"]
    journal.close()


def test_a_server_that_answers_nobody_holds_up_no_other_thread_and_is_told_in_time(server: PostgresServer) -> None:
    gaps: list[float] = []
    is_over = threading.Event()

    def tick() -> None:
        last = time.monotonic()
        while not is_over.wait(0.02):
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    ticking = threading.Thread(target=tick)
    ticking.start()
    with server.frozen():
        began = time.monotonic()
        with pytest.raises(errors.JournalError, match=r"its server could not be had for 3 s"):
            PostgresJournal(server.url, busy_timeout=3.0)
        took = time.monotonic() - began
    is_over.set()
    ticking.join()
    assert max(gaps) < 1.5  # and not 3
    assert took < 5  # and not 6


def test_a_server_that_only_reads_is_waited_for_where_one_that_writes_is_asked_for(server: PostgresServer) -> None:
    """As another server is that has not taken over yet."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        taking_over = threading.Timer(0.5, db.execute, ["ALTER DATABASE postgres RESET default_transaction_read_only"])
        db.execute("SET default_transaction_read_only = off")
        taking_over.start()
        journal = PostgresJournal(f"{server.url}?target_session_attrs=read-write")
        taking_over.join()
    intend(journal, "m")
    journal.close()


def test_who_was_let_in_before_and_is_not_now_asks_again(server: PostgresServer) -> None:
    import psycopg

    journal: Any = PostgresJournal(server.url)
    intend(journal, "m")
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute("ALTER ROLE muapi NOLOGIN")
        other.execute(b"SELECT pg_terminate_backend(%s, 5000)", [journal._store._session.backend.pid])
        began = time.monotonic()
        with pytest.raises(errors.JournalError, match="not permitted to log in"):
            PostgresJournal(server.url)
        assert time.monotonic() - began < 5
        threading.Timer(0.3, other.execute, [b"ALTER ROLE muapi LOGIN"]).start()
        journal.accept("m", "r-m", COST)
    journal.close()
    assert server.ask("SELECT state FROM muapi_job") == [("accepted",)]
