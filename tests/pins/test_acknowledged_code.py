"""Dynamic calls of which a person says what they use: lock, verify, drift and diff count that, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, IMAGE, UPSCALE

from muapi_client.pinning import UserLock

if TYPE_CHECKING:
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest
DYNAMIC = "from muapi_client import raw_call\ndef run_any(slug):\n    return raw_call(slug, {})\n"
SAID = DYNAMIC.replace("{})", f"{{}})  # muapi: uses {CHAT.slug}")
MISSPELT = f"{CHAT.slug}x"
ACTIONS = [  # that read code, with what each compares
    ("lock",),
    ("verify", "--lock", "muapi.lock"),
    ("drift", "--source", "same.json"),
    ("diff", "pin", "same.json"),
]


@pytest.fixture
def live(folder: Path, document: dict[str, Any]) -> str:
    """A later document, in which a model that nothing here uses is gone."""
    del document["paths"][UPSCALE.operation.path]
    (folder / "live.json").write_text(json.dumps(document), encoding="utf-8")
    return str(folder / "live.json")


def write(folder: Path, text: str) -> None:
    (folder / "src/app.py").write_text(text, encoding="utf-8")


def read(folder: Path) -> UserLock:
    return UserLock.from_toml((folder / "muapi.lock").read_text(encoding="utf-8"))


def test_a_comment_makes_the_code_told_in_full(spec: Spec, folder: Path, live: str) -> None:
    write(folder, DYNAMIC)
    assert spec("drift", "--source", live, "--used-in", "src").code == 4
    write(folder, SAID)
    said = spec("lock", "--used-in", "src")
    assert (said.code, said.err) == (0, "")
    assert CHAT.function in read(folder).functions
    for words in (
        ("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict"),
        ("diff", "pin", live, "--used-in", "src", "--fail-on", "breaking"),
    ):
        said = spec(*words)
        assert (said.code, said.err) == (0, "")
    said = spec("drift", "--source", live, "--used-in", "src")
    assert (said.code, said.err) == (3, "")
    assert said.out.startswith("compatible: the document changed, and nothing that you use breaks (of the functions")
    assert "of all others 0 and 1)" in said.out.splitlines()[0]


def test_what_is_said_has_to_be_locked(spec: Spec, folder: Path) -> None:
    write(folder, SAID)
    spec("lock", "--only", IMAGE.function)
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src")
    assert said.code == 1
    assert f"  {CHAT.function}: used, and not in muapi.lock\n" in said.out


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action[0])
def test_a_misspelt_name_is_an_error_everywhere_even_while_nothing_drifts(
    spec: Spec, folder: Path, document: dict[str, Any], action: tuple[str, ...]
) -> None:
    spec("lock", "--used-in", "src")
    (folder / "same.json").write_text(json.dumps(document), encoding="utf-8")
    write(folder, SAID.replace(CHAT.slug, MISSPELT))
    said = spec(*action, "--used-in", "src")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert f"src/app.py:3 says that {MISSPELT!r} is used" in said.err
    assert f"did you mean {CHAT.slug}" in said.err


@pytest.mark.parametrize("action", [("lock",), ("verify", "--lock", "muapi.lock"), ("diff", "pin", "pin")])
def test_a_plain_text_in_the_table_is_told_in_the_same_words_everywhere(
    spec: Spec, folder: Path, action: tuple[str, ...]
) -> None:
    spec("lock", "--used-in", "src")
    with (folder / "muapi.lock").open("a", encoding="utf-8") as file:
        file.write(f'\n[uses]\n"src/app.py:f" = "{CHAT.slug}"\n')
    said = spec(*action, "--used-in", "src")
    assert said.code == 1
    assert "look at uses.'src/app.py:f': a file, or file:function, has a list of names" in said.err
    assert "anew" not in said.err


@pytest.mark.parametrize(
    "action",
    [("lock",), ("verify", "--lock", "muapi.lock"), ("verify", "--lock", "muapi.lock", "--strict")],
)
def test_both_ways_to_say_what_a_dynamic_call_uses_are_told(spec: Spec, folder: Path, action: tuple[str, ...]) -> None:
    write(folder, DYNAMIC)
    spec("lock", "--used-in", "src")
    said = spec(*action, "--used-in", "src")
    assert "src/app.py:3 uses what cannot be told without running it: say what it uses beside the call" in said.err
    assert "in the table [uses] of muapi.lock" in said.err
    assert "--only" not in said.err


@pytest.mark.parametrize(
    ("text", "name"),
    [("from muapi_client import models\n", "models"), ("from muapi_client import raw_call as ask\n", "ask")],
)
def test_an_import_that_nothing_uses_is_called_one(spec: Spec, folder: Path, text: str, name: str) -> None:
    write(folder, text)
    spec("lock", "--only", CHAT.slug)
    for words in (("lock", "--only", CHAT.slug), ("verify", "--lock", "muapi.lock")):
        said = spec(*words, "--used-in", "src")
        assert f"src/app.py:1: `{name}` is imported and not used there" in said.err
        assert "take the import away, or say what it uses" in said.err
        assert "without running it" not in said.err


def test_a_place_in_a_notebook_is_told_by_its_code_cell_and_the_line_within_it(spec: Spec, folder: Path) -> None:
    cells = [
        {"cell_type": "code", "source": "from muapi_client import raw_call\n\n"},
        {"cell_type": "markdown", "source": "# Any"},
        {"cell_type": "code", "source": "%%bash\nls\n"},
        {"cell_type": "code", "source": ["def run_any(slug):\n", "    return raw_call(slug, {})"]},
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4}
    (folder / "src/try.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    said = spec("lock", "--used-in", "src")
    assert "src/try.ipynb, code cell 3, line 2 uses what cannot be told" in said.err
    cells[-1]["source"][-1] += f"  # muapi: uses {MISSPELT}"
    (folder / "src/try.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert f"src/try.ipynb, code cell 3, line 2 says that {MISSPELT!r}" in spec("lock", "--used-in", "src").err


def test_both_ways_are_told_where_every_change_counts(spec: Spec, folder: Path, live: str) -> None:
    write(folder, DYNAMIC)
    for words in (("diff", "pin", live), ("drift", "--source", live)):
        assert "beside the call (`# muapi: uses" in spec(*words, "--used-in", "src").err
        assert "in the table [uses] of your lock" in spec(*words, "--used-in", "src").err


@pytest.mark.parametrize("key", ["src/app.py", "src/app.py:run_any"])
@pytest.mark.parametrize("action", [("lock",), ("verify", "--lock", "muapi.lock"), ("diff", "pin", "pin")])
def test_a_misspelt_name_in_the_table_is_blamed_on_the_lock_and_its_key(
    spec: Spec, folder: Path, action: tuple[str, ...], key: str
) -> None:
    write(folder, DYNAMIC)
    spec("lock", "--used-in", "src")
    with (folder / "muapi.lock").open("a", encoding="utf-8") as file:
        file.write(f'\n[uses]\n"{key}" = ["{MISSPELT}"]\n')
    said = spec(*action, "--used-in", "src")
    assert said.code == 1
    assert f"the table [uses] of muapi.lock with '{key}' says that {MISSPELT!r} is used" in said.err
    assert f"did you mean {CHAT.slug}" in said.err


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action[0])
def test_a_comment_for_no_dynamic_call_is_remarked(
    spec: Spec, folder: Path, document: dict[str, Any], action: tuple[str, ...]
) -> None:
    write(folder, SAID.replace("slug, {}", f"'{CHAT.slug}', {{}}"))
    spec("lock", "--used-in", "src")
    (folder / "same.json").write_text(json.dumps(document), encoding="utf-8")
    said = spec(*action, "--used-in", "src")
    assert said.code == 0
    assert "src/app.py:3 says what a dynamic call uses, and there is none" in said.err


def test_the_table_of_the_lock_counts_and_stays_when_the_lock_is_written_anew(
    spec: Spec, folder: Path, live: str
) -> None:
    spec("lock", "--used-in", "src")
    write(folder, DYNAMIC)
    table = f'[uses]  # what the settings may name\n"src/app.py:run_any" = [\n  "{CHAT.slug}",  # the cheap one\n]\n'
    with (folder / "muapi.lock").open("a", encoding="utf-8") as file:
        file.write(f"\n{table}")
    said = spec("lock", "--used-in", "src")
    assert (said.code, said.err) == (0, "")
    assert (folder / "muapi.lock").read_text(encoding="utf-8").endswith(f"\n\n{table}")
    assert read(folder).uses == {"src/app.py:run_any": (CHAT.slug,)}
    assert IMAGE.function not in read(folder).functions
    assert spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict").code == 0
    assert spec("drift", "--source", live, "--used-in", "src").code == 3
    (folder / "muapi.lock").rename(folder / "other.lock")
    assert spec("drift", "--source", live, "--used-in", "src").code == 4
    assert spec("drift", "--source", live, "--used-in", "src", "--lock", "other.lock").code == 3
    assert spec("diff", "pin", live, "--used-in", "src", "--lock", "other.lock", "--fail-on", "any").code == 0


def test_the_table_outlives_a_merge_that_left_its_marks(spec: Spec, folder: Path) -> None:
    write(folder, DYNAMIC)
    spec("lock", "--only", CHAT.function)
    with (folder / "muapi.lock").open("a", encoding="utf-8") as file:
        file.write(f'\n[uses]\n"src/app.py" = ["{CHAT.slug}"]\n')
    text = (folder / "muapi.lock").read_text(encoding="utf-8")
    marked = text.replace("[functions]\n", "[functions]\n<<<<<<< ours\n=======\n>>>>>>> theirs\n")
    (folder / "muapi.lock").write_text(marked, encoding="utf-8")
    assert spec("lock", "--only", CHAT.function).code == 0
    assert (folder / "muapi.lock").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("table", ['"src/app.py" = "gpt"', '"src/app.py" = []', "<<<<<<< ours", '"" = ["a"]'])
def test_a_table_that_cannot_be_read_is_not_written_over(spec: Spec, folder: Path, table: str) -> None:
    text = f"[uses]\n{table}\n"
    (folder / "muapi.lock").write_text(text, encoding="utf-8")
    said = spec("lock", "--only", CHAT.function)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "uses" in said.err
    assert (folder / "muapi.lock").read_text(encoding="utf-8") == text


def test_a_whole_group_is_locked_and_a_later_model_of_it_is_no_failure(spec: Spec, folder: Path) -> None:
    write(folder, SAID.replace(CHAT.slug, "group language"))
    spec("lock", "--used-in", "src")
    lock = read(folder)
    assert lock.groups == ("language",)
    assert CHAT.function in lock.functions
    assert spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict").code == 0
    text = (folder / "muapi.lock").read_text(encoding="utf-8")
    without = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(CHAT.function))
    (folder / "muapi.lock").write_text(without, encoding="utf-8")  # as if the model had come later
    assert spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict").code == 0
    (folder / "muapi.lock").write_text(without.replace('groups = ["language"]\n', ""), encoding="utf-8")
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src")
    assert (said.code, f"{CHAT.function}: used, and not in muapi.lock" in said.out) == (1, True)
