"""A file that knows of every paid job: written before a submit leaves, and after each answer.

A job is in the file before it can be charged, so a crash at any instruction loses none: what was intended and never
answered is found again as "may have been charged". Lives here: the file. Does not live here: when it is written
(``_jobs``), what to do about what it says (the user).

SQLite in WAL mode with ``synchronous=FULL``: a returned write survives the machine's crash, and several processes may
share the file. API keys and webhook addresses never enter it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from attrs import evolve, frozen

from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.processes import hold_across_forks, may_live, owner
from muapi_client._types.cost import Cost
from muapi_client._types.status import JobState
from muapi_client.errors import JournalError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client._types.prediction import Prediction

FORM: Final = 1  # of the file, in its user_version; a later form migrates this one and never drops it
APPLICATION: Final = 0x4D75_4150  # "MuAP": what makes a SQLite file this journal and no other
BUSY_SECONDS: Final = 10.0  # how long a write waits for another process's
IN_FLIGHT: Final = timedelta(hours=1)  # longer than any submit with its resends takes
SECRETS: Final = frozenset({"webhook", "webhook_url"})  # fields whose URL may hold a token

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS job (
    key          TEXT PRIMARY KEY,  -- ours, made before the submit
    request_id   TEXT,              -- the server's, once accepted
    state        TEXT NOT NULL,     -- intent, accepted, completed, failed, cancelled or unknown
    slug         TEXT NOT NULL,
    call         TEXT,              -- Call.to_json(), without secrets; NULL where it holds local files
    intended_at  TEXT NOT NULL,     -- UTC, ISO 8601
    changed_at   TEXT NOT NULL,
    cost         TEXT,              -- as JSON, the amount as decimal digits; NULL where the server told none
    said         TEXT,              -- the last answer's body as JSON, or why the outcome is unknown
    owner        TEXT NOT NULL      -- host:pid:token of the process that submits
);
CREATE INDEX IF NOT EXISTS job_request_id ON job (request_id);
CREATE INDEX IF NOT EXISTS job_state ON job (state);
"""


@frozen
class Entry:
    """What the journal knows of one job.

    Attributes:
        key: The journal's own key.
        request_id: The server's id, or None where no answer told one.
        state: ``intent``, ``accepted``, ``completed``, ``failed``, ``cancelled`` or ``unknown``.
        slug: The model.
        call: What was submitted, or None where it held local files.
        intended_at: When the submit was about to leave, in UTC.
        cost: What the server said it cost, or None.
        said: The last answer's body, or why the outcome is unknown.
        owner: ``host:pid:token`` of the process that submitted it.
    """

    key: str
    request_id: str | None
    state: str
    slug: str
    call: Call[Any] | None
    intended_at: datetime
    cost: Cost | None
    said: str | None
    owner: str


class Journal:
    """The journal of a client: ``MuAPI(journal="jobs.db")``. One object may serve many threads.

    Raises:
        JournalError: The file cannot be opened, is no journal, or is of a later version's form.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = ForkLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        with self._database():
            pass
        hold_across_forks(self)

    def __repr__(self) -> str:
        return f"Journal({str(self._path)!r})"

    def intend(self, call: Call[Any]) -> str:
        """Write down that a call is about to be submitted; answers the key for what follows."""
        key, now = uuid4().hex, _now()
        row = (key, "intent", call.operation.slug, _writable(call), now, now, owner())
        with self._database() as db:
            db.execute(
                "INSERT INTO job (key, state, slug, call, intended_at, changed_at, owner) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return key

    def forget(self, key: str) -> None:
        """Take back an intent that provably came to nothing: never sent, or refused."""
        with self._database() as db:
            db.execute("DELETE FROM job WHERE key = ?", (key,))

    def lose(self, key: str, why: str) -> None:
        """Write down that a submit's outcome is unknown."""
        self._change("key", key, state="unknown", said=why)

    def accept(self, key: str, request_id: str | None, cost: Cost | None) -> None:
        """Write down that a job was accepted."""
        self._change("key", key, state="accepted", cost=cost, request_id=request_id)

    def finish(self, said: Prediction, *, key: str | None = None) -> None:
        """Write down how a job ended and what it cost in the end; a job that is not in the file stays out of it.

        Args:
            said: The answer that tells the end.
            key: The entry, where the submit itself was answered so; by default that of the answer's id.
        """
        body = json.dumps(said.raw, default=str)
        column, value = ("key", key) if key else ("request_id", said.id)
        self._change(column, value, state=ENDED[said.state], cost=said.cost, said=body, request_id=said.id)

    def settle(self, key: str, request_id: str | None) -> None:
        """Write down what a user found out of an unknown outcome: its id, or None where it was never accepted."""
        if request_id is None:
            self.forget(key)
        else:
            self._change("key", key, state="accepted", request_id=request_id)

    def ids(self) -> frozenset[str]:
        """The request ids of every job in the file."""
        with self._database() as db:
            rows = db.execute("SELECT request_id FROM job WHERE request_id IS NOT NULL").fetchall()
        return frozenset(row["request_id"] for row in rows)

    def unfinished(self) -> list[Entry]:
        """The jobs that were accepted and whose end was not seen, oldest first."""
        return self._entries("state = 'accepted' AND request_id IS NOT NULL")

    def unknown(self) -> list[Entry]:
        """The submits that may have been charged and have no id, oldest first.

        A fresh intent of a process that is alive is left out: its answer may be on its way.
        """
        return [entry for entry in self._entries("state IN ('unknown', 'intent')") if not _in_flight(entry)]

    def _change(
        self,
        column: str,
        value: str | None,
        *,
        state: str,
        cost: Cost | None = None,
        said: str | None = None,
        request_id: str | None = None,
    ) -> None:
        known = json.dumps(cost.to_token()) if cost else None
        with self._database() as db:
            db.execute(
                "UPDATE job SET state = ?, changed_at = ?, said = ?, request_id = COALESCE(?, request_id),"  # noqa: S608
                " cost = COALESCE(?, cost)"
                f" WHERE {column} = ?",
                (state, _now(), said, request_id, known, value),
            )

    def _entries(self, condition: str) -> list[Entry]:
        with self._database() as db:
            rows = db.execute(f"SELECT * FROM job WHERE {condition} ORDER BY intended_at, key").fetchall()  # noqa: S608
        return [_entry(row) for row in rows]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The open file of this process, one transaction at a time.

        Raises:
            JournalError: It cannot be opened, read or written.
        """
        try:
            with self._lock:
                if self._connection is None or self._pid != os.getpid():
                    self._connection, self._pid = _open(self._path), os.getpid()
                with self._connection:
                    yield self._connection
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"journal {self._path}: {error}") from error

    def hold(self) -> None:
        """Close the file and keep it closed until :meth:`release`, for a fork.

        SQLite connections must not be carried across one: a child that inherits one believes it holds the parent's
        locks, and the parent's close then takes the child's writes away.
        """
        self._lock.__enter__()
        self._let_go()

    def release(self) -> None:
        """Let the file be used again, after a fork."""
        self._lock.__exit__()

    def close(self) -> None:
        """Close the file; once is enough, twice does no harm, and later use opens it again."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None


ENDED: Final = {JobState.DONE: "completed", JobState.FAILED: "failed", JobState.CANCELLED: "cancelled"}


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    db.row_factory = sqlite3.Row
    try:
        _claim(db)
    except BaseException:
        db.close()
        raise
    return db


def _claim(db: sqlite3.Connection) -> None:
    """Make sure that the file is a journal of a form we know; an empty one becomes one."""
    application, form = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    empty = not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if application != APPLICATION and not empty:
        raise sqlite3.DatabaseError("it is a SQLite file of something else")
    if form > FORM:
        raise sqlite3.DatabaseError(f"form {form} of a later version of muapi-client; this one knows {FORM}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if empty:
        marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORM};"
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {marks} COMMIT;")


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        key=row["key"],
        request_id=row["request_id"],
        state=row["state"],
        slug=row["slug"],
        call=Call.from_json(row["call"]) if row["call"] else None,
        intended_at=datetime.fromisoformat(row["intended_at"]),
        cost=Cost.from_token(json.loads(row["cost"])) if row["cost"] else None,
        said=row["said"],
        owner=row["owner"],
    )


def _writable(call: Call[Any]) -> str | None:
    """The call as JSON without what may hold a token, or None where local files leave it no JSON form."""
    if call.files:
        return None
    body = None if call.body is None else {name: value for name, value in call.body.items() if name not in SECRETS}
    query = {name: value for name, value in call.query.items() if name not in SECRETS}
    try:
        return evolve(call, body=body, query=query).to_json()
    except (TypeError, ValueError):
        return None


def _in_flight(entry: Entry) -> bool:
    """Whether an intent's answer may still come."""
    if entry.state != "intent" or datetime.now(UTC) - entry.intended_at > IN_FLIGHT:
        return False
    return may_live(entry.owner)


def _now() -> str:
    return datetime.now(UTC).isoformat()
