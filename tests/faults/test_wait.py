"""A wait under every fault: no failed look ends it before its deadline, and nothing keeps it beyond."""

from __future__ import annotations

import pickle
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE
from doors import SHORT, SOON, Door
from plans import CONNECTION_KINDS, Strike, strike
from truth import Answer
from wire import KINDS, SLOW, Kind, Known, whole

from muapi_client import Polling, Retry, errors, raw_call
from muapi_client._runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doors import LeapingClock
    from server import FaultServer, InThread

SPOKEN = [name for name in KINDS if name not in CONNECTION_KINDS]
REDIRECTED = [name for name in SPOKEN if name.startswith("redirect")]  # no later look can change that
OUTLIVED = [name for name in SPOKEN if name not in REDIRECTED]
PASSING = [name for name in OUTLIVED if KINDS[name].known is not Known.ACCEPTED]
DONE = {"status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/x.png"]}


def _said(body: Any, status: int = 200) -> Strike:
    """An answer of the test's own."""

    def moves(_answer: Answer) -> Iterator[bytes]:
        yield whole(Answer(status, body))

    return Strike(Kind("said", moves), accepts=True)


def _accepted(door: Door, marker: str = "completed-1") -> Any:
    return door.submit(raw_call(IMAGE.slug, {"prompt": marker}))


def _shorten(door: Door) -> None:
    """Bear little from now on; what the server takes all the time for ends soon, and nothing good was cut short."""
    door.mu = door.mu.with_options(timeout=SHORT)


@pytest.mark.parametrize("name", OUTLIVED)
def test_a_wait_outlives_every_fault(name: str, faults: FaultServer, open_door: Callable[..., Door]) -> None:
    door = open_door()
    job = _accepted(door)
    faults.plan.queues["look"].extend([strike(name)] * 2)
    if name in SLOW:
        _shorten(door)

    done = door.wait(job)

    assert done.done
    assert done.id == job.id
    assert done.outputs[0].url.endswith(f"{job.id}.png")
    assert done.cost.charged_usd == door.spend.total_usd == Decimal(faults.truth.charged).scaleb(-6)
    assert faults.elsewhere == []


@pytest.mark.parametrize("name", REDIRECTED)
def test_a_redirect_ends_the_wait_at_once_and_the_job_can_be_waited_for_again(
    name: str, faults: FaultServer, door: Door
) -> None:
    job = _accepted(door)
    faults.plan.queues["look"].append(strike(name))

    with pytest.raises(errors.APIStatusError, match="redirect") as caught:
        door.wait(job)

    assert (caught.value.request_id, faults.truth.looks[job.id], faults.elsewhere) == (job.id, 1, [])
    assert door.wait(caught.value.request_id).done


@pytest.mark.parametrize("name", PASSING)
def test_a_wait_that_never_hears_of_its_job_ends_at_its_deadline(
    name: str, faults: FaultServer, open_door: Callable[..., Door], clock: LeapingClock
) -> None:
    door = open_door(polling=Polling(minimum=20.0))
    job = _accepted(door)
    faults.plan.always["look"] = strike(name)
    if name in SLOW:
        _shorten(door)
    before, earlier = clock.now(), sum(clock.slept)

    with pytest.raises(errors.WaitTimeoutError) as caught:
        door.wait(job, timeout=60.0)

    assert clock.now() - before >= 50.0
    assert sum(clock.slept) - earlier <= 60.0  # the rest of the time passed in looks, however long a machine takes
    assert caught.value.job == job
    assert faults.truth.looks[job.id] >= 2


@pytest.mark.parametrize("own", [False, True], ids=["our transport", "the user's own"])
@pytest.mark.parametrize("name", ["hang", "drip_head", "drip_body", "429_absurd", "503_absurd"])
def test_the_deadline_cuts_an_exchange_short_in_real_time(
    name: str, faults: FaultServer, open_door: Callable[..., Door], kind: str, own: bool
) -> None:
    transports = {"sync": httpx.HTTPTransport, "async": httpx.AsyncHTTPTransport}
    door = open_door(timeout=30.0, clock=SystemClock(), transport=transports[kind]() if own else None)
    job = _accepted(door)
    faults.plan.always["look"] = strike(name)
    before = time.monotonic()

    with pytest.raises(errors.WaitTimeoutError):
        door.wait(job, timeout=1.2)

    assert 0.2 <= time.monotonic() - before <= SOON


def test_a_refused_connection_is_outlived(
    in_thread: InThread, faults: FaultServer, door: Door, clock: LeapingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _accepted(door)
    in_thread.do(faults.shut())
    monkeypatch.setattr(clock, "sleep", lambda _seconds: in_thread.do(faults.open()))

    async def asleep(_seconds: float) -> None:
        in_thread.do(faults.open())

    monkeypatch.setattr(clock, "asleep", asleep)

    assert door.wait(job).done


def test_a_wait_given_up_can_be_taken_up_again(faults: FaultServer, door: Door) -> None:
    job = _accepted(door)
    faults.plan.always["look"] = strike("503")
    with pytest.raises(errors.WaitTimeoutError) as caught:
        door.wait(job, timeout=3.0)
    travelled = pickle.loads(pickle.dumps(caught.value))
    faults.plan.always.clear()

    done = door.wait(travelled.job)

    assert done.id == job.id
    assert faults.truth.posts.total() == 1


@pytest.mark.parametrize(
    ("marker", "error"),
    [
        ("failed_400-1", errors.JobFailedError),
        ("failed_200-1", errors.JobFailedError),
        ("moderated-1", errors.JobFailedError),
        ("cancelled-1", errors.JobCancelledError),
    ],
)
def test_a_job_that_ended_badly_ends_the_wait_in_one_look(
    marker: str, error: type[errors.JobError], faults: FaultServer, door: Door
) -> None:
    job = _accepted(door, marker)
    faults.truth.jobs[job.id].answers_left = 0

    with pytest.raises(error) as caught:
        door.wait(job)

    assert faults.truth.looks[job.id] == 1
    assert caught.value.request_id == job.id
    assert caught.value.job == job
    refunded = faults.truth.jobs[job.id].refunded
    assert caught.value.cost.refunded == refunded
    assert door.spend.total_usd == Decimal(faults.truth.charged).scaleb(-6)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, errors.AuthenticationError), (403, errors.AuthenticationError), (410, errors.APIStatusError)],
)
def test_a_refusal_to_tell_ends_the_wait_in_one_look(
    status: int, error: type[errors.APIStatusError], faults: FaultServer, door: Door
) -> None:
    job = _accepted(door)
    faults.plan.always["look"] = _said({"detail": "Not authorized"}, status)

    with pytest.raises(error) as caught:
        door.wait(job.id)

    assert faults.truth.looks[job.id] == 1
    assert caught.value.request_id == job.id


@pytest.mark.parametrize(
    "unfinished",
    [
        {"id": "somebody-elses", **DONE},
        {"id": 17, **DONE},
        {"id": "completed-1.1", "status": "thinking deeply"},
        {"id": "completed-1.1", "status": ""},
        {"id": "completed-1.1", "status": None, "outputs": None, "error": None},
        {"id": "completed-1.1", "status": 200, "outputs": [], "error": ""},
        {"id": "completed-1.1", "status": "processing", "outputs": []},
        {"id": "completed-1.1", "status": "processing", "error": {}},
        {"detail": "a sentence"},
        {"outputs": 0, "status": None},
        {"outputs": False},
    ],
    ids=repr,
)
def test_what_does_not_end_the_job_does_not_end_the_wait(unfinished: Any, faults: FaultServer, door: Door) -> None:
    job = _accepted(door)
    faults.plan.queues["look"].append(_said(unfinished))

    done = door.wait(job)

    assert done.outputs[0].url.endswith(f"{job.id}.png")
    assert faults.truth.looks[job.id] >= 2


def test_a_job_completed_without_outputs_is_done_and_says_so(faults: FaultServer, door: Door) -> None:
    job = _accepted(door)
    faults.plan.always["look"] = _said({"id": job.id, "status": "completed", "outputs": []})

    done = door.wait(job)

    assert done.done
    assert done.outputs == ()
    assert any("without outputs" in warning for warning in done.warnings)


def test_on_look_hears_only_what_was_said_of_this_job(faults: FaultServer, door: Door) -> None:
    job = _accepted(door)
    faults.truth.jobs[job.id].answers_left = 4
    faults.plan.queues["look"].extend([strike("503"), strike("wrong_id"), strike("html_200"), None, strike("hang")])
    heard: list[str] = []
    _shorten(door)

    done = door.wait(job, on_look=lambda prediction: heard.append(prediction.status))

    assert heard == ["processing", "completed"]
    assert done.looks == faults.truth.looks[job.id] == 6


def test_one_look_is_tried_again_as_often_as_allowed(faults: FaultServer, open_door: Callable[..., Door]) -> None:
    door = open_door(retry=Retry(attempts=4))
    job = _accepted(door)
    faults.plan.queues["look"].extend(strike(name) for name in ("500", "reset_after_reading", "429_absurd"))

    assert door.look(job).id == job.id
    assert faults.truth.looks[job.id] == 4
