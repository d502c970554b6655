"""Words of a document that would like to be commands: of a terminal, a runner, a page, a viewer of findings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from altered import fields

from muapi_client.pinning import Diff, diff
from muapi_client.pinning._report.forms import render
from muapi_client.pinning._report.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest
NASTY = "mood\x1b[31m\x9b31m\n::error title=a::b\n  ::add-mask::c ##[error]d \u202e"
FORMS = ("text", "markdown", "json")


@pytest.fixture
def live(folder: Path, document: dict[str, Any]) -> str:
    """A document whose new field is named like a command, and whose changed one says one."""
    fields(document)[NASTY] = {"type": "string"}
    fields(document)["width"]["default"] = NASTY
    (folder / "live.json").write_text(json.dumps(document), encoding="utf-8")
    return str(folder / "live.json")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", [("drift", "--source"), ("diff", "pin")], ids=["drift", "diff"])
def test_no_report_holds_a_command_of_a_terminal_or_a_runner(
    spec: Spec, live: str, command: tuple[str, ...], form: str
) -> None:
    said = spec(*command, live, f"--output={form}")
    assert "mood" in said.out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", said.out + said.err)
    assert "##[" not in said.out + said.err
    assert not re.search(r"^\s*::", said.out + said.err, re.MULTILINE)
    if form == "json":  # which means the same nevertheless
        diff = said.json.get("diff", said.json)
        assert f'"{NASTY}"' in [change["field"] for change in diff["changes"]]


@pytest.mark.parametrize(
    "text",
    ["[a](http://b.example)", "a\\\\](c)", "](", "see [x\\](y)"],
)
def test_no_finding_holds_a_link(document: dict[str, Any], changed: Callable[[str], Diff], text: str) -> None:
    log = json.loads(render(Report(changed(text), "old", "new"), "sarif"))
    messages = [one["message"]["text"] for one in log["runs"][0]["results"]]
    assert any("](" in message for message in messages)
    for message in messages:
        for found in re.finditer(r"(\\*)\]\(", message):
            assert len(found[1]) % 2 == 1, message  # an odd number of backslashes: the bracket ends no link's text


@pytest.fixture
def changed(document: dict[str, Any]) -> Callable[[str], Diff]:
    """What changed where a field's values became such a text."""

    def changed(text: str) -> Diff:
        before = json.loads(json.dumps(document))
        fields(document)[text] = {"type": "string"}
        return diff(before, document)

    return changed
