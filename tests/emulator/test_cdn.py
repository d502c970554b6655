"""Files: what jobs made and what was uploaded can be fetched, whole or in part, without a key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from by_kind import CLIP, IMAGE, make_image, rows

from muapi_client import AsyncMuAPI, MuAPI
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOX = {"prompt": "a red fox in snow"}
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = "z-image-base-text-to-image-lora"  # whose document says output_format is jpeg when it is left out
FILM = {"video_url": "https://example.com/film.mp4"}


def made(emulator: Emulator, send: Callable[..., Any], slug: str = IMAGE.slug, **body: Any) -> list[str]:
    """The URLs of a finished job."""
    request_id = send("POST", slug, json={**FOX, **body}).json()["request_id"]
    emulator.clock.sleep(3600)
    return send("GET", f"predictions/{request_id}/result").json()["outputs"]


def test_an_output_is_a_real_file_without_a_key(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    one, two = made(emulator, connect(emulator), num_images=2)
    anybody = connect(emulator, None)
    answer = anybody("GET", one)
    assert (answer.status_code, answer.headers["content-type"], answer.content[:8]) == (200, "image/png", PNG)
    assert anybody("GET", two).content != answer.content
    assert anybody("GET", one).content == answer.content


def test_a_job_that_has_not_completed_has_no_file(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10)
    send = connect(emulator)
    request_id = send("POST", IMAGE.slug, json=FOX).json()["request_id"]
    url = f"https://cdn.muapi.ai/outputs/{request_id}.png"
    assert send("GET", url).status_code == 404
    emulator.clock.sleep(10)
    assert send("GET", url).status_code == 200
    assert send("GET", url.replace(".png", ".mp4")).status_code == 404
    assert send("POST", url).status_code == 405


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=7-99", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        (f"bytes={'9' * 20}-", 416, b"", "bytes */10"),
        (f"bytes={'9' * 5000}-{'9' * 5000}", 416, b"", "bytes */10"),
        (f"bytes={'0' * 5000}2-{'9' * 20}", 206, b"23456789", "bytes 2-9/10"),
        (f"bytes=-{'9' * 5000}", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_part_of_a_file(asked: str, status: int, part: bytes, told: str | None, connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    url = send("POST", "upload_file", files={"file": ("a.bin", b"0123456789")}).json()["url"]
    answer = send("GET", url, headers={"range": asked})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, part, told)


def test_a_part_of_another_file_is_all_of_this_one(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    url = send("POST", "upload_file", files={"file": ("a.bin", b"0123456789")}).json()["url"]
    etag = send("GET", url).headers["etag"]
    for validator, status in ((etag, 206), ('"other"', 200)):
        assert send("GET", url, headers={"range": "bytes=5-", "if-range": validator}).status_code == status


def test_a_head_tells_the_length(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    url = send("POST", "upload_file", files={"file": ("a.txt", b"0123456789", "text/plain")}).json()["url"]
    answer = send("HEAD", url)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "10")
    assert answer.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("slug", "body", "suffix"),
    rows(
        (IMAGE.slug, FOX, "png"),
        (JPEG, {**FOX, "output_format": "jpeg"}, "jpg"),
        (JPEG, FOX, "jpg"),
        (JPEG, {**FOX, "output_format": "webp"}, "webp"),
        ("minimax-speech-2.6-hd", {**FOX, "voice_id": "v", "format": "wav"}, "wav"),
        ("youtube-download", {**FILM, "format": "mp3"}, "mp3"),
        ("youtube-download", {**FILM, "format": "720"}, "mp4"),
        (CLIP.slug, FOX, "mp4"),
        ("tripo3d-h31-text-to-3d", FOX, "glb"),
        ("suno-convert-to-wav", {"task_id": "a", "audio_id": "b"}, "wav"),
    ),
)
def test_a_model_makes_the_type_of_file_it_was_asked_for(
    slug: str, body: dict[str, Any], suffix: str, connect: Callable[..., Any]
) -> None:
    emulator = Emulator()
    send = connect(emulator)
    answer = send("POST", slug, json=body)
    assert answer.status_code == 200, answer.text
    emulator.clock.sleep(3600)
    (url,) = send("GET", f"predictions/{answer.json()['request_id']}/result").json()["outputs"]
    assert url.endswith(f".{suffix}")
    assert send("GET", url).status_code == 200


def test_deleted_media_are_gone_from_the_cdn(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    (url,) = made(emulator, send)
    request_id = url.rpartition("/")[2].removesuffix(".png")
    send("DELETE", f"predictions/{request_id}/media")
    assert send("GET", url).status_code == 404


def test_results_expire(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10, result_seconds=60)
    send = connect(emulator)
    request_id = send("POST", IMAGE.slug, json=FOX).json()["request_id"]
    path = f"predictions/{request_id}/result"
    emulator.clock.sleep(69.9)
    (url,) = send("GET", path).json()["outputs"]
    assert send("GET", url).status_code == 200
    emulator.clock.sleep(0.1)
    assert (send("GET", path).status_code, send("GET", url).status_code) == (404, 404)
    (item,) = send("GET", "history").json()["items"]
    assert (item["id"], item["outputs"]) == (request_id, [])


def test_a_sample_is_a_file_too(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), "sk-test")
    (url,) = send("POST", IMAGE.slug, json=FOX).json()["outputs"]
    assert send("GET", url).content[:8] == PNG
    assert send("GET", "https://d3adwkbyhxyrtq.cloudfront.net/other/a.png").status_code == 404


def test_a_client_on_loopback_is_given_addresses_on_loopback() -> None:
    emulator = Emulator(job_seconds=0)
    base = "http://127.0.0.1:8123"
    with httpx.Client(
        transport=emulator.transport(), base_url=f"{base}/api/v1/", headers={"x-api-key": "sk-live"}
    ) as client:
        request_id = client.post(IMAGE.slug, json=FOX).json()["request_id"]
        (output,) = client.get(f"predictions/{request_id}/result").json()["outputs"]
        upload = client.post("upload_file", files={"file": ("a.bin", b"0123")}).json()["url"]
        form = client.get("get_upload_url", params={"filename": "b.bin"}).json()
        checkout = client.post("account/topup", json={"amount": 5}).json()["checkout_url"]
    assert output == f"{base}/cdn.muapi.ai/outputs/{request_id}.png"
    assert emulator.requests[0].request.host == "127.0.0.1:8123"
    with httpx.Client(transport=emulator.transport()) as anybody:
        assert anybody.get(output).content[:8] == PNG
        assert anybody.get(upload, headers={"range": "bytes=1-2"}).content == b"12"
        assert anybody.post(form["url"], data=form["fields"], files={"file": ("b.bin", b"89")}).status_code == 204
        assert anybody.get(f"{base}/cdn.muapi.ai/{quote(form['fields']['key'])}").content == b"89"
        assert anybody.get(checkout).status_code == 200
    assert emulator.balance == 100 - emulator.charged_usd + 5


def test_a_presigned_form_stores_a_file_once_it_comes_back_unchanged(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    form = connect(emulator)("GET", "get_upload_url", params={"filename": "grüner fuchs.mp4"}).json()
    anybody = connect(emulator, None)
    fox = {"file": ("fox.mp4", b"moving", "video/mp4")}
    assert anybody("POST", form["url"], data={**form["fields"], "key": "elsewhere"}, files=fox).status_code == 403
    assert anybody("POST", form["url"], data=form["fields"]).status_code in {400, 403}
    assert anybody("POST", form["url"], data=form["fields"], files=fox).status_code == 204
    stored = anybody("GET", f"https://cdn.muapi.ai/{quote(form['fields']['key'])}")
    assert (stored.content, stored.headers["content-type"]) == (b"moving", "video/mp4")
    emulator.clock.sleep(3600)
    late = anybody("POST", form["url"], data=form["fields"], files=fox)
    assert (late.status_code, "expired" in late.text) == (403, True)
    assert anybody("GET", form["url"]).status_code == 405


def test_a_presigned_form_has_a_limit_and_needs_a_balance(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    form = connect(emulator)("GET", "get_upload_url", params={"filename": "a.png"}).json()
    big = {"file": ("a.png", b"0" * (10 * 2**20 + 1), "image/png")}
    refused = connect(emulator, None)("POST", form["url"], data=form["fields"], files=big)
    assert (refused.status_code, "EntityTooLarge" in refused.text) == (400, True)
    poor = connect(Emulator(balance=0))("GET", "get_upload_url", params={"filename": "a.png"})
    assert poor.status_code == 402


def test_a_client_uploads_and_never_shows_its_key_to_storage() -> None:
    emulator = Emulator()
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        small = mu.upload(b"small", filename="small.txt")
        film = b"\0\0\0\x18ftypmp42" + b"0" * (10 * 2**20 + 1)
        large = mu.upload(film, filename="large.mp4")
    with httpx.Client(transport=emulator.transport()) as anybody:
        assert anybody.get(small).content == b"small"
        assert anybody.get(large).content == film
    foreign = [seen.request for seen in emulator.requests if seen.request.host != "api.muapi.ai"]
    assert {request.host for request in foreign} == {"cdn.muapi.ai", "muapi-uploads.s3.amazonaws.com"}
    assert not [request for request in foreign if "x-api-key" in request.headers]


async def _afetched(url: str, directory: Path) -> list[Path]:
    async with AsyncMuAPI("sk-live", url) as mu:
        return await mu.download(await mu.run(make_image(prompt="a fox")), directory)


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_client_downloads_what_a_served_emulator_made_without_its_key(tmp_path: Path, awaiting: bool) -> None:
    emulator = Emulator(job_seconds=0)
    with emulator.serve() as url:
        if awaiting:
            (saved,) = asyncio.run(_afetched(url, tmp_path))
        else:
            with MuAPI("sk-live", url) as mu:
                (saved,) = mu.download(mu.run(make_image(prompt="a fox")), tmp_path)
    assert saved.read_bytes()[:8] == PNG
    (fetched,) = [seen.request for seen in emulator.requests if "cdn.muapi.ai" in seen.request.path]
    assert "x-api-key" not in fetched.headers


def test_a_chosen_output_on_the_cdn_is_served(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.completed(["https://cdn.muapi.ai/outputs/mine.wav"])])
    (url,) = made(emulator, connect(emulator))
    assert connect(emulator, None)("GET", url).headers["content-type"] == "audio/wav"


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_client_in_this_process_downloads_as_well(tmp_path: Path, awaiting: bool) -> None:
    emulator = Emulator()
    if awaiting:

        async def fetch() -> list[Path]:
            async with AsyncMuAPI("sk-live", transport=emulator.transport()) as mu:
                return await mu.download(await mu.run(make_image(prompt="a fox")), tmp_path)

        (saved,) = asyncio.run(fetch())
    else:
        with MuAPI("sk-live", transport=emulator.transport()) as mu:
            (saved,) = mu.download(mu.run(make_image(prompt="a fox")), tmp_path)
    assert saved.read_bytes().startswith(PNG)


def test_a_large_file_that_a_form_stored_is_served_where_the_client_says() -> None:
    film = b"\x00\x00\x00\x18ftypisom" + bytes(11 * 2**20)
    with Emulator().serve() as url, MuAPI("sk-live", url) as mu:
        assert httpx.get(mu.upload(film, filename="film.mp4")).content == film
