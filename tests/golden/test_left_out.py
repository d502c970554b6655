"""All that a document cannot say is told at once, each with the correction that leaves it out; the rest is rendered."""

from __future__ import annotations

import copy
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pipeline
import pytest
import yaml_of
from hypothesis import given
from hypothesis import strategies as st

from rules import survey
from rules.corrections import Action
from rules.plan import make_plan
from rules.price_list import PriceList

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIXED = {"requestBody": {"content": {"multipart/mixed": {"schema": {}}}}}
RELATED = {"requestBody": {"content": {"multipart/related": {"schema": {}}}}}
TWICE = {"type": "object", "properties": {"a-b": {"type": "string"}, "a_b": {"type": "string"}}}  # one attribute
HOLDS = {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Twice"}}}
NOWHERE = {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/Gone"}}}


def sends(schema: str) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}}


def make(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    bare = {
        path: {method: {"responses": {}, **part} if isinstance(part, dict) else part for method, part in item.items()}
        for path, item in paths.items()
    }
    info = {"title": "t", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": bare, "components": {"schemas": schemas}}


MANY = make(
    {
        "/api/v1/good": {"get": {}, "post": sends("Plain")},
        "/api/v1/bulk": {"post": RELATED, "get": {}},
        "/api/v1/mixed": {"put": MIXED},
        "/api/v1/one": {"post": sends("Twice")},
        "/api/v1/two": {"post": sends("Holds"), "get": {}},
        "/api/v1/lost": {"post": sends("Nowhere")},
        "/api/v1/two-": {"get": {}},
        "/api/v1/odd": {"get": {"parameters": 7}, "put": {}},
        "/api/v1/a?b={c}": {"get": {}},
    },
    Plain={"type": "object", "properties": {"p": {"type": "string"}}},
    Twice=TWICE,
    Holds=HOLDS,
    Nowhere=NOWHERE,
    Idle={"type": "object", "properties": {"t": {"$ref": "#/components/schemas/Holds"}}},
    Broken={"type": 7},
)
SAYABLE = ["GET /api/v1/bulk", "GET /api/v1/good", "GET /api/v1/two", "POST /api/v1/good", "PUT /api/v1/odd"]
UNSAYABLE = {
    "POST /api/v1/bulk": "multipart/related",
    "PUT /api/v1/mixed": "multipart/mixed",
    "POST /api/v1/one": "a-b of Twice",
    "POST /api/v1/two": "a-b of Twice",
    "POST /api/v1/lost": "refers to '#/components/schemas/Gone'",
    "GET /api/v1/two-": "both need the name 'get_two'",
    "GET /api/v1/odd": "is 7 where a list belongs",
    "GET /api/v1/a?b={c}": "no placeholder in its query",
}


def build(folder: Path, document: Any, *options: str, package: str = "built") -> pipeline.Result:
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "models.json").write_text(json.dumps(pipeline.NO_PRICES), encoding="utf-8")
    files = ["--document", str(folder / "openapi.json"), "--models", str(folder / "models.json")]
    if "--corrections" not in options:
        files += ["--corrections", "none"]
    return pipeline.in_process(["build", *files, "--output", str(folder / package), *options], folder / package)


def import_package(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(folder))
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]
    return importlib.import_module(name)


def test_every_problem_is_told_at_once_with_the_correction_that_leaves_it_out(tmp_path: Path) -> None:
    result = build(tmp_path, MANY)
    assert (result.code, "Traceback" in result.output, result.package.exists()) == (1, False, False)
    assert result.output.startswith("build: 8 of 13 operations cannot be said in Python, for 8 reasons:\n")
    for operation, why in UNSAYABLE.items():
        method, path = operation.split()
        target = f"$.paths['{path}']" + (f".{method.lower()}" if "?" not in path else "")  # no method of it will do
        told = [line for line in result.output.splitlines() if json.dumps(target) in line and why in line]
        assert len(told) == 1, (operation, result.output)
    assert str(tmp_path / "built.left_out.yaml") in result.output.splitlines()[-1]
    assert "--leave-out" in result.output.splitlines()[-1]
    assert not [name for name in SAYABLE if f"{name}." in result.output or f"{name}," in result.output]


def test_a_schema_that_several_operations_need_is_told_once_with_all_of_them(tmp_path: Path) -> None:
    (told,) = [line for line in build(tmp_path, MANY).output.splitlines() if line[0].isdigit() and "a-b" in line]
    lines = build(tmp_path, MANY).output.splitlines()
    told_at = lines.index(told)
    assert lines[told_at + 1] == "   Concerns the components 'Twice', 'Holds', 'Idle'."
    assert lines[told_at + 2] == "   Concerns POST /api/v1/one, POST /api/v1/two."


def test_the_corrections_told_are_all_it_takes(tmp_path: Path) -> None:
    told = [line.strip() for line in build(tmp_path, MANY).output.splitlines() if line.startswith("   - ")]
    own = tmp_path / "own.yaml"
    own.write_text("overlay: 1.1.0\nactions:\n" + "".join(f"  {line}\n" for line in told), encoding="utf-8")
    result = build(tmp_path, MANY, "--corrections", str(own))
    assert result.code == 0, result.output
    assert f"5 of 13 operations in {tmp_path / 'built'}" in result.output


def test_what_is_left_out_is_told_written_down_and_stands_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = build(tmp_path, MANY, "--leave-out")
    assert result.code == 0, result.output
    assert f"5 of 13 operations in {tmp_path / 'built'}" in result.output
    file = tmp_path / "built.left_out.yaml"
    assert f"Wrote {file}: every build of this package leaves out what it names" in result.output
    package = import_package(tmp_path, "built", monkeypatch)
    assert dict(package.SPEC.left_out).keys() == UNSAYABLE.keys()
    for operation, why in UNSAYABLE.items():
        assert why in dict(package.SPEC.left_out)[operation]
        assert f"{operation}: " not in dict(package.SPEC.left_out)[operation], "its name stands beside it already"
        assert [line for line in result.output.splitlines() if line.startswith("Left out: ") and operation in line]
    assert package.SPEC.operations == len(SAYABLE)
    assert max(map(len, (tmp_path / "built/__init__.py").read_text().splitlines())) <= 110
    removed = [action["target"] for action in yaml_of.read(file)["actions"]]
    assert len(removed) == len(set(removed)) == 8 + 5  # the operations, and the schemas nobody is left to need


def test_a_later_build_leaves_out_the_same_and_one_with_the_option_decides_anew(tmp_path: Path) -> None:
    file = tmp_path / "built.left_out.yaml"
    assert build(tmp_path, MANY, "--leave-out").code == 0
    first, text = {path: path.read_bytes() for path in (tmp_path / "built").rglob("*.py")}, file.read_text()
    again = build(tmp_path, MANY)
    assert again.code == 0, again.output
    assert {path: path.read_bytes() for path in (tmp_path / "built").rglob("*.py")} == first
    mended = copy.deepcopy(MANY)
    mended["paths"]["/api/v1/bulk"]["post"] = {"responses": {}}
    kept = build(tmp_path, mended)
    assert "Left out: POST /api/v1/bulk" in kept.output  # what a person may count on until asked for anew
    anew = build(tmp_path, mended, "--leave-out")
    assert ("Left out: POST /api/v1/bulk" in anew.output, "6 of 13 operations" in anew.output) == (False, True)
    assert file.read_text() != text
    whole = build(tmp_path, make({"/api/v1/good": {"get": {}}}), "--leave-out")
    assert (f"Took {file} away" in whole.output, file.exists()) == (True, False)


def test_a_file_that_was_not_written_here_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "built.left_out.yaml"
    file.write_text("overlay: 1.1.0\nactions: [mine]\n")
    result = build(tmp_path, MANY, "--leave-out")
    assert (result.code, f"{file} was not written here" in result.output) == (1, True)
    assert file.read_text() == "overlay: 1.1.0\nactions: [mine]\n"
    assert not result.package.exists()


def test_nothing_is_left_out_of_the_pinned_document_without_a_correction(
    tmp_path: Path, render: Callable[..., pipeline.Result], document: dict[str, Any]
) -> None:
    document["paths"]["/api/v1/bulk"] = {"post": {"responses": {}, **RELATED}}
    result = render(document=document)
    assert result.code == 1
    assert '"target": "$.paths[\'/api/v1/bulk\'].post"' in result.output
    assert "corrections.yaml: nothing is left out without one." in result.output.splitlines()[-1]


def test_an_operation_that_stands_elsewhere_than_at_its_path_is_left_out_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = make({"/api/v1/good": {"get": {}}})
    document["components"]["pathItems"] = {"It's": {"post": {"responses": {}, **RELATED}, "get": {"responses": {}}}}
    document["paths"]["/api/v1/b"] = {"$ref": "#/components/pathItems/It's"}
    result = build(tmp_path, document, "--leave-out")
    assert result.code == 0, result.output
    assert "$.components.pathItems['It\\\\'s'].post" in (tmp_path / "built.left_out.yaml").read_text()
    assert [name for name, _ in import_package(tmp_path, "built", monkeypatch).SPEC.left_out] == ["POST /api/v1/b"]


@pytest.mark.parametrize(
    "document", [{"openapi": "3.1.0", "paths": {}}, {"openapi": "2.0"}, make({"/a": {"post": RELATED}})]
)
def test_a_document_that_is_wrong_as_a_whole_still_stops(document: Any, tmp_path: Path) -> None:
    result = build(tmp_path, document, "--leave-out")
    assert result.code == 1
    assert not result.package.exists()
    assert not (tmp_path / "built.left_out.yaml").exists()


def test_a_wrong_word_of_a_correction_stops_and_is_nobodys_operation(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    word = {"target": "$.paths['/api/v1/good'].get", "description": "d", "update": {"x-python": {"job": "maybe"}}}
    own.write_text(json.dumps({"overlay": "1.1.0", "actions": [word]}))
    result = build(tmp_path, MANY, "--leave-out", "--corrections", str(own))
    assert (result.code, "known are {job: true} and {job: false}" in result.output) == (1, True)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(NAMES, NAMES)
def test_a_target_names_its_place_whatever_it_is_called(path: str, other: str) -> None:
    document = {"paths": {f"/{path}": {"get": 1, "put": 2}, f"/{path}{other}": {"get": 3}}}
    action = Action(1, survey.write_target(("paths", f"/{path}", "get")), "d", remove=True)
    left = pipeline.correct(document, [action])["paths"]
    assert left == {f"/{path}": {"put": 2}, f"/{path}{other}": {"get": 3}}


@given(
    st.sets(st.sampled_from(sorted(MANY["paths"])), min_size=1),
    st.sets(st.sampled_from(["Twice", "Broken", "Nowhere"])),
)
def test_what_the_survey_leaves_is_exactly_what_alone_could_be_said(paths: set[str], schemas: set[str]) -> None:
    document = copy.deepcopy(MANY)
    document["paths"] = {path: item for path, item in MANY["paths"].items() if path in paths}
    for name in schemas:
        document["components"]["schemas"][name] = {"type": "object", "properties": {"p": {"type": "string"}}}

    def plan(rest: Any, unsayable: Any) -> Any:
        return make_plan(rest, PriceList("2026-08-20", {}), {"sha256": ""}, unsayable=unsayable)

    made, faults = survey.survey(document, plan)
    told = [operation for fault in faults for operation in fault.operations]
    assert len(told) == len(set(told))
    assert len(told) + (made.operations if made else 0) == len([*survey.list_operations(document)])
