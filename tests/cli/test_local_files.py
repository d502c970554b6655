"""Words that name files: a path where a model wants media, ``@`` for a text, ``-`` for standard input."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, EDIT, IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from muapi_client.emulator import Emulator

Call = Any  # the fixture `call`; see conftest
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a picture, a text and a web page in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fox.png").write_bytes(PNG)
    (tmp_path / "prompt.txt").write_text("a red fox\nin snow\n", encoding="utf-8")
    (tmp_path / "page.png").write_text("<!doctype html><html>not found</html>")
    return tmp_path


def body(call: Call, *words: str) -> dict[str, Any]:
    said = call("run", *words, "--dry-run")
    assert said.code == 0, said.err
    sent: dict[str, Any] = said.json["body"]
    return sent


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize("word", ["fox.png", "@fox.png", "./fox.png"])
def test_a_file_in_a_field_of_media_is_uploaded_and_its_url_sent(call: Call, emulator: Emulator, word: str) -> None:
    said = call("run", EDIT.slug, "prompt=by night", f"images_list={word}")
    assert said.code == 0
    upload, submit = [each for each in emulator.requests if each.request.method == "POST"]
    assert upload.slug == "upload_file"
    (url,) = json.loads(submit.request.body)["images_list"]
    assert url.startswith("https://")


def test_a_dry_run_uploads_nothing_and_says_what_would_be(call: Call, emulator: Emulator) -> None:
    said = call("run", EDIT.slug, "prompt=x", "images_list=fox.png", "images_list=https://a.example/b.png", "--dry-run")
    assert said.json["body"]["images_list"] == ["@fox.png", "https://a.example/b.png"]
    assert "fox.png is uploaded first" in said.err
    assert not emulator.requests


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["images_list=wolf.png"], "'wolf.png': no such file, and no URL"),
        (["images_list=fox.png", "images_list=wolf.png"], "'wolf.png': no such file"),
        (["images_list=."], "is a folder"),
        (["images_list=~nobody-of-this-name/fox.png"], "'~nobody-of-this-name/fox.png': no such file"),
        ([f"images_list={'a' * 5000}"], f"{'a' * 200}…': no such file|{'a' * 200}…' is no URL, and as a file: "),
        (["images_list=fox.png", "prompt=@~nobody-of-this-name/x"], "cannot be read"),
        (["images_list=page.png"], "a web page"),
        (["images_list=prompt.txt"], "text"),
        (["images_list=fox.png", "promt=x"], "did you mean 'prompt'?"),
        (["images_list=fox.png", "prompt=@none.txt"], "none.txt cannot be read"),
        (["images_list=fox.png", "prompt=@fox.png"], "holds no text in UTF-8"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_uploaded(
    call: Call, emulator: Emulator, words: list[str], complaint: str
) -> None:
    said = call(
        "run", EDIT.slug, *(["prompt=x"] if not any(word.startswith("prompt=") for word in words) else []), *words
    )
    assert said.code == 8
    assert any(words in said.err for words in complaint.split("|"))
    assert not emulator.requests


def test_a_folder_that_nothing_can_be_saved_in_is_told_before_anything_is_uploaded(
    call: Call, emulator: Emulator, here: Path
) -> None:
    (here / "taken").touch()
    said = call("run", EDIT.slug, "prompt=x", "images_list=fox.png", "--out", "taken")
    assert said.code == 1
    assert "outputs cannot be saved in taken" in said.err
    assert not emulator.requests


def test_a_text_may_stand_in_a_file_and_loses_its_last_line_break(call: Call) -> None:
    assert body(call, IMAGE.slug, "prompt=@prompt.txt") == {"prompt": "a red fox\nin snow"}


def test_a_number_may_stand_in_a_file(call: Call, here: Path) -> None:
    (here / "width").write_text("512\r\n")
    assert body(call, IMAGE.slug, "width=@width")["width"] == 512


@pytest.mark.parametrize(
    ("word", "text"), [(r"\@fox", "@fox"), (r"\\@fox", r"\@fox"), (r"\-", "-"), (r"\- fox", r"\- fox"), ("a@b", "a@b")]
)
def test_words_that_begin_like_a_file_can_be_written(call: Call, word: str, text: str) -> None:
    assert body(call, IMAGE.slug, f"prompt={word}") == {"prompt": text}


def test_a_text_may_come_on_standard_input_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, "a fox \N{SNOWFLAKE}\n")
    assert body(call, IMAGE.slug, "prompt=-") == {"prompt": "a fox \N{SNOWFLAKE}"}
    feed(monkeypatch, "{}")
    said = call("run", IMAGE.slug, "prompt=-", "--json", "-", "--dry-run")
    assert said.code == 8
    assert "is read once" in said.err


def test_a_file_of_json_may_name_media_and_reads_no_text(call: Call, here: Path) -> None:
    (here / "input.json").write_text('{"prompt": "@prompt.txt", "image_url": "fox.png"}')
    assert body(call, CHAT.slug, "--json", "input.json") == {"prompt": "@prompt.txt", "image_url": "@fox.png"}


def test_of_a_raw_call_a_file_is_uploaded_where_the_name_says_media(call: Call) -> None:
    sent = body(call, "brand/new", "--raw", "image_url=@fox.png", "photo=fox.png", "text=@prompt.txt", "data=fox.png")
    assert sent == {
        "image_url": "@fox.png",
        "photo": "@fox.png",
        "text": "a red fox\nin snow",
        "data": "fox.png",
    }


def test_a_webhook_is_no_file(call: Call) -> None:
    said = call("run", IMAGE.slug, "prompt=x", "webhook_url=fox.png", "--dry-run")
    assert said.code == 8
    assert "webhook_url" in said.err
