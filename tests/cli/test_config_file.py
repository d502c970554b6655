"""``muapi-client config``: settings are shown with where they come from, and a person's file keeps its own lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from muapi_client.cli._config import VARIABLES, config_file, read_settings

Call = Any  # the fixture `call`; see conftest


@pytest.fixture
def file() -> Path:
    """Where the user's settings are; there are none yet."""
    place = config_file()
    assert place is not None
    return place


def settings(call: Call) -> dict[str, tuple[Any, Any]]:
    shown = call("config", "show", "--output", "json").json["settings"]
    return {name: (each["value"], each["from"]) for name, each in shown.items()}


def test_a_setting_is_written_and_read_and_taken_out(call: Call, file: Path) -> None:
    assert call("config", "path").out == f"{file}\n"
    assert set(settings(call).values()) == {(None, None)}
    assert call("config", "set", "budget_usd", "5/day").err == f"budget_usd is set in {file}\n"
    assert read_settings().budget_usd == "5/day"
    assert settings(call)["budget_usd"] == ("5/day", "file")
    call("config", "set", "budget_usd", "7")
    assert file.read_text() == 'budget_usd = "7"\n'
    call("config", "unset", "budget_usd")
    assert (file.read_text(), settings(call)["budget_usd"]) == ("", (None, None))


def test_other_lines_and_comments_stay(call: Call, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("# mine\noutput = 'json'  # for jq\n\nbudget_usd = 5 # a day\n# end\n")
    call("config", "set", "budget_usd", "6")
    assert file.read_text() == "# mine\noutput = 'json'  # for jq\n\n# end\nbudget_usd = \"6\"\n"


def test_a_file_that_says_it_in_another_way_is_left_to_the_person(call: Call, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for content in ('"output" = "json"\n', 'base_url = """\noutput = 1\n"""\n', "output = [\n'json']\n", "output ="):
        file.write_text(content)
        said = call("config", "set", "output", "plain")
        assert said.code == 8
        assert "nothing was written" in said.err
        assert file.read_text() == content


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["set", "colour", "red"], "there is no setting 'colour'"),
        (["unset", "colour"], "there is no setting 'colour'"),
        (["set", "output", "loud"], "must be one of plain, json"),
        (["set", "budget_usd", "a lot"], "no budget"),
        (["set", "api_key", "sk-secret"], "there is no setting 'api_key'"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_written(
    call: Call, file: Path, words: list[str], complaint: str
) -> None:
    said = call("config", *words)
    assert said.code == 8
    assert complaint in said.err
    assert "sk-secret" not in said.err
    assert not file.exists()


def test_a_wrong_value_can_be_mended(call: Call, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("output = 'loud'\n")
    assert call("config", "show").code == 8
    assert call("config", "set", "output", "json").code == 0
    assert read_settings().output == "json"


def test_paths_are_meant_from_where_they_are_said(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call("config", "set", "journal", "jobs.db")
    call("config", "set", "output_dir", "out")
    assert read_settings()[2:4] == (str(tmp_path / "jobs.db"), str(tmp_path / "out"))
    call("config", "set", "journal", "false")
    assert read_settings().journal is False
    assert settings(call)["journal"] == ("false", "file")


def test_a_databases_password_is_for_the_owners_eyes_and_never_shown(call: Call, file: Path) -> None:
    said = call("config", "set", "journal", "postgresql://me:geheim@db/jobs")
    shown = call("config", "show")
    assert "geheim" not in said.out + said.err + shown.out + shown.err
    assert "postgresql://me@db/jobs" in shown.out
    assert "geheim" not in call("config", "set", "journal", "postgresql://me:geheim@db/jobs", "--output=json").out
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0


def test_two_that_write_at_once_are_in_nobodys_way(call: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, said = Path.replace, []

    def replace_late(self: Path, target: Path) -> Path:
        if not said:
            said.append(None)
            said.append(call("config", "set", "output", "json"))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_late)
    assert call("config", "set", "output", "plain").code == 0
    assert said[1].code == 0
    assert file.read_text() == 'output = "plain"\n'
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_put_in_its_place_leaves_nothing_beside_the_old_one(
    call: Call, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("config", "set", "output", "plain")

    def refuse(*_: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert call("config", "set", "output", "json").code == 1
    assert file.read_text() == 'output = "plain"\n'
    assert list(file.parent.iterdir()) == [file]


def test_the_environment_comes_first_and_that_is_said(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_OUTPUT", "plain")
    assert "MUAPI_OUTPUT is set, and comes before it" in call("config", "set", "output", "json").err
    assert settings(call)["output"] == ("plain", "MUAPI_OUTPUT")
    assert list(settings(call)) == list(VARIABLES)


@pytest.mark.skipif(os.name != "posix", reason="links need a right on Windows")
def test_a_link_leads_to_the_file_that_is_changed(call: Call, file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(real)
    call("config", "set", "output", "json")
    assert file.is_symlink()
    assert real.read_text() == '# mine\noutput = "json"\n'
