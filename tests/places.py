"""Where a test keeps a journal: a file, and a database where a server is named. One test body runs on both.

A test that asks for ``place`` runs once for each kind; one that asks for ``path``, too, is about the file alone.
``MUAPI_TEST_POSTGRES`` names a server's database (``nox -s fleet`` starts one), where each test has its own schema.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import uuid4

from muapi_client import Journal, PostgresJournal
from muapi_client._state.journal import file as journal_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from muapi_client._state.journal.base import BaseJournal

SERVER: Final = os.environ.get("MUAPI_TEST_POSTGRES", "")
KINDS: Final = ("sqlite", "postgres") if SERVER else ("sqlite",)
TABLE: Final = re.compile(r"\b(FROM|INTO|UPDATE|TABLE) (job|item|meta|budget)\b")
BOOKS: Final = "SELECT key, state, request_id, files, call, run_key FROM job ORDER BY key"


def open_journal(location: str | Path, **options: Any) -> BaseJournal:
    """Open what a program was told by its command line."""
    kind: Any = PostgresJournal if str(location).startswith("postgresql://") else Journal
    journal: BaseJournal = kind(location, **options)
    return journal


class Place:
    """Where a journal is, or will be.

    Attributes:
        location: What a client is given as ``journal=``.
    """

    location: Any
    lines_apart = 1  # at which a sweep over a write's lines strikes

    def __init__(self) -> None:
        self._opened: list[BaseJournal] = []

    def open(self, **options: Any) -> BaseJournal:
        """Open the journal once more, as another client would; it is closed at the end of the test."""
        self._opened.append(open_journal(self.location, **options))
        return self._opened[-1]

    def change(self, statement: str, *values: Any) -> None:
        """Change it behind the journal's back, in SQLite's words."""
        raise NotImplementedError

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Read it behind the journal's back, in SQLite's words."""
        raise NotImplementedError

    def lock(self) -> Any:
        """What keeps everybody from writing, until it is closed."""
        raise NotImplementedError

    def before_each_statement(self, look: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
        """Have something called before each statement that a journal sends, as a kill may strike there."""
        raise NotImplementedError

    def anew(self) -> Place:
        """Another one, empty."""
        raise NotImplementedError

    def emptied(self) -> Place:
        """The same, without a job, or another one; whichever is sooner."""
        raise NotImplementedError

    def remove(self) -> None:
        """Leave nothing of it."""
        for journal in self._opened:
            journal.close()

    def written(self) -> list[str]:
        """The keys of what is written in it."""
        return [key for (key,) in self.ask("SELECT key FROM job ORDER BY key")]

    def states(self) -> list[str]:
        """The states of its jobs, oldest first."""
        return [state for (state,) in self.ask("SELECT state FROM job ORDER BY intended_at")]

    def books(self) -> list[tuple[Any, ...]]:
        """What is known of its jobs."""
        return self.ask(BOOKS)


class File(Place):
    """A file."""

    def __init__(self, folder: Path, name: str = "", numbers: Iterator[int] | None = None) -> None:
        super().__init__()
        self._folder, self._numbers = folder, numbers or count(1)
        self.location = folder / name / "jobs.db"

    def change(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.location)) as db:
            db.execute(statement, values)
            db.commit()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.location)) as db:
            return db.execute(query).fetchall()

    def lock(self) -> Any:
        other = sqlite3.connect(self.location, isolation_level=None, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        return closing(other)

    def before_each_statement(self, look: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
        _call_before(journal_file._Statements, look, monkeypatch)

    def anew(self) -> Place:
        name = str(next(self._numbers))
        (self._folder / name).mkdir()
        return File(self._folder, name, self._numbers)

    def emptied(self) -> Place:
        return self.anew()


class Database(Place):
    """A schema of the server's database.

    A sweep takes a line of seven, for each takes a connection; ``MUAPI_EVERY_LINE`` has it take them all.
    """

    lines_apart = 1 if os.environ.get("MUAPI_EVERY_LINE") else 7

    def __init__(self) -> None:
        super().__init__()
        import psycopg

        self._schema = f"t_{uuid4().hex[:16]}"
        self.location = f"{SERVER}?options={quote(f'-csearch_path={self._schema}')}"
        self._others: list[Place] = []
        self._db = psycopg.connect(self.location, autocommit=True)
        self._db.execute(f"CREATE SCHEMA {self._schema}".encode())

    def change(self, statement: str, *values: Any) -> None:
        self._db.execute(_translated(statement), values or None)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._db.execute(_translated(query)).fetchall()

    def lock(self) -> Any:
        import psycopg

        other = psycopg.connect(self.location)
        other.execute("SET lock_timeout = '20s'")
        other.execute("LOCK TABLE muapi_job IN ACCESS EXCLUSIVE MODE")
        return closing(other)

    def before_each_statement(self, look: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
        from muapi_client._state.journal.server_session import Connection

        _call_before(Connection, look, monkeypatch)

    def anew(self) -> Place:
        self._others.append(Database())
        return self._others[-1]

    def emptied(self) -> Place:
        self.open().close()
        self.change("DELETE FROM job")
        return self

    def remove(self) -> None:
        super().remove()
        for other in self._others:
            other.remove()
        self._db.execute("SET client_min_messages = 'warning'")
        self._db.execute(f"DROP SCHEMA {self._schema} CASCADE".encode())
        self._db.close()


def _call_before(sending: Any, look: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    execute = sending.execute

    def look_and_execute(*given: Any, **named: Any) -> Any:
        look()
        return execute(*given, **named)

    monkeypatch.setattr(sending, "execute", look_and_execute)


def _translated(statement: str) -> bytes:
    return TABLE.sub(r"\1 muapi_\2", statement).replace("?", "%s").encode()


def make_place(kind: str, folder: Path) -> Place:
    """A place of a kind."""
    return Database() if kind == "postgres" else File(folder)
