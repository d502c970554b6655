"""The lock, the check of a pin against it, and finding the pin."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client.pinning import Lock, PinError, fetch, pinned, verify
from muapi_client.pinning.__main__ import main
from muapi_client.pinning._document.lock import GENERATOR

ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(codec="utf-8"))
LOCKS = st.builds(
    Lock,
    **dict.fromkeys(
        (
            "source",
            "fetched_at",
            "etag",
            "served_sha256",
            "document_sha256",
            "models_sha256",
            "openapi",
            "generator",
            "note",
        ),
        TEXT,
    ),
    operations=st.integers(0, 10**6),
    schemas=st.integers(0, 10**6),
)


@given(LOCKS)
def test_a_lock_survives_its_toml(lock: Lock) -> None:
    assert Lock.from_toml(lock.to_toml()) == lock
    assert Lock.from_toml(lock.to_toml().encode().decode()) == lock


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"source = ", "not TOML"),
        (b"", "look at source, "),
        (b"operations = true", "operations"),
        (b"surprise = 1", "'surprise'"),
        ((ROOT / "spec" / "lock.toml").read_bytes() + b"surprise = 1", "look at 'surprise'"),
    ],
)
def test_what_is_no_lock_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(PinError) as caught:
        Lock.from_toml(content.decode())
    assert told in str(caught.value)


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"description": "Submit a job"},
    "paths": {"/api/v1/veo": {"post": {}}},
    "components": {"schemas": {}},
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A small pin."""
    (tmp_path / "served.json").write_text(json.dumps(DOCUMENT))
    prices = json.dumps({"models": [{"name": "veo", "cost": 1}], "currency": "USD"})
    (tmp_path / "prices.json").write_text(prices)
    fetch(str(tmp_path / "served.json"), tmp_path / "spec", models=str(tmp_path / "prices.json"))
    return tmp_path / "spec"


def test_the_pin_of_this_repository_agrees_with_its_lock() -> None:
    assert verify() == ()


def test_the_lock_names_the_generator_that_the_project_installs() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert GENERATOR in groups["generate"]
    assert pinned().lock.generator == GENERATOR


def test_the_lock_names_no_place_on_any_machine() -> None:
    lock = pinned().lock
    assert re.fullmatch(r"https://.+|file:[^/\\]+", lock.source)
    assert not {"localhost", "127.0.0.1"} & set(lock.source.split("/"))


def test_the_pin_is_whole() -> None:
    pin = pinned()
    operations = [method for item in pin.document["paths"].values() for method in item]
    assert (len(operations), len(pin.document["components"]["schemas"])) == (pin.lock.operations, pin.lock.schemas)
    names = [model["name"] for model in pin.models["models"]]
    assert names == sorted(set(names))
    assert {type(model["cost"]) for model in pin.models["models"]} <= {int, float}
    assert pin.document is pin.document


def edited(spec: Path, name: str, old: str, new: str) -> None:
    text = (spec / name).read_text()
    assert old in text
    (spec / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("openapi.json", "Submit a job", "Send a job", "spec/openapi.json is not the one spec/lock.toml describes"),
        ("openapi.json", '{\n "openapi"', '{"openapi"', "not in the form"),
        ("openapi.json", '"openapi"', "openapi", "not JSON"),
        ("openapi.json", '"paths"', '"path"', "no object of paths"),
        ("models.json", '"cost": ', '"cost": 1', "spec/models.json is not the one spec/lock.toml describes"),
        ("lock.toml", "operations = ", "operations = 1", "says operations = "),
        ("lock.toml", "schemas = ", "schemas = 1", "says schemas = "),
        ("lock.toml", 'openapi = "3.1.0"', 'openapi = "3.0.0"', "says openapi = '3.0.0', but it is '3.1.0'"),
        ("lock.toml", "openapi-python-client==", "other==", "says generator = 'other=="),
        ("lock.toml", "operations", "operation", "no lock of this version"),
    ],
)
def test_verify_tells_what_differs_and_what_to_do(spec: Path, name: str, old: str, new: str, told: str) -> None:
    edited(spec, name, old, new)
    lines = verify(spec)
    assert any(told in line for line in lines)
    assert all("restore spec/ from version control, or run `nox -s fetch`" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("openapi.json", "spec/openapi.json is missing"),
        ("lock.toml", "spec/lock.toml is missing"),
        ("models.json", "spec/models.json is not the one spec/lock.toml describes (it is missing"),
    ],
)
def test_verify_tells_what_is_missing(spec: Path, name: str, told: str) -> None:
    (spec / name).unlink()
    (line,) = verify(spec)
    assert line.startswith(told)


def test_the_command_exits_with_what_it_found(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--spec", str(spec)]) == 0
    assert capsys.readouterr().out == "the lock and the pinned files agree\n"
    edited(spec, "lock.toml", "schemas = ", "schemas = 1")
    assert main(["verify", "--spec", str(spec)]) == 1
    assert "says schemas = " in capsys.readouterr().out
    (spec / "lock.toml").unlink()
    (spec / "lock.toml").mkdir()
    assert main(["verify", "--spec", str(spec)]) == 1
    assert capsys.readouterr().err.startswith("verify: cannot read ")


def test_an_installed_package_finds_its_own_pin(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "muapi_generated"
    shutil.copytree(spec, home)
    (home / "__init__.py").write_text("")
    monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: None)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "muapi_generated", raising=False)
    assert pinned().directory == home
    assert verify() == ()


def test_without_any_pin_the_error_tells_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: tmp_path)
    with pytest.raises(PinError, match="nox -s fetch"):
        pinned()


def test_httpx_is_not_imported_for_reading_the_pin() -> None:
    code = "import sys; from muapi_client.pinning import pinned; pinned().lock; print('httpx' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == "False\n"


def test_the_document_is_the_one_file_that_json_reads() -> None:
    assert json.loads((ROOT / "spec" / "openapi.json").read_bytes()) == pinned().document
