"""One process's connection to a journal's file, and which file that is.

Lives here: the path, making the file, opening and closing it, noticing that it was deleted or replaced. Does not live
here: its tables (``file_form``), what is written and read (``base``).
"""

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

from muapi_client._runtime import processes
from muapi_client._runtime.forks import hold_across_forks
from muapi_client._runtime.locks import ForkLock
from muapi_client._state.journal.budget import begin_budget, has_budgets
from muapi_client._state.journal.file_form import claim
from muapi_client._state.journal.limits import Limit
from muapi_client._state.journal.store import Db, Rows
from muapi_client._state.journal.values import as_text
from muapi_client._types.entry import Account
from muapi_client._types.words import show
from muapi_client.errors import JournalError

T = TypeVar("T")


class JournalFile:
    """One process's connection to a journal's file, and which file that is; a :class:`~.store.Store`."""

    kind = "file"
    errors: tuple[type[Exception], ...] = (sqlite3.Error, OSError, OverflowError, UnicodeError)

    def __init__(self, path: str) -> None:
        self.lock = ForkLock()
        self.name = self._path = self._real_path = path  # the last, as it is open, without links
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self.is_lasting = self._syncs = True
        self._patience = -1  # milliseconds a statement waits for other processes
        self._holds = 0  # by forks that are under way
        self._file: tuple[int, int] | None = None  # device and inode
        self._log: tuple[int, int] | None = None  # the same of the write-ahead log, which holds the newest entries
        hold_across_forks(self)

    def run(self, work: Callable[[Db], T], ends: float) -> T:
        """Work on the file."""
        try:
            return work(_Statements(self._opened(ends - monotonic())))
        finally:
            self._close_for_fork()

    def carry_out(self, works: Sequence[Callable[[], bool]], ends: float) -> Collection[int]:
        """Carry out works in one transaction, all or none; answers the places of those that went wrong."""
        db = self._opened(ends - monotonic())
        db.execute("BEGIN IMMEDIATE")
        wrong: list[int] = []
        for place, work in enumerate(works):
            if not work():
                wrong.append(place)
                if not db.in_transaction:  # SQLite has ended it, as on a full disk: what follows would be on its own
                    break
        db.execute("ROLLBACK" if wrong else "COMMIT")
        self._close_for_fork()
        return wrong

    def check_place(self) -> None:
        """Make sure that the open file is still the one at its path.

        Raises:
            OSError: It was deleted or replaced; what is written now would be lost.
        """
        if _identity(self._path) != self._file or _identity(f"{self._real_path}-wal") != self._log:
            raise OSError("the file, or its -wal beside it, was deleted or replaced while it was open: open it anew")

    def owner(self) -> str:
        """This process."""
        return processes.owner()

    def clock_offset(self) -> float:
        """None: this machine's clock is the one."""
        return 0.0

    def is_taken(self, error: BaseException | None) -> bool:
        """Whether an error says that there is such an entry already."""
        return isinstance(error, sqlite3.IntegrityError)

    def may_pass(self, error: BaseException | None) -> bool:  # noqa: ARG002 - a file has none of that kind
        """Whether what went wrong within a group may go well alone."""
        return False

    def explain(self, error: Exception, busy_seconds: float) -> str:
        """What went wrong."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return f"it stayed locked by another program for {busy_seconds:g} s, and was not changed ({error})"
        return str(error)

    def take_back(self, key: str, withdraw: Callable[[Db], None]) -> None:
        """Nothing: a write into a file that went wrong is none."""

    def erase(self, db: Db) -> None:
        """Empty the write-ahead log: what was forgotten could still be read in it, beside the file."""
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def has_budgets(self, db: Db) -> bool:
        """Whether the file keeps sums at all."""
        return has_budgets(db)

    def begin_budget(self, db: Db, limit: Limit, account: Account) -> None:
        """Keep the sum of a limit from now on."""
        begin_budget(db, limit, account)

    def roll_back(self) -> None:
        """End the transaction that this process has open, if it has one: nothing of it is written."""
        connection = self._connection
        if connection is not None and self._pid == os.getpid() and connection.in_transaction:
            connection.rollback()

    def close(self) -> None:
        """Close the connection, where this process has one."""
        connection, self._connection = self._connection, None
        if connection is not None and self._pid == os.getpid():
            connection.close()

    def hold(self) -> None:
        """Close the connection and keep it closed until :meth:`release_mine`, for a fork.

        What a signal handler of this thread writes meanwhile has a connection for as long as it writes.

        SQLite connections must not be carried across one: a child that inherits one believes it holds the parent's
        locks, and the parent's close then takes the child's writes away.
        """
        self.lock.acquire()
        self._holds += 1
        self.close()

    def release_mine(self) -> None:
        """Let it be opened again, after a fork, where the calling thread holds it."""
        if self.lock.is_mine():
            self._holds = max(0, self._holds - 1)
        self.lock.release_mine()

    def _close_for_fork(self) -> None:
        if self._holds and self._connection is not None and not self._connection.in_transaction:
            self.close()

    def _opened(self, patience: float) -> sqlite3.Connection:
        """The connection, which waits for another process for ``patience`` seconds at most."""
        milliseconds = max(0, -int(-patience * 100 // 1) * 10)  # in hundredths of a second: seldom another than before
        if self._connection is None or self._pid != os.getpid():
            self._open(milliseconds)
        elif milliseconds != self._patience:
            self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
        self._patience = milliseconds
        assert self._connection is not None
        if self._syncs != self.is_lasting:  # NORMAL: the log is synced with the next write that has to last
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if self.is_lasting else 'NORMAL'}")
            self._syncs = self.is_lasting
        return self._connection

    def _open(self, milliseconds: int) -> None:
        self._real_path = os.path.realpath(self._path)  # as SQLite does: its log stands beside it
        if self._file is None:
            _create(self._real_path)
        elif _identity(self._path) != self._file:
            raise OSError("the file was deleted or replaced since it was opened first: open it anew")
        db = sqlite3.connect(
            self._path, timeout=milliseconds / 1000, check_same_thread=False, isolation_level=None, cached_statements=64
        )
        try:
            db.row_factory = sqlite3.Row
            db.text_factory = read_text
            claim(db)
            db.execute("SELECT 1 FROM meta").fetchall()  # by now the write-ahead log is there
            self._file, self._log = _identity(self._path), _identity(f"{self._real_path}-wal")
            self._connection, self._pid, self._syncs = db, os.getpid(), True
        except BaseException:
            db.close()
            raise


class _Statements:
    """The connection, with times by this machine's clock."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Mapping[str, Any] = {}, /) -> Rows:
        """Carry out one statement."""
        now = datetime.now(UTC)
        bound = {
            name: as_text(now + value) if isinstance(value, timedelta) else value for name, value in values.items()
        }
        return self._connection.execute(statement, bound)

    def carry_out_whole(self, work: Callable[[Db], T], /) -> T:
        """Carry out several statements in one transaction: a group's, where one is under way, or its own."""
        db = self._connection
        if db.in_transaction:
            return work(self)
        while True:
            db.execute("BEGIN IMMEDIATE")
            try:
                outcome = work(self)
                if db.in_transaction:
                    db.execute("COMMIT")
                    return outcome
                # A signal handler's write has ended it: it is done again, which leaves the same.
            except BaseException:
                if db.in_transaction:
                    db.rollback()
                raise


def _create(path: str) -> None:
    """Make an empty file for its owner only, where there is none; SQLite gives those beside it the same mode.

    It is not opened where that can be done without: closing it would take the locks of another connection of this
    process that has opened it meanwhile.
    """
    try:
        if hasattr(os, "mknod"):
            return os.mknod(path, 0o600)
    except FileExistsError:
        return None
    except OSError:  # not for everybody, or not on this file system
        pass
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return None


def _identity(path: str) -> tuple[int, int] | None:
    """Which file stands at a path, or None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - twice before every submit
    except OSError:
        return None
    return found.st_dev, found.st_ino


def read_text(content: bytes) -> str | bytes:
    """Return what the file holds as text; a damaged one stays bytes, so that it alone cannot be read."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def fix_path(path: str | os.PathLike[str]) -> str:
    """Return the path as it is now: a program may change its directory, and SQLite would look it up anew.

    Raises:
        JournalError: It names no file.
    """
    try:
        text = os.fsdecode(path)
    except TypeError as error:
        raise JournalError(f"a journal's path is text or a Path, not {show(path)}") from error
    if not text or "\0" in text:
        raise JournalError(f"{text!r} is no path for a journal: give the name of a file")
    if text == ":memory:" or text.startswith("file:"):
        raise JournalError(
            f"{text!r} is no path for a journal: it outlives the program, so it is a file; give its name"
            + (f", ./{text} should it really begin so" if text.startswith("file:") else "")
        )
    try:
        return os.path.abspath(text)  # noqa: PTH100 - resolves no links, which may be there to be changed
    except OSError as error:
        raise JournalError(f"journal {text}: the current directory is gone: {error}") from error
