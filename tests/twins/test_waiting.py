"""A wait survives every fault until its deadline, and ends in one look when the job has ended."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import Job, MuAPIError, Polling, Retry
from muapi_client.errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    ResponseError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from places import Place
    from twins.conftest import Twin

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
PICTURE = "https://cdn.muapi.ai/outputs/1.png"
RUNNING = {"id": "abc", "status": "processing", "outputs": [], "error": None}
DONE = {"id": "abc", "status": "completed", "outputs": [PICTURE], "cost": COST}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}

FAULTS: list[Any] = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("timed out"),
    httpx.PoolTimeout("no free connection"),
    httpx.ReadTimeout("timed out"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("cut"),
    httpx.DecodingError("bad gzip"),
    OSError("network is unreachable"),
    (408, ""),
    (425, ""),
    (429, {"detail": "slow down"}),
    (429, "", {"retry-after": "99999999"}),
    (429, "", {"retry-after": "garbage"}),
    (500, {"detail": "boom"}),
    (502, "<html>Bad Gateway</html>"),
    (503, "", {"retry-after": "3"}),
    (504, ""),
    (522, "error code: 522"),
    (403, "<html>Checking your browser</html>"),
    (404, "<html>nginx</html>"),
    (200, "<html>maintenance</html>"),
    (200, '{"id": "abc", "status": "comp'),
    (200, b"\xff\x00"),
    (200, ""),
    (204, ""),
    (200, "null"),
    (200, "[1, 2]"),
    (200, '"completed"'),
    (200, {}),
    (200, {"detail": "try later"}),
    (200, {"id": "another", "status": "failed", "error": "not ours"}),
    (200, {"id": "another", "status": "completed", "outputs": []}),
    (400, {"detail": {"id": "another", "status": "failed", "error": "not ours"}}),
]


def name_of(step: Any) -> str:
    return type(step).__name__ if isinstance(step, BaseException) else repr(step)[:50]


def test_run_is_submit_then_looks(twin: Twin) -> None:
    face = twin(ACCEPTED, {"id": "abc", "status": "queued"}, RUNNING, DONE)
    done = face.run(twin.call)
    assert (done.id, done.status, done.outputs[0].url, done.looks) == ("abc", "completed", PICTURE, 3)
    assert done.seconds == face.clock.now() - 1000.0
    assert [request.method for request in face.server.requests] == ["POST", "GET", "GET", "GET"]
    assert face.server.requests[1].url.path == "/api/v1/predictions/abc/result"
    assert face.server.requests[1].content == b""
    assert "content-type" not in face.server.requests[1].headers
    assert face.server.times[1] == 1000.5, "nothing is done the moment it is accepted"


def test_wait_takes_an_id_and_looks_at_once(twin: Twin) -> None:
    face = twin(DONE)
    assert face.wait("abc").outputs[0].url == PICTURE
    assert face.server.times == [1000.0]


def test_a_job_waits_and_looks_by_itself(twin: Twin) -> None:
    face = twin(ACCEPTED, RUNNING, DONE)
    job = face.submit(twin.call)
    assert face.go(job.look()).status == "processing"
    assert face.go(job.wait(timeout=5)).done


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_wait_survives_every_fault(twin: Twin, fault: Any) -> None:
    face = twin(fault, fault, RUNNING, fault, DONE)
    done = face.wait("abc")
    assert done.done
    assert done.looks == 5
    assert done.warnings == ()


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_no_fault_outlives_the_deadline(twin: Twin, fault: Any) -> None:
    face = twin(fault)
    with pytest.raises(WaitTimeoutError, match="latest look failed") as caught:
        face.wait("abc", timeout=100)
    assert 1099.0 <= face.clock.now() <= 1100.0
    assert caught.value.job == Job("abc")
    assert caught.value.prediction is None
    assert face.server.gets < 60, "a wait that fails must not hammer"
    times = [moment for moment in face.server.times if moment < 1098.0]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= 0.5 - 1e-9


@pytest.mark.parametrize("timeout", [0.2, 0.5, 1.0, 1.4, 2.0, 2.5, 3.0, 10.0, 59.0, 300.0, 1800.0])
def test_the_deadline_holds(twin: Twin, timeout: float) -> None:
    face = twin(RUNNING)
    with pytest.raises(WaitTimeoutError):
        face.wait("abc", timeout=timeout)
    assert max(0.0, timeout - 1.0) <= face.clock.now() - 1000.0 <= timeout


@pytest.mark.parametrize("timeout", [1.0, 1.4, 2.0, 5.0])
def test_a_short_wait_looks_more_than_once(twin: Twin, timeout: float) -> None:
    """A job that ends halfway through the time given is seen, however short that time is."""
    face = twin(lambda _: DONE if face.clock.now() - 1000.0 >= timeout / 2 else RUNNING)
    assert face.wait("abc", timeout=timeout).done


def test_the_deadline_caps_each_exchange(twin: Twin) -> None:
    def hang(request: httpx.Request) -> Any:
        face.clock.sleep(request.extensions["timeout"]["read"])
        return httpx.ReadTimeout("timed out")

    face = twin(hang)
    with pytest.raises(WaitTimeoutError):
        face.wait("abc", timeout=90)
    assert face.clock.now() <= 1090.0
    assert all(request.extensions["timeout"]["read"] <= 60.0 for request in face.server.requests)


def test_the_deadline_of_run_counts_from_the_acceptance(twin: Twin) -> None:
    def slow(_: httpx.Request) -> Any:
        face.clock.sleep(20.0)
        return ACCEPTED

    face = twin(slow, RUNNING)
    with pytest.raises(WaitTimeoutError, match="30 s"):
        face.run(twin.call, timeout=30)
    assert 1049.0 <= face.clock.now() <= 1050.0


def test_a_run_whose_submit_took_longer_than_its_timeout_still_looks(twin: Twin) -> None:
    def slow(_: httpx.Request) -> Any:
        face.clock.sleep(50.0)  # an upload, or a back-off
        return ACCEPTED

    face = twin(slow, DONE)
    done = face.run(twin.call, timeout=30)
    assert done.done
    assert done.seconds < 1


def test_a_run_whose_submit_took_all_the_time_still_carries_the_job(twin: Twin) -> None:
    def slow(_: httpx.Request) -> Any:
        face.clock.sleep(20.0)
        return ACCEPTED

    face = twin(slow, RUNNING)
    with pytest.raises(WaitTimeoutError, match="abc") as caught:
        face.run(twin.call, timeout=5)
    assert caught.value.job.id == "abc"
    assert caught.value.cost.amount_credits == 1


def test_a_timeout_carries_the_job_and_pickles(twin: Twin) -> None:
    face = twin(ACCEPTED, (200, RUNNING, {"x-account-balance": "9.5"}))
    with pytest.raises(TimeoutError) as caught:
        face.run(twin.call, timeout=10)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is WaitTimeoutError
    assert (again.job, again.prediction, str(again)) == (caught.value.job, caught.value.prediction, str(caught.value))
    assert (again.request_id, again.job.call, str(again.balance)) == ("abc", twin.call, "9.5")
    face.server.steps = [DONE]
    assert face.wait(again.job).done


def test_a_job_pickles_without_its_client(twin: Twin) -> None:
    job = twin(ACCEPTED).submit(twin.call)
    data = pickle.dumps(job)
    assert twin.key.encode() not in data
    assert pickle.loads(data) == job


@pytest.mark.parametrize("patience", [0, -1, float("nan"), float("inf"), True, "10"])
def test_an_impossible_timeout_is_refused(twin: Twin, patience: Any) -> None:
    face = twin(DONE)
    with pytest.raises(MuAPIError, match="timeout must be"):
        face.wait("abc", timeout=patience)
    assert face.server.requests == []


FAILED: list[tuple[Any, str]] = [
    ((400, {"detail": {"id": "abc", "status": "failed", "error": "out of memory"}}), "out of memory"),
    ((400, {"detail": {"status": "failed", "error": {"message": "out of memory"}}}), "out of memory"),
    ((400, {"detail": {"id": "abc", "error": "out of memory"}}), "out of memory"),
    ((400, {"id": "abc", "status": "failed", "error": "out of memory"}), "out of memory"),
    ((400, {"detail": {"id": "abc", "status": "FAILED ", "error": None}}), "FAILED"),
    ((422, {"detail": {"id": "abc", "status": "failed", "error": "bad input"}}), "bad input"),
    ({"id": "abc", "status": "failed", "error": None}, "failed"),
    ({"id": "abc", "status": "error", "error": {"code": 7, "why": "x"}}, '"code": 7'),
    ({"id": "abc", "status": "rejected", "error": ["one", "two"]}, "two"),
    ({"id": "abc", "status": "moderated"}, "moderated"),
    ({"id": "abc", "status": "content_moderated", "error": "NSFW"}, "NSFW"),
    ({"id": "abc", "status": "Failed", "error": "in capitals"}, "in capitals"),
    ({"id": "abc", "status": "processing", "outputs": [], "error": "NSFW"}, "NSFW"),
    ({"id": "abc", "status": "completed", "outputs": [], "error": "NSFW content"}, "NSFW content"),
    ({"id": "abc", "status": "some new word", "error": {"message": "NSFW"}}, "NSFW"),
    ({"status": "success", "data": {"id": "abc", "status": "failed", "error": "nested"}}, "nested"),
]


@pytest.mark.parametrize(("answer", "why"), FAILED, ids=lambda value: name_of(value)[:60])
def test_a_failed_job_ends_the_wait_in_one_look(twin: Twin, answer: Any, why: str) -> None:
    face = twin(ACCEPTED, answer)
    with pytest.raises(JobFailedError) as caught:
        face.run(twin.call)
    error = caught.value
    assert why in str(error)
    assert (face.server.posts, face.server.gets) == (1, 1)
    assert error.request_id == error.job.id == error.prediction.id == "abc"
    assert error.job.call == twin.call


def test_a_failed_job_tells_the_http_status(twin: Twin) -> None:
    """Every error tells the status that was answered, where one was."""
    with pytest.raises(JobFailedError) as caught:
        twin((400, {"detail": {"id": "abc", "status": "failed", "error": "x"}})).wait("abc")
    assert caught.value.status_code == 400


@pytest.mark.parametrize("word", ["cancelled", "canceled", "Cancelled"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_cancelled_job_ends_the_wait_in_one_look(twin: Twin, word: str, status: int) -> None:
    result = {"id": "abc", "status": word}
    face = twin((status, {"detail": result} if status == 400 else result))
    with pytest.raises(JobCancelledError, match="cancelled"):
        face.wait("abc")
    assert face.server.gets == 1


RUNS_ON: list[dict[str, Any]] = [
    {"id": "abc", "status": "warming up"},
    {"id": "abc", "status": ""},
    {"id": "abc", "status": None, "outputs": None},
    {"id": "abc", "status": "processing", "outputs": [PICTURE]},
    {"id": "abc", "status": "processing", "error": False},
    {"id": "abc", "status": "processing", "error": ""},
    {"id": "abc", "status": "processing", "error": {}},
    {"id": "abc", "status": "processing", "error": 0},
    {"id": "abc", "status": "processing", "error": {"message": ""}},
    {"id": "abc", "status": "processing", "error": {"message": None}},
    {"id": "abc", "status": "processing", "error": "  "},
    {"id": "abc", "status": "processing", "error": "None"},
    {"id": "abc", "status": "processing", "error": "null"},
    {"id": "abc", "status": "processing", "error": {"code": 0, "message": "Success"}},
    {"status": "success", "data": {"id": "abc", "status": "processing"}},
    {"status": "success", "data": {"request_id": "abc", "status": "queued", "outputs": []}},
]


@pytest.mark.parametrize("answer", RUNS_ON, ids=str)
def test_what_does_not_say_that_it_ended_runs_on(twin: Twin, answer: dict[str, Any]) -> None:
    face = twin(answer, answer, DONE)
    assert face.wait("abc").outputs[0].url == PICTURE
    assert face.server.gets == 3


SHAPES: list[tuple[Any, list[tuple[str | None, str | None]]]] = [
    ({"outputs": [PICTURE, PICTURE]}, [(PICTURE, None)] * 2),
    ({"outputs": ["A fox.", PICTURE]}, [(None, "A fox."), (PICTURE, None)]),
    ({"outputs": [{"url": PICTURE}]}, [(PICTURE, None)]),
    ({"outputs": [{"video_url": PICTURE}]}, [(PICTURE, None)]),
    ({"outputs": [{"image_url": PICTURE}]}, [(PICTURE, None)]),
    ({"outputs": [{"value": "A fox."}]}, [(None, "A fox.")]),
    ({"outputs": [{"value": PICTURE}]}, [(PICTURE, None)]),
    ({"outputs": PICTURE}, [(PICTURE, None)]),
    ({"outputs": {"url": PICTURE}}, [(PICTURE, None)]),
    ({"output": PICTURE}, [(PICTURE, None)]),
    ({"output": [PICTURE]}, [(PICTURE, None)]),
    ({"outputs": None, "output": {"video_url": PICTURE}}, [(PICTURE, None)]),
    ({"outputs": [], "images": [{"url": PICTURE}]}, [(PICTURE, None)]),
    ({"data": [PICTURE]}, [(PICTURE, None)]),
    ({"data": {"url": PICTURE}}, [(PICTURE, None)]),
    ({"outputs": [None, "", PICTURE]}, [(PICTURE, None)]),
    ({"outputs": [{"width": 7}]}, [(None, None)]),
    ({"outputs": ["See https://muapi.ai for more"]}, [(None, "See https://muapi.ai for more")]),
    ({"outputs": []}, []),
]


@pytest.mark.parametrize(("fields", "expected"), SHAPES, ids=lambda value: repr(value)[:60])
def test_outputs_in_every_observed_shape(twin: Twin, fields: Any, expected: list[Any]) -> None:
    done = twin({"id": "abc", "status": "completed", **fields}).wait("abc")
    assert [(output.url, output.text) for output in done.outputs] == expected
    assert done.raw["status"] == "completed"


def test_an_empty_result_is_done_and_odd(twin: Twin) -> None:
    done = twin({"id": "abc", "status": "completed", "outputs": []}).wait("abc")
    assert done.done
    assert done.warnings == ("the job completed without outputs",)


@pytest.mark.parametrize("no_error", ["None", "null", "", "no error"])
def test_a_word_for_no_error_makes_no_failure_of_a_job_that_is_done(twin: Twin, no_error: str) -> None:
    listed = twin({**DONE, "error": no_error}).wait("abc")
    loose = twin({"id": "abc", "status": "completed", "video_url": PICTURE, "error": no_error}).wait("abc")
    assert (listed.outputs[0].url, loose.outputs[0].url) == (PICTURE, PICTURE)
    assert twin({"id": "abc", "status": "completed", "error": no_error}).wait("abc").done
    with pytest.raises(JobFailedError, match="the server says 'failed' and no more"):
        twin({"id": "abc", "status": "failed", "error": no_error}).wait("abc")


def test_a_result_nested_whole_under_data(twin: Twin) -> None:
    done = twin({"data": {**DONE}}).wait("abc")
    assert (done.id, done.outputs[0].url, done.cost.amount_credits) == ("abc", PICTURE, 1)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_to_tell_ends_the_wait(twin: Twin, status: int) -> None:
    face = twin((status, {"detail": "no"}))
    with pytest.raises(NotFoundError if status == 404 else AuthenticationError, match="abc") as caught:
        face.wait("abc")
    assert (caught.value.request_id, caught.value.status_code, caught.value.detail) == ("abc", status, "no")
    assert face.server.gets == 1


@pytest.mark.parametrize("body", ["", "<html><h1>Moved</h1></html>"], ids=["empty", "page"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirected_look_is_not_followed_and_ends_the_wait_at_once(twin: Twin, status: int, body: str) -> None:
    """A wrong base URL answers the same to the last: half an hour of looks would tell no more than the first."""
    for method in ("wait", "look"):
        face = twin((status, body, {"location": "https://evil.example/"}))
        with pytest.raises(APIStatusError, match=r"redirect.*base_url.*mu\.wait\('abc'\)") as caught:
            getattr(face, method)("abc")
        assert (caught.value.request_id, caught.value.status_code) == ("abc", status)
        assert [request.url.host for request in face.server.requests] == ["api.muapi.ai"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 409, 410, 414, 418, 422, 451])
def test_what_no_later_look_can_change_ends_the_wait_at_once_and_names_the_job(twin: Twin, status: int) -> None:
    for method in ("wait", "look"):
        face = twin((status, {"detail": "no"}))
        next_step = "no such job: see that the id" if status == 404 else r"lives on: mu\.wait\('abc'\)"
        with pytest.raises(APIStatusError, match=rf"HTTP {status} for job abc.*{next_step}") as caught:
            getattr(face, method)("abc")
        assert caught.value.request_id == "abc"
        assert face.server.gets == 1


NOT_YET = (404, {"detail": "Not Found"})


class TestFreshJob:
    """A server that gave out an id a moment ago may not find it at once: its replicas lag behind."""

    def test_run_looks_again_where_the_first_looks_find_nothing(self, twin: Twin) -> None:
        face = twin(ACCEPTED, NOT_YET, NOT_YET, RUNNING, DONE)
        done = face.run(twin.call)
        assert (done.status, done.looks) == ("completed", 4)

    def test_a_submitted_job_is_waited_for_and_looked_at_again(self, twin: Twin) -> None:
        face = twin(ACCEPTED, NOT_YET, NOT_YET, RUNNING, NOT_YET, DONE)
        job = face.submit(twin.call)
        assert face.look(job).status == "processing"
        assert face.go(job.wait()).done
        assert face.wait(Job.from_json(job.to_json())).done

    def test_after_half_a_minute_not_found_is_believed(self, twin: Twin) -> None:
        face = twin(ACCEPTED, NOT_YET)
        with pytest.raises(NotFoundError, match="abc"):
            face.run(twin.call)
        assert 1030.0 <= face.clock.now() <= 1060.0

    def test_a_denial_of_a_job_that_was_accepted_tells_what_it_cost(self, twin: Twin) -> None:
        face = twin(ACCEPTED, NOT_YET)
        with pytest.raises(NotFoundError, match=r"job abc.*accepted before .*0\.0042 USD.*api\.muapi\.ai") as caught:
            face.run(twin.call)
        assert (caught.value.request_id, caught.value.detail, caught.value.status_code) == ("abc", "Not Found", 404)
        assert pickle.loads(pickle.dumps(caught.value)).cost == caught.value.cost
        assert str(caught.value.cost.charged_usd) == "0.0042"
        silent = Job("abc", twin.call, submitted_at=datetime.now(UTC) - timedelta(hours=1))
        for method in (face.wait, face.look):
            with pytest.raises(NotFoundError, match="accepted before"):
                method(silent)
        with pytest.raises(NotFoundError) as caught:
            twin(NOT_YET).wait("abc")
        assert "accepted before" not in str(caught.value)
        assert caught.value.cost is None

    def test_a_wait_that_ends_before_a_denial_is_believed_promises_no_life(self, twin: Twin) -> None:
        with pytest.raises(WaitTimeoutError, match=r"was charged 0\.0042 USD.*asks again") as caught:
            twin(ACCEPTED, NOT_YET).run(twin.call, timeout=5)
        assert "lives on" not in str(caught.value)
        with pytest.raises(WaitTimeoutError, match="lives on"):
            twin(ACCEPTED, (503, "")).run(twin.call, timeout=5)

    def test_a_page_in_the_place_of_an_answer_denies_nothing(self, twin: Twin) -> None:
        with pytest.raises(WaitTimeoutError, match="lives on") as caught:
            twin(ACCEPTED, (404, "<html>nginx</html>")).run(twin.call, timeout=5)
        assert "accepted before" not in str(caught.value)

    def test_one_that_another_process_has_just_submitted_is_looked_at_again(self, twin: Twin, place: Place) -> None:
        twin(ACCEPTED, journal=place.location).submit(twin.call)
        assert twin(NOT_YET, NOT_YET, RUNNING, journal=place.location).look("abc").status == "processing"
        assert twin(NOT_YET, NOT_YET, DONE, journal=place.location).wait("abc").done

    def test_one_that_it_submitted_long_ago_is_believed_to_be_gone_at_once(self, twin: Twin, place: Place) -> None:
        twin(ACCEPTED, journal=place.location).submit(twin.call)
        place.change("UPDATE job SET changed_at = ?", (datetime.now(UTC) - timedelta(seconds=31)).isoformat())
        face = twin(NOT_YET, journal=place.location)
        for method in (face.wait, face.look):
            with pytest.raises(NotFoundError, match="accepted before"):
                method("abc")
        assert face.server.gets == 2

    def test_a_job_of_long_ago_is_believed_to_be_gone_at_once(self, twin: Twin) -> None:
        face = twin(NOT_YET)
        job = Job("abc", twin.call, submitted_at=datetime.now(UTC) - timedelta(seconds=31))
        for method in (face.wait, face.look):
            with pytest.raises(NotFoundError):
                method(job)
        assert face.server.gets == 2

    def test_a_calendar_that_was_set_back_makes_no_job_old(self, twin: Twin) -> None:
        face = twin(NOT_YET, DONE)
        assert face.wait(Job("abc", twin.call, submitted_at=datetime.now(UTC) + timedelta(hours=1))).done

    @pytest.mark.parametrize("status", [301, 401, 403, 405, 410])
    def test_other_refusals_are_believed_at_once(self, twin: Twin, status: int) -> None:
        face = twin(ACCEPTED, (status, {"detail": "no"}))
        with pytest.raises(APIStatusError):
            face.run(twin.call)
        assert face.server.gets == 1


def test_the_message_of_a_foreign_answer_names_the_foreign_job(twin: Twin) -> None:
    face = twin({"id": "another", "status": "completed", "outputs": []})
    with pytest.raises(WaitTimeoutError, match="another"):
        face.wait("abc", timeout=5)


def test_retry_after_on_a_running_job_is_honoured_and_capped(twin: Twin) -> None:
    face = twin((200, RUNNING, {"retry-after": "30"}), (200, RUNNING, {"retry-after": "86400"}), DONE)
    assert face.wait("abc").done
    assert face.server.times == [1000.0, 1030.0, 1090.0]


def test_pauses_grow_with_the_time_waited(twin: Twin) -> None:
    polling = Polling(jitter=0.0)
    face = twin(lambda _: DONE if face.clock.now() >= 1300.0 else RUNNING, polling=polling)
    done = face.wait("abc")
    assert done.seconds is not None
    assert done.seconds - 300.0 <= 0.08 * 300.0
    gaps = [after - before for before, after in pairwise(face.server.times)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (0.5, 10.0)
    assert face.server.gets <= 70, "peers: fal 1,512, muapi-cli 98"


@pytest.mark.parametrize("name", ["a/b", "?x=1", "a#b", "%2e%2e", "a b", "ä", "{id}", "a\r\nb", "\\"])
def test_an_id_reaches_no_other_path(twin: Twin, name: str) -> None:
    face = twin({"id": name, "status": "completed", "outputs": [PICTURE]})
    assert face.look(name).id == name
    raw = face.server.requests[0].url.raw_path
    assert raw.startswith(b"/api/v1/predictions/")
    assert raw.endswith(b"/result")
    assert raw.count(b"/") == 5
    assert b"?" not in raw
    assert face.server.requests[0].url.host == "api.muapi.ai"


@pytest.mark.parametrize("name", ["", ".", "..", " .. ", "\ud800"])
def test_an_id_that_cannot_be_one_is_refused(twin: Twin, name: str) -> None:
    face = twin(DONE)
    for method in (face.look, face.wait):
        with pytest.raises(MuAPIError):
            method(name)
    assert face.server.requests == []


class TestLook:
    @pytest.mark.parametrize("fault", [fault for fault in FAULTS if not isinstance(fault, tuple)], ids=name_of)
    def test_it_survives_what_passes(self, twin: Twin, fault: Exception) -> None:
        face = twin(fault, (503, ""), (200, "<html>"), DONE)
        assert face.look("abc").done
        assert face.server.gets == 4

    def test_it_gives_up_at_last(self, twin: Twin) -> None:
        face = twin(httpx.ReadTimeout("timed out"), retry=Retry(attempts=3))
        with pytest.raises(APIConnectionError):
            face.look("abc")
        assert face.server.gets == 3

    def test_a_failed_job_is_an_answer(self, twin: Twin) -> None:
        said = twin((400, {"detail": {"id": "abc", "status": "failed", "error": "x"}})).look("abc")
        assert (said.id, said.status, said.error, said.done) == ("abc", "failed", "x", False)

    @pytest.mark.parametrize("body", ["", "[]", "{}", "nonsense", "<html>"])
    def test_an_answer_about_nothing(self, twin: Twin, body: str) -> None:
        face = twin((200, body, {"x-account-balance": "3.25", "x-muapi-cost-usd": "0.5"}), retry=Retry(attempts=2))
        with pytest.raises(ResponseError) as caught:
            face.look("abc")
        error = caught.value
        assert (error.body, error.request_id, error.status_code) == (body.encode(), "abc", 200)
        assert (str(error.balance), str(error.cost.amount_usd)) == ("3.25", "0.5")

    def test_the_answer_of_another_job_is_told(self, twin: Twin) -> None:
        foreign = {"id": "another", "status": "completed", "outputs": [PICTURE], "cost": COST}
        face = twin(foreign)
        said: Callable[[], Any] = lambda: face.look("abc")  # noqa: E731 - either way is honest
        try:
            assert "another" in " ".join(said().warnings)
        except ResponseError as error:
            assert "another" in str(error)  # noqa: PT017 - the other honest way
        assert face.spend.total_usd == 0, "another job's charge is not this one's"
