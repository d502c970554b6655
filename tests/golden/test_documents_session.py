"""The runner over real documents (``tests/documents.py``) passes what is well, and finds each thing that is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUNNER = Path(__file__).parents[1] / "documents.py"
sys.path.append(str(RUNNER.parent))  # scripts side by side, no packages

import documents  # noqa: E402

GOOD = {"get": {"responses": {"200": {"description": "OK"}}}}
TWICE = {"type": "object", "properties": {"a-b": {"type": "string"}, "a_b": {"type": "string"}}}  # one attribute
BAD = {"post": {"responses": {}, "requestBody": {"content": {"application/json": {"schema": TWICE}}}}}


def make(**paths: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {f"/{k}": v for k, v in paths.items()}}


def run(*words: str | Path) -> tuple[int, list[str]]:
    command = [sys.executable, str(RUNNER), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document that is well, one of which half can be said, one that is none, and a file that is not meant."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "a_well.json").write_text(json.dumps(make(a=GOOD, b=GOOD)))
    (folder / "b_half.yaml").write_text(json.dumps(make(a=GOOD, b=BAD)))
    (folder / "c_none.yml").write_text("swagger: '2.0'\n")
    (folder / "README.md").write_text("no document")
    return folder


def test_each_document_has_a_line_and_too_few_that_pass_fail(folder: Path) -> None:
    code, (well, half, none, last) = run(folder)
    assert code == 1
    assert well.startswith("a_well.json: 2 of 2 operations, 0.0% left out, ")
    assert well.endswith(" modules import, mypy --strict clean: ok")
    assert half.startswith("b_half.yaml: 1 of 2 operations, 50.0% left out (1 x ")
    assert half.endswith("mypy --strict clean: more than 2% left out")
    assert none.startswith("c_none.yml: not rendered, ")
    assert last == "1 of 3 documents pass; 3 are demanded (14 of the 17 we count)."


def test_what_is_demanded_can_be_less_and_the_packages_kept(folder: Path, tmp_path: Path) -> None:
    code, lines = run(folder, "--demand", "1", "--keep", tmp_path / "kept")
    assert (code, lines[-1]) == (0, "1 of 3 documents pass; 1 are demanded (14 of the 17 we count).")
    kept = {path.name for path in (tmp_path / "kept").iterdir() if not path.name.startswith(".")}
    assert kept == {"document_1_a_well", "document_2_b_half", "document_2_b_half.left_out.yaml"}


@pytest.mark.parametrize("words", [[], ["nowhere"], ["empty"]])
def test_without_documents_it_fails_and_says_where_each_is_to_be_had(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, lines = run(*(tmp_path / word for word in words))
    assert (code, "nox -s documents -- DIR" in lines[1]) == (2, True)
    assert len([line for line in lines if line.startswith("  ")]) == documents.COUNTED


@pytest.mark.parametrize(("found", "demanded"), [(1, 1), (2, 2), (7, 6), (16, 14), (17, 14), (30, 14)])
def test_of_fewer_documents_the_same_share_is_demanded(found: int, demanded: int) -> None:
    assert documents.demand(found, None) == demanded
    assert documents.demand(found, 3) == min(found, 3)


def write_package(folder: Path, **modules: str) -> Path:
    package = folder / "sham"
    (package / "inner").mkdir(parents=True)
    (package / "inner/__init__.py").touch()
    spec = "class SPEC:\n    operations = 1\n    left_out = ()\n"
    for name, text in {"__init__": spec, **modules}.items():
        (package / f"{name}.py").write_text(text)
    return package


def test_a_module_that_does_not_import_is_found(tmp_path: Path) -> None:
    found = documents.import_all(write_package(tmp_path, fine="", broken="from .gone import it\n"))
    assert isinstance(found, dict)
    assert (found["modules"], [line.partition(":")[0] for line in found["broken"]]) == (4, ["sham.broken"])


def test_a_package_that_does_not_import_is_found(tmp_path: Path) -> None:
    assert documents.import_all(write_package(tmp_path, __init__="1 / 0\n")) == "ZeroDivisionError: division by zero"


def test_a_wrong_type_is_found(tmp_path: Path) -> None:
    (complaint,) = documents.check_types(write_package(tmp_path, wrong="def f() -> int:\n    return ''\n"))
    assert "Incompatible return value" in complaint


def test_a_wrong_exit_code_is_found(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = subprocess.CompletedProcess([], 0, "", "Traceback (most recent call last)")
    assert documents.find_wrong_refusals(done, tmp_path / "there", ["GET /a"]) == [
        "a refusal has the exit code 0",
        "a refusal has written a package",
        "a refusal is a traceback",
        "a refusal does not name GET /a",
    ]
    right = subprocess.CompletedProcess([], 1, "GET /a: no", "")
    assert documents.find_wrong_refusals(right, tmp_path / "gone", ["GET /a"]) == []


def test_operations_are_counted_where_they_stand(tmp_path: Path) -> None:
    document = make(a=GOOD, b={"$ref": "#/components/pathItems/B"}) | {"components": {"pathItems": {"B": BAD | GOOD}}}
    document["paths"] |= {"x-more": GOOD, "/c": {"summary": "c", "parameters": [], "trace": {}}}
    for name in ("one.json", "one.yaml"):
        (tmp_path / name).write_text(json.dumps(document))
        assert documents.count_operations(tmp_path / name) == 4


def test_what_a_build_does_not_say_of_its_work_is_found() -> None:
    assert documents.find_untold("Left out: GET /a: no\n1 of 2 operations in p", 1, 2, ["GET /a"]) == []
    assert documents.find_untold("2 of 2 operations in p", 1, 2, ["GET /a"]) == [
        "GET /a is left out without a word",
        "1 of 2 operations are in the package, and the output says otherwise",
    ]
