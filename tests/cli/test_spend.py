"""``muapi-client spend``: the books of a journal, for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image

from muapi_client import MuAPI, cli
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> str:
    """A journal of three jobs of one model: two completed, one failed and refunded."""
    emulator = Emulator(job_seconds=1)
    path = str(tmp_path / "jobs.db")
    with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
        for tag in ("team", None):
            mu.with_options(tag=tag).run(make_image(prompt="fox"))
        emulator.next(Outcome.failed("no"))
        list(mu.map([make_image(prompt="fox")]))
    return path


def spend(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["spend", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_rows_are_added_up_by_the_columns_asked_for(journal: str, capsys: Any) -> None:
    code, out, _ = spend(capsys, "--journal", journal, "--by", "outcome", "--output", "json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["outcome"], row["jobs"]) for row in rows] == [("completed", 2), ("failed", 1)]
    assert rows[0]["charged_usd"] > 0
    assert rows[0]["refunded_usd"] == 0 < rows[1]["refunded_usd"]


def test_a_spreadsheet_gets_exact_amounts(journal: str, capsys: Any) -> None:
    _, out, err = spend(capsys, "--journal", journal, "--by", "tag,model", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["tag"] for row in rows] == ["", "team"]
    assert list(rows[0]) == [
        *("tag", "model", "jobs", "charged_usd", "refunded_usd", "in_doubt_usd", "reserved_usd", "unpriced")
    ]
    assert err == ""


def test_days_are_those_of_the_time_zone_asked_for(journal: str, capsys: Any) -> None:
    with closing(sqlite3.connect(journal)) as db:
        db.execute("UPDATE job SET intended_at = '2026-03-31T22:30:00.000000+00:00'")
        db.commit()
    by_day = ("--journal", journal, "--by", "day", "--csv")
    assert spend(capsys, *by_day)[1].splitlines()[1].startswith("2026-03-31,3,")
    assert spend(capsys, *by_day, "--timezone", "Europe/Berlin")[1].splitlines()[1].startswith("2026-04-01,3,")
    code, _, err = spend(capsys, *by_day, "--timezone", "Berlin")
    assert code == 8
    assert "timezone must be a name like 'Europe/Berlin'" in err


@pytest.mark.parametrize("form", ["plain", "csv"])
def test_no_word_of_a_tag_steers_a_terminal_or_a_runner(tmp_path: Path, capsys: Any, form: str) -> None:
    path, emulator = str(tmp_path / "jobs.db"), Emulator(job_seconds=1)
    with MuAPI("sk-live", transport=emulator.transport(), journal=path, tag="::error::\x1b[2Jfox") as mu:
        mu.run(make_image(prompt="fox"))
    _, out, _ = spend(capsys, "--journal", path, "--by", "tag", "--output", form)
    assert "fox" in out
    assert "\x1b" not in out
    assert "\n::error::" not in out


def test_people_see_a_table_and_how_many_jobs_it_counts(journal: str, capsys: Any) -> None:
    _, out, err = spend(capsys, "--journal", journal, "--tag", "team")
    heads, row = out.splitlines()
    assert heads.split()[:5] == ["model", "day", "tag", "outcome", "jobs"]
    assert row.split()[2:5] == ["team", "completed", "1"]
    assert err == f"1 job in {journal}\n"


def test_only_what_was_submitted_since_counts(journal: str, capsys: Any) -> None:
    assert spend(capsys, "--journal", journal, "--since", "2999-01-01")[1] == ""


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path, capsys: Any) -> None:
    code, _, err = spend(capsys, "--journal", str(tmp_path / "none.db"))
    assert code == 1
    assert "there is no journal" in err
    assert not (tmp_path / "none.db").exists()


def test_an_unknown_column_and_a_time_that_is_none_are_refused(journal: str, capsys: Any) -> None:
    code, _, err = spend(capsys, "--journal", journal, "--by", "colour")
    assert code == 8
    assert "model, day, month, tag, run, outcome" in err
    with pytest.raises(SystemExit):
        cli.main(["spend", "--journal", journal, "--since", "yesterday"])
