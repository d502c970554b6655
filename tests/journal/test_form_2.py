"""A journal of form 2 is taken up as it is, and a program of that version that has it open goes on.

``form-2.db`` beside this file was written by the last version of form 2, at 2025-01-01, for key ``sk-0123456789abcdef``
of ``https://api.example``: an intent, an accepted job of a run, a completed one with a file, an unknown one.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from muapi_client import Cost, Journal, Output, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable

FORM_2 = Path(__file__).with_name("form-2.db")


@pytest.fixture(autouse=True)
def old_file(path: Path) -> None:
    """A journal of form 2 in the place of the test's."""
    shutil.copy(FORM_2, path)


def test_everything_that_form_2_knew_is_there(journal: Journal) -> None:
    account = journal.account("https://api.example", "sk-0123456789abcdef")
    entries = {entry.slug: entry for entry in journal.entries(account=account)}

    assert {slug: entry.state for slug, entry in entries.items()} == {
        name: name for name in ("intent", "accepted", "completed", "unknown")
    }
    accepted, completed = entries["accepted"], entries["completed"]
    assert (accepted.tag, accepted.run, accepted.run_key) == ("team", "portraits", "7")
    assert accepted.set_aside_usd == Decimal("0.01")
    assert completed.cost == Cost(Decimal("0.0042"), 1)
    assert completed.outputs == (Output(url="https://cdn.example/a.png", media_type="image/png"),)
    assert completed.files == (Path("/pictures/a.png"),)
    assert completed.call == raw_call("completed", {"prompt": "completed"})
    assert all(entry.reason is None for entry in entries.values() if entry.slug != "unknown")


def test_what_it_knew_has_no_digest_and_is_never_the_answer_to_another_call(journal: Journal) -> None:
    account = journal.account("https://api.example", "sk-0123456789abcdef")
    assert journal.answers("", account, latest=9) == []


def test_a_program_of_form_2_that_has_it_open_goes_on(path: Path, open_journal: Callable[[], Journal]) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.execute("SELECT count(*) FROM job").fetchall()
        journal = open_journal()
        old.execute("UPDATE job SET state = 'accepted', request_id = 'r-intent' WHERE key = 'intent'")
        old.execute(
            "INSERT INTO job (key, state, slug, intended_at, changed_at, owner, lease)"
            " VALUES ('k', 'unknown', 'm', '2025-01-02T00:00:00+00:00', '2025-01-02T00:00:00+00:00', 'o:1::t', NULL)"
        )
        old.commit()
        assert "r-intent" in journal.ids()
        assert [entry.key for entry in journal.unknown()] == ["unknown", "k"]
