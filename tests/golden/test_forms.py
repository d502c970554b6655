"""Forms a document may ask for: with files, lists of files and fields beside them, or without; paid for or not."""

from __future__ import annotations

import asyncio
import io
import pickle
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest
from shapes import NUMBER, TEXT, Rendered, anything_of, body_of, document_of, parts_of, ref, sending

from muapi_client import AsyncMuAPI, Call, MuAPI, errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORM = "multipart/form-data"
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}  # FastAPI, OpenAPI 3.1
OLD_FILE = {"type": "string", "format": "binary"}  # OpenAPI 3.0
NULL = {"type": "null"}
ACCEPTED = {"request_id": "r", "status": "processing"}
PNG = b"\x89PNG\r\n\x1a\n"
WEBHOOK = {"name": "webhook", "in": "query", "schema": TEXT}


def form_of(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return sending({**anything_of(**properties), "required": list(required)}, FORM)


def test_fields_go_beside_a_file(build: Callable[..., Rendered], tmp_path: Path) -> None:
    body = anything_of(language={"enum": ["de", "fr"]}, n={**NUMBER, "maximum": 3}, file=FILE)
    schemas = {"Body_a_post": {**body, "required": ["file", "language"]}}
    built = build(document_of({"/a": {"post": sending(ref("Body_a_post"), FORM)}}, schemas))
    request = built.send("a", file=io.BytesIO(b"abc"), language="de", n=2)
    assert parts_of(request) == [
        ("language", None, "", b"de"),
        ("n", None, "", b"2"),
        ("file", "upload.txt", "text/plain", b"abc"),
    ]
    (tmp_path / "fox.png").write_bytes(PNG)
    for given in (str(tmp_path / "fox.png"), tmp_path / "fox.png"):
        assert parts_of(built.send("a", file=given, language="fr"))[-1] == ("file", "fox.png", "image/png", PNG)
    sent = len(built.requests)
    for wrong in ({"language": "en"}, {"language": "de", "n": 4}, {"language": "de", "file": 7}):
        assert built.is_refused("a", **{"file": b"abc", **wrong})
    with pytest.raises(errors.UploadError, match="cannot be read"):
        built.send("a", file=tmp_path / "gone.png", language="de")
    with pytest.raises(TypeError, match="language"):
        built.function("a")(file=b"abc")
    assert len(built.requests) == sent


@pytest.mark.parametrize("file", [FILE, OLD_FILE, {"anyOf": [FILE, NULL]}])
def test_a_field_may_hold_many_files_or_none(file: dict[str, Any], build: Callable[..., Rendered]) -> None:
    many = {"anyOf": [{"type": "array", "items": file, "maxItems": 2}, NULL]}
    built = build(document_of({"/a": {"post": form_of(files=many, one={"anyOf": [file, NULL]}, text=TEXT)}}))
    request = built.send("a", files=[b"abc", io.BytesIO(PNG)], text="t")
    assert parts_of(request) == [
        ("text", None, "", b"t"),
        ("files", "upload.txt", "text/plain", b"abc"),
        ("files", "upload.png", "image/png", PNG),
    ]
    assert [part[0] for part in parts_of(built.send("a", one=b"abc"))] == ["one"]
    for nothing in ({"files": None, "one": None}, {"files": []}, {}):
        assert [part[0] for part in parts_of(built.send("a", **nothing, text="t"))] == ["text"]
    assert built.is_refused("a", files=[b"a", b"b", b"c"])
    assert built.is_refused("a", files=b"abc")


def test_fields_of_a_form_are_written_as_forms_have_them(build: Callable[..., Rendered]) -> None:
    fields = {
        "yes": {"type": "boolean"},
        "ratio": {"type": "number"},
        "words": {"type": "array", "items": TEXT},
        "part": ref("Part"),
        "parts": {"type": "array", "items": ref("Part")},
        "x-y": {"anyOf": [TEXT, NULL]},
    }
    built = build(document_of({"/a": {"post": form_of(**fields)}}, {"Part": anything_of(s=TEXT, n=NUMBER)}))
    given = {"yes": True, "ratio": 0.5, "words": ["é", ""], "part": {"s": "x"}, "parts": [{"n": 1}, {"n": 2}]}
    assert parts_of(built.send("a", **given, x_y=None)) == [
        ("yes", None, "", b"true"),
        ("ratio", None, "", b"0.5"),
        ("words", None, "", "é".encode()),
        ("words", None, "", b""),
        ("part", None, "application/json", b'{"s":"x"}'),
        ("parts", None, "application/json", b'{"n":1}'),
        ("parts", None, "application/json", b'{"n":2}'),
    ]
    assert parts_of(built.send("a", x_y='a"b\r\nc'))[0][3] == b'a"b\r\nc'
    assert built.is_refused("a", part={"n": "x"})
    assert built.is_refused("a", words=["\ud800"])


def test_a_text_may_stand_in_the_place_of_a_file(build: Callable[..., Rendered]) -> None:
    """A path is text, too, so it is a file's."""
    built = build(document_of({"/a": {"post": form_of(f={"anyOf": [FILE, TEXT]})}}))
    assert parts_of(built.send("a", f=b"abc")) == [("f", "upload.txt", "text/plain", b"abc")]
    with pytest.raises(errors.UploadError, match="gone"):
        built.send("a", f="gone")


def test_what_a_file_holds_and_is_called_cannot_leave_its_part(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"post": form_of(**{'n"\r\nX-Evil: 1': FILE})}}))
    file = io.BytesIO(b"--0\r\n\r\n" + PNG)
    file.name = 'a"\r\nX-Evil: 1\r\n.bin'
    (_, label, media_type, content) = parts_of(built.send("a", n___X_Evil__1=file))[0]
    assert (content, media_type) == (b"--0\r\n\r\n" + PNG, "application/octet-stream")
    assert label is not None
    assert b"\r\nX-Evil" not in built.requests[-1].content


def test_a_form_that_is_paid_for_is_a_submit_like_any_other(build: Callable[..., Rendered]) -> None:
    job = {**form_of(("image",), image=FILE, strength={"type": "number", "maximum": 1}), "parameters": [WEBHOOK]}
    built = build(document_of({"/api/v1/edit": {"post": job}}))
    call: Call[Any] = built.function("edit")(image=PNG, strength=0.5)
    built.answers = [httpx.Response(200, json=ACCEPTED)]
    job_there: Any = built.client.submit(call)
    assert (job_there.id, job_there.call) == ("r", call)
    assert parts_of(built.requests[-1]) == [
        ("strength", None, "", b"0.5"),
        ("image", "upload.png", "image/png", PNG),
    ]
    assert pickle.loads(pickle.dumps(call)) == call
    with pytest.raises(errors.ValidationError, match="strength"):
        built.client.submit(built.function("edit")(image=PNG, strength=2))
    assert len(built.requests) == 1

    built.answers = [httpx.ReadTimeout("lost"), httpx.Response(200, json=ACCEPTED)]
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.client.submit(call)
    assert len(built.requests) == 2  # once more would be charged once more
    assert built.client.unknown()[0].call == call


def test_a_form_that_is_no_upload_is_not_sent_twice(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"post": form_of(file=FILE)}}))
    built.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.send("a", file=b"abc")
    assert len(built.requests) == 1


def test_the_awaiting_client_sends_the_same_form(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"post": form_of(file=FILE, text=TEXT)}}))
    call = built.function("a")(file=b"abc", text="t")
    built.client.send(call)
    seen: list[bytes] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(await request.aread())
        return httpx.Response(200, json={})

    async def send() -> None:
        transport = httpx.MockTransport(answer)
        async with AsyncMuAPI("k", transport=transport, models=built.folder.name) as mu:
            await mu.send(call)

    asyncio.run(send())
    assert seen == [built.requests[-1].content]


def test_webhooks_in_a_form_are_checked_and_hidden(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"post": form_of(file=FILE, webhook_url=TEXT)}}))
    secret = "https://hooks.example/T0K3N-which-is-long"
    built.answers = [httpx.Response(400, json={"detail": f"cannot reach {secret}"})]
    with pytest.raises(errors.APIStatusError) as caught:
        built.send("a", file=b"abc", webhook_url=secret)
    assert "T0K3N" not in f"{caught.value!r} {caught.value}"
    assert built.is_refused("a", file=b"abc", webhook_url="hooks")


def test_a_form_without_files_is_written_as_a_query_is(build: Callable[..., Rendered]) -> None:
    body = anything_of(
        **{
            "a b": TEXT,
            "n": {**NUMBER, "minimum": 1},
            "words": {"type": "array", "items": TEXT},
            "yes": {"type": "boolean"},
        }
    )
    built = build(document_of({"/a": {"post": sending(body, "application/x-www-form-urlencoded")}}))
    request = built.send("a", a_b="c&d=é", n=1, words=["x", "y"], yes=False)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    sent = [("a b", "c&d=é"), ("n", "1"), ("words", "x"), ("words", "y"), ("yes", "false")]
    assert sorted(parse_qsl(request.content.decode())) == sent
    assert built.is_refused("a", n=0)
    call = built.function("a")(n=1)
    assert Call.from_json(call.to_json()) == call


def test_bytes_in_json_are_a_text(build: Callable[..., Rendered]) -> None:
    """A document says so of pydantic's bytes, which are no file."""
    part = {**anything_of(value=OLD_FILE, list={"type": "array", "items": FILE}), "required": ["value"]}
    encoded = {**TEXT, "contentEncoding": "base64", "contentMediaType": "application/octet-stream"}
    body = anything_of(part=ref("Part"), raw=FILE, old={**TEXT, "format": "byte"}, encoded=encoded)
    built = build(document_of({"/a": {"post": sending(body)}}, {"Part": part}))
    given = {"part": {"value": "x", "list": ["y"]}, "raw": "z", "old": "YQ==", "encoded": "YQ=="}
    assert body_of(built.send("a", **given)) == given
    for name in ("raw", "old", "encoded"):
        with pytest.raises(errors.ValidationError, match="base64"):
            built.send("a", **{name: b"x"})
    assert built.is_refused("a", part={"value": b"x"})
    assert "in base64" in built.function("a").__doc__
    assert built.function("a").__annotations__["raw"] == "str"


def test_one_schema_may_be_sent_as_a_form_and_as_json(build: Callable[..., Rendered]) -> None:
    paths = {"/form": {"post": sending(ref("Both"), FORM)}, "/json": {"post": sending(ref("Both"))}}
    built = build(document_of(paths, {"Both": anything_of(data=FILE, n=NUMBER)}))
    assert parts_of(built.send("form", data=b"abc", n=1))[1] == ("data", "upload.txt", "text/plain", b"abc")
    assert body_of(built.send("json", data="abc", n=1)) == {"data": "abc", "n": 1}
    assert built.is_refused("json", data=b"abc")


def test_a_form_without_names_is_refused_by_name(build: Callable[..., Rendered]) -> None:
    with pytest.raises(AssertionError, match="takes multipart/form-data without naming a field of it"):
        build(document_of({"/a": {"post": sending({"type": "object"}, FORM)}}))


def test_an_object_in_a_form_without_files_is_refused_by_name(build: Callable[..., Rendered]) -> None:
    body = anything_of(part=anything_of(a=TEXT))
    with pytest.raises(AssertionError, match=r"takes an object in a form \(part\), which has no one form there"):
        build(document_of({"/a": {"post": sending(body, "application/x-www-form-urlencoded")}}))


def test_the_price_of_a_form_is_asked_for_without_reading_its_files(build: Callable[..., Rendered]) -> None:
    job = {**form_of(("image",), image=FILE, n=NUMBER), "parameters": [WEBHOOK]}
    built = build(document_of({"/api/v1/edit": {"post": job}}))
    with pytest.raises(errors.NotFoundError, match="no catalogue name"):  # not UploadError, for what is not there
        built.client.estimate(built.function("edit")(image="gone.png", n=1))
    assert built.requests == []


def test_an_upload_goes_straight_from_the_disk(tmp_path: Path) -> None:
    """What is read whole is what may be paid for; an upload is free, and sent again where it was lost."""
    from muapi_generated.api.files.upload_file import upload_file

    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.read())
        if len(seen) == 1:
            raise httpx.ReadTimeout("lost")
        return httpx.Response(200, json={"url": "https://x/y"})

    (tmp_path / "fox.png").write_bytes(PNG)
    with MuAPI("k", transport=httpx.MockTransport(answer)) as mu:
        assert mu.send(upload_file(file=tmp_path / "fox.png")).url == "https://x/y"
    assert len(seen) == 2
