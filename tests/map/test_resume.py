"""A run goes on after whatever end: nothing is lost, and nothing is submitted twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from by_kind import make_company, make_edit, make_image, make_video
from faces import make_calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muapi_client import Budget, MuAPI, MuAPIError, Retry, errors
from muapi_client._state.journal.base import BaseJournal
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faces import Face
    from places import Place

RUN = "portraits"


@pytest.fixture
def journal(place: Place) -> Any:
    """What a client is given."""
    return place.location


@pytest.fixture
def client(open_client: Callable[..., Face], journal: Any) -> Callable[..., Face]:
    """``client()``: a new client on the journal, as a new process would have it."""
    return lambda **options: open_client(journal=journal, **options)


def test_what_was_finished_is_handed_out_again_and_not_paid_again(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    calls = make_calls(8)
    first = {outcome.key: outcome for outcome in client().map(calls, run=RUN)}
    again = {outcome.key: outcome for outcome in client().map(calls, run=RUN)}
    assert emulator.accepted == 8
    for key, outcome in again.items():
        assert outcome.error is None
        assert outcome.prediction.outputs == first[key].prediction.outputs
        assert outcome.prediction.cost == first[key].prediction.cost
        assert outcome.job.id == first[key].job.id
        assert outcome.prediction.call == calls[outcome.index]
        assert outcome.reused
        assert not first[key].reused


def test_what_was_accepted_is_waited_for_and_what_never_left_is_submitted(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    outcomes = client().map(make_calls(20), run=RUN, concurrency=6)
    first = next(outcomes)
    outcomes.close()
    before = emulator.accepted
    assert before < 20
    again = {outcome.key: outcome for outcome in client().map(make_calls(20), run=RUN)}
    assert emulator.accepted == 20
    assert all(outcome.error is None for outcome in again.values())
    assert again[first.key].job.id == first.job.id


def test_another_file_under_the_same_key_is_another_call_and_one_that_is_gone_is_no_matter(
    client: Callable[..., Face], emulator: Emulator, tmp_path: Path
) -> None:
    picture = tmp_path / "fox.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    calls = [make_edit(prompt="x", images_list=[picture])]
    (first,) = client().map(calls, run=RUN)
    (same,) = client().map(calls, run=RUN)
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(65))
    (other,) = client().map(calls, run=RUN)
    picture.unlink()
    (gone,) = client().map(calls, run=RUN)
    assert first.job.id == same.job.id == gone.job.id
    assert "with other local files" in str(other.error)
    assert other.prediction is None
    assert emulator.accepted == 1


def test_what_failed_is_told_again_and_not_paid_again(client: Callable[..., Face], emulator: Emulator) -> None:
    emulator.next(Outcome.failed("out of luck"))
    (first,) = client().map(make_calls(1), run=RUN)
    (again,) = client().map(make_calls(1), run=RUN)
    assert type(again.error) is type(first.error) is errors.JobFailedError
    assert "out of luck" in str(again.error)
    assert again.prediction.cost == first.prediction.cost
    assert emulator.accepted == 1


TEXT = "Foxes live in dens."
LINK = "https://cdn.muapi.ai/outputs/1.jpg"


def rewrite_end(path: Path, state: str, answer: dict[str, Any], outputs: list[Any], reason: str | None) -> None:
    """Have the journal's one job end as a version wrote it down that read answers otherwise."""
    with closing(sqlite3.connect(path)) as db, db:
        values = (state, json.dumps(answer), json.dumps(outputs), reason)
        assert db.execute("UPDATE job SET state = ?, said = ?, outputs = ?, reason = ?", values).rowcount == 1


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ({"data": TEXT}, {"text": TEXT}),
        ({"status": "in the can", "output": TEXT}, {"text": TEXT}),
        ({"status": "completed", "thumbnail_url": LINK}, {"url": LINK, "media_type": "image/jpeg"}),
        ({"status": "completed", "result": {"text": TEXT}, "error": "slow"}, {"text": TEXT}),
    ],
    ids=str,
)
def test_what_another_version_knew_to_be_finished_stays_so(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path, answer: dict[str, Any], output: dict[str, Any]
) -> None:
    journal = tmp_path / "jobs.db"
    (first,) = open_client(journal=journal).map(make_calls(1), run=RUN)
    rewrite_end(journal, "completed", {"id": first.job.id, **answer}, [output], None)
    (again,) = open_client(journal=journal).map(make_calls(1), run=RUN)
    assert (again.error, again.prediction.done, again.reused) == (None, True, True)
    assert [(made.text, made.url) for made in again.prediction.outputs] == [(output.get("text"), output.get("url"))]
    if "text" in output:  # a link is asked whether it is still there
        (reused,) = open_client(journal=journal, reuse=True).map(make_calls(1))
        assert [made.text for made in reused.prediction.outputs] == [TEXT]
    assert emulator.accepted == 1


def test_what_another_version_knew_to_have_failed_stays_so(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path
) -> None:
    journal = tmp_path / "jobs.db"
    (first,) = open_client(journal=journal).map(make_calls(1), run=RUN)
    rewrite_end(journal, "failed", {"id": first.job.id, "status": "processing", "error": "None"}, [], "None")
    (again,) = open_client(journal=journal).map(make_calls(1), run=RUN)
    assert isinstance(again.error, errors.JobFailedError)
    assert emulator.accepted == 1


def test_what_was_forgotten_keeps_its_outputs(client: Callable[..., Face], emulator: Emulator) -> None:
    from datetime import UTC, datetime, timedelta

    (first,) = client().map(make_calls(1), run=RUN)
    client().ask("forget", before=datetime.now(UTC) + timedelta(days=1))
    (again,) = client().map(make_calls(1), run=RUN)
    assert again.prediction.outputs[0].url == first.prediction.outputs[0].url
    assert again.prediction.done
    assert emulator.accepted == 1


def test_what_may_have_been_charged_is_not_submitted_again(client: Callable[..., Face], emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(3), run=RUN, concurrency=1))
    again = list(client().map(make_calls(3), run=RUN, ordered=True))
    assert [type(outcome.error) for outcome in again] == [errors.SubmitOutcomeUnknownError, type(None), type(None)]
    assert emulator.accepted == 3
    client().ask("settle", again[0].error, None)  # its key is told, so its user can settle it
    assert client().ask("unknown") == []


def test_its_user_may_have_it_submitted_again(client: Callable[..., Face], emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(3), run=RUN, concurrency=1))
    assert [outcome.error for outcome in client().map(make_calls(3), run=RUN, retry_unknown=True)] == [None] * 3
    assert emulator.accepted == 4
    (lost,) = client().ask("unknown")
    assert (lost.run, lost.run_key) == (RUN, None)
    list(client().map(make_calls(3), run=RUN, retry_unknown=True))
    assert emulator.accepted == 4


@pytest.mark.parametrize("limit", [{"max_spend": "0.000001"}, {"budget": Budget("0.000001", per="ever")}])
def test_what_may_have_been_charged_stays_told_where_submitting_it_again_is_refused(
    client: Callable[..., Face], emulator: Emulator, limit: dict[str, Any]
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(1), run=RUN))
    (refused,) = client(**limit).map(make_calls(1), run=RUN, retry_unknown=True)
    assert isinstance(refused.error, errors.SpendLimitError)
    (again,) = client().map(make_calls(1), run=RUN)
    assert isinstance(again.error, errors.SubmitOutcomeUnknownError)
    assert emulator.accepted == 1
    (paid,) = client().map(make_calls(1), run=RUN, retry_unknown=True)
    assert paid.prediction.done
    assert emulator.accepted == 2


BUDGETS = (None, Budget(5), Budget("0.000001"))  # the last has room for nothing


def test_a_doubt_has_its_place_until_the_next_intent_is_written(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed before, while it asks for a price, uploads or waits for its turn, has lost no doubt."""
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(1), run=RUN))
    places: list[str | None] = []
    intend = BaseJournal.intend

    def note_before(journal: BaseJournal, *given: Any, **named: Any) -> Any:
        places.extend(entry.run_key for entry in journal.entries())
        places.append(str(emulator.requests_seen))
        return intend(journal, *given, **named)

    monkeypatch.setattr(BaseJournal, "intend", note_before)
    asked = emulator.requests_seen
    (paid,) = client(max_spend=5).map(make_calls(1), run=RUN, retry_unknown=True)
    assert paid.prediction.done
    place, seen = places
    assert place == "0"
    assert int(seen or 0) > asked + 1  # the history was looked through, and the price asked for


@pytest.mark.parametrize("case", [(budget, fault) for budget in BUDGETS for fault in (None, Fault.REFUSE)])
def test_who_is_killed_between_two_statements_leaves_the_place_of_a_doubt_taken(
    client: Callable[..., Face],
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    place: Place,
    case: tuple[Budget | None, Fault | None],
) -> None:
    """What others read before each of them is what a kill would leave."""
    budget, fault = case
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(1), run=RUN))
    places: list[list[tuple[Any, ...]]] = []
    intend = BaseJournal.intend

    def look() -> None:
        places.append(place.ask("SELECT run_key FROM job WHERE run_key IS NOT NULL"))

    def refuse_next(journal: BaseJournal, *given: Any, **named: Any) -> Any:
        emulator.next_fault(*[fault] * 20 if fault is not None else [])
        return intend(journal, *given, **named)

    place.before_each_statement(look, monkeypatch)
    monkeypatch.setattr(BaseJournal, "intend", refuse_next)
    (outcome,) = client(budget=budget).map(make_calls(1), run=RUN, retry_unknown=True)
    look()
    is_full = budget is not None and budget.usd < 1
    assert isinstance(outcome.error, errors.SpendLimitError) is is_full
    assert (outcome.error is None) is (fault is None and not is_full)
    assert len(places) > 4
    assert {tuple(each) for each in places} == {(("0",),)}


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.TOO_MANY])
def test_a_doubt_has_its_place_again_where_the_next_submit_is_refused(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(1), run=RUN))
    intend = BaseJournal.intend

    def refuse_next(journal: BaseJournal, *given: Any, **named: Any) -> Any:
        emulator.next_fault(*[fault] * 20)
        return intend(journal, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(BaseJournal, "intend", refuse_next)
        (refused,) = client().map(make_calls(1), run=RUN, retry_unknown=True)
    assert isinstance(refused.error, (errors.APIConnectionError, errors.RateLimitError))
    assert "that one may have been charged: mu.unknown() lists it" in refused.error.__notes__[-1]
    assert [(entry.state, entry.run_key) for entry in client().ask("jobs", run=RUN)] == [("unknown", "0")]


def test_a_budget_that_has_no_room_for_a_second_try_leaves_the_first_one_told(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    emulator.next_fault(None, Fault.RESET_AFTER_ACCEPT)  # the price is asked for first
    face = client(budget=Budget("0.02", per="run"))
    (refused,) = face.map(make_calls(1), run=RUN, retry_unknown=True)
    assert isinstance(refused.error, errors.SpendLimitError)
    assert "that one may have been charged: mu.unknown() lists it" in refused.error.__notes__[-1]
    assert len(face.ask("unknown")) == emulator.accepted == 1


def test_a_doubt_that_another_process_settles_just_before_the_second_try_is_waited_for(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    (lost,) = client().map(make_calls(1), run=RUN)
    (job,) = emulator.jobs()
    intend = BaseJournal.intend

    def settle_before(*given: Any, **named: Any) -> Any:
        place.open().settle(lost.error.key, job["id"])
        return intend(*given, **named)

    monkeypatch.setattr(BaseJournal, "intend", settle_before)
    (outcome,) = client().map(make_calls(1), run=RUN, retry_unknown=True)
    assert isinstance(lost.error, errors.SubmitOutcomeUnknownError)
    assert (outcome.error, outcome.job.id) == (None, job["id"])
    assert emulator.accepted == 1


def test_a_journal_that_is_gone_before_the_second_try_leaves_the_doubt_told(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    intend = BaseJournal.intend

    def refuse(journal: BaseJournal, *given: Any, replaces: Any, **named: Any) -> Any:
        if replaces is not None:
            raise errors.JournalError("journal jobs.db: the disk is full")
        return intend(journal, *given, replaces=replaces, **named)

    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    monkeypatch.setattr(BaseJournal, "intend", refuse)
    (outcome,) = client().map(make_calls(1), run=RUN, retry_unknown=True)
    assert isinstance(outcome.error, errors.SubmitOutcomeUnknownError)
    assert "It was not submitted again: journal jobs.db: the disk is full" in outcome.error.__notes__
    assert emulator.accepted == 1


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock of this system tells how long it slept")
def test_what_slept_before_it_left_leaves_no_more_once_another_machine_may_have_taken_it_up(
    client: Callable[..., Face], emulator: Emulator, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Any] = []
    boot, intend = time.clock_gettime, BaseJournal.intend

    def intend_and_sleep(journal: BaseJournal, *given: Any, **named: Any) -> Any:
        full = intend(journal, *given, **named)
        with monkeypatch.context() as awake:
            awake.setattr(BaseJournal, "intend", intend)
            place.change("UPDATE job SET owner = ?, lease = ?", "laptop@0:1:0-0:token", "2026-01-01T00:00:00+00:00")
            emulator.clock.sleep(7200)
            others.extend(client(clock=emulator.clock).map(make_calls(1), run=RUN))
        monkeypatch.setattr(time, "clock_gettime", lambda which: boot(which) + 7200)
        return full

    monkeypatch.setattr(BaseJournal, "intend", intend_and_sleep)
    (slept,) = client().map(make_calls(1), run=RUN)
    assert [outcome.error for outcome in others] == [None]
    assert slept.error is None
    assert slept.job.id == others[0].job.id
    assert emulator.accepted == 1
    assert place.states() == ["completed"]


def test_what_the_history_proves_was_never_accepted_is_submitted(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    emulator.next_fault(Fault.RESET_BEFORE_ACCEPT)
    (lost,) = client().map(make_calls(1), run=RUN)
    assert isinstance(lost.error, errors.SubmitOutcomeUnknownError)
    emulator.clock.sleep(7200)  # no gateway goes on with it for so long
    (found,) = client(clock=emulator.clock).map(make_calls(1), run=RUN)
    assert found.error is None
    assert emulator.accepted == 1
    assert client().ask("unknown") == []


def test_many_that_the_history_proves_were_never_accepted_are_submitted_at_once(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    """One that is on its way again is no reason to doubt what is proven of the next."""
    emulator.next_fault(*[Fault.RESET_BEFORE_ACCEPT] * 30)
    list(client().map(make_calls(30), run=RUN))
    assert emulator.accepted == 0
    emulator.clock.sleep(7200)
    again = list(client(clock=emulator.clock).map(make_calls(30), run=RUN))
    assert [outcome.error for outcome in again] == [None] * 30
    assert emulator.accepted == 30


def test_a_job_of_the_history_is_never_taken_for_the_lost_one_without_its_users_word(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    """The history tells neither prompt nor program: a job of the model and time may be anybody's."""
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(client().map(make_calls(1), run=RUN))
    emulator.clock.sleep(7200)
    later = client(clock=emulator.clock)
    (told,) = later.map(make_calls(1), run=RUN)
    assert isinstance(told.error, errors.SubmitOutcomeUnknownError)
    (candidate,) = later.ask("reconcile", told.error)
    assert candidate.id in str(told.error)
    later.ask("settle", told.error, candidate)
    (found,) = client(clock=emulator.clock).map(make_calls(1), run=RUN)
    assert found.job.id == candidate.id
    assert emulator.accepted == 1


def test_a_look_at_a_candidate_is_no_word_on_it_so_that_nothing_is_paid_twice_for_it(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    """Of two lost submits of a model one was accepted: which of them, only the picture tells."""
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT, Fault.RESET_BEFORE_ACCEPT)
    list(client().map(make_calls(2), run=RUN, concurrency=1))
    emulator.clock.sleep(7200)
    later = client(clock=emulator.clock)
    offered = {job.id for lost in later.ask("unknown") for job in later.ask("reconcile", lost)}
    (candidate,) = offered
    assert later.ask("look", candidate).done
    assert later.ask("wait", candidate).done
    assert [lost.run_key for lost in later.ask("unknown")] == ["0", "1"]
    again = list(client(clock=emulator.clock).map(make_calls(2), run=RUN, ordered=True))
    assert [type(outcome.error) for outcome in again] == [errors.SubmitOutcomeUnknownError] * 2
    assert emulator.accepted == 1


def test_another_call_under_a_known_key_is_refused_by_name(client: Callable[..., Face], emulator: Emulator) -> None:
    list(client().map(make_calls(2), run=RUN))
    changed = [make_image(prompt="fox 0"), make_video(prompt="fox 1")]
    first, second = client().map(changed, run=RUN, ordered=True)
    assert first.error is None
    assert type(second.error) is MuAPIError
    assert "knows '1' as another call" in str(second.error)
    assert "fox 1" in str(second.error)
    assert emulator.accepted == 2


def test_a_call_that_was_given_an_idempotency_key_is_the_same_one(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    call = make_company(domain="fox.example")
    assert [outcome.error for outcome in client().map([call], run=RUN)] == [None]
    (again,) = client().map([call], run=RUN)
    assert (again.error, again.reused) == (None, True)
    (other,) = client().map([evolve(call, body={**call.body, "idempotency_key": "mine"})], run=RUN)
    assert "knows '0' as another call" in str(other.error)
    assert emulator.accepted == 1


@pytest.mark.parametrize("run", [None, RUN])
def test_what_is_submitted_again_under_its_idempotency_key_is_charged_once(
    client: Callable[..., Face], emulator: Emulator, run: str | None
) -> None:
    emulator.next_fault(*[Fault.RESET_AFTER_ACCEPT] * 3)  # as often as a submit is sent
    face = client(retry=Retry(attempts=3))
    (outcome,) = face.map([make_company(domain="fox.example")], run=run, retry_unknown=True)
    assert outcome.error is None
    assert emulator.accepted == 1
    assert face.ask("unknown") == []


def test_a_run_begun_again_repeats_a_lost_call_under_its_idempotency_key(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    call = make_company(domain="fox.example")
    (lost,) = client(retry=Retry(attempts=1)).map([call], run=RUN)
    assert isinstance(lost.error, errors.SubmitOutcomeUnknownError)
    (outcome,) = client().map([call], run=RUN, retry_unknown=True)
    assert outcome.error is None
    assert emulator.accepted == 1


def test_a_call_with_other_parameters_is_another_call(client: Callable[..., Face], emulator: Emulator) -> None:
    """As of an operation whose path, or query, names what is to be made anew; its body may be the same."""
    call = make_image(prompt="a fox")
    first, second = evolve(call, query={"shot": 1}), evolve(call, query={"shot": 2})
    assert [outcome.error for outcome in client().map([first], run=RUN)] == [None]
    (same,) = client().map([first], run=RUN)
    assert (same.error, same.reused) == (None, True)
    (other,) = client().map([second], run=RUN)
    assert "knows '0' as another call" in str(other.error)
    assert emulator.accepted == 1


def test_another_key_of_the_api_has_runs_of_its_own(client: Callable[..., Face], emulator: Emulator) -> None:
    list(client(key="sk-test", expect="sandbox").map(make_calls(1), run=RUN))
    (outcome,) = client().map(make_calls(1), run=RUN)
    assert "as a job of another API or key" in str(outcome.error)
    assert emulator.accepted == 0  # live jobs


def test_a_run_hands_out_no_sample_where_a_live_answer_is_expected(
    client: Callable[..., Face], emulator: Emulator
) -> None:
    """Neither its own nor one that another job had made."""
    calls = make_calls(2)
    list(client(key="sk-test", expect="sandbox").map(calls[:1], run=RUN))
    list(client(key="sk-test", expect="sandbox").map(calls, run="other", reuse=True))
    for run in (RUN, "other"):
        for outcome in client(key="sk-test", expect="live").map(calls, run=run):
            assert isinstance(outcome.error, errors.SandboxMismatchError)
    for outcome in client(key="sk-test", expect="sandbox").map(calls, run="other"):
        assert (outcome.error, outcome.reused) == (None, True)


def test_a_webhook_is_no_difference(client: Callable[..., Face], emulator: Emulator) -> None:
    hook = "https://example.com/hook?secret=c2VjcmV0c2VjcmV0"
    list(client(webhook=hook).map(make_calls(1), run=RUN))
    (outcome,) = client(webhook=hook).map(make_calls(1), run=RUN)
    assert outcome.error is None
    assert emulator.accepted == 1


def test_files_that_were_saved_are_known_again(client: Callable[..., Face], tmp_path: Path) -> None:
    (first,) = client().map(make_calls(1), run=RUN, download_to=tmp_path / "out")
    (again,) = client().map(make_calls(1), run=RUN, download_to=tmp_path / "out")
    assert again.files == first.files
    assert len(list((tmp_path / "out").iterdir())) == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(1, 6))
def test_however_often_it_is_left_each_call_is_accepted_once(place: Place, stops: list[int], concurrency: int) -> None:
    emulator = Emulator(job_seconds=10)
    path = place.anew().location
    for stop in stops:
        with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
            outcomes = mu.map(make_calls(12), run=RUN, concurrency=concurrency)
            for _ in range(stop):
                next(outcomes, None)
            outcomes.close()
    with MuAPI("sk-live", transport=emulator.transport(), journal=path) as mu:
        told = {outcome.index: outcome.error for outcome in mu.map(make_calls(12), run=RUN, concurrency=concurrency)}
        assert told == dict.fromkeys(range(12))
    assert emulator.accepted == 12


PROGRAM = """
import json, sys
from by_kind import make_image
from muapi_client import MuAPI, Polling
url, journal = sys.argv[1:3]
with MuAPI("sk-live", url, journal=journal, polling=Polling(minimum=0.05, maximum=0.2)) as mu:
    print("ready", flush=True)
    for outcome in mu.map([make_image(prompt=f"fox {n}") for n in range(30)], run="portraits", concurrency=6):
        print(json.dumps([outcome.key, outcome.job and outcome.job.id, repr(outcome.error)]), flush=True)
"""


def begin_program(url: str, journal: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, url, str(journal)]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_on_one_run_share_its_calls(journal: Any) -> None:
    emulator = Emulator(job_seconds=0.3)
    with emulator.serve() as url:
        programs = [begin_program(url, journal) for _ in range(2)]
        told = [program.communicate(timeout=120) for program in programs]
    outcomes = [[json.loads(line) for line in out.splitlines()[1:]] for out, _ in told]
    assert emulator.accepted == 30, told
    assert sorted(outcomes[0]) == sorted(outcomes[1])
    assert {error for _, _, error in outcomes[0]} == {"None"}


def test_a_killed_process_leaves_a_run_that_goes_on(journal: Any) -> None:
    emulator = Emulator(job_seconds=0.3)
    with emulator.serve() as url:
        program = begin_program(url, journal)
        assert program.stdout is not None
        for _ in range(6):
            program.stdout.readline()
        program.send_signal(signal.SIGKILL)
        program.communicate(timeout=60)
        out, err = begin_program(url, journal).communicate(timeout=120)
    outcomes = [json.loads(line) for line in out.splitlines()[1:]]
    assert len({key for key, _, _ in outcomes}) == 30, err
    doubtful = sum("SubmitOutcomeUnknownError" in error for _, _, error in outcomes)
    assert sum(error == "None" for _, _, error in outcomes) == 30 - doubtful
    assert 30 - doubtful <= emulator.accepted <= 30


def test_an_entry_of_a_run_tells_its_run_and_key(client: Callable[..., Face], place: Place) -> None:
    list(client().map(make_calls(2), run=RUN))
    entries: list[Any] = place.open().entries(run=RUN)
    assert sorted((entry.run, entry.run_key) for entry in entries) == [(RUN, "0"), (RUN, "1")]
