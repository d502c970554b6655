"""What a journal knows, on the command line: jobs, doubts, taking up, saving, tidying up."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, VIDEO, make_image, make_video

from muapi_client import Budget, Entry, MuAPI
from muapi_client._state.journal.base import BaseJournal
from muapi_client.cli._config import default_journal
from muapi_client.cli._entries import find, name_of
from muapi_client.emulator import Fault, Outcome
from muapi_client.errors import MuAPIError, NotFoundError, SubmitOutcomeUnknownError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muapi_client.emulator import Emulator

Call = Any  # the fixture `call`; see conftest
HOSTILE = "::error::\x1b[2J\n99  forged\u202e"


@pytest.fixture
def path() -> Path:
    """Where the user's own journal is."""
    place = default_journal()
    assert place is not None
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture
def mu(path: Path, emulator: Emulator) -> Iterator[MuAPI]:
    """A client of an earlier program, with that journal."""
    with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
        yield mu


@pytest.fixture
def lose(mu: MuAPI, emulator: Emulator) -> Callable[..., Entry]:
    """Submit a job whose answer is lost; answers its entry."""

    def lose(*, accepted: bool = True, **options: Any) -> Entry:
        asks_first = [None] if "max_spend" in options else []  # for the price
        emulator.next_fault(*asks_first, Fault.RESET_AFTER_ACCEPT if accepted else Fault.RESET_BEFORE_ACCEPT)
        with pytest.raises(SubmitOutcomeUnknownError):
            mu.with_options(**options).submit(make_image(prompt="lost"))
        return mu.unknown()[-1]

    return lose


def rows(text: str) -> list[list[str]]:
    """A table's rows, word by word, without its heads."""
    return [line.split() for line in text.splitlines()[1:]]


def test_jobs_are_listed_with_state_cost_and_files_and_nothing_is_sent(
    call: Call, mu: MuAPI, emulator: Emulator, tmp_path: Path
) -> None:
    done = mu.run(make_image(prompt="a fox"))
    mu.download(done, tmp_path)
    emulator.next(Outcome.failed("out of memory"))
    with pytest.raises(MuAPIError):
        mu.run(make_image(prompt="a fox"))
    job = mu.with_options(tag="films").submit(make_video(prompt="a fox"))
    asked = len(emulator.requests)
    said = call("jobs")
    assert next([row[0], *row[1:4], row[-1]] for row in rows(said.out)) == [
        *(done.id, IMAGE.slug, "completed", "0.015", "1")
    ]
    assert [row[2:4] for row in rows(said.out)][1] == ["failed", "0"]
    assert said.err == "3 jobs: 1 completed, 1 failed, 1 accepted (muapi-client resume)\n"
    assert [row[0] for row in rows(call("jobs", "--tag", "films").out)] == [job.id]
    assert [row[1] for row in rows(call("jobs", "--model", VIDEO.slug).out)] == [VIDEO.slug]
    assert [row[2] for row in rows(call("jobs", "--state", "failed").out)] == ["failed"]
    latest = call("jobs", "--limit", "1", "--output", "json").json
    assert [(each["request_id"], each["state"], each["tag"]) for each in latest] == [(job.id, "accepted", "films")]
    assert "a fox" not in call("jobs", "--output", "json").out  # a prompt may be private
    assert call("jobs", "--since", "2999-01-01").out == ""
    assert len(rows(call("jobs", "--since", "1h").out)) == 3
    assert len(emulator.requests) == asked


@pytest.mark.parametrize("state", ["intent", "accepted", "completed", "failed", "cancelled", "unknown"])
def test_every_state_can_be_asked_for(call: Call, mu: MuAPI, state: str) -> None:
    mu.run(make_image(prompt="a fox"))
    assert [row[2] for row in rows(call("jobs", "--state", state).out)] == ["completed"] * (state == "completed")


def test_a_journal_of_another_key_is_seen_on_demand(call: Call, mu: MuAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    mu.run(make_image(prompt="a fox"))
    monkeypatch.setenv("MUAPI_API_KEY", "sk-another")
    assert call("jobs").out == ""
    assert len(rows(call("jobs", "--all-accounts").out)) == 1


@pytest.mark.parametrize("words", [["jobs"], ["unknown"], ["reconcile"], ["resume"], ["spend"]])
def test_before_the_first_job_there_is_nothing_to_show(call: Call, words: list[str], path: Path) -> None:
    said = call(*words)
    assert (said.code, said.out) == (0, "")
    assert said.err == f"nothing was submitted yet: the first job makes the journal {path}\n"
    assert call(*words, "--output=json").json == []
    assert not path.exists()
    if words == ["spend"]:
        assert call(*words, "--output=csv").out.startswith("model,day,tag,outcome,jobs,")
    named = call(*words, "--journal", str(path))
    assert named.code == 1, "a name that is mistyped"
    assert f"there is no journal {path}" in named.err


@pytest.mark.parametrize("words", [["jobs"], ["unknown"], ["reconcile"], ["resume"], ["spend"]])
def test_a_journal_that_settings_name_and_that_is_not_there_hides_no_doubt(
    call: Call, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "a disk that is not mounted" / "jobs.db"
    monkeypatch.setenv("MUAPI_JOURNAL", str(elsewhere))
    said = call(*words, "--output=json")
    assert (said.code, said.out) == (1, "")
    assert f"there is no journal {elsewhere}" in said.err


@pytest.mark.parametrize("words", [["settle", "a", "--never"], ["reconcile", "a"], ["journal", "prune", "--before=1d"]])
def test_a_journal_that_is_not_there_is_not_made(call: Call, words: list[str], path: Path) -> None:
    said = call(*words)
    assert said.code == 1
    assert f"there is no journal {path}" in said.err
    assert not path.exists()
    said = call(*words, "--no-journal")
    assert said.code == 8
    assert "which journal?" in said.err


def test_what_may_have_been_charged_is_named_shortly_and_the_same_each_time(
    call: Call, lose: Callable[..., Entry]
) -> None:
    entry = lose(max_spend=1)
    said = call("unknown")
    (row,) = rows(said.out)
    assert (row[0], row[1], row[2]) == (entry.key[:8], IMAGE.slug, "0.015")
    assert "1 may have been charged, about 0.015 USD, and none is submitted again by itself" in said.err
    assert rows(call("unknown").out) == [row]
    assert rows(call("jobs").out)[0][0] == row[0]
    (form,) = call("unknown", "--output=json").json
    assert (form["name"], form["key"], form["request_id"]) == (row[0], entry.key, None)
    assert "muapi-client reconcile" in form["reason"]
    assert not re.search(r"\bmu\.|error\.", form["reason"])
    assert call("jobs", "--output=json").json[0]["reason"] == form["reason"]


def test_the_history_tells_what_may_be_it_and_what_is_not_proven(
    call: Call, lose: Callable[..., Entry], emulator: Emulator
) -> None:
    entry = lose()
    (candidate,) = [job["id"] for job in call("history", "--output=json").json]
    said = call("reconcile")
    assert said.code == 0
    assert "not proven: it may be one of these, or another program's, or was never accepted" in said.out
    assert f"    {candidate}  accepted " in said.out
    emulator.clock.sleep(3 * 3600)
    (found,) = call("reconcile", entry.key[:8], "--output=json").json
    assert (found["complete"], found["never_accepted"], found["settled"]) == (True, False, False)
    assert [job["request_id"] for job in found["candidates"]] == [candidate]
    assert "proven: it is one of these, unless it was never accepted" in call("reconcile").out
    assert emulator.accepted == 1


def test_what_was_never_accepted_is_proven_after_some_minutes_and_settled_on_demand(
    call: Call, lose: Callable[..., Entry], mu: MuAPI, emulator: Emulator
) -> None:
    entry = lose(accepted=False, max_spend=1)
    name = entry.key[:8]
    assert "not proven: none is in sight" in call("reconcile", "--settle").out
    assert len(mu.unknown()) == 1
    emulator.clock.sleep(3 * 3600)
    said = call("reconcile")
    assert f"proven: it was never accepted, and cost nothing: muapi-client settle {name} --never" in said.out
    assert len(mu.unknown()) == 1
    said = call("reconcile", "--settle")
    assert "settled, and 0.015 USD are given back" in said.out
    assert call("unknown").err == call("reconcile").err == "no submit is unknown\n"
    assert emulator.accepted == 0


def test_a_persons_word_makes_an_entry_a_job(
    call: Call, lose: Callable[..., Entry], emulator: Emulator, path: Path
) -> None:
    entry = lose()
    (job,) = [each["id"] for each in call("history", "--output=json").json]
    said = call("settle", entry.key[:8], "no-such-job")
    assert said.code == 5
    assert len(rows(call("unknown").out)) == 1
    said = call("settle", entry.key[:8], job)
    assert (said.code, said.out) == (0, "")
    assert f"{entry.key[:8]} is job {job}" in said.err
    assert call("unknown").out == ""
    assert call("wait", job, "--journal", str(path)).code == 0
    assert rows(call("jobs").out)[0][:4] == [job, IMAGE.slug, "completed", "0.015"]
    assert emulator.accepted == 1


def test_a_persons_word_gives_back_what_was_set_aside_and_says_what_a_run_does_then(
    call: Call, path: Path, emulator: Emulator
) -> None:
    emulator.next_fault(None, Fault.RESET_BEFORE_ACCEPT)  # the price is asked for first
    with MuAPI("sk-live", transport=emulator.transport(), journal=path, budget=Budget(5, per="ever")) as mu:
        list(mu.map([make_image(prompt="fox")], run="animals"))
        (entry,) = mu.unknown()
    assert call("unknown", "--output=json").json[0]["set_aside_usd"] == 0.015
    said = call("settle", entry.key[:8], "--never", "--output=json")
    assert said.json == {"name": entry.key[:8], "key": entry.key, "request_id": None, "never_accepted": True}
    with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
        assert list(mu.jobs()) == []


def test_what_a_run_does_with_an_item_that_was_never_accepted_is_said(
    call: Call, path: Path, emulator: Emulator
) -> None:
    emulator.next_fault(Fault.RESET_BEFORE_ACCEPT)
    with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
        list(mu.map([make_image(prompt="fox")], run="animals"))
        (entry,) = mu.unknown()
    assert "run animals submits its item 0 again" in call("settle", entry.key, "--never").err


def test_what_another_key_submitted_is_shown_on_demand_and_settled_by_that_key_alone(
    call: Call, lose: Callable[..., Entry], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = lose()
    emulator.clock.sleep(3 * 3600)
    monkeypatch.setenv("MUAPI_API_KEY", "sk-test")  # whose history is empty, and proves nothing
    assert rows(call("unknown", "--all-accounts").out)[0][0] == entry.key[:8]
    for words in (["reconcile", entry.key[:8], "--settle"], ["settle", entry.key[:8], "--never"]):
        said = call(*words)
        assert said.code == 5
        assert "of this API key is unknown" in said.err
    assert call("reconcile", "--settle").err.startswith("no submit is unknown of this API key and address\n")
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    assert len(rows(call("unknown").out)) == 1


@pytest.mark.parametrize("words", [["settle", "abcd"], ["settle", "abcd", "job", "--never"], ["settle"]])
def test_a_word_is_about_one_job_or_none(call: Call, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call(*words)


def test_names_are_found_again_and_grow_where_two_begin_alike(mu: MuAPI) -> None:
    mu.run(make_image(prompt="a fox"))
    (entry,) = mu.jobs()
    from attrs import evolve

    alike = [evolve(entry, request_id=None, key=key * 4) for key in ("abcdef01", "abcdef02", "abcdef11")]
    twins = [evolve(entry, request_id=None, key=f"{'abcdef01'}{end}") for end in ("aaaa", "aabb")]
    damaged = evolve(entry, request_id=None, key="")
    assert [name_of(each, alike) for each in alike] == ["abcdef01", "abcdef02", "abcdef11"]
    assert [name_of(each, twins) for each in twins] == ["abcdef01aaa", "abcdef01aab"]
    assert name_of(damaged, [damaged, *alike]) == "-"
    assert find("abcdef1", alike) is alike[2]
    assert find(alike[0].key, alike) is alike[0]
    with pytest.raises(ValidationError, match="abcdef01, abcdef02"):
        find("abcdef0", alike)
    for name in ("", "x", "-"):
        with pytest.raises(NotFoundError):
            find(name, [*alike, damaged])


def test_accepted_jobs_are_waited_for_side_by_side_and_saved(
    call: Call, mu: MuAPI, tmp_path: Path, emulator: Emulator
) -> None:
    ids = [mu.submit(make_image(prompt=str(number))).id for number in range(5)]  # type: ignore[union-attr]
    mu.close()
    said = call("resume", "--out", str(tmp_path))
    assert said.code == 0
    assert sorted(line.split()[0] for line in said.out.splitlines()) == sorted(ids)
    assert all(Path(line.split(maxsplit=1)[1]).is_file() for line in said.out.splitlines())
    assert said.err.splitlines()[-1] == "5 completed"
    assert {row[-1] for row in rows(call("jobs").out)} == {"1"}
    assert call("resume").err == "no job is left to be waited for\n"
    assert call("resume", "--quiet").err == ""
    assert emulator.accepted == 5


def test_a_job_that_ended_badly_keeps_no_other_from_its_end(
    call: Call, mu: MuAPI, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.next(Outcome.failed("out of memory"), Outcome.completed())
    ids = [mu.submit(make_image(prompt=str(number))).id for number in range(2)]  # type: ignore[union-attr]
    said = call("resume", "--output=json", "--out", str(tmp_path))
    assert said.code == 10
    forms = {form["request_id"]: form for form in said.json}
    assert "out of memory" in forms[ids[0]]["error"]
    assert (forms[ids[1]]["status"], len(forms[ids[1]]["saved_paths"])) == ("completed", 1)


def test_a_job_that_does_not_end_in_time_lives_on(call: Call, mu: MuAPI, emulator: Emulator) -> None:
    emulator.next(Outcome.failed("no"), Outcome.completed(seconds=9999))
    for number in range(2):
        mu.submit(make_image(prompt=str(number)))
    said = call("resume", "--timeout", "60")
    assert said.code == 7  # it lives on, which counts before the one that failed
    assert [row[2] for row in rows(call("jobs").out)] == ["failed", "accepted"]


@pytest.mark.parametrize("words", [["--output=json"], ["--output=json", "--timeout", "5"]], ids=["whole", "short"])
def test_a_job_that_the_server_denies_is_not_waited_for_to_the_end_and_its_cost_is_told(
    call: Call, mu: MuAPI, emulator: Emulator, words: list[str]
) -> None:
    job = mu.submit(make_image(prompt="a fox"))
    emulator.reset()
    began = emulator.clock.now()
    said = call("resume", *words)
    (form,) = said.json
    assert emulator.clock.now() - began < 60
    assert said.code == (7 if "--timeout" in words else 5)
    assert (form["request_id"], form["charged_usd"], form["in_doubt"]) == (job.id, 0.015, False)
    assert job.id in form["error"]
    assert "0.015 USD" in form["error"]
    assert "lives on" not in form["error"]
    for command in ("wait", "look"):  # of an id alone the journal tells it
        (error,) = [event for event in call(command, job.id, "--output=json").events if "error" in event]
        assert (error["request_id"], error["charged_usd"], error["status_code"]) == (job.id, 0.015, 404)
        assert "It was accepted before (charged 0.015 USD)" in error["error"]


def test_a_journal_that_cannot_be_read_is_one_sentence(call: Call, path: Path) -> None:
    path.write_text("no journal\n" * 200)
    for words in (["resume"], ["jobs"], ["unknown"], ["journal", "prune", "--before", "1d"]):
        said = call(*words)
        assert said.code == 1
        assert f"journal {path}: " in said.err


def test_ended_jobs_are_saved_one_after_another(call: Call, mu: MuAPI, tmp_path: Path) -> None:
    ids = [mu.run(make_image(prompt=str(number))).id for number in range(3)]
    said = call("download", ids[0], "nothing", ids[1], "--out", str(tmp_path))
    assert said.code == 5
    assert len(said.out.splitlines()) == 2
    assert "HTTP 404 for job nothing" in said.err
    said = call("download", "--missing", "--out", str(tmp_path), "--output=json")
    assert [form["request_id"] for form in said.json] == [ids[2]]
    assert call("download", "--missing", "--out", str(tmp_path)).err == "every completed job of the journal was saved\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_what_a_wait_comes_to_is_saved_under_the_name_that_is_asked_for(call: Call, mu: MuAPI, tmp_path: Path) -> None:
    job = mu.submit(make_image(prompt="a fox"))
    said = call("wait", job.id, "--out", str(tmp_path), "--name", "{slug}-{index}")
    assert said.out == f"{tmp_path / IMAGE.slug}-0.png\n"
    assert rows(call("jobs").out)[0][-1] == "1"


def test_the_model_of_a_job_is_looked_up_without_reading_all_others(
    call: Call, mu: MuAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [mu.submit(make_video(prompt=f"fox {number}")) for number in range(3)]
    for job in jobs:
        mu.wait(job)
    reads: list[Any] = []
    read = BaseJournal.entries

    def note(*given: Any, **options: Any) -> list[Entry]:
        reads.append(options)
        return read(*given, **options)

    monkeypatch.setattr(BaseJournal, "entries", note)
    assert call("download", "--missing", "--out", str(tmp_path), "--name", "{slug}-{id}-{index}").code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(f"{VIDEO.slug}-{job.id}-0.mp4" for job in jobs)
    assert len(reads) == 1


def test_what_has_not_ended_is_not_saved_and_how_to_wait_is_told(call: Call, mu: MuAPI, tmp_path: Path) -> None:
    job = mu.submit(make_image(prompt="a fox"))
    said = call("download", job.id, "--out", str(tmp_path))
    assert said.code == 5
    assert f"has no outputs; muapi-client wait {job.id} waits for it" in said.err


@pytest.mark.parametrize("words", [["look"], ["wait"], ["download"]])
def test_who_pays_for_nothing_makes_no_journal(
    call: Call, emulator: Emulator, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        done = mu.run(make_image(prompt="a fox"))
    monkeypatch.chdir(tmp_path)
    assert call(*words, done.id).code == 0
    place = default_journal()
    assert place is not None
    assert not place.exists()


def test_files_are_uploaded_in_their_order(call: Call, tmp_path: Path, emulator: Emulator) -> None:
    picture = tmp_path / "fox.txt"
    picture.write_text("a fox")
    said = call("upload", str(picture), str(tmp_path / "none.png"), str(picture))
    assert said.code == 1
    assert [line.rpartition("/")[2] for line in said.out.splitlines()] == ["fox.txt", "fox.txt"]
    assert said.err.count("none.png") == 1
    forms = call("upload", str(picture), str(tmp_path / "none.png"), "--output=json").json
    assert [(form["file"], form.get("type")) for form in forms] == [
        (str(picture), None),
        (str(tmp_path / "none.png"), "UploadError"),
    ]


def test_prompts_are_dropped_once_somebody_agrees_and_the_books_stay(
    call: Call, mu: MuAPI, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mu.run(make_image(prompt="a secret fox"))
    before = call("spend", "--output=json").json
    said = call("journal", "prune", "--before", "30d")
    assert said.code == 0
    assert re.search(r": no job that ended before .* UTC has anything left to drop\n", said.err)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    said = call("journal", "prune", "--before", "2999-01-01")
    assert said.code == 1
    assert "nobody agreed, so 1 job that ended before 2999-01-01 00:00 UTC stay as they are" in said.err
    assert next(mu.jobs()).call is not None
    assert call("journal", "prune", "--before", "2999-01-01", "--yes", "--output=json").json["jobs"] == 1
    with MuAPI("sk-live", journal=path) as later:
        assert next(later.jobs()).call is None
    assert call("spend", "--output=json").json == before


@pytest.mark.parametrize("age", ["30", "d", "-1d", "yesterday", "9" * 30 + "d", "30 d", "٣d"])
def test_an_age_that_is_none_is_refused(call: Call, age: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("journal", "prune", "--before", age)


def test_no_word_of_a_journal_forges_a_row_or_steers_a_terminal(
    call: Call, mu: MuAPI, lose: Callable[..., Entry], emulator: Emulator
) -> None:
    mu.with_options(tag=HOSTILE).run(make_image(prompt="x"))
    emulator.next_fault(Fault.RESET_BEFORE_ACCEPT)
    list(mu.map([make_image(prompt=HOSTILE)], run=HOSTILE, key=lambda *_: HOSTILE))
    for words in (["jobs"], ["unknown"], ["reconcile"], ["spend", "--by", "tag,run"]):
        said = call(*words)
        assert not set("\x1b\u202e") & set(said.out + said.err)
        assert not any(line.startswith(("::", "99")) for line in (said.out + said.err).splitlines())
    said = call("jobs", "--output=json")
    assert "\u202e" not in said.out
    assert HOSTILE in {job["tag"] for job in said.json}
    (entry,) = mu.unknown()
    said = call("settle", entry.key[:8], "--never")
    assert "forged" in said.err
    assert said.err.count("\n") == 1


def test_a_spreadsheet_is_one_short_option_away(call: Call, mu: MuAPI) -> None:
    mu.run(make_image(prompt="x"))
    said = call("spend", "--by", "model", "--csv")
    assert said.out == call("spend", "--by", "model", "--output", "csv").out
    assert Decimal(said.out.splitlines()[1].split(",")[2]) == Decimal("0.015")
    assert len(said.out.splitlines()[0].split(",")) == 7
    assert call("spend", "--by", "model").out.split()[:3] == ["model", "jobs", "charged_usd"]
    assert "reserved" not in call("spend").out  # people are spared columns of nothing
    assert json.loads(call("spend", "--output=json").out)[0]["reserved_usd"] == 0


def test_doubts_of_another_key_are_told_to_who_asks_for_doubts(
    call: Call, lose: Callable[..., Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose()
    monkeypatch.setenv("MUAPI_BASE_URL", "https://api.example.com")
    for words in (["unknown"], ["reconcile"]):
        said = call(*words)
        assert "no submit is unknown of this API key and address" in said.err
        assert "1 of another API key or address may have been charged" in said.err
        assert "muapi-client unknown --all-accounts" in said.err
    assert "another API key" not in call("unknown", "--all-accounts").err


def test_a_submit_that_another_machine_has_in_hand_is_told_to_who_asks_for_doubts(
    call: Call, lose: Callable[..., Entry], path: Path
) -> None:
    submitted = lose().intended_at
    with closing(sqlite3.connect(path)) as db:
        later = (submitted + timedelta(hours=1)).isoformat()
        db.execute("UPDATE job SET state = 'intent', owner = 'laptop:7:0-0:token', lease = ?", (later,))
        db.commit()
    for words in (["unknown"], ["reconcile"]):
        said = call(*words)
        assert said.out == ""
        assert "1 submit is under way in another process (laptop, pid 7): it is listed" in said.err
        assert f"from {submitted + timedelta(hours=1):%Y-%m-%d %H:%M} UTC on at the latest" in said.err
    assert "no submit is unknown" in said.err


def test_why_an_outcome_is_unknown_is_told_in_a_shell_s_words(
    call: Call, lose: Callable[..., Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose()
    monkeypatch.setenv("COLUMNS", "600")
    said = call("unknown")
    assert "mu." not in said.out
    assert "no answer to POST" in said.out
    assert "was sent" not in said.out  # which all of them were, and is all that a narrow column would show


def test_of_jobs_that_may_be_the_lost_one_the_nearest_comes_first(
    call: Call, mu: MuAPI, lose: Callable[..., Entry], emulator: Emulator
) -> None:
    lose()
    emulator.clock.sleep(20)
    with MuAPI("sk-live", transport=emulator.transport()) as other:
        later = other.run(make_image(prompt="another program's"))
    (form,) = call("reconcile", "--output=json").json
    ids = [each["request_id"] for each in form["candidates"]]
    assert len(ids) == 2
    assert ids[1] == later.id


def test_jobs_of_another_key_are_told_where_there_seem_to_be_none(
    call: Call, mu: MuAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    mu.submit(make_image(prompt="a fox"))
    monkeypatch.setenv("MUAPI_BASE_URL", "https://api.example.com")
    assert call("jobs").err == "0 jobs; 1 of another API key or address: --all-accounts\n"
    assert "1 of another API key or address may be left" in call("resume").err


def test_what_nobody_can_wait_for_is_told_after_a_resume(call: Call, lose: Callable[..., Entry]) -> None:
    lose()
    said = call("resume", "--quiet")
    assert (said.code, said.err) == (0, "1 more may have been charged: muapi-client unknown lists them\n")
    assert call("resume", "--output=json").events[-1] == {"event": "in_doubt", "jobs": 1}
