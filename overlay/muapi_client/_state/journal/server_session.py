"""One session with a PostgreSQL server, every wait of which has an end, and the statements that are sent in it.

Lives here: connecting, carrying out one statement or those of a group, whether a session is at something still. Does
not live here: when it is thrown away and what is done again (``server``), the statements
(``server_statements``).
"""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import psycopg
from psycopg import pq, waiting
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from muapi_client._state.journal.server_statements import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping, Sequence

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


class Refused(psycopg.OperationalError):
    """The server answers and lets nobody in: a wrong password, no such database."""


class Silent(psycopg.OperationalError):
    """The server has the statement, and does not answer."""


class NotInGroup(psycopg.InternalError):
    """What has to be a transaction of its own."""


class Backend(NamedTuple):
    """A session, as the server knows it."""

    pid: int
    began: str


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

    Attributes:
        connection: It.
        backend: As the server knows it.
        is_busy: Whether a statement is under way, or was when an interrupt struck.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection, self.pid = connection, os.getpid()
        self.backend = Backend(0, "")
        self.is_busy = False
        self._in_use = _InUse(self)

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
        with self._in_use:
            return self.connection.execute(translate(statement), _without_nul(values))

    def carry_out_whole(self, work: Callable[[Db], T], /) -> T:
        """Carry out several statements in one transaction: that which is open, or its own.

        What goes wrong in the middle leaves it open: the session is thrown away then.
        """
        if self.is_in_transaction:
            return work(self)
        self.execute("BEGIN")
        outcome = work(self)
        self._end_transaction("COMMIT")
        return outcome

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
        try:
            with self._in_use, self.connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext():
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


def connect(address: DatabaseAddress, seconds: int) -> Connection:
    """Connect.

    Raises:
        Refused: The server answers and does not let this client in, or the address is none.
        psycopg.OperationalError: It cannot be reached, or is not ready.
    """
    try:
        given = conninfo_to_dict(address.reveal())
    except psycopg.ProgrammingError:
        raise Refused("no address of a database: it is like postgresql://user:password@host:5432/name") from None
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
