"""Local files in media fields: uploaded when the call is sent, once per content, and replaced by their URLs."""

from __future__ import annotations

import io
import itertools
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import EDIT, LIPSYNC, make_chat, make_collage, make_edit, make_image, make_lipsync, needs
from fileserver import HTML, MP4, PNG, says, sends

from muapi_client import Output, Prediction, Retry, catalog, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fileserver import Face, FileServer, Handler

UPLOAD = "/api/v1/upload_file"
PATH = f"/api/v1/{EDIT.slug}"
DEPTH = "depth-anything"  # the document says of its image_url that it is text
RAW = "/api/v1/new/model"
SUBMITTED = {"request_id": "req-1", "status": "processing"}


@pytest.fixture
def api(server: FileServer) -> FileServer:
    """Takes uploads, each under a new URL, and submits, each as a new job."""
    count, jobs = itertools.count(1), itertools.count(1)

    def step(handler: Handler) -> None:
        says({"url": f"https://cdn.muapi.ai/{next(count)}.png"})(handler)

    def accept(handler: Handler) -> None:
        says({**SUBMITTED, "request_id": f"req-{next(jobs)}"})(handler)

    server.plays(UPLOAD, step)
    server.plays(PATH, accept)
    server.plays(RAW, accept)
    return server


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


def paths(server: FileServer) -> list[str]:
    """What was asked for, in its order."""
    return [asked.path for asked in server.asked]


def test_a_call_with_files_is_priced_and_nothing_is_uploaded(mu: Face, api: FileServer, png: Path) -> None:
    api.plays(f"/api/v1/models/{EDIT.name}/estimate-cost", says({"cost": 0.03, "currency": "usd"}))
    assert mu.estimate(make_edit(prompt="a fox", images_list=[png, png])).cost_usd == Decimal("0.03")  # type: ignore[list-item]
    assert UPLOAD not in paths(api)


def test_a_path_is_uploaded_when_the_call_is_sent(mu: Face, api: FileServer, png: Path) -> None:
    call = make_edit(prompt="a fox", images_list=["https://x/given.png", png])  # type: ignore[list-item]
    assert api.asked == []
    job = mu.submit(call)
    assert paths(api) == [UPLOAD, PATH]
    sent = json.loads(api.asked[1].body)
    assert sent == {"prompt": "a fox", "images_list": ["https://x/given.png", "https://cdn.muapi.ai/1.png"]}
    assert job.call.body == sent
    assert call.body["images_list"][1] is png  # type: ignore[index]
    job.to_json()


def test_a_content_is_uploaded_once(mu: Face, api: FileServer, png: Path) -> None:
    again = png.with_name("again.png")
    again.write_bytes(PNG)
    with png.open("rb") as file:
        call = raw_call("new/model", {"a": png, "b": {"c": [again, file, io.BytesIO(PNG)]}, "d": (png,)})
        mu.submit(call)
        mu.submit(call)
    url = "https://cdn.muapi.ai/1.png"
    assert paths(api) == [UPLOAD, RAW, RAW]
    assert [json.loads(asked.body) for asked in api.asked[1:]] == [{"a": url, "b": {"c": [url] * 3}, "d": [url]}] * 2


def test_other_contents_are_other_files(mu: Face, api: FileServer, png: Path) -> None:
    mu.submit(raw_call("new/model", {"a": png, "b": io.BytesIO(MP4)}))
    assert paths(api) == [UPLOAD, UPLOAD, RAW]
    assert json.loads(api.asked[2].body) == {"a": "https://cdn.muapi.ai/1.png", "b": "https://cdn.muapi.ai/2.png"}


def test_a_changed_file_is_another_content(mu: Face, api: FileServer, png: Path) -> None:
    call = raw_call("new/model", {"a": png})
    mu.submit(call)
    png.write_bytes(PNG + b"more")
    mu.submit(call)
    assert paths(api) == [UPLOAD, RAW, UPLOAD, RAW]


def test_a_content_is_uploaded_anew_after_a_day(mu: Face, api: FileServer, png: Path) -> None:
    call = raw_call("new/model", {"a": png})
    mu.submit(call)
    mu.mu._clock.slept += 25 * 3600
    mu.submit(call)
    assert paths(api).count(UPLOAD) == 2


def test_many_at_once_upload_it_once(mu: Face, api: FileServer, png: Path) -> None:
    call = raw_call("new/model", {"a": png})
    mu.together(*[lambda client: client.submit(call)] * 8)
    assert paths(api).count(UPLOAD) == 1
    assert paths(api).count(RAW) == 8


def test_a_failed_upload_lets_the_next_one_in(mu: Face, api: FileServer, png: Path) -> None:
    api.plays(UPLOAD, says({"detail": "no"}, 402), says({"url": "https://x/2.png"}))
    call = raw_call("new/model", {"a": png})
    with pytest.raises(errors.InsufficientCreditError):
        mu.submit(call)
    assert mu.submit(call).call.body == {"a": "https://x/2.png"}


@pytest.mark.parametrize(
    "refusal",
    [
        says({"detail": [{"loc": ["body", "a"], "msg": "cannot be fetched", "type": "value_error"}]}, 422),
        says({"detail": {"request_id": "req-9", "status": "failed", "error": "cannot fetch a"}}, 400),
    ],
    ids=["refused", "failed"],
)
def test_what_may_be_gone_from_storage_is_uploaded_anew_by_the_next_call(
    mu: Face, api: FileServer, png: Path, refusal: Any
) -> None:
    call = raw_call("new/model", {"a": png})
    mu.submit(call)
    api.plays(RAW, refusal, says({**SUBMITTED, "request_id": "req-2"}))
    with pytest.raises(errors.MuAPIError, match="fetch"):
        mu.submit(call)
    assert mu.submit(call).call.body == {"a": "https://cdn.muapi.ai/2.png"}


def test_a_busy_server_has_nothing_uploaded_anew(twin: Callable[..., Face], api: FileServer, png: Path) -> None:
    mu, call = twin(retry=Retry(attempts=1)), raw_call("new/model", {"a": png})
    api.plays(RAW, says({}, 429), says(SUBMITTED))
    with pytest.raises(errors.RateLimitError):
        mu.submit(call)
    mu.submit(call)
    assert paths(api).count(UPLOAD) == 1


def test_two_files_under_one_address_are_paid_for_by_no_job(mu: Face, api: FileServer, png: Path) -> None:
    api.plays(UPLOAD, says({"url": "https://cdn.muapi.ai/same.png"}))
    with pytest.raises(errors.UploadError, match=r"two files of this call under one address, .*no job was submitted"):
        mu.submit(raw_call("new/model", {"a": png, "b": io.BytesIO(MP4)}))
    assert RAW not in paths(api)


def test_what_another_file_has_replaced_in_storage_is_uploaded_anew(mu: Face, api: FileServer, png: Path) -> None:
    api.plays(UPLOAD, says({"url": "https://cdn.muapi.ai/same.png"}))
    for content in (PNG, MP4, PNG):
        mu.submit(raw_call("new/model", {"a": io.BytesIO(content)}))
    assert paths(api).count(UPLOAD) == 3


def test_with_options_shares_what_is_uploaded(mu: Face, api: FileServer, png: Path) -> None:
    call = raw_call("new/model", {"a": png})
    mu.submit(call)
    mu.go(mu.mu.with_options(timeout=5).submit(call))
    assert paths(api).count(UPLOAD) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_images": 7},
        {"resolutoin": "1K"},
        {"images_list": [io.BytesIO(PNG), "no url"]},
        {"prompt": io.BytesIO(PNG)},
    ],
)
def test_a_call_that_does_not_fit_uploads_nothing(mu: Face, api: FileServer, png: Path, wrong: dict[str, Any]) -> None:
    good = make_edit(prompt="a fox", images_list=[png])  # type: ignore[list-item]
    bad = type(good)(good.operation, {**good.body, **wrong})  # type: ignore[dict-item]
    with pytest.raises(errors.ValidationError) as caught:
        mu.submit(bad)
    assert api.asked == []
    assert caught.value.errors[0]["loc"][1] == next(iter(wrong))


@pytest.mark.parametrize("count", [2, 10])
def test_every_item_of_a_list_may_be_a_file(mu: Face, api: FileServer, tmp_path: Path, count: int) -> None:
    files = [tmp_path / f"{index}.png" for index in range(count)]
    for index, file in enumerate(files):
        file.write_bytes(PNG + bytes([index // 2]))  # two and two are alike
    job = mu.submit(make_edit(prompt="a fox", images_list=files))
    assert paths(api) == [UPLOAD] * (count // 2) + [PATH]
    sent = [f"https://cdn.muapi.ai/{index // 2 + 1}.png" for index in range(count)]
    assert job.call.body == {"prompt": "a fox", "images_list": sent}


def test_a_list_of_too_many_files_uploads_nothing(mu: Face, api: FileServer, png: Path) -> None:
    with pytest.raises(errors.ValidationError, match="at most 10 items"):
        mu.submit(make_collage(prompt="a fox", images_list=[png] * 11))
    assert api.asked == []


def test_a_file_beside_others_in_a_field_that_takes_no_url_is_named(mu: Face, api: FileServer, png: Path) -> None:
    good = make_edit(prompt="a fox", images_list=[png, png])
    bad = type(good)(good.operation, {**good.body, "prompt": png})  # type: ignore[dict-item]
    with pytest.raises(errors.ValidationError, match="prompt: a file stands here, and this field takes no URL"):
        mu.submit(bad)
    assert api.asked == []


def test_files_in_lists_of_objects_are_uploaded(mu: Face, api: FileServer, png: Path, tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(MP4)
    call = raw_call("new/model", {"elements": [{"image_url": png, "more": [png, clip]}, {"image_url": png}]})
    mu.submit(call)
    image, video = "https://cdn.muapi.ai/1.png", "https://cdn.muapi.ai/2.png"
    assert json.loads(api.asked[2].body) == {
        "elements": [{"image_url": image, "more": [image, video]}, {"image_url": image}]
    }


@needs(DEPTH, image_url={"type": "string"})
def test_a_field_named_for_media_takes_a_file_though_its_type_says_text_alone(
    mu: Face, api: FileServer, png: Path
) -> None:
    api.plays(f"/api/v1/{DEPTH}", says(SUBMITTED))
    assert mu.submit(catalog.get(DEPTH).call(image_url=png)).call.body == {"image_url": "https://cdn.muapi.ai/1.png"}


WRONG = {
    "source code": ("main.py", b"import os\n\nprint(os.environ)\n", "text"),
    "source code under a picture's name": ("main.png", b"import os\n", "text"),
    "a web page": ("a.html", HTML, "a web page"),
    "a web page under a picture's name": ("a.png", HTML, "a web page"),
    "a film": ("a.mp4", MP4, "video/mp4"),
    "a film under a picture's name": ("a.jpg", MP4, "video/mp4"),
    "music": ("a.mp3", b"ID3\x04" + bytes(64), "audio/mpeg"),
    "an archive": ("a.zip", b"PK\x03\x04" + bytes(64), "application/zip"),
    "a document": ("a.pdf", b"%PDF-1.7", "application/pdf"),
}


@pytest.mark.parametrize(("name", "content", "told"), WRONG.values(), ids=WRONG)
def test_a_file_that_cannot_be_a_picture_is_refused_before_anything_is_uploaded(
    mu: Face, api: FileServer, png: Path, *, name: str, content: bytes, told: str
) -> None:
    wrong = png.parent / "wrong" / name
    wrong.parent.mkdir()
    wrong.write_bytes(content)
    with pytest.raises(errors.ValidationError, match=f"images_list.1: {name} is {told}.*takes image") as caught:
        mu.submit(make_edit(prompt="a fox", images_list=[png, wrong]))
    assert caught.value.errors[0]["loc"] == ["body", "images_list", 1]
    assert api.asked == []


@pytest.mark.parametrize(("name", "content", "told"), WRONG.values(), ids=WRONG)
def test_without_the_check_the_server_judges_the_bytes(
    twin: Callable[..., Face], api: FileServer, tmp_path: Path, *, name: str, content: bytes, told: str
) -> None:
    assert told
    (tmp_path / name).write_bytes(content)
    twin(strict=False).submit(make_edit(prompt="a fox", images_list=[tmp_path / name]))
    assert paths(api) == [UPLOAD, PATH]


def test_an_open_file_of_another_kind_is_refused_too(mu: Face, api: FileServer, png: Path) -> None:
    with pytest.raises(errors.ValidationError, match="audio_url: upload is image/png"):
        mu.submit(make_lipsync(audio_url=io.BytesIO(PNG), image_url=png))
    assert api.asked == []


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("image_url", b"\x00\x01 of a kind nobody knows"),
        ("image_url", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("audio_url", MP4),  # it may hold sound alone
        ("audio_url", b"\x1aE\xdf\xa3\x42\x82\x84webm"),
        ("audio_url", bytes(64)),
    ],
)
def test_what_may_be_of_the_kind_passes(mu: Face, api: FileServer, field: str, content: bytes) -> None:
    api.plays(f"/api/v1/{LIPSYNC.slug}", says(SUBMITTED))
    given: Any = {"audio_url": "https://x/a.mp3", field: io.BytesIO(content)}
    mu.submit(make_lipsync(**given))
    assert len(api.asked) == 2


def test_of_a_raw_calls_fields_nothing_is_known(mu: Face, api: FileServer) -> None:
    mu.submit(raw_call("new/model", {"image_url": io.BytesIO(b"text")}))
    assert paths(api) == [UPLOAD, RAW]


def test_without_the_check_a_file_may_stand_anywhere(twin: Callable[..., Face], api: FileServer, png: Path) -> None:
    good = make_edit(prompt="a fox", images_list=["https://x/a.png"])
    call = type(good)(good.operation, {**good.body, "brand_new": png})  # type: ignore[dict-item]
    twin(strict=False).submit(call)
    assert json.loads(api.asked[1].body)["brand_new"] == "https://cdn.muapi.ai/1.png"


def test_a_file_that_cannot_be_read_submits_nothing(mu: Face, api: FileServer, tmp_path: Path) -> None:
    with pytest.raises(errors.UploadError, match="No such file"):
        mu.submit(raw_call("new/model", {"a": tmp_path / "missing.png"}))
    assert api.asked == []


def test_text_is_never_a_path(mu: Face, api: FileServer, png: Path) -> None:
    mu.submit(raw_call("new/model", {"a": str(png)}))
    assert paths(api) == [RAW]


def test_one_file_where_a_list_belongs_says_to_write_the_list(mu: Face, api: FileServer, png: Path) -> None:
    for one, wanted in ((png, r"images_list=\[Path\(…\)\]"), ("https://x/a.png", r"images_list=\[…\]")):
        with pytest.raises(errors.ValidationError, match=f"images_list: .*valid list: write {wanted}"):
            mu.run(make_edit(prompt="a fox", images_list=one))  # type: ignore[arg-type]
    assert api.asked == []


def test_an_iterator_of_files_or_their_bytes_say_what_to_write(mu: Face, api: FileServer, png: Path) -> None:
    for given, wanted in (
        (png.parent.glob("*.png"), r"images_list: .*valid list: write images_list=list\(…\)"),
        ({"https://x/a.png"}, r"images_list: .*valid list: write images_list=list\(…\)"),
        ([png.read_bytes()], r"images_list\.0: .*; bytes stand here: .* the URL that mu\.upload\(bytes\) answers"),
    ):
        with pytest.raises(errors.ValidationError, match=wanted):
            mu.run(make_edit(prompt="a fox", images_list=given))  # type: ignore[arg-type]
    assert api.asked == []


def test_what_an_earlier_job_made_says_which_of_its_attributes_belongs_there(mu: Face, api: FileServer) -> None:
    picture = Output(url="https://x/a.png")
    made = Prediction(id="1", status="completed", outputs=(picture,))
    for call, wanted in (
        (make_chat(prompt="a fox", image_url=picture), r"image_url: .*; an output stands here: write its \.url"),
        (make_edit(prompt="a fox", images_list=[picture]), r"images_list\.0: .*; an output stands here: .* \.url"),
        (make_chat(prompt=Output(text="a fox")), r"prompt: .*; an output stands here: write its \.text"),
        (make_chat(prompt="a fox", image_url=made), r"image_url: .*; a prediction stands here: .*outputs\[0\]\.url"),
        (make_edit(prompt="a fox", images_list=made.outputs), r"images_list\.0: .*; an output stands here"),
    ):
        with pytest.raises(errors.ValidationError, match=wanted):
            mu.run(call)
    with pytest.raises(errors.UploadError, match=r"has a URL already: pass output\.url .* output\.read\(\)"):
        mu.upload(picture)  # type: ignore[arg-type]
    assert api.asked == []


@pytest.mark.parametrize(
    ("text", "path"), [("a.png", "a.png"), ("C:\\a.png", "C:\\a.png"), ("file:///x/a.png", "/x/a.png")]
)
def test_a_path_as_text_says_to_give_a_path(mu: Face, api: FileServer, text: str, path: str) -> None:
    for call in (
        make_chat(prompt="a fox", image_url=text),
        make_edit(prompt="a fox", images_list=["https://x/a.png", text]),
    ):
        with pytest.raises(errors.ValidationError) as caught:
            mu.run(call)
        assert f"Path({path!r}), which is uploaded when the call is sent" in str(caught.value)
    assert api.asked == []


def test_the_advice_repeats_no_long_text_and_offers_no_path_for_other_addresses(mu: Face, api: FileServer) -> None:
    for text, advised in (("a" * 200, True), ("data:image/png;base64,AA", False), ("ftp://x/a.png", False)):
        with pytest.raises(errors.ValidationError) as caught:
            mu.run(make_chat(prompt="a fox", image_url=text))
        assert ("Path(…)" in str(caught.value)) is advised
        assert text not in str(caught.value)
    assert api.asked == []


def test_a_webhook_is_no_file_and_is_not_repeated(mu: Face, api: FileServer) -> None:
    call = make_image(prompt="a fox", webhook_url="hooks.example/cb?token=s3cr3t99")
    with pytest.raises(errors.ValidationError, match="webhook_url") as caught:
        mu.run(call)
    assert "s3cr3t99" not in str(caught.value)
    assert "Path(" not in str(caught.value)
    assert api.asked == []


def test_bytes_are_no_file_and_have_no_place_in_json(mu: Face, api: FileServer) -> None:
    with pytest.raises(errors.ValidationError, match="JSON"):
        mu.submit(raw_call("new/model", {"a": PNG}))
    assert api.asked == []


def test_a_body_that_holds_itself_holds_no_file(mu: Face, api: FileServer, png: Path) -> None:
    body: dict[str, Any] = {"a": png}
    body["again"] = [body]
    with pytest.raises(errors.ValidationError):
        mu.submit(raw_call("new/model", body))
    assert api.asked == []


def test_a_picture_in_a_field_is_a_file(mu: Face, api: FileServer) -> None:
    class Picture:
        mode, format = "RGB", None

        def save(self, file: Any, **_: Any) -> None:
            file.write(PNG)

    mu.submit(raw_call("new/model", {"a": Picture()}))
    assert paths(api) == [UPLOAD, RAW]


def test_a_run_uploads_too(mu: Face, api: FileServer, png: Path) -> None:
    done = {"id": "req-1", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/a.png"]}
    api.plays("/api/v1/predictions/req-1/result", says(done))
    assert mu.run(raw_call("new/model", {"a": png})).done
    assert paths(api) == [UPLOAD, RAW, "/api/v1/predictions/req-1/result"]


def test_an_unknown_outcome_keeps_the_call_with_urls(mu: Face, api: FileServer, png: Path) -> None:
    api.plays(RAW, sends(b"<html>", 502))
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        mu.submit(raw_call("new/model", {"a": png}))
    assert caught.value.call is not None
    assert caught.value.call.body == {"a": "https://cdn.muapi.ai/1.png"}
    assert paths(api) == [UPLOAD, RAW]
