"""``--used-in`` where the code cannot be told in full: CI hears of it, and is not green for what nobody looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, IMAGE, UPSCALE

from muapi_client.pinning import UserLock

if TYPE_CHECKING:
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest
MOVED = f"from muapi_client import models\nshelf = models\nshelf.{UPSCALE.function}()\n"
UNREAD = "type X = (int\n"  # no Python of any version
NAMED = f"from muapi_client import catalog\ncatalog.get('{IMAGE.name}')\n"


@pytest.fixture
def live(folder: Path, document: dict[str, Any]) -> str:
    """A later document, in which a model that the code does not name is gone."""
    del document["paths"][f"/api/v1/{UPSCALE.slug}"]
    (folder / "live.json").write_text(json.dumps(document), encoding="utf-8")
    return str(folder / "live.json")


def test_code_that_is_told_in_full_is_not_concerned(spec: Spec, live: str) -> None:
    assert spec("diff", "pin", live, "--used-in", "src", "--fail-on", "breaking").code == 0
    said = spec("drift", "--source", live, "--used-in", "src")
    assert (said.code, said.err) == (3, "")
    assert "only their changes are told" in said.out


@pytest.mark.parametrize(("text", "told"), [(MOVED, "more.py:2 uses what cannot"), (UNREAD, "more.py could not be")])
def test_every_change_counts_where_anything_may_be_used(
    spec: Spec, folder: Path, live: str, text: str, told: str
) -> None:
    (folder / "src/more.py").write_text(text, encoding="utf-8")
    diff = spec("diff", "pin", live, "--used-in", "src", "--fail-on", "breaking")
    drift = spec("drift", "--source", live, "--used-in", "src")
    assert (diff.code, drift.code) == (1, 4)
    for said in (diff, drift, spec("drift", "--source", live, "--used-in", "src", "--output", "markdown")):
        assert UPSCALE.function in said.out
        assert told in said.out
        assert "more may be, so every change is told" in said.out
        assert "every change counts" in said.err
    assert "something that you may use changed" in drift.out


def test_nothing_is_locked_while_a_file_cannot_be_read(spec: Spec, folder: Path) -> None:
    (folder / "src/more.py").write_text(UNREAD, encoding="utf-8")
    said = spec("lock", "--used-in", "src")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "src/more.py could not be read" in said.err
    assert "--only" in said.err
    assert not (folder / "muapi.lock").exists()
    assert spec("lock", "--used-in", "src/app.py", "--only", UPSCALE.function).code == 0


def test_a_file_that_cannot_be_read_is_not_verified(spec: Spec, folder: Path) -> None:
    spec("lock", "--used-in", "src")
    (folder / "src/more.py").write_text(UNREAD, encoding="utf-8")
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src")
    assert said.code == 1
    assert "src/more.py could not be read" in said.err
    facts = spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--output", "json")
    assert (facts.code, facts.json["holds"]) == (1, False)
    assert [one["file"] for one in facts.json["unread"]] == ["src/more.py"]


def test_what_cannot_be_told_is_a_remark_and_with_strict_a_failure(spec: Spec, folder: Path) -> None:
    (folder / "src/more.py").write_text(MOVED, encoding="utf-8")
    assert "src/more.py:2 uses what cannot be told" in spec("lock", "--used-in", "src").err
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src")
    assert said.code == 0
    assert "src/more.py:2 uses what cannot be told" in said.err
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict")
    assert said.code == 1
    assert "--strict" in said.err
    facts = spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict", "--output", "json")
    assert (facts.json["holds"], facts.json["unknown"]) == (False, ["src/more.py:2"])


def test_a_lock_of_everything_misses_nothing(spec: Spec, folder: Path) -> None:
    (folder / "src/more.py").write_text(MOVED, encoding="utf-8")
    (folder / "src/other.py").write_text(UNREAD, encoding="utf-8")
    spec("lock")
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src", "--strict")
    assert (said.code, said.err) == (0, "")


def test_a_catalogue_name_is_understood(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    (folder / "src/app.py").write_text(NAMED, encoding="utf-8")
    said = spec("lock", "--used-in", "src")
    assert (said.code, said.err) == (0, "")
    lock = UserLock.from_toml((folder / "muapi.lock").read_text(encoding="utf-8"))
    assert IMAGE.function in lock.functions
    assert CHAT.function not in lock.functions
    del document["paths"][f"/api/v1/{IMAGE.slug}"]
    (folder / "live.json").write_text(json.dumps(document), encoding="utf-8")
    said = spec("diff", "pin", "live.json", "--used-in", "src", "--fail-on", "breaking")
    assert (said.code, said.err) == (1, "")
    assert IMAGE.function in said.out
    assert spec("drift", "--source", "live.json", "--used-in", "src").code == 4
