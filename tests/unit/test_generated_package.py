"""The generated package as a whole: every operation of the pinned document is there, and loads only when asked."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

from by_kind import IMAGE

import muapi_generated
from muapi_client.pinning import pinned
from muapi_client.pinning._document.reader import Document
from muapi_generated import checks, functions, models

if typing.TYPE_CHECKING:
    from muapi_generated.types import Call

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "spec/openapi.json").read_text(encoding="utf-8"))
PACKAGE = ROOT / "generated/muapi_generated"
CATALOGUE = json.loads((PACKAGE / "catalog.json").read_text(encoding="utf-8"))
JOBS = {path for (_, path), one in Document(DOCUMENT).operations.items() if one.job == "job"}


def endpoints() -> dict[tuple[str, str], Any]:
    """Every endpoint module's operation by method and path."""
    found = {}
    for file in PACKAGE.glob("api/*/*.py"):
        if file.name != "__init__.py":
            module = importlib.import_module(f"muapi_generated.api.{file.parent.name}.{file.stem}")
            found[module.OPERATION.method, module.OPERATION.path] = module
    return found


ENDPOINTS = endpoints()


def test_every_operation_of_the_document_has_its_module() -> None:
    wanted = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert set(ENDPOINTS) == wanted
    assert muapi_generated.SPEC.operations == len(wanted)


def test_the_package_was_rendered_from_the_pin() -> None:
    files = {"sha256": "spec/openapi.json", "corrections_sha256": "spec/corrections.yaml"}
    for name, file in files.items():
        assert getattr(muapi_generated.SPEC, name) == hashlib.sha256((ROOT / file).read_bytes()).hexdigest()


def test_the_jobs_are_those_that_a_comparison_finds_in_the_document() -> None:
    assert {path for (_, path), module in ENDPOINTS.items() if module.OPERATION.is_job} == JOBS


def test_every_parameter_reaches_its_place_under_its_wire_name() -> None:
    for module in ENDPOINTS.values():
        function = getattr(module, module.OPERATION.name)
        parameters = inspect.signature(function).parameters.values()
        assert all(one.kind is one.KEYWORD_ONLY for one in parameters)
        call: Call[Any] = function(**{one.name: {} if one.name == "body" else f"<{one.name}>" for one in parameters})
        sent = [*(call.body or {}), *call.query, *call.files, *call.path]
        assert len(sent) == len([one for one in parameters if one.name != "body"]), module.OPERATION
        assert all(f"{{{name}}}" in module.OPERATION.path for name in call.path)
        if module.OPERATION.request:
            wire = DOCUMENT["components"]["schemas"].get(module.OPERATION.request, {}).get("properties")
            assert wire is None or set(call.body or ()) == set(wire), module.OPERATION


def test_no_junk_parameter_is_left() -> None:
    junk = {"webhook", "team_id", "x_api_key", "authorization", "x_embed_code", "x_agent_embed_code"}
    for module in ENDPOINTS.values():
        assert not junk & set(inspect.signature(getattr(module, module.OPERATION.name)).parameters)


def test_required_fields_come_first_and_the_webhook_last() -> None:
    for module in ENDPOINTS.values():
        parameters = list(inspect.signature(getattr(module, module.OPERATION.name)).parameters.values())
        required = [one.default is one.empty for one in parameters]
        assert required == sorted(required, reverse=True)
        names = [one.name for one in parameters]
        assert "webhook_url" not in names or names[-1] == "webhook_url" or required[names.index("webhook_url")]


def test_every_docstring_tells_every_parameter() -> None:
    for module in ENDPOINTS.values():
        function = getattr(module, module.OPERATION.name)
        told = inspect.getdoc(function) or ""
        assert all(f"    {name}: " in told for name in inspect.signature(function).parameters)
        assert "Returns:\n    The request, unsent" in told


def test_every_model_loads_and_every_request_is_checkable() -> None:
    for name in models.__all__:
        model = getattr(models, name)
        assert model.__name__ == name
        if not hasattr(model, "from_dict"):
            assert all(one.type == "missing" for one in checks.problems(model, {}))


def test_the_flat_index_and_the_groups_offer_the_same_functions() -> None:
    groups = {file.stem for file in PACKAGE.glob("functions/*.py")} - {"__init__"}
    by_group = {
        name: group
        for group in groups
        for name in importlib.import_module(f"muapi_generated.functions.{group}").__all__
    }
    assert by_group == {one["function"]: one["group"] for one in CATALOGUE["models"]}
    assert sorted(by_group) == sorted(functions.__all__)
    assert not groups & set(by_group)


def test_the_catalogue_knows_every_job_and_stream_once() -> None:
    slugs = [one["slug"] for one in CATALOGUE["models"]]
    streams = {path for _, path in ENDPOINTS if path.endswith("/stream")}
    assert slugs == sorted({path.removeprefix("/api/v1/") for path in JOBS | streams})
    assert {one["request"] for one in CATALOGUE["models"]} - {""} <= CATALOGUE["requests"].keys()  # "" has no body
    assert CATALOGUE["sha256"] == muapi_generated.SPEC.sha256


def test_the_catalogue_tells_the_name_and_the_tier_that_a_summary_holds() -> None:
    paths = pinned().document["paths"]
    tiers = set()
    for one in CATALOGUE["models"]:
        summary, name, tier = paths[f"/api/v1/{one['slug']}"]["post"]["summary"], one["name"], one["tier"]
        assert name in (None, one["slug"], summary.partition(" (")[0])
        assert tier is None or summary == f"{name} ({tier})"
        tiers.add(tier)
    assert {None, "balanced"} <= tiers
    (one,) = (one for one in CATALOGUE["models"] if one["slug"] == IMAGE.slug)
    assert (one["name"], one["tier"], one["group"]) == (IMAGE.name, IMAGE.tier, "text_to_image")


def test_long_lists_of_choices_are_named_once() -> None:
    from muapi_generated import choices

    lists = [typing.get_args(getattr(choices, name)) for name in choices.__all__]
    assert len(set(lists)) == len(lists)
    assert min(map(len, lists)) > 20


PROGRAM = f"import sys, muapi_generated.functions as f; f.{IMAGE.function}; print(*sys.modules)"


def test_one_function_loads_little_and_nothing_of_its_neighbours() -> None:
    program = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = [name for name in done.stdout.split() if name.startswith("muapi_generated.")]
    assert sorted(loaded) == [
        "muapi_generated.api",
        "muapi_generated.api.text_to_image",
        f"muapi_generated.api.text_to_image.{IMAGE.function}",
        "muapi_generated.functions",
        "muapi_generated.models",  # the package that annotations name, and none of its classes
        "muapi_generated.types",
    ]
    assert not {"httpx", "anyio", "json", "dateutil"} & set(done.stdout.split())
