"""``docs/command-line.md`` names what there is: every command, and none that is not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, make_image

from muapi_client import MuAPI
from muapi_client.cli import HOMES
from muapi_client.cli._arguments import make_parser, read
from muapi_client.cli._arguments.options import FIRST_OF
from muapi_client.cli._arguments.parser import OTHER_WORDS
from muapi_client.cli._config import VARIABLES, default_journal
from muapi_client.cli._exit import CODES, INTERRUPTED, NOT_SENT, WORST
from muapi_client.cli._signals import ENDING
from muapi_client.emulator import Fault
from muapi_client.errors import SubmitOutcomeUnknownError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from muapi_client.emulator import Emulator

Call = Any  # the fixture `call`; see conftest
PAGE = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
OURS, OFFICIAL = PAGE.split("## Beside the official CLI")
TYPED = [
    (words.partition("  #")[0]) for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for words in re.findall(r"^\$ muapi-client (.*)$", block, re.MULTILINE)
]  # fmt: skip
# The first column of the table of commands, and the last of the table of both programs.
NAMED = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (`[^|]+) \|", OURS.split("## Where")[0], re.MULTILINE)))


def list_commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Every command, with its action where it has some."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for name, command in action.choices.items():
                below = list(list_commands(command, f"{before}{name} "))
                yield from below or [f"{before}{name}"]


def test_every_command_is_in_the_table_and_nothing_else_is() -> None:
    commands = set(list_commands(make_parser()))
    named = {
        " ".join(words.split()[:2]) if " ".join(words.split()[:2]) in commands else words.split()[0] for words in NAMED
    }
    assert named == commands
    assert {command.split()[0] for command in commands} == set(HOMES)


@pytest.mark.parametrize("words", TYPED)
def test_what_the_page_types_are_commands(words: str) -> None:
    if words.endswith("--help"):
        words = words.removesuffix("--help")
    assert read(shlex.split(words)).command in HOMES


def test_the_table_beside_the_official_program_names_commands_of_ours() -> None:
    rows = [row.split("|") for row in OFFICIAL.splitlines() if row.startswith("| ") and not row.startswith("| what ")]
    words = {each for row in rows for each in re.findall(r"`([a-z]+)[^`]*`", row[3]) if not each.startswith("jq")}
    assert len(rows) > 20
    assert words <= set(HOMES)


@pytest.fixture
def lost(emulator: Emulator) -> str:
    """The name of a submit in the user's own journal that was never accepted, and one job that was."""
    place = default_journal()
    assert place is not None
    place.parent.mkdir(parents=True, exist_ok=True)
    emulator.next_fault(Fault.RESET_BEFORE_ACCEPT)
    with MuAPI("sk-live", transport=emulator.transport(), journal=place) as mu:
        with pytest.raises(SubmitOutcomeUnknownError):
            mu.submit(make_image(prompt="lost"))
        mu.submit(make_image(prompt="a fox"))
        return mu.unknown()[0].key[:8]


def test_json_has_the_keys_that_the_page_names(call: Call, lost: str, tmp_path: Path) -> None:
    table = PAGE.split("## What JSON has")[1].split("## Exit codes")[0]
    told = {
        name: re.findall(r"`(\w+)`", keys)
        for names, keys in re.findall(r"^\| (`[^|]+|an error[^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", names) or ["error"]
    }
    picture = tmp_path / "fox.txt"
    picture.write_text("a fox")
    first = call("resume", "--output=json").json[0]
    assert list(first) == ["model", *told["look"]]
    job = first["request_id"]
    for words in (
        ["run", IMAGE.slug, "prompt=x"], ["wait", job], ["look", job], ["jobs"], ["unknown"], ["reconcile"],
        ["settle", lost, "--never"], ["download", job, "--out", str(tmp_path)], ["upload", str(picture)],
        ["estimate", IMAGE.slug, "prompt=x"], ["journal", "prune", "--before", "1d"], ["balance"],
        ["topup", "5", "--yes"], ["keys", "ls"], ["keys", "create", "ci"], ["keys", "delete", "3", "--yes"],
        ["sandbox"], ["auth", "status"], ["config", "show"],
    ):  # fmt: skip
        said = call(*words, "--output=json")
        form = said.json[0] if isinstance(said.json, list) else said.json
        keys = told.get(" ".join(words[:2])) or told[words[0]]
        assert list(form) == keys, words
        assert said.code == 0
    assert list(call("look", "none", "--output=json").events[-1]) == told["error"]


def test_settings_and_exit_codes_are_those_there_are() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| `(MUAPI_\w+)` \|", PAGE, re.MULTILINE)) == VARIABLES
    table = PAGE.split("## Exit codes")[1].split("## Beside")[0]
    codes = {int(code) for row in table.splitlines() for code in re.findall(r"\| (\d+) ", row)}
    ended = {128 + number for number in ENDING}
    assert codes == {0, 1, 2, NOT_SENT, INTERRUPTED, *ended, *(code for _, code in CODES)}
    order = ", ".join(map(str, WORST))
    assert f"the first of {order} that any" in " ".join(table.split())
    assert order == FIRST_OF


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "(see muapi-client --help)"),
        ("rum x", "there is no 'rum': did you mean run or resume?"),
        ("map prompts.csv", "there is no 'map': did you mean batch?"),
        ("forget --before 30d", "there is no 'forget': did you mean journal prune?"),
        ("cancel 1f", "there is no 'cancel': MuAPI has no route to cancel a job (see muapi-client --help)"),
        ("jobs --json", "unrecognized arguments: --json; JSON is asked for by --output json (see"),
        ("keys", "{ls,create,delete}"),
        ("completion", "{bash,zsh,fish}"),
        (f"run {IMAGE.slug} fox", "(see muapi-client run --help)"),
        (f"run {IMAGE.slug} prompt=x --bogus", "(see muapi-client run --help)"),
        ("keys lst", "'ls', 'create', 'delete'"),
    ],
)
def test_words_that_make_no_command_say_what_there_is(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        read(words.split())
    assert said.replace("'", "") in capsys.readouterr().err.replace("'", "")


@pytest.mark.parametrize("meant", sorted({each for words in OTHER_WORDS.values() for each in words.split(" or ")}))
def test_what_other_words_stand_for_is_a_command(meant: str) -> None:
    with pytest.raises(SystemExit, match="0"):
        read([*meant.split(), "--help"])
