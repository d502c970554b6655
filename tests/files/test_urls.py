"""Output URLs as servers write them: with blanks around them, with spaces in them, and with the file itself in them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from fileserver import PNG, says, sends

from muapi_client import Output, errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fileserver import Face, FileServer


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "output",
    [
        lambda url: f"{url}/a.png\n",
        lambda url: f" {url}/a.png \r\n",
        lambda url: f"{url}/my fox.png",
        lambda url: {"url": f"{url}/my fox.png"},
        lambda url: {"image_url": f"\t{url}/a.png"},
        lambda url: f"{url}/away",
    ],
    ids=["line break", "blanks", "a space within", "in an object", "a tab in an object", "a redirect to a space"],
)
def test_blanks_in_and_around_an_outputs_url_do_no_harm(
    mu: Face, server: FileServer, tmp_path: Path, output: Callable[[str], Any]
) -> None:
    for path in ("/a.png", "/my%20fox.png"):
        server.plays(path, sends(PNG))
    server.plays("/away", sends(b"", 302, location=" /my fox.png "))
    answer = {"id": "r", "status": "completed", "outputs": [output(server.url)]}
    server.plays("/api/v1/predictions/r/result", says(answer))
    assert mu.download(mu.wait("r"), tmp_path)[0].read_bytes() == PNG


@pytest.mark.parametrize(
    ("url", "content", "suffix"),
    [
        (f"data:image/png;base64,{encode(PNG)}", PNG, "png"),
        (f"data:image/jpeg;base64,{encode(PNG)}", PNG, "png"),  # the bytes rule
        (f"data:image/png;base64,{quote(encode(PNG))}", PNG, "png"),
        (f"data:image/png;base64,{encode(PNG).rstrip('=')}", PNG, "png"),
        (f"data:;base64,{encode(PNG)}", PNG, "png"),
        ("data:text/csv,a%2Cb%0A", b"a,b\n", "csv"),
        ("data:text/plain;charset=utf-8,gr%C3%BC%C3%9Fe", "grüße".encode(), "txt"),
        ("data:model/obj;base64," + encode(b"v 1 2 3\n"), b"v 1 2 3\n", "obj"),
        ("data:audio/mpeg;base64," + encode(bytes(64)), bytes(64), "mp3"),
    ],
)
def test_an_output_in_the_answer_itself_is_decoded(
    mu: Face, server: FileServer, tmp_path: Path, *, url: str, content: bytes, suffix: str
) -> None:
    server.plays("/api/v1/predictions/r/result", says({"id": "r", "status": "completed", "outputs": [url]}))
    saved = mu.download(mu.wait("r"), tmp_path)
    assert [path.name for path in saved] == [f"r-0.{suffix}"]
    assert saved[0].read_bytes() == content


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png;base64,iVBO*Rw0KGgo=", "cannot be decoded"),
        ("data:image/png;base64,iVBOR", "cannot be decoded"),
        ("data:image/png;base64,", "the file is empty"),
        ("data:image/png;base64," + encode(b'{"detail": "no"}'), "text came in place of image/png"),
        ("data:image/png;base64," + encode(b"<html>no</html>"), "a web page"),
        ("data:nothing of the kind", "no https address"),
    ],
)
def test_one_that_does_not_hold_what_it_says_is_told(
    mu: Face, made: Any, tmp_path: Path, url: str, message: str
) -> None:
    with pytest.raises(errors.DownloadError, match=message) as caught:
        mu.download(made(url), tmp_path)
    assert caught.value.url == url
    assert list(tmp_path.iterdir()) == []


def test_one_above_the_cap_is_refused_and_not_shown(mu: Face, made: Any, tmp_path: Path) -> None:
    url = f"data:image/png;base64,{encode(PNG)}"
    with pytest.raises(errors.DownloadError, match=f"data:image/png;base64,… passes {len(PNG) - 1} bytes"):
        mu.download(made(url), tmp_path, max_bytes=len(PNG) - 1)
    assert len(mu.download(made(url), tmp_path, max_bytes=len(PNG))) == 1


def test_a_data_url_made_by_hand_is_decoded_too(mu: Face, made: Any, tmp_path: Path) -> None:
    assert mu.download(made(Output(url="data:text/csv,a")), tmp_path)[0].suffix == ".csv"
