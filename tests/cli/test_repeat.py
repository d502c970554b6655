"""``run -n``, and the options of ``run`` that limit it, book it or take an answer of before."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, STREAM, price_of

from muapi_client import MuAPI, catalog
from muapi_client.cli._config import default_journal
from muapi_client.cli._many import Record
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client import Entry

Call = Any  # the fixture `call`; see conftest
RUN = ("run", IMAGE.slug, "prompt=x")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries() -> Iterator[Entry]:
    with MuAPI("sk-live", journal=default_journal()) as mu:
        yield from mu.jobs()


def test_a_run_is_repeated_side_by_side(call: Call, emulator: Emulator, here: Path) -> None:
    said = call(*RUN, "-n", "4", "--out", "out", "--name", "fox{key}")
    assert (said.code, emulator.accepted) == (0, 4)
    assert sorted(said.out.splitlines()) == [str(Path(f"out/fox{n}-0.png")) for n in (1, 2, 3, 4)]
    books = re.sub(r"\d+:\d\d:\d\d", "T", said.err.splitlines()[-1])
    assert books == f"{IMAGE.slug}: 4 of 4 done in T: 4 finished; 0.06 USD charged."
    runs = {(entry.run, entry.run_key) for entry in entries()}
    assert len(runs) == 4
    assert len({run for run, _ in runs}) == 1


def test_the_same_run_again_is_another_one(call: Call, emulator: Emulator) -> None:
    for _ in range(2):
        assert call(*RUN, "-n", "2").code == 0
    assert emulator.accepted == 4


def test_of_runs_that_were_not_begun_no_command_is_said_to_begin_them(call: Call, emulator: Emulator) -> None:
    said = call(*RUN, "-n", "80", "--budget", "0.03/run")
    assert (said.code, emulator.accepted) == (12, 2)
    books = said.err.splitlines()[-1]
    assert "2 of 80 done" in books
    assert sum(int(count) for count in re.findall(r"(\d+) not (?:sent|begun)", books)) == 78
    assert "muapi-client resume" not in said.err.splitlines()[-1]


def test_the_worst_of_them_is_the_exit_code(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.completed(), Outcome.failed("no"))
    told = call(*RUN, "-n", "3", "--output=json")
    assert told.code == 10
    assert (told.json["finished"], told.json["failed"]) == (2, 1)
    assert told.json["run"].startswith(IMAGE.slug)
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    assert call(*RUN, "-n", "3", "--no-journal").code == 9


def test_an_estimate_is_of_all(call: Call) -> None:
    assert call(*RUN, "-n", "4", "--estimate").out == "0.06 USD\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["run", IMAGE.slug, "prompt=x", "-n", "2", "--no-wait"], "leave --no-wait out"),
        (["run", IMAGE.slug, "prompt=x", "--out", "out", "--no-wait"], "leave --no-wait out"),
        (["run", STREAM.slug, "prompt=x", "-n", "2"], "leave -n out"),
        (["run", IMAGE.slug, "prompt=x", "-n", "2", "--out", "o", "--name", "fox"], "run 1 and run 2 would both"),
        (["run", IMAGE.slug], f"models show {IMAGE.slug}"),
        (["run", IMAGE.slug, "prompt=x", "--reuse", "--no-journal"], "--reuse answers from the journal"),
        (["run", IMAGE.slug, "prompt=x", "--webhook", "nowhere"], "webhook"),
    ],
)
def test_what_cannot_go_together_is_refused_before_anything_is_sent(
    call: Call, emulator: Emulator, words: list[str], complaint: str
) -> None:
    said = call(*words)
    assert said.code in {1, 8}
    assert complaint in said.err
    assert not emulator.requests


def test_a_run_with_no_field_is_asked_for(call: Call, emulator: Emulator) -> None:
    assert call("run", IMAGE.slug, "--empty").code == 0
    assert emulator.accepted == 1


def test_a_tag_is_kept_with_the_job(call: Call) -> None:
    call(*RUN, "--tag", "zoo")
    assert [entry.tag for entry in entries()] == ["zoo"]


def test_reuse_takes_the_answer_of_an_equal_job(call: Call, emulator: Emulator) -> None:
    call(*RUN)
    again = call(*RUN, "--reuse")
    assert (again.code, emulator.accepted) == (0, 1)
    assert "answered from the journal, nothing was charged" in again.err
    told = call(*RUN, "--reuse", "--output=json").json
    assert (told["reused"], told["charged_usd"]) == (True, 0.0)


def test_at_ctrl_c_a_submit_that_follows_an_equal_job_that_failed_is_told_as_what_it_is(
    call: Call, emulator: Emulator
) -> None:
    class Interrupted(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = inside.handle_request(request)
            if request.method == "POST":
                raise KeyboardInterrupt
            return answer

    inside = emulator.transport()
    Interrupted.clock = inside.clock  # type: ignore[attr-defined] - the client's, as the emulator's own has it
    emulator.next(Outcome.failed("no"))
    call(*RUN, "--no-wait")
    said = call(*RUN, "--reuse", "--output=json", transport=Interrupted())
    told = said.events[-1]
    assert (said.code, told["in_doubt"], told["request_id"]) == (130, True, None)
    assert "it may have been accepted and charged" in told["error"]
    assert emulator.accepted == 2


def test_a_webhook_is_posted_to(call: Call, emulator: Emulator) -> None:
    call(*RUN, "--webhook", "https://hooks.example/SECRET-TOKEN")
    (posted,) = [each for each in emulator.requests if each.request.method == "POST"]
    assert dict(posted.request.query)["webhook"] == "https://hooks.example/SECRET-TOKEN"


def test_a_limit_takes_a_price_for_what_nobody_prices(call: Call, emulator: Emulator) -> None:
    raw = ("run", "brand/new", "--raw", "prompt=x")
    refused = call(*raw, "--max-spend", "1")
    assert refused.code == 12
    assert "--unpriced 0.50, say, sets that aside" in refused.err
    assert call(*raw, "--max-spend", "1", "--unpriced", "0.5").code == 5  # it is sent, and the server has no such model
    assert emulator.accepted == 0


@pytest.mark.parametrize("form", ["plain", "json"])
def test_what_was_paid_for_is_told_where_nobody_takes_the_results(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    def fail(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("muapi_client.cli._exit.abandon_stdout", lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout.write", fail)
        said = call(*RUN, "-n", "3", "--no-journal", "--output", form)
    assert (said.code, emulator.accepted) == (1, 3)
    told = said.events[0] if form == "json" else said.err
    assert {job["id"] for job in emulator.jobs()} == set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(told)))


def test_as_json_what_had_ended_is_told_at_ctrl_c_for_nobody_else_may_know_of_it(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(record: Record, outcome: Any, task: Any) -> None:
        taking(record, outcome, task)
        if len(record.codes) == 2:
            raise KeyboardInterrupt

    taking = Record.take
    monkeypatch.setattr(Record, "take", take)
    said = call(*RUN, "-n", "5", "--no-journal", "--output=json")
    assert said.code == 130
    assert [row["state"] for row in said.json["rows"][:2]] == ["finished", "finished"]
    assert {row["request_id"] for row in said.json["rows"]} == {job["id"] for job in emulator.jobs()}
    assert (said.json["jobs"], said.json["not_begun"]) == (5, 5 - emulator.accepted)
    assert said.json["charged_usd"] == said.events[-1]["charged_usd"] == float(emulator.charged_usd)


def test_what_many_jobs_cost_together_is_told_before_any_of_them(call: Call, emulator: Emulator) -> None:
    limit = price_of(IMAGE, 3.4)
    said = call("run", IMAGE.slug, "prompt=x", "-n", "5", "--max-spend", limit)
    assert said.err.splitlines()[0] == (
        f"price: about {price_of(IMAGE, 5)} USD ({price_of(IMAGE)} each), by the price list's example; the limit of"
        f" {limit} USD has room for 3 of them at most"
    )
    assert said.code == 12
    assert emulator.charged_usd <= Decimal(limit)
    assert emulator.accepted < 5
    assert "price: " not in call("run", IMAGE.slug, "prompt=x", "-n", "2", "--quiet").err
    assert "price: " not in call("run", IMAGE.slug, "prompt=x", "--output=json").err


def test_the_price_said_before_a_run_is_that_of_its_input(call: Call) -> None:
    limit = price_of(IMAGE, 1.4)
    said = call("run", IMAGE.slug, "prompt=x", "num_images=4", "--max-spend", limit)
    assert said.err.splitlines()[0] == (
        f"price: about {price_of(IMAGE, 4)} USD, by the price list's example; the limit of {limit} USD has room for"
        " none of them"
    )
    wide = call("run", IMAGE.slug, "prompt=x", "width=512").err.splitlines()[0]
    asks = "which this input may change: --estimate asks"
    assert wide == f"price: about {price_of(IMAGE)} USD, by the price list's example, {asks}"
    assert call("run", IMAGE.slug, "prompt=x", "width=1024").err.splitlines()[0].endswith("by the price list's example")


@pytest.mark.parametrize("option", ["--estimate", "--dry-run"])
def test_names_that_clash_are_told_by_who_asks_first(call: Call, emulator: Emulator, here: Path, option: str) -> None:
    said = call("run", IMAGE.slug, "prompt=x", "-n", "2", "--out", "o", "--name", "fox", option)
    assert (said.code, len(emulator.requests)) == (8, 0)
    assert call("run", IMAGE.slug, "prompt=x", "-n", "2", "--out", "o", option).code == 0
    assert not (here / "o").exists()


def test_that_nobody_knows_a_price_is_told_before_it_is_paid(call: Call) -> None:
    unpriced = next(model for model in catalog.all() if model.price is None and not model.streams)
    words = ("run", unpriced.slug, "--raw", "--empty")
    assert call(*words).err.splitlines()[0] == (
        f"price: nobody tells what {unpriced.slug} costs before it runs, and no limit is set: --max-spend USD would"
        " refuse it"
    )
    limited = call(*words, "--max-spend", "1")
    assert (limited.code, "price: " in limited.err) == (12, False)
