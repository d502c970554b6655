"""A workflow, run here: its jobs' `run:` steps in order, as a runner would, each job on a fresh copy of `main`.

What a runner brings is played: `gh` writes down what it is told, `python -m pip install` finds everything installed,
`nox` runs its sessions in the environment of this test, an artifact is a folder beside the checkout. Nothing else is:
the shell, git and the sessions are the real ones.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
GH = """\
import json, pathlib, sys

home = pathlib.Path({home!r})
words = sys.argv[1:]
body = words[words.index("--body-file") + 1] if "--body-file" in words else None
text = pathlib.Path(body).read_text(encoding="utf-8") if body else None
with open(home / "gh.jsonl", "a", encoding="utf-8") as log:
    log.write(json.dumps({{"words": words, "text": text}}) + "\\n")
opened = home / "opened"
if words[:2] == ["pr", "create"]:
    opened.write_text("7\\n")
if words[:2] == ["pr", "list"] and opened.exists():
    print(opened.read_text(), end="")
if words[:2] == ["pr", "close"]:
    opened.unlink()
"""
PYTHON = """\
#!/bin/sh
if [ "$1 $2 $3" = "-m pip install" ]; then exit 0; fi
exec {python} "$@"
"""


class Ran(NamedTuple):
    """What became of one workflow."""

    outcomes: dict[str, str]  # by a step's name: success, failure or skipped
    failed: bool
    output: str


class Runner:
    """One machine of a runner, with a checkout and what it pushes to."""

    def __init__(self, home: Path) -> None:
        self.home, self.checkout, self.origin = home, home / "checkout", home / "origin.git"
        self.artifacts = home / "artifacts"
        self._copy()
        self._tools()

    def run(self, workflow: str, **environment: str) -> Ran:
        """Run all jobs of one of our workflows, one after the other, on what `main` holds."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        told = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text(encoding="utf-8"))["jobs"]
        facts: dict[str, str] = {}
        outcomes: dict[str, str] = {}
        output, failed = "", False
        for name, job in told.items():
            if failed:  # each of our jobs needs the ones before
                outcomes |= {step["name"]: "skipped" for step in job["steps"] if "run" in step}
                continue
            ran = self._job(job, facts, environment)
            facts |= {
                f"needs.{name}.outputs.{key}": _filled(value, facts) for key, value in job.get("outputs", {}).items()
            }
            outcomes, output, failed = outcomes | ran.outcomes, output + ran.output, ran.failed
        return Ran(outcomes, failed, output)

    def _job(self, told: dict[str, Any], facts: dict[str, str], environment: dict[str, str]) -> Ran:
        self.git("switch", "--quiet", "--force", "main")
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "-fd")
        temp = self.home / "temp"
        shutil.rmtree(temp, ignore_errors=True)
        temp.mkdir()
        facts |= {"github.token": "the-token", "runner.temp": str(temp)}
        outcomes, output, failed = {}, "", False
        for step in told["steps"]:
            if "uses" in step:
                self._action(step, facts, ran=not failed and _holds(step.get("if"), facts))
                continue
            if failed or not _holds(step.get("if"), facts):
                outcomes[step["name"]] = "skipped"
                continue
            outputs = temp / "outputs"
            outputs.write_text("")
            own = {name: _filled(value, facts) for name, value in step.get("env", {}).items()}
            done = self._shell(step["run"], temp, {**environment, **own, "GITHUB_OUTPUT": str(outputs)})
            output += f"--- {step['name']}\n{done.stdout}"
            outcomes[step["name"]] = "failure" if done.returncode else "success"
            failed = bool(done.returncode) and not step.get("continue-on-error")
            if "id" in step:
                facts[f"steps.{step['id']}.outcome"] = outcomes[step["name"]]
                for line in outputs.read_text().splitlines():
                    name, _, value = line.partition("=")
                    facts[f"steps.{step['id']}.outputs.{name}"] = value
        return Ran(outcomes, failed, output)

    def _action(self, step: dict[str, Any], facts: dict[str, str], *, ran: bool) -> None:
        """Play what an action does: of GitHub's only those that hand files from job to job."""
        name = step["uses"].partition("@")[0]
        if not ran or name not in ("actions/upload-artifact", "actions/download-artifact"):
            return
        inside, outside = Path(_filled(step["with"]["path"], facts)), self.artifacts / step["with"]["name"]
        source, target = (inside, outside) if name == "actions/upload-artifact" else (outside, inside)
        shutil.copytree(source, target)

    def told_gh(self) -> list[dict[str, Any]]:
        """What `gh` was told since the last time somebody asked."""
        log = self.home / "gh.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def git(self, *words: str) -> str:
        """What git says in the checkout."""
        done = subprocess.run(
            ["git", *words], cwd=self.checkout, env=self._environment(), capture_output=True, text=True, check=True
        )
        return done.stdout

    def _shell(self, script: str, temp: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        file = temp / "step.sh"
        file.write_text(script)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)],  # GitHub's words for `shell: bash`
            cwd=self.checkout,
            env={**self._environment(), "RUNNER_TEMP": str(temp), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )

    def _copy(self) -> None:
        """A checkout of `main` as this one stands, uncommitted changes included, and the repository it came from."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.checkout.mkdir(parents=True)
        for name in filter(None, listed.split("\0")):
            source, target = ROOT / name, self.checkout / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=As it stands")
        subprocess.run(["git", "clone", "--quiet", "--bare", self.checkout, self.origin], check=True)
        self.git("remote", "add", "origin", str(self.origin))
        self.git("fetch", "--quiet", "origin")

    def _tools(self) -> None:
        tools = self.home / "tools"
        tools.mkdir()
        python = f"#!{sys.executable}\n"
        nox = f'#!/bin/sh\nexec {sys.executable} -m nox --no-venv --no-install "$@"\n'
        programs = {
            "gh": python + GH.format(home=str(self.home)),
            "python": PYTHON.format(python=sys.executable),
            "nox": nox,
        }
        for name, text in programs.items():
            (tools / name).write_text(text)
            (tools / name).chmod(stat.S_IRWXU)

    def _environment(self) -> dict[str, str]:
        here = os.pathsep.join([str(self.home / "tools"), str(Path(sys.executable).parent), os.environ["PATH"]])
        code = os.pathsep.join(str(self.checkout / part) for part in ("overlay", "generated"))
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        return {**kept, "PATH": here, "PYTHONPATH": code, "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}


def _holds(condition: str | None, facts: dict[str, str]) -> bool:
    """Whether a step runs; of GitHub's language only what our workflows use."""
    if condition is None:
        return True
    found = re.fullmatch(r"([\w.]+) == '(\w+)'", condition)
    assert found, f"this test does not know how to read: {condition}"
    return facts.get(found[1], "") == found[2]


def _filled(value: str, facts: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: facts.get(found[1], ""), value)
