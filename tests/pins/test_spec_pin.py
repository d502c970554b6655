"""``spec_pin=``: both clients start on the pinned document, or not at all. Every option as for ``MuAPI``."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from by_kind import IMAGE

import muapi_generated
from muapi_client import AsyncMuAPI, MuAPI, MuAPIError
from muapi_client.errors import SpecPinError
from muapi_client.pinning import UserLock
from muapi_generated import SPEC

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

KEY = "sk-live-4f1d0c2e9b"
OTHER = "0" * 64
TOLD = json.loads(files("muapi_generated").joinpath("fingerprints.json").read_bytes())


@pytest.fixture(params=[MuAPI, AsyncMuAPI])
def client(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock of a program that was written against the pinned document."""
    path = tmp_path / "muapi.lock"
    made = UserLock(
        document_sha256=SPEC.sha256,
        corrections_sha256=SPEC.corrections_sha256,
        package="muapi-client==0",
        functions={IMAGE.function: TOLD["functions"][IMAGE.function]},
    )
    path.write_text(made.to_toml(), encoding="utf-8")
    return path


def refused(client: Any, spec_pin: str | PathLike[str], **options: Any) -> SpecPinError:
    with pytest.raises(SpecPinError) as caught:
        client(KEY, spec_pin=spec_pin, **options)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, MuAPIError)
    return caught.value


def test_the_document_it_was_rendered_from_is_taken(client: Any) -> None:
    assert client(KEY, spec_pin=SPEC.sha256)
    assert client(KEY, spec_pin=SPEC.sha256.upper())


def test_a_lock_of_that_document_is_taken_by_path_or_text(client: Any, lock: Path) -> None:
    assert client(KEY, spec_pin=lock)
    assert client(KEY, spec_pin=str(lock))


def test_another_document_is_refused_with_what_to_do(client: Any) -> None:
    error = refused(client, OTHER)
    assert (error.runs_on, error.pinned) == (SPEC.sha256, OTHER)
    assert OTHER[:12] in str(error)
    assert SPEC.sha256[:12] in str(error)
    assert "install the version it was written against" in str(error)
    assert pickle.loads(pickle.dumps(error)).pinned == OTHER


def test_hashes_that_begin_alike_are_told_whole(client: Any, lock: Path) -> None:
    nearly = SPEC.sha256[:-1] + ("0" if SPEC.sha256[-1] != "0" else "1")
    rewrite(lock, document_sha256=nearly, functions={IMAGE.function: OTHER})
    for spec_pin in (nearly, lock):
        told = str(refused(client, spec_pin))
        assert nearly in told
        assert SPEC.sha256 in told


def rewrite(lock: Path, **facts: Any) -> None:
    lock.write_text(evolve(UserLock.from_toml(lock.read_text(encoding="utf-8")), **facts).to_toml(), encoding="utf-8")


def test_a_lock_of_another_document_is_taken_where_its_functions_are_the_same(client: Any, lock: Path) -> None:
    """As ``spec verify --lock`` takes it: what CI lets pass starts."""
    rewrite(lock, document_sha256=OTHER)
    assert client(KEY, spec_pin=lock)
    rewrite(lock, corrections_sha256=OTHER)
    assert client(KEY, spec_pin=lock)
    assert OTHER[:12] in str(refused(client, OTHER))  # by its hash that document is still none


def test_a_lock_whose_functions_are_others_is_refused_with_their_names(client: Any, lock: Path) -> None:
    rewrite(lock, document_sha256=OTHER, functions={**TOLD["functions"], IMAGE.function: OTHER, "gone_model": OTHER})
    error = refused(client, lock)
    assert f"{IMAGE.function} changed and gone_model is gone" in str(error)
    assert f"muapi-client spec verify --lock {lock}" in str(error)
    assert (error.runs_on, error.pinned) == (SPEC.sha256, OTHER)


def test_a_correction_of_a_locked_function_is_refused_on_the_same_document(client: Any, lock: Path) -> None:
    rewrite(lock, functions={IMAGE.function: OTHER})
    assert client(KEY, spec_pin=lock)  # the same document, corrected alike: nobody looks
    rewrite(lock, corrections_sha256=OTHER)
    assert f"{IMAGE.function} changed" in str(refused(client, lock))


def test_a_lock_of_before_goes_by_the_document_alone(client: Any, lock: Path) -> None:
    rewrite(lock, form=1, corrections_sha256=OTHER)
    assert client(KEY, spec_pin=lock)
    rewrite(lock, document_sha256=OTHER, functions={IMAGE.function: TOLD["uncorrected"][IMAGE.function]})
    assert client(KEY, spec_pin=lock)
    rewrite(lock, functions={IMAGE.function: TOLD["functions"][IMAGE.function]})
    assert f"{IMAGE.function} changed" in str(refused(client, lock))


def test_a_package_without_fingerprints_is_refused_with_what_to_do(
    client: Any, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that an earlier version rendered."""
    old = tmp_path / "muapi_generated_bare"
    old.mkdir()
    (old / "__init__.py").write_text("from muapi_generated import SPEC\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert client(KEY, spec_pin=lock, models="muapi_generated_bare")
    rewrite(lock, document_sha256=OTHER)
    assert "muapi_generated_bare has no fingerprints" in str(refused(client, lock, models="muapi_generated_bare"))


@pytest.mark.parametrize("spec_pin", ["dad116282954", "", "no/such.lock", "nul\0"])
def test_what_is_neither_a_hash_nor_a_lock_is_refused(client: Any, spec_pin: str) -> None:
    error = refused(client, spec_pin)
    assert "64 hexadecimal digits" in str(error)
    assert "muapi-client spec lock" in str(error)


@pytest.mark.parametrize("text", ["", "document_sha256 = 1", "<html>", "form = 2", "form = 3"])
def test_a_broken_lock_is_refused(client: Any, lock: Path, text: str) -> None:
    lock.write_text(text, encoding="utf-8")
    assert str(lock) in str(refused(client, lock))
    lock.write_bytes(b"\xff\xfe")
    assert str(lock) in str(refused(client, lock))


@pytest.mark.parametrize("spec_pin", [5, b"abc", True])
def test_another_type_is_refused(client: Any, spec_pin: Any) -> None:
    refused(client, spec_pin)


def test_with_a_package_of_another_document_that_documents_hash_counts(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ModuleType("muapi_generated_old")
    old.__dict__.update(vars(muapi_generated), __name__="muapi_generated_old", SPEC=SPEC._replace(sha256=OTHER))
    monkeypatch.setitem(sys.modules, "muapi_generated_old", old)
    assert client(KEY, spec_pin=OTHER, models=old)
    error = refused(client, SPEC.sha256, models=old)
    assert (error.runs_on, error.pinned) == (OTHER, SPEC.sha256)
    assert "muapi_generated_old was rendered from" in str(error)


def test_a_package_rendered_beside_is_refused_with_the_pin_that_it_can_have(
    client: Any, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ModuleType("muapi_generated_old")
    spec = SPEC._replace(corrections_sha256=OTHER)
    old.__dict__.update(vars(muapi_generated), __name__="muapi_generated_old", SPEC=spec)
    monkeypatch.setitem(sys.modules, "muapi_generated_old", old)
    rewrite(lock, functions={IMAGE.function: OTHER})
    for refusal in (refused(client, lock, models=old), refused(client, OTHER, models=old)):
        assert f"spec_pin={old.__name__}.SPEC.sha256" in str(refusal)
        assert "spec lock" not in str(refusal)
        assert "lock anew" not in str(refusal)
    assert client(KEY, spec_pin=old.SPEC.sha256, models=old)


def test_a_refusal_comes_before_a_journal_is_made(client: Any, tmp_path: Path) -> None:
    refused(client, OTHER, journal=tmp_path / "jobs.db")
    assert not (tmp_path / "jobs.db").exists()


def test_it_cannot_be_changed_afterwards(client: Any) -> None:
    with pytest.raises(MuAPIError, match="with_options"):
        client(KEY).with_options(spec_pin=OTHER)


def test_a_lock_of_another_document_costs_little(lock: Path) -> None:
    """No TOML and no classes for a lock: with what reads its file a start takes some 5 ms longer."""
    rewrite(lock, document_sha256=OTHER)
    script = (
        "import sys; from muapi_client import MuAPI; before = {*sys.modules}\n"
        f"MuAPI('sk-live-4f1d0c2e9b', spec_pin={str(lock)!r})\n"
        "loaded = {*sys.modules} - before\n"
        "print(sorted(name for name in loaded if 'pinning' in name))\n"
        "print({'tomllib', 'importlib.resources', 'difflib'} & loaded)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        str(
            [
                "muapi_client.pinning",
                "muapi_client.pinning._document",
                "muapi_client.pinning._document.errors",
                "muapi_client.pinning._document.strict_json",
                "muapi_client.pinning._locks",
                "muapi_client.pinning._locks.lock_file",
            ]
        ),
        "set()",
    ]


def test_who_pins_nothing_pays_nothing() -> None:
    script = (
        "import sys; from muapi_client import MuAPI; MuAPI('sk-live-4f1d0c2e9b')\n"
        "print({'muapi_client._client.spec_pin', 'muapi_client.pinning', 'tomllib'} & sys.modules.keys())\n"
        f"MuAPI('sk-live-4f1d0c2e9b', spec_pin={SPEC.sha256!r})\n"
        "print('tomllib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", "False"]
