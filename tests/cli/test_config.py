"""A user's settings, journal and key: option before environment before file, and no default is silent."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client import MuAPI
from muapi_client.cli._config import Settings, config_file, default_journal, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muapi_client.emulator import Emulator

Call = Any  # the fixture `call`; see conftest
RUN = ("run", IMAGE.slug, "prompt=x")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file of settings, empty."""
    file = tmp_path / "mine.toml"
    file.touch()
    monkeypatch.setenv("MUAPI_CONFIG", str(file))
    return file


def journalled(path: Path) -> list[str]:
    with MuAPI("sk-live", journal=path) as mu:
        return [entry.state for entry in mu.jobs()]


def test_without_a_file_nothing_is_set() -> None:
    assert read_settings() == Settings()


def test_the_file_is_in_the_users_own_folder() -> None:
    file = config_file()
    assert file is not None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("output = 'json'")
    assert read_settings().output == "json"


def test_a_file_says_everything_and_the_environment_comes_before_it(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(
        "base_url = 'https://a.example'\nbudget_usd = 5.5\njournal = 'jobs.db'\noutput_dir = '~/out'\noutput = 'json'\n"
    )
    out = str(Path("~/out").expanduser())
    assert read_settings() == Settings("https://a.example", "5.5", str(config.parent / "jobs.db"), out, "json")
    monkeypatch.setenv("MUAPI_OUTPUT", "plain")
    monkeypatch.setenv("MUAPI_BUDGET_USD", "1/month")
    assert read_settings()[1] == "1/month"
    assert read_settings().output == "plain"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("budget = 5", "no setting 'budget': did you mean budget_usd?"),
        ("budget_usd = 'a lot'", "budget_usd: 'a lot' is no budget"),
        ("budget_usd = '5/week'", "run, day|day, month"),
        ("budget_usd = -1", "no budget"),
        ("budget_usd = '5_0'", "no budget"),
        ("budget_usd = true", "no budget"),
        ("output = 'xml'", "output: must be one of plain, json"),
        ("journal = true", "false for none"),
        ("base_url = 5", "takes text"),
        ("api_key = 'sk-secret'", "no setting 'api_key'"),
        ("output =", "is no TOML"),
        (f"output = {'[' * 100_000}", "is no TOML"),
        ("journal = ['postgresql://u:sk-secret@db/x']", "false for none, not a list"),
        ("base_url = 'https://u:sk-secret@api.muapi.ai'", "base_url: an address of the API holds no user name"),
        ("output = '\udcff'", "cannot be read"),
    ],
)
def test_a_bad_file_names_file_and_setting_before_anything_is_sent(
    call: Call, emulator: Emulator, config: Path, content: str, complaint: str
) -> None:
    config.write_bytes(content.encode(errors="surrogateescape"))
    said = call(*RUN)
    assert said.code == 8
    assert str(config) in said.err
    assert any(words in said.err for words in complaint.split("|"))
    assert "sk-secret" not in said.err
    assert not emulator.requests


def test_a_mark_that_an_editor_puts_before_the_settings_is_no_matter(config: Path) -> None:
    config.write_text("output = 'json'", encoding="utf-8-sig")
    assert read_settings().output == "json"


def test_a_file_that_is_named_and_is_not_there_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_CONFIG", "none.toml")
    assert "MUAPI_CONFIG names none.toml, and there is no such file" in call(*RUN).err


def test_a_bad_value_of_the_environment_is_told_by_its_name(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_OUTPUT", "loud")
    assert "MUAPI_OUTPUT: must be one of plain, json, not 'loud'" in call(*RUN).err


def test_json_can_be_a_setting_and_an_option_comes_before_it(call: Call, config: Path) -> None:
    config.write_text("output = 'json'")
    assert call(*RUN).json["status"] == "completed"
    assert call(*RUN, "--output=plain").out.startswith("https://")
    assert call("models", "show", IMAGE.slug).json[0]["slug"] == IMAGE.slug


def test_a_job_is_in_the_users_own_journal_unless_told_otherwise(call: Call, config: Path, tmp_path: Path) -> None:
    own = default_journal()
    assert own is not None
    call(*RUN)
    assert journalled(own) == ["completed"]
    call(*RUN, "--no-journal")
    call(*RUN, "--journal", str(tmp_path / "other.db"))
    config.write_text("journal = 'set.db'")
    call(*RUN)
    config.write_text("journal = false")
    assert call(*RUN).err.count("\n") == 3  # and no remark: it was asked for
    assert [len(journalled(path)) for path in (own, tmp_path / "other.db", tmp_path / "set.db")] == [1, 1, 1]
    if os.name == "posix":
        assert own.stat().st_mode & 0o077 == 0  # prompts are nobody else's


def test_the_environment_can_say_that_no_journal_is_kept(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUAPI_JOURNAL", "false")
    assert call(*RUN).code == 0
    assert not list(tmp_path.iterdir())
    assert "which journal?" in call("jobs").err


def test_without_platformdirs_there_is_no_default_journal_and_one_remark_says_how_to_get_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    said = call(*RUN)
    assert said.code == 0
    assert said.err.splitlines()[0].startswith("no journal is kept of this job")
    assert said.err.count("pip install 'muapi-client[cli]'") == 1
    assert "pip install" not in call(*RUN, "--no-journal").err
    assert "pip install" not in call(*RUN, "--journal", str(tmp_path / "a.db")).err


@pytest.mark.parametrize("words", [RUN, [*RUN, "-n", "2"], [*RUN, "--no-wait"]], ids=["one", "two", "no wait"])
def test_quiet_hides_not_that_no_journal_is_kept_of_what_is_paid_for(
    call: Call, monkeypatch: pytest.MonkeyPatch, words: Sequence[str]
) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    first = call(*words, "--quiet").err.splitlines()[0]
    assert first.startswith("no journal is kept of this job")
    assert call(*words, "--quiet", "--output=json").events[0] == {"event": "no_journal", "told": first}
    assert "no journal" not in call(*words, "--quiet", "--no-journal").err


def test_a_budget_holds_over_several_calls_of_the_program(call: Call, emulator: Emulator, config: Path) -> None:
    assert call(*RUN, "--budget", "0.02").code == 0
    refused = call(*RUN, "--budget", "0.02/day")
    assert (refused.code, emulator.accepted) == (12, 1)
    config.write_text("budget_usd = '0.02/ever'")
    assert call(*RUN).code == 12
    assert call(*RUN, "--budget=1").code == 0


def test_a_journal_that_cannot_be_kept_is_told_with_what_to_do(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path / "file"))
    said = call(*RUN)
    assert (said.code, len(emulator.requests)) == (1, 0)
    assert "--no-journal does without" in said.err
    assert call(*RUN, "--no-journal").code == 0


@pytest.mark.parametrize("where", ["option", "setting"])
def test_a_budget_without_a_journal_is_refused(call: Call, emulator: Emulator, config: Path, where: str) -> None:
    config.write_text("budget_usd = 5" if where == "setting" else "")
    said = call(*RUN, "--no-journal", *(["--budget=5"] if where == "option" else []))
    assert said.code == 8
    assert "--max-spend 5" in said.err
    assert not emulator.requests


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keyring in the place of the machine's; answers what is in it."""
    kept: dict[tuple[str, str], str] = {}
    errors = SimpleNamespace(NoKeyringError=type("NoKeyringError", (Exception,), {}), KeyringError=KeyError)
    stand_in = SimpleNamespace(get_password=lambda service, name: kept.get((service, name)), errors=errors)
    monkeypatch.setitem(sys.modules, "keyring", stand_in)
    return kept


def test_a_key_of_the_keyring_is_used_where_the_environment_has_none_and_for_its_own_api_only(
    call: Call, keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring["muapi-client", "https://api.muapi.ai"] = "sk-live"
    monkeypatch.setenv("MUAPI_API_KEY", "sk-wrong")
    assert call(*RUN).code == 3
    monkeypatch.delenv("MUAPI_API_KEY")
    assert call(*RUN).code == 0
    monkeypatch.setenv("MUAPI_BASE_URL", "https://b.example")
    assert call(*RUN).code == 3


def test_a_keyring_that_does_not_open_is_told(
    call: Call, keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(*_: str) -> str:
        raise KeyError("locked")

    monkeypatch.delenv("MUAPI_API_KEY")
    monkeypatch.setattr(sys.modules["keyring"], "get_password", lock)
    assert "the keyring does not tell the API key" in call(*RUN).err


def test_settings_never_show_a_databases_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_JOURNAL", "postgresql://me:geheim@db/jobs")
    assert "geheim" not in repr(read_settings())
    monkeypatch.setenv("MUAPI_JOURNAL", "mysql://me:geheim@db/jobs")  # which is refused when it is opened
    assert "geheim" not in repr(read_settings())
