"""Local files in media fields: uploaded when the call is sent, once per content, and replaced by their URLs."""

from __future__ import annotations

import io
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from fileserver import MP4, PNG, says, sends

from muapi_client import errors, raw_call
from muapi_client.models import bytedance_seedream_edit_v4 as edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fileserver import Face, FileServer, Handler

UPLOAD = "/api/v1/upload_file"
EDIT = edit(prompt="x", images_list=["https://x/a.png"]).operation.path
RAW = "/api/v1/new/model"
SUBMITTED = {"request_id": "req-1", "status": "processing"}


@pytest.fixture
def api(server: FileServer) -> FileServer:
    """Takes uploads, each under a new URL, and submits."""
    count = itertools.count(1)

    def step(handler: Handler) -> None:
        says({"url": f"https://cdn.muapi.ai/{next(count)}.png"})(handler)

    server.plays(UPLOAD, step)
    server.plays(EDIT, says(SUBMITTED))
    server.plays(RAW, says(SUBMITTED))
    return server


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


def paths(server: FileServer) -> list[str]:
    """What was asked for, in its order."""
    return [asked.path for asked in server.asked]


def test_a_path_is_uploaded_when_the_call_is_sent(mu: Face, api: FileServer, png: Path) -> None:
    call = edit(prompt="a fox", images_list=["https://x/given.png", png])  # type: ignore[list-item]
    assert api.asked == []
    job = mu.submit(call)
    assert paths(api) == [UPLOAD, EDIT]
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
    good = edit(prompt="a fox", images_list=[png])  # type: ignore[list-item]
    bad = type(good)(good.operation, {**good.body, **wrong})  # type: ignore[dict-item]
    with pytest.raises(errors.ValidationError) as caught:
        mu.submit(bad)
    assert api.asked == []
    assert caught.value.errors[0]["loc"][1] == next(iter(wrong))


def test_without_the_check_a_file_may_stand_anywhere(twin: Callable[..., Face], api: FileServer, png: Path) -> None:
    good = edit(prompt="a fox", images_list=["https://x/a.png"])
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
