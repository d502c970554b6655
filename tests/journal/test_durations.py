"""What a journal tells of how long jobs took: those that have ended, the latest, whatever else is in the file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image

from muapi_client import Cost, Journal, Prediction
from muapi_client._state.journal.statements import DURATIONS
from muapi_client.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Place

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
FOX = make_image(prompt="a fox")


def write_job(journal: Journal, key: str, *, status: str = "completed", call: Any = FOX, account: Any = None) -> None:
    journal.intend(key, call, account, intended_at=NOW)
    journal.accept(key, key, None)
    if status != "processing":
        journal.finish(Prediction(key, status, error="NSFW" if status == "failed" else None), key=key)


def set_seconds(place: Place, seconds: float, key: str = "a") -> None:
    """Have a job end so long after its intent."""
    moment = (NOW + timedelta(seconds=seconds)).isoformat()
    place.change("UPDATE job SET intended_at = ?, changed_at = ? WHERE key = ?", NOW.isoformat(), moment, key)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_job_that_has_ended_tells_how_long_it_took(journal: Journal, place: Place, status: str) -> None:
    write_job(journal, "a", status=status)
    set_seconds(place, 42.5)
    assert journal.durations() == [(FOX.operation.slug, {}, 42.5)]


@pytest.mark.parametrize("status", ["processing", "cancelled"])
def test_a_job_that_has_not_ended_by_itself_tells_nothing(journal: Journal, status: str) -> None:
    write_job(journal, "a", status=status)
    assert journal.durations() == []


def test_a_submit_that_was_refused_and_charged_tells_nothing(journal: Journal) -> None:
    journal.intend("a", FOX, None, intended_at=NOW)
    journal.fail("a", Cost(Decimal("0.1"), 1), "refused")
    assert journal.durations() == []


def test_inputs_are_told_that_are_asked_for(journal: Journal) -> None:
    write_job(journal, "a", call=make_image(prompt="a fox", num_images=2))
    ((_, inputs, _),) = journal.durations(fields=["num_images", "duration", "prompt"])
    assert inputs == {"num_images": 2, "duration": None, "prompt": "a fox"}


def test_a_call_that_was_forgotten_tells_no_inputs(journal: Journal) -> None:
    write_job(journal, "a")
    assert journal.forget(before=datetime.now(UTC) + timedelta(days=1)) == 1
    ((slug, inputs, _),) = journal.durations(fields=["num_images"])
    assert (slug, inputs) == (FOX.operation.slug, {"num_images": None})


def test_the_latest_come_first_and_no_more_than_asked_for(journal: Journal, place: Place) -> None:
    for number, key in enumerate("abcd"):
        write_job(journal, key)
        set_seconds(place, 10.0 + number, key)
    assert [seconds for _, _, seconds in journal.durations(latest=3)] == [13.0, 12.0, 11.0]


def test_only_the_jobs_of_an_account_are_told(journal: Journal) -> None:
    mine, other = (journal.account("https://api.muapi.ai", key) for key in ("sk-live-mine", "sk-live-other"))
    write_job(journal, "a", account=mine)
    write_job(journal, "b", account=other)
    write_job(journal, "c")  # nobody's, hence everybody's
    assert len(journal.durations(mine)) == 2
    assert len(journal.durations()) == 3


@pytest.mark.parametrize(
    "damage",
    ["intended_at = 'noon'", "changed_at = X'ff00'", "slug = 7", "call = '{\"body\": '", "call = '{\"body\": [1]}'"],
)
def test_a_damaged_entry_hides_no_other(journal: Journal, path: Path, place: Place, damage: str) -> None:
    write_job(journal, "a")
    write_job(journal, "b")
    set_seconds(place, 30.0, "b")
    place.change(f"UPDATE job SET {damage} WHERE key = 'a'")
    told = journal.durations(fields=["num_images"])
    assert (FOX.operation.slug, {"num_images": None}, 30.0) in told


def test_a_file_that_is_gone_is_told(open_journal: Callable[..., Journal], path: Path) -> None:
    journal = open_journal()
    journal.close()
    path.unlink()
    with pytest.raises(JournalError, match="deleted or replaced"):
        journal.durations()


def test_a_large_journal_is_read_from_its_end(journal: Journal, path: Path) -> None:
    """By an index of states all that have ended would be gathered and sorted first."""
    assert journal.durations() == []
    db = sqlite3.connect(path)
    values = {"fields": "[]", "latest": 10, "origin": None, "account": None}
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {DURATIONS}", values)]
    db.close()
    assert "SCAN job" in plan
