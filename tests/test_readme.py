"""The README and the pages that it leads to are run: their Python blocks as a user would, their commands as defined."""

from __future__ import annotations

import builtins
import json
import re
import tomllib
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pydantic
import pytest
from by_kind import IMAGE, make_image
from fastapi.testclient import TestClient

import muapi_client
from muapi_client.emulator import Emulator

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[1]
# Should the model it names be gone, another is run in its place, and `nox -s generate` has said what to name instead.
STANDS_IN = {"flux_dev_image": IMAGE.function, "flux-dev-image": IMAGE.slug, "ImageRequest": IMAGE.request}
MOVED = [ROOT / "docs" / f"{name}.md" for name in ("counted", "logging", "regenerate", "testing", "tools", "webhooks")]
LONGEST = 350  # lines of the README: it is read in ten minutes


def read(page: Path) -> str:
    """A page, with the models that stand in."""
    return re.sub("|".join(STANDS_IN), lambda found: STANDS_IN[found[0]], page.read_text("utf-8"))


def find_blocks(text: str) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


README = read(ROOT / "README.md")
BLOCKS = find_blocks(README)
TOOLS = find_blocks(read(ROOT / "docs/tools.md"))
TESTING = find_blocks(read(ROOT / "docs/testing.md"))


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An emulator that takes the place of the network for a client made without arguments."""
    emulator = Emulator()
    offline = partial(muapi_client.MuAPI, transport=emulator.transport())
    monkeypatch.setattr(muapi_client, "MuAPI", offline)
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    return emulator


def test_the_quick_start_runs_and_tells_what_was_charged(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    source = BLOCKS[0]
    assert len([line for line in source.splitlines() if line.strip()]) <= 15
    exec(compile(source, "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert "accepted" in told
    spent = re.search(r"spent (\S+) USD", told)
    assert spent is not None
    assert Decimal(spent[1]) == emulator.charged_usd > 0
    assert "https://" in told


def test_the_journal_example_takes_up_what_was_left(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with muapi_client.MuAPI(journal="jobs.db") as mu:
        job = mu.submit(make_image(prompt="left behind"))
    exec(compile(BLOCKS[2], "README.md", "exec"), {"MuAPI": muapi_client.MuAPI})
    assert capsys.readouterr().out == f"{job.id} completed\n"


def test_the_many_calls_are_ten_lines_and_resume(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len([line for line in BLOCKS[1].splitlines() if line.strip()]) <= 10
    for _ in range(2):
        exec(compile(BLOCKS[1], "README.md", "exec"), {})
        told = capsys.readouterr().out.splitlines()
        assert sorted(told) == [f"{place} ['{place}-0.png']" for place in range(3)]
    assert emulator.accepted == 3


def test_the_examples_of_tools_refuse_a_misspelt_field(emulator: Emulator) -> None:
    names: dict[str, Any] = {}
    for block in TOOLS:
        exec(compile(block, "tools.md", "exec"), names)
    with TestClient(names["app"]) as client:
        assert len(client.post("/draw", json={"prompt": "a fox", "num_images": 2}).json()["outputs"]) == 2
        assert client.post("/draw", json={"promt": "a fox"}).status_code == 422
    sent = [json.loads(exchange.request.body) for exchange in emulator.requests if exchange.request.method == "POST"]
    assert sent == [{"prompt": "a fox", "num_images": 2}], "and no field that was left out"
    assert names["tool"].invoke({"prompt": "a fox"}) == make_image(prompt="a fox")
    with pytest.raises(pydantic.ValidationError, match="promt"):
        names["tool"].invoke({"promt": "a fox"})


def test_the_sandbox_example_spends_one_probe_at_most(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(BLOCKS[3], "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("SandboxVerdict(verdict=")
    assert emulator.accepted <= 1


def test_the_tests_in_it_pass_as_a_user_would_run_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTING[0])
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_there_is_no_python_block_that_is_not_run() -> None:
    assert (len(BLOCKS), len(TOOLS), len(TESTING)) == (4, 2, 1)
    assert not [page for page in MOVED if page.stem not in {"tools", "testing"} and find_blocks(read(page))]


def test_it_is_read_in_ten_minutes_and_leads_to_the_rest() -> None:
    assert len(README.splitlines()) <= LONGEST
    for page in (ROOT / "README.md", *MOVED):
        for link in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    assert {page.name for page in MOVED} <= set(re.findall(r"\(docs/([\w-]+\.md)\)", README))


def test_every_session_the_readme_names_exists() -> None:
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), flags=re.MULTILINE))
    named = {
        name
        for line in re.findall(r"nox -s ([\w ]+)", "".join(map(read, [ROOT / "README.md", *MOVED])))
        for name in line.split()
    }
    assert named <= sessions


def test_the_error_table_names_only_errors_there_are() -> None:
    from muapi_client import errors

    table = README.partition("## Errors")[2].partition("##")[0]
    named = set(re.findall(r"`(\w+Error)`", table))
    assert {name for name in named if not hasattr(errors, name)} <= {"TimeoutError"}
    assert set(errors.__all__) - named <= {"APIStatusError", "JobError", "MuAPIError"}


def test_the_script_is_not_called_muapi() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {"muapi-client"}


def test_every_extra_is_told_with_how_it_is_installed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert extras.keys() <= set(re.findall(r'pip install "muapi-client\[(\w+)\]"', pages))


@pytest.mark.usefixtures("emulator")
def test_a_misspelt_field_is_told_as_it_says() -> None:
    told, raised = re.search(r"`(promt: [^`]+)` \(of a model function, Python's own `(\w+)`\)", README).groups()  # type: ignore[union-attr]
    with muapi_client.MuAPI() as mu, pytest.raises(muapi_client.errors.ValidationError, match=re.escape(told)):
        mu.run(muapi_client.catalog.get(IMAGE.slug).call(promt="a fox"))
    with pytest.raises(getattr(builtins, raised)):
        make_image(promt="a fox")
