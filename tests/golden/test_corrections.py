"""spec/corrections.yaml on the pinned document, and the few rules of Overlay we apply."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openapi_spec_validator_rs
import pipeline
import pytest
from ruamel.yaml import YAML

from rules import corrections
from rules.errors import GenerationError

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEC = Path(__file__).parents[2] / "spec"
DOCUMENT = json.loads((SPEC / "openapi.json").read_text(encoding="utf-8"))
FOUND = ({}, "List or create API keys", "Auto-topup settings")
ACTIONS = corrections.read_actions((SPEC / "corrections.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def corrected() -> dict[str, Any]:
    return pipeline.correct(DOCUMENT, ACTIONS)


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from item.values()


def without_defaults(part: Any) -> Any:
    """A document without the defaults of its schemas: one that contradicts its schema is told, and stays."""
    if isinstance(part, dict):
        is_schema = bool({"type", "anyOf", "allOf", "enum", "$ref"} & part.keys())
        return {name: without_defaults(one) for name, one in part.items() if name != "default" or not is_schema}
    return [without_defaults(one) for one in part] if isinstance(part, list) else part


def test_the_corrected_document_is_openapi(corrected: dict[str, Any]) -> None:
    openapi_spec_validator_rs.validate(without_defaults(corrected))


def test_the_pin_itself_is_left_as_it_is() -> None:
    before = copy.deepcopy(DOCUMENT)
    pipeline.correct(DOCUMENT, ACTIONS)
    assert before == DOCUMENT


def test_headers_team_and_webhook_leave_every_operation(corrected: dict[str, Any]) -> None:
    left = {(one["in"], one["name"]) for operation in operations(corrected) for one in operation.get("parameters", ())}
    assert {place for place, _ in left} == {"path", "query"}
    assert not left & {("query", "team_id"), ("query", "webhook")}


def test_whatever_took_a_webhook_answers_with_a_submission(corrected: dict[str, Any]) -> None:
    for before, after in zip(operations(DOCUMENT), operations(corrected), strict=True):
        took = any(one["name"] == "webhook" for one in before.get("parameters", ()))
        answer = after["responses"]["200"]["content"]["application/json"]["schema"]
        assert (answer.get("$ref") == "#/components/schemas/Submission") is took


def test_no_default_contradicts_its_const(corrected: dict[str, Any]) -> None:
    for schema in corrected["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            assert "const" not in field or field.get("default", field["const"]) == field["const"]


def test_every_correction_says_why_and_on_what_evidence() -> None:
    actions = YAML(typ="safe").load((SPEC / "corrections.yaml").read_text(encoding="utf-8"))["actions"]
    assert all(len(str(one[key]).split()) > 0 for one in actions for key in ("description", "x-evidence"))


def apply(document: dict[str, Any], **action: Any) -> dict[str, Any]:
    return pipeline.correct(document, [corrections.Action(1, description="d", **action)])


@pytest.mark.parametrize(
    ("document", "action", "expected"),
    [
        ({"a": {"b": 1}}, {"target": "$.a", "update": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": {"c": 1}}}, {"target": "$.a", "update": {"b": {"d": 2}}}, {"a": {"b": {"c": 1, "d": 2}}}),
        ({"a": [1]}, {"target": "$.a", "update": 2}, {"a": [1, 2]}),
        ({"a": {"b": [1]}}, {"target": "$.a", "update": {"b": [2, 3]}}, {"a": {"b": [1, 2, 3]}}),
        ({"a": 1}, {"target": "$.a", "update": 2}, {"a": 2}),
        ({"a": 1}, {"target": "$", "update": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": [0, 1, 2, 3]}, {"target": "$.a[?@ > 0 && @ < 3]", "remove": True}, {"a": [0, 3]}),
        ({"a": {"x": 1, "y": 2}}, {"target": "$.a.*", "remove": True}, {"a": {}}),
        ({"a": [0, 1, 2]}, {"target": "$.a[0, 0]", "remove": True}, {"a": [1, 2]}),
        ({"a": [0, 1, 2]}, {"target": "$.a[-1, 2]", "remove": True}, {"a": [0, 1]}),
        ({"a": [0, 1, 2]}, {"target": "$.a[2, 0]", "remove": True}, {"a": [1]}),
        ({"a": {"x": 1, "y": 2}}, {"target": "$.a['x', 'x']", "remove": True}, {"a": {"y": 2}}),
        ({"a": {"a": {"a": 1}}, "b": [{"a": 2}]}, {"target": "$..a", "remove": True}, {"b": [{}]}),
        ({"a": [1]}, {"target": "$['a', 'a']", "update": 2}, {"a": [1, 2]}),
        ({"a": {"b": {"a": 1}}}, {"target": "$..a", "update": 2}, {"a": 2}),
        (
            {"a": [{"n": 1}, {"n": 2}]},
            {"target": "$.a[?@.n == 2]", "update": {"m": 3}},
            {"a": [{"n": 1}, {"n": 2, "m": 3}]},
        ),
    ],
)
def test_update_and_remove_do_what_overlay_says(
    document: dict[str, Any], action: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert apply(document, **action) == expected


def test_two_places_do_not_share_what_they_were_given() -> None:
    result = apply({"a": {}, "b": {}}, target="$.*", update={"list": []})
    result["a"]["list"].append(1)
    assert result["b"]["list"] == []


def test_ours_all_say_what_they_were_written_against() -> None:
    assert all(action.remove or action.adds or action.keeps or action.found in FOUND for action in ACTIONS)


@pytest.mark.parametrize(
    ("document", "action", "told"),
    [
        (
            {"a": {"type": "integer"}},
            {"target": "$.a", "found": {}, "update": {"type": "string"}},
            'was written against {}, finds {"type": "integer"}, and makes it {"type": "string"}, at $.a',
        ),
        (
            {"a": 2},
            {"target": "$.a", "found": 1, "remove": True},
            "was written against 1, finds 2, and removes it, at $.a",
        ),
        ({"a": True}, {"target": "$.a", "found": 1, "update": 3}, "was written against 1, finds true, and makes it 3"),
        (
            {"a": {"b": 1, "c": 0}},
            {"target": "$.a", "adds": True, "update": {"b": 2, "d": 3}},
            "adds what is there already: b is 1, not 2, at $.a",
        ),
        (
            {"a": {"b": {"c": 1}}},
            {"target": "$.a", "update": {"b": {"c": 1}}},
            "changes nothing: the document says all",
        ),
        (
            {"a": {}, "b": [], "c": [], "d": []},
            {"target": "$.*", "found": {}, "update": {"x": 1}},
            'was written against {}, finds [], and makes it {"x": 1}, at $.b and 2 more places.',
        ),
    ],
)
def test_an_action_that_finds_something_else_shows_both_sides(
    document: dict[str, Any], action: dict[str, Any], told: str
) -> None:
    with pytest.raises(GenerationError) as caught:
        apply(document, **action)
    assert f"correction 1 ({action['target']}) {told}" in str(caught.value)
    assert "It was made because: d." in str(caught.value)


def test_where_an_action_does_not_fit_another_document_says_its_own() -> None:
    document = {"a": {"b": 1}, "c": [{}, {"z": 0}]}
    actions = [
        corrections.Action(1, "$.a", "d", update={"b": 2, "d": 3}, adds=True),
        corrections.Action(2, "$.c.*", "d", update={"y": 1}, found={}),
        corrections.Action(3, "$.none", "d", update=1),
    ]
    result, misses = corrections.apply_fitting_actions(document, actions)
    assert result == {"a": {"b": 1, "d": 3}, "c": [{"y": 1}, {"z": 0}]}
    assert [miss.action.number for miss in misses] == [1, 2, 3]


def test_why_an_action_matches_nothing_is_said_of_the_document_as_it_found_it() -> None:
    document = {"a": {"kept": {"code": 202}, "gone": 1}}
    actions = [
        corrections.Action(1, "$.a[?@.code].status", "d", update=1),
        corrections.Action(2, "$.a.kept", "d", remove=True),
    ]
    with pytest.raises(GenerationError, match=r"\$\.a\[\?@\.code\] is there, 'status' is not; there: 'code'"):
        pipeline.correct(document, actions)


def test_the_example_in_the_docs_is_an_overlay_that_does_what_is_said_of_it() -> None:
    text = (SPEC.parent / "docs/pin-in-your-ci.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n# mine.yaml\n")[2].partition("```")[0]
    assert YAML(typ="safe").load(example)["info"].keys() == {"title", "version"}
    document = {"paths": {"/api/v1/song": {"post": {"summary": "s"}}, "/api/v1/song-batch": {"post": {}, "get": {}}}}
    assert pipeline.correct(document, corrections.read_actions(example, "mine.yaml"))["paths"] == {
        "/api/v1/song": {"post": {"summary": "s", "x-python": {"job": True}}},
        "/api/v1/song-batch": {"get": {}},
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "actions: []",
            "mine.yaml is no OpenAPI Overlay document of version 1.0 or 1.1: it begins with `overlay: 1.1.0`",
        ),
        ("overlay: 1.1.0", "mine.yaml holds no actions: they are a list under `actions`"),
        ("[", "mine.yaml is no YAML: "),
        ("overlay: 1.1.0\nactions: [{target: $.a, remove: true}]", "correction 1 of mine.yaml ($.a) gives no reason"),
    ],
)
def test_what_is_no_file_of_corrections_is_told_by_its_name(text: str, told: str) -> None:
    with pytest.raises(GenerationError) as caught:
        corrections.read_actions(text, "mine.yaml")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "words",
    ["x-adds: true, remove: true", "x-adds: yes please, update: {a: 1}", "x-adds: true, x-found: 1, update: {a: 1}"],
)
def test_an_action_that_contradicts_itself_is_refused(words: str) -> None:
    text = f"overlay: 1.1.0\nactions: [{{target: $.a, description: d, {words}}}]"
    with pytest.raises(GenerationError, match="x-adds is true on an update by names"):
        corrections.read_actions(text)


def test_a_response_code_in_an_update_is_a_text_as_it_is_in_a_document() -> None:
    text = "overlay: 1.1.0\nactions: [{target: $.a, description: d, update: {200: 2026-01-01}}]"
    (action,) = corrections.read_actions(text)
    assert pipeline.correct({"a": {"200": "x"}}, [action]) == {"a": {"200": "2026-01-01"}}


@pytest.mark.parametrize("document", [{}, {"paths": None}, {"paths": {"/a": None}}])
def test_operations_are_looked_for_in_a_document_whose_paths_are_no_objects(document: dict[str, Any]) -> None:
    about = corrections.Action(1, "$.paths['/a'].get", "d", {"summary": "s"})
    assert [miss.stops for miss in corrections.apply_fitting_actions(document, [about])[1]] == [False]
    keeps = corrections.Action(2, "$.paths", "d", {"/a": {"get": {}}}, keeps=True)
    with pytest.raises(GenerationError, match=r"correction 2 .* is null where an object belongs"):
        corrections.apply_fitting_actions(document, [keeps])
