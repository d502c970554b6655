"""Libraries that mock httpx: what they answer arrives, by every road, and nothing goes past them or goes twice."""

from __future__ import annotations

import json
import socket
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import AsyncMock, MagicMock, patch

import httpx
import pytest
import pytest_socket
import respx
import vcr
import yaml
from by_kind import IMAGE, STREAM, make_image, make_stream
from vcr.errors import CannotOverwriteExistingCassetteException

from muapi_client import AsyncMuAPI, Retry, errors
from muapi_client._runtime.clock import VirtualClock
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_httpx import HTTPXMock
    from twins.conftest import Face, Twin

Mock: TypeAlias = "Callable[[str, Answer | None], AbstractContextManager[None]]"
KEY = "sk-live-4f1d0c2e9b"
CALL = make_image(prompt="a red fox")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PICTURE = "https://cdn.muapi.ai/outputs/a.png"
EVENTS = b'data: {"request_id": "job-2", "choices": [{"index": 0, "delta": {"content": "Hello"}}]}\n\ndata: [DONE]\n\n'
API = "https://api.muapi.ai/api/v1"
# method, URL, then the status, the type and the body of the answer
ANSWERS: dict[tuple[str, str], tuple[int, str, bytes]] = {
    ("POST", f"{API}/{IMAGE.slug}"): (200, "application/json", b'{"request_id": "job-1", "status": "processing"}'),
    ("GET", f"{API}/predictions/job-1/result"): (
        200,
        "application/json",
        json.dumps({"id": "job-1", "status": "completed", "outputs": [PICTURE]}).encode(),
    ),
    ("POST", f"{API}/{STREAM.slug}"): (200, "text/event-stream", EVENTS),
    ("POST", f"{API}/upload_file"): (200, "application/json", b'{"url": "https://cdn.muapi.ai/uploads/a.png"}'),
    ("GET", PICTURE): (200, "image/png", PNG),
}


class Answer:
    """What a mock answers, and what it was asked, as method and path."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as ``ANSWERS`` has it."""
        self.requests.append(f"{request.method} {request.url.path}")
        status, kind, body = ANSWERS[request.method, str(request.url)]
        return httpx.Response(status, headers={"content-type": kind}, content=body)


@contextmanager
def by_respx(answer: Answer | None, using: str) -> Iterator[None]:
    with respx.mock(using=using, assert_all_called=False) as router:
        if answer is not None:
            router.route().mock(side_effect=answer)
        yield


@contextmanager
def by_replaced_send(answer: Answer) -> Iterator[None]:
    async def asend(_: httpx.AsyncClient, request: httpx.Request, **_named: Any) -> httpx.Response:
        await request.aread()
        return answer(request)

    def send(_: httpx.Client, request: httpx.Request, **_named: Any) -> httpx.Response:
        request.read()
        return answer(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", send)
        patch.setattr(httpx.AsyncClient, "send", asend)
        yield


@contextmanager
def by_cassette(answer: Answer | None, folder: Path) -> Iterator[None]:
    """A cassette on which every answer was recorded, and nothing may be recorded any more."""
    file = folder / "recorded.yaml"
    recorded = [
        {
            "request": {"method": method, "uri": url, "body": None, "headers": {}},
            "response": {
                "status": {"code": status, "message": "OK"},
                "headers": {"content-type": [kind]},
                "body": {"string": body},
            },
        }
        for (method, url), (status, kind, body) in ANSWERS.items()
        if answer is not None
    ]
    file.write_text(yaml.safe_dump({"version": 1, "interactions": recorded}), encoding="utf-8")
    with vcr.use_cassette(str(file), record_mode="none", allow_playback_repeats=True) as cassette:
        yield
        for number, (request, _) in enumerate(cassette.data if answer is not None else ()):
            answer.requests += [f"{request.method} {request.path}"] * cassette.play_counts[number]


WAYS = ["respx", "respx on httpcore", "respx on httpx", "pytest-httpx", "vcrpy", "a replaced send"]


@pytest.fixture
def mock(request: pytest.FixtureRequest, tmp_path: Path) -> Mock:
    """``mock(way, answer)``: a context in which httpx is mocked; without an answer, by a mock that knows nothing."""

    def new(way: str, answer: Answer | None) -> AbstractContextManager[None]:
        if way == "pytest-httpx":
            httpx_mock: HTTPXMock = request.getfixturevalue("httpx_mock")
            if answer is not None:
                httpx_mock.add_callback(answer, is_reusable=True, is_optional=True)
            return nullcontext()
        if way == "vcrpy":
            return by_cassette(answer, tmp_path)
        if way == "a replaced send":
            assert answer is not None
            return by_replaced_send(answer)
        return by_respx(answer, way.rpartition(" on ")[2] if " on " in way else respx.mocks.DEFAULT_MOCKER)

    return new


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that were looked up for real, in vain."""
    hosts: list[str] = []
    look_up = socket.getaddrinfo

    def nowhere(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith("muapi.ai"):
            hosts.append(name)
            raise socket.gaierror(socket.EAI_NONAME, "this test lets nothing out")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    return hosts


@contextmanager
def face_of(twin: Twin, **options: Any) -> Iterator[Face]:
    """A client whose network is httpx's, closed afterwards."""
    face = twin(transport=None, clock=VirtualClock(1000.0), retry=Retry(attempts=1), **options)
    yield face
    face.close()


@pytest.fixture
def served() -> Iterator[tuple[Emulator, str]]:
    """An emulator, and where it answers on this machine."""
    running = Emulator(live_keys=(KEY,))
    with running.serve() as url:
        yield running, url


def submit_and_close(face: Face) -> Any:
    """Submit over connections that stay open, and close them, all in one event loop."""

    async def submit() -> Any:
        async with face.mu as mu:
            return await mu.submit(CALL)

    if isinstance(face.mu, AsyncMuAPI):
        return face.go(submit())
    with face.mu as mu:
        return mu.submit(CALL)


@contextmanager
def wrapped_send(times: int) -> Iterator[None]:
    """Wrap every client's ``send``, as programs do that trace or retry: it hands a request on, ``times`` times."""
    send, asend = httpx.Client.send, httpx.AsyncClient.send

    def wrapped(client: httpx.Client, request: httpx.Request, **named: Any) -> httpx.Response:
        for _ in range(times - 1):
            with suppress(httpx.HTTPError):
                send(client, request, **named)
        return send(client, request, **named)

    async def awrapped(client: httpx.AsyncClient, request: httpx.Request, **named: Any) -> httpx.Response:
        for _ in range(times - 1):
            with suppress(httpx.HTTPError):
                await asend(client, request, **named)
        return await asend(client, request, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", wrapped)
        patch.setattr(httpx.AsyncClient, "send", awrapped)
        yield


@pytest.mark.parametrize("way", WAYS)
def test_a_mock_answers_by_every_road(twin: Twin, way: str, mock: Mock, left: list[str], tmp_path: Path) -> None:
    answer = Answer()
    with face_of(twin) as face:
        with pytest.raises(errors.APIConnectionError):
            face.look("job-0")  # a connection is tried before there is a mock
        left.clear()
        with mock(way, answer):
            assert face.run(CALL).status == "completed"
            assert "".join(event.text for event in face.events(make_stream(prompt="Say hello"))) == "Hello"
            assert face.upload(PNG) == "https://cdn.muapi.ai/uploads/a.png"
            (saved,) = face.download(face.look("job-1"), tmp_path / "saved")
    assert saved.read_bytes() == PNG
    assert left == []
    assert [asked for asked in answer.requests if asked.startswith("POST")] == [
        f"POST /api/v1/{IMAGE.slug}",
        f"POST /api/v1/{STREAM.slug}",
        "POST /api/v1/upload_file",
    ]


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
@pytest.mark.parametrize(
    ("way", "kind", "words"),
    [
        ("respx on httpcore", AssertionError, "not mocked"),
        ("respx on httpx", AssertionError, "not mocked"),
        ("vcrpy", CannotOverwriteExistingCassetteException, "record.mode .*none"),
        ("pytest-httpx", errors.SubmitOutcomeUnknownError, "No response can be found for POST request on"),
    ],
)
def test_what_a_mock_does_not_know_is_an_error_that_says_so(  # noqa: PLR0917 - fixtures
    twin: Twin, way: str, kind: type[Exception], words: str, mock: Mock, left: list[str]
) -> None:
    with face_of(twin) as face:
        with mock(way, None), pytest.raises(kind, match=words):
            face.submit(CALL)
        assert left == []
        assert len(face.unknown()) == 1  # a mock stands for a server, which may have read it


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_what_a_mock_lets_pass_arrives_once(twin: Twin, using: str, served: tuple[Emulator, str]) -> None:
    emulator, url = served
    with respx.mock(using=using) as router, face_of(twin, base_url=url) as face:
        router.route().pass_through()
        assert submit_and_close(face).id
    assert emulator.accepted == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_wrapped_send_hands_a_paid_request_on_once(twin: Twin, times: int, served: tuple[Emulator, str]) -> None:
    emulator, url = served
    again = pytest.raises(errors.SubmitOutcomeUnknownError, match="a second time")
    with face_of(twin, base_url=url) as face, wrapped_send(times), nullcontext() if times == 1 else again:
        assert submit_and_close(face).id
    assert emulator.accepted == 1


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_wrapped_send_could_not_send_was_not_sent(twin: Twin, times: int, left: list[str]) -> None:
    with face_of(twin) as face:
        with wrapped_send(times), pytest.raises(errors.APIConnectionError) as caught:
            face.submit(CALL)
        assert caught.value.sent is False
        assert len(left) == 1
        assert face.unknown() == []


def test_a_mock_that_answers_with_no_response_is_named(twin: Twin, left: list[str]) -> None:
    with (
        face_of(twin) as face,
        patch("httpx.Client", MagicMock()),
        patch("httpx.AsyncClient", MagicMock(return_value=MagicMock(send=AsyncMock()))),
        pytest.raises(errors.SubmitOutcomeUnknownError, match=r"httpx is mocked, and answers with \w+Mock"),
    ):
        face.submit(CALL)
    assert left == []


def test_a_router_is_a_transport(twin: Twin) -> None:
    router = respx.MockRouter(assert_all_called=False)
    router.route().mock(side_effect=Answer())
    handler = router.async_handler if twin.awaits else router.handler
    assert twin(transport=httpx.MockTransport(handler), clock=VirtualClock()).run(CALL).status == "completed"


def test_a_picture_comes_from_a_mock_transport_whole(twin: Twin, tmp_path: Path) -> None:
    face = twin(transport=httpx.MockTransport(Answer()), clock=VirtualClock())
    (saved,) = face.download(face.run(CALL), tmp_path)
    assert saved.read_bytes() == PNG


def test_where_sockets_are_forbidden_nothing_was_sent(twin: Twin) -> None:
    with face_of(twin, base_url="http://127.0.0.1:9") as face:
        pytest_socket.disable_socket(allow_unix_socket=True)  # which event loops are made of
        try:
            with pytest.raises(errors.APIConnectionError, match="tried to use socket") as caught:
                face.submit(CALL)
        finally:
            pytest_socket.enable_socket()
        assert caught.value.sent is False
        assert face.unknown() == []
