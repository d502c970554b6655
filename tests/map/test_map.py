"""What ``map`` hands out, how many calls it has under way, and when it begins no more."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
import trio
from by_kind import IMAGE, make_image
from faces import make_calls

from muapi_client import AsyncMuAPI, MuAPI, MuAPIError, Progress, Retry, errors
from muapi_client._sandbox import mismatch
from muapi_client.emulator import Emulator, Fault, Faults, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from faces import Face


def test_each_call_comes_back_with_its_prediction_and_its_cost(face: Face, emulator: Emulator) -> None:
    calls = make_calls(40)
    outcomes = list(face.map(calls))
    assert sorted(outcome.index for outcome in outcomes) == list(range(40))
    for outcome in outcomes:
        assert (outcome.key, outcome.call, outcome.error) == (str(outcome.index), calls[outcome.index], None)
        assert outcome.prediction.outputs
        assert outcome.job.id == outcome.prediction.id
    assert emulator.accepted == 40
    assert sum(outcome.prediction.cost.amount_usd for outcome in outcomes) == face.client.spend.total_usd


def test_no_calls_are_no_outcomes(face: Face) -> None:
    assert list(face.map([])) == []


def test_outcomes_come_in_the_order_of_the_calls_where_that_is_asked_for(face: Face, emulator: Emulator) -> None:
    emulator.next(*(Outcome(seconds=60 - number) for number in range(20)))
    assert [outcome.index for outcome in face.map(make_calls(20), ordered=True)] == list(range(20))


def test_what_is_done_first_comes_first(face: Face, emulator: Emulator) -> None:
    emulator.next(Outcome(seconds=300), *[Outcome(seconds=5)] * 9)
    took = [outcome.prediction.seconds for outcome in face.map(make_calls(10))]
    assert took[-1] >= 300 > max(took[:-1])  # whichever call arrived first


def test_a_call_that_goes_wrong_ends_nothing(face: Face, emulator: Emulator) -> None:
    calls = [make_image(prompt="a fox"), "no call", make_image(prompt="a wolf")]
    emulator.next(Outcome.failed("out of luck"))
    outcomes = {outcome.index: outcome for outcome in face.map(calls, ordered=True, concurrency=1)}
    assert isinstance(outcomes[0].error, errors.JobFailedError)
    assert outcomes[0].prediction.error == "out of luck"
    assert isinstance(outcomes[1].error, MuAPIError)
    assert outcomes[1].job is None
    assert outcomes[2].prediction.done


def test_the_result_of_a_call_is_its_prediction_or_its_error(face: Face, emulator: Emulator) -> None:
    emulator.next(Outcome.completed(), Outcome.failed("out of luck"))
    well, badly = face.map(make_calls(2), ordered=True, concurrency=1)
    assert well.result() is well.prediction
    with pytest.raises(errors.JobFailedError) as caught:
        badly.result()
    assert caught.value is badly.error
    unsaved = attrs.evolve(well, error=errors.DownloadError("the disk is full"))
    with pytest.raises(errors.DownloadError):
        unsaved.result()


def test_a_call_answered_at_once_has_no_job(open_client: Callable[..., Face]) -> None:
    (outcome,) = open_client(key="sk-test", expect="sandbox").map(make_calls(1))
    assert outcome.prediction.done
    assert outcome.job is None


def test_no_more_calls_are_under_way_than_allowed(face: Face, emulator: Emulator) -> None:
    asked = []

    def calls() -> Iterator[Any]:
        for call in make_calls(30):
            asked.append(call)
            yield call

    handed_out = 0
    for _ in face.map(calls(), concurrency=4):
        assert len(asked) - handed_out <= 4
        handed_out += 1
    assert handed_out == 30


def test_calls_do_not_wait_for_each_others_connections() -> None:
    """Waiting for one counts as the exchange's own time, and more would wait than there are."""
    emulator = Emulator(job_seconds=0.1, faults=Faults(delay=1, seconds=0.2))
    with emulator.serve() as url:
        options: dict[str, Any] = {"timeout": 0.9, "retry": Retry(attempts=1), "max_connections": 1}
        with MuAPI("sk-live", url, **options) as mu:
            outcomes = list(mu.map(make_calls(8)))

        async def main() -> list[Any]:
            async with AsyncMuAPI("sk-live", url, **options) as mu:
                return [outcome async for outcome in mu.map(make_calls(8))]

        outcomes += asyncio.run(main())
    assert [outcome.error for outcome in outcomes] == [None] * 16


def test_a_map_that_nobody_reads_submits_no_more(face: Face, emulator: Emulator) -> None:
    outcomes = face.map((make_image(prompt=f"fox {number}") for number in count()), concurrency=5)
    assert emulator.accepted == 0
    list(islice(outcomes, 3))
    assert emulator.accepted <= 7
    outcomes.close()
    assert emulator.accepted <= 7


def test_what_is_left_early_lives_on_and_can_be_taken_up(face: Face, emulator: Emulator) -> None:
    outcomes = face.map((make_image(prompt=f"fox {number}") for number in count()), concurrency=8)
    first = next(outcomes)
    outcomes.close()
    left = {job.id for job in face.ask("resume")}
    known = {entry.request_id: entry.state for entry in face.ask("jobs")}
    assert len(known) == emulator.accepted
    assert set(known.values()) <= {"accepted", "completed"}
    assert known[first.job.id] == "completed"
    assert first.job.id not in left
    assert left <= known.keys()
    assert face.ask("unknown") == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, ValueError])
def test_an_interrupt_tells_which_jobs_live_on(face: Face, emulator: Emulator, interrupt: Any) -> None:
    outcomes = face.map(make_calls(20), concurrency=8)
    next(outcomes)
    with pytest.raises(interrupt) as caught:
        outcomes.throw(interrupt("enough"))
    (note,) = [note for note in caught.value.__notes__ if "The map was left" in note]
    known = {entry.request_id for entry in face.ask("jobs")}
    assert len(known) == emulator.accepted
    assert "no more calls are submitted" in note
    assert face.ask("unknown") == []


def test_what_an_iterable_raises_reaches_its_reader_and_no_job_is_lost(face: Face, emulator: Emulator) -> None:
    def calls() -> Iterator[Any]:
        yield from make_calls(3)
        raise LookupError("the table is gone")

    with pytest.raises(LookupError, match="the table is gone"):
        list(face.map(calls(), concurrency=10))
    assert len({entry.request_id for entry in face.ask("jobs")}) == emulator.accepted


def test_named_errors_stop_it_and_what_is_under_way_comes_home(face: Face, emulator: Emulator) -> None:
    emulator.next(Outcome(), Outcome(), Outcome.failed("no"))
    outcomes = list(face.map(make_calls(50), concurrency=3, stop_on=errors.JobFailedError))
    assert [type(outcome.error) for outcome in outcomes].count(errors.JobFailedError) == 1
    assert len(outcomes) == emulator.accepted < 50


def test_a_spend_limit_stops_it(open_client: Callable[..., Face], emulator: Emulator) -> None:
    face = open_client(max_spend=Decimal("0.10"))
    outcomes = list(face.map(make_calls(500), concurrency=4))
    assert any(isinstance(outcome.error, errors.SpendLimitError) for outcome in outcomes)
    assert len(outcomes) < 20
    assert emulator.charged_usd <= Decimal("0.10")
    assert all(outcome.error is None or outcome.job is None for outcome in outcomes)


def test_progress_adds_up(face: Face, emulator: Emulator) -> None:
    emulator.next(Outcome.failed("no"))
    told: list[Progress] = []
    outcomes = list(face.map(make_calls(12), concurrency=3, on_progress=told.append))
    last = told[-1]
    assert (last.submitted, last.running, last.finished, last.failed, last.doubtful) == (12, 0, 11, 1, 0)
    assert last.charged_usd == face.client.spend.total_usd
    assert last.expected_end is not None
    for progress in told:
        assert progress.running <= 3
        assert progress.running == progress.submitted - progress.finished - progress.failed
    assert len(outcomes) == 12


def test_keys_are_made_of_place_and_call(face: Face) -> None:
    keys = [
        outcome.key for outcome in face.map(make_calls(3), key=lambda place, call: f"{place}: {call.body['prompt']}")
    ]
    assert sorted(keys) == ["0: fox 0", "1: fox 1", "2: fox 2"]


def test_a_key_that_is_no_text_is_refused_before_its_call_is_sent(face: Face, emulator: Emulator) -> None:
    with pytest.raises(
        MuAPIError, match="must make a text of each call, without halves of characters, and made 0 of call 0"
    ):
        list(face.map(make_calls(3), key=lambda place, _: place))
    assert emulator.accepted == 0


def test_outputs_are_saved_under_the_keys(face: Face, tmp_path: Path) -> None:
    outcomes = list(face.map(make_calls(3), download_to=tmp_path, key=lambda place, _: f"fox-{place}"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fox-0-0.png", "fox-1-0.png", "fox-2-0.png"]
    assert {file for outcome in outcomes for file in outcome.files} == set(tmp_path.iterdir())


def test_an_output_that_cannot_be_saved_leaves_the_prediction(face: Face, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (outcome,) = face.map(make_calls(1), download_to=tmp_path / "file" / "below")
    assert isinstance(outcome.error, errors.DownloadError)
    assert outcome.prediction.done


def test_a_tag_is_kept_in_the_journal(open_client: Callable[..., Face], tmp_path: Path) -> None:
    face = open_client(journal=tmp_path / "jobs.db")
    list(face.map(make_calls(2), tag="portraits"))
    assert len(list(face.ask("jobs", tag="portraits"))) == 2


def test_what_may_have_been_charged_is_an_outcome(face: Face, emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    told: list[Progress] = []
    outcomes = list(face.map(make_calls(5), concurrency=1, on_progress=told.append))
    assert [type(outcome.error) for outcome in outcomes].count(errors.SubmitOutcomeUnknownError) == 1
    assert (emulator.accepted, told[-1].doubtful, told[-1].in_doubt_usd) == (5, 1, IMAGE.price.cost_usd)


def test_it_is_sent_again_where_its_user_says_so(face: Face, emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT, Fault.RESET_AFTER_ACCEPT)
    outcomes = list(face.map(make_calls(5), concurrency=1, retry_unknown=True))
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert emulator.accepted == 7
    assert len(face.ask("unknown")) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number above 0"),
        ({"concurrency": True}, "concurrency must be a whole number above 0"),
        ({"run": ""}, "run must be the name of the run"),
        ({"run": "portraits"}, "is kept in the journal, and this client has none"),
        ({"stop_on": "errors"}, "stop_on must be a class of errors"),
        ({"ordered": 1}, "ordered must be True or False"),
        ({"key": "name"}, "key must be a function"),
        ({"download_to": 3}, "the directory to save to must be text or a Path, not 3"),
        ({"download_to": __file__}, "is a file: give a directory"),
    ],
)
def test_options_that_cannot_be_right_are_refused_at_once(face: Face, options: dict[str, Any], message: str) -> None:
    with pytest.raises(MuAPIError, match=message):
        face.map(make_calls(1), **options)


@pytest.mark.parametrize("calls", [None, "text", 3])
def test_what_is_no_calls_is_refused_at_once(face: Face, calls: Any) -> None:
    with pytest.raises(MuAPIError, match="takes calls, such as"):
        face.map(calls)


def test_one_call_is_pointed_to_run(face: Face) -> None:
    with pytest.raises(MuAPIError, match=r"mu\.run\(call\) runs one"):
        face.map(make_calls(1)[0])


def test_asynchronous_calls_go_to_the_awaiting_client_only(emulator: Emulator) -> None:
    async def calls() -> AsyncIterator[Any]:
        for call in make_calls(4):
            yield call

    async def main() -> list[Any]:
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            return [outcome async for outcome in mu.map(calls())]

    assert len(trio.run(main)) == 4
    with (
        MuAPI("sk-live", transport=emulator.transport()) as mu,
        pytest.raises(MuAPIError, match="AsyncMuAPI takes what is iterated over by async for"),
    ):
        mu.map(calls())  # type: ignore[arg-type]


def test_trio_is_left_early_in_order(emulator: Emulator) -> None:
    async def main() -> None:
        async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
            outcomes = mu.map((make_image(prompt=f"fox {number}") for number in count()), concurrency=6)
            await anext(outcomes)
            await outcomes.aclose()
            assert len([entry async for entry in mu.jobs()]) == emulator.accepted

    trio.run(main)


def test_too_many_requests_slow_all_submits_down_together() -> None:
    """A server that takes one submit a second, and says so: nearly none is refused once its word is known."""
    emulator, answers = Emulator(job_seconds=3), []
    inside, taken = emulator.transport(), [-10.0]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            now = emulator.clock.now()
            if now - taken[0] < 1:
                answers.append(429)
                return httpx.Response(429, json={"detail": "slow down", "retry_after": 1})
            taken[0] = now
            answers.append(200)
        return inside.handle_request(request)

    with MuAPI("sk-live", transport=httpx.MockTransport(answer), clock=emulator.clock) as mu:
        outcomes = list(mu.map(make_calls(100), concurrency=50))
    assert [outcome.error for outcome in outcomes] == [None] * 100
    assert emulator.accepted == 100
    assert answers.count(429) < 300  # each of fifty alone would have asked some fifty times


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have calls wait for the first one for as long as it takes: virtual time runs ahead of the threads."""
    monkeypatch.setattr(mismatch, "PATIENCE", 1e9)


@pytest.mark.usefixtures("patient")
def test_of_a_live_key_where_a_sandbox_s_is_expected_one_job_is_charged_and_no_more(
    open_client: Callable[..., Face], emulator: Emulator
) -> None:
    """The key list has both kinds, so that only an answer tells: those that are out by then would be charged, too."""
    outcomes = list(open_client(expect="sandbox").map(make_calls(100)))
    assert {type(outcome.error) for outcome in outcomes} == {errors.SandboxMismatchError}
    assert emulator.accepted == 1


def test_of_a_sandbox_s_key_as_expected_only_the_first_goes_alone(
    open_client: Callable[..., Face], emulator: Emulator
) -> None:
    outcomes = list(open_client(key="sk-test", expect="sandbox").map(make_calls(100)))
    assert {outcome.error for outcome in outcomes} == {None}
    assert emulator.accepted == 0  # live jobs


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("expect", ["live", "sandbox"])
def test_the_key_list_is_asked_for_once_however_many_calls_there_are(
    open_client: Callable[..., Face], emulator: Emulator, expect: str
) -> None:
    list(open_client(key="sk-test" if expect == "sandbox" else "sk-live", expect=expect).map(make_calls(100)))
    assert [each.request.path for each in emulator.requests].count("/api/v1/keys") == 1
