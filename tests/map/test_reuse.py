"""A map that reuses pays for no call twice, however often it is begun, under one run or several."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_edit
from faces import Face, make_calls

from muapi_client import errors, raw_call
from muapi_client.emulator import Fault
from muapi_client.emulator import Outcome as EmulatedOutcome
from muapi_client.errors import UploadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Place

    from muapi_client.emulator import Emulator


def test_a_map_pays_for_new_calls_alone(open_client: Callable[..., Face], emulator: Emulator, place: Place) -> None:
    face = open_client(journal=place.location)
    list(face.map(make_calls(3)))
    charged = emulator.charged_usd
    shown: list[Any] = []

    outcomes = list(face.map(make_calls(5), reuse=True, ordered=True, on_progress=shown.append))

    assert [outcome.reused for outcome in outcomes] == [True, True, True, False, False]
    assert all(outcome.error is None and outcome.prediction.outputs for outcome in outcomes)
    assert emulator.accepted == 5
    assert (shown[-1].finished, shown[-1].running) == (5, 0)
    assert shown[-1].charged_usd == emulator.charged_usd - charged > Decimal(0)


def test_another_run_reuses_what_a_first_one_made_and_saves_it(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path, place: Place
) -> None:
    face = open_client(journal=place.location, reuse=True)
    list(face.map(make_calls(3), run="first"))

    outcomes = list(face.map(make_calls(3), run="second", download_to=tmp_path / "pictures"))

    assert [outcome.reused for outcome in outcomes] == [True] * 3
    assert len({path for outcome in outcomes for path in outcome.files}) == 3
    assert emulator.accepted == 3
    assert [outcome.reused for outcome in face.map(make_calls(3), run="third", reuse=False)] == [False] * 3


def test_a_run_knows_what_other_jobs_answered_and_pays_for_none_of_it_without_reuse(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    list(open_client(journal=place.location).map(make_calls(1), run="first"))
    calls = [*make_calls(3), *make_calls(3)]  # each twice
    keys = list("abcdef")
    begun = {
        outcome.key: outcome
        for outcome in open_client(journal=place.location, reuse=True).map(
            calls, run="second", key=lambda index, _: keys[index], concurrency=1
        )
    }
    charged = emulator.charged_usd
    shown: list[Any] = []

    face = open_client(journal=place.location)
    outcomes = list(face.map(calls, run="second", key=lambda index, _: keys[index], on_progress=shown.append))

    assert {outcome.key: outcome.prediction.outputs for outcome in outcomes} == {
        key: outcome.prediction.outputs for key, outcome in begun.items()
    }
    assert all(outcome.reused and outcome.error is None for outcome in outcomes)
    costs = {outcome.key: outcome.prediction.cost for outcome in outcomes if not outcome.prediction.reused}
    assert costs.keys() == {"b", "c"}
    assert all(outcome.prediction.cost is None for outcome in outcomes if outcome.key not in costs)
    assert shown[-1].charged_usd == sum(cost.charged_usd for cost in costs.values())
    assert (emulator.accepted, emulator.charged_usd) == (3, charged)
    assert [len(list(face.ask("jobs", run=run))) for run in ("first", "second")] == [1, 2]
    assert sum(row["jobs"] for row in face.ask("spend_report", by="run")) == 3


def test_so_it_does_of_a_job_that_it_waited_for(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    job = open_client(journal=place.location).ask("submit", make_calls(1)[0])
    list(open_client(journal=place.location, reuse=True).map(make_calls(1), run="other"))

    (outcome,) = open_client(journal=place.location).map(make_calls(1), run="other")

    assert (outcome.error, outcome.reused, outcome.prediction.id) == (None, True, job.id)
    assert emulator.accepted == 1


@pytest.mark.parametrize("retry_unknown", [False, True])
def test_so_it_does_of_a_call_whose_own_submit_is_in_doubt(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, *, retry_unknown: bool
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    (lost,) = open_client(journal=place.location).map(make_calls(1), run="second")
    assert isinstance(lost.error, errors.SubmitOutcomeUnknownError)
    list(open_client(journal=place.location).map(make_calls(1), run="first"))
    list(open_client(journal=place.location, reuse=True).map(make_calls(1), run="second", retry_unknown=True))

    face = open_client(journal=place.location)
    (outcome,) = face.map(make_calls(1), run="second", retry_unknown=retry_unknown)

    assert (outcome.error, outcome.reused, emulator.accepted) == (None, True, 2)
    assert [entry.run for entry in face.ask("unknown")] == ["second"]


def test_another_call_under_a_key_that_a_reused_answer_has_is_refused(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    list(open_client(journal=place.location).map(make_calls(1)))
    list(open_client(journal=place.location, reuse=True).map(make_calls(1), run="other"))

    (refused,) = open_client(journal=place.location).map(make_calls(2)[1:], run="other")

    assert "run 'other' knows '0' as another call" in str(refused.error)
    assert emulator.accepted == 1


def test_local_files_are_the_same_to_it_under_other_names(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, tmp_path: Path
) -> None:
    edits = []
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
        edits.append(make_edit(prompt="by night", images_list=[tmp_path / name]))
    list(open_client(journal=place.location).map(edits[:1], run="first"))
    list(open_client(journal=place.location, reuse=True).map(edits[1:], run="second"))

    (outcome,) = open_client(journal=place.location).map(edits[1:], run="second")

    assert (outcome.error, outcome.reused) == (None, True)
    assert emulator.accepted == 1


def test_what_was_forgotten_stays_answered(open_client: Callable[..., Face], emulator: Emulator, place: Place) -> None:
    list(open_client(journal=place.location).map(make_calls(1)))
    face = open_client(journal=place.location, reuse=True)
    list(face.map(make_calls(1), run="other"))
    face.ask("forget", before=datetime.now(UTC) + timedelta(days=1))

    (outcome,) = open_client(journal=place.location).map(make_calls(1), run="other")

    assert (outcome.error, outcome.reused) == (None, True)
    assert emulator.accepted == 1


def test_a_call_that_cannot_be_read_ends_no_other(
    open_client: Callable[..., Face], emulator: Emulator, tmp_path: Path
) -> None:
    closed = io.BytesIO(b"\x89PNG")
    closed.close()
    face = open_client(journal=tmp_path / "jobs.db", reuse=True)
    calls = [*make_calls(2), raw_call("m", {"image_url": closed}), *make_calls(4)[2:]]

    outcomes = list(face.map(calls, ordered=True))

    assert [type(outcome.error) for outcome in outcomes] == [type(None)] * 2 + [UploadError] + [type(None)] * 2
    assert emulator.accepted == 4


@pytest.mark.parametrize("run", [None, "second"])
def test_a_call_that_asks_what_may_have_been_charged_is_not_submitted(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, run: str | None
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    (lost,) = open_client(journal=place.location).map(make_calls(1), run="first")
    face = open_client(journal=place.location, reuse=True)

    first, second = face.map(make_calls(2), run=run, ordered=True)

    assert isinstance(first.error, errors.SubmitOutcomeUnknownError)
    assert first.error.key == lost.error.key
    assert "a call that asks the same was sent at" in str(first.error)
    assert second.error is None
    assert emulator.accepted == 2
    *_, job = emulator.jobs()
    face.ask("settle", first.error, job["id"])
    (found,) = face.map(make_calls(1), run=run and "third")
    assert (found.error, found.prediction.id) == (None, job["id"])
    assert emulator.accepted == 2


@pytest.mark.parametrize("run", [None, "second"])
def test_its_user_may_have_it_submitted_all_the_same(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, run: str | None
) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    list(open_client(journal=place.location).map(make_calls(1), run="first"))
    face = open_client(journal=place.location, reuse=True)

    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    (outcome,) = face.map(make_calls(1), run=run, retry_unknown=True)

    assert outcome.error is None
    assert emulator.accepted == 3
    assert len(face.ask("unknown")) == 2


def test_what_was_never_accepted_is_submitted(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    emulator.next_fault(Fault.RESET_BEFORE_ACCEPT)
    list(open_client(journal=place.location).map(make_calls(1)))
    emulator.clock.sleep(7200)  # no gateway goes on with it for so long
    face = open_client(journal=place.location, reuse=True, clock=emulator.clock)

    (outcome,) = face.map(make_calls(1))

    assert (outcome.error, outcome.reused) == (None, False)
    assert emulator.accepted == 1
    assert face.ask("unknown") == []


def test_a_job_that_asks_the_same_and_has_not_ended_is_waited_for(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    first = open_client(journal=place.location)
    job = first.ask("submit", make_calls(1)[0])
    face = open_client(journal=place.location, reuse=True)
    shown: list[Any] = []

    outcomes = list(face.map([*make_calls(1), *make_calls(1)], run="other", on_progress=shown.append))

    assert [(each.error, each.job.id, each.reused) for each in outcomes] == [(None, job.id, True)] * 2
    assert all(each.prediction.done and each.prediction.cost is None for each in outcomes)
    assert (shown[-1].finished, shown[-1].charged_usd) == (2, 0)
    assert emulator.accepted == 1
    assert face.ask("submit", make_calls(1)[0]).reused


def test_submit_hands_it_out_unless_a_webhook_is_to_tell_its_end(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    (call,) = make_calls(1)
    job = open_client(journal=place.location).ask("submit", call)
    face = open_client(journal=place.location, reuse=True)

    handed_out = face.ask("submit", call)

    assert (handed_out.id, handed_out.cost) == (job.id, job.cost)
    hooked = open_client(journal=place.location, reuse=True, webhook="https://example.com/hook")
    assert hooked.ask("submit", call).id != job.id
    assert emulator.accepted == 2


@pytest.mark.parametrize("end", ["failed", "lost"])
def test_one_that_comes_to_nothing_is_submitted_anew(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, end: str
) -> None:
    if end == "failed":
        emulator.next(EmulatedOutcome.failed("no"))
    job = open_client(journal=place.location).ask("submit", make_calls(1)[0])
    if end == "lost":
        emulator.reset()
        emulator.clock.sleep(60)  # no server lags for so long
    face = open_client(journal=place.location, reuse=True, clock=emulator.clock)

    (outcome,) = face.map(make_calls(1))

    assert (outcome.error, outcome.reused) == (None, False)
    assert outcome.job.id != job.id or end == "lost"
    assert [again.reused for again in face.map(make_calls(1))] == [True]


@pytest.mark.parametrize("kind", [errors.NotFoundError, errors.JobFailedError])
def test_an_error_of_ones_own_callback_is_not_the_jobs_and_pays_for_no_other(
    open_client: Callable[..., Face], emulator: Emulator, place: Place, kind: type[errors.MuAPIError]
) -> None:
    def look(_: object) -> None:
        raise kind("of my own")

    (call,) = make_calls(1)
    open_client(journal=place.location).ask("submit", call)
    face = open_client(journal=place.location, reuse=True)
    with pytest.raises(kind, match="of my own"):
        face.ask("run", call, on_look=look)
    assert emulator.accepted == 1


def test_one_that_is_submitted_anew_is_in_doubt_by_itself(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    """What the earlier job came to tells nothing of the submit that follows it."""
    emulator.next(EmulatedOutcome.failed("no"))
    open_client(journal=place.location).ask("submit", make_calls(1)[0])
    face = open_client(journal=place.location, reuse=True)
    emulator.clock.sleep(20)  # so that the first look tells its end
    emulator.next_fault(None, Fault.RESET_AFTER_ACCEPT)

    (outcome,) = face.map(make_calls(1))

    assert isinstance(outcome.error, errors.SubmitOutcomeUnknownError)
    assert outcome.job is None


def test_a_lost_job_that_was_handed_out_says_how_the_call_is_submitted_anew(
    open_client: Callable[..., Face], emulator: Emulator, place: Place
) -> None:
    open_client(journal=place.location).ask("submit", make_calls(1)[0])
    emulator.reset()
    emulator.clock.sleep(60)
    face = open_client(journal=place.location, reuse=True, clock=emulator.clock)
    job = face.ask("submit", make_calls(1)[0])

    with pytest.raises(errors.NotFoundError, match="with reuse=False a call that asks the same is submitted anew"):
        face.ask("wait", job)
