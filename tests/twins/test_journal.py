"""The journal as a user meets it: what it knows after each fate of a submit, and what it refuses to be."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CLIP
from places import File

from muapi_client import Journal, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Place

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/a.png"], "cost": COST}
FAILED = {"id": "abc", "status": "failed", "error": "no", "cost": {**COST, "refunded": True}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal's file; a test that asks for it is about files alone."""
    return tmp_path / "jobs.db"


def test_a_job_is_in_the_file_before_its_post_arrives(twin: Any, place: Place) -> None:
    seen: list[list[str]] = []

    def accept(_: httpx.Request) -> Any:
        seen.append(place.states())
        return ACCEPTED

    mu = twin(accept, journal=place.location)
    job = mu.submit(twin.call)
    assert seen == [["intent"]]
    assert place.states() == ["accepted"]
    (resumed,) = mu.resume()
    assert (resumed.id, resumed.call, resumed.cost) == (job.id, twin.call, job.cost)
    assert mu.unknown() == []


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (DONE, "completed"),
        (FAILED, "failed"),
        ((400, {"detail": FAILED}), "failed"),
        ({**FAILED, "status": "canceled"}, "cancelled"),
    ],
    ids=["completed", "failed", "failed 400", "cancelled"],
)
def test_a_job_s_end_is_written_down_whoever_saw_it(twin: Any, place: Place, end: Any, state: str) -> None:
    mu = twin(ACCEPTED, RUNNING, end, journal=place.location)
    with suppress(errors.JobError):
        mu.run(twin.call)
    assert place.states() == [state]
    assert list(mu.resume()) == []

    other = twin(ACCEPTED, end, journal=place.location)
    job = other.submit(twin.call)
    other.look(job)
    assert place.states() == [state, state]


def test_a_job_answered_at_once_is_finished_in_the_file(twin: Any, place: Place) -> None:
    twin(DONE, journal=place.location).run(twin.call)
    twin({"status": "completed", "outputs": ["a word"]}, journal=place.location).run(twin.call)
    assert place.states() == ["completed", "completed"]


@pytest.mark.parametrize(
    "refusal", [(422, {"detail": []}), (402, {}), (429, {}), ("unsent", httpx.ConnectError("refused"))], ids=str
)
def test_what_provably_came_to_nothing_is_forgotten(twin: Any, place: Place, refusal: Any) -> None:
    mu = twin(refusal, journal=place.location)
    with pytest.raises(errors.MuAPIError):
        mu.submit(twin.call)
    assert place.states() == []


@pytest.mark.parametrize("fate", [(502, "<html>"), httpx.ReadTimeout("late"), {"ok": True}], ids=str)
def test_an_unknown_outcome_is_kept_and_told(twin: Any, place: Place, fate: Any) -> None:
    mu = twin(fate, journal=place.location)
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        mu.submit(twin.call)
    (entry,) = mu.unknown()
    assert (entry.state, entry.call, entry.request_id) == ("unknown", twin.call, None)
    assert "unknown" in entry.reason
    assert list(mu.resume()) == []


def test_an_interrupt_during_the_submit_leaves_a_truthful_file(twin: Any, place: Place) -> None:
    mu = twin(KeyboardInterrupt(), journal=place.location)
    with pytest.raises(KeyboardInterrupt):
        mu.submit(twin.call)
    (entry,) = mu.unknown()
    assert "KeyboardInterrupt" in entry.reason


def test_what_is_refused_here_is_never_written_down(twin: Any, place: Place) -> None:
    with pytest.raises(errors.ValidationError):
        twin(ACCEPTED, journal=place.location).submit(raw_call("m", {"prompt": object()}))
    assert place.states() == []


def test_no_secret_is_written_down(twin: Any, place: Place) -> None:
    call = raw_call("m", {"prompt": "x", "webhook_url": "https://hooks.example/t0k3n"})
    twin(ACCEPTED, DONE, journal=place.location, webhook="https://hooks.example/0ther").run(call)
    content = str(place.ask("SELECT * FROM job"))
    assert "prompt" in content
    for secret in (twin.key, "t0k3n", "0ther"):
        assert secret not in content


def test_no_secret_is_written_down_however_deep_or_whoever_repeats_it(twin: Any, place: Place) -> None:
    inner, outer = "https://hooks.example/t0k3n", "https://hooks.example/0ther"
    echo = {**DONE, "input": {"prompt": "x", "webhook_url": inner}, "log": [f"will call {outer}", {"url": inner}]}
    mu = twin(ACCEPTED, echo, journal=place.location, webhook=outer)
    mu.run(raw_call("m", {"prompt": "x", "options": [{"webhook_url": inner}]}))
    content = str(place.ask("SELECT * FROM job"))
    for secret in (twin.key, "t0k3n", "0ther"):
        assert secret not in content


def test_a_finished_job_stays_readable_with_what_it_made(twin: Any, place: Place) -> None:
    done = twin(ACCEPTED, DONE, journal=place.location).run(twin.call)
    (entry,) = place.open().entries()
    assert (entry.call, entry.cost, entry.outputs) == (twin.call, done.cost, done.outputs)


def test_the_file_stays_the_same_wherever_the_program_goes(
    twin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    mu = twin(ACCEPTED, journal="jobs.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    child = os.fork()  # which closes the file and opens it again
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    mu.submit(twin.call)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert File(tmp_path).states() == ["accepted"]


@pytest.mark.parametrize("journal", [":memory:", "", "file:jobs.db?mode=memory"])
def test_a_journal_that_would_forget_is_refused(twin: Any, journal: str) -> None:
    with pytest.raises(errors.JournalError, match="path"):
        twin(ACCEPTED, journal=journal)


def test_a_file_that_is_gone_is_missed_before_anything_is_sent(twin: Any, path: Path) -> None:
    mu = twin(ACCEPTED, journal=path)
    mu.submit(twin.call)
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(errors.JournalError, match=r"deleted or replaced.*nothing was sent$"):
        mu.submit(twin.call)
    assert mu.server.posts == 1


def corrupt(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + os.urandom(4096))


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE precious (x)")


def later_form(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [corrupt, other_database, later_form, a_folder])
def test_a_file_that_is_no_journal_is_refused_at_the_start_and_left_alone(
    twin: Any, path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(errors.JournalError, match=r"jobs\.db"):
        twin(ACCEPTED, journal=path)
    assert before is None or path.read_bytes() == before


def test_without_its_journal_nothing_is_sent(twin: Any, path: Path) -> None:
    mu = twin(ACCEPTED, journal=Journal(path, busy_timeout=0.01))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(errors.JournalError, match="nothing was sent"):
            mu.submit(twin.call)
        other.execute("ROLLBACK")
    assert mu.server.requests == []
    mu.submit(twin.call)


def test_a_full_disk_is_told_before_anything_is_sent(twin: Any, path: Path) -> None:
    journal = Journal(path)

    def fill(db: sqlite3.Connection) -> None:  # a disk without room for one more page
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    mu = twin(ACCEPTED, journal=journal)
    journal._run(fill)
    with pytest.raises(errors.JournalError, match=r"full.*nothing was sent"):
        mu.submit(raw_call("m", {"prompt": "x" * 100_000}))
    assert mu.server.requests == []


def test_a_journal_that_fails_after_the_charge_still_tells_the_id(twin: Any, path: Path) -> None:
    def accept(_: httpx.Request) -> Any:
        with closing(sqlite3.connect(path)) as db:
            db.execute("DROP TABLE job")
        return ACCEPTED

    with pytest.raises(errors.JournalError, match="job abc was accepted") as caught:
        twin(accept, journal=path).submit(twin.call)
    assert caught.value.request_id == "abc"


def test_another_process_s_open_intents_are_left_to_it(twin: Any, path: Path) -> None:
    journal = Journal(path)
    journal.intend("ours", twin.call, None, intended_at=datetime.now(UTC))
    assert journal.unknown(is_running=lambda key: key == "ours") == []  # the answer may be on its way
    program = (
        "import datetime, os, sys; from muapi_client import Journal, raw_call;"
        "now = datetime.datetime.now(datetime.UTC);"
        "Journal(sys.argv[1]).intend('theirs', raw_call('m'), None, intended_at=now);"
        "print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    other.stdout.readline()
    assert journal.unknown(is_running=lambda key: key == "ours") == []  # it lives
    other.kill()
    other.communicate()
    (entry,) = journal.unknown(is_running=lambda key: key == "ours")
    assert (entry.slug, entry.state) == ("m", "intent")
    journal.settle(entry.key, "found")
    assert [entry.key for entry in journal.unknown()] == ["ours"]  # which nobody knows to be under way
    assert [e.request_id for e in journal.unfinished()] == ["found"]


def test_reconcile_looks_through_the_history_and_submits_nothing(twin: Any, place: Place) -> None:
    now = datetime.now(UTC)

    def item(name: str, model: str, age: timedelta) -> dict[str, Any]:
        return {"request_id": name, "model": model, "created_at": (now - age).isoformat()}

    page = {
        "history": [
            item("mine", "new/model", timedelta(0)),
            item("known", "new/model", timedelta(0)),
            item("another model's", CLIP.slug, timedelta(0)),
            item("too old", "new/model", timedelta(hours=1)),
            {"id": "tells nothing"},
        ],
        "next_cursor": None,
    }
    mu = twin({**ACCEPTED, "request_id": "known"}, httpx.ReadError("reset"), page, journal=place.location)
    mu.submit(twin.call)
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        mu.submit(twin.call)
    assert [job.id for job in mu.reconcile(caught.value).candidates] == ["mine", "tells nothing"]
    assert [job.id for job in mu.reconcile(mu.unknown()[0]).candidates] == ["mine", "tells nothing"]
    assert mu.server.posts == 2


def test_only_a_client_with_a_journal_can_forget_what_it_holds(twin: Any) -> None:
    with pytest.raises(errors.MuAPIError, match="journal="):
        twin(ACCEPTED).forget(before=datetime.now(UTC))
