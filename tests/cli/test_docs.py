"""``docs``, and the help of a command that is given a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from pathlib import Path

Call = Any  # the fixture `call`; see conftest


def test_the_pinned_document_is_printed_as_it_is(call: Call, tmp_path: Path) -> None:
    said = call("docs", "openapi")
    assert (said.out, said.err) == (pinned().content.decode(), "")
    assert call("docs", "openapi", "--output=json").json["openapi"].startswith("3.")
    place = tmp_path / "openapi.json"
    said = call("docs", "openapi", "--out", str(place))
    assert (said.out, place.read_bytes()) == ("", pinned().content)
    assert said.err.startswith(f"{place}: the pinned document, ")


def test_the_live_document_is_fetched_byte_for_byte(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = tmp_path / "live.json"
    live.write_text(json.dumps({**pinned().document, "info": {"title": "later", "version": "1"}}, indent=7))
    monkeypatch.setenv("MUAPI_OPENAPI_URL", str(live))
    said = call("docs", "openapi", "--live", "--out", str(tmp_path / "out.json"))
    assert said.code == 0
    assert (tmp_path / "out.json").read_bytes() == live.read_bytes()
    assert call("docs", "openapi", "--live", "--output=json").json["info"]["title"] == "later"


@pytest.mark.parametrize("content", ["<html>502 Bad Gateway</html>", "[]", "{}", '{"openapi": "3.1.0", "paths": {}}'])
def test_what_is_no_document_takes_no_ones_place(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    live, place = tmp_path / "live.json", tmp_path / "openapi.json"
    live.write_text(content)
    place.write_text("mine")
    monkeypatch.setenv("MUAPI_OPENAPI_URL", str(live))
    said = call("docs", "openapi", "--live", "--out", str(place))
    assert (said.code, said.out, place.read_text()) == (1, "", "mine")


@pytest.mark.parametrize("found", [True, False])
def test_the_page_is_opened_and_its_address_printed(call: Call, monkeypatch: pytest.MonkeyPatch, found: bool) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: (asked.append(address), found)[1])
    said = call("docs", "open")
    assert (said.out, asked) == ("https://api.muapi.ai/docs\n", ["https://api.muapi.ai/docs"])
    assert said.err == ("" if found else "no browser was found here\n")
    monkeypatch.setenv("MUAPI_BASE_URL", "https://a.example/api/v1")
    assert call("docs", "open", "--output=json").json == {"url": "https://a.example/docs", "opened": found}


@pytest.mark.parametrize("command", ["run", "estimate"])
def test_help_behind_a_model_shows_its_fields(command: str, capsys: pytest.CaptureFixture[str], call: Call) -> None:
    with pytest.raises(SystemExit, match="0"):
        call(command, IMAGE.function, "--help")
    out = capsys.readouterr().out
    assert out.startswith(f"usage: muapi-client {command}")
    assert f"\n{IMAGE.slug}\n" in out
    assert all(f"\n{field.name}: " in out for field in IMAGE.fields)
    with pytest.raises(SystemExit, match="0"):
        call(command, "--help")
    assert IMAGE.slug not in capsys.readouterr().out


def test_help_behind_a_model_that_is_none_says_so(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="5"):
        call("run", f"{IMAGE.slug}x", "-h")
    assert "did you mean" in capsys.readouterr().err
