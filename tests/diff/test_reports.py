"""What changed, told in four forms; text of the document is never obeyed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import mutator
import pytest

from muapi_client.pinning import diff, find_usage
from muapi_client.pinning._diff.impacts import ANSWER, CLIENTS, EVERYWHERE, REQUEST
from muapi_client.pinning._report.forms import render
from muapi_client.pinning._report.markdown import LONGEST
from muapi_client.pinning._report.report import Report

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "x | `y` <img src=a> [l](http://e.vil) @you #1 GH-1 www.e.vil\n# head\u202e\x1b[31m _em_ ~~no~~ $m$ &amp; <!--"


def made(field: str, **operations: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object", "properties": {field: {"const": field}}}}}
    operation = {
        "parameters": [{"name": "webhook", "in": "query"}],
        "requestBody": {"content": content},
        "responses": {},
    }
    return {"openapi": "3.1.0", "paths": {f"/api/v1/{name}": {"post": operation} for name in operations or ("a", "b")}}


@pytest.fixture(scope="module")
def report(document: dict[str, Any]) -> Report:
    later, _ = mutator.later(document, seed=5)
    return Report(diff(document, later), "old.json", "new.json")


def test_the_text_counts_and_tells_each_change_once_with_its_operations(report: Report) -> None:
    text = render(report, "text")
    for impact, count in report.diff.counts.items():
        assert f"{impact.upper()} ({count}):" in text
    assert max(map(len, text.splitlines())) <= 100
    assert text.index("BREAKING") < text.index("TYPES") < text.index("SILENT") < text.index("COSMETIC")


def test_equal_changes_of_many_operations_are_one_line() -> None:
    names = {f"model-{number}": 1 for number in range(34)}
    found = Report(diff(made("a1", **names), made("b2", **names)), "old", "new")
    assert len(found.diff.changes) == 68
    assert render(found, "text").count("in 34 operations") == 2
    assert "and 29 more</summary>" in render(found, "markdown")
    assert len(json.loads(render(found, "json"))["changes"]) == 68


def test_markdown_obeys_nothing_the_document_says() -> None:
    text = render(Report(diff(made(EVIL), made("b")), EVIL, "new"), "markdown")
    assert not re.search(
        r"[`<\[@#$~|]",
        re.sub(r"&#\d+;|</?(b|details|summary)>|`[a-z0-9_]+`|^#+ |^\|.*\|$", "", text, flags=re.MULTILINE),
    )
    assert "http:" not in text
    assert "www." not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "\n# head" not in text


def test_markdown_stays_within_what_a_pull_request_takes(small: dict[str, Any]) -> None:
    later = json.loads(json.dumps(small))
    fields = [one for schema in later["components"]["schemas"].values() for one in schema["properties"].values()]
    for number, about in enumerate(fields):
        about.update(description=f"Number {number}", minLength=number + 3)
    report = Report(diff(small, later), "old", "new")
    assert len(report.diff.changes) > 1000
    text = render(report, "markdown")
    assert len(text) <= LONGEST
    assert "`--output json` has them all" in text
    assert text.count("<details>") == text.count("</details>")


def test_json_holds_every_change_with_its_values(report: Report) -> None:
    said = json.loads(render(report, "json"))
    assert said["worst"] == "breaking"
    assert said["counts"] == report.diff.counts
    assert sum(said["counts"].values()) == len(said["changes"]) == len(report.diff.changes)
    fields = {
        "impact",
        "kind",
        "effect",
        "slug",
        "function",
        "place",
        "field",
        "before",
        "after",
        "sentence",
        "pointer",
    }
    assert all(fields <= change.keys() for change in said["changes"])


def test_no_changes_are_told_as_such() -> None:
    report = Report(diff(made("a"), made("a")), "old", "new")
    assert "nothing changed" in render(report, "text")
    assert "nothing changed" in render(report, "markdown")
    assert json.loads(render(report, "json"))["worst"] is None
    assert json.loads(render(report, "sarif"))["runs"][0]["results"] == []


LEVELS = {"none", "note", "warning", "error"}


def check_sarif(log: dict[str, Any]) -> list[dict[str, Any]]:
    """What SARIF 2.1.0 requires of the parts used here (sections 3.13 to 3.52)."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules)
    assert all(rule["defaultConfiguration"]["level"] in LEVELS for rule in driver["rules"])
    for result in run["results"]:
        assert result["level"] in LEVELS
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["locations"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            physical = location["physicalLocation"]
            assert re.fullmatch(r"[!-~]+", physical["artifactLocation"]["uri"])  # a URI reference has no spaces
            assert physical["region"]["startLine"] >= 1
        assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in result["partialFingerprints"].values())
    return list(run["results"])


def test_sarif_points_into_the_document(report: Report) -> None:
    results = check_sarif(json.loads(render(report, "sarif")))
    assert {one["level"] for one in results} == {"error", "warning", "note"}
    (logical,) = results[0]["locations"][0]["logicalLocations"]
    assert logical["fullyQualifiedName"].startswith("#/")


def test_sarif_points_to_the_code_that_uses_what_changed(tmp_path: Path) -> None:
    (tmp_path / "my app.py").write_text("x = 1\nfrom muapi_client.models import a\n")
    found = diff(made("a1"), made("b2"))
    usage = find_usage([tmp_path]).within(found.functions)
    results = check_sarif(json.loads(render(Report(found.only(["a"]), "old", "new", usage), "sarif")))
    assert results
    for one in results:
        physical = one["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"].endswith("my%20app.py")
        assert physical["region"]["startLine"] == 2
        assert one["relatedLocations"][0]["logicalLocations"][0]["fullyQualifiedName"].startswith("#/")


def test_every_pointer_leads_somewhere(document: dict[str, Any]) -> None:
    later, _ = mutator.later(document, seed=6)
    for change in diff(document, later).changes:
        assert any(leads(change.pointer, one) for one in (later, document)), change.pointer


def leads(pointer: str, document: Any) -> bool:
    """Whether a pointer leads to something, or to where something of this name could stand."""
    node = document
    *steps, _ = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]] or [""]
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node.get(step)
        if node is None:
            return False
    return True


@pytest.mark.parametrize("table", [EVERYWHERE, REQUEST, ANSWER, CLIENTS])
def test_every_sentence_is_one_and_can_be_said(table: dict[tuple[str, str], tuple[str, str]]) -> None:
    words = dict.fromkeys(("before", "after", "lost", "gained", "default", "words"), "x")
    for impact, sentence in table.values():
        assert impact in ("breaking", "types", "silent", "additive", "cosmetic")
        assert re.fullmatch(r"[A-Z0-9xn].*\.", sentence.format_map(words))


def test_every_difference_of_a_field_has_a_rule_on_either_side() -> None:
    of_requests = {"parameter", "body", "media"}
    of_answers = {"answer", "answer_class", "job_answer"}
    asked = {key for key in REQUEST if key[0] not in of_requests}
    assert asked <= ANSWER.keys()
    answered = {key for key in ANSWER if key[0] not in of_answers}
    assert {kind for kind, _ in answered} == {kind for kind, _ in asked}
