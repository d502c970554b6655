"""``models show`` in forms for programs: JSON Schema, a program in Python, lines with curl."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import pytest
from by_kind import CHAT, CLIP, IMAGE

import muapi_client
from muapi_client import catalog
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path

Call = Any  # the fixture `call`; see conftest
KEY = "sk-live"
MODELS = catalog.all()
OPENINGS = ("curl", "-sS"), ("curl", "-sSN")


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An emulator with enough money for a job of every model, in the place of the network; nothing is waited for."""
    emulator = Emulator(balance=Decimal(10_000))
    monkeypatch.setattr(muapi_client, "MuAPI", partial(muapi_client.MuAPI, transport=emulator.transport()))
    return emulator


def programs(said: str) -> list[str]:
    """The programs that several models were shown as."""
    return [f"# One job{program}" for program in said.split("# One job")[1:]]


@pytest.mark.parametrize("group", sorted({model.group for model in MODELS}))
def test_the_program_of_every_model_runs(call: Call, rich: Emulator, group: str) -> None:
    models = catalog.find(group=group)
    written = programs(call("models", "show", *(model.slug for model in models), "--output", "python").out)
    assert len(written) == len(models)
    for program in written:
        exec(compile(program, "shown", "exec"), {})
    assert rich.accepted == len(models)


def test_a_program_tells_the_price_and_prints_what_was_made(
    call: Call, rich: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = programs(call("models", "show", IMAGE.slug, "--output=python").out)
    assert f"price: {catalog.get(IMAGE.slug).price}" in program
    exec(compile(program, "shown", "exec"), {})
    told = capsys.readouterr().out
    assert "https://" in told
    assert "charged" in told or "amount_usd" in told


def test_a_program_says_what_is_to_be_filled_in(call: Call) -> None:
    blank = next(m for m in MODELS if any(f.required and f.name == "request_id" for f in m.fields))
    for form in ("python", "curl"):
        first, rest = call("models", "show", blank.slug, "--output", form).out.split("\n", 1)
        assert first.startswith(f"# One job of {blank.slug}; fill in request_id")
        assert "REQUEST_ID" in rest


def test_the_lines_for_a_shell_send_what_the_server_accepts(call: Call) -> None:
    emulator = Emulator(balance=Decimal(10_000))
    shown = call("models", "show", *(model.slug for model in MODELS), "--output", "curl").out.split("\n\n")
    with httpx.Client(transport=emulator.transport()) as client:
        for model, text in zip(MODELS, shown, strict=True):
            words = shlex.split(text.replace("$MUAPI_API_KEY", KEY), comments=True)
            assert (*words[:2],) in OPENINGS
            assert words[2] == f"https://api.muapi.ai{model.operation.path}"
            headers = dict(word.split(": ") for flag, word in pairwise(words[3:]) if flag == "-H")
            assert headers == {"x-api-key": KEY, "content-type": "application/json"}
            assert words[-2] == "-d"
            answer = client.post(words[2], content=words[-1], headers=headers)
            assert answer.status_code == 200, (model.slug, answer.text)
    assert emulator.accepted == len(MODELS)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="needs curl and a shell")
def test_a_shell_takes_the_lines_as_they_are(call: Call) -> None:
    emulator = Emulator()
    with emulator.serve() as url:
        for model in (IMAGE, CLIP, CHAT):
            lines = call("models", "show", model.slug, "--output=curl").out.replace("https://api.muapi.ai", url)
            done = subprocess.run(
                ["sh", "-c", lines],
                capture_output=True,
                check=True,
                text=True,
                env={"MUAPI_API_KEY": KEY, "PATH": "/usr/bin:/bin"},
            )
            assert "request_id" in json.loads(done.stdout)
    assert emulator.accepted == 3


@pytest.mark.parametrize("where", ["environment", "settings"])
def test_a_program_goes_to_the_address_that_this_one_goes_to(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    emulator = Emulator()
    with emulator.serve() as url:
        if where == "environment":
            monkeypatch.setenv("MUAPI_BASE_URL", f"{url}/api/v1")
        else:
            (tmp_path / "mine.toml").write_text(f"base_url = {url!r}")
            monkeypatch.setenv("MUAPI_CONFIG", str(tmp_path / "mine.toml"))
        lines = call("models", "show", IMAGE.slug, "--output=curl").out
        assert shlex.split(lines, comments=True)[2] == f"{url}{IMAGE.operation.path}"
        assert f"{url}/api/v1/predictions/REQUEST_ID/result" in lines
        assert "api.muapi.ai" not in lines
        (program,) = programs(call("models", "show", IMAGE.slug, "--output=python").out)
        exec(compile(program, "shown", "exec"), {})
    assert emulator.accepted == 1


def test_text_of_a_document_leaves_no_quotes_open(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = 'it\'s "odd" $HOME `id` \\ \n é'
    monkeypatch.setattr("muapi_client.cli._snippets.TEXTS", {"prompt": odd})
    lines = call("models", "show", IMAGE.slug, "--output=curl").out
    assert json.loads(shlex.split(lines, comments=True)[-1])["prompt"] == odd
    (program,) = programs(call("models", "show", IMAGE.slug, "--output=python").out)
    compile(program, "shown", "exec")
    assert repr(odd) in program


def test_a_schema_is_shown_as_it_is_and_several_by_their_slugs(call: Call) -> None:
    shown = call("models", "show", IMAGE.name, "--output", "json-schema").json
    assert shown == catalog.get(IMAGE.slug).json_schema()
    jsonschema_rs.meta.validate(shown)
    several = call("models", "show", IMAGE.slug, CHAT.slug, "--output=json-schema").json
    assert several == {slug: catalog.get(slug).json_schema() for slug in (IMAGE.slug, CHAT.slug)}


@pytest.mark.parametrize("form", ["json-schema", "python", "curl"])
def test_a_form_for_programs_is_of_one_model_and_not_of_a_list(
    call: Call, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("models", "flux", "--output", form)
    assert f"models show SLUG --output {form}" in capsys.readouterr().err
    assert call("models", "show", "no-such-model", "--output", form).code == 5
