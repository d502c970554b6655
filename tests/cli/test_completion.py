"""Completion: what a shell is told, the words that may come next, and a real bash that asks for them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client import catalog
from muapi_client._catalog.inputs import MEANINGS
from muapi_client.cli._arguments import make_parser
from muapi_client.cli._completing import Finder, complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Call = Any  # the fixture `call`; see conftest
BREAKS = " \t\n\"'><=;|&(:"  # bash's COMP_WORDBREAKS


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What a shell is offered for a line whose end the cursor is at, by argcomplete's protocol."""
    monkeypatch.setattr(Finder, "_init_debug_stream", lambda _: None)  # it is the file 9, which pytest may have open

    def offered(line: str, shell: str = "bash") -> list[str]:
        told = {
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_SHELL": shell,
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "_ARGCOMPLETE_COMP_WORDBREAKS": BREAKS if shell == "bash" else "",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        answer = io.StringIO()
        with pytest.raises(SystemExit):
            complete(make_parser(), exit_method=sys.exit, output_stream=answer)
        return answer.getvalue().split("\n")

    return offered


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("muapi-client comp", ["completion"]),
        ("muapi-client --output ", ["plain", "json"]),
        ("muapi-client keys d", ["delete"]),
        ("muapi-client jobs --state c", ["completed", "cancelled"]),
        ("muapi-client completion ", ["bash", "zsh", "fish"]),
        (f"muapi-client run {IMAGE.slug} --dr", ["--dry-run"]),
        (f"muapi-client run {IMAGE.slug} num_images=", ["1", "2", "3", "4"]),
        (f"muapi-client run {IMAGE.slug} prompt='a fox' wid", ["width="]),
        (f"muapi-client run {IMAGE.function} sync=t", ["true"]),
        (f"muapi-client estimate {IMAGE.slug} heig", ["height="]),
        (f"muapi-client run {IMAGE.slug} --no-wait wid", ["width="]),  # argparse takes what is behind for a rest
        (f"muapi-client run {IMAGE.slug} prompt=x --max-spend 3 num_images=", ["1", "2", "3", "4"]),
        (f"muapi-client run {IMAGE.slug} --max-spend ", [""]),
        (f"muapi-client batch rows.csv {IMAGE.slug} wid", ["width="]),
        (f"muapi-client batch rows.csv {IMAGE.slug[:-2]}", [IMAGE.slug]),
        ("muapi-client run no-such-model wid", [""]),
        ("muapi-client models --kind vid", ["video"]),
        ("muapi-client models --tier b", ["balanced", "best", "budget"]),
        ("muapi-client models --takes audio_u", ["audio_url", "audio_urls"]),
        ("muapi-client models sh", ["show"]),
        (f"muapi-client models show {IMAGE.slug[:-2]}", [IMAGE.slug]),
    ],
)
def test_the_words_that_may_stand_there_are_offered(
    offered: Callable[..., list[str]], line: str, words: list[str]
) -> None:
    assert offered(line) == words


def test_every_meaning_of_an_input_is_offered(offered: Callable[..., list[str]]) -> None:
    assert offered("muapi-client models --takes ") == list(MEANINGS)
    assert catalog.find(takes="last_frame")


def test_every_model_and_every_field_is_offered(offered: Callable[..., list[str]]) -> None:
    assert set(offered("muapi-client run ")) == {model.slug for model in catalog.all()}
    fields = {f"{field.name}=" for field in IMAGE.fields}
    assert set(offered(f"muapi-client run {IMAGE.slug} ")) == fields
    assert set(offered(f"muapi-client run {IMAGE.slug} prompt=x ")) == fields - {"prompt="}


def test_a_shell_that_shows_meanings_is_told_them(offered: Callable[..., list[str]]) -> None:
    (prompt,) = offered(f"muapi-client run {IMAGE.slug} promp", "zsh")
    assert prompt.startswith("prompt=:")
    assert len(prompt) > len("prompt=:None")
    assert offered(f"muapi-client run {IMAGE.slug} num_images=4", "zsh") == ["num_images=4:"]
    assert "USD" in offered(f"muapi-client run {IMAGE.slug}", "zsh")[0]


def test_no_word_of_a_document_steers_the_terminal_it_is_offered_on(
    offered: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"slug": "m", "function": "m", "name": None, "kind": "image", "group": "g", "price": None, "request": "R"}
    hostile = {"a\x1b[2Jb": {}, "fine": {"description": "clean\x1b[2J\rthis\nup"}}
    monkeypatch.setattr(
        "muapi_client.cli._completing._read_catalog", lambda: {"models": [model], "requests": {"R": hostile}}
    )
    assert offered("muapi-client run m ", "zsh") == ["fine=:clean[2Jthisup"]


def test_a_price_that_nobody_tells_is_not_offered_as_none_at_all(
    offered: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"slug": "m", "kind": "image", "price": {"cost_usd": "0", "dynamic": True}}
    monkeypatch.setattr("muapi_client.cli._completing._read_catalog", lambda: {"models": [model]})
    assert offered("muapi-client run m", "zsh") == ["m:image"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_to_ask_this_program(call: Call, shell: str) -> None:
    said = call("completion", shell)
    assert said.code == 0
    assert "muapi-client" in said.out
    assert "_ARGCOMPLETE" in said.out
    assert call("completion", shell, "--output=json").json == {"shell": shell, "code": said.out.strip("\n")}


def test_without_argcomplete_the_way_to_get_it_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    said = call("completion", "bash")
    assert said.code == 1
    assert "pip install 'muapi-client[cli]'" in said.err


def test_completing_loads_neither_the_client_nor_the_network(tmp_path: Path) -> None:
    code = (
        "import atexit, os, sys\nfrom muapi_client.cli import _completing\n"
        "from muapi_client.cli._arguments import make_parser\n"
        "try:\n    _completing.complete(make_parser(), exit_method=sys.exit)\nfinally:\n"
        "    print(sorted({'httpx', 'anyio', 'attrs', 'attr', 'muapi_client._client'} & sys.modules.keys()))\n"
    )
    line = f"muapi-client run {IMAGE.slug} num_images="
    told = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    told["_ARGCOMPLETE_STDOUT_FILENAME"] = str(tmp_path / "answer")
    done = subprocess.run(
        (sys.executable, "-c", code), env={**os.environ, **told}, check=True, text=True, capture_output=True, timeout=60
    )
    assert done.stdout == "[]\n"
    assert (tmp_path / "answer").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_real_bash_completes_a_model_a_field_and_its_values(tmp_path: Path) -> None:
    import pexpect

    program = tmp_path / "muapi-client"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m muapi_client.cli "$@"\n')
    program.chmod(0o755)
    paths = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    env = {**os.environ, "PATH": paths, "PS1": "$ ", "TERM": "dumb", "INPUTRC": os.devnull}
    bash = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=env, encoding="utf-8", timeout=30, cwd=tmp_path)
    try:
        bash.sendline("PS1=; bind 'set enable-bracketed-paste off'; PS2=; echo re''ady")
        bash.expect_exact("ready")
        bash.sendline('eval "$(muapi-client completion bash)" && echo do""ne')
        bash.expect_exact("done")
        bash.send(f"muapi-client run {IMAGE.slug[:-2]}\t")
        bash.expect_exact(f"{IMAGE.slug} ")
        bash.send("promp\t")
        bash.expect_exact("prompt=")
        bash.send("x num_imag\t")
        bash.expect_exact("num_images=")
        bash.send("3 syn\tt\t --dry\t\r")
        bash.expect_exact('"num_images": 3')
        bash.expect_exact('"sync": true')
    finally:
        bash.close(force=True)
