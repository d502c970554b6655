"""Bodies that are sent as they are: the bytes of a file, or a text; paid for or not."""

from __future__ import annotations

import io
import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from by_kind import make_image
from shapes import TEXT, Rendered, anything_of, document_of, ref, run, sending

from muapi_client import Call, MuAPI, errors
from muapi_generated.types import Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BYTES = "application/octet-stream"
BINARY = {"type": "string", "format": "binary"}
ACCEPTED = {"request_id": "r", "status": "processing"}
PNG = b"\x89PNG\r\n\x1a\n"
WEBHOOK = {"name": "webhook", "in": "query", "schema": TEXT}


def sending_any_of(*kinds: str, schema: Any = BINARY) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}, "responses": {}}


def sent(request: httpx.Request) -> tuple[str, bytes]:
    return request.headers["content-type"], request.content


def test_a_body_of_bytes_takes_what_stands_for_a_file_elsewhere(build: Callable[..., Rendered], tmp_path: Path) -> None:
    built = build(document_of({"/a": {"put": sending(BINARY, BYTES)}}))
    (tmp_path / "fox.png").write_bytes(PNG)
    for given in (PNG, bytearray(PNG), tmp_path / "fox.png", str(tmp_path / "fox.png"), io.BytesIO(PNG)):
        request = built.send("put_a", body=given)
        assert sent(request) == (BYTES, PNG)
        assert request.headers["content-length"] == str(len(PNG))
    assert built.function("put_a").__annotations__["body"] == "Upload"
    before = len(built.requests)
    for wrong in (7, None, {"a": 1}, [PNG]):
        assert built.is_refused("put_a", body=wrong)
    with pytest.raises(errors.UploadError, match="cannot be read"):
        built.send("put_a", body=tmp_path / "gone.png")
    with pytest.raises(TypeError, match="body"):
        built.function("put_a")()
    assert len(built.requests) == before
    call = built.function("put_a")(body=PNG)
    assert pickle.loads(pickle.dumps(call)) == call
    with pytest.raises(TypeError, match="has no JSON form"):
        call.to_json()


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["image/png"], "image/png"),
        (["audio/x-wav; rate=16000"], "audio/x-wav; rate=16000"),
        (["*/*"], "image/png"),
        (["image/*"], "image/png"),
        (["image/jpeg", "image/png"], "image/png"),
        (["image/jpeg", "video/mp4"], "image/jpeg"),
        (["image/png", BYTES], BYTES),
        (["some/vendor/kind"], "some/vendor/kind"),
    ],
)
def test_bytes_are_sent_as_what_the_document_calls_them(
    kinds: list[str], told: str, build: Callable[..., Rendered]
) -> None:
    built = build(document_of({"/a": {"post": sending_any_of(*kinds)}}))
    assert sent(built.send("a", body=PNG)) == (told, PNG)


def test_json_and_forms_come_before_bytes(build: Callable[..., Rendered]) -> None:
    operation = sending(anything_of(a=TEXT))
    operation["requestBody"]["content"] = {BYTES: {"schema": BINARY}, **operation["requestBody"]["content"]}
    assert built_of(build, operation).send("a", a="x").content == b'{"a":"x"}'
    assert built_of(build, sending_any_of(BYTES, "text/plain", schema=TEXT)).send("a", body="x").content == b"x"


def built_of(build: Callable[..., Rendered], operation: dict[str, Any]) -> Rendered:
    return build(document_of({"/a": {"post": operation}}))


@pytest.mark.parametrize("kind", ["text/plain", "text/csv; header=present", "application/xml", "application/x-ndjson"])
def test_a_body_of_text_takes_text(kind: str, build: Callable[..., Rendered]) -> None:
    built = built_of(build, sending({**TEXT, "maxLength": 30}, kind))
    assert sent(built.send("a", body='webhook: {"é')) == (kind, 'webhook: {"é'.encode())
    assert sent(built.send("a", body="")) == (kind, b"")
    for wrong in (7, b"x", {"a": 1}, "x" * 31, "\ud800"):
        assert built.is_refused("a", body=wrong)
    call = built.function("a")(body="x")
    assert built.function("a").__annotations__["body"] == "str"
    assert Call.from_json(call.to_json()) == call == pickle.loads(pickle.dumps(call))


def test_a_text_is_written_in_the_charset_it_is_labelled_with(build: Callable[..., Rendered]) -> None:
    built = built_of(build, sending(TEXT, 'text/plain; charset="iso-8859-1"'))
    assert built.send("a", body="é").content == b"\xe9"
    assert built.is_refused("a", body="→")
    unknown = built_of(build, sending(TEXT, "text/plain; charset=klingon"))
    assert unknown.is_refused("a", body="x")


def test_a_text_of_bytes_takes_a_file(build: Callable[..., Rendered]) -> None:
    built = built_of(build, sending(BINARY, "text/csv"))
    assert sent(built.send("a", body=b"a,b\n")) == ("text/csv", b"a,b\n")


def test_a_text_that_is_an_object_elsewhere_is_text(build: Callable[..., Rendered]) -> None:
    built = build(
        document_of({"/a": {"post": sending(ref("Pet"), "application/xml")}}, {"Pet": anything_of(name=TEXT)})
    )
    assert sent(built.send("a", body="<pet/>")) == ("application/xml", b"<pet/>")


@pytest.mark.parametrize("kind", [BYTES, "text/plain"])
def test_a_body_that_may_be_left_out_may_be_left_out(kind: str, build: Callable[..., Rendered]) -> None:
    operation = sending({"type": "string"}, kind)
    operation["requestBody"]["required"] = False
    request = built_of(build, operation).send("a")
    assert request.content == b""
    assert "content-type" not in request.headers


def test_a_parameter_named_body_stands_beside_one(build: Callable[..., Rendered]) -> None:
    named = {"name": "body", "in": "query", "schema": TEXT}
    built = built_of(build, {**sending(BINARY, BYTES), "parameters": [named]})
    request = built.send("a", body="q", body_body=PNG)
    assert (dict(request.url.params), request.content) == ({"body": "q"}, PNG)


def test_bytes_that_submit_a_job_are_a_paid_submit_like_any_other(build: Callable[..., Rendered]) -> None:
    job = {**sending(BINARY, "image/png"), "parameters": [WEBHOOK]}
    built = build(document_of({"/api/v1/upscale": {"post": job}}))
    call: Call[Any] = built.function("upscale")(body=PNG)
    built.answers = [httpx.Response(200, json=ACCEPTED)]
    there: Any = built.client.submit(call)
    assert (there.id, there.call, sent(built.requests[-1])) == ("r", call, ("image/png", PNG))

    built.answers = [httpx.ReadTimeout("lost"), httpx.Response(200, json=ACCEPTED)]
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.client.submit(call)
    assert len(built.requests) == 2  # once more would be charged once more
    assert built.client.unknown()[0].call == call
    with pytest.raises(errors.ValidationError, match="file"):
        built.client.submit(built.function("upscale")(body=7))
    with pytest.raises(errors.NotFoundError, match="no catalogue name"):  # not UploadError, for what is not there
        built.client.estimate(built.function("upscale")(body="gone.png"))
    assert len(built.requests) == 2

    limited = built.client.with_options(max_spend="0.01")
    with pytest.raises(errors.MuAPIError):
        limited.submit(call)
    assert len(built.requests) == 2


def test_a_text_that_submits_a_job_is_a_paid_submit_like_any_other(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/api/v1/say": {"post": {**sending(TEXT, "text/plain"), "parameters": [WEBHOOK]}}}))
    call: Call[Any] = built.function("say")(body="gone.png")
    built.answers = [httpx.Response(200, json=ACCEPTED), httpx.ReadTimeout("lost")]
    submitted: Any = built.client.submit(call)
    assert (submitted.call, sent(built.requests[-1])) == (call, ("text/plain", b"gone.png"))
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.client.submit(call)
    assert (len(built.requests), built.client.unknown()[0].call) == (2, call)


@pytest.mark.parametrize(
    ("label", "body", "asked"),
    [
        ("text/plain", "a hook", {}),
        ("multipart/form-data", {"prompt": "a hook"}, {"prompt": "a hook"}),
        ("application/x-www-form-urlencoded", {"prompt": "a hook"}, {"prompt": "a hook"}),
        ("application/x+json", {"prompt": "a hook"}, {"prompt": "a hook"}),
    ],
)
def test_the_price_of_what_is_no_json_is_asked_for_in_json(label: str, body: Any, asked: Any) -> None:
    call = make_image(prompt="p")
    call = attrs.evolve(
        call, operation=attrs.evolve(call.operation, media_type=label, request="", checks=""), body=body
    )
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"cost": 0.1, **ACCEPTED})

    with MuAPI("k", transport=httpx.MockTransport(answer), max_spend="1") as mu:
        assert mu.estimate(call).cost_usd == Decimal("0.1")
        mu.submit(call)
    assert [request.url.path.endswith("estimate-cost") for request in seen] == [True, True, False]
    for request in seen[:2]:
        assert (request.headers["content-type"], json.loads(request.content)) == ("application/json", asked)
    assert seen[2].headers["content-type"].startswith(label)


@pytest.mark.parametrize("change", [{"body": 7}, {"files": {"other": PNG}}, {"files": {"body": PNG}, "body": "x"}])
def test_a_call_made_by_hand_with_no_such_body_is_refused(
    change: dict[str, Any], build: Callable[..., Rendered]
) -> None:
    built = built_of(build, sending(BINARY, BYTES))
    call = attrs.evolve(built.function("a")(body=PNG), files={})
    with pytest.raises(errors.ValidationError, match="cannot be sent as it is"):
        built.client.send(attrs.evolve(call, **change))
    assert built.requests == []


def test_a_call_made_by_hand_may_have_its_bytes_as_the_body(build: Callable[..., Rendered]) -> None:
    client = built_of(build, sending(BINARY, BYTES))
    for label, body, told in (("*/*", b"x", BYTES), ("image/png", b"x", "image/png"), ("*/*", "x", "text/plain")):
        client.client.send(Call(Operation("", "POST", "/a", media_type=label), body))
        assert client.requests[-1].headers["content-type"].startswith(told)
        assert client.requests[-1].content == b"x"


@pytest.mark.parametrize("kind", ["multipart/mixed", "text/plain\r\nx-evil: 1", "text/é", "text", "text/a b"])
def test_a_media_type_that_no_body_can_be_labelled_with_is_refused(kind: str, tmp_path: Path) -> None:
    result = run(document_of({"/a": {"post": sending(TEXT, kind)}}), tmp_path / "package")
    assert result.code == 1
    assert "POST /a: no body of" in result.output
    with pytest.raises(ValueError, match="is no media type of a body"):
        Operation("a", "POST", "/a", media_type=kind)
