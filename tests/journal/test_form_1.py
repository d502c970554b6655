"""A journal of form 1 is taken up as it is: nothing that it knew is lost.

``form-1.db`` beside this file was written by the last version of form 1, with::

    import itertools, socket
    from decimal import Decimal
    from muapi_client import Call, Cost, Journal, Output, Prediction, _journal, raw_call
    minutes = itertools.count()
    socket.gethostname = lambda: "elsewhere"
    _journal._now = lambda: f"2025-01-01T00:{next(minutes):02}:00+00:00"
    HOOK = "https://hooks.example/t0k3n"
    COST = Cost(Decimal("0.0042"), 1)
    BACK = Cost(Decimal("0.0300"), 4, 1, refunded=True)
    journal = Journal("tests/journal/form-1.db")
    def intend(name, **body):
        return journal.intend(raw_call(name, {"prompt": name, **body}))
    def prediction(name, status, **body):
        raw = {"id": name, "status": status, **body}
        outputs = tuple(Output(url=url, media_type="image/png") for url in body.get("outputs", ()))
        return Prediction(name, status, outputs, body.pop("money", None), body.get("error"), raw=raw)
    intend("intent")
    journal.accept(intend("accepted"), "r-accepted", COST)
    journal.accept(intend("accepted-without-cost"), "r-costless", None)
    journal.accept(intend("completed", options={"webhook_url": HOOK}), "r-completed", COST)
    echo = {"prompt": "completed", "webhook_url": HOOK}
    journal.finish(prediction("r-completed", "completed", outputs=["https://cdn.example/a.png"], input=echo))
    journal.accept(intend("failed"), "r-failed", BACK)
    journal.finish(prediction("r-failed", "failed", error="moderated"))
    journal.accept(intend("cancelled"), "r-cancelled", None)
    journal.finish(prediction("r-cancelled", "canceled"))
    journal.lose(intend("unknown"), f"unknown: HTTP 502, told by {HOOK}")
    call = raw_call("files", {})
    journal.accept(journal.intend(Call(call.operation, files={"file": b"x"})), "r-files", COST)
    raw = {"status": "completed", "outputs": ["a word"]}
    journal.finish(Prediction(None, "completed", (Output(text="a word"),), None, raw=raw), key=intend("nameless"))
    journal.close()
"""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Cost, Entry, Journal, Output, errors, raw_call
from muapi_client._state.journal import file_form as form_module

if TYPE_CHECKING:
    from collections.abc import Callable

FORM_1 = Path(__file__).with_name("form-1.db")
COST = Cost(Decimal("0.0042"), 1)
SECRET = b"t0k3n"


@pytest.fixture(autouse=True)
def old_file(path: Path) -> None:
    """A journal of form 1 in the place of the test's."""
    shutil.copy(FORM_1, path)
    path.chmod(0o640)


def test_everything_that_form_1_knew_is_there(journal: Journal) -> None:
    entries = {entry.slug: entry for entry in journal.entries()}

    assert {slug: (entry.state, entry.request_id) for slug, entry in entries.items()} == {
        "intent": ("intent", None),
        "accepted": ("accepted", "r-accepted"),
        "accepted-without-cost": ("accepted", "r-costless"),
        "completed": ("completed", "r-completed"),
        "failed": ("failed", "r-failed"),
        "cancelled": ("cancelled", "r-cancelled"),
        "unknown": ("unknown", None),
        "files": ("accepted", "r-files"),
        "nameless": ("completed", None),
    }
    assert [entry.cost for entry in entries.values()][1:5] == [
        *(COST, None, COST),
        Cost(Decimal("0.0300"), 4, 1, refunded=True),
    ]
    assert entries["intent"].call == raw_call("intent", {"prompt": "intent"})
    assert entries["files"].call is None
    assert entries["intent"].intended_at == datetime(2025, 1, 1, tzinfo=UTC)
    assert entries["accepted"].changed_at == datetime(2025, 1, 1, 0, 2, tzinfo=UTC)
    assert entries["failed"].reason == "moderated"
    assert entries["unknown"].reason is not None
    assert "HTTP 502" in entries["unknown"].reason
    assert [entry.slug for entry in entries.values() if entry.reason] == ["failed", "unknown"]


def test_what_a_job_made_is_read_out_of_its_answer(journal: Journal) -> None:
    made = {entry.slug: entry.outputs for entry in journal.entries() if entry.outputs}
    assert made == {
        "completed": (Output(url="https://cdn.example/a.png", media_type="image/png"),),
        "nameless": (Output(text="a word"),),
    }


def test_what_was_open_is_told_whatever_the_account(journal: Journal) -> None:
    account = journal.account("https://api.muapi.ai", "sk-0123456789abcdef")
    assert [entry.request_id for entry in journal.unfinished(account)] == ["r-accepted", "r-costless", "r-files"]
    assert [entry.slug for entry in journal.unknown(account)] == ["intent", "unknown"]
    assert "r-completed" in journal.ids(account)


def test_the_webhooks_that_form_1_let_in_are_gone_from_the_file(journal: Journal, path: Path) -> None:
    assert SECRET in FORM_1.read_bytes()
    journal.close()
    assert [file.name for file in path.parent.iterdir() if SECRET in file.read_bytes()] == []


def test_the_file_keeps_its_mode_and_is_migrated_once(journal: Journal, path: Path) -> None:
    before = journal.entries()
    journal.close()
    with closing(Journal(path)) as again:
        assert again.entries() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_migration_that_is_cut_short_changes_nothing(
    path: Path, open_journal: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate = form_module._migrate

    def cut(db: sqlite3.Connection, row_id: int, secrets: Any) -> None:
        migrate(db, row_id, secrets)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(form_module, "_migrate", cut)
        with pytest.raises(KeyboardInterrupt):
            open_journal()
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(FORM_1)) as old:
        assert list(db.iterdump()) == list(old.iterdump())
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert len(open_journal().entries()) == 9


def test_several_processes_may_open_it_at_once(path: Path, journal: Journal) -> None:
    journal.close()
    shutil.copy(FORM_1, path)
    program = (
        "import sys; sys.stdin.readline(); from muapi_client import Journal;"
        "journal = Journal(sys.argv[1]); print(len(journal.entries())); journal.close()"
    )
    command = [sys.executable, "-c", f"import muapi_client._state.journal.base; {program}", str(path)]
    together = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in together:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in together] == [("9\n", "")] * 4


def test_a_program_of_form_1_that_has_it_open_goes_on(path: Path, open_journal: Callable[[], Journal]) -> None:
    insert = (
        "INSERT INTO job (key, state, slug, call, intended_at, changed_at, owner)"
        " VALUES ('k', 'intent', 'm', NULL, '{0}', '{0}', 'elsewhere:1:token')"
    )
    with closing(sqlite3.connect(path)) as old:
        old.execute("SELECT count(*) FROM job").fetchall()
        journal = open_journal()
        old.execute(insert.format("9999-01-01T00:00:00+00:00"))
        old.commit()
        assert "k" not in [entry.key for entry in journal.unknown()]  # its answer may be on its way
        old.execute("UPDATE job SET state = 'accepted', request_id = 'r' WHERE key = 'k'")
        old.commit()
    assert [entry.request_id for entry in journal.unfinished() if entry.key == "k"] == ["r"]


def test_a_row_that_cannot_be_read_does_not_stop_the_others(path: Path, open_journal: Callable[[], Journal]) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE job SET said = '{', call = 'no' WHERE request_id = 'r-completed'")
        db.commit()
    entries = open_journal().entries()
    (broken,) = [entry for entry in entries if entry.request_id == "r-completed"]
    assert (len(entries), broken.state, broken.cost, broken.call) == (9, "completed", COST, None)
    assert isinstance(broken, Entry)
    assert "call cannot be read" in (broken.reason or "")


def test_a_later_form_is_refused_with_a_sentence(path: Path, open_journal: Callable[[], Journal]) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 5")
    before = path.read_bytes()
    with pytest.raises(errors.JournalError, match="form 5, which a later version of muapi-client wrote"):
        open_journal()
    assert path.read_bytes() == before
