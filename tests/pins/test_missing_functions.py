"""Code that uses a function which no document has: ``verify`` and ``diff`` fail, and say where and what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

if TYPE_CHECKING:
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest
NEARLY = IMAGE.function[:-1]
NEEDED = (
    f"from muapi_client import models\nmodels.{NEARLY}(prompt='x')\n",
    f"\nfrom muapi_client.models import {NEARLY}\n",
    f"import muapi_client\ngetattr(muapi_client.models, '{NEARLY}')\n",
)
OPTIONAL = (
    f"from muapi_client import raw_call\nraw_call('{NEARLY}', {{}})\n",
    f"from muapi_client import models\nx = getattr(models, '{NEARLY}', None)\n",
    f"try:\n    from muapi_client.models import {NEARLY}\nexcept ImportError:\n    pass\n",
    f"from muapi_client import models\nhasattr(models, '{NEARLY}')\n",
    f"from muapi_generated_old.functions import {NEARLY}\n",
)


@pytest.fixture
def gone(spec: Spec, folder: Path) -> Path:
    assert spec("lock", "--used-in", "src").code == 0
    (folder / "gone").mkdir()
    return folder / "gone/app.py"


@pytest.mark.parametrize("text", NEEDED)
def test_a_function_that_no_document_has_fails(spec: Spec, gone: Path, text: str) -> None:
    gone.write_text(text, encoding="utf-8")
    told = f"gone/app.py:2: {NEARLY} is used, and in no document: did you mean {IMAGE.function}"
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "gone")
    assert (said.code, told in said.out) == (1, True)
    facts = spec("verify", "--lock", "muapi.lock", "--used-in", "gone", "--output=json").json
    assert (facts["holds"], facts["missing"]) == (False, {NEARLY: ["gone/app.py:2"]})
    for words in (("any",), ("breaking,types,silent",)):
        said = spec("diff", "muapi.lock", "pin", "--used-in", "gone", "--fail-on", *words)
        assert said.code == 1
        assert f"gone/app.py:2: {NEARLY} is used, and neither document has it: did you mean" in said.err
    assert spec("diff", "muapi.lock", "pin", "--used-in", "gone", "--fail-on", "none").code == 0
    said = spec("lock", "other.lock", "--used-in", "gone")
    assert said.code == 0
    assert f"gone/app.py:2: {NEARLY} is used and not locked" in said.err
    assert f"did you mean {IMAGE.function}" in said.err


def test_a_lock_of_everything_has_no_function_that_no_document_has(spec: Spec, gone: Path) -> None:
    gone.write_text(NEEDED[0], encoding="utf-8")
    spec("lock")
    assert spec("verify", "--lock", "muapi.lock", "--used-in", "gone").code == 1


@pytest.mark.parametrize("text", OPTIONAL)
def test_what_the_program_does_without_is_a_remark(spec: Spec, gone: Path, text: str) -> None:
    gone.write_text(text, encoding="utf-8")
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "gone")
    assert said.code == 0
    assert f"{NEARLY} is used, and in no document" in said.err
    assert spec("diff", "muapi.lock", "pin", "--used-in", "gone", "--fail-on", "any").code == 0


def test_a_function_of_a_package_rendered_into_the_code_is_there(spec: Spec, gone: Path) -> None:
    package = gone.parent / "muapi_generated_old"
    package.mkdir()
    (package / "files.json").write_text(
        f'{{"__init__.py": "", "types.py": "", "api/text_to_image/{NEARLY}.py": ""}}', encoding="utf-8"
    )
    gone.write_text(f"from muapi_generated_old.functions import {NEARLY}\n", encoding="utf-8")
    verified = spec("verify", "--lock", "muapi.lock", "--used-in", "gone")
    assert verified.code == 0
    there = f"gone/app.py:1: {NEARLY} is of a package rendered into this code, and not of the pinned document"
    locked, compared = spec("lock", "o.lock", "--used-in", "gone"), spec("diff", "pin", "pin", "--used-in", "gone")
    assert [there in said.err for said in (verified, locked, compared)] == [True] * 3
    gone.write_text("from muapi_generated_old.functions import no_such_thing\n", encoding="utf-8")
    assert spec("verify", "--lock", "muapi.lock", "--used-in", "gone").code == 1


def test_a_rendered_package_that_a_formatter_went_over_is_told(spec: Spec, gone: Path) -> None:
    package = gone.parent / "muapi_generated_old"
    package.mkdir()
    (package / "types.py").write_text("x = 1\n", encoding="utf-8")
    (package / "files.json").write_text('{"__init__.py": "", "types.py": "its hash"}', encoding="utf-8")
    told = "gone/muapi_generated_old is a package that `spec build` rendered, and 1 of its files changed since"
    for words in (("lock", "o.lock"), ("verify", "--lock", "muapi.lock"), ("diff", "pin", "pin")):
        assert told in spec(*words, "--used-in", "gone").err
