"""``--out`` and ``--name``: what is saved, what it is called, and what is refused before anything is paid for."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from by_kind import CHAT, IMAGE, STREAM
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._files.media import clean_stem
from muapi_client.cli._names import find_clash, read_pattern
from muapi_client.emulator import Emulator, Outcome

Call = Any  # the fixture `call`; see conftest
RUN = ("run", IMAGE.slug, "prompt=x")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_outputs_are_saved_and_their_paths_printed(call: Call, here: Path) -> None:
    said = call(*RUN, "num_images=2", "--out", "new/out")
    paths = said.out.splitlines()
    assert len(paths) == 2
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in paths)
    assert left(here / "new/out") == sorted(Path(path).name for path in paths)


def test_json_tells_where_they_are_and_what_they_cost(call: Call) -> None:
    told = call(*RUN, "--out", "out", "--output=json").json
    assert [Path(path).exists() for path in told["saved_paths"]] == [True]
    assert told["request_id"] in told["saved_paths"][0]
    assert (told["charged_usd"], told["in_doubt"]) == (0.015, False)
    assert told["outputs"][0]["url"].startswith("https://")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("fox", "fox-0.png"),
        ("{index}_fox.{ext}", "0_fox.png"),
        ("{slug}", f"{re.sub(r'[^A-Za-z0-9_.-]', '_', IMAGE.slug)}-0.png"),
        ("{{fox}}", "{fox}-0.png"),
        ("ein F\u00fcchslein", "ein F\u00fcchslein-0.png"),
    ],
)
def test_a_pattern_says_what_files_are_called(call: Call, here: Path, pattern: str, name: str) -> None:
    assert call(*RUN, "--out", "out", "--name", pattern).code == 0
    assert left(here / "out") == [name]


def test_no_file_is_overwritten_and_it_is_told_beforehand(call: Call, here: Path) -> None:
    call(*RUN, "--out", "out", "--name", "fox")
    said = call(*RUN, "--out", "out", "--name", "fox")
    assert said.out == f"{Path('out/fox-0-2.png')}\n"
    taken = f"{Path('out/fox-0.png')} is there and stays as it is: another free name is used beside it"
    assert said.err.splitlines()[1] == taken
    assert left(here / "out") == ["fox-0-2.png", "fox-0.png"]


@pytest.mark.parametrize(
    "pattern", ["../fox", "a/b", "a\\b", "{row}", "{nonsense}", "{row.}", "{ext}-a", "{", "a}", "", "{0.__class__}"]
)
def test_a_pattern_that_cannot_be_is_a_usage_error(
    call: Call, capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    with pytest.raises(SystemExit) as left_with:
        call(*RUN, "--out", "out", "--name", pattern)
    assert left_with.value.code == 2
    assert "--name" in capsys.readouterr().err


def test_a_name_without_a_folder_is_refused(call: Call, emulator: Emulator) -> None:
    assert call(*RUN, "--name", "fox").code == 8
    assert not emulator.requests


def test_a_setting_says_where_to_save(call: Call, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_OUTPUT_DIR", "mine")
    call(*RUN, "--name", "fox")
    assert left(here / "mine") == ["fox-0.png"]


@pytest.mark.parametrize("words", [("--estimate",), ("--dry-run",)])
def test_what_sends_no_job_makes_no_folder(call: Call, here: Path, words: tuple[str, ...]) -> None:
    assert call(*RUN, *words, "--out", "out").code == 0
    assert left(here) == []


def test_a_text_is_saved_as_text(call: Call, emulator: Emulator, here: Path) -> None:
    emulator.next(Outcome.completed(["a red\nfox"]))
    call("run", CHAT.slug, "prompt=x", "--out", "out", "--name", "fox")
    assert (here / "out/fox-0.txt").read_text() == "a red\nfox"


def test_a_stream_is_printed_and_saved(call: Call, here: Path) -> None:
    said = call("run", STREAM.slug, "prompt=x", "--out", "out", "--name", "said")
    assert (here / "out/said-0.txt").read_text() == said.out.removesuffix("\n")
    assert f"saved {Path('out/said-0.txt')}" in said.err


def test_a_job_without_outputs_saves_nothing_and_is_no_error(call: Call, emulator: Emulator, here: Path) -> None:
    emulator.next(Outcome.completed([]))
    assert call(*RUN, "--out", "out").code == 0
    assert left(here / "out") == []


def test_a_download_that_fails_loses_no_paid_result(call: Call, emulator: Emulator) -> None:
    emulator.next(*[Outcome.completed(["http://plain.example/a.png"])] * 2)
    said = call(*RUN, "--out", "out")
    assert said.code == 1
    assert said.out == "http://plain.example/a.png\n"
    assert "The job has ended and is paid for; once more: muapi-client download " in said.err
    told = call(*RUN, "--out", "out", "--output=json")
    assert told.json["charged_usd"] == 0.015
    assert told.json["saved_paths"] == []
    assert told.events[-1]["request_id"] == told.json["request_id"]


ANY = st.text(max_size=200)


@given(ANY, ANY, st.integers(0, 99))
def test_any_value_makes_a_name_that_every_system_takes_as_it_is(key: str, cell: str, index: int) -> None:
    pattern = read_pattern("{key}-{row.name}-{index}")
    name = pattern.render({"key": key}, {"name": cell})(index)
    assert clean_stem(name) == name
    assert not set(name) & set('/\\:*?"<>|\n\x00')


@given(st.text())
def test_any_text_is_a_pattern_or_told_why_not(text: str) -> None:
    with suppress(ValueError):  # and nothing else
        assert read_pattern(text).names("index")


def test_names_that_differ_in_case_alone_are_one() -> None:
    assert find_clash([("row 1", "Fox"), ("row 2", "wolf"), ("row 3", "fox")]) == ("fox", "row 1", "row 3")
    assert find_clash([("row 1", "fox"), ("row 2", "wolf")]) is None
