"""``on_accept`` and ``on_look``: called at the right moment, awaited where they can be, never swallowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import AsyncJob, Job, MuAPIError

if TYPE_CHECKING:
    from twins.conftest import Twin

ACCEPTED = {"request_id": "abc", "status": "processing"}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"]}


class Callback:
    """Keeps what it was called with; raises where it is told to."""

    def __init__(self, twin: Twin, error: BaseException | None = None) -> None:
        self.twin, self.error, self.values = twin, error, []

    def plain(self, value: Any) -> None:
        self.values.append(value)
        if self.error is not None:
            raise self.error

    async def coroutine(self, value: Any) -> None:
        self.plain(value)


@pytest.fixture(params=["plain", "coroutine"])
def manner(request: pytest.FixtureRequest, twin: Twin) -> str:
    """How a callback is written: a coroutine function only where it can be awaited."""
    if request.param == "coroutine" and not twin.awaits:
        pytest.skip("a blocking client has nothing to await with")
    return str(request.param)


def test_on_accept_sees_the_job_before_the_first_look(twin: Twin, manner: str) -> None:
    face = twin(ACCEPTED, RUNNING, DONE)
    callback = Callback(twin)

    def note(value: Any) -> Any:
        assert face.server.gets == 0
        return getattr(callback, manner)(value)

    face.run(twin.call, on_accept=note)
    (job,) = callback.values
    assert type(job) is (AsyncJob if twin.awaits else Job)
    assert (job.id, job.call) == ("abc", twin.call)


def test_on_look_sees_what_every_look_tells(twin: Twin, manner: str) -> None:
    face = twin(ACCEPTED, RUNNING, (503, ""), (200, "<html>"), RUNNING, DONE)
    callback = Callback(twin)
    done = face.run(twin.call, on_look=getattr(callback, manner))
    assert [said.status for said in callback.values] == ["processing", "processing", "completed"]
    assert callback.values[-1] == done


def test_wait_calls_on_look_too(twin: Twin, manner: str) -> None:
    face = twin(RUNNING, DONE)
    callback = Callback(twin)
    face.wait("abc", on_look=getattr(callback, manner))
    assert len(callback.values) == 2


def test_on_look_failed_is_told_of_every_look_that_tells_nothing(twin: Twin, manner: str) -> None:
    face = twin(ACCEPTED, (503, ""), httpx.ReadError("reset"), (200, "<html>"), (404, {"detail": "no"}), RUNNING, DONE)
    failed, looked = Callback(twin), Callback(twin)
    face.run(twin.call, on_look=looked.plain, on_look_failed=getattr(failed, manner))
    assert [type(error).__name__ for error in failed.values] == [
        "ServerError",
        "APIConnectionError",
        "ResponseError",
        "NotFoundError",
    ]
    assert {error.request_id for error in failed.values} == {"abc"}
    assert [error.status_code for error in failed.values] == [503, None, 200, 404]
    assert len(looked.values) == 2


def test_wait_and_a_job_call_on_look_failed_too(twin: Twin, manner: str) -> None:
    face = twin(ACCEPTED, (500, ""), RUNNING, (500, ""), DONE)
    job = face.submit(twin.call)
    callback = Callback(twin)
    face.server.steps = [(500, ""), DONE]
    face.wait(job, on_look_failed=getattr(callback, manner))
    face.server.steps = [(500, ""), DONE]
    face.go(job.wait(on_look_failed=getattr(callback, manner)))
    assert [error.status_code for error in callback.values] == [500, 500]


def test_on_look_failed_is_told_of_the_look_that_ends_the_wait(twin: Twin) -> None:
    callback = Callback(twin)
    face = twin((410, {"detail": "gone"}))
    with pytest.raises(MuAPIError) as caught:
        face.wait("abc", on_look_failed=callback.plain)
    assert callback.values == [caught.value]


def test_an_error_in_on_look_failed_propagates_with_the_job_noted(twin: Twin, manner: str) -> None:
    face = twin(ACCEPTED, (503, ""), DONE)
    callback = Callback(twin, ZeroDivisionError("of the user"))
    with pytest.raises(ZeroDivisionError) as caught:
        face.run(twin.call, on_look_failed=getattr(callback, manner))
    assert "abc" in "".join(caught.value.__notes__)


def test_on_look_sees_a_failure_before_it_is_raised(twin: Twin) -> None:
    callback = Callback(twin)
    face = twin((400, {"detail": {"id": "abc", "status": "failed", "error": "x"}}))
    with pytest.raises(Exception, match="failed"):
        face.wait("abc", on_look=callback.plain)
    assert [said.status for said in callback.values] == ["failed"]


def test_an_answer_at_once_calls_neither(twin: Twin) -> None:
    callback = Callback(twin)
    twin(DONE).run(twin.call, on_accept=callback.plain, on_look=callback.plain)
    assert callback.values == []


@pytest.mark.parametrize("hook", ["on_accept", "on_look"])
@pytest.mark.parametrize(
    "error", [ZeroDivisionError("of the user"), OSError("disk full"), KeyError("x"), MuAPIError("of job 2")], ids=repr
)
def test_an_error_in_a_callback_propagates_with_the_job_noted(
    twin: Twin, manner: str, hook: str, error: Exception
) -> None:
    face = twin(ACCEPTED, RUNNING, DONE)
    callback = Callback(twin, error)
    with pytest.raises(type(error)) as caught:
        face.run(twin.call, **{hook: getattr(callback, manner)})
    assert caught.value is error
    assert "abc" in "".join(caught.value.__notes__)
    assert (len(callback.values), face.server.posts) == (1, 1)


@pytest.mark.parametrize("hook", ["on_accept", "on_look"])
def test_an_interrupt_in_a_callback_propagates(twin: Twin, hook: str) -> None:
    face = twin(ACCEPTED, RUNNING, DONE)
    with pytest.raises(KeyboardInterrupt):
        face.run(twin.call, **{hook: Callback(twin, KeyboardInterrupt()).plain})
    assert face.server.posts == 1


def test_an_interrupt_while_waiting_tells_the_job(twin: Twin) -> None:
    """Ctrl-C at minute five of a paid job must not take its id along."""
    face = twin(ACCEPTED, RUNNING, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        face.run(twin.call)
    assert "abc" in "".join(getattr(caught.value, "__notes__", ()))


def test_a_callback_may_use_the_client(twin: Twin) -> None:
    if twin.awaits:
        pytest.skip("a plain callback cannot await")
    face = twin(ACCEPTED, RUNNING, RUNNING, DONE)
    statuses: list[str] = []
    face.run(twin.call, on_look=lambda said: statuses.append(face.mu.look(said.id).status) if not statuses else None)
    assert statuses == ["processing"]


@pytest.mark.parametrize("name", ["on_accept", "on_look", "on_look_failed"])
def test_a_blocking_client_refuses_what_it_could_only_call(twin: Twin, name: str) -> None:
    face = twin(ACCEPTED, DONE)
    callback = Callback(twin).coroutine
    if twin.awaits:
        assert face.run(twin.call, **{name: callback}).done
        return
    with pytest.raises(MuAPIError, match="AsyncMuAPI"):
        face.run(twin.call, **{name: callback})
    assert face.server.requests == []
