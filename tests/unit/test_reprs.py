"""What a repr shows: everything but secrets, which the attributes, JSON and pickles keep."""

from __future__ import annotations

import pickle
from typing import Any

import attrs
import pytest
from by_kind import ImageRequest, make_image

from muapi_client import Call
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
    assert repr(Call(Operation("", "POST", "/x"), values)).startswith(
        f"Call(operation={Operation('', 'POST', '/x')!r}, body={values!r}, "
    )
    assert repr(make_image().body) == "{}"
    assert repr(models.AccountBalance()) == "AccountBalance(balance=None, currency=None, email=None, additional={})"


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
