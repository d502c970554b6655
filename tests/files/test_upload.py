"""Uploads: checked before anything is sent, streamed, sent again where that is free, without the key to anyone else."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fileserver import HTML, KEY, MP4, PNG, says, sends

from muapi_client import AsyncMuAPI, errors
from muapi_generated.api.files.upload_file import upload_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from fileserver import Face, FileServer

API = "/api/v1/upload_file"
FORM = "/api/v1/get_upload_url"
URL = "https://cdn.muapi.ai/uploads/a.png"


class Picture:
    """A PIL image, as far as anybody looks."""

    mode = "RGB"

    def __init__(self, kind: str | None) -> None:
        self.format = kind

    def save(self, file: Any, format: str, **_: Any) -> None:  # noqa: A002 - PIL's name
        file.write({"PNG": PNG, "JPEG": b"\xff\xd8\xff\xe0" + PNG}[format])


def pipe(content: bytes) -> io.BufferedReader:
    """A file that cannot be rewound."""
    out, into = os.pipe()
    os.write(into, content)
    os.close(into)
    return os.fdopen(out, "rb")


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a cat.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def storage(server: FileServer, new_server: Callable[[], FileServer], monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """Another host, to which the API hands large files on; what is large begins at 100 bytes here."""
    monkeypatch.setattr("muapi_client._files.upload.LARGE", 100)
    other = new_server()
    fields = {"key": "u/7/${filename}", "policy": "abc", "x-amz-signature": "def"}
    server.plays(FORM, says({"url": other.plays("/bucket", sends(b"", 204)), "fields": fields}))
    return other


@pytest.mark.parametrize(
    "answer", [{"url": URL}, {"file_url": URL}, {"data": {"url": URL}}, {"url": None, "data": {"file_url": URL}}]
)
def test_a_path_becomes_a_url(mu: Face, server: FileServer, png: Path, answer: dict[str, Any]) -> None:
    server.plays(API, says(answer))
    assert mu.upload(png) == URL
    (asked,) = server.asked
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["content-length"] == str(len(asked.body))
    assert asked.form == {"file": ("a_cat.png", "image/png", PNG)}


@pytest.mark.parametrize(
    ("source", "name", "media_type"),
    [
        (lambda _: PNG, "upload.png", "image/png"),
        (lambda _: bytearray(MP4), "upload.mp4", "video/mp4"),
        (lambda path: str(path), "a_cat.png", "image/png"),  # noqa: PLW0108 - a list of makers
        (lambda path: path.open("rb"), "a_cat.png", "image/png"),
        (lambda _: io.BytesIO(PNG), "upload.png", "image/png"),
        (lambda _: pipe(PNG), "upload.png", "image/png"),
        (lambda _: Picture(None), "image.png", "image/png"),
        (lambda _: Picture("JPEG"), "image.jpg", "image/jpeg"),
        (lambda _: b"1,2\n", "upload.txt", "text/plain"),
        (lambda _: b"\x00\x01\x02", "upload.bin", "application/octet-stream"),
    ],
)
def test_whatever_can_be_read(
    mu: Face, server: FileServer, png: Path, *, source: Callable[[Path], Any], name: str, media_type: str
) -> None:
    server.plays(API, says({"url": URL}))
    given = source(png)
    assert mu.upload(given) == URL
    assert server.asked[0].form["file"][:2] == (name, media_type)
    if hasattr(given, "close"):
        given.close()


def test_an_open_file_is_sent_from_where_it_stands_and_left_there(mu: Face, server: FileServer) -> None:
    server.plays(API, says({"url": URL}))
    file = io.BytesIO(b"skipped" + PNG)
    file.seek(7)
    mu.upload(file, filename="b.png")
    assert file.tell() == 7
    assert server.asked[0].form["file"] == ("b.png", "image/png", PNG)


@pytest.mark.parametrize(
    ("name", "content", "sent"),
    [
        ("photo.jpg", PNG, ("photo.png", "image/png")),  # the bytes are right, the name is not
        ("clip.gif", MP4, ("clip.mp4", "video/mp4")),
        ("фото 1.png", PNG, ("1.png", "image/png")),
        ("weights.safetensors", b"\x10\0\0\0\0\0\0\0{}", ("weights.safetensors", "application/vnd.safetensors")),
        ("data.zip", b"PK\x03\x04...", ("data.zip", "application/zip")),
        ("noise.mp3", b"\0" * 64, ("noise.mp3", "audio/mpeg")),
    ],
)
def test_the_bytes_tell_the_type(
    mu: Face, server: FileServer, tmp_path: Path, *, name: str, content: bytes, sent: tuple[str, str]
) -> None:
    server.plays(API, says({"url": URL}))
    (tmp_path / name).write_bytes(content)
    mu.upload(tmp_path / name)
    assert server.asked[0].form["file"][:2] == sent


def sparse(path: Path, head: bytes, size: int) -> Path:
    """A large file that takes no room."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d / "missing.png", "No such file"),
        (lambda d: d, "no regular file"),
        (lambda d: os.mkfifo(d / "pipe") or d / "pipe", "no regular file"),
        (lambda _: b"", "is empty"),
        (lambda _: HTML, "web page"),
        (lambda d: (d / "a.png").write_bytes(HTML) and d / "a.png", "web page"),
        (lambda d: (d / "a.mp4").write_bytes(b"not found") and d / "a.mp4", "does not begin as video/mp4"),
        (lambda d: (d / "a.mp3").write_bytes(b"not found") and d / "a.mp3", "does not begin as audio/mpeg"),
        (lambda d: (d / "a.png").write_bytes(b"PK\x03\x04") and d / "a.png", "is application/zip"),
        (lambda d: sparse(d / "a.png", PNG, 10 * 2**20 + 1), "at most 10 MB"),
        (lambda d: sparse(d / "a.mp4", MP4, 50 * 2**20 + 1), "at most 50 MB"),
        (lambda d: sparse(d / "a.zip", b"PK\x03\x04", 10 * 2**20 + 1), "at most 10 MB"),
        (lambda _: io.StringIO("text"), "binary mode"),
        (lambda _: "https://cdn.muapi.ai/a.png", "a URL already"),
        (lambda _: 7, "cannot upload an int"),
        (lambda _: None, "cannot upload a NoneType"),
    ],
)
def test_what_is_refused_is_not_sent(
    mu: Face, server: FileServer, tmp_path: Path, make: Callable[[Path], Any], message: str
) -> None:
    with pytest.raises(errors.UploadError, match=message):
        mu.upload(make(tmp_path))
    assert server.asked == []


def test_a_closed_or_unreadable_file_is_refused(mu: Face, server: FileServer, png: Path) -> None:
    closed = png.open("rb")
    closed.close()
    with pytest.raises(errors.UploadError, match="closed"):
        mu.upload(closed)
    with (png.parent / "w.png").open("wb") as writing, pytest.raises(errors.UploadError, match="cannot be read"):
        mu.upload(writing)
    assert server.asked == []


@pytest.mark.parametrize("error", [OSError("cut"), SyntaxError("broken PNG file"), RuntimeError("no decoder")])
@pytest.mark.parametrize("kind", ["picture", "file"])
def test_a_picture_or_a_file_that_cannot_be_had_is_told(
    mu: Face, server: FileServer, *, error: Exception, kind: str
) -> None:
    class Broken(Picture):
        def save(self, *_: Any, **__: Any) -> None:
            raise error

    class Unreadable(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise error

    with pytest.raises(errors.UploadError, match=str(error)) as caught:
        mu.upload(Broken(None) if kind == "picture" else Unreadable(PNG))
    assert caught.value.__cause__ is error
    assert server.asked == []


@pytest.mark.parametrize("name", ['a"b.png', "a\r\nx-evil: 1.png", "../a.png", "a\\b.png", "", "..", "\x00"])
def test_a_name_that_could_break_a_header_is_refused(mu: Face, server: FileServer, name: str) -> None:
    with pytest.raises(errors.UploadError, match="no file name"):
        mu.upload(PNG, filename=name)
    assert server.asked == []


@pytest.mark.parametrize("first", [sends(HTML, 502), sends(b"{}", 429), lambda handler: handler.cut()])
def test_an_upload_is_free_so_it_is_sent_again(
    mu: Face, server: FileServer, png: Path, first: Callable[[Any], None]
) -> None:
    server.plays(API, first, says({"url": URL}))
    assert mu.upload(png) == URL
    assert [asked.form["file"][2] for asked in server.asked] == [PNG, PNG]


def test_but_not_for_ever(mu: Face, server: FileServer, png: Path) -> None:
    server.plays(API, says({"detail": "down"}, 503))
    with pytest.raises(errors.ServerError):
        mu.upload(png)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(402, errors.InsufficientCreditError), (401, errors.AuthenticationError), (413, errors.APIStatusError)],
)
def test_a_refusal_is_told(
    mu: Face, server: FileServer, png: Path, status: int, kind: type[errors.APIStatusError]
) -> None:
    server.plays(API, says({"detail": "no"}, status))
    with pytest.raises(kind, match="no"):
        mu.upload(png)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [{}, [], {"url": 7}, {"url": "s3://x/y"}, {"data": "x"}])
def test_an_answer_without_a_url_is_not_understood(mu: Face, server: FileServer, png: Path, answer: Any) -> None:
    server.plays(API, says(answer))
    with pytest.raises(errors.ResponseError, match="no URL"):
        mu.upload(png)


def test_progress_is_told_to_the_end(mu: Face, server: FileServer, tmp_path: Path) -> None:
    server.plays(API, says({"url": URL}))
    content = MP4 + bytes(300_000)
    (tmp_path / "a.mp4").write_bytes(content)
    seen: list[tuple[int, int]] = []
    mu.upload(tmp_path / "a.mp4", on_progress=lambda sent, total: seen.append((sent, total)))
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
    assert seen[-1] == (len(content), len(content))
    assert len(seen) > 4


@pytest.mark.parametrize("error", [KeyError("mine"), OSError("mine"), errors.APIConnectionError("mine")])
def test_an_error_of_the_callback_is_the_callers(mu: Face, server: FileServer, png: Path, error: Exception) -> None:
    server.plays(API, says({"url": URL}))

    def fail(_sent: int, _total: int) -> None:
        raise error

    with pytest.raises(type(error), match="mine") as caught:
        mu.upload(png, on_progress=fail)
    assert caught.value is error


@pytest.mark.parametrize("error", [None, OSError("mine")])
def test_a_callback_may_be_awaited(
    twin: Callable[..., Face], server: FileServer, png: Path, error: Exception | None
) -> None:
    face = twin()
    if face.kind is not AsyncMuAPI:
        return  # nobody awaits in MuAPI
    server.plays(API, says({"url": URL}))
    seen: list[int] = []

    async def tell(sent: int, _total: int) -> None:
        await asyncio.sleep(0)
        seen.append(sent)
        if error:
            raise error

    if error is None:
        assert face.upload(png, on_progress=tell) == URL
        assert seen[-1] == len(PNG)
    else:
        with pytest.raises(OSError, match="mine"):
            face.upload(png, on_progress=tell)


def test_a_file_that_shrinks_meanwhile_is_told(mu: Face, server: FileServer, tmp_path: Path) -> None:
    server.plays(API, says({"url": URL}))
    path = tmp_path / "a.mp4"
    path.write_bytes(MP4 + bytes(300_000))
    with pytest.raises(errors.UploadError, match="shorter"):
        mu.upload(path, on_progress=lambda _sent, _total: os.truncate(path, 10))


def test_what_was_opened_is_closed(mu: Face, server: FileServer, png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.plays(API, says({"detail": "no"}, 402))
    opened: list[Any] = []
    plain = Path.open
    monkeypatch.setattr(Path, "open", lambda *given: opened.append(plain(*given)) or opened[-1])
    with pytest.raises(errors.InsufficientCreditError):
        mu.upload(png)
    assert [file.closed for file in opened] == [True]


def test_a_large_file_goes_to_storage_without_the_key(mu: Face, server: FileServer, storage: FileServer) -> None:
    seen: list[int] = []
    url = mu.upload(MP4, filename="a b.mp4", on_progress=lambda sent, _: seen.append(sent))
    assert url == "https://cdn.muapi.ai/u/7/a_b.mp4"
    assert [asked.target for asked in server.asked] == [f"{FORM}?filename=a_b.mp4"]
    (stored,) = storage.asked
    assert KEY not in str(stored)
    assert list(stored.form) == ["key", "policy", "x-amz-signature", "file"]
    assert stored.form["file"] == ("a_b.mp4", "video/mp4", MP4)
    assert seen[-1] == len(MP4)


def test_storage_that_fails_is_tried_again(mu: Face, storage: FileServer) -> None:
    storage.plays("/bucket", sends(b"<Error>SlowDown</Error>", 503), sends(b"<PostResponse/>", 201))
    assert mu.upload(MP4).startswith("https://cdn.muapi.ai/")
    assert [asked.form["file"][2] for asked in storage.asked] == [MP4, MP4]


@pytest.mark.parametrize("status", [403, 302, 200 + 3])
def test_storage_that_refuses_is_told(mu: Face, storage: FileServer, status: int) -> None:
    storage.plays("/bucket", sends(b"<Error>EntityTooLarge</Error>", status, location="http://127.0.0.1:9/x"))
    with pytest.raises(errors.UploadError, match=f"HTTP {status}.*EntityTooLarge") as caught:
        mu.upload(MP4)
    assert (caught.value.status_code, len(storage.asked)) == (status, 1)


@pytest.mark.parametrize("answer", [says({"detail": "not emulated"}, 501), says({}), says({"url": "https://x/"})])
def test_without_a_form_a_large_file_goes_the_usual_way(
    mu: Face, server: FileServer, storage: FileServer, answer: Callable[[Any], None]
) -> None:
    server.plays(FORM, answer)
    server.plays(API, says({"url": URL}))
    assert mu.upload(MP4) == URL
    assert storage.asked == []


@pytest.mark.parametrize("url", ["http://example.com/bucket", "ftp://x/", "https://u:p@x/", "https://"])
def test_storage_elsewhere_is_reached_by_https_only(
    mu: Face, server: FileServer, storage: FileServer, url: str
) -> None:
    server.plays(FORM, says({"url": url, "fields": {"key": "k"}}))
    with pytest.raises(errors.UploadError, match="only https"):
        mu.upload(MP4)


def test_the_generated_function_uploads_too(mu: Face, server: FileServer, png: Path) -> None:
    server.plays(API, says({"url": URL}))
    assert mu.send(upload_file(file=png)).url == URL
    assert server.asked[0].form["file"] == ("a_cat.png", "image/png", PNG)


def test_a_long_open_file_is_not_held_in_memory(
    mu: Face, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.plays(API, says({"url": URL}))
    rolled: list[bool] = []
    plain = tempfile.SpooledTemporaryFile.close
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "close", lambda self: rolled.append(self._rolled) or plain(self))
    with sparse(tmp_path / "a.mp4", MP4, 2 * 2**20).open("rb") as file:
        mu.upload(file)
    assert rolled == [True]
