"""The key goes into one header of requests to the API's origin, and nowhere else."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpcore
import httpx
import pytest
from by_kind import make_image

from muapi_client import Call, Job, MuAPIError, Retry, raw_call
from muapi_client.errors import (
    AuthenticationError,
    JobFailedError,
    StreamBrokenError,
    SubmitOutcomeUnknownError,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twins.conftest import Twin

ACCEPTED = {"request_id": "abc", "status": "processing"}
OURS = "/muapi_client/"


def locals_of(error: BaseException) -> str:
    """What a crash reporter shows of our frames: every local, of the error and all that led to it."""
    shown, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
        shown += [f"{frame.name}: {frame.locals}" for frame in frames if OURS in frame.filename]
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return "\n".join(shown)


def test_it_goes_into_one_header(twin: Twin) -> None:
    face = twin(ACCEPTED)
    face.submit(twin.call)
    request = face.server.requests[0]
    carrying = [name for name, value in request.headers.items() if twin.key in value]
    assert carrying == ["x-api-key"]
    assert twin.key not in str(request.url)
    assert twin.key.encode() not in request.content
    assert "authorization" not in request.headers


def test_no_redirect_takes_it_elsewhere(twin: Twin) -> None:
    face = twin((307, "", {"location": "https://evil.example/"}), {"ok": True})
    with pytest.raises(MuAPIError):
        face.submit(twin.call)
    with pytest.raises(MuAPIError):
        face.look("abc")
    assert {request.url.host for request in face.server.requests} == {"api.muapi.ai"}


LEADING_ELSEWHERE = ["@evil.example/x", "//evil.example/x", "/api/v1/x?a=b", "/api/v1/%2e%2e/x", "/a\r\nb"]


@pytest.mark.parametrize("path", LEADING_ELSEWHERE)
@pytest.mark.parametrize("method", ["submit", "send", "run", "events", "estimate"])
def test_no_call_takes_it_elsewhere(twin: Twin, method: str, path: str) -> None:
    face = twin(ACCEPTED)
    call = Call.from_json(raw_call("x/stream" if method == "events" else "x", {}).to_json())
    object.__setattr__(call.operation, "path", path + "/stream" * (method == "events"))  # as a crafted pickle may
    with pytest.raises(ValidationError, match="nothing was sent"):
        getattr(face, method)(call)
    assert not face.server.requests
    assert face.unknown() == []


@pytest.mark.parametrize("path", ["@evil.example/x", ":80@evil.example/x", ".evil.example/x"])
@pytest.mark.parametrize("base_url", ["https://api.example", "https://api.example/base"])
def test_not_even_past_the_checks(twin: Twin, base_url: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muapi_client._protocol.request._find_problem", lambda _operation: None)
    face = twin(ACCEPTED, base_url=base_url)
    call = raw_call("x", {})
    object.__setattr__(call.operation, "path", path)
    with pytest.raises(MuAPIError, match="nothing was sent"):
        face.submit(call)
    assert not face.server.requests
    assert face.unknown() == []


@pytest.mark.parametrize("job_id", ["", ".", "..", "../x", "a/../b", "..\\x", "./a", " ", "\ud800"])
def test_no_id_reaches_another_path(twin: Twin, job_id: str) -> None:
    face = twin(ACCEPTED)
    for method in (face.look, face.wait):
        with pytest.raises(ValidationError, match="id must name something"):
            method(job_id)
    assert not face.server.requests


@pytest.mark.parametrize("job_id", [".", "..", " "])
def test_a_job_accepted_under_such_an_id_is_told_with_it(twin: Twin, job_id: str) -> None:
    with pytest.raises(SubmitOutcomeUnknownError) as caught:
        twin({"request_id": job_id, "status": "processing"}).submit(twin.call)
    assert f"with the request id {job_id!r}, which no path can hold" in str(caught.value)


@pytest.mark.parametrize("job_id", ["/", "a//b", "\\", "a/b", "a?b", "a#b", "@evil", "a\r\nb", "%2e%2e", "a.b", "ä"])
def test_an_odd_id_is_quoted(twin: Twin, job_id: str) -> None:
    face = twin({"id": job_id, "status": "completed", "outputs": ["https://cdn.example/a.png"]})
    assert face.look(job_id).done
    (request,) = face.server.requests
    assert request.url.raw_path.decode() == f"/api/v1/predictions/{quote(job_id, safe='')}/result"


def test_no_cookie_is_sent_back(twin: Twin) -> None:
    face = twin((200, ACCEPTED, {"set-cookie": "session=1; Domain=muapi.ai"}))
    face.submit(twin.call)
    face.submit(twin.call)
    assert "cookie" not in face.server.requests[1].headers


def test_no_repr_shows_it(twin: Twin) -> None:
    face = twin(ACCEPTED)
    job = face.submit(twin.call)
    for thing in (face.mu, job, face.mu.spend, face.mu.__dict__, face.mu.account, face.mu.keys):
        assert twin.key not in f"{thing!r} {thing!s}"
    assert twin.key not in job.to_json()


def test_no_pickle_holds_it(twin: Twin) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(TypeError, match="API key is not pickled"):
        pickle.dumps(face.mu)
    job = face.submit(twin.call)
    assert twin.key.encode() not in pickle.dumps(job)
    assert pickle.loads(pickle.dumps(job)) == copy.deepcopy(job) == job


FAULTS: list[Any] = [
    httpx.ReadTimeout("timed out"),
    httpx.ConnectError("refused"),
    (401, {"detail": "Not authorized"}),
    (500, "oops"),
    (200, "<html>"),
    (422, {"detail": "no"}),
    KeyboardInterrupt,
    ZeroDivisionError("a fault of the transport itself"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda value: str(value)[:30])
def test_no_error_shows_it(twin: Twin, fault: Any) -> None:
    face = twin(fault)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever comes, it keeps the secret
        face.submit(twin.call)
    error = caught.value
    assert twin.key not in f"{error!r} {error!s} {vars(error)}"
    assert locals_of(error), "our frames are in the traceback"
    assert twin.key not in locals_of(error)


@pytest.mark.parametrize(
    "options", [{"timeout": -1}, {"base_url": "http://api.muapi.ai"}, {"max_spend": "much"}, {"wait_timeout": None}]
)
def test_no_refused_option_shows_it(twin: Twin, options: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError) as caught:
        twin(ACCEPTED, **options)
    assert twin.key not in str(caught.value)
    assert twin.key not in locals_of(caught.value)


def test_a_webhook_that_would_break_the_line_is_refused_at_once_and_shows_nothing(twin: Twin) -> None:
    with pytest.raises(MuAPIError, match="whole address") as caught:
        twin(ACCEPTED, webhook="https://x.example/a\r\nb")
    assert twin.key not in locals_of(caught.value)


def test_a_request_that_cannot_be_built_is_an_error_of_ours_and_shows_nothing(twin: Twin) -> None:

    face = twin(ACCEPTED, webhook="https://x.example/\ud800")
    with pytest.raises(MuAPIError, match="lone surrogate") as caught:
        face.submit(make_image(prompt="a fox"))
    assert twin.key not in locals_of(caught.value)
    assert face.server.requests == []


@pytest.mark.parametrize("key", ["sk-1\r\nx-evil: 1", "sk-1\nx", "sk 1", "sk-ä", "sk\x00", "sk\x7f", "", "   ", "\t"])
def test_a_key_that_cannot_be_a_header_is_refused(twin: Twin, key: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        twin(ACCEPTED, api_key=key)
    if key.strip():
        assert key not in str(caught.value)
        assert "evil" not in locals_of(caught.value)


def test_surrounding_space_is_no_part_of_a_key(twin: Twin) -> None:
    face = twin(ACCEPTED, api_key="  sk-1\n")
    face.submit(twin.call)
    assert face.server.requests[0].headers["x-api-key"] == "sk-1"


def test_the_environment_may_hold_it(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-env")
    monkeypatch.setenv("MUAPI_BASE_URL", "https://other.example/api/v1/")
    face = twin(ACCEPTED, api_key=None)
    face.submit(twin.call)
    request = face.server.requests[0]
    assert request.headers["x-api-key"] == "sk-env"
    assert str(request.url) == "https://other.example/api/v1/new/model"


def test_no_key_at_all(twin: Twin) -> None:
    with pytest.raises(AuthenticationError, match=r"set MUAPI_API_KEY .*; the command line alone reads the keyring"):
        twin(ACCEPTED, api_key=None)


@pytest.mark.parametrize("url", ["http://api.muapi.ai", "http://10.0.0.1:8000/api/v1", "http://localhost.evil.example"])
def test_clear_text_to_another_machine_is_refused(twin: Twin, url: str) -> None:
    with pytest.raises(MuAPIError, match="clear text"):
        twin(ACCEPTED, base_url=url)
    assert twin(ACCEPTED, base_url=url, allow_http=True).submit(twin.call).id == "abc"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.muapi.ai",
        "ftp://api.muapi.ai",
        "file:///etc/passwd",
        "https://",
        "https:///api/v1",
        "https://user:pass@api.muapi.ai",
        "https://user@api.muapi.ai",
        "https://api.muapi.ai?x=1",
        "https://api.muapi.ai?",
        "https://api.muapi.ai/#x",
        "https://api.muapi.ai#",
        "https://api.muapi.ai:port",
        "https://[::1",
        "https://api.muapi.ai\n.evil.example",
        "https://api.muapi.ai .evil.example",
    ],
)
def test_a_base_url_that_is_none_is_refused(twin: Twin, url: str) -> None:
    with pytest.raises(MuAPIError):
        twin(ACCEPTED, base_url=url)


class _Handler(BaseHTTPRequestHandler):
    """Answers a job, over a real connection, so that httpcore logs what it does."""

    def do_POST(self) -> None:
        body = b'{"request_id": "abc", "status": "processing"}'
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of http.server
        """Keep standard error quiet."""


@pytest.fixture
def loopback() -> Iterator[str]:
    """A server on a free port of this machine."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_proxy_sees_what_is_meant_for_this_machine(
    twin: Twin, loopback: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # where nobody listens
    face = twin(base_url=loopback, transport=None, retry=Retry(attempts=1))

    async def submit_and_close() -> Any:
        async with face.mu as mu:
            return await mu.submit(twin.call)

    job = face.go(submit_and_close()) if twin.awaits else face.submit(twin.call)
    assert job.id == "abc"
    if not twin.awaits:
        face.close()


def test_no_log_shows_it(twin: Twin, loopback: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    face = twin(base_url=loopback, transport=None)
    submitted = face.mu.submit(twin.call)
    if twin.awaits:

        async def submit_and_close() -> Any:
            async with face.mu as mu:
                assert mu is face.mu
                return await submitted

        assert face.go(submit_and_close()).id == "abc"
    else:
        with face.mu:
            assert submitted.id == "abc"
    assert httpcore.__name__ in {record.name.split(".")[0] for record in caplog.records}
    assert twin.key not in caplog.text
    assert all(twin.key not in str(record.__dict__) for record in caplog.records)


def test_a_server_that_echoes_the_key_does_not_put_it_into_an_error(twin: Twin) -> None:
    face = twin((401, {"detail": f"bad key {twin.key}"}))
    with pytest.raises(AuthenticationError) as caught:
        face.submit(twin.call)
    assert twin.key not in f"{caught.value} {caught.value.detail}"
    assert "[API key]" in str(caught.value)


@pytest.mark.parametrize(
    ("webhook", "echo"),
    [
        ("https://x.example?token=t0ken-0123456789AB", "https://x.example/?token=t0ken-0123456789AB"),
        ("https://user:t0ken-0123456789AB@x.example/a/b", "https://user:t0ken-0123456789AB@x.example:443/a/b"),
        ("https://user:t0ken-01@x.example/an0ther-0123456789", "https://user:t0ken-01@x.example/an0ther-0123456789"),
    ],
)
def test_nor_does_one_that_echoes_a_webhook_as_it_puts_it_right(
    twin: Twin, webhook: str, echo: str, tmp_path: Path
) -> None:
    mu = twin((422, {"detail": f"{echo} is not reached"}), webhook=webhook)
    with pytest.raises(ValidationError) as caught:
        mu.submit(twin.call)
    assert "t0ken" not in f"{caught.value!r} {caught.value}"
    mu = twin((200, {"status": "failed", "error": echo}), webhook=webhook, journal=tmp_path / "jobs.db")
    with pytest.raises(JobFailedError):
        mu.run(twin.call)
    assert [entry.reason and "t0ken" in entry.reason for entry in mu.jobs()] == [False]


def test_nor_does_one_that_echoes_the_webhook_of_any_job_that_is_asked_after(twin: Twin) -> None:
    def echo_of(job: Job) -> Any:
        return 400, {"detail": {"status": "failed", "error": job.call.body["webhook_url"], "id": job.id}}

    mu = twin(*[{"request_id": f"job-{n}", "status": "processing"} for n in range(99)])
    jobs = [mu.submit(raw_call("any/model", {"webhook_url": f"https://x.example/t0ken-{n:020}"})) for n in range(99)]
    mu.server.steps += [echo_of(jobs[0])]
    other = twin(echo_of(jobs[1]))  # which never sent it
    for face, job in ((mu, jobs[0]), (other, Job.from_json(jobs[1].to_json()))):
        with pytest.raises(JobFailedError) as caught:
            face.wait(job)
        assert "t0ken" not in f"{caught.value!r} {caught.value}"


def test_nor_does_a_success_that_tells_a_failure(twin: Twin, tmp_path: Path) -> None:
    answer = {"request_id": "a", "status": "failed", "error": f"bad key {twin.key}"}
    face = twin(answer, journal=tmp_path / "jobs.db")
    with pytest.raises(JobFailedError) as caught:
        face.run(twin.call)
    assert "bad key [API key]" in str(caught.value)
    assert twin.key not in f"{caught.value} {caught.value.prediction!r}"
    assert all(twin.key.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def escaped(text: str) -> str:
    """A text as JSON may have it: no letter stands as it is."""
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


@pytest.mark.parametrize("spell", [str, escaped, lambda key: "".join(f"%{ord(letter):02X}" for letter in key)])
def test_whatever_way_it_is_spelt(twin: Twin, spell: Any, tmp_path: Path) -> None:
    echo = f'{{"request_id": "r", "status": "failed", "error": "{spell(twin.key)}", "x": {{"{spell(twin.key)}": 1}}}}'
    face = twin((200, echo, {"x-echo": spell(twin.key)}), journal=tmp_path / "jobs.db")
    with pytest.raises(JobFailedError) as caught:
        face.run(twin.call)
    assert "[API key]" in str(caught.value)
    shown = unquote(f"{caught.value} {caught.value.prediction!r} {caught.value.prediction.raw}")
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert twin.key not in shown
    assert twin.key not in unquote(written.decode("latin-1"))
    assert escaped(twin.key).encode() not in written


@pytest.mark.parametrize(
    "content_type", ["text/plain", "text/event-stream", "application/x-ndjson", "application/json"]
)
def test_nor_in_a_stream_however_it_is_cut(twin: Twin, content_type: str, tmp_path: Path) -> None:
    words = {"text/plain": "bad {} key", "text/event-stream": 'data: {{"text": "bad {} key"}}\n\ndata: [DONE]\n\n'}
    body = words.get(content_type, '{{"text": "bad {} key"}}\n').format(twin.key).encode()
    for cut in range(0, len(body), 3):
        head = {"content-type": content_type, "content-length": str(len(body))}
        face = twin((200, twin.body(body[:cut], body[cut:]), head), journal=tmp_path / "jobs.db")
        events = face.events(raw_call("x/stream", {}))
        assert "".join(event.text for event in events) == "bad [API key] key"
        assert twin.key not in f"{events!r} {events[-1].prediction} {events[-1].prediction.raw}"
    assert all(twin.key.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_nor_in_the_words_of_a_stream_that_breaks_off(twin: Twin) -> None:
    start, end = twin.key[:9], twin.key[9:]
    lines = f'data: {{"text": "bad {start}"}}\n\ndata: {{"text": "{end} key"}}\n\n'.encode()
    left = [lines]

    def pause() -> None:
        if not left:
            raise httpx.ReadError(f"reset behind {twin.key}")
        left.pop()

    face = twin((200, twin.body(lines, b"", pause=pause), {"content-type": "text/event-stream"}))
    with pytest.raises(StreamBrokenError) as caught:
        face.events(raw_call("x/stream", {}))
    assert caught.value.text == "bad [API key] key"
    assert twin.key not in f"{caught.value.prediction} {caught.value}"


def test_plain_text_that_only_begins_like_it_is_whole(twin: Twin) -> None:
    face = twin((200, twin.body(b"he asks", b"-live"), {"content-type": "text/plain", "content-length": "12"}))
    assert "".join(event.text for event in face.events(raw_call("x/stream", {}))) == "he asks-live"
