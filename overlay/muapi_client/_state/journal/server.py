"""One process's connection to the PostgreSQL database of a journal.

Whatever goes wrong with a connection, it is thrown away, and what it was about is done again on a new one, for as long
as the busy time-out lasts: every write that is done twice leaves the same. What became of a statement whose answer did
not come nobody knows; so the server is asked to end that session first, and what is done next comes after it for sure.

Lives here: opening, throwing away and trying again, the server's clock, forks. Does not live here: a session and what
is sent in it (``server_session``), the tables (``server_form``), what is written and read
(``base``).

Imported with the first journal of this kind, for it needs psycopg.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from datetime import timedelta
from math import ceil, inf
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg

from muapi_client._runtime import processes
from muapi_client._runtime.clock import since_boot
from muapi_client._runtime.forks import hold_across_forks
from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import clear_locals, raise_if_from_signal_handler
from muapi_client._state.journal.budget import prune
from muapi_client._state.journal.limits import as_row
from muapi_client._state.journal.server_form import BEGIN_BUDGET, OLDEST, claim
from muapi_client._state.journal.server_session import (
    GRACE,
    LOCKED,
    Backend,
    Batch,
    NotInGroup,
    Refused,
    Session,
    Silent,
    connect,
    find_search_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from muapi_client._settings.database import DatabaseAddress
    from muapi_client._state.journal.limits import Limit
    from muapi_client._state.journal.store import Db
    from muapi_client._types.entry import Account

T = TypeVar("T")

SHORTEST: Final = 0.05  # seconds for which it waits for a lock then: what a vacuum holds for a moment is no refusal
IDLE: Final = 4.0  # seconds a transaction may stand still with a machine that sleeps: others wait for longer than that
PAUSES: Final = (0.02, 0.5)  # seconds before it is tried again: the first time, and at most
CLOCK_KEPT: Final = 60.0  # seconds after which the server's clock is read anew
SAME_CLOCK: Final = 1.0  # seconds; clocks that differ by less are taken for one
ENDING: Final = timedelta(seconds=5)  # how long the server is given to end a session
ENDING_SESSIONS: Final = frozenset({"FATAL", "PANIC"})  # which say nothing of the statement: it is done again
PASSING: Final = frozenset(  # conditions that end by themselves, or with the session: what they struck is done again
    {
        "40001",  # serialization failure
        "40P01",  # deadlock
        "25006",  # read-only: a standby, until it takes over, or another server does
        "26000",  # a statement that was prepared on a session that a pooler has given to somebody else, or emptied
        "42P05",  # or one of the same name
    }
)
NEXT_STEPS: Final = {  # of conditions that last until somebody ends them
    "42501": "its role lacks a right: log in as the one that made the tables; to make them a role needs CREATE in the"
    " first schema of its search_path",
    "3F000": "make the first schema of its search_path (CREATE SCHEMA), or name one: ?options=-csearch_path%3Dmuapi",
    "53100": "its server's disk is full: make room there",
    "25006": "it can only be read there: name the server that takes writes, as host=a,b&target_session_attrs=read-write"
    " does, or have whoever put it to read-only put it back",
}
TAKEN_TOO_LONG: Final = frozenset({LOCKED, "57014", "40P01"})  # a lock, a statement, two that waited for each other


class JournalServer:
    """One process's connection to the database of a journal; a :class:`~.store.Store`."""

    kind = "database"
    errors: tuple[type[Exception], ...] = (psycopg.Error, OSError, OverflowError, UnicodeError)

    def __init__(self, address: DatabaseAddress, busy_seconds: float) -> None:
        self.lock = ForkLock()
        self.name = address.name
        self._address, self._busy_seconds = address, busy_seconds
        self._session: Session | None = None
        self._batch: Batch | None = None  # what a group writes, while it is gathered
        self._salt: str | None = None  # of the journal that was opened first
        self._lost: list[Backend] = []  # sessions that may still be at a statement
        self._unsent: dict[str, Callable[[Db], None]] = {}  # withdraw intents, by key, that may have been written
        self._inherited: list[Session] = []  # a parent's, which must not be closed here
        self.is_lasting = True  # whatever it is set to: servers crash where the machine of a program does not
        self._patience = 0  # milliseconds a statement waits for a lock
        self._clock_read, self._clock = -inf, 0.0  # when, by since_boot(); what it read, in seconds since 1970
        self._is_clock_due = True  # of a server that may be another one than before
        hold_across_forks(self)

    def run(self, work: Callable[[Db], T], ends: float) -> T:
        """Work on it; again, on another connection, where it was lost or what went wrong is over soon."""
        if self._batch is not None:
            return work(self._batch)
        pause, longest = PAUSES
        while True:
            try:
                return work(self._opened(ends))
            except psycopg.Error as error:
                raise_if_from_signal_handler(error)
                is_locked = error.sqlstate == LOCKED
                if not (is_locked or self.may_pass(error)) or monotonic() + pause > ends:
                    raise
            self.close()
            if is_locked:
                self._end_stuck(ends)
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def carry_out(self, works: Sequence[Callable[[], bool]], ends: float) -> Collection[int]:
        """Carry out works in one transaction, all or none; answers the places of those that went wrong.

        What they write is gathered first, and sent together, for most of the time of a statement is its way there and
        back. Each is told meanwhile what it expects: that there is the entry that it changes, and room for what it
        sets aside. Where that turns out to be wrong, nothing is written, and the work is told so when it is done alone.
        """
        session = self._opened(ends)
        batch = self._batch = Batch()
        for place, work in enumerate(works):
            batch.place = place
            if not work():
                self._batch = None
                return (place,)
        if self._batch is not batch:
            raise Silent("a signal handler has written in the middle of it")
        self._batch = None
        try:
            return session.carry_out_all(batch.statements)
        except psycopg.Error as error:
            if error.sqlstate == LOCKED:
                self._end_stuck(ends)
            raise

    def roll_back(self) -> None:
        """Throw away a connection that an interrupt has left in the middle of something."""
        self._batch = None
        session = self._session
        if session is not None and (not session.is_usable or session.is_in_transaction):
            self.close()

    def close(self) -> None:
        """Close the connection, where this process has one."""
        session = self._session
        if session is None:
            return
        if session.pid != os.getpid():  # a fork that no hook was told of: the server would end the parent's session
            self._inherited.append(session)
            self._session = None
            with suppress(OSError):
                os.close(session.connection.pgconn.socket)
            return
        if session.connection.closed or session.is_busy or session.is_in_transaction:
            self._lost.append(session.backend)
        self._session = None
        session.connection.close()

    def hold(self) -> None:
        """Close the connection and keep it closed until :meth:`release_mine`, for a fork: no two may share one."""
        self.lock.acquire()
        self.close()

    def release_mine(self) -> None:
        """Let it be opened again, after a fork, where the calling thread holds it."""
        self.lock.release_mine()

    def check_place(self) -> None:
        """Nothing: that it is the same journal is made sure of with each connection."""

    def owner(self) -> str:
        """This process, by a name that no other machine's can have."""
        return processes.fleet_owner()

    def clock_offset(self) -> float:
        """By how many seconds the server's clock is ahead of this machine's."""
        if self._clock_read == -inf:
            return 0.0
        offset = self._clock + (since_boot() - self._clock_read) - time.time()
        return offset if abs(offset) > SAME_CLOCK else 0.0

    def is_taken(self, error: BaseException | None) -> bool:
        """Whether an error says that there is such an entry already."""
        return isinstance(error, psycopg.errors.UniqueViolation)

    def may_pass(self, error: BaseException | None) -> bool:
        """Whether what went wrong may go well at another time, alone, or on another connection."""
        if not isinstance(error, psycopg.Error) or isinstance(error, Refused):
            return False
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None
        is_over = (error.diag.severity_nonlocalized or error.diag.severity) in ENDING_SESSIONS
        return lost or is_over or error.sqlstate in PASSING or isinstance(error, NotInGroup)

    def explain(self, error: Exception, busy_seconds: float) -> str:
        """What went wrong, without the password."""
        told = self._address.hide(_words_of(error))
        if not isinstance(error, psycopg.Error):
            return told
        if error.sqlstate in TAKEN_TOO_LONG:
            return f"it stayed locked by others for {busy_seconds:g} s, and was not changed ({told})"
        if error.sqlstate in NEXT_STEPS:
            return f"{told}: {NEXT_STEPS[error.sqlstate]}"
        if self.may_pass(error):
            return f"its server could not be had for {busy_seconds:g} s ({told})"
        return told

    def erase(self, db: Db) -> None:
        """Nothing: when the room of what was changed is used anew is the server's to decide."""

    def has_budgets(self, db: Db) -> bool:  # noqa: ARG002 - every journal of this kind has their table
        """Yes: they are made with the others."""
        return True

    def begin_budget(self, db: Db, limit: Limit, account: Account) -> None:
        """Keep the sum of a limit from now on: nobody writes meanwhile, so that no job is counted twice or missed."""
        row = as_row(limit, account)
        if db.execute("SELECT 1 FROM budget WHERE muapi_hash(scope) = muapi_hash(:scope)", row).fetchone():
            return

        def begin(db: Db) -> None:
            db.execute("LOCK TABLE muapi_job IN SHARE ROW EXCLUSIVE MODE")
            db.execute(BEGIN_BUDGET, row)
            prune(db, limit)

        db.carry_out_whole(begin)

    def take_back(self, key: str, withdraw: Callable[[Db], None]) -> None:
        """Withdraw an intent as soon as the server can be had: it may have been written, and nothing was sent."""
        self._unsent[key] = withdraw

    def _opened(self, ends: float) -> Session:
        """The connection, which waits for others until ``ends``, by ``monotonic()``."""
        session = self._session
        if session is not None and (not session.is_usable or session.is_in_transaction):
            self.close()
            session = None
        if session is None:
            session = self._open(ends)
        session.connection.ends = ends
        self._set_patience(session, ends)
        if self._is_clock_due or since_boot() - self._clock_read > CLOCK_KEPT:
            self._read_clock(session)
        return session

    def _set_patience(self, session: Session, ends: float) -> None:
        """Have a statement wait for locks for half of the busy time-out, and then for as long as is left."""
        milliseconds = ceil(1000 * max(SHORTEST, min(ends - monotonic(), self._busy_seconds / 2)))
        if milliseconds != self._patience:
            session.set_patience(milliseconds)
            self._patience = milliseconds

    def _read_clock(self, session: Session) -> None:
        before = since_boot()
        row = session.execute("SELECT extract(epoch FROM clock_timestamp())::float8 AS now").fetchone()
        self._clock_read, self._clock = (before + since_boot()) / 2, row["now"]
        self._is_clock_due = False

    def _open(self, ends: float) -> Session:
        handled = sys.exception()
        try:
            connection = connect(self._address, max(2, ceil(ends - monotonic())))
        except BaseException as error:
            clear_locals(error, handled)  # some hold the password
            if isinstance(error, Refused) and self._salt is not None:  # who was let in before may be so again:
                raise psycopg.OperationalError(str(error)) from None  # in whatever language its server is full, say
            raise
        longest, idle = ceil(1000 * (self._busy_seconds + GRACE)), ceil(1000 * IDLE)
        session = Session(connection, longest=longest, idle=idle, path=find_search_path(self._address))
        try:
            connection.ends = ends
            self._prepare(session)
            self._salt = claim(session, session.run_script, self._salt)
            for backend in tuple(self._lost):
                self._end(backend, session)
            for key, withdraw in tuple(self._unsent.items()):
                session.carry_out_whole(withdraw)
                self._unsent.pop(key, None)
        except BaseException:
            connection.close()
            raise
        self._session = session
        return session

    def _prepare(self, session: Session) -> None:
        """Set what holds for this session, and learn how the server knows it."""
        if session.connection.info.server_version < OLDEST * 10_000:
            raise Refused(f"it is of PostgreSQL {session.connection.info.server_version // 10_000}; {OLDEST} is needed")
        session.set_up()
        if session.encoding != "UTF8":
            raise Refused(f"its encoding is {session.encoding}, which cannot hold every text: make one with UTF8")
        self._patience, self._is_clock_due = 0, True

    def _end_stuck(self, ends: float) -> None:
        """Have the server end sessions that hold what others wait for, and whose process, or machine, has stopped.

        A server that waits for the rest of a group ends no session by itself. Whoever wakes does its own again.
        """
        with suppress(psycopg.Error):  # it takes a right that may be missing; all else the next statement says itself
            self.close()
            self._opened(ends).execute(END_STUCK, {"still": timedelta(seconds=IDLE)})

    def _end(self, backend: Backend, session: Session) -> None:
        """Have the server end a session whose last statement may still be under way, and wait until it has."""
        values = {**backend._asdict(), "patience": ENDING}
        if session.execute(IS_THERE, values).fetchone():  # asked first: to end one takes a right that may be missing
            found = session.execute(END, values).fetchone()
            if found is not None and not found["ended"]:
                raise Silent(f"an earlier session of this process, {backend.pid}, does not end")
        self._lost.remove(backend)


IS_THERE: Final = """SELECT 1 FROM pg_stat_activity
    WHERE pid = :pid AND extract(epoch FROM backend_start)::text = :began AND pid <> pg_backend_pid()
    AND (CAST(:transaction AS text) IS NULL OR extract(epoch FROM xact_start)::text = :transaction)"""
END: Final = IS_THERE.replace(
    "SELECT 1", "SELECT pg_terminate_backend(pid, extract(epoch FROM CAST(:patience AS interval))::int * 1000) AS ended"
)

END_STUCK: Final = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND application_name = current_setting('application_name')
    AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - CAST(:still AS interval)
    AND pid <> pg_backend_pid()
    AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'muapi_job'::regclass AND granted)"""


def _words_of(error: Exception) -> str:
    """What an error says: of the server's words the first line, for the others repeat values."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or " ".join(str(error).split()) or type(error).__name__
