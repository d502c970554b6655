"""The emulator publishes its document as MuAPI does, and an earlier one, for whatever tells versions apart."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client.emulator import Emulator
from muapi_client.emulator._spec.published import make_older_document
from muapi_client.pinning import fetch, pinned

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = pinned().document


def test_a_fetch_from_a_served_emulator_pins_the_same_bytes(tmp_path: Path) -> None:
    for name in ("openapi.json", "models.json", "lock.toml"):
        (tmp_path / name).write_bytes((pinned().directory / name).read_bytes())
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with Emulator().serve() as url:
        program = [sys.executable, "-m", "muapi_client.pinning", "fetch"]
        command = [*program, "--source", f"{url}/openapi.json", "--spec", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("unchanged: ")
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
        fetch(f"{url}/openapi.json", tmp_path / "new")
    assert (tmp_path / "new" / "openapi.json").read_bytes() == before["openapi.json"]


def test_a_fetch_tells_the_aged_document_from_the_newest(tmp_path: Path) -> None:
    with Emulator().serve() as url:
        fetch(f"{url}/aged/openapi.json", tmp_path)
        done = fetch(f"{url}/openapi.json", tmp_path)
    added = len(DOCUMENT["paths"].keys() - make_older_document(DOCUMENT)["paths"].keys())
    assert (len(done.added), len(done.removed), done.changed) == (added, 1, ("openapi.json", "lock.toml"))
    assert (tmp_path / "openapi.json").read_bytes() == (pinned().directory / "openapi.json").read_bytes()


@pytest.mark.parametrize("path", ["openapi.json", "aged/openapi.json"])
def test_the_document_is_one_line_without_a_key_and_with_an_etag(path: str) -> None:
    with httpx.Client(transport=Emulator().transport(), base_url="https://api.muapi.ai/") as client:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert b"\n" not in answer.content
        assert answer.json()["openapi"] == DOCUMENT["openapi"]
        etag = answer.headers["etag"]
        again = client.get(path, headers={"if-none-match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert client.get(path, headers={"if-none-match": '"another"'}).content == answer.content
        head = client.head(path)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(answer.content)))
        assert client.post(path).status_code == 405


def test_the_newest_is_the_pinned_document() -> None:
    with httpx.Client(transport=Emulator().transport(), base_url="https://api.muapi.ai/") as client:
        assert client.get("openapi.json").json() == DOCUMENT
        assert client.get("openapi.json").headers["etag"] != client.get("aged/openapi.json").headers["etag"]


def test_the_aged_document_has_one_change_of_each_kind() -> None:
    before = copy.deepcopy(DOCUMENT)
    older = make_older_document(DOCUMENT)
    assert before == DOCUMENT
    assert make_older_document(DOCUMENT) == older
    assert 10 < len(DOCUMENT["paths"].keys() - older["paths"].keys()) < 40
    (retired,) = older["paths"].keys() - DOCUMENT["paths"].keys()
    assert retired.endswith("-retired")
    schemas, now = older["components"]["schemas"], DOCUMENT["components"]["schemas"]
    kinds = sorted(kind for name in schemas if schemas[name] != now[name] for kind in _kinds(schemas[name], now[name]))
    assert kinds == ["default", "enum", "maximum", "renamed", "required"]
    json.dumps(older)


def _kinds(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """How one version of a schema differs from the next."""
    if old["properties"].keys() != new["properties"].keys():
        assert [name.removeprefix("old_") for name in old["properties"]] == list(new["properties"])
        return ["renamed"]
    changed = [name for name in old["properties"] if old["properties"][name] != new["properties"][name]]
    if not changed:
        assert set(old.get("required", ())) < set(new["required"])
        return ["required"]
    (name,) = changed
    was, now = old["properties"][name], new["properties"][name]
    if "enum" in now and was["enum"] != now["enum"]:
        assert was["enum"] == now["enum"][:-1]
    if "maximum" in now and was["maximum"] != now["maximum"]:
        assert was["maximum"] < now["maximum"]
    return [key for key in now if was[key] != now[key]]


@pytest.mark.parametrize("parts", [{}, {"components": {}}, {"components": {"schemas": {"A": {"type": "string"}}}}])
def test_a_document_with_nothing_to_change_stays(parts: dict[str, Any]) -> None:
    assert make_older_document({"paths": {}, **parts}) == {"paths": {}, **parts}
