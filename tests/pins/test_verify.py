"""``spec verify`` and ``spec lock``: exit codes and lines a CI job lives by."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from altered import fields
from attrs import evolve
from by_kind import CHAT, IMAGE, UPSCALE, VIDEO
from fingerprints_of import run_on

import muapi_client.cli._spec.locks as command
from muapi_client import catalog
from muapi_client.pinning import Rendering, UserLock, fetch, make_lock, pinned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest
OTHER = "0" * 64
USED = {IMAGE.function, CHAT.function, VIDEO.function}


@pytest.fixture
def runs_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], str]:
    """Let the program be one that was rendered from another document."""

    def runs_on(document: dict[str, Any]) -> str:
        (folder / "other.json").write_text(json.dumps(document), encoding="utf-8")
        prices = str(pinned().directory / "models.json")
        sha256 = fetch(str(folder / "other.json"), folder / "other", models=prices).after
        monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: folder / "other")
        run_on(monkeypatch)
        return sha256

    return runs_on


def now_costs(slug: str) -> str:
    price = catalog.get(slug).price
    assert price is not None
    return f"{price.cost_usd:f}"


def read(folder: Path) -> UserLock:
    return UserLock.from_toml((folder / "muapi.lock").read_text(encoding="utf-8"))


def test_the_right_hash_is_one_line_and_0(spec: Spec) -> None:
    said = spec("verify", "--sha256", pinned().lock.document_sha256.upper())
    assert (said.code, said.out) == (0, f"this program runs on document {pinned().lock.document_sha256}, as asked\n")


def test_another_hash_is_one_line_and_1_and_names_both(spec: Spec) -> None:
    said = spec("verify", "--sha256", OTHER)
    assert (said.code, said.out.count("\n")) == (1, 1)
    assert pinned().lock.document_sha256 in said.out
    assert OTHER in said.out
    assert spec("verify", "--sha256", OTHER, "--output=json").json == {
        "holds": False,
        "runs_on": pinned().lock.document_sha256,
        "pinned": OTHER,
    }


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--sha256", "dad1"),
        ("--sha256", OTHER, "--lock", "muapi.lock"),
        ("--sha256", OTHER, "--strict"),
        ("--sha256", OTHER, "--used-in", "src"),
    ],
)
def test_words_that_make_no_question_are_a_usage_error(spec: Spec, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        spec("verify", *words)
    assert caught.value.code == 2


def test_a_lock_holds_what_the_code_uses_and_what_the_client_calls(spec: Spec, folder: Path) -> None:
    assert spec("lock", "--used-in", "src").code == 0
    lock = read(folder)
    assert lock.document_sha256 == pinned().lock.document_sha256
    assert lock.functions.keys() > USED
    assert "get_predictions_id_result" in lock.functions
    assert UPSCALE.function not in lock.functions
    assert not lock.prices


def test_writing_it_again_changes_no_byte(spec: Spec, folder: Path) -> None:
    assert "written" in spec("lock", "--used-in", "src").out
    before = (folder / "muapi.lock").stat()
    assert "up to date" in spec("lock", "--used-in", "src").out
    assert (folder / "muapi.lock").stat().st_mtime_ns == before.st_mtime_ns


def test_names_prices_and_another_place_can_be_given(spec: Spec, folder: Path) -> None:
    said = spec("lock", "pins/my.lock", "--only", f"{IMAGE.slug}, {CHAT.function}", "--prices", "--output=json")
    assert said.code == 1  # there is no folder `pins`
    assert "pins/my.lock" in said.err
    said = spec("lock", "my.lock", "--only", f"{IMAGE.slug}, {CHAT.function}", "--prices", "--output=json")
    assert said.json == {
        "file": "my.lock",
        "document_sha256": pinned().lock.document_sha256,
        "functions": 2,
        "changed": True,
    }
    lock = UserLock.from_toml((folder / "my.lock").read_text(encoding="utf-8"))
    assert set(lock.functions) == {IMAGE.function, CHAT.function}
    assert lock.prices[IMAGE.function] == now_costs(IMAGE.slug)


def test_without_a_choice_everything_is_locked(spec: Spec, folder: Path) -> None:
    spec("lock")
    assert len(read(folder).functions) == pinned().lock.operations


def test_what_cannot_be_locked_is_said(spec: Spec, folder: Path) -> None:
    (folder / "src/more.py").write_text(
        "from muapi_client import raw_call\nraw_call('brand-new', {})\nraw_call(input(), {})\n", encoding="utf-8"
    )
    said = spec("lock", "--used-in", "src")
    assert said.code == 0
    assert "brand-new is used and not locked" in said.err
    assert re.search(r"src/more\.py:3 uses what cannot be told", said.err)


def test_a_misspelt_name_is_refused_with_what_was_meant(spec: Spec, folder: Path) -> None:
    said = spec("lock", "--only", IMAGE.function[:-1])
    assert said.code == 1
    assert f"did you mean {IMAGE.function}" in said.err
    assert not (folder / "muapi.lock").exists()


def test_the_same_document_holds(spec: Spec) -> None:
    spec("lock", "--used-in", "src")
    said = spec("verify", "--lock", "muapi.lock", "--strict", "--used-in", "src")
    assert (said.code, said.out) == (
        0,
        f"this program runs on document {pinned().lock.document_sha256[:12]}, as muapi.lock has it\n",
    )


def test_a_change_elsewhere_is_a_note_and_with_strict_a_failure(
    spec: Spec, document: dict[str, Any], runs_on: Callable[[dict[str, Any]], str]
) -> None:
    spec("lock", "--used-in", "src")
    del document["paths"][f"/api/v1/{UPSCALE.slug}"]
    before, now = pinned().lock.document_sha256, runs_on(document)
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 0
    assert f"runs on document {now[:12]}, not on {before[:12]}; none of the" in said.out
    said = spec("verify", "--lock", "muapi.lock", "--strict")
    assert said.code == 1
    assert "--strict" in said.out


def test_a_change_of_what_is_used_names_the_functions_and_the_way_to_see_it(
    spec: Spec, folder: Path, document: dict[str, Any], runs_on: Callable[[dict[str, Any]], str]
) -> None:
    spec("lock", "--used-in", "src")
    fields(document)["width"]["maximum"] = 512
    del document["paths"][f"/api/v1/{CHAT.slug}"]
    before, now = pinned().lock.document_sha256, runs_on(document)
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 1
    assert f"  {IMAGE.function}: changed\n" in said.out
    assert f"  {CHAT.function}: gone from the document\n" in said.out
    assert "seedance" not in said.out
    assert "muapi-client spec diff muapi.lock pin" in said.out
    (folder / "muapi.lock.json").unlink()  # as a lock of before has none
    said = spec("verify", "--lock", "muapi.lock")
    assert f"muapi_generated/openapi.json of {read(folder).package}" in said.out
    assert "muapi-client spec diff OLD NEW" in said.out
    facts = spec("verify", "--lock", "muapi.lock", "--output=json").json
    assert (facts["holds"], facts["runs_on"], facts["pinned"]) == (False, now, before)
    assert (facts["changed"], facts["gone"]) == ([IMAGE.function], [CHAT.function])


def test_documents_whose_hashes_begin_alike_are_told_apart(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", IMAGE.function)
    now = read(folder).document_sha256
    nearly = now[:-1] + ("0" if now[-1] != "0" else "1")
    text = evolve(read(folder), document_sha256=nearly).to_toml()
    (folder / "muapi.lock").write_text(text, encoding="utf-8")
    assert f"runs on document {now}, not on {nearly}" in spec("verify", "--lock", "muapi.lock").out


def test_taking_the_change_up_makes_it_hold_again(
    spec: Spec, document: dict[str, Any], runs_on: Callable[[dict[str, Any]], str]
) -> None:
    spec("lock", "--only", IMAGE.function)
    fields(document)["width"]["maximum"] = 512
    runs_on(document)
    assert spec("verify", "--lock", "muapi.lock").code == 1
    spec("lock", "--only", IMAGE.function)
    assert spec("verify", "--lock", "muapi.lock", "--strict").code == 0


def test_a_pinned_price_that_moved_fails(spec: Spec, folder: Path) -> None:
    prices = {IMAGE.function: "1234.5"}
    lock = make_lock(Rendering(**command.read_rendering("")), prices, package="muapi-client==0", prices=prices)
    (folder / "muapi.lock").write_text(lock.to_toml(), encoding="utf-8")
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 1
    assert f"{IMAGE.function}: costs {now_costs(IMAGE.slug)}, not 1234.5 USD" in said.out


def test_code_that_uses_more_than_is_locked_fails(spec: Spec) -> None:
    spec("lock", "--only", IMAGE.function)
    assert spec("verify", "--lock", "muapi.lock").code == 0
    said = spec("verify", "--lock", "muapi.lock", "--used-in", "src")
    assert said.code == 1
    assert f"  {VIDEO.function}: used, and not in muapi.lock\n" in said.out


def test_other_corrections_fail_a_lock_of_before_and_say_why(
    spec: Spec, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrections make fields required, too, and hashes of the document do not tell of which function."""
    spec("lock", "--only", IMAGE.function)
    text = evolve(read(folder), form=1).to_toml()
    (folder / "muapi.lock").write_text(text, encoding="utf-8")
    assert spec("verify", "--lock", "muapi.lock", "--strict").code == 0
    run_on(monkeypatch, OTHER)
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 1
    assert said.out.startswith("this program runs on document")
    assert "corrected in another way" in said.out
    assert f"others than those of {read(folder).package}" in said.out
    assert "muapi-client spec lock muapi.lock" in said.out
    facts = spec("verify", "--lock", "muapi.lock", "--output=json").json
    assert (facts["holds"], facts["recorrected"], facts["changed"]) == (False, True, [])


def test_other_corrections_that_touch_nothing_are_a_note_and_with_strict_a_failure(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec("lock", "--only", IMAGE.function)
    run_on(monkeypatch, OTHER)
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 0
    assert "corrected in another way; none of the 1 functions in muapi.lock changed\n" in said.out
    assert spec("verify", "--lock", "muapi.lock", "--strict").code == 1


def test_a_lock_without_functions_is_none(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", IMAGE.function)
    text = (folder / "muapi.lock").read_text(encoding="utf-8")
    (folder / "muapi.lock").write_text(text.partition("[functions]")[0], encoding="utf-8")
    said = spec("verify", "--lock", "muapi.lock")
    assert (said.code, said.out) == (1, "")
    assert "look at functions" in said.err


def test_a_lock_that_an_editor_marked_is_read(spec: Spec, folder: Path) -> None:
    spec("lock", "--only", IMAGE.function)
    text = (folder / "muapi.lock").read_text(encoding="utf-8")
    (folder / "muapi.lock").write_text(text, encoding="utf-8-sig")
    assert spec("verify", "--lock", "muapi.lock").code == 0


@pytest.mark.parametrize(
    "words", [("verify",), ("verify", "--used-in", "src"), ("diff", "pin", "pin", "--used-in", "src")]
)
def test_a_lock_that_is_not_there_is_answered_with_the_command_that_writes_it(
    spec: Spec, words: tuple[str, ...]
) -> None:
    said = spec(*words, "--lock", "nope.lock")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "there is no lock nope.lock: `muapi-client spec lock nope.lock --used-in" in said.err


@pytest.mark.parametrize("content", [None, b"", b"<html>", b"\xff", b"form = 9"])
def test_a_lock_that_cannot_be_read_is_one_line(spec: Spec, folder: Path, content: bytes | None) -> None:
    if content is not None:
        (folder / "muapi.lock").write_bytes(content)
    said = spec("verify", "--lock", "muapi.lock")
    assert (said.code, said.out) == (1, "")
    assert "muapi.lock" in said.err
    assert said.err.count("\n") == 1
    assert json.loads(spec("verify", "--lock", "muapi.lock", "--output=json").err)["error"]


def test_a_package_and_a_document_that_do_not_belong_together_are_not_compared(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec("lock", "--only", IMAGE.function)
    monkeypatch.setattr(command, "SPEC", command.SPEC._replace(sha256=OTHER))
    said = spec("verify", "--lock", "muapi.lock")
    assert said.code == 1
    assert "install anew" in said.err
