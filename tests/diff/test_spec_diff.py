"""``muapi-client spec diff``: what it prints, and when it fails."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from by_kind import CLIP, IMAGE, fields_of

from muapi_client.cli import main
from muapi_client.cli._arguments.spec import CLASSES
from muapi_client.pinning import pinned
from muapi_client.pinning._diff.changes import IMPACTS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*words: str) -> Said:
        capsys.readouterr()
        try:
            code = main(["spec", "diff", *words])
        except SystemExit as stop:
            code = int(str(stop.code))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders as ``spec/`` is one: the later has a dearer model, a shorter list and a new field."""
    whole = pinned().document
    kept = (f"/api/v1/{IMAGE.slug}", "/api/v1/history", f"/api/v1/{CLIP.slug}")
    old = {**whole, "paths": {path: whole["paths"][path] for path in kept}}
    new = copy.deepcopy(old)
    fields_of(new, IMAGE)["num_images"]["enum"] = [1, 2]
    new["paths"][f"/api/v1/{CLIP.slug}"]["post"]["deprecated"] = True
    prices = {"currency": "USD", "models": [{"name": IMAGE.name, "cost": 0.015, "dynamic_pricing": True}]}
    dearer = {"currency": "USD", "models": [{"name": IMAGE.name, "cost": 0.03, "dynamic_pricing": True}]}
    for name, document, listed in (("old", old, prices), ("new", new, dearer)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "openapi.json").write_text(json.dumps(document))
        (tmp_path / name / "models.json").write_text(json.dumps(listed))
    return tmp_path


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_it_tells_what_changed_and_what_it_costs(run: Callable[..., Said]) -> None:
    said = run("old", "new")
    assert said.code == 0
    assert f"{IMAGE.function}: body num_images: No longer taken: 3, 4." in said.out
    assert f"{IMAGE.function}: It costs USD 0.03 where it cost USD 0.015." in said.out
    assert f"{CLIP.function}: It is deprecated: it works, and may go." in said.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 0),
        (("--fail-on", "none"), 0),
        (("--fail-on", "breaking"), 1),
        (("--fail-on", "any"), 1),
        (("--only", CLIP.slug, "--fail-on", "breaking"), 0),
        (("--only", f"{CLIP.function},{IMAGE.function}", "--fail-on", "breaking"), 1),
        (("--only", CLIP.function, "--fail-on", "any"), 1),
        (("--only", "get_history", "--fail-on", "any"), 0),
        (("--only", CLIP.function, "--fail-on", "breaking,types"), 0),
        (("--only", IMAGE.function, "--fail-on", "types, breaking"), 1),
        (("--only", CLIP.function, "--fail-on", "additive"), 0),
        (("--only", CLIP.function, "--fail-on", "additive,cosmetic"), 1),
        (("--only", IMAGE.function, "--fail-on", "silent"), 1),  # its price, for both lists are there
        (("--fail-on", "breaking,silnt"), 2),
        (("--fail-on", "any,breaking"), 2),
        (("--fail-on", ","), 2),
    ],
)
def test_it_fails_on_what_it_is_asked_to(run: Callable[..., Said], words: tuple[str, ...], code: int) -> None:
    assert run("old", "new", *words).code == code


def test_the_classes_it_fails_on_are_those_there_are() -> None:
    assert tuple(IMPACTS) == CLASSES


def test_without_prices_it_says_that_none_was_compared(run: Callable[..., Said], folder: Path) -> None:
    (folder / "new/models.json").unlink()
    said = run("old", "new", "--only", IMAGE.function, "--fail-on", "silent")
    assert said.code == 0
    assert "no prices were compared" in said.err
    assert "no prices" not in run("old", "new", "--fail-on", "breaking").err


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif"])
def test_every_form_is_printed(run: Callable[..., Said], form: str) -> None:
    said = run("old/openapi.json", "new/openapi.json", "--output", form)
    assert said.code == 0
    assert "num_images" in said.out
    if form in ("json", "sarif"):
        assert json.loads(said.out)


def test_only_what_code_uses_counts(run: Callable[..., Said], folder: Path) -> None:
    app = folder / "app.py"
    app.write_text(f"from muapi_client import models, raw_call\nmodels.{CLIP.function}()\nraw_call('misspelt', {{}})\n")
    said = run("old", "new", "--used-in", "app.py", "--fail-on", "breaking")
    assert said.code == 0
    assert "num_images" not in said.out
    assert "misspelt is used, and neither document has it" in said.err
    app.write_text(f"from muapi_client import raw_call\nraw_call('{IMAGE.slug}', {{}})\n")
    assert run("old", "new", "--used-in", "app.py", "--fail-on", "breaking").code == 1


def test_what_the_client_itself_calls_counts_for_everybody(run: Callable[..., Said], folder: Path) -> None:
    new = json.loads((folder / "new/openapi.json").read_text())
    del new["paths"]["/api/v1/history"]
    (folder / "new/openapi.json").write_text(json.dumps(new))
    (folder / "app.py").write_text(f"from muapi_client.models import {CLIP.function}\n")
    said = run("old", "new", "--used-in", "app.py", "--fail-on", "breaking")
    assert said.code == 1
    assert "get_history: It is gone" in said.out


def test_where_a_name_is_made_at_run_time_everything_counts(run: Callable[..., Said], folder: Path) -> None:
    (folder / "app.py").write_text("from muapi_client import raw_call\nraw_call(input())\n")
    (folder / "broken.py").write_text("def")
    said = run("old", "new", "--used-in", ".", "--fail-on", "breaking")
    assert said.code == 1
    assert "app.py:2 uses what cannot be told without running it" in said.out
    assert "broken.py could not be read" in said.out


def test_price_lists_can_be_given(run: Callable[..., Said]) -> None:
    bare = run("old/openapi.json", "new/openapi.json", "--prices", "new/models.json", "old/models.json")
    assert "It costs USD 0.015 where it cost USD 0.03." in bare.out


def test_the_pin_has_a_word_of_its_own(run: Callable[..., Said]) -> None:
    operations = tomllib.loads((ROOT / "spec/lock.toml").read_text(encoding="utf-8"))["operations"]
    said = run("pin", "pin", "--output", "json")
    assert json.loads(said.out)["operations"] == {"old": operations, "new": operations}
    assert json.loads(said.out)["changes"] == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("old", "nowhere.json"), "there is no file nowhere.json"),
        (("old", "."), "there is no file openapi.json"),
        (("old", "ftp://example/x"), "only https"),
        (("old", "empty.json"), "is empty"),
        (("old", "other.json"), "no OpenAPI document"),
        (("old", "half.json"), "half"),
        (("old", "new", "--only", IMAGE.function[:-1]), f"did you mean {IMAGE.function}"),
        (("old", "new", "--used-in", "old"), "no Python file"),
        (("old", "new", "--prices", "old/models.json", "other.json"), "no price list"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: Callable[..., Said], folder: Path, words: tuple[str, ...], hint: str
) -> None:
    (folder / "empty.json").touch()
    (folder / "other.json").write_text("{}")
    broken = {"openapi": "3.1.0", "paths": {"/api/v1/a": {"post": {"requestBody": {"$ref": "#/components/x"}}}}}
    (folder / "half.json").write_text(json.dumps(broken))
    said = run(*words)
    assert said.code == 1
    assert hint in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_another_form_is_a_usage_error(run: Callable[..., Said]) -> None:
    assert run("old", "new", "--output", "yaml").code == 2


def test_documents_that_are_not_muapis_are_compared_whole(run: Callable[..., Said], folder: Path) -> None:
    def made(kind: str) -> dict[str, Any]:
        parameter = {"name": "q", "in": "query", "schema": {"type": kind}}
        return {"openapi": "3.0.3", "paths": {"/things": {"get": {"parameters": [parameter]}}}}

    for kind in ("string", "integer"):
        (folder / f"{kind}.json").write_text(json.dumps(made(kind)))
    said = run("string.json", "integer.json", "--fail-on", "breaking")
    assert said.code == 1
    assert "query q: Its type changed" in said.out


def test_a_second_opinion_adds_nothing_to_what_is_found(run: Callable[..., Said]) -> None:
    pytest.importorskip("specshift.differ")
    seconded = run("old", "new", "--second-opinion")
    assert seconded.out == run("old", "new").out
    assert "specshift looked at both documents, too; found by it alone: 0" in seconded.err
