"""One session with a PostgreSQL server, every wait of which has an end, and the statements that are sent in it.

Lives here: connecting, what is set for a session, carrying out one statement or those of a group, whether a session is
at something still. Does not live here: when it is thrown away and what is done again (``server``), the statements
(``server_statements``).

Where a pooler stands between, each transaction may be given to another session of the server's, which other programs
have before and after: so nothing is set but for a transaction then, each statement is in one, and none is prepared.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager, suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import psycopg
from psycopg import pq, waiting
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from muapi_client._state.journal.server_statements import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence

    from muapi_client._settings.database import DatabaseAddress
    from muapi_client._state.journal.store import Db, Rows

T = TypeVar("T")

LOOKED_UP: Final = 0.1  # seconds after which a wait for the server looks whether its time is over
GRACE: Final = 5.0  # seconds that one statement may take, however little is left of the busy time-out
DEFAULTS: Final = {  # what an address may say otherwise
    "application_name": "muapi-client",
    "keepalives_idle": "15",  # seconds; a machine that is gone is noticed within half a minute
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
NOT_YET: Final = (  # what is said of a connection that may be had later, where there is no code
    "too many",
    "connection slots",
    "read-only",  # by target_session_attrs: no server has taken over yet from one that died
    "standby",
    "closed the connection",  # a pooler that is begun anew, say: nobody was refused
    "onnection reset",
)
LOCKED: Final = "55P03"  # a lock was not to be had
BEGIN_SHARED: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"  # whatever is set for the session that it gets
SEARCH_PATH: Final = re.compile(r"(?:^|\s)(?:-c\s*|--)search_path=((?:\\.|[^\s\\])*)")  # in an address's options
SETTINGS: Final = {  # by their values in SQL
    "statement_timeout": ":longest",
    "lock_timeout": ":patience",
    "idle_in_transaction_session_timeout": ":idle",
    "search_path": "COALESCE(CAST(:path AS text), current_setting('search_path'))",
    "client_min_messages": "'warning'",
    "default_transaction_isolation": "'read committed'",
    "standard_conforming_strings": "'on'",
    "synchronous_commit": "COALESCE(NULLIF(current_setting('synchronous_commit'), 'off'), 'on')",
}
FOR_TRANSACTION: Final = "pg_backend_pid() <> :known"  # where the session is not the one that this client was told of
SET_UP: Final = f"""SELECT pg_backend_pid() AS pid, current_setting('server_encoding') AS encoding,
    (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS began,
    extract(epoch FROM transaction_timestamp())::text AS transaction,
    {", ".join(f"set_config('{name}', {value}, {FOR_TRANSACTION})" for name, value in SETTINGS.items())}"""  # noqa: S608


class Refused(psycopg.OperationalError):
    """The server answers and lets nobody in: a wrong password, no such database."""


class Silent(psycopg.OperationalError):
    """The server has the statement, and does not answer."""


class NotInGroup(psycopg.InternalError):
    """What has to be a transaction of its own."""


class Backend(NamedTuple):
    """A session, as the server knows it.

    Attributes:
        pid: Its process.
        began: When it began.
        transaction: When the transaction began that is this client's; None where the whole session is.
    """

    pid: int
    began: str
    transaction: str | None = None


class Connection(psycopg.Connection[DictRow]):
    """A connection whose waits have an end.

    Attributes:
        ends: When, by ``monotonic()``.
    """

    ends = inf

    def wait(self, gen: Generator[Any, Any, T], *_: Any, **__: Any) -> T:
        """Wait for an answer. An interrupt passes at once: the connection is thrown away then."""
        try:
            return waiting.wait(_bounded(gen, self), self.pgconn.socket, interval=LOOKED_UP)
        except psycopg.Error:
            raise
        except BaseException:
            self.ends = 0.0  # nor is anything waited for that is tidied up
            with suppress(psycopg.Error, RuntimeError):  # of a generator that is closed in the middle
                gen.close()
            raise


def _bounded(gen: Generator[Any, Any, T], connection: Connection) -> Generator[Any, Any, T]:
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() > connection.ends:
                raise Silent("it does not answer; what takes it longer needs a larger busy_timeout")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


class Statement:
    """A statement of a group, on its way; it stands for what it will have come to.

    Attributes:
        place: Which of the group's works it is of.
        is_counted: Whether that work has taken for granted that it changes something.
    """

    def __init__(self, place: int, words: str, values: Mapping[str, Any]) -> None:
        self.place, self.words, self.values = place, words, values
        self.is_counted = False

    @property
    def rowcount(self) -> int:
        """How many rows it is expected to change."""
        self.is_counted = True
        return 1

    def fetchone(self) -> Any:
        """Nothing can be read before it is carried out."""
        raise NotInGroup("what reads is done alone")

    fetchall = fetchone


class Batch:
    """The statements of a group, gathered.

    Attributes:
        place: Which of the group's works is being gathered.
        statements: Those so far.
    """

    def __init__(self) -> None:
        self.place = 0
        self.statements: list[Statement] = []

    def execute(self, statement: str, values: Mapping[str, Any] = {}, /) -> Statement:
        """Gather a statement."""
        self.statements.append(Statement(self.place, statement, values))
        return self.statements[-1]

    def carry_out_whole(self, work: Callable[[Db], T], /) -> T:
        """Gather several, which are carried out together as it is."""
        return work(self)


class Session:
    """A connection in the hands of this process.

    Args:
        connection: It.
        longest: Milliseconds a statement may take.
        idle: Milliseconds a transaction may stand still.
        path: The ``search_path`` that the address asks for, which a pooler may not have told the server; or None.

    Attributes:
        connection: It.
        backend: As the server knows it; of a shared one, in the latest transaction.
        encoding: The database's.
        is_shared: Whether it is a pooler's, which may give each transaction another one.
        is_busy: Whether a statement is under way, or was when an interrupt struck.
    """

    def __init__(self, connection: Connection, *, longest: int, idle: int, path: str | None) -> None:
        self.connection, self.pid = connection, os.getpid()
        self.backend, self.encoding = Backend(0, ""), ""
        self.is_shared = self.is_busy = False
        self._in_use = _InUse(self)
        self._settings: dict[str, Any] = {
            "longest": str(longest),
            "idle": str(idle),
            "patience": "0",
            "path": path,
            "known": connection.info.backend_pid,
        }

    def set_up(self) -> None:
        """Set what holds for this session, or see that it has to be set for each transaction; learn what it is."""
        found = self.execute(SET_UP, self._settings).fetchone()
        self.encoding = found["encoding"]
        self.is_shared = found["pid"] != self._settings["known"]
        if self.is_shared:
            self.connection.prepare_threshold = None  # what is prepared in one is not there, or another's, in the next
            self._settings["known"] = 0
        self.backend = Backend(found["pid"], found["began"] or "", found["transaction"] if self.is_shared else None)

    def set_patience(self, milliseconds: int) -> None:
        """Have a statement wait for locks for so long."""
        self._settings["patience"] = str(milliseconds)
        if not self.is_shared:
            self.execute("SELECT set_config('lock_timeout', :patience, false)", {"patience": str(milliseconds)})

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open, be it one that can only be rolled back."""
        return self.connection.pgconn.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

    @property
    def is_usable(self) -> bool:
        """Whether the next statement may be sent."""
        return self.pid == os.getpid() and not self.is_busy and not self.connection.closed

    def execute(self, statement: str, values: Mapping[str, Any] = {}, /) -> Rows:
        """Carry out one statement."""
        if self.is_shared and not self.is_in_transaction:
            return self._execute_whole(statement, values)
        with self._in_use:
            return self.connection.execute(translate(statement), _without_nul(values))

    def _execute_whole(self, statement: str, values: Mapping[str, Any]) -> Rows:
        """Carry out one statement in a transaction of its own."""
        try:
            return self.carry_out_whole(lambda db: db.execute(statement, values))
        except psycopg.Error:
            if self.is_usable and self.is_in_transaction:  # a statement by itself would leave none open either
                with suppress(psycopg.Error):  # the session is thrown away then
                    self.execute("ROLLBACK")
            raise

    def carry_out_whole(self, work: Callable[[Db], T], /) -> T:
        """Carry out several statements in one transaction: that which is open, or its own.

        What goes wrong in the middle leaves it open: the session is thrown away then.
        """
        if self.is_in_transaction:
            return work(self)
        self._begin()
        outcome = work(self)
        self._end_transaction("COMMIT")
        return outcome

    def _begin(self) -> None:
        """Begin a transaction; in a shared session with what holds for it."""
        if not self.is_shared:
            self.execute("BEGIN")
            return
        with self._in_use, _pipelined(self.connection):
            self.connection.execute(BEGIN_SHARED)
            cursor = self.connection.execute(translate(SET_UP), self._settings)
        found: Any = cursor.fetchone()
        self.backend = Backend(found["pid"], found["began"] or "", found["transaction"])

    def _end_transaction(self, word: str) -> None:
        ended: Any = self.execute(word)
        if ended.statusmessage != word:
            raise psycopg.OperationalError("the server has rolled it back")

    def run_script(self, script: str) -> None:
        """Carry out several statements that take no values."""
        with self._in_use:
            self.connection.execute(script.encode())

    def carry_out_all(self, statements: Sequence[Statement]) -> Collection[int]:
        """Carry out the statements of a group in one transaction; answers the places of works that went wrong."""
        cursors: list[psycopg.Cursor[DictRow]] = []
        if self.is_shared:
            self._begin()
        try:
            with self._in_use, _pipelined(self.connection):
                if not self.is_shared:
                    self.connection.execute(b"BEGIN")
                for each in statements:
                    cursor = self.connection.execute(translate(each.words), _without_nul(each.values))
                    cursors.append(cursor)  # one by one: some are left where one goes wrong
        except psycopg.Error as error:
            done = sum(1 for cursor in cursors if cursor.statusmessage)
            if not self.is_usable or done >= len(statements) or error.sqlstate == LOCKED:
                raise
            wrong = {statements[done].place}
        else:
            pairs = zip(statements, cursors, strict=True)
            wrong = {each.place for each, cursor in pairs if each.is_counted and cursor.rowcount < 1}
            self._end_transaction("ROLLBACK" if wrong else "COMMIT")
            return wrong
        self.execute("ROLLBACK")
        self.connection.close()  # what psycopg takes for prepared, the server may not have, for it skipped the rest
        return wrong


@contextmanager
def _pipelined(connection: Connection) -> Iterator[None]:
    """Have statements sent together, where libpq can.

    psycopg's own pipeline, told of an error inside, logs the one with which it then ends; and it raises that one in
    place of an interrupt that strikes while it ends. So it is not told, and what is right is raised behind it.
    """
    if not psycopg.Pipeline.is_supported():
        yield
        return
    handled, caught = sys.exception(), None
    try:
        try:
            with connection.pipeline():
                try:
                    yield
                except BaseException as error:  # noqa: BLE001 - raised below
                    caught = error
        except psycopg.Error as error:
            context = error.__context__
            is_interrupted = context not in (None, handled) and not isinstance(context, Exception)
            caught = caught or (context if is_interrupted else error)
        if caught is not None:
            raise caught
    finally:
        del handled, caught  # whose tracebacks hold this frame


class _InUse:
    """While a session is used; it is busy until the server has answered, whatever strikes meanwhile."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        session = self._session
        session.connection.ends = max(session.connection.ends, monotonic() + GRACE)
        session.is_busy = True

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        session = self._session
        if error is None or isinstance(error, psycopg.Error):
            status = session.connection.pgconn.transaction_status
            session.is_busy = status in (pq.TransactionStatus.ACTIVE, pq.TransactionStatus.UNKNOWN)


def _without_nul(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without a character that no text of PostgreSQL's can hold."""
    return {name: value.replace("\0", "\ufffd") if isinstance(value, str) else value for name, value in values.items()}


def find_search_path(address: DatabaseAddress) -> str | None:
    """The ``search_path`` that the options of an address ask for, or None."""
    options = conninfo_to_dict(address.reveal()).get("options") or os.environ.get("PGOPTIONS", "")
    found = SEARCH_PATH.findall(str(options))
    return re.sub(r"\\(.)", r"\1", found[-1]) if found else None


def connect(address: DatabaseAddress, seconds: int) -> Connection:
    """Connect.

    Raises:
        Refused: The server answers and does not let this client in, or the address is none.
        psycopg.OperationalError: It cannot be reached, or is not ready.
    """
    try:
        given = conninfo_to_dict(address.reveal())
    except psycopg.ProgrammingError:
        raise Refused(
            "no address of a database, or with a parameter that libpq does not know: it is like"
            " postgresql://user:password@host:5432/name?sslmode=verify-full"
        ) from None
    words: dict[str, Any] = {**DEFAULTS, "connect_timeout": seconds, **given, "client_encoding": "utf8"}
    conninfo = make_conninfo(**words)
    question = make_conninfo(**{**words, "connect_timeout": 2}).encode()  # seconds: no other thread runs meanwhile
    for is_last in (False, True):
        try:
            return Connection.connect(conninfo, autocommit=True, row_factory=dict_row)
        except psycopg.errors.ConnectionTimeout:
            raise
        except psycopg.OperationalError as error:
            told = str(error)
            if any(each in told for each in NOT_YET):
                raise
            if pq.PGconn.ping(question) not in (pq.Ping.OK, pq.Ping.NO_ATTEMPT):
                raise
            if is_last:  # and not only begun to answer meanwhile
                raise Refused(told) from error
    raise AssertionError
