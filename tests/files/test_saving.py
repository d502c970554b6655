"""Outputs that are read and saved by who holds them: whole or not at all, without the key, whether the client lives."""

from __future__ import annotations

import copy
import importlib
import inspect
import io
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image
from fileserver import HTML, KEY, MP4, PNG, cuts, ranges, says, sends
from PIL import Image

from muapi_client import (
    AsyncMuAPI,
    AsyncOutput,
    AsyncPrediction,
    MuAPI,
    MuAPIError,
    Output,
    Prediction,
    errors,
    raw_call,
)
from muapi_client._types.prediction import hand_out
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fileserver import Face, FileServer

CALL = raw_call("x", {"prompt": "a fox"})


def left(directory: Path) -> list[str]:
    """What stands in a directory."""
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


@pytest.fixture
def job(mu: Face, server: FileServer) -> Callable[..., Any]:
    """``job(*outputs)``: the prediction of a finished job that a client of the server handed out."""

    def run(*outputs: Any, status: str = "completed") -> Any:
        server.plays("/api/v1/x", says({"request_id": "req-1", "status": status, "outputs": list(outputs)}))
        server.plays("/api/v1/predictions/req-1/result", says({"id": "req-1", "status": status, "outputs": outputs}))
        return mu.run(CALL)

    return run


def test_an_output_is_read_and_saved(mu: Face, server: FileServer, job: Any, tmp_path: Path) -> None:
    done = job(server.plays("/a.png", sends(PNG)), server.plays("/b.mp4", sends(MP4)))
    assert mu.go(done.outputs[0].read()) == PNG
    assert mu.go(done.outputs[1].save(tmp_path / "new" / "clip.mp4")) == tmp_path / "new" / "clip.mp4"
    assert (tmp_path / "new" / "clip.mp4").read_bytes() == MP4
    saved = mu.go(done.save(tmp_path / "all"))
    assert [path.name for path in saved] == ["req-1-0.png", "req-1-1.mp4"]
    assert [path.name for path in mu.go(done.save(str(tmp_path), name="fox", concurrency=1))] == [
        "fox-0.png",
        "fox-1.mp4",
    ]
    assert left(tmp_path / "new") == ["clip.mp4"]


def test_what_an_awaiting_client_hands_out_is_awaited(mu: Face, server: FileServer, job: Any) -> None:
    done = job(server.plays("/a.png", sends(PNG)))
    awaits = mu.kind is AsyncMuAPI
    assert type(done) is (AsyncPrediction if awaits else Prediction)
    assert type(done.outputs[0]) is (AsyncOutput if awaits else Output)
    reading = done.outputs[0].read()
    assert inspect.isawaitable(reading) is awaits
    assert mu.go(reading) == PNG


def test_the_key_stays_with_the_api(
    mu: Face, server: FileServer, new_server: Callable[[], FileServer], job: Any, tmp_path: Path
) -> None:
    other = new_server()
    done = job(server.plays("/a.png", sends(b"", 302, location=other.plays("/real.png", sends(PNG)))))
    before = len(server.asked)
    assert mu.go(done.outputs[0].read()) == PNG
    mu.go(done.save(tmp_path))
    asked = server.asked[before:] + other.asked
    assert len(asked) == 4
    assert not any(KEY in str(each) or "x-api-key" in each.headers for each in asked)


def test_an_echo_of_the_key_is_in_no_error(mu: Face, server: FileServer, job: Any, tmp_path: Path) -> None:
    done = job(server.plays("/a.png", sends(f"<html>{KEY}</html>".encode(), content_type="text/html")))
    for attempt in (done.outputs[0].read, partial(done.save, tmp_path)):
        with pytest.raises(errors.DownloadError, match="web page") as caught:
            mu.go(attempt())
        assert KEY not in str(caught.value) + repr(caught.value.__dict__)
    assert KEY not in repr(done) + repr(done.outputs[0]) + str(pickle.dumps(done)) + str(done.headers)
    assert left(tmp_path) == []


def test_they_outlive_their_client(mu: Face, server: FileServer, job: Any, tmp_path: Path) -> None:
    done = job(server.plays("/a.png", sends(PNG)))
    mu.close()
    assert mu.go(done.outputs[0].read()) == PNG
    assert [path.read_bytes() for path in mu.go(done.save(tmp_path))] == [PNG]


def test_they_are_fetched_after_a_pickle_too(mu: Face, server: FileServer, job: Any, tmp_path: Path) -> None:
    done = pickle.loads(pickle.dumps(job(server.plays("/a.png", sends(PNG)))))
    assert mu.go(done.outputs[0].read()) == PNG
    assert mu.go(copy.deepcopy(done).save(tmp_path))[0].read_bytes() == PNG


def test_a_body_that_breaks_off_is_taken_up(mu: Face, server: FileServer, job: Any) -> None:
    url = server.plays("/a.png", cuts(PNG, 99, etag='"1"'), ranges(PNG, etag='"1"'))
    assert mu.go(job(url).outputs[0].read()) == PNG
    assert server.asked[-1].headers["range"] == "bytes=99-"


def test_nothing_is_overwritten(mu: Face, server: FileServer, job: Any, tmp_path: Path) -> None:
    output = job(server.plays("/a.png", sends(PNG))).outputs[0]
    (tmp_path / "fox.png").write_bytes(b"another")
    assert mu.go(output.save(tmp_path / "fox.png")).name == "fox-2.png"
    assert mu.go(output.save(tmp_path / "fox.png")).name == "fox-2.png", "the same bytes"
    assert (tmp_path / "fox.png").read_bytes() == b"another"
    assert left(tmp_path) == ["fox-2.png", "fox.png"]


def test_a_name_without_an_ending_gets_that_of_its_bytes(
    mu: Face, server: FileServer, job: Any, tmp_path: Path
) -> None:
    output = job(server.plays("/a.jpg", sends(PNG))).outputs[0]
    assert mu.go(output.save(tmp_path / "fox")).name == "fox.png"
    assert mu.go(output.save(str(tmp_path / "fox.image"))).name == "fox.image"


@pytest.mark.parametrize("broken", [sends(HTML, content_type="text/html"), sends(HTML, 404), cuts(PNG, 9)])
def test_whole_or_not_at_all(mu: Face, server: FileServer, job: Any, tmp_path: Path, broken: Any) -> None:
    done = job(server.plays("/a.png", broken))
    for attempt in (
        done.outputs[0].read,
        partial(done.outputs[0].save, tmp_path / "fox.png"),
        partial(done.save, tmp_path),
    ):
        with pytest.raises(errors.DownloadError):
            mu.go(attempt())
    assert left(tmp_path) == []


def test_a_text_and_data_are_saved_too(mu: Face, job: Any, tmp_path: Path) -> None:
    done = job("Foxes are red.", {"seed": 7}, "data:text/plain;base64,aGk=")
    assert [mu.go(output.read()) for output in done.outputs] == [b"Foxes are red.", b'{\n  "seed": 7\n}', b"hi"]
    assert [path.name for path in mu.go(done.save(tmp_path))] == ["req-1-0.txt", "req-1-1.json", "req-1-2.txt"]
    assert mu.go(done.outputs[0].save(tmp_path / "why")).name == "why.txt"


def test_a_folder_is_no_file(mu: Face, job: Any, tmp_path: Path) -> None:
    output = job("Foxes are red.").outputs[0]
    for path in (tmp_path, f"{tmp_path}/", "", "..", "/"):
        with pytest.raises(errors.DownloadError, match=r"prediction\.save\(folder\)"):
            mu.go(output.save(path))
    with pytest.raises(errors.DownloadError, match="no file that can be written"):
        mu.go(output.save(tmp_path / "a\0b"))
    assert left(tmp_path) == []


@pytest.mark.parametrize("wrong", [None, 7, b"fox.png", ["fox.png"]])
def test_what_is_no_path_is_refused(mu: Face, job: Any, wrong: Any) -> None:
    done = job("Foxes are red.")
    with pytest.raises(MuAPIError, match=r"must be text or a Path, such as 'fox\.png'"):
        mu.go(done.outputs[0].save(wrong))
    with pytest.raises(MuAPIError, match="the directory to save to"):
        mu.go(done.save(wrong))


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=["null", "half a character"])
def test_a_name_that_no_file_can_have_is_refused(mu: Face, job: Any, tmp_path: Path, name: str) -> None:
    done = job("a text")
    for save in (done.save, done.outputs[0].save, partial(mu.download, done)):
        with pytest.raises(errors.DownloadError, match=r"is no (file|directory)"):
            mu.go(save(f"{tmp_path}/{name}"))
    assert left(tmp_path) == []


def test_limits_that_cannot_be_right_are_refused(mu: Face, server: FileServer, job: Any) -> None:
    output = job(server.plays("/a.png", sends(PNG))).outputs[0]
    with pytest.raises(errors.DownloadError, match="max_bytes must be a whole number above 0"):
        mu.go(output.read(max_bytes=0))
    with pytest.raises(MuAPIError, match="timeout"):
        mu.go(output.read(timeout=-1))
    with pytest.raises(errors.DownloadError, match="passes 10 bytes"):
        mu.go(output.read(max_bytes=10))


def test_no_outputs_is_told(mu: Face, made: Any, tmp_path: Path) -> None:
    with pytest.raises(errors.DownloadError, match="completed without outputs"):
        made().save(tmp_path)


def test_private_addresses_are_left_alone_unless_the_api_is_on_one(
    server: FileServer, made: Any, tmp_path: Path, twin: Callable[..., Face]
) -> None:
    url = server.plays("/a.png", sends(PNG))
    for output in (Output(url), made(url).outputs[0]):  # by hand: nothing is known of the API
        with pytest.raises(errors.DownloadError, match="no address of the public internet"):
            output.save(tmp_path / "fox.png")
    remote = {"base_url": "https://93.184.216.34"}
    for options, refused in ((remote, True), ({**remote, "allow_private_downloads": True}, False)):
        mu = Face_of(twin, options)
        access = mu.mu._context.access
        output = hand_out(made(url), access).outputs[0]
        if refused:
            with pytest.raises(errors.DownloadError, match="no address of the public internet"):
                mu.go(output.read())
            other = hand_out(made(url), mu.mu.with_options(allow_private_downloads=True)._context.access).outputs[0]
            assert mu.go(other.read()) == PNG
        else:
            assert mu.go(output.read()) == PNG
            assert mu.go(pickle.loads(pickle.dumps(output)).read()) == PNG


def Face_of(twin: Callable[..., Face], options: dict[str, Any]) -> Face:  # noqa: N802 - makes one
    face = twin()
    kind, base = face.kind, options.pop("base_url")
    face.close()
    face.mu = kind(KEY, base, **options)
    return face


@pytest.mark.parametrize("kind", [MuAPI, AsyncMuAPI])
def test_over_the_transport_of_its_client(kind: type, tmp_path: Path) -> None:
    import asyncio

    emulator = Emulator()
    mu = kind("sk-live", transport=emulator.transport())

    async def awaited(outcome: Any) -> Any:
        return await outcome

    def go(outcome: Any) -> Any:
        return asyncio.run(awaited(outcome)) if inspect.isawaitable(outcome) else outcome

    done = go(mu.run(make_image(prompt="a fox")))
    assert go(done.outputs[0].read()).startswith(b"\x89PNG")
    assert go(done.outputs[0].pil()).size[0] > 0
    assert go(done.save(tmp_path))[0].suffix == ".png"
    fetched = [exchange.request for exchange in emulator.requests if "/outputs/" in exchange.request.path]
    assert len(fetched) == 3
    assert not any("sk-live" in str(request.headers) for request in fetched)
    elsewhere = pickle.loads(pickle.dumps(done))
    with pytest.raises(errors.DownloadError, match=r"transport of its client's own .*mu\.download"):
        go(elsewhere.outputs[0].read())
    assert go(mu.download(elsewhere, tmp_path / "again"))
    go(mu.close())


@pytest.fixture
def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(content, "PNG")
    return content.getvalue()


def test_a_picture_is_read_by_pillow(mu: Face, server: FileServer, job: Any, picture: bytes) -> None:
    done = job(server.plays("/a.png", sends(picture)), server.plays("/b.mp4", sends(MP4)))
    image = mu.go(done.outputs[0].pil())
    assert (image.size, image.getpixel((0, 0))) == ((3, 2), (255, 0, 0))
    with pytest.raises(errors.DownloadError, match=r"b\.mp4 \(video/mp4\) is no picture that Pillow reads.*save"):
        mu.go(done.outputs[1].pil())


def test_a_cut_picture_is_an_error_of_ours(mu: Face, server: FileServer, job: Any, picture: bytes) -> None:
    output = job(server.plays("/a.png", sends(picture[:40]))).outputs[0]
    with pytest.raises(errors.DownloadError, match="no picture that Pillow reads"):
        mu.go(output.pil())


def test_a_picture_that_is_a_program_is_not_run(mu: Face, job: Any) -> None:
    program = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with pytest.raises(errors.DownloadError, match="EPS is a program"):
        mu.go(job(program).outputs[0].pil())


def test_without_pillow_nothing_is_fetched(
    mu: Face, server: FileServer, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = job(server.plays("/a.png", sends(PNG))).outputs[0]
    before, really = len(server.asked), importlib.import_module
    monkeypatch.setattr(
        "muapi_client._client.saving.import_module",
        lambda name: (_ for _ in ()).throw(ImportError(name)) if name == "PIL.Image" else really(name),
    )
    with pytest.raises(MuAPIError, match=r"pip install pillow.*output\.read\(\)"):
        mu.go(output.pil())
    assert len(server.asked) == before


def test_a_journals_outputs_are_fetched_too(twin: Callable[..., Face], server: FileServer, tmp_path: Path) -> None:
    mu = twin(journal=tmp_path / "jobs.db")
    url = server.plays("/a.png", sends(PNG))
    server.plays("/api/v1/x", says({"request_id": "req-1", "status": "completed", "outputs": [url]}))
    mu.run(CALL)

    async def first() -> Any:
        async for entry in mu.mu.jobs():
            return entry
        return None

    entry = next(mu.mu.jobs()) if mu.kind is MuAPI else mu.runner.run(first())
    assert mu.go(entry.outputs[0].read()) == PNG


def test_what_a_map_hands_out_is_fetched_too(mu: Face, server: FileServer) -> None:
    url = server.plays("/a.png", sends(PNG))
    server.plays("/api/v1/x", says({"request_id": "req-1", "status": "completed", "outputs": [url]}))

    async def first() -> Any:
        return [outcome async for outcome in mu.mu.map([CALL])]

    (outcome,) = list(mu.mu.map([CALL])) if mu.kind is MuAPI else mu.runner.run(first())
    assert mu.go(outcome.prediction.outputs[0].read()) == PNG


def test_an_interrupt_leaves_nothing(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.plays("/a.png", sends(PNG))
    server.plays("/api/v1/x", says({"request_id": "req-1", "status": "completed", "outputs": [url]}))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with MuAPI(KEY, server.url) as mu:
        output = mu.run(CALL).outputs[0]
        assert isinstance(output, Output)
        monkeypatch.setattr("muapi_client._files.temp_file.PartialFile.place", interrupt)
        with pytest.raises(KeyboardInterrupt):
            output.save(tmp_path / "fox.png")
    assert left(tmp_path) == []


def test_the_headers_of_an_answer_are_kept_without_secrets(mu: Face, server: FileServer) -> None:
    headers = {"x_account_balance": "9.5", "set_cookie": "s=1", "x_echo": KEY, "x_session_token": "t"}
    body = b'{"request_id": "req-1", "status": "completed", "outputs": ["a fox"]}'
    server.plays("/api/v1/x", sends(body, content_type="application/json", **headers))
    done = mu.run(CALL)
    assert done.headers["x-account-balance"] == "9.5"
    assert done.headers["content-type"] == "application/json"
    assert done.headers["x-echo"] == "[API key]"
    assert not {"set-cookie", "x-session-token"} & done.headers.keys()
    assert pickle.loads(pickle.dumps(done)).headers == done.headers
