"""Regenerating is safe: what would break is named before anything is replaced."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pipeline
import pytest
import specimen

from build import generator, overlay_usage, record, upstream_templates
from render import ROOT
from rules import document_text
from rules.errors import GenerationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline import Result

CODE = """\
from specimen_generated.types import UNSET, Call, Operation as Request
from specimen_generated import models, choices
from specimen_generated.api.text_to_video.vidu_v2_0 import vidu_v2_0 as make
from specimen_generated.functions.text_to_video import vidu_v2_0

VIDU = Request("", "POST", "/api/v1/vidu-v2.0")

def f(name):
    Request("", "POST", f"/api/v1/{name}")
    from specimen_generated.functions import talker
    getattr(models, name)
    talker(prompt="a", city="b")
    return make(prompt="a"), models.SharedRequest, choices.__all__
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Hand-written code that stands on the package of the small document."""
    folder = tmp_path / "hand"
    folder.mkdir()
    (folder / "uses.py").write_text(CODE)
    (folder / "other.py").write_text("import json\n")
    return folder


@pytest.fixture
def regenerate(tmp_path: Path, code: Path) -> Callable[..., Result]:
    """Render a document under that code."""
    return lambda document, command="generate": pipeline.run(
        tmp_path, command, options=["--code", str(code)], document=document
    )


def test_code_whose_names_are_all_there_lets_the_package_pass(
    document: dict[str, Any], regenerate: Callable[..., Result]
) -> None:
    result = regenerate(document)
    assert result.code == 0, result.output


def _no_function(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/talker-2"] = document["paths"].pop("/api/v1/talker")


def _another_shelf(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/vidu-v2.0"]["post"]["tags"] = ["Audio"]


def _another_method(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/vidu-v2.0"]["put"] = document["paths"]["/api/v1/vidu-v2.0"].pop("post")


def _no_field(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["SharedRequest"]["properties"]["city"]


def _no_model(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    schemas["SharedReqest"] = schemas.pop("SharedRequest")
    for item in document["paths"].values():
        item["post"]["requestBody"] = specimen.body(specimen.ref("SharedReqest"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_no_function, "hand/uses.py uses talker of functions (near it: talker_2)"),
        (_another_shelf, "hand/uses.py uses vidu_v2_0 of api.text_to_video.vidu_v2_0"),
        (_another_method, "hand/uses.py asks POST /api/v1/vidu-v2.0"),
        (_no_field, "hand/uses.py calls talker with city"),
        (_no_model, "hand/uses.py uses SharedRequest of models (near it: SharedReqest)"),
    ],
)
def test_a_name_the_code_uses_and_the_document_no_longer_has_stops_the_swap(
    change: Callable[[dict[str, Any]], None],
    named: str,
    document: dict[str, Any],
    regenerate: Callable[..., Result],
) -> None:
    before = regenerate(document)
    old = {file: file.read_bytes() for file in before.package.rglob("*.py")}
    later = copy.deepcopy(document)
    change(later)
    for command in ("generate", "drift"):
        result = regenerate(later, command)
        assert (result.code, len(result.output.strip().splitlines())) == (1, 1)
        assert named in result.output
        assert "openapi.json no longer has what the hand-written code stands on" in result.output
    assert {file: file.read_bytes() for file in before.package.rglob("*.py")} == old


def test_all_that_the_overlay_uses_is_in_the_package_it_stands_on() -> None:
    overlay, package = ROOT / "overlay/muapi_client", ROOT / "generated/muapi_generated"
    paths = json.loads((ROOT / "spec/openapi.json").read_text(encoding="utf-8"))["paths"]
    operations = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    overlay_usage.check_uses(overlay, "muapi_generated", package, "the pinned document", operations)
    every = overlay_usage.find_uses(overlay, "muapi_generated")
    assert "GET /api/v1/predictions/{id}/result" in {use.operation for use in every}
    found = {(use.file, use.name, use.keyword) for use in every}
    assert ("muapi_client/_jobs/reconcile.py", "get_history", "cursor") in found
    assert ("muapi_client/catalog.py", "Operation", "") in found


def test_a_text_that_names_a_model_that_is_gone_is_told_and_stops_nothing(
    tmp_path: Path, document: dict[str, Any], code: Path
) -> None:
    shelf = tmp_path / "shelf"
    (shelf / "docs").mkdir(parents=True)
    code.rename(shelf / "overlay").joinpath("uses.py").unlink()
    (shelf / "README.md").write_text("Try `vidu_v2_0(...)`, or muapi-client run talker.\n")
    (shelf / "docs/more.md").write_text("POST /api/v1/vidu-v2.0 is a model, vidu-v2.0x is none.\n")
    options = ["--code", str(shelf / "overlay/inner")]
    (shelf / "overlay/inner").mkdir()
    assert " is gone" not in pipeline.run(tmp_path, document=document, options=options).output
    later = copy.deepcopy(document)
    later["paths"]["/api/v1/vidu-v3"] = later["paths"].pop("/api/v1/vidu-v2.0")
    result = pipeline.run(tmp_path, document=later, options=options)
    assert result.code == 0, result.output
    gone = "which is gone from the document: name another model there, such as vidu-v3."
    told = [line for line in result.output.splitlines() if " names " in line]
    assert told == [f"README.md names vidu_v2_0, {gone}", f"more.md names vidu-v2.0, {gone}"]


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("$.paths['/api/v1/talker'].post.nowhere", "'nowhere' is not; there:"),
        ("$.paths['/api/v1/talker', '/api/v1/gone'].post.summery", "'summery' is not; near it: 'summary'"),
        ("$.paths.*.*.parameters[?@.name == 'gone']", "fits nothing in 2 values"),
        ("$.components.schemas.Submision.properties", "'Submision' is not; near it: 'Submission'"),
        ("$.info.title.word", "$.info.title is there, 'word' is not; there: no names"),
    ],
)
def test_a_correction_that_no_longer_applies_says_which_why_and_what_to_do(
    target: str, named: str, document: dict[str, Any], render: Callable[..., Result]
) -> None:
    action = f'  - target: "{target}"\n    description: The server says otherwise\n    update: {{}}\n'
    result = render(document=document, corrections=specimen.CORRECTIONS + action)
    assert (result.code, len(result.output.strip().splitlines())) == (1, 1)
    for part in (f"correction 3 ({target}) matches nothing", named, "made because: The server says otherwise."):
        assert part in result.output
    assert "retarget the action in the corrections, or remove it" in result.output


@pytest.mark.parametrize(
    ("target", "operations", "named"),
    [
        ("$.paths['/api/v1/talkr'].post", "", "$.paths is there, '/api/v1/talkr' is not; near it: '/api/v1/talker'"),
        (
            "$.paths['/api/v1/talker'].put.summary",
            "",
            "$.paths['/api/v1/talker'] is there, 'put' is not; there: 'post'",
        ),
        ("$.paths['/api/v1/a', '/api/v1/b'].*", "", "fits nothing in what is there"),
        ("$.components.schemas.*.none", "POST /api/v1/gone, GET /api/v1/talker", "'none' is not"),
    ],
)
def test_a_correction_of_operations_that_are_gone_is_told_and_passed_over(
    target: str, operations: str, named: str, document: dict[str, Any], render: Callable[..., Result]
) -> None:
    about = f"\n    x-operations: [{operations}]" if operations else ""
    action = f'  - target: "{target}"\n    description: The server says otherwise{about}\n    update: {{}}\n'
    result = render(document=document, corrections=specimen.CORRECTIONS + action)
    assert result.code == 0, result.output
    assert f"An operation is gone: correction 3 ({target}) matches nothing" in result.output
    assert named in result.output


def test_every_action_that_no_longer_applies_is_told_at_once(
    document: dict[str, Any], render: Callable[..., Result]
) -> None:
    gone = "".join(f"  - {{target: $.x{n}, description: d, remove: true}}\n" for n in (1, 2))
    output = render(document=document, corrections=specimen.CORRECTIONS + gone).output
    assert "correction 3 ($.x1)" in output
    assert "correction 4 ($.x2)" in output


def test_ours_were_written_beside_the_templates_of_the_generator_that_is_installed() -> None:
    assert upstream_templates.list_changes(generator.TEMPLATES) == []


def test_a_generator_that_brings_other_templates_is_read_before_it_renders(
    tmp_path: Path, document: dict[str, Any], render: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "templates"
    theirs.mkdir()
    for file in upstream_templates._upstream_folder().iterdir():
        if file.name.endswith(".jinja"):
            (theirs / file.name).write_bytes(file.read_bytes())
    (theirs / "model.py.jinja").write_text("other")
    (theirs / "errors.py.jinja").unlink()
    (theirs / "functions.py.jinja").write_text("a slot of a name we took")
    monkeypatch.setattr(upstream_templates, "_upstream_folder", lambda: theirs)
    lines = [
        "gone     errors.py.jinja",
        "replaces functions.py.jinja, which the record does not know",
        "moved    model.py.jinja",
    ]
    assert upstream_templates.list_changes(generator.TEMPLATES) == lines
    for command in ("generate", "drift"):
        result = render(command, document=document)
        assert (result.code, len(result.output.strip().splitlines())) == (1, 1)
        assert "moved model.py.jinja" in result.output
        assert "render.py upstream --record" in result.output
    listed = pipeline.in_process(["upstream"], tmp_path)
    assert (listed.code, listed.output.splitlines()) == (1, lines)


def test_drift_takes_the_word_of_the_record_only_while_every_hash_agrees(
    document: dict[str, Any], render: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = render(document=document).package
    recorded = record.record_path(package)
    vouched = "its record vouches for it"
    assert vouched in render("drift", document=document).output
    assert vouched not in render("drift", options=["--full"], document=document).output
    edited = package / "types.py"
    whole = edited.read_text()
    edited.write_text(whole + "\n# edited\n")
    assert (render("drift", document=document).code, vouched in render("drift", document=document).output) == (1, False)
    edited.write_text(whole)
    monkeypatch.setattr(record, "version", lambda _tool: "0")
    other = render("drift", document=document).output
    assert "is what comes out.\nIts record is not up to date (tools): `nox -s generate` renews it." in other
    monkeypatch.undo()
    recorded.write_text("nonsense")
    assert "(record)" in render("drift", document=document).output
    recorded.unlink()
    assert "(record)" in render("drift", document=document).output


def test_a_record_that_lies_is_found_by_rendering(document: dict[str, Any], render: Callable[..., Result]) -> None:
    package = render(document=document).package
    before = str(record.hash_outputs(package)["sha256"])
    (package / "types.py").write_text("# edited\n")
    recorded = record.record_path(package)
    recorded.write_text(recorded.read_text().replace(before, str(record.hash_outputs(package)["sha256"])))
    assert render("drift", document=document).code == 0
    full = render("drift", options=["--full"], document=document)
    assert (full.code, full.output.splitlines()[0]) == (1, "differs  types.py")


def test_the_record_is_the_same_wherever_it_is_made(document: dict[str, Any], tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        texts.append(record.record_path(pipeline.run(tmp_path / name, document=document).package).read_text())
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0]


def test_the_record_vouches_for_every_file_of_the_generator_in_whichever_room(tmp_path: Path) -> None:
    copied = shutil.copytree(generator.HERE, tmp_path / "generator", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    before = record.hash_inputs({}, {}, copied)
    files = [file for file in sorted(copied.rglob("*")) if file.is_file() and file.suffix != ".md"]
    assert {file.relative_to(copied).parts[0] for file in files} >= {"rules", "build", "templates", "render.py"}
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole + b"\n")
        assert record.hash_inputs({}, {}, copied) != before, file.name
        file.write_bytes(whole)
    (copied / "rules/__pycache__").mkdir()
    (copied / "rules/__pycache__/names.cpython-311.pyc").write_bytes(b"")
    assert record.hash_inputs({}, {}, copied) == before


def test_the_committed_record_vouches_for_the_committed_package() -> None:
    spec, package = ROOT / "spec", ROOT / "generated/muapi_generated"
    files = {"document": "openapi.json", "corrections": "corrections.yaml", "models": "models.json"}
    options = {"prefix": "/api/v1/", "fetched": document_text.read_fetch_time(spec / "openapi.json")}
    made_from = record.hash_inputs({name: spec / file for name, file in files.items()}, options, generator.HERE)
    assert record.find_stale(package, made_from) == [], "run `nox -s generate`"


def test_when_a_document_was_fetched_is_told_by_the_lock_that_is_about_it(tmp_path: Path) -> None:
    document, lock = tmp_path / "openapi.json", tmp_path / "lock.toml"
    document.write_text("{}", encoding="utf-8")
    assert document_text.read_fetch_time(document) == ""
    lock_text = 'document_sha256 = "{}"\nfetched_at = "2026-11-22T13:49:32+00:00"\n'
    lock.write_text(lock_text.format(hashlib.sha256(b"{}").hexdigest()), encoding="utf-8")
    assert document_text.read_fetch_time(document) == "2026-11-22T13:49:32+00:00"
    lock.write_text(lock_text.format("0" * 64), encoding="utf-8")
    assert document_text.read_fetch_time(document) == ""
    lock.write_text("no TOML", encoding="utf-8")
    with pytest.raises(GenerationError, match="is not TOML"):
        document_text.read_fetch_time(document)


def test_another_document_is_built_with_the_corrections_that_apply(tmp_path: Path, document: dict[str, Any]) -> None:
    idle = "  - {target: $.paths.x, description: corrected since, remove: true}\n"
    for name, text in {
        "old.json": json.dumps(document),
        "corrections.yaml": specimen.CORRECTIONS + idle,
        "models.json": json.dumps(specimen.PRICES),
    }.items():
        (tmp_path / name).write_text(text)
    files = ["--document", "old.json", "--corrections", "corrections.yaml", "--models", "models.json"]
    files[1::2] = [str(tmp_path / name) for name in files[1::2]]
    package = tmp_path / "out" / "old_generated"
    result = pipeline.in_process(
        ["build", *files, "--output", str(package), "--generated-by", "`us` from old.json"], package
    )
    assert result.code == 0, result.output
    assert "Not needed here: correction 3 ($.paths.x) matches nothing: $.paths is there, 'x' is not" in result.output
    assert sorted(one.name for one in package.parent.iterdir()) == ["old_generated"]
    heads = {file.read_text().partition("\n")[0] for file in package.rglob("*.py*") if file.stat().st_size}
    assert heads == {"# Generated by `us` from old.json. Do not edit."}
    assert "from muapi_generated.types import UNSET, Call, Fields, Media, Upload, given" in result.text("types.py")
