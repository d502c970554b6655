"""What ends a rendering, and that the old package then stands untouched."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import specimen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline import Result

Render = "Callable[..., Result]"
OTHER = specimen.job("other", "Audio", "SharedRequest")


def _two_paths_of_one_name(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/vidu_v2.0"] = OTHER


def _a_function_named_like_a_shelf(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/audio"] = OTHER


def _schemas_alike_but_for_case(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["sharedrequest"] = document["components"]["schemas"]["SharedRequest"]


def _fields_of_one_name(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["SharedRequest"]["properties"]
    properties["foo-bar"] = properties["foo_bar"] = {"type": "string"}


def _a_reference_to_nothing(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SharedRequest"]["properties"]["x"] = specimen.ref("Gone")


def _a_schema_sent_and_answered(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SharedRequest"]["properties"]["x"] = specimen.ref("Submission")


def _a_body_of_an_unknown_sort(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/picture"] = specimen.job("p", "Audio", "SharedRequest")
    document["paths"]["/api/v1/picture"]["post"]["requestBody"] = specimen.body({}, "multipart/mixed")


def _a_cookie_that_is_a_list(document: dict[str, Any]) -> None:
    parameter = {"name": "session", "in": "cookie", "schema": {"type": "array", "items": {"type": "string"}}}
    document["paths"]["/api/v1/talker"]["post"]["parameters"].append(parameter)


def _a_cookie_of_no_name(document: dict[str, Any]) -> None:
    parameter = {"name": "a session", "in": "cookie", "schema": {"type": "string"}}
    document["paths"]["/api/v1/talker"]["post"]["parameters"].append(parameter)


def _a_step_of_nothing(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["SharedRequest"]["properties"]
    properties["x"] = {"type": "integer", "multipleOf": 0}


def _a_negative_step(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["SharedRequest"]["properties"]
    properties["x"] = {"anyOf": [{"type": "number", "multipleOf": -0.5}, {"type": "null"}]}


def _a_bound_beyond_a_float(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["SharedRequest"]["properties"]
    properties["x"] = {"type": "integer", "maximum": 10**4000}


def _a_path_without_a_name(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/…"] = OTHER


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_two_paths_of_one_name, ["/api/v1/vidu-v2.0", "/api/v1/vidu_v2.0", "'vidu_v2_0'"]),
        (_a_function_named_like_a_shelf, ["the group audio", "/api/v1/audio"]),
        (_schemas_alike_but_for_case, ["SharedRequest", "sharedrequest"]),
        (_fields_of_one_name, ["foo-bar", "foo_bar"]),
        (_a_reference_to_nothing, ["#/components/schemas/Gone"]),
        (_a_schema_sent_and_answered, ["Submission", "both sent and answered"]),
        (_a_body_of_an_unknown_sort, ["POST /api/v1/picture", "multipart/mixed"]),
        (_a_cookie_that_is_a_list, ["POST /api/v1/talker", "an object or a list in a cookie (session)"]),
        (_a_cookie_of_no_name, ["POST /api/v1/talker", "cookie a session"]),
        (_a_path_without_a_name, ["/api/v1/…"]),
        (_a_step_of_nothing, ["POST /api/v1/", "multipleOf of 0"]),
        (_a_negative_step, ["POST /api/v1/", "multipleOf of -0.5"]),
        (_a_bound_beyond_a_float, ["POST /api/v1/", "maximum beyond what a float holds"]),
    ],
)
def test_a_document_that_cannot_be_rendered_is_refused_by_name(
    spoil: Callable[[dict[str, Any]], None], named: list[str], document: dict[str, Any], render: Callable[..., Result]
) -> None:
    spoil(document)
    result = render(document=document)
    assert result.code == 1
    assert [one for one in named if one not in result.output] == []
    assert "Traceback" not in result.output
    assert not result.package.exists()


def action(**change: Any) -> str:
    """The specimen's corrections with one more action, written as YAML takes JSON."""
    lines = [f"    {key}: {value}" for key, value in change.items()]
    return specimen.CORRECTIONS + "  -\n" + "\n".join(lines) + "\n"


def _two(first: str, second: str) -> str:
    """The specimen's corrections with two more, the first of them about all paths."""
    shared = "description: d"
    return specimen.CORRECTIONS + f"  - {{target: $.paths, {shared}, {first}}}\n  - {{{shared}, {second}}}\n"


@pytest.mark.parametrize(
    ("corrections", "named"),
    [
        (
            action(target="$.info.gone", description="d", remove="true"),
            ["correction 3", "$.info.gone"],
        ),
        (action(target="$.info", description="d"), ["correction 3", "either update or remove"]),
        (action(target="$.info", remove="true"), ["correction 3", "gives no reason"]),
        (action(target="$.info", description="d", remove="true", copy="$.x"), ["correction 3", "copy"]),
        (action(description="d", remove="true"), ["correction 3", "no target"]),
        (action(target="'$.paths[?('", description="d", remove="true"), ["correction 3", "no JSONPath"]),
        (action(target="$", description="d", remove="true"), ["correction 3", "whole document"]),
        (action(target="$.info", description="d", update="{[a]: 1}"), ["correction 3", "no JSON can say"]),
        (action(target="$.info", description="d", update="&a {b: *a}"), ["correction 3", "aliases"]),
        (action(target="$.info", description="d", update="{b: .nan}"), ["correction 3", "no JSON can say"]),
        (action(target="$.info", description="d", update="{b: 0x" + 5000 * "f" + "}"), ["correction 3", "digits"]),
        (action(target="$.info", description="d", update="{b: " + 5000 * "9" + "}"), ["no YAML", "digits"]),
        (action(target="$.info", description="d", update="{1: a, '1': b}"), ["correction 3", "'1' stands twice"]),
        (action(**{"target": "$.info", "description": "d", "remove": "true", "1": "2"}), ["correction 3", "nobody"]),
        (action(target="$.paths", description="d", update="null"), ["correction 3", "makes $.paths null"]),
        (action(target="$.paths.*", description="d", update="null"), ["correction 3", "null, where an object belongs"]),
        (_two("update: null", "target: $.paths.a, update: {}"), ["correction 3", "makes $.paths null"]),
        (
            _two("remove: true", "target: $.paths, update: {/a: {get: {}}}, x-keeps: true"),
            ["correction 3", "leave no paths"],
        ),
        ("overlay: 2.0.0\n", ["1.0 or 1.1"]),
        ("overlay: [\n", ["no YAML"]),
        ("overlay: 1.0.0\ninfo: {}\n", ["no actions"]),
    ],
)
def test_a_correction_that_does_nothing_or_explains_nothing_is_refused(
    corrections: str, named: list[str], document: dict[str, Any], render: Callable[..., Result]
) -> None:
    result = render(document=document, corrections=corrections)
    assert result.code == 1
    assert [one for one in named if one not in result.output] == []
    assert len(result.output.strip().splitlines()) == 1


def test_the_old_package_survives_a_refusal(document: dict[str, Any], render: Callable[..., Result]) -> None:
    before = render(document=document)
    assert before.code == 0
    spoilt = copy.deepcopy(document)
    _two_paths_of_one_name(spoilt)
    after = render(document=spoilt)
    assert after.code == 1
    assert after.text("api/text_to_video/vidu_v2_0.py") == before.text("api/text_to_video/vidu_v2_0.py")
    assert sorted(path.name for path in after.package.parent.iterdir()) == [
        "specimen_generated",
        "specimen_generated.toml",
    ]


def test_what_is_gone_from_the_document_is_gone_from_the_package(
    document: dict[str, Any], render: Callable[..., Result]
) -> None:
    result = render(document=document)
    (result.package / "api/text_to_video/stale.py").write_text("")
    del document["paths"]["/api/v1/talker"]
    assert render(document=document).code == 0
    assert not (result.package / "api/language").exists()
    assert not (result.package / "api/text_to_video/stale.py").exists()


def test_half_a_character_is_refused(document: dict[str, Any], render: Callable[..., Result]) -> None:
    document["components"]["schemas"]["SharedRequest"]["properties"]["prompt"]["default"] = "\ud800"
    result = render(document=document)
    assert (result.code, "half a character" in result.output) == (1, True)


def test_files_that_cannot_be_read_are_named(document: dict[str, Any], render: Callable[..., Result]) -> None:
    result = render(document=[], prices={"as_of": "2026-08-20", "models": []})
    assert (result.code, "openapi.json is no JSON object" in result.output) == (1, True)


WRONG_SECURITY = ["x", 7, [["x"]], [{"a": 3}], [{"a": [1, "b"]}], {"key": []}]


@pytest.mark.parametrize("security", WRONG_SECURITY, ids=str)
def test_a_wrong_security_is_a_problem_of_its_operation(
    security: Any, document: dict[str, Any], render: Callable[..., Result]
) -> None:
    document["paths"]["/api/v1/talker"]["post"]["security"] = security
    result = render(document=document)
    assert result.code == 1
    assert "paths['/api/v1/talker'].post.security" in result.output
    assert "reason" in result.output.splitlines()[0]


@pytest.mark.parametrize("security", WRONG_SECURITY, ids=str)
def test_a_wrong_security_of_the_document_is_refused(
    security: Any, document: dict[str, Any], render: Callable[..., Result]
) -> None:
    result = render(document={**document, "security": security})
    assert result.code == 1
    assert result.output.strip().startswith("generate: security")
    assert len(result.output.strip().splitlines()) == 1


def test_a_security_of_null_says_nothing(document: dict[str, Any], render: Callable[..., Result]) -> None:
    document["paths"]["/api/v1/talker"]["post"]["security"] = document["security"] = None
    assert render(document=document).code == 0
