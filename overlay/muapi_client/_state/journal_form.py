"""The form of a journal's file: its tables, how an older form becomes it, how a job becomes a row and is read back.

Lives here: SQL that makes tables, and columns' contents. Does not live here: opening the file, transactions, and
what is written when (``journal``).
"""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from muapi_client._state.secrets import Secrets, without_hidden_headers
from muapi_client._types.cost import Cost
from muapi_client._types.entry import Entry
from muapi_client._types.outputs import read_outputs
from muapi_client._types.prediction import Output
from muapi_client._types.words import read_error, writable
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

FORM: Final = 3  # of the file, in its user_version; a later form migrates this one and never drops it
APPLICATION: Final = 0x4D75_4150  # "MuAP": what makes a SQLite file this journal and no other
IN_FLIGHT: Final = timedelta(hours=1)  # for which an intent may be under way: longer than a submit with its resends
ENDED: Final = ("completed", "failed", "cancelled")
STATES: Final = frozenset({"intent", "accepted", "unknown", *ENDED})
EPOCH: Final = datetime.fromtimestamp(0, UTC)  # stands for a time that cannot be read
UNREADABLE: Final = (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, RecursionError)

# What form 1 had, under its names: a program of that version that has the file open goes on writing into it.
SCHEMA: Final = (
    """CREATE TABLE job (
    key           TEXT PRIMARY KEY,  -- ours, made before the submit
    request_id    TEXT,              -- the server's, once accepted
    state         TEXT NOT NULL,     -- intent, accepted, completed, failed, cancelled or unknown
    slug          TEXT NOT NULL,
    call          TEXT,              -- Call.to_json(), without secrets; NULL where it holds local files
    intended_at   TEXT NOT NULL,     -- UTC, ISO 8601, as every time here
    changed_at    TEXT NOT NULL,
    cost          TEXT,              -- as JSON, the amount as decimal digits; NULL where the server reported none
    said          TEXT,              -- the last answer's body as JSON, without secrets
    owner         TEXT NOT NULL,     -- host:pid:start:token of the process that submits it or waits for it
    lease         TEXT,              -- until when the owner has it in hand, where nobody can ask whether it lives
    origin        TEXT,              -- the API's; NULL with the account: belongs to every account
    account       TEXT,              -- the API key's fingerprint, by this file's salt
    key_kind      TEXT,              -- live or sandbox, where that is known
    tag           TEXT,
    run           TEXT,
    run_key       TEXT,              -- one of a kind in its run
    set_aside_usd TEXT,              -- as decimal digits
    outputs       TEXT,              -- as JSON, a list of Output's fields
    files         TEXT,              -- as JSON, a list of absolute paths
    reason        TEXT,              -- why it failed, or why its outcome is unknown
    digest        TEXT               -- what the call asks, as a SHA-256; NULL where that cannot be told
)""",
    "CREATE INDEX job_request_id ON job (request_id)",
    "CREATE INDEX job_state ON job (state)",
)
NEW_COLUMNS: Final = {  # by the form that brought them
    2: (
        *("lease", "origin", "account", "key_kind", "tag", "run", "run_key", "set_aside_usd"),
        *("outputs", "files", "reason"),
    ),
    3: ("digest",),
}
NEW_STATEMENTS: Final = {  # likewise
    2: (
        "CREATE UNIQUE INDEX job_run ON job (run, run_key) WHERE run IS NOT NULL",
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    3: ("CREATE INDEX job_digest ON job (digest) WHERE digest IS NOT NULL",),
}


def claim(db: sqlite3.Connection) -> None:
    """Make sure that the file is a journal of this form: an empty one becomes one, an older one is migrated.

    Raises:
        sqlite3.DatabaseError: It is something else, or of a later form; then it is left as it is.
    """
    form = _form(db)
    _write_ahead(db)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")  # what is forgotten or hidden is gone from the file, too
    if form == FORM:
        return
    db.execute("BEGIN IMMEDIATE")  # a second process finds the work done
    try:
        form = _form(db)
        if form == 0:
            for statement in SCHEMA:
                db.execute(statement)
        if form < FORM:
            _complete(db, form)
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _write_ahead(db: sqlite3.Connection) -> None:
    """Have changes written to a log first, and wait for another process that is about it as well; SQLite does not."""
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            db.execute("BEGIN IMMEDIATE")  # which waits, and tells when it has waited too long
            db.rollback()
        else:
            return


def _form(db: sqlite3.Connection) -> int:
    """The form of the file; 0 of an empty one."""
    if not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return 0
    # Asked for after the tables, which another process may be making: all are there at once, with these numbers.
    application, form = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if application != APPLICATION:
        raise sqlite3.DatabaseError("it is a SQLite file of something else")
    if form > FORM:
        raise sqlite3.DatabaseError(
            f"it is of form {form}, which a later version of muapi-client wrote; this one knows {FORM} at most: upgrade"
        )
    return int(form)


def _complete(db: sqlite3.Connection, form: int) -> None:
    """Add what later forms have beyond this one; in an empty file the table of jobs has its columns already."""
    for later in range(max(form, 1) + 1, FORM + 1):
        for name in NEW_COLUMNS[later] if form else ():
            db.execute(f"ALTER TABLE job ADD COLUMN {name} TEXT")
        for statement in NEW_STATEMENTS[later]:
            db.execute(statement)
        if later == 2:  # noqa: PLR2004 - the form that tells accounts apart
            db.execute("INSERT INTO meta (name, value) VALUES ('salt', ?)", (os.urandom(16).hex(),))
    if form == 1:
        secrets = Secrets()
        for (row_id,) in db.execute("SELECT rowid FROM job ORDER BY intended_at").fetchall():
            _migrate(db, row_id, secrets)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {FORM}")


def _migrate(db: sqlite3.Connection, row_id: int, secrets: Secrets) -> None:
    """Bring one row of form 1 to form 2; what of it cannot be read stays as it is."""
    row = db.execute("SELECT state, call, said, intended_at FROM job WHERE rowid = ?", (row_id,)).fetchone()
    changes: dict[str, str | None] = {}
    try:
        if row["call"] is not None:
            changes["call"] = secrets.clean_json(row["call"])
        if row["state"] == "intent":
            changes["lease"] = as_text(datetime.fromisoformat(row["intended_at"]) + IN_FLIGHT)
        elif row["state"] == "unknown":  # form 1 had no other place for it
            changes |= {"said": None, "reason": secrets.clean_text(row["said"] or "") or None}
        elif row["said"] is not None:
            answer = secrets.clean_json(row["said"])
            body = json.loads(answer)
            changes["said"] = answer
            changes["outputs"] = outputs_as_text(read_outputs(body), secrets)
            changes["reason"] = read_error(body)
    except UNREADABLE:
        pass  # its entry will say what cannot be read
    for name, value in changes.items():
        db.execute(f"UPDATE job SET {name} = ? WHERE rowid = ?", (value, row_id))  # noqa: S608 - our own names


def as_text(moment: datetime) -> str:
    """A time as the file has it; a naive one is local, as everywhere in Python."""
    return moment.astimezone(UTC).isoformat()


def call_as_text(call: Call[Any], secrets: Secrets) -> str | None:
    """The call as JSON without secrets, or None where local files leave it no JSON form."""
    try:
        return writable(secrets.clean_json(without_hidden_headers(call).to_json()))
    except (TypeError, ValueError, RecursionError):
        return None


def cost_as_text(cost: Cost | None) -> str | None:
    """A cost as JSON."""
    return json.dumps(cost.to_token()) if cost else None


def body_as_text(body: Any, secrets: Secrets) -> str | None:
    """An answer's body as JSON without secrets; None where it is nested too deeply to be written."""
    try:
        return None if body is None else secrets.clean_json(ENCODER.encode(body))
    except RecursionError:
        return None


def outputs_as_text(outputs: Iterable[Output], secrets: Secrets) -> str:
    """Outputs as JSON without secrets."""
    fields = [
        {name: value for name in OUTPUT_FIELDS if (value := getattr(output, name)) is not None} for output in outputs
    ]
    try:
        return secrets.clean_json(ENCODER.encode(fields))
    except RecursionError:  # of an output's data
        return "[]"


ENCODER: Final = json.JSONEncoder(default=str)
OUTPUT_FIELDS: Final = ("url", "text", "data", "media_type")


def read_text(content: bytes) -> str | bytes:
    """Return what the file holds as text; a damaged one stays bytes, so that it alone cannot be read."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def read_entry(row: sqlite3.Row) -> Entry:
    """Read a row; what is damaged, or newer than this version, is left out and named in the reason."""
    troubles: list[str] = []

    def read(name: str, reader: Callable[[Any], Any], default: T) -> T | Any:
        value = row[name]
        if value is None:
            return default
        try:
            return reader(value)
        except UNREADABLE as error:
            troubles.append(f"{name} cannot be read: {error}")
            return default

    intended_at = read("intended_at", read_moment, EPOCH)
    values: dict[str, Any] = {
        "key": read("key", _word, ""),
        "request_id": read("request_id", _word, None),
        "state": read("state", _word, ""),
        "slug": read("slug", _word, ""),
        "call": read("call", Call.from_json, None),
        "intended_at": intended_at,
        "changed_at": read("changed_at", read_moment, intended_at),
        "cost": read("cost", lambda text: Cost.from_token(json.loads(text)), None),
        "set_aside_usd": read("set_aside_usd", Decimal, None),
        "outputs": read("outputs", _outputs, ()),
        "files": read("files", _files, ()),
        "tag": read("tag", _word, None),
        "run": read("run", _word, None),
        "run_key": read("run_key", _word, None),
        "origin": read("origin", _word, None),
        "key_kind": read("key_kind", _word, None),
        "owner": read("owner", _word, ""),
    }
    if values["state"] not in STATES:
        troubles.append(f"this version knows no state {values['state']!r}")
    reason = read("reason", _word, None)
    return Entry(reason="; ".join([*([reason] if reason else []), *troubles]) or None, **values)


def read_body(row: sqlite3.Row) -> bytes:
    """Read a row's last answer, as JSON; empty where there was none, or it was forgotten or damaged."""
    return row["said"].encode("utf-8", "replace") if isinstance(row["said"], str) else b""


def read_duration(row: sqlite3.Row) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Read a row's model, inputs, and seconds from the intent to the last change; nothing of a damaged one."""
    try:
        seconds = (read_moment(row["changed_at"]) - read_moment(row["intended_at"])).total_seconds()
        yield _word(row["slug"]), json.loads(row["inputs"]), seconds
    except UNREADABLE:
        pass


def _word(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"it is {type(value).__name__}, not text")
    return value


def read_moment(text: str) -> datetime:
    """A time of the file.

    Raises:
        ValueError, TypeError: It is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _outputs(text: str) -> tuple[Output, ...]:
    return tuple(Output(*(item.get(name) for name in OUTPUT_FIELDS)) for item in json.loads(text))


def _files(text: str) -> tuple[Path, ...]:
    return tuple(Path(path) for path in json.loads(text))
