"""Webhooks as a user receives them: in Starlette, in Flask, and by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import make_image
from flask import Flask
from flask import request as flask_request
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from muapi_client import Job, JobState, MuAPI, Prediction, webhooks
from muapi_client.emulator import Emulator
from muapi_client.errors import MuAPIError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

FINISHED = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/a.png"]}

BODY = json.dumps(FINISHED).encode()


@pytest.fixture
def mu() -> MuAPI:
    return MuAPI("sk-live", transport=Emulator().transport())


@pytest.fixture
def job(mu: MuAPI) -> Job:
    job = mu.submit(make_image(prompt="a fox"))
    assert isinstance(job, Job)
    return job


class Receiver:
    """What a user's hook does, whatever the framework: the recipe of ``webhooks``, word for word."""

    def __init__(self, mu: MuAPI, failures: int = 0) -> None:
        self.mu = mu
        self.failures = failures  # how often handling fails before it works
        self.token = webhooks.new_token()
        self.seen = webhooks.Seen()
        self.believed: list[Prediction] = []

    def __call__(self, token: str, body: bytes) -> int:
        if not webhooks.same_token(self.token, token):
            return 404
        try:
            hint = webhooks.receive(body)
        except ResponseError:
            return 400
        if hint not in self.seen:
            truth = self.mu.look(hint.id)
            if truth.state is JobState.RUNNING:
                return 503
            self.handle(truth)
            self.seen.add(hint)
        return 200

    def handle(self, prediction: Prediction) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        self.believed.append(prediction)


class StarletteClient:
    """Posts to an ASGI application."""

    def __init__(self, app: Starlette) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # as a server: it answers 500

    def post(self, path: str, **content: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://hooks") as client:
                return await client.post(path, **content)

        return asyncio.run(send())


def starlette_client(receiver: Receiver) -> Any:
    async def hook(request: Request) -> Response:
        return Response(status_code=receiver(request.path_params["token"], await request.body()))

    return StarletteClient(Starlette(routes=[Route("/hooks/{token}", hook, methods=["POST"])]))


def flask_client(receiver: Receiver) -> Any:
    app = Flask(__name__)

    @app.post("/hooks/<token>")
    def hook(token: str) -> tuple[str, int]:
        return "", receiver(token, flask_request.get_data())

    return app.test_client()


@pytest.mark.parametrize("framework", [starlette_client, flask_client])
def test_a_webhook_is_a_hint_and_the_result_is_fetched_with_the_key(framework: Any, mu: MuAPI, job: Job) -> None:
    receiver = Receiver(mu)
    client = framework(receiver)
    mu.wait(job)
    lie = {"id": job.id, "status": "completed", "outputs": ["https://evil.example/x.png"]}

    assert client.post(f"/hooks/{receiver.token}", json=lie).status_code == 200
    assert client.post(f"/hooks/{receiver.token}", json=lie).status_code == 200
    assert [p.outputs[0].url for p in receiver.believed] == [mu.look(job).outputs[0].url]

    assert client.post("/hooks/guess", json=lie).status_code == 404
    assert client.post(f"/hooks/{receiver.token}", json="<html>").status_code == 400
    assert len(receiver.believed) == 1


@pytest.mark.parametrize("framework", [starlette_client, flask_client])
def test_a_webhook_whose_handling_fails_is_handled_when_it_comes_again(framework: Any, mu: MuAPI, job: Job) -> None:
    receiver = Receiver(mu, failures=2)
    client = framework(receiver)
    mu.wait(job)
    body = FINISHED | {"id": job.id}

    statuses = [client.post(f"/hooks/{receiver.token}", json=body).status_code for _ in range(4)]

    assert statuses == [500, 500, 200, 200]
    assert [prediction.id for prediction in receiver.believed] == [job.id], "and once only"


@pytest.mark.parametrize("framework", [starlette_client, flask_client])
def test_a_webhook_that_comes_before_the_end_hides_none_that_comes_after_it(
    framework: Any, mu: MuAPI, job: Job
) -> None:
    receiver = Receiver(mu)
    client = framework(receiver)
    body = FINISHED | {"id": job.id}
    early = client.post(f"/hooks/{receiver.token}", json=body).status_code
    mu.wait(job)
    assert (early, client.post(f"/hooks/{receiver.token}", json=body).status_code) == (503, 200)
    assert [prediction.done for prediction in receiver.believed] == [True]


def test_the_hint_is_shaped_like_a_prediction() -> None:
    hint = webhooks.receive(json.dumps(FINISHED).encode(), {"Content-Type": "application/json"})
    assert hint.id == "abc"
    assert hint.claim.done
    assert hint.claim.outputs[0].media_type == "image/png"
    assert hint.claim.cost is None


def test_a_failed_job_is_read_in_either_shape_of_its_result() -> None:
    """Of a look it mostly is what an HTTP 400 tells in ``detail``, and a webhook posts a look's result."""
    failed = {"id": "abc", "status": "failed", "error": "no face found"}
    for body in (failed, {"detail": failed}):
        hint = webhooks.receive(json.dumps(body).encode())
        assert (hint.id, hint.claim.state, hint.claim.error) == ("abc", JobState.FAILED, "no face found")
    with pytest.raises(ResponseError):
        webhooks.receive(b'{"detail": "Not Found"}')


def test_seen_forgets_the_oldest_first() -> None:
    seen = webhooks.Seen(maximum=2)
    hints = [webhooks.receive(json.dumps(FINISHED | {"id": name}).encode()) for name in "abc"]
    assert [seen.first(hint) for hint in [*hints, hints[2], hints[0]]] == [True, True, True, False, True]


def test_seen_holds_what_was_handled_and_forgets_the_oldest_first() -> None:
    seen = webhooks.Seen(maximum=2)
    first, second, third = (webhooks.receive(json.dumps(FINISHED | {"id": name}).encode()) for name in "abc")
    assert first not in seen
    assert first not in seen, "asking is not handling"
    for hint in (first, second):
        seen.add(hint)
    assert first in seen
    seen.add(third)
    assert [hint in seen for hint in (first, second, third)] == [True, False, True]
    assert webhooks.receive(json.dumps(FINISHED | {"id": "a", "status": "failed"}).encode()) not in seen


def test_tokens_differ_and_compare() -> None:
    token = webhooks.new_token()
    assert token != webhooks.new_token()
    assert webhooks.same_token(token, token)
    assert not webhooks.same_token(token, token + "x")
    assert not webhooks.same_token(token, "\udcff")


def test_an_enormous_body_is_refused_unread() -> None:
    with pytest.raises(ResponseError, match="bytes"):
        webhooks.receive(b" " * (4 * 2**20 + 1))


@pytest.mark.parametrize(
    ("go", "message"),
    [
        (lambda: webhooks.receive(FINISHED), r"receive takes .* in bytes, not a dict: await request\.body\(\)"),
        (lambda: webhooks.receive(json.dumps(FINISHED)), "receive takes .* in bytes, not a str"),
        (lambda: webhooks.receive(None), "receive takes .* in bytes, not a NoneType"),
        (lambda: webhooks.same_token("secret", None), "same_token compares two texts, not a str and a NoneType"),
        (lambda: webhooks.same_token("secret", b"secret"), "same_token compares two texts, not a str and a bytes"),
        (lambda: "abc" in webhooks.Seen(), r"Seen takes what webhooks\.receive\(body\) answers, not a str"),
        (lambda: webhooks.Seen().add("abc"), "Seen takes what"),
        (lambda: webhooks.Seen().first(b"{}"), "Seen takes what"),
        (lambda: webhooks.Seen(0), "maximum must be a whole number of 1 or more, not 0"),
        (lambda: webhooks.Seen(maximum="10"), "maximum must be a whole number of 1 or more, not '10'"),
        (lambda: webhooks.receive(BODY, [(b"x-secret", b"secret")]), r"as texts by their names.*request\.headers"),
        (lambda: webhooks.receive(BODY, "x-secret: secret"), "headers as texts by their names"),
        (lambda: webhooks.receive(BODY, {b"x-secret": b"secret"}), "headers as texts by their names"),
        (lambda: webhooks.receive(BODY, {"x-muapi-cost-usd": 0.3}), "headers as texts by their names"),
    ],
)
def test_what_a_receiver_hands_over_wrongly_is_refused_with_what_to_type(go: Callable[[], Any], message: str) -> None:
    with pytest.raises(MuAPIError, match=message) as caught:
        go()
    assert not isinstance(caught.value, ResponseError), "which a receiver answers with 400, and forgets the job"
    assert "secret" not in str(caught.value)


def test_a_body_in_any_kind_of_bytes_is_read() -> None:
    body = json.dumps(FINISHED).encode()
    assert [webhooks.receive(kind(body)).id for kind in (bytes, bytearray, memoryview)] == ["abc"] * 3


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_whatever_arrives_is_a_hint_or_a_refusal(body: bytes) -> None:
    with suppress(ResponseError):
        assert webhooks.receive(body).id


def test_all_is_exact() -> None:
    public = {
        n for n, v in vars(webhooks).items() if getattr(v, "__module__", None) == webhooks.__name__ and n[0] != "_"
    }
    assert public == set(webhooks.__all__)
