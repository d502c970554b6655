"""What a journal remembers of a job, through its public methods."""

from __future__ import annotations

import pickle
import subprocess
import sys
import typing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from journal_writes import COST, NOW, PICTURE, call_of, finish, finished, intend

import muapi_client
from muapi_client import Cost, Entry, Journal, Output, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from places import Place

ORIGIN, KEY = "https://api.muapi.ai", "sk-live-0123456789abcdef"
HOOK = "https://hooks.example/run?t=t0k3n&x=1"
TWICE = pytest.mark.parametrize("times", [1, 2])


def test_a_finished_job_stays_readable(journal: Journal) -> None:
    account = journal.account(ORIGIN, KEY)
    journal.intend(
        *("k", call_of("m"), account),
        intended_at=NOW,
        set_aside_usd=Decimal("0.10"),
        tag="night",
        run="r1",
        run_key="item 1",
    )
    journal.accept("k", "r-k", None)
    made = (Output(url=PICTURE, media_type="image/png"), Output(text="ein Wort"), Output(data={"box": [1, 2.5]}))
    journal.finish(finished("r-k", outputs=made), key_kind="sandbox")

    (entry,) = journal.entries()

    assert (entry.key, entry.request_id, entry.state, entry.slug) == ("k", "r-k", "completed", "m")
    assert (entry.call, entry.cost, entry.outputs, entry.reason) == (call_of("m"), COST, made, None)
    assert (entry.tag, entry.run, entry.run_key, entry.set_aside_usd) == ("night", "r1", "item 1", Decimal("0.10"))
    assert (entry.origin, entry.key_kind, entry.intended_at) == (ORIGIN, "sandbox", NOW)
    assert entry.changed_at.tzinfo is UTC


@TWICE
def test_every_write_done_twice_leaves_the_same(journal: Journal, times: int) -> None:
    for _ in range(times):
        intend(journal, "gone")
    for _ in range(times):
        journal.withdraw("gone")
    for _ in range(times):
        intend(journal, "lost")
        journal.mark_unknown("lost", "HTTP 502")
    for _ in range(times):
        intend(journal, "paid", run="r", run_key="1")
        journal.accept("paid", "r-paid", COST)
        journal.saved("r-paid", [Path("a.png")])
    for _ in range(times):
        intend(journal, "refused")
        journal.fail("refused", COST, "HTTP 422")
    for _ in range(times):
        intend(journal, "found")
        journal.mark_unknown("found", "?")
        journal.settle("found", "r-found")
    for _ in range(times):
        journal.finish(finished("r-paid"))

    known = [(entry.key, entry.state, entry.request_id, entry.cost, entry.reason) for entry in journal.entries()]

    assert known == [
        ("lost", "unknown", None, None, "HTTP 502"),
        ("paid", "completed", "r-paid", COST, None),
        ("refused", "failed", None, COST, "HTTP 422"),
        ("found", "accepted", "r-found", None, None),
    ]


def test_a_job_that_is_accepted_or_ended_is_not_taken_back(journal: Journal) -> None:
    intend(journal, "m")
    journal.accept("m", "r-m", COST)
    journal.withdraw("m")
    journal.settle("m", None)
    journal.mark_unknown("m", "?")
    assert [entry.request_id for entry in journal.unfinished()] == ["r-m"]
    journal.finish(finished("r-m"))
    journal.accept("m", "r-m", None)
    journal.settle("m", "another")
    assert [(entry.state, entry.request_id, entry.cost) for entry in journal.entries()] == [("completed", "r-m", COST)]


def test_an_entry_that_is_gone_is_missed(journal: Journal) -> None:
    for write in (
        lambda: journal.accept("m", "r-m", COST),
        lambda: journal.mark_unknown("m", "?"),
        lambda: journal.fail("m", COST, "?"),
        lambda: journal.finish(finished("r-m"), key="m"),
    ):
        with pytest.raises(errors.JournalError, match=r"entry m is not in the (file|database) any more"):
            write()


def test_the_end_of_a_job_that_is_not_in_the_file_stays_out_of_it(journal: Journal) -> None:
    journal.finish(finished("elsewhere"))
    assert journal.entries() == []


def test_an_unknown_entry_with_the_id_of_a_job_that_ended_clears(journal: Journal, place: Place) -> None:
    intend(journal, "m")
    journal.mark_unknown("m", "?")
    place.change("UPDATE job SET request_id = 'r-m'")
    journal.finish(finished("r-m"))
    assert journal.unknown() == []
    assert [entry.outputs[0].url for entry in journal.entries()] == [PICTURE]


def test_a_stream_accepted_without_an_id_is_told_once_nobody_is_at_it(journal: Journal) -> None:
    intend(journal, "m")
    journal.accept("m", None, COST)
    assert journal.unknown(is_running=lambda _: True) == []
    assert [entry.key for entry in journal.unknown()] == ["m"]
    journal.mark_unknown("m", "broke off")
    assert [entry.reason for entry in journal.unknown()] == ["broke off"]


def test_a_run_has_each_item_once(journal: Journal) -> None:
    intend(journal, "a", run="r", run_key="1")
    with pytest.raises(errors.JournalError, match=r"run 'r' has an entry for '1' already; nothing was sent"):
        intend(journal, "b", run="r", run_key="1")
    intend(journal, "c", run="other", run_key="1")
    intend(journal, "d", run="r", run_key="2")
    intend(journal, "e", run_key="1")
    intend(journal, "f", run_key="1")
    journal.withdraw("a")
    intend(journal, "b", run="r", run_key="1")
    assert [entry.key for entry in journal.entries(run="r")] == ["d", "b"]


def test_entries_are_found_by_what_is_known_of_them(journal: Journal) -> None:
    finish(journal, "a", tag="night")
    intend(journal, "b", intended_at=NOW + timedelta(hours=1), tag="night")
    intend(journal, "c", intended_at=NOW - timedelta(hours=1))
    keys = {
        "all": journal.entries(),
        "ended": journal.entries(states=("completed", "failed")),
        "none": journal.entries(states=()),
        "a's": journal.entries(slug="a"),
        "of the night": journal.entries(tag="night"),
        "late": journal.entries(since=NOW + timedelta(minutes=1)),
        "zone": journal.entries(since=(NOW + timedelta(hours=1)).astimezone()),
    }
    assert {name: [entry.key for entry in found] for name, found in keys.items()} == {
        "all": ["c", "a", "b"],
        "ended": ["a"],
        "none": [],
        "a's": ["a"],
        "of the night": ["a", "b"],
        "late": ["b"],
        "zone": ["b"],
    }


def test_each_account_sees_its_own(journal: Journal, open_journal: Callable[[], Journal]) -> None:
    ours, theirs = journal.account(ORIGIN, KEY), journal.account(ORIGIN, f"{KEY}x")
    elsewhere = journal.account("https://other.example", KEY)
    assert len({ours, theirs, elsewhere}) == 3
    assert open_journal().account(ORIGIN, KEY) == ours
    for account, key in ((ours, "ours"), (theirs, "theirs"), (elsewhere, "elsewhere"), (None, "everybody's")):
        intend(journal, f"{key} unknown", account=account)
        intend(journal, f"{key} accepted", account=account)
        journal.accept(f"{key} accepted", f"r-{key}", None)
    assert [entry.key for entry in journal.unknown(ours)] == ["ours unknown", "everybody's unknown"]
    assert [entry.request_id for entry in journal.unfinished(ours)] == ["r-ours", "r-everybody's"]
    assert journal.ids(ours) == {"r-ours", "r-everybody's"}
    assert len(journal.entries(account=elsewhere)) == 4
    assert len(journal.entries()) == 8
    journal.finish(finished("r-theirs"), account=ours)
    journal.finish(finished("r-everybody's"), account=ours)
    assert len(journal.unfinished()) == 3


def test_a_fingerprint_tells_nothing_of_the_key_and_differs_from_file_to_file(tmp_path: Path) -> None:
    made = set()
    for name in ("a.db", "b.db"):
        journal = Journal(tmp_path / name)
        account = journal.account(ORIGIN, KEY)
        intend(journal, "m", account=account)
        made.add(account.fingerprint)
        assert len(account.fingerprint) == 16
        journal.close()
        assert KEY.encode() not in (tmp_path / name).read_bytes()
    assert len(made) == 2


def check_damaged(place: Place, column: str, value: Any, kept: dict[str, Any]) -> None:
    journal = place.open()
    finish(journal, "whole")
    finish(journal, "broken")
    place.change(f"UPDATE job SET {column} = ? WHERE key = 'broken'", value)

    entries = {entry.key: entry for entry in journal.entries()}

    assert entries["whole"].reason is None
    assert {name: getattr(entries["broken"], name) for name in kept} == kept
    assert (column in (entries["broken"].reason or "")) == (
        value != '[{"url": "https://cdn.example/a.png", "newer": 1}]'
    )


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("call", "{", {"call": None}),
        ("call", '{"operation": {"name": "x", "newer": 1}}', {"call": None}),
        ("cost", '{"amount_usd": "1", "currency": "EUR"}', {"cost": None}),
        ("cost", '{"amount_usd": "much"}', {"cost": None}),
        ("outputs", "[1]", {"outputs": ()}),
        ("outputs", '[{"url": "https://cdn.example/a.png", "newer": 1}]', {}),
        ("intended_at", "yesterday", {"intended_at": datetime.fromtimestamp(0, UTC)}),
        ("changed_at", "12", {}),
        ("set_aside_usd", "much", {"set_aside_usd": None}),
        ("files", "{", {"files": ()}),
        ("state", "paused", {"state": "paused"}),
    ],
)
def test_a_damaged_or_newer_row_is_told_and_stops_no_other(
    place: Place, column: str, value: Any, kept: dict[str, Any]
) -> None:
    check_damaged(place, column, value, kept)


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("call", b"\xff\xfe", {"call": None}),
        ("slug", b"\xff", {"slug": ""}),
        ("owner", b"\xff", {"owner": ""}),
    ],
)
@pytest.mark.usefixtures("path")
def test_so_is_a_row_of_a_file_that_holds_no_text(place: Place, column: str, value: Any, kept: dict[str, Any]) -> None:
    check_damaged(place, column, value, kept)


def test_damaged_rows_do_not_stop_resume_and_unknown(journal: Journal, path: Path, place: Place) -> None:
    for key in ("whole", "broken", "nameless"):
        intend(journal, key)
        journal.accept(key, f"r-{key}", COST, waiting=True)
    intend(journal, "lost")
    damaged = "UPDATE job SET call = x'ff', cost = '{', owner = x'ff', lease = 'soon', intended_at = 7"
    place.change(f"{damaged} WHERE key IN ('broken', 'lost')")
    place.change("UPDATE job SET request_id = x'ff' WHERE key = 'nameless'")

    assert {entry.request_id for entry in journal.unfinished()} == {"r-whole", "r-broken"}
    assert {entry.key for entry in journal.unknown()} == {"lost", "nameless"}
    assert all("cannot be read" in (entry.reason or "") for entry in journal.unknown())


def test_where_outputs_were_saved_is_remembered(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(journal, "m")
    monkeypatch.chdir(tmp_path)
    journal.saved("r-m", [Path("b.png"), Path("a.png")])
    journal.saved("r-m", [Path("b.png"), tmp_path / "ü" / "c.png"])
    journal.saved("nobody's", [Path("d.png")])
    (entry,) = journal.entries()
    assert set(entry.files) == {tmp_path / "a.png", tmp_path / "b.png", tmp_path / "ü" / "c.png"}
    assert len(entry.files) == 3
    assert entry.outputs[0].url == PICTURE


def test_forgetting_drops_what_was_asked_and_answered_and_keeps_the_books(journal: Journal, place: Place) -> None:
    finish(journal, "old")
    intend(journal, "failed")
    journal.accept("failed", "r-failed", COST)
    journal.finish(finished("r-failed", status="failed", outputs=(), error="'a prompt' is not allowed"))
    intend(journal, "words")
    secret = (Output(text="the answer"), Output(url=PICTURE, media_type="image/png"), Output(data={"x": 1}))
    journal.finish(finished(None, outputs=secret), key="words")
    intend(journal, "running")
    journal.accept("running", "r-running", COST)
    intend(journal, "lost")
    journal.mark_unknown("lost", "HTTP 502")
    later = datetime.now(UTC) + timedelta(hours=1)

    assert journal.forget(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert journal.forget(before=later, bodies=False) == 3
    assert [entry.call for entry in journal.entries()].count(None) == 0
    assert journal.forget(before=later) == 3
    assert journal.forget(before=later) == 0

    entries = {entry.key: entry for entry in journal.entries()}
    assert [entries[key].call for key in ("old", "failed", "words")] == [None] * 3
    assert [entries[key].reason for key in ("failed", "lost")] == [None, "HTTP 502"]
    assert entries["running"].call == call_of("running")
    assert (entries["old"].state, entries["old"].cost, entries["old"].request_id) == ("completed", COST, "r-old")
    assert entries["old"].outputs == (Output(url=PICTURE, media_type="image/png"),)
    assert entries["words"].outputs == (Output(), Output(url=PICTURE, media_type="image/png"), Output())
    assert journal.ids() == {"r-old", "r-failed", "r-running"}
    for row in place.ask("SELECT * FROM job"):
        assert "the answer" not in str(row)
        assert "not allowed" not in str(row)


def test_what_was_forgotten_is_gone_from_the_file_too(journal: Journal, path: Path) -> None:
    intend(journal, "words")
    journal.finish(finished(None, outputs=(Output(text="the answer"),)), key="words")
    assert journal.forget(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    for file in path.parent.iterdir():
        assert b"the answer" not in file.read_bytes()


def test_one_account_forgets_for_itself(journal: Journal) -> None:
    ours, theirs = journal.account(ORIGIN, KEY), journal.account(ORIGIN, f"{KEY}x")
    finish(journal, "ours", account=ours)
    finish(journal, "theirs", account=theirs)
    assert journal.forget(before=datetime.now(UTC) + timedelta(hours=1), account=ours) == 1
    assert [entry.key for entry in journal.entries() if entry.call] == ["theirs"]


def test_no_secret_is_written_down_wherever_it_stands(journal: Journal, place: Place) -> None:
    body = {"options": [{"webhook_url": HOOK}, {"webhookUrl": f"{HOOK}2"}], "note": f"call {HOOK} then"}
    call = call_of("m", **body)
    journal.intend("m", call, None, intended_at=NOW, secrets=("https://client.example/t0k3n", KEY))
    journal.mark_unknown("m", f"no answer to webhook=https%3A%2F%2Fclient.example%2Ft0k3n by {KEY}")
    journal.accept("m", "r-m", COST)
    echo = {"input": {"webhook": HOOK}, HOOK: 1, "log": ["https://client.example/t0k3n", {"deep": f"Bearer {KEY}"}]}
    made = (Output(text=f"I was told {HOOK}"), Output(data=echo))
    journal.finish(finished("r-m", outputs=made, raw=echo, error=f"cannot reach {HOOK}"))
    journal.finish(
        finished("r-m", outputs=made, raw={"callback": "https://fresh.example/t0k3n"}),
        secrets=["https://fresh.example/t0k3n"],
    )

    (entry,) = journal.entries()

    assert entry.call == call_of("m", options=[{}, {}], note="call [hidden] then")
    assert entry.outputs[0].text == "I was told [hidden]"
    content = str(place.ask("SELECT * FROM job"))
    assert "t0k3n" not in content
    assert KEY not in content


def test_a_text_that_has_no_bytes_is_written_all_the_same(journal: Journal) -> None:
    journal.intend("m", call_of("m", note="half \ud83d"), None, intended_at=NOW)
    journal.mark_unknown("m", "half \ud83d")
    journal.accept("m", "r-m", COST)
    journal.finish(finished("r-m", raw={"note": "half \ud83d"}, outputs=(Output(text="half \ud83d"),)))
    (entry,) = journal.entries()
    assert (entry.state, entry.reason) == ("completed", None)


def test_a_text_with_a_nul_is_written_all_the_same(journal: Journal) -> None:
    journal.intend("m", call_of("m", note="nul \0"), None, intended_at=NOW, tag="t\0", run="r\0", run_key="k\0")
    journal.mark_unknown("m", "nul \0")
    journal.accept("m", "r-m", COST)
    journal.finish(finished("r-m", raw={"note": "nul \0"}, outputs=(Output(text="nul \0"), Output(url=PICTURE))))
    (entry,) = journal.entries(tag="t\0")
    assert (entry.state, entry.reason, entry.call) == ("completed", None, call_of("m", note="nul \0"))
    assert entry.outputs[0].text == "nul \0"
    assert journal.durations(fields=["note", "prompt"])[0][0] == "m"
    assert journal.find_item("r\0", "k\0", None, is_running=bool) is not None
    assert journal.forget(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert journal.entries()[0].outputs == (Output(), Output(url=PICTURE, media_type=None))


def test_a_key_of_a_run_may_be_a_whole_prompt(journal: Journal) -> None:
    prompt = "a fox, " * 5000
    intend(journal, "a", run="r", run_key=prompt, tag=prompt)
    found = journal.find_item("r", prompt, None, is_running=bool)
    assert found is not None
    assert found.entry.key == "a"
    with pytest.raises(errors.JournalError, match="already; nothing was sent"):
        intend(journal, "b", run="r", run_key=prompt)


def test_the_value_is_public_read_by_type_hints_and_loads_no_sqlite() -> None:
    assert Entry.__module__ == "muapi_client"
    assert "Entry" in muapi_client.__all__
    hints = typing.get_type_hints(Entry)
    assert hints["intended_at"] is datetime
    assert hints["cost"] == Cost | None
    entry = Entry(key="k", state="intent", slug="m", intended_at=NOW, changed_at=NOW)
    assert pickle.loads(pickle.dumps(entry)) == entry
    program = "import sys; from muapi_client import Entry; print('sqlite3' in sys.modules, 'httpx' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "False"]
