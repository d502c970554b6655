"""A submit is sent once, unless it provably never arrived or was refused unprocessed."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import AsyncJob, Call, Job, MuAPIError, Prediction, Retry
from muapi_client.errors import (
    APIConnectionError,
    APIStatusError,
    JobFailedError,
    RateLimitError,
    SubmitOutcomeUnknownError,
)
from muapi_generated.types import Operation

if TYPE_CHECKING:
    from twins.conftest import Twin

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}
PICTURE = "https://cdn.muapi.ai/outputs/1.png"

BEFORE = [  # what httpx ends in before a request is sent; a mock that raises it itself proves nothing
    httpx.ConnectError("name or service not known"),
    httpx.ConnectTimeout("timed out"),
    httpx.PoolTimeout("no free connection"),
    httpx.ProxyError("407 Proxy Authentication Required"),
    httpx.UnsupportedProtocol("no scheme"),
]
UNSENT = [("unsent", fault) for fault in [*BEFORE, OSError("no such file"), TimeoutError("timed out")]]
AMBIGUOUS = [
    *BEFORE,
    httpx.ReadTimeout("timed out"),
    httpx.WriteTimeout("timed out"),
    httpx.ReadError("connection reset"),
    httpx.WriteError("broken pipe"),
    httpx.CloseError("closed"),
    httpx.RemoteProtocolError("server disconnected without sending a response"),
    httpx.LocalProtocolError("out of step"),
    httpx.DecodingError("bad gzip"),
    httpx.TooManyRedirects("never followed, still a fault"),
    OSError("network is unreachable"),
    TimeoutError("timed out"),
]
NO_ANSWERS: list[Any] = [
    (500, {"detail": "Internal Server Error"}),
    (502, "<html>Bad Gateway</html>"),
    (503, "", {"retry-after": "1"}),
    (504, b"\xff\xfe\x00"),
    (522, "error code: 522"),
    (599, {"request_id": "abc"}),
    (408, {"detail": "Request Timeout"}),
    (499, ""),
    (303, "", {"location": "https://api.muapi.ai/elsewhere"}),
    (200, "<!doctype html><title>Login</title>"),
    (200, '{"request_id": "abc", "sta'),
    (200, b"\x00\x01\xff"),
    (200, ""),
    (204, ""),
    (200, "null"),
    (200, "[]"),
    (200, '"abc"'),
    (200, "7"),
    (200, {}),
    (200, {"detail": "something"}),
    (200, {"status": "processing"}),
    (200, {"request_id": None, "status": "queued"}),
    (200, {"request_id": "", "id": "", "status": "queued"}),
    (200, {"request_id": True, "status": "queued"}),
    (200, {"request_id": ["abc"], "status": "queued"}),
    (200, {"status": "success"}),
    (200, {"status": "completed", "outputs": [], "cost": COST}),
]


def name_of(step: Any) -> str:
    step = step[1] if isinstance(step, tuple) and step[0] == "unsent" else step
    return type(step).__name__ if isinstance(step, BaseException) else repr(step)[:40]


def test_an_accepted_job(twin: Twin) -> None:
    face = twin(ACCEPTED)
    job = face.submit(twin.call)
    assert type(job) is (AsyncJob if twin.awaits else Job)
    assert (job.id, job.call, job.cost.amount_credits) == ("abc", twin.call, 1)
    assert job.submitted_at.tzinfo is not None
    request = face.server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://api.muapi.ai/api/v1/new/model")
    assert request.content == b'{"prompt":"a red fox"}'
    assert request.headers["content-type"] == "application/json"
    assert face.server.posts == 1


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": "abc"},
        {"id": "abc"},
        {"id": "abc", "request_id": None},
        {"data": {"request_id": "abc"}},
        {"data": {"id": "abc", "status": "queued"}},
        {"status": "success", "data": {"request_id": "abc"}},
        {"status": "success", "data": {"id": "abc", "status": "queued"}},
        {"status": "success", "data": {"request_id": "abc", "status": "processing"}, "error": None},
        {"request_id": "abc", "status": "success"},
        {"request_id": "abc", "status": "completed", "outputs": []},
        {"request_id": "abc", "status": "a word nobody has seen"},
        {"request_id": "abc", "status": None, "error": None, "outputs": None},
        {"request_id": "abc", "status": "processing", "error": False},
        {"request_id": "abc", "status": "processing", "error": {"message": None}},
        {"request_id": "abc", "status": 7},
    ],
    ids=str,
)
def test_every_shape_of_accepted(twin: Twin, body: dict[str, Any]) -> None:
    job = twin(body).submit(twin.call)
    assert isinstance(job, Job)
    assert job.id == "abc"


def test_a_number_for_an_id_is_an_id(twin: Twin) -> None:
    assert twin({"id": 123, "status": "queued"}).submit(twin.call).id == "123"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"request_id": "abc", "status": "completed", "outputs": [PICTURE], "cost": COST}, "abc"),
        ({"request_id": "abc", "status": "success", "outputs": [PICTURE]}, "abc"),
        ({"status": "completed", "outputs": [PICTURE]}, None),
        ({"outputs": [PICTURE]}, None),
        ({"output": PICTURE}, None),
        ({"images": [{"url": PICTURE}]}, None),
        ({"data": [PICTURE]}, None),
        ({"data": {"outputs": [PICTURE]}}, None),
        ({"status": "success", "data": {"outputs": [PICTURE]}}, None),
        ({"status": "completed", "data": {"url": PICTURE}}, None),
    ],
    ids=str,
)
def test_every_shape_of_an_answer_at_once(twin: Twin, body: dict[str, Any], name: str | None) -> None:
    face = twin(body)
    done = face.submit(twin.call)
    assert isinstance(done, Prediction)
    assert done.done
    assert (done.id, done.looks) == (name, 0)
    assert [output.url for output in done.outputs] == [PICTURE]
    assert (face.server.posts, face.server.gets, face.spend.requests) == (1, 0, 1)


def test_run_takes_an_answer_at_once_without_a_look(twin: Twin) -> None:
    face = twin({"status": "completed", "outputs": [PICTURE]})
    done = face.run(twin.call)
    assert done.outputs[0].url == PICTURE
    assert len(face.server.requests) == 1
    assert face.clock.now() == 1000.0


def test_text_answered_at_once(twin: Twin) -> None:
    done = twin({"status": "completed", "outputs": ["Foxes live in dens."]}).run(twin.call)
    assert (done.outputs[0].text, done.outputs[0].url) == ("Foxes live in dens.", None)


@pytest.mark.parametrize("status", [200, 400])
def test_a_job_that_fails_at_once(twin: Twin, status: int) -> None:
    result = {"request_id": "abc", "status": "failed", "error": "NSFW", "cost": {**COST, "refunded": True}}
    face = twin((status, result if status == 200 else {"detail": result}))
    with pytest.raises(JobFailedError, match="NSFW") as caught:
        face.submit(twin.call)
    assert caught.value.request_id == "abc"
    assert caught.value.cost.charged_usd == 0
    assert face.server.posts == 1


@pytest.mark.parametrize("fault", UNSENT, ids=name_of)
def test_what_never_arrived_is_sent_again(twin: Twin, fault: Any) -> None:
    face = twin(fault, fault, ACCEPTED)
    assert face.submit(twin.call).id == "abc"
    assert face.server.posts == 3
    assert face.clock.now() <= 1000.0 + 0.5 + 1.0


@pytest.mark.parametrize("fault", UNSENT, ids=name_of)
def test_what_never_arrives_is_not_sent_for_ever(twin: Twin, fault: Any) -> None:
    face = twin(fault, retry=Retry(attempts=3))
    with pytest.raises(APIConnectionError, match="not sent") as caught:
        face.submit(twin.call)
    assert caught.value.sent is False
    assert face.server.posts == 3


@pytest.mark.parametrize("fault", AMBIGUOUS, ids=name_of)
def test_what_may_have_arrived_is_never_sent_again(twin: Twin, fault: Exception) -> None:
    face = twin(fault, ACCEPTED)
    with pytest.raises(SubmitOutcomeUnknownError, match="may have been accepted and charged") as caught:
        face.run(twin.call)
    error = caught.value
    assert (error.call, error.body, error.status_code) == (twin.call, b"", None)
    assert error.started_at > 1.7e9
    assert isinstance(error.__cause__, APIConnectionError)
    assert (face.server.posts, face.server.gets) == (1, 0)


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=name_of)
def test_an_answer_that_tells_nothing_is_never_sent_again(twin: Twin, answer: Any) -> None:
    face = twin(answer, ACCEPTED)
    with pytest.raises(SubmitOutcomeUnknownError) as caught:
        face.run(twin.call)
    error = caught.value
    assert error.call == twin.call
    assert error.status_code == answer[0]
    if isinstance(answer[1], str | bytes):
        assert error.body == (answer[1].encode() if isinstance(answer[1], str) else answer[1])
    assert (face.server.posts, face.server.gets) == (1, 0)


def test_a_fault_between_resends_still_counts(twin: Twin) -> None:
    face = twin(("unsent", httpx.ConnectError("refused")), (429, ""), httpx.ReadTimeout("timed out"), ACCEPTED)
    with pytest.raises(SubmitOutcomeUnknownError):
        face.submit(twin.call)
    assert face.server.posts == 3


def test_an_unknown_outcome_pickles_with_its_call(twin: Twin) -> None:
    face = twin((500, "oops", {"x-account-balance": "3.5"}))
    with pytest.raises(SubmitOutcomeUnknownError) as caught:
        face.submit(twin.call)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.call, again.body, str(again)) == (twin.call, b"oops", str(caught.value))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("0", 0.0), ("99999999999", 60.0), ("Wed, 21 Oct 2015 07:28:09 GMT", 9.0)],
)
def test_a_refused_submit_waits_as_asked(twin: Twin, said: str, seconds: float) -> None:
    headers = {"retry-after": said, "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    face = twin((429, {"detail": "slow down"}, headers), ACCEPTED)
    assert face.submit(twin.call).id == "abc"
    assert face.clock.now() == 1000.0 + seconds
    assert face.server.posts == 2


@pytest.mark.parametrize("said", ["soon", "-5", "", "1e3", "NaN", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_a_retry_after_nobody_can_read_backs_off(twin: Twin, said: str) -> None:
    face = twin((429, "", {"retry-after": said}), ACCEPTED)
    assert face.submit(twin.call).id == "abc"
    assert 1000.0 <= face.clock.now() <= 1000.5


def test_a_submit_refused_every_time(twin: Twin) -> None:
    face = twin((429, {"detail": "slow down"}, {"retry-after": "1"}), retry=Retry(attempts=4))
    with pytest.raises(RateLimitError, match="slow down") as caught:
        face.submit(twin.call)
    assert (caught.value.status_code, caught.value.detail) == (429, "slow down")
    assert face.server.posts == 4
    assert face.clock.now() == 1003.0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(twin: Twin, status: int) -> None:
    face = twin((status, "", {"location": "https://evil.example/take"}), ACCEPTED)
    with pytest.raises((APIStatusError, SubmitOutcomeUnknownError)):
        face.submit(twin.call)
    assert [request.url.host for request in face.server.requests] == ["api.muapi.ai"]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_interrupt_during_a_submit_propagates(twin: Twin, interrupt: type[BaseException]) -> None:
    face = twin(interrupt, ACCEPTED)
    with pytest.raises(interrupt):
        face.submit(twin.call)
    assert face.server.posts == 1
    assert face.submit(twin.call).id == "abc", "the client is still usable"


def test_an_answer_that_never_ends_is_cut_at_the_timeout(twin: Twin) -> None:
    face = twin(lambda _: (200, drip))
    drip = twin.body(*[b" "] * 1000, pause=lambda: face.clock.sleep(1.0))
    with pytest.raises(SubmitOutcomeUnknownError, match="60 s"):
        face.submit(twin.call)
    assert face.clock.now() == 1061.0
    assert drip.closed


def test_an_endless_answer_is_cut_at_a_size(twin: Twin) -> None:
    flood = twin.body(*[b" " * 2**20] * 70)
    face = twin((200, flood))
    with pytest.raises(SubmitOutcomeUnknownError, match="bytes"):
        face.submit(twin.call)
    assert flood.closed


@pytest.mark.parametrize("answer", [ACCEPTED, *NO_ANSWERS[:4], (404, {"detail": "Not Found"}), (429, "")], ids=name_of)
def test_every_response_is_closed(twin: Twin, answer: Any) -> None:
    face = twin(answer)
    with suppress(MuAPIError):
        face.submit(twin.call)
    assert face.server.bodies
    assert all(body.closed for body in face.server.bodies)


ORIGINS = ["https://api.muapi.ai", "http://[::1]:8080/prefix", "https://xn--bcher-kva.example"]
BODIES = [("GET", None), ("POST", {"prompt": "é"}), ("POST", None), ("DELETE", None)]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("method", "body"), BODIES)
def test_a_request_is_as_httpx_makes_it(twin: Twin, origin: str, method: str, body: Any) -> None:
    """It is made without the help of httpx's ``content``, which is slow; a transport of the user's finds no other."""
    operation = Operation("", method, "/api/v1/anything")
    face = twin({"done": True}, base_url=origin)
    face.send(Call(operation, body))
    (made,) = face.server.requests
    added = {"host", "content-length"}
    given = [(name, value) for name, value in made.headers.multi_items() if name not in added]
    content = None if body is None else b'{"prompt":"\xc3\xa9"}'
    theirs = httpx.Request(method, f"{origin}/api/v1/anything", headers=given, content=content)
    assert dict(made.headers) == dict(theirs.headers)
    assert made.headers.raw[0] == theirs.headers.raw[0]  # Host comes first (RFC 9110, 7.2)
    assert made.content == theirs.content
    assert made.url == theirs.url
