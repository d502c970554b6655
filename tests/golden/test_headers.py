"""Headers and cookies an operation takes: which become parameters, what they may hold, and whose the others are."""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from shapes import NUMBER, TEXT, Rendered, anything_of, body_of, document_of, sending, taking

from muapi_client import Call, MuAPI, errors
from muapi_generated.types import FORM, MULTIPART, Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCEPTED = {"request_id": "r", "status": "processing"}
NULLABLE = {"anyOf": [TEXT, {"type": "null"}]}


def header(name: str, schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": schema, **more}


def cookie(name: str, schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "cookie", "schema": schema, **more}


def job(*parameters: dict[str, Any]) -> dict[str, Any]:
    webhook = {"name": "webhook", "in": "query", "schema": TEXT}
    return {**sending(anything_of(prompt=TEXT)), "parameters": [*parameters, webhook]}


def test_headers_and_cookies_are_parameters(build: Callable[..., Rendered]) -> None:
    listed = {"type": "array", "items": {"enum": ["a", "b"]}}
    parameters = [
        header("X-Mode", {"enum": ["fast", "slow"]}, required=True),
        *(header("x-level", {**NUMBER, "maximum": 3}), header("x-dry", {"type": "boolean"}), header("x-words", listed)),
        *(cookie("theme"), cookie("zoom", {**NUMBER, "minimum": 1}), header("x-note", NULLABLE)),
    ]
    built = build(document_of({"/a": {"get": taking(*parameters)}}))
    request = built.send(
        "get_a", X_Mode="fast", x_level=2, x_dry=True, x_words=["a", "b"], theme="dark", zoom=2, x_note=None
    )
    names = ("x-mode", "x-level", "x-dry", "x-words", "cookie")
    assert [request.headers[name] for name in names] == ["fast", "2", "true", "a,b", "theme=dark; zoom=2"]
    assert "x-note" not in request.headers
    assert built.send("get_a", X_Mode="slow").headers.keys().isdisjoint({"x-level", "cookie"})
    assert built.send("get_a", X_Mode="slow", x_level="3").headers["x-level"] == "3"
    with pytest.raises(TypeError, match="X_Mode"):
        built.function("get_a")()
    for wrong in ({"X_Mode": "x"}, {"x_level": 4}, {"x_dry": 7}, {"x_words": ["c"]}, {"zoom": 0}, {"X_Mode": None}):
        with pytest.raises(errors.ValidationError) as caught:
            built.send("get_a", **{"X_Mode": "fast", **wrong})
        assert caught.value.errors[0]["loc"][0] == ("cookie" if "zoom" in wrong else "header")
    call = built.function("get_a")(X_Mode="fast", zoom=2)
    assert Call.from_json(call.to_json()) == call == pickle.loads(pickle.dumps(call))


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nx-evil: 1",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x7fb",
        "\x85",
        " a",
        "a ",
        "\ta",
        "\xa0a",
        "日本",
        "\ud800",
        b"a",
        {},
        ["\n"],
    ],
)
def test_what_no_header_can_hold_is_refused_before_anything_is_sent(value: Any, build: Callable[..., Rendered]) -> None:
    built = build_one(build)
    for strict in (True, False):
        mu = built.client.with_options(strict=strict)
        for call in (built.function("edit")(x_mode=value), built.function("edit")(prompt="p", session=value)):
            with pytest.raises(errors.ValidationError, match=r"(x-mode: a header|session: a cookie) holds"):
                mu.submit(call)
    assert built.requests == []
    assert built.client.unknown() == []


@pytest.mark.parametrize("value", ["", "a b\tc", "é", '"q", w/1;x'])
def test_what_a_header_can_hold_is_sent_as_it_is(value: str, build: Callable[..., Rendered]) -> None:
    built = build_one(build)
    built.answers = [httpx.Response(200, json=ACCEPTED)]
    built.client.submit(built.function("edit")(x_mode=value))
    sent = {name: content for name, content in built.requests[-1].headers.raw if name.lower() == b"x-mode"}
    assert [*sent.values()] == [value.encode("latin-1")]


@pytest.mark.parametrize("value", ["a b", "a;b", "a,b", 'a"b', "a\\b", "é", "a\nb"])
def test_what_no_cookie_can_hold_is_refused(value: str, build: Callable[..., Rendered]) -> None:
    assert build_one(build).is_refused("edit", session=value)


_BUILT: list[Rendered] = []


def build_one(build: Callable[..., Rendered]) -> Rendered:
    """One package for all that only differs in what is sent."""
    if not _BUILT:
        _BUILT.append(build(document_of({"/api/v1/edit": {"post": job(header("x-mode"), cookie("session"))}})))
    _BUILT[0].requests.clear()
    return _BUILT[0]


OWN = ("Authorization", "X-API-Key", "Host", "Content-Length", "content-type", "User-Agent", "Cookie", "X-Tenant-Key")


def test_the_clients_own_headers_are_no_parameters(build: Callable[..., Rendered]) -> None:
    schemes = {
        "Key": {"type": "apiKey", "in": "header", "name": "x-tenant-key"},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "Alias": {"$ref": "#/components/securitySchemes/Key"},
        "Bearer": {"type": "http", "scheme": "bearer"},
    }
    parameters = [*(header(name, required=True) for name in OWN), cookie("sid"), header("x-free")]
    document = document_of({"/a": {"get": taking(*parameters)}}, components={"securitySchemes": schemes})
    built = build(document)
    assert [*built.function("get_a").__annotations__] == ["x_free", "return"]
    request = built.send("get_a", x_free="y")
    assert (request.headers["x-api-key"], request.headers["x-free"]) == ("k", "y")
    assert "Header x-tenant-key of 1 operation is the client's own" in built.output
    assert "Cookie sid of 1 operation is the client's own" in built.output


@pytest.mark.parametrize("name", [*OWN[:-1], "x-api-KEY", "Transfer-Encoding", "a b", "a\r\nb", "", 7])
def test_a_call_made_by_hand_cannot_set_them_either(name: Any, build: Callable[..., Rendered]) -> None:
    built = build_one(build)
    call = attrs.evolve(built.function("edit")(prompt="p"), headers={name: "x"})
    with pytest.raises(errors.ValidationError, match=r"the client's own|can be named"):
        built.client.with_options(strict=False).submit(call)
    assert built.requests == []


def test_a_header_on_every_operation_leaves_a_submit_as_it_is(build: Callable[..., Rendered]) -> None:
    """MuAPI's document once had its dependencies' headers on all operations."""
    embed = header("x-embed-code", NULLABLE)
    paths = {
        "/api/v1/edit": {"post": job(embed)},
        "/api/v1/predictions/{id}/result": {"get": taking(embed)},
    }
    built = build(document_of(paths))
    done = {"request_id": "r", "status": "completed", "outputs": ["https://x/y.png"]}
    built.answers = [httpx.Response(200, json=ACCEPTED), httpx.Response(200, json=done)]
    prediction = built.client.run(built.function("edit")(prompt="p", x_embed_code="e"))
    assert [str(one.url) for one in prediction.outputs] == ["https://x/y.png"]
    submit, look = built.requests
    assert (submit.headers["x-embed-code"], body_of(submit)) == ("e", {"prompt": "p"})
    assert "x-embed-code" not in look.headers

    built.answers = [httpx.ReadTimeout("lost"), httpx.Response(200, json=ACCEPTED)]
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.client.submit(built.function("edit")(prompt="p", x_embed_code="e"))
    assert len(built.requests) == 3


def test_a_refused_try_is_sent_again_with_its_headers(build: Callable[..., Rendered]) -> None:
    built = build_one(build)
    built.answers = [httpx.Response(429, json={}, headers={"retry-after": "0"}), httpx.Response(200, json=ACCEPTED)]
    built.client.submit(built.function("edit")(x_mode="m", session="s"))
    assert [(one.headers["x-mode"], one.headers["cookie"]) for one in built.requests] == [("m", "session=s")] * 2


def test_a_name_in_many_places_keeps_them_apart(build: Callable[..., Rendered]) -> None:
    places = [{"name": "id", "in": place, "required": True, "schema": TEXT} for place in ("cookie", "path", "header")]
    operation = {**sending(anything_of(id=TEXT)), "parameters": places}
    built = build(document_of({"/things/{id}": {"post": operation}}))
    request = built.send("things_id", id="p", id_body="b", id_header="h", id_cookie="c")
    assert (request.url.path, body_of(request)) == ("/things/p", {"id": "b"})
    assert (request.headers["id"], request.headers["cookie"]) == ("h", "id=c")


def test_an_operations_own_header_counts_more_than_its_paths(build: Callable[..., Rendered]) -> None:
    item = {"parameters": [header("X-Mode", NUMBER)], "get": taking(header("x-mode", {"enum": ["a"]}))}
    built = build(document_of({"/a": item}))
    assert built.send("get_a", x_mode="a").headers["x-mode"] == "a"
    assert built.is_refused("get_a", x_mode=1)


def test_secrets_in_headers_and_cookies_are_not_shown_or_kept(
    build: Callable[..., Rendered], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    built = build(document_of({"/api/v1/edit": {"post": job(header("x-user-token"), header("x-mode"), cookie("sid"))}}))
    caplog.set_level(logging.DEBUG)
    call = built.function("edit")(prompt="p", x_user_token="t0k3n-header", x_mode="m", sid="t0k3n-cookie")
    built.answers = [httpx.ReadTimeout("lost")]
    journal = tmp_path / "jobs.sqlite"
    transport = httpx.MockTransport(built._answer)
    with MuAPI("k", transport=transport, models=built.folder.name, journal=journal) as mu:
        with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
            mu.submit(call)
        shown = [repr(call), str(caught.value), repr(caught.value), repr(mu.unknown()), repr(mu.jobs()), caplog.text]
        kept = [entry.call for entry in (*mu.unknown(), *mu.jobs())]
    assert built.requests[-1].headers["x-user-token"] == "t0k3n-header"
    assert not any("t0k3n" in text for text in shown)
    assert [dict(one.headers) for one in kept if one is not None] == [{"x-mode": "m"}] * len(kept)
    assert not any(b"t0k3n" in file.read_bytes() for file in tmp_path.glob("jobs.sqlite*"))


def test_no_frame_that_a_refusal_passes_shows_a_value(build: Callable[..., Rendered]) -> None:
    """Crash reporters show the locals of each."""
    built = build_one(build)
    for call in (
        built.function("edit")(x_mode="t0k3n\n"),
        built.function("edit")(session="t0k3n\n"),
        attrs.evolve(built.function("edit")(x_mode="t0k3n"), headers={"x-webhook": "t0k3n\n"}),
        Call(Operation("a", "POST", "/a", media_type=FORM), {"token": "t0k3n\ud800"}),
        Call(Operation("a", "POST", "/a", media_type=MULTIPART), {"token": "t0k3n\ud800"}),
    ):
        with pytest.raises(errors.ValidationError) as caught:
            built.client.with_options(strict=False).send(call)
        assert caught.value.__context__ is None
        frames = [entry.frame for entry in caught.traceback if "muapi_client" in str(entry.path)]
        shown = {name for frame in frames for name, value in frame.f_locals.items() if "t0k3n" in repr(value)}
        assert frames
        assert shown <= {"call"}


def test_what_a_server_echoes_of_cookies_and_of_secret_headers_is_hidden(build: Callable[..., Rendered]) -> None:
    parameters = [header("X-Access-Token"), header("X-Session"), header("x-plain"), cookie("sid")]
    call = build(document_of({"/a": {"post": job(*parameters)}})).function("a")(
        prompt="p",
        X_Access_Token="at-0123456789abcdef",
        X_Session="xs-0123456789abcdef",
        x_plain="plain words",
        sid="cookie-0123456789abcdef",
    )

    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"detail": str(sorted(request.headers.items()))})

    client = MuAPI("sk-0123456789abcdef", transport=httpx.MockTransport(echo))
    with client as mu, pytest.raises(errors.ValidationError) as caught:
        mu.submit(call)
    told = str(caught.value)
    assert "plain words" in told
    for secret in ("at-0123456789abcdef", "xs-0123456789abcdef", "cookie-0123456789abcdef"):
        assert secret not in told + repr(caught.value) + repr(call)


@pytest.mark.parametrize("key", [[], [None], "", " ", None])
def test_a_key_that_a_form_cannot_write_lets_nothing_be_sent_again(build: Callable[..., Rendered], key: Any) -> None:
    fields = {"type": "object", "properties": {"prompt": TEXT, "idempotency_key": TEXT}}
    form = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": fields}}}}
    made = build(document_of({"/a": {"post": {**job(), **form}}})).function("a")(prompt="p")
    call = attrs.evolve(made, body={"prompt": "p", "idempotency_key": key})
    sent: list[bytes] = []

    def drop(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        raise httpx.ReadError("gone")

    client = MuAPI("sk-0123456789abcdef", transport=httpx.MockTransport(drop), strict=False)
    with client as mu, pytest.raises((errors.SubmitOutcomeUnknownError, errors.ValidationError)):
        mu.submit(call)
    assert len(sent) <= 1 or all(b"idempotency_key=" in content for content in sent)


@pytest.mark.parametrize("words", [["a", None], [None], ["a", b"b"]])
def test_a_list_with_what_no_header_can_hold_is_refused_unchecked_too(
    build: Callable[..., Rendered], words: list[Any]
) -> None:
    listed = {"type": "array", "items": TEXT}
    call = build(document_of({"/a": {"get": taking(header("x-words", listed))}})).function("get_a")(x_words=["a", ""])
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["x-words"])
        return httpx.Response(200, json={})

    with MuAPI("sk-0123456789abcdef", transport=httpx.MockTransport(answer), strict=False) as mu:
        mu.send(call)
        with pytest.raises(errors.ValidationError):
            mu.send(attrs.evolve(call, headers={"x-words": words}))
    assert sent == ["a,"]  # an empty text is one of them
