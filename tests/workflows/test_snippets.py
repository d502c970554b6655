"""The jobs that ``docs/pin-in-your-ci.md`` offers: their YAML is read, their lines are run in a project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from by_kind import CHAT, IMAGE, UPSCALE, fields_of

from muapi_client.pinning import pinned

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/pin-in-your-ci.md").read_text(encoding="utf-8")
SNIPPETS = {text.splitlines()[0][2:]: text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)}
GITHUB = yaml.safe_load(SNIPPETS[".github/workflows/muapi.yml"])
GITLAB = yaml.safe_load(SNIPPETS[".gitlab-ci.yml"])
CHANGES = {"nothing": 0, "elsewhere": 3, "here": 4}  # what drifted, and the code of `spec drift` for the project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that uses one model, locked as the page says."""
    home = tmp_path_factory.mktemp("project")
    (home / "src").mkdir()
    (home / "src/app.py").write_text(f"from muapi_client.models import {IMAGE.function}\n", encoding="utf-8")
    (home / "requirements.txt").touch()
    lock = re.search(r"^\$ (muapi-client spec lock .*?)#", PAGE, re.MULTILINE)
    assert lock
    assert shell(home, lock[1]).returncode == 0
    return home


def shell(home: Path, line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line as both runners do: in bash, stopping at the first failure."""
    tools = home / "tools"
    if not tools.exists():
        tools.mkdir()
        program = (
            f'#!/bin/sh\nexec {sys.executable} -c "from muapi_client.cli import main; raise SystemExit(main())" "$@"\n'
        )
        (tools / "muapi-client").write_text(program)
        (tools / "muapi-client").chmod(0o700)
    environment = {
        "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("overlay", "generated")),
        "GITHUB_STEP_SUMMARY": str(home / "summary.md"),
        **more,
    }
    return subprocess.run(
        [shutil.which("bash") or "bash", "-eo", "pipefail", "-c", line],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def moved(home: Path, what: str) -> str:
    """The live document, as a file that takes its place."""
    document: dict[str, Any] = json.loads((pinned().directory / "openapi.json").read_bytes())
    if what == "here":
        fields_of(document, IMAGE)["width"]["maximum"] = 512
    if what == "elsewhere":
        del document["paths"][f"/api/v1/{UPSCALE.slug}"]
    file = home / f"{what}.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return str(file)


def lines(of: str, words: str) -> list[str]:
    """The lines of a snippet that hold these words."""
    jobs = GITHUB["jobs"] if of == "github" else GITLAB
    own = [step["run"] for step in jobs["pin"]["steps"] if "run" in step] if of == "github" else []
    other = [line for job in jobs.values() for line in job.get("script", ())]
    return [line for line in own + other if words in line]


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_a_program_on_its_document_passes(project: Path, host: str) -> None:
    (line,) = lines(host, "spec verify")
    done = shell(project, line)
    assert (done.returncode, done.stderr) == (0, "")
    assert "as muapi.lock has it" in done.stdout


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_a_program_that_uses_more_than_it_locked_fails(project: Path, host: str) -> None:
    more = project / "src/more.py"
    more.write_text(f"from muapi_client.models import {CHAT.function}\n", encoding="utf-8")
    (line,) = lines(host, "spec verify")
    done = shell(project, line)
    more.unlink()
    assert done.returncode == 1
    assert f"{CHAT.function}: used, and not in muapi.lock" in done.stdout


@pytest.mark.parametrize(("what", "code"), CHANGES.items())
def test_drift_fails_only_where_something_used_breaks(project: Path, what: str, code: int) -> None:
    live = {"MUAPI_OPENAPI_URL": moved(project, what)}
    (line,) = lines("github", "spec drift")
    summary = project / "summary.md"
    summary.unlink(missing_ok=True)
    assert shell(project, line, **live).returncode == (1 if code == 4 else 0)
    assert summary.read_text(encoding="utf-8").startswith(("same", "compatible", "breaking")[(0, 3, 4).index(code)])
    (line,) = lines("gitlab", "spec drift")
    assert shell(project, line, **live).returncode == code


def test_gitlab_lets_pass_what_breaks_nothing() -> None:
    assert GITLAB["muapi-drift"]["allow_failure"] == {"exit_codes": [3]}


def test_every_job_installs_before_it_runs() -> None:
    for host in ("github", "gitlab"):
        for line in lines(host, "pip install"):
            assert line == "python -m pip install -r requirements.txt"
    assert len(lines("github", "pip install")) == 1
    assert len(lines("gitlab", "pip install")) == len(GITLAB)


def test_its_actions_are_those_our_own_workflows_pin() -> None:
    def used(text: str) -> set[str]:
        return set(re.findall(r"uses: (\S+@[0-9a-f]{40} # v[\d.]+)", text))

    ours = [file.read_text(encoding="utf-8") for file in (ROOT / ".github/workflows").glob("*.yml")]
    assert ours
    for text in [*ours, SNIPPETS[".github/workflows/muapi.yml"]]:
        assert len(re.findall(r"uses:", text)) == len(re.findall(r"uses: \S+@[0-9a-f]{40} # v[\d.]+", text))
    assert len(used(SNIPPETS[".github/workflows/muapi.yml"])) == 2
    assert used(SNIPPETS[".github/workflows/muapi.yml"]) <= set.intersection(*map(used, ours))
    every = set.union(*map(used, ours))
    assert len({action.partition("@")[0] for action in every}) == len(every)  # one version of each


def test_a_linter_of_workflows_finds_nothing_in_it(tmp_path: Path) -> None:
    file = tmp_path / ".github/workflows/muapi.yml"
    file.parent.mkdir(parents=True)
    file.write_text(SNIPPETS[".github/workflows/muapi.yml"], encoding="utf-8")
    done = subprocess.run(
        ["zizmor", "--offline", "--persona=pedantic", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
