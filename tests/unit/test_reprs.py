"""What a repr shows: everything but secrets, which the attributes, JSON and pickles keep."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from by_kind import IMAGE, ImageRequest, make_image

from muapi_client import (
    AsyncJob,
    AsyncPrediction,
    Call,
    Cost,
    Job,
    MuAPI,
    Outcome,
    Output,
    Prediction,
    errors,
)
from muapi_generated import models
from muapi_generated.types import UNSET, Operation

SECRET = "s3cr3t-0123456789abcdef"
NAMES = [
    "api_key",
    "apiKey",
    "x-api-key",
    "secret",
    "clientSecret",
    "token",
    "access_token",
    "password",
    "Authorization",
]
NAMES += ["webhook", "webhook_url", "webhookUrl", "signature", "X-Amz-Signature", "credential", "set-cookie"]


def test_a_new_key_is_in_its_attribute_alone() -> None:
    created = models.ApiKeyCreated.from_dict({"id": 1, "name": "mine", "api_key": SECRET, "more": {"token": SECRET}})
    assert repr(created) == str(created)
    assert repr(created) == (
        "ApiKeyCreated(id=1, name='mine', api_key='[hidden]', additional={'more': {'token': '[hidden]'}})"
    )
    assert created.api_key == SECRET
    assert pickle.loads(pickle.dumps(created)) == created
    assert attrs.asdict(created)["api_key"] == SECRET


@pytest.mark.parametrize("name", NAMES)
def test_what_is_called_a_secret_is_one(name: str) -> None:
    places: list[dict[str, Any]] = [{name: SECRET}, {"a": [{name: SECRET}]}, {name: [SECRET]}, {"a": ({name: SECRET},)}]
    for place in places:
        for thing in (
            Call(Operation("", "POST", "/x"), place),
            Call(Operation("", "POST", "/x"), None, place),
            models.ApiKey.from_dict({"id": 1, "more": place}),
            models.ApiKey.from_dict(place),
        ):
            assert SECRET not in f"{thing!r} {thing!s} {thing}"


@pytest.mark.parametrize("name", ["max_tokens", "keyword", "sound_key", "idempotency_key", "prompt", "secretary"])
def test_what_only_resembles_one_is_shown(name: str) -> None:
    assert SECRET in repr(Call(Operation("", "POST", "/x"), {name: SECRET}))


def test_the_rest_is_shown_as_ever() -> None:
    values = {"a": 1, "b": [], "c": (), "d": (1,), "e": {"f": None, "token": 7, "secret": ""}, "g": "x", 3: [True]}
    assert repr(Call(Operation("", "POST", "/api/v1/x"), values)) == f"Call('x', {values!r})"
    assert repr(make_image().body) == "{}"
    assert repr(models.AccountBalance()) == "AccountBalance(balance=None, currency=None, email=None, additional={})"


def test_a_call_is_shown_in_one_line() -> None:
    call = make_image(prompt="a red fox in snow " * 50)
    assert repr(call) == f"Call({IMAGE.slug!r}, {{'prompt': {('a red fox in snow ' * 50)[:80] + '…'!r}}})"
    look = Call(Operation("", "GET", "/api/v1/predictions/{id}/result"), path={"id": "abc"})
    assert repr(look) == "Call('GET predictions/{id}/result', path={'id': 'abc'})"
    more = Call(Operation("", "POST", "/x"), [1], {"q": 2}, {"file": b"x" * 99}, cookies={"s": SECRET})
    assert repr(more) == (
        f"Call('/x', [1], query={{'q': 2}}, files={{'file': {b'x' * 80 + b'...'!r}}}, cookies={{'s': '[hidden]'}})"
    )


@pytest.mark.parametrize(
    "item", [[7] * 5000, {str(n): n for n in range(5000)}, "x" * 10**6], ids=["list", "dict", "text"]
)
def test_a_large_body_has_a_short_repr(item: Any) -> None:
    for _ in range(500):
        assert len(repr(Call(Operation("", "POST", "/x"), {"item": item}))) < 800
        item = [item]
    assert " more" in repr(Call(Operation("", "POST", "/x"), [1] * 9))


NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
COST = Cost(Decimal("0.0300"), 3)
PICTURE = Output("https://cdn.muapi.ai/outputs/1.png", media_type="image/png")
FOX = Call(Operation("", "POST", "/api/v1/fox"), {"prompt": "a fox"})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (COST, "Cost(charged_usd=0.0300, amount_credits=3)"),
        (
            Cost(Decimal("0.03"), 3, refunded=True),
            "Cost(charged_usd=0, amount_usd=0.03, amount_credits=3, refunded=True)",
        ),
        (Cost(Decimal("1E-6")), "Cost(charged_usd=0.000001)"),
        (PICTURE, "Output(url='https://cdn.muapi.ai/outputs/1.png', media_type='image/png')"),
        (Output(text="x" * 99), f"Output(text='{'x' * 80}…')"),
        (Output(data={"token": SECRET}), "Output(data={'token': '[hidden]'})"),
        (
            Job("abc", FOX, COST, NOW),
            (
                "Job(id='abc', call=Call('fox', {'prompt': 'a fox'}), cost=Cost(charged_usd=0.0300, amount_credits=3),"
                " submitted_at=2026-01-02 03:04:05+00:00)"
            ),
        ),
        (AsyncJob("abc"), "AsyncJob(id='abc')"),
        (
            Prediction(
                "abc", "completed", (PICTURE,) * 6, COST, seconds=2.04, looks=7, raw={"a": 1}, headers={"b": "c"}
            ),
            (
                f"Prediction(id='abc', status='completed', outputs=[{', '.join([repr(PICTURE)] * 4)}, … 2 more],"
                " cost=Cost(charged_usd=0.0300, amount_credits=3), seconds=2.0)"
            ),
        ),
        (
            AsyncPrediction("abc", "failed", error="no " * 99, balance=Decimal("9.5")),
            f"AsyncPrediction(id='abc', status='failed', error='{('no ' * 99)[:80]}…', balance=9.5)",
        ),
        (
            Outcome(3, "fox", FOX, Job("abc"), error=errors.JobFailedError("job abc failed")),
            "Outcome(index=3, key='fox', error=JobFailedError('job abc failed'))",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_user_holds_is_shown_in_one_useful_line(value: Any, shown: str) -> None:
    assert repr(value) == shown


def test_spend_tells_its_doubts() -> None:
    with MuAPI("sk-live") as mu:
        assert repr(mu.spend) == "Spend(total_usd=0, in_doubt_usd=0, reserved_usd=0, requests=0, unpriced=0)"


def test_a_body_that_holds_itself_has_a_repr() -> None:
    body: dict[str, Any] = {"a": 1}
    body["self"] = [body, body]
    assert "'self': [..., ...]" in repr(Call(Operation("", "POST", "/x"), body))


def test_a_request_model_shows_no_webhook() -> None:
    request = ImageRequest(prompt="a fox", webhook_url=f"https://example.com/{SECRET}")
    assert SECRET not in repr(request)
    assert "prompt='a fox'" in repr(request)
    assert f"width={UNSET!r}" in repr(request)


def test_no_repr_of_a_model_is_attrs_own() -> None:
    for name in models.__all__:
        kind = getattr(models, name)
        if attrs.has(kind):
            assert kind.__repr__.__name__ == "represent", name
