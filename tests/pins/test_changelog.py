"""The changelog's API part: written by the machine, beside what people wrote."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from muapi_client.pinning.__main__ import main
from muapi_client.pinning._diff.documents import diff
from muapi_client.pinning._document.lock import sha256
from muapi_client.pinning._locks.changelog import Step, insert_entry, make_entry, render_code, summarize
from muapi_client.pinning._report.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD, NEW, NEWER = "a" * 64, "b" * 64, "c" * 64
STEP, LATER = Step(OLD, NEW, "2026-11-29"), Step(NEW, NEWER, "2026-12-01")
WRITTEN = """\
# Changelog

## [Unreleased]

### Added

- A fox.

### API

- First pin.

## [0.1.0]

### API

- Nothing.
"""
KEY = {"name": "webhook", "in": "query", "schema": {"type": "string"}}


def document(**slugs: dict[str, Any]) -> dict[str, Any]:
    """A document with one model a slug, its fields as given."""
    return {
        "openapi": "3.1.0",
        "paths": {
            f"/api/v1/{slug}": {
                "post": {
                    "summary": f"{slug} (fast)",
                    "parameters": [KEY],
                    "requestBody": {
                        "content": {"application/json": {"schema": {"type": "object", "properties": fields}}}
                    },
                    "responses": {"200": {"description": "", "content": {"application/json": {"schema": {}}}}},
                }
            }
            for slug, fields in slugs.items()
        },
    }


BEFORE = document(
    fox={"size": {"type": "integer", "maximum": 9}}, hen={"n": {"type": "integer", "default": 1}}, gone={}
)


def told(after: dict[str, Any], to: str = NEW) -> str:
    return make_entry(diff(BEFORE, after), Step(OLD, to, "2026-11-29"))


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    after = copy.deepcopy(BEFORE)
    change(after)
    return after


def fields(after: dict[str, Any], slug: str) -> dict[str, Any]:
    body = after["paths"][f"/api/v1/{slug}"]["post"]["requestBody"]
    return body["content"]["application/json"]["schema"]["properties"]


def many(after: dict[str, Any]) -> None:
    fields(after, "fox")["size"]["maximum"] = 5
    fields(after, "fox")["size"]["description"] = "How big."
    fields(after, "hen")["n"]["default"] = 2
    del after["paths"]["/api/v1/gone"]
    for number in range(10):
        after["paths"][f"/api/v1/new-{number}"] = copy.deepcopy(after["paths"]["/api/v1/hen"])


def test_an_entry_tells_what_breaks_first_and_counts_what_does_not_matter() -> None:
    assert told(changed(many)) == snapshot("""\
- From document `aaaaaaaaaaaa`, to `bbbbbbbbbbbb` of 2026-11-29: 3 operations before, 12 now.
  - Breaks code that runs:
    - `fox`: body `size`: Its greatest value was 9 and is 5.
    - `gone`: It is gone: its function goes with it, and the server will answer 404.
  - Changes what a call costs or does, in silence:
    - `hen`: body `n`: Left out, it is 2 now, it was 1.
  - Adds what nobody has to use:
    - `new_0`, `new_1`, `new_2`, `new_3`, `new_4`, `new_5`, `new_6`, `new_7` and 2 more: New.
  - Changes nothing for code: 1 more.
""")


def test_it_is_put_where_the_api_is_told_of_and_nothing_else_moves() -> None:
    once = insert_entry(WRITTEN, told(changed(many)), STEP)
    assert once.replace(told(changed(many)), "") == WRITTEN
    assert once.index("- First pin.") < once.index("- From document") < once.index("## [0.1.0]")


def test_telling_it_again_changes_nothing() -> None:
    once = insert_entry(WRITTEN, told(changed(many)), STEP)
    assert insert_entry(once, told(changed(many)), STEP) == once


def test_a_later_document_takes_the_place_of_one_that_was_never_committed() -> None:
    once = insert_entry(WRITTEN, told(changed(many)), STEP)
    later = told(changed(lambda after: fields(after, "hen")["n"].update(default=3)), NEWER)
    assert insert_entry(once, later, STEP) == insert_entry(WRITTEN, later, STEP)


def test_the_next_step_is_told_behind_the_first() -> None:
    first = insert_entry(WRITTEN, told(changed(many)), STEP)
    step = make_entry(diff(changed(many), BEFORE), LATER)
    both = insert_entry(first, step, LATER)
    assert both == first.replace("\n\n## [0.1.0]", f"\n{step}\n## [0.1.0]")
    assert insert_entry(both, told(changed(many)), STEP) == both


@pytest.mark.parametrize(
    "changelog",
    [
        "",
        "# Changelog\n",
        "# Changelog\n\n## [0.1.0]\n\n- Old.\n",
        "# Changelog\n\n## [Unreleased]\n",
        "# Changelog\n\n## [Unreleased]\n\n### API\n",
        "# Changelog\n\n## [Unreleased]\n\n### API\n\n### Fixed\n\n- A hen.\n",
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A hen.\n\n[Unreleased]: https://example.com/compare\n",
    ],
)
def test_missing_parts_are_made(changelog: str) -> None:
    once = insert_entry(changelog, told(changed(many)), STEP)
    assert insert_entry(once, told(changed(many)), STEP) == once
    headings = [line for line in once.splitlines() if line.startswith("#")]
    assert headings.count("## [Unreleased]") == headings.count("### API") == 1
    assert {line for line in changelog.splitlines() if line} <= set(once.splitlines())
    above = once[: once.index("- From document")]
    assert above.rfind("### API") > above.rfind("## [Unreleased]") >= 0
    assert above.rfind("## [0.1.0]") < 0


def test_a_summary_leaves_out_what_there_is_none_of() -> None:
    assert summarize(diff(BEFORE, changed(many)).counts) == snapshot("2 breaking, 1 silent, 10 additive, 1 cosmetic")
    assert summarize(diff(BEFORE, BEFORE).counts) == "nothing for any operation"


def test_no_word_of_a_document_links_or_calls_anybody() -> None:
    words = escape("www.evil.com https://evil.com @team a/b#1 #23 GH-4 x@evil.com")
    assert not re.search(r"www\.|https:|@", words)  # what cmark-gfm makes links of, in the source
    shown = MarkdownIt().render(words)
    assert not re.search(r"@[\w-]|#\d|GH-\d", shown)  # what GitHub looks for in the page once it is made


HOSTILE = st.text(alphabet="`*_[]()<>#!|~&\\@:/-+. \n\tab1\u2028", max_size=30)


@given(HOSTILE)
def test_words_of_a_document_stay_words(text: str) -> None:
    (block,) = MarkdownIt().parse(f"- x {escape(text)}")[3:-3] if text.strip() else (None,)
    if block is None:
        return
    assert {child.type for child in block.children or ()} <= {"text", "text_special"}
    assert block.content.startswith("x ")
    shown = "".join(child.content for child in block.children or ()).replace("\N{ZERO WIDTH SPACE}", "")
    assert shown == f"x {' '.join(text.split())}".rstrip()


@given(HOSTILE.filter(str.strip))
def test_code_of_a_document_stays_code(text: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(render_code(text)) if token.type == "inline"]
    (only,) = inline.children or ()
    assert (only.type, only.content) == ("code_inline", " ".join(text.split()))


def test_a_field_that_would_write_headings_or_mention_people_does_not() -> None:
    hostile = "`\n## [9.9.9]\n- From document `aaaaaaaaaaaa`, @team #1 <b> https://x.y"
    after = changed(lambda after: fields(after, "fox").update({hostile: {"type": "string", "enum": [hostile]}}))
    (line,) = [line for line in told(after).splitlines() if "9.9.9" in line]
    assert line.startswith("    - ")
    once = insert_entry(WRITTEN, told(after), STEP)
    assert insert_entry(once, told(after), STEP) == once
    assert once.count("\n## ") == WRITTEN.count("\n## ")
    assert "\u202e" not in escape("\u202eabc") + render_code("a\u202e")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose last commit pins `BEFORE`, and whose pin is another document now."""
    monkeypatch.chdir(tmp_path)
    prices = {"currency": "USD", "models": [{"name": "fox", "cost": 0.1}]}
    put(tmp_path, BEFORE, prices)
    (tmp_path / "CHANGELOG.md").write_text(WRITTEN, encoding="utf-8")
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *words], check=True)
    put(tmp_path, changed(many), {**prices, "models": [{"name": "fox", "cost": 0.2}]})
    return tmp_path


def put(home: Path, document: dict[str, Any], prices: dict[str, Any]) -> None:
    (home / "document.json").write_text(json.dumps(document), encoding="utf-8")
    (home / "prices.json").write_text(json.dumps(prices), encoding="utf-8")
    assert main(["fetch", "--source", "document.json", "--models", "prices.json", "--spec", "spec"]) == 0


def test_the_command_compares_with_the_last_commit(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["changelog", "--title", "title.txt", "--text", "text.md"]) == 0
        changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
        assert changelog.count("- From document `") == 1
    assert "body `size`: Its greatest value was 9 and is 5." in changelog
    assert "`fox`: It costs USD 0.2 where it cost USD 0.1." in changelog
    title = (repository / "title.txt").read_text(encoding="utf-8")
    assert title.startswith(f"Pin MuAPI's document {sha256((repository / 'spec/openapi.json').read_bytes())[:12]}: 2 b")
    assert title.count("\n") == 1
    assert (repository / "text.md").read_text(encoding="utf-8").count("### breaking") == 1
    assert title.strip() in capsys.readouterr().out


def test_the_same_document_leaves_the_changelog_alone(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["changelog", "--old", "spec/openapi.json", "--text", "text.md"]) == 0
    assert capsys.readouterr().out.startswith("nothing to tell: the old document is ")
    assert (repository / "CHANGELOG.md").read_text(encoding="utf-8") == WRITTEN
    assert not (repository / "text.md").exists()


def test_prices_that_changed_beside_the_same_document_are_told(repository: Path) -> None:
    subprocess.run(["git", "checkout", "-q", "spec/openapi.json"], check=True)
    for _ in range(2):
        assert main(["changelog", "--title", "title.txt", "--text", "text.md"]) == 0
    told = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert told.count("- From the prices of ") == 1
    assert "`fox`: It costs USD 0.2 where it cost USD 0.1." in told
    assert (repository / "title.txt").read_text(encoding="utf-8").startswith("Pin MuAPI's prices of ")
    assert "It costs USD 0.2" in (repository / "text.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--old", "nowhere.json"], "cannot read nowhere.json"),
        (["--changelog", "nowhere.md"], "cannot read nowhere.md"),
        (["--spec", "nowhere"], "name the old document with --old"),
    ],
)
def test_what_is_missing_is_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["changelog", *words]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert (repository / "CHANGELOG.md").read_text(encoding="utf-8") == WRITTEN
