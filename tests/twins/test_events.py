"""A job that is followed: each look is an event, the end is the last, and who leaves early leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import AsyncPrediction, Job, JobEvent, JobState, Journal, MuAPIError, Polling, Prediction
from muapi_client._state import waiters
from muapi_client.errors import (
    APIConnectionError,
    AuthenticationError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Face, Twin

QUEUED = {"id": "abc", "status": "queued"}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"]}
FAILED = (400, {"detail": {"id": "abc", "status": "failed", "error": "NSFW"}})


def follow(face: Face, job: Any = "abc", most: int | None = None, **options: Any) -> tuple[list[Any], Exception | None]:
    """The events of a job, ``most`` of them, and the error after them."""
    seen: list[Any] = []
    generator = face.mu.events(job, **options)

    async def read() -> None:
        async for event in generator:
            seen.append(event)
            if len(seen) == most:
                await generator.aclose()
                return

    try:
        if hasattr(generator, "__aiter__"):
            asyncio.run(read())
        else:
            for event in generator:
                seen.append(event)
                if len(seen) == most:
                    generator.close()
                    break
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return seen, error
    return seen, None


def test_every_look_is_an_event_and_the_end_is_the_last(twin: Twin) -> None:
    face = twin(QUEUED, RUNNING, RUNNING, DONE)
    seen, error = follow(face)
    assert error is None
    assert [event.status for event in seen] == ["queued", "processing", "processing", "completed"]
    assert [event.changed for event in seen] == [True, True, False, True]
    assert [event.ended for event in seen] == [False, False, False, True]
    assert [event.prediction.looks for event in seen] == [1, 2, 3, 4]
    assert type(seen[-1].prediction) is (AsyncPrediction if twin.awaits else Prediction)
    assert {event.request_id for event in seen} == {"abc"}
    assert face.server.gets == 4


def test_a_job_that_ended_badly_tells_so_and_raises(twin: Twin) -> None:
    for end, kind in ((FAILED, JobFailedError), ({"id": "abc", "status": "cancelled"}, JobCancelledError)):
        seen, error = follow(twin(RUNNING, end))
        assert [event.ended for event in seen] == [False, True]
        assert isinstance(error, kind)
        assert seen[-1].prediction == error.prediction
    assert seen[-1].prediction.state is JobState.CANCELLED


def test_what_a_submit_answered_at_once_is_the_one_event(twin: Twin) -> None:
    face = twin({"status": "completed", "outputs": ["a fox"]})
    done = face.submit(twin.call)
    seen, error = follow(face, done)
    assert [(event.request_id, event.prediction, event.ended) for event in seen] == [(None, done, True)]
    assert (error, face.server.gets) == (None, 0)
    seen, error = follow(face, Prediction("abc", "failed", error="NSFW"))
    assert isinstance(error, JobFailedError)
    assert len(seen) == 1
    seen, error = follow(twin(DONE), Prediction("abc", "processing"))
    assert [event.status for event in seen] == ["completed"]


def test_a_look_that_fails_is_seen(twin: Twin) -> None:
    seen, error = follow(twin(RUNNING, httpx.ReadError("reset"), (502, "<html>"), RUNNING, DONE))
    assert error is None
    assert [event.status for event in seen] == ["processing", None, None, "processing", "completed"]
    assert [type(event.error).__name__ for event in seen[1:3]] == ["APIConnectionError", "ServerError"]
    assert [event.changed for event in seen] == [True, False, False, False, True]
    assert not any(event.ended for event in seen[:-1])


def test_what_no_later_look_can_change_is_the_last_event(twin: Twin) -> None:
    seen, error = follow(twin(RUNNING, (401, {"detail": "Not authorized"})))
    assert isinstance(error, AuthenticationError)
    assert seen[-1].error is error
    seen, error = follow(twin((404, {"detail": "Not Found"})))
    assert isinstance(error, NotFoundError)


def test_the_deadline_is_that_of_a_wait(twin: Twin) -> None:
    face = twin(RUNNING, polling=Polling())
    seen, error = follow(face, timeout=30)
    assert isinstance(error, WaitTimeoutError)
    assert (error.request_id, len(seen)) == ("abc", face.server.gets)
    assert face.clock.now() - 1000 <= 31


def test_nothing_is_sent_before_the_first_event_is_asked_for(twin: Twin) -> None:
    face = twin(DONE)
    generator = face.mu.events("abc")
    assert face.server.requests == []
    face.clock.sleep(5000)  # nor does its time begin
    del generator
    gc.collect()
    seen, _ = follow(face)
    assert [event.status for event in seen] == ["completed"]


@pytest.mark.parametrize("wrong", [None, 7, '{"muapi_job": 1}'])
def test_what_is_no_job_is_refused_at_once(twin: Twin, wrong: Any) -> None:
    face = twin(DONE)
    with pytest.raises(MuAPIError, match=r"mu\.events takes a Job or its id"):
        face.mu.events(wrong)
    with pytest.raises(MuAPIError, match="timeout"):
        face.mu.events("abc", timeout=-1)


def test_a_job_is_followed_and_paid_for_once(twin: Twin) -> None:
    face = twin({"request_id": "abc", "status": "processing", "cost": {"amount_usd": 0.5}}, RUNNING, DONE)
    job = face.submit(twin.call)
    assert isinstance(job, Job)
    seen, _ = follow(face, job)
    assert seen[-1].prediction.call == twin.call
    assert (face.spend.requests, str(face.spend.total_usd)) == (1, "0.5")


@pytest.mark.parametrize("most", [1, 2])
def test_who_leaves_early_leaves_nothing_behind_and_the_job_alone(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    left: list[str] = []
    really = Journal.end_wait
    monkeypatch.setattr(Journal, "end_wait", lambda journal, id_: left.append(id_) or really(journal, id_))
    face = twin({"request_id": "abc", "status": "processing"}, RUNNING, RUNNING, DONE, journal=tmp_path / "jobs.db")
    job = face.submit(twin.call)
    seen, error = follow(face, job, most=most)
    assert (len(seen), error, face.server.gets, left) == (most, None, most, ["abc"])
    assert not waiters.wake(face.mu._origin, "abc"), "nobody waits"
    assert [each.id for each in face.resume()] == ["abc"]
    assert face.wait(job).done
    face.go(face.mu.close())


def test_one_that_is_dropped_is_closed(twin: Twin) -> None:
    face = twin(RUNNING)
    generator = face.mu.events("abc")

    async def first() -> Any:
        async for event in generator:
            return event
        return None

    async def read_and_drop() -> Any:
        nonlocal generator
        event = await first()
        del generator
        gc.collect()
        return event

    if twin.awaits:
        assert asyncio.run(read_and_drop()).status == "processing"
    else:
        assert next(generator).status == "processing"
        del generator
        gc.collect()
    assert not waiters.wake(face.mu._origin, "abc")


def test_what_the_caller_raises_in_the_loop_is_its_own(twin: Twin) -> None:
    face = twin(RUNNING)
    generator = face.mu.events("abc")
    if twin.awaits:

        async def throw() -> None:
            await anext(generator)
            await generator.athrow(ValueError("mine"))

        with pytest.raises(ValueError, match="mine"):
            asyncio.run(throw())
    else:
        next(generator)
        with pytest.raises(ValueError, match="mine"):
            generator.throw(ValueError("mine"))
    assert not waiters.wake(face.mu._origin, "abc")


def test_a_cancellation_ends_it(twin: Twin) -> None:
    if not twin.awaits:
        pytest.skip("nothing is cancelled in a thread")
    face = twin(RUNNING)

    async def read() -> None:
        async for _ in face.mu.events("abc"):
            asyncio.current_task().cancel()  # type: ignore[union-attr]  # it runs

    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(read())
    assert any("mu.wait('abc')" in note for note in caught.value.__notes__)
    assert not waiters.wake(face.mu._origin, "abc")


def test_a_closed_client_follows_nothing(twin: Twin) -> None:
    face = twin(RUNNING)
    face.go(face.mu.close())
    _, error = follow(face)
    assert isinstance(error, MuAPIError)
    assert not isinstance(error, APIConnectionError)


def test_an_event_is_one_line_and_travels() -> None:
    event: JobEvent[Prediction] = JobEvent("abc", Prediction("abc", "processing"), changed=True)
    assert repr(event) == (
        "JobEvent(request_id='abc', prediction=Prediction(id='abc', status='processing'), changed=True)"
    )
    assert pickle.loads(pickle.dumps(event)) == event
