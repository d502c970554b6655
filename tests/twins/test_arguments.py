"""Wrong arguments: each is refused as one of our errors before anything is sent, and the message tells what to type."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, ImageRequest, make_image

from muapi_client import AsyncMuAPI, Call, Entry, Job, MuAPI, MuAPIError, Prediction, raw_call
from muapi_client.emulator import Emulator
from muapi_client.errors import (
    AuthenticationError,
    NotFoundError,
    SubmitOutcomeUnknownError,
    ValidationError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Twin

ACCEPTED = {"request_id": "abc", "status": "processing"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)
FOX = make_image(prompt="a fox")
LOST = SubmitOutcomeUnknownError("lost", call=FOX, key="k")
NO_CALLS: list[tuple[Any, str]] = [
    (IMAGE.slug, rf"the text '{IMAGE.slug}'; .*catalog\.find\('{IMAGE.slug}'\).*raw_call\('{IMAGE.slug}'"),
    ({"prompt": "a fox"}, r"a dictionary; .*flux_dev_image\(\*\*body\)"),
    (make_image, rf"{IMAGE.function} itself; .*mu\.{{}}\({IMAGE.function}\(…\)\)"),
    (None, r"None; .*muapi_client\.catalog\.find"),
    (42, "42; "),
    ([FOX], "a list; "),
    (
        ImageRequest(prompt="a fox"),
        rf"an? {IMAGE.request}; .*mu\.{{}}\(flux_dev_image\(\*\*attrs\.asdict\(request, recurse=False\)\)\)",
    ),
    (Job("abc"), r"a Job; .*mu\.wait\('abc'\)"),
    (Prediction("abc", "completed"), r"a Prediction; .*mu\.{}\(prediction\.call\)"),
]


@pytest.mark.parametrize("method", ["run", "submit", "send", "estimate"])
@pytest.mark.parametrize(("given", "message"), NO_CALLS, ids=[type(given).__name__ for given, _ in NO_CALLS])
def test_what_is_no_call_is_refused(twin: Twin, method: str, given: Any, message: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(MuAPIError, match=rf"mu\.{method} takes a call, .* not " + message.replace("{}", method)):
        getattr(face, method)(given)
    assert face.server.requests == []
    assert face.unknown() == []


def test_a_stream_takes_a_call(twin: Twin) -> None:
    face = twin(ACCEPTED)
    for given, message in NO_CALLS:
        with pytest.raises(MuAPIError, match=r"mu\.stream takes a call, .* not " + message.replace("{}", "stream")):
            face.events(given)
    assert face.server.requests == []


def test_what_was_not_awaited_is_no_call(twin: Twin) -> None:
    async def make() -> Any:
        return FOX

    face, coroutine = twin(ACCEPTED), make()
    with pytest.raises(MuAPIError, match=r"a coroutine; .*mu\.run\(await …\)"):
        face.run(coroutine)
    with pytest.raises(MuAPIError, match=r"a coroutine: .*mu\.wait\(await …\)"):
        face.wait(coroutine)
    coroutine.close()


@pytest.mark.parametrize("method", ["wait", "look"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"None: mu\.submit"),
        (42, r"42: mu\.submit"),
        (FOX, r"a Call: mu\.run\(call\)"),
        (LOST, r"a SubmitOutcomeUnknownError: mu\.reconcile"),
        (WaitTimeoutError("late", job=Job("abc")), r"a WaitTimeoutError: mu\.{}\(error\.job\)"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_job_is_refused(twin: Twin, method: str, given: Any, message: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(
        MuAPIError, match=rf"mu\.{method} takes a Job or its id .* not " + message.replace("{}", method)
    ):
        getattr(face, method)(given)
    assert face.server.requests == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Prediction("abc", "processing"), r"a Prediction: mu\.look\('abc'\)"),
        (Prediction(None, "completed"), "a Prediction: it was answered at once"),
    ],
    ids=["of a job that runs", "without an id"],
)
def test_a_prediction_is_waited_for_and_not_looked_at(twin: Twin, given: Any, message: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(MuAPIError, match=r"mu\.look takes a Job or its id .* not " + message):
        face.look(given)
    assert face.server.requests == []


@pytest.mark.parametrize("method", ["wait", "look"])
def test_a_jobs_token_in_place_of_its_id_is_refused(twin: Twin, method: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(MuAPIError, match=rf"not JSON: mu\.{method}\(Job\.from_json\(…\)\)") as caught:
        getattr(face, method)(Job("abc", FOX).to_json())
    assert "red fox" not in str(caught.value), "a token holds the prompt, and perhaps a webhook"
    assert face.server.requests == []


def list_of(items: Any) -> list[Any]:
    """What a blocking or an awaiting iterator yields."""

    async def collect() -> list[Any]:
        return [item async for item in items]

    return asyncio.run(collect()) if hasattr(items, "__aiter__") else list(items)


def test_other_methods_refuse_what_they_cannot_take(twin: Twin, tmp_path: Path) -> None:
    face = twin(ACCEPTED)
    entry = Entry(key="k", state="unknown", slug="x", call=FOX, intended_at=NOW, changed_at=NOW)
    for go, message in (
        (lambda: face.download("abc", tmp_path), r"mu\.download\(mu\.wait\('abc'\), …\)"),
        (lambda: face.download(Job("abc"), tmp_path), r"mu\.download\(mu\.wait\('abc'\), …\)"),
        (
            lambda: face.download("https://x.example/" + "a" * 60, tmp_path),
            r"a…': .*mu\.look\(entry\.id\) answers the p",
        ),
        (lambda: face.download("a" * 60, tmp_path), rf"mu\.download\(mu\.wait\('{'a' * 60}'\), …\)"),
        (lambda: face.run("a red fox " * 9), r"fox …'; .*catalog\.find\('…'\) lists"),
        (lambda: face.download(None, tmp_path), r"not None: mu\.run\(call\) answers one"),
        (
            lambda: face.download(Prediction("abc", "completed"), 42),
            "directory to save to must be text or a Path, not 42",
        ),
        (lambda: face.reconcile("x"), r"mu\.reconcile takes an entry .* not the text 'x': see mu\.unknown\(\)"),
        (lambda: face.settle(42, None), r"mu\.settle takes an entry .* not 42"),
        (lambda: face.settle(entry, 42), "settle takes a job or its id, or None .*, not 42"),
        (lambda: face.settle(entry, Job("abc").to_json()), "settle takes a job or its id, or None .*, not '{"),
        (lambda: face.upload(42), "cannot upload an int: give a path"),
        (lambda: face.upload(b"x", on_progress=42), "on_progress must be a function, not 42"),
        (lambda: face.sandbox(probe="x"), "probe= takes one call"),
        (lambda: face.run(FOX, on_accept=42), "on_accept must be a function, not 42"),
        (lambda: face.wait("abc", on_look="x"), "on_look must be a function, not the text 'x'"),
        (lambda: face.run(FOX, timeout="5"), "timeout must be a positive number"),
        (lambda: face.jobs(since=42), "since must tell its time zone, .* not 42"),
        (lambda: list_of(face.mu.history(limit="x")), "limit must be a number of items, not .x."),
        (lambda: list_of(face.mu.history(limit=-1)), "limit must be a number of items, not -1"),
    ):
        with pytest.raises(MuAPIError, match=message):
            go()
    assert face.server.requests == []


def test_an_id_that_nobody_knows_is_of_no_job_that_lives_on(twin: Twin) -> None:
    face = twin((404, {"detail": "Not Found"}))
    for ask in (face.wait, face.look):
        with pytest.raises(NotFoundError, match="this key's account has no such job") as caught:
            ask("nope")
        assert "lives on" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"journal": 42}, "path is text or a Path, not 42"),
        ({"expect": "prod"}, "expect must be 'live', 'sandbox' or None, not 'prod'"),
        ({"retry": 3}, r"retry must be a Retry\(…\), such as Retry\(attempts=3\), not 3"),
        ({"polling": 5}, r"polling must be a Polling\(…\), not 5"),
        ({"webhook": 42}, "webhook must be a URL as text, not an int"),
        ({"max_spend": "much"}, "max_spend must be an amount in USD"),
        ({"max_spend": "1_000"}, "max_spend must be an amount in USD"),
        ({"unpriced": []}, "unpriced must be an amount in USD"),
        ({"tag": 42}, "tag must be text, not 42"),
        ({"team_id": "7"}, "team_id must be the team's number, not '7'"),
        ({"strict": "no"}, "strict must be True or False, not 'no'"),
        ({"allow_http": "no"}, "allow_http must be True or False, not 'no'"),
        ({"base_url": 42}, "base_url must be text like 'https://api.muapi.ai', not 42"),
        ({"models": 42}, "models takes a package"),
        ({"spec_pin": 42}, "spec_pin must be"),
        ({"clock": 42}, "clock must have now"),
        ({"transport": httpx.MockTransport}, r"transport must be .*: make one, MockTransport\(…\)"),
        ({"transport": Emulator()}, r"transport must be .*, not an Emulator: .* as transport=emulator\.transport\(\)"),
        ({"transport": 42}, "transport must be an httpx transport such as httpx.*, not an int"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_an_option_of_the_wrong_kind_is_refused(twin: Twin, options: dict[str, Any], message: str) -> None:
    with pytest.raises(MuAPIError, match=message):
        twin(ACCEPTED, **options)
    if options.keys() & {"retry", "polling", "tag", "team_id", "strict", "expect", "webhook", "unpriced"}:
        with pytest.raises(MuAPIError, match=message):
            twin(ACCEPTED).sharing(**options)


def test_a_transport_of_the_other_kind_is_refused() -> None:
    blocking, awaiting = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()
    with pytest.raises(MuAPIError, match=r"httpx\.AsyncHTTPTransport\(\), not an HTTPTransport, which MuAPI takes"):
        AsyncMuAPI("sk-test", transport=blocking)
    with pytest.raises(
        MuAPIError, match=r"httpx\.HTTPTransport\(\), not an AsyncHTTPTransport, which AsyncMuAPI takes"
    ):
        MuAPI("sk-test", transport=awaiting)
    with httpx.Client() as client, pytest.raises(MuAPIError, match="not a Client: a client's own settings are options"):
        MuAPI("sk-test", transport=client)
    blocking.close()


def test_a_key_of_the_wrong_kind_is_refused_without_being_shown(twin: Twin) -> None:
    with pytest.raises(AuthenticationError, match="api_key must be text, not a bytes") as caught:
        twin(ACCEPTED, api_key=b"sk-live-0123456789abcdef")
    assert "0123456789" not in str(caught.value)


def test_a_forgotten_await_gives_what_python_gives() -> None:
    coroutine = AsyncMuAPI("sk-test").run(FOX)
    with pytest.raises(AttributeError, match="'coroutine' object has no attribute 'outputs'"):
        _ = coroutine.outputs  # type: ignore[attr-defined]
    coroutine.close()


class Unprintable:
    """What a class of the caller's may do in an error's message."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


OPTIONS = [
    "timeout",
    "max_spend",
    "unpriced",
    "wait_timeout",
    "tag",
    "base_url",
    "expect",
    "retry",
    "polling",
    "journal",
    "webhook",
    "strict",
    "api_key",
    "models",
    "spec_pin",
    "clock",
    "transport",
    "allow_http",
]


@pytest.mark.parametrize("odd", [10**5000, Unprintable()], ids=["an int that has no text", "an object without a repr"])
class TestWhatCannotBeShown:
    @pytest.mark.parametrize("option", OPTIONS)
    def test_as_an_option(self, twin: Twin, odd: Any, option: str) -> None:
        with pytest.raises(MuAPIError):
            twin(**{option: odd})

    def test_as_an_argument(self, twin: Twin, odd: Any) -> None:
        face = twin()
        for go in (face.run, face.submit, face.send, face.wait, face.look, face.reconcile, raw_call):
            with pytest.raises(MuAPIError):
                go(odd)
        assert face.server.requests == []

    def test_in_a_call(self, twin: Twin, odd: Any) -> None:
        face = twin()
        model = make_image(prompt="a red fox")
        for call in (raw_call("x", {"a": odd}), Call(model.operation, model.body, {"a": odd})):
            with pytest.raises(ValidationError):
                face.submit(call)
        assert face.server.requests == []
