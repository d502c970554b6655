"""The form of a journal's file: its tables, and how an older form becomes it.

Lives here: SQL that makes tables. Does not live here: what columns hold (``values``), opening the file
(``file``), and what is written when (``base``).
"""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import datetime
from typing import Final

from muapi_client._state.journal.values import IN_FLIGHT, UNREADABLE, as_text, outputs_as_text
from muapi_client._state.secrets import Secrets
from muapi_client._types.outputs import read_outputs
from muapi_client._types.words import read_error

FORM: Final = 4  # of the file, in its user_version; a later form migrates this one and never drops it
APPLICATION: Final = 0x4D75_4150  # "MuAP": what makes a SQLite file this journal and no other

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
    4: (),
}
NEW_STATEMENTS: Final = {  # likewise
    2: (
        "CREATE UNIQUE INDEX job_run ON job (run, run_key) WHERE run IS NOT NULL",
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    3: ("CREATE INDEX job_digest ON job (digest) WHERE digest IS NOT NULL",),
    4: (
        """CREATE TABLE item (
    run     TEXT NOT NULL,
    run_key TEXT NOT NULL,  -- which item of the run another call's job has answered, which was not submitted
    key     TEXT NOT NULL,  -- of that job
    PRIMARY KEY (run, run_key)
) WITHOUT ROWID""",
    ),
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
