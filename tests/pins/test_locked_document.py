"""What changed since a lock, told without the document of then: the file beside the lock has what it takes."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from altered import fields, rarely_used
from by_kind import CHAT, IMAGE, UPSCALE
from fingerprints_of import rendering_of, run_on

from muapi_client.pinning import diff, fetch, make_lock, pinned
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._locks.locked_document import make_locked_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest


@pytest.fixture
def later(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    """A document in which a function that is used takes less, and one that is not is another."""
    fields(document)["width"]["maximum"] = 512
    rarely_used(document).pop("requestBody")
    new = copy.deepcopy(document["paths"][CHAT.operation.path])
    new["post"]["summary"] = "new-model"
    document["paths"]["/api/v1/new-model"] = new
    return document


def serve(folder: Path, document: dict[str, Any], prices: dict[str, Any] | None = None) -> str:
    """Put a later document, with its prices, where it can be compared."""
    home = folder / "later"
    home.mkdir(exist_ok=True)
    (home / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    if prices is not None:
        (home / "models.json").write_text(json.dumps(prices), encoding="utf-8")
    return str(home)


def test_a_lock_is_a_side_of_a_diff(spec: Spec, folder: Path, later: dict[str, Any]) -> None:
    spec("lock", "--only", f"{IMAGE.slug},{CHAT.function}")
    said = spec("diff", "muapi.lock", serve(folder, later), "--fail-on", "breaking")
    assert said.code == 1
    assert "2 -> 2 operations" in said.out
    assert f"{IMAGE.function}: body width: Its greatest value was" in said.out
    assert UPSCALE.function not in said.out
    assert "new_model" not in said.out
    assert spec("diff", "muapi.lock", "pin", "--fail-on", "any").code == 0


def test_it_says_what_the_whole_document_would_have_said(
    spec: Spec, folder: Path, document: dict[str, Any], later: dict[str, Any]
) -> None:
    spec("lock", "--used-in", "src")
    found = spec("diff", "muapi.lock", serve(folder, later), "--used-in", "src", "--output=json").json["changes"]
    whole = spec("diff", "pin", serve(folder, later), "--used-in", "src", "--output=json").json["changes"]
    assert found == whole
    assert found


def test_what_is_gone_and_what_costs_more_is_told(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    spec("lock", "--used-in", "src")
    del document["paths"][CHAT.operation.path]
    prices = copy.deepcopy(pinned().models)
    for model in prices["models"]:
        model["cost"] = 123
    home = serve(folder, document, prices)
    said = spec("diff", "muapi.lock", home, "--fail-on", "silent")
    assert said.code == 1
    assert f"{CHAT.function}: It is gone" in said.out
    assert f"{IMAGE.function}: It costs USD 123" in said.out
    assert UPSCALE.function not in said.out
    assert spec("diff", "muapi.lock", serve(folder, pinned().document, pinned().models), "--fail-on", "any").code == 0


TWIN = f"{CHAT.operation.path}-mini"  # takes the same fields, under nearly the same name


@pytest.fixture
def beside_a_twin(small: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A pinned document that has the twin as well, to change."""
    document = json.loads((small.parent / "source.json").read_text())
    document["paths"][TWIN] = copy.deepcopy(document["paths"][CHAT.operation.path])
    source, home = tmp_path / "source.json", tmp_path / "spec"
    source.write_text(json.dumps(document), encoding="utf-8")
    fetch(str(source), home, models=str(small / "models.json"))
    monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: home)
    run_on(monkeypatch)
    return copy.deepcopy(pinned().document)


def compare_both_ways(spec: Spec, home: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a lock of the model says of a later document, and what the whole document says."""
    spec("lock", "--only", CHAT.slug)
    ways = [spec("diff", old, home, "--only", CHAT.slug, "--output=json") for old in ("muapi.lock", "pin")]
    return ways[0].json["changes"], ways[1].json["changes"]


def test_what_was_there_already_is_not_the_new_name_of_what_is_gone(
    spec: Spec, folder: Path, beside_a_twin: dict[str, Any]
) -> None:
    del beside_a_twin["paths"][CHAT.operation.path]
    by_lock, by_pin = compare_both_ways(spec, serve(folder, beside_a_twin))
    assert by_lock == by_pin
    assert [change["effect"] for change in by_lock] == ["removed"]


def test_a_lock_that_does_not_tell_what_was_there_already_tells_no_new_name(
    spec: Spec, folder: Path, beside_a_twin: dict[str, Any]
) -> None:
    del beside_a_twin["paths"][CHAT.operation.path]
    spec("lock", "--only", CHAT.slug)
    beside = folder / "muapi.lock.json"
    form = json.loads(beside.read_text())
    del form["others"]
    beside.write_text(json.dumps(form), encoding="utf-8")
    assert "It is gone" in spec("diff", "muapi.lock", serve(folder, beside_a_twin)).out


def test_what_is_not_locked_is_not_the_old_name_of_what_is(
    spec: Spec, folder: Path, beside_a_twin: dict[str, Any]
) -> None:
    """The lock is the later side here, and has the model that is new; the twin stands in both documents."""
    del beside_a_twin["paths"][CHAT.operation.path]
    spec("lock", "--only", CHAT.slug)
    said = spec("diff", serve(folder, beside_a_twin), "muapi.lock", "--output=json")
    assert [change["effect"] for change in said.json["changes"] if change["kind"] == "operation"] == ["added"]


def test_a_new_name_is_told_by_a_lock_too(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    document["paths"][TWIN] = document["paths"].pop(CHAT.operation.path)
    by_lock, by_pin = compare_both_ways(spec, serve(folder, document))
    assert by_lock == by_pin
    assert "renamed" in [change["effect"] for change in by_lock]


def test_a_new_name_that_could_be_that_of_something_not_locked_is_told_of_neither(
    spec: Spec, folder: Path, beside_a_twin: dict[str, Any]
) -> None:
    beside_a_twin["paths"][f"{CHAT.operation.path}-max"] = beside_a_twin["paths"].pop(CHAT.operation.path)
    del beside_a_twin["paths"][TWIN]
    by_lock, by_pin = compare_both_ways(spec, serve(folder, beside_a_twin))
    assert by_lock == by_pin
    assert [change["effect"] for change in by_lock] == ["removed"]


def test_what_is_used_and_not_locked_fails_where_anything_fails(
    spec: Spec, folder: Path, later: dict[str, Any]
) -> None:
    spec("lock", "--only", CHAT.function)
    said = spec("diff", "muapi.lock", serve(folder, later), "--used-in", "src")
    assert f"{IMAGE.function} is used and not locked, so its changes are not reported" in said.err
    assert said.code == 0
    for classes, code in {"none": 0, "cosmetic": 1, "breaking,types,silent": 1, "any": 1}.items():
        home = serve(folder, pinned().document)
        assert spec("diff", "muapi.lock", home, "--used-in", "src", "--fail-on", classes).code == code


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"form": 9}', '{"form": 1, "document": {}, "prices": {}}'])
def test_a_lock_without_its_document_is_one_line(spec: Spec, folder: Path, content: str | None) -> None:
    spec("lock", "--only", CHAT.function)
    beside = folder / "muapi.lock.json"
    beside.unlink()
    if content is not None:
        beside.write_text(content, encoding="utf-8")
    said = spec("diff", "muapi.lock", "pin")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "muapi.lock.json" in said.err


def test_files_of_two_locks_are_not_taken_for_one(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", CHAT.function)
    beside = folder / "muapi.lock.json"
    beside.write_text(beside.read_text().replace(pinned().lock.document_sha256, "0" * 64), encoding="utf-8")
    said = spec("diff", "muapi.lock", "pin")
    assert said.code == 1
    assert "not of one document" in said.err


def test_both_files_are_written_again_where_one_is_missing(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", CHAT.function)
    (folder / "muapi.lock.json").unlink()
    assert "written" in spec("lock", "--only", CHAT.function).out
    assert "up to date" in spec("lock", "--only", CHAT.function).out
    assert (folder / "muapi.lock.json").is_file()


USES = '\n[uses]\n"shop.py:paint" = ["IMAGE"]  # which a person wrote\n'


@pytest.fixture
def files_stay_small() -> Iterator[None]:
    """Let no file grow beyond 4 KiB, as on a disk that is nearly full."""
    resource = pytest.importorskip("resource")
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_lock_that_cannot_be_written_leaves_the_one_of_before(
    spec: Spec, folder: Path, request: pytest.FixtureRequest
) -> None:
    spec("lock", "--only", CHAT.function)
    with (folder / "muapi.lock").open("a", encoding="utf-8") as lock:
        lock.write(USES.replace("IMAGE", IMAGE.function))
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    request.getfixturevalue("files_stay_small")

    said = spec("lock")

    assert (said.code, said.out) == (1, "")
    assert "cannot write " in said.err
    assert "the lock of before is as it was" in said.err
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_a_lock_that_is_a_link_is_written_where_it_leads(spec: Spec, folder: Path) -> None:
    (folder / "locks").mkdir()
    (folder / "muapi.lock").symlink_to("locks/mine.lock")
    assert spec("lock", "--only", CHAT.function).code == 0
    assert (folder / "muapi.lock").is_symlink()
    assert CHAT.function in (folder / "locks/mine.lock").read_text(encoding="utf-8")


def test_what_a_person_wrote_into_a_lock_is_not_written_back_garbled(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", CHAT.function)
    lock = folder / "muapi.lock"
    lock.write_bytes(lock.read_bytes() + USES.replace("shop", "café").encode("latin-1"))
    before = lock.read_bytes()
    said = spec("lock")
    assert (said.code, said.out) == (1, "")
    assert "muapi.lock is not text in UTF-8" in said.err
    assert lock.read_bytes() == before


def test_a_lock_is_never_a_device(spec: Spec) -> None:
    said = spec("lock", os.devnull)
    assert said.code == 1
    assert f"{os.devnull} is no file that a lock can be" in said.err


def test_a_model_that_its_neighbours_tell_is_one_in_the_part_too(document: dict[str, Any]) -> None:
    """Without those beside it, it would be taken for no job, and told as changed."""
    whole = copy.deepcopy(pinned().document)
    path = CHAT.operation.path
    post = whole["paths"][path]["post"]
    post["parameters"] = [one for one in post.get("parameters", []) if one.get("name") != "webhook"]
    twins = [f"{path}-{number}" for number in range(3)]
    for twin in twins:
        whole["paths"][twin] = copy.deepcopy(document["paths"][path])
    assert Document(whole).operations["POST", path].job == "job"
    lock = make_lock_of(whole, CHAT.function)
    part = json.loads(make_locked_document(lock, whole, {}))["document"]
    assert set(part["paths"]) == {path, *twins}
    assert not [one for one in diff(part, whole).changes if CHAT.function in one.names]


def make_lock_of(document: dict[str, Any], *names: str) -> Any:
    return make_lock(rendering_of(document, "a" * 64), names, package="muapi-client==0")
