"""What CI starts from: tools at versions that somebody chose, and every Python that the package promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / ".ci/run", *sorted((ROOT / ".github/workflows").glob("*.yml"))]
CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_ci_installs_its_tools_from_one_file_of_exact_versions() -> None:
    installs = [line for script in SCRIPTS for line in script.read_text("utf-8").splitlines() if "pip install" in line]
    assert len(installs) >= len(SCRIPTS)
    assert all(line.endswith(" -r .ci/tools.txt") for line in installs), installs
    tools = [line for line in (ROOT / ".ci/tools.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert {tool.partition("==")[0] for tool in tools} == {"nox", "uv"}
    assert all(re.fullmatch(r"\w+==[\d.]+", tool) for tool in tools), tools


def test_every_python_that_is_promised_is_tested() -> None:
    promised = [word.rpartition(" ")[2] for word in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", word)]
    assert CI["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
    (versions,) = re.findall(r"^for version in (.*); do$", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    assert versions.split() == promised
    (sessions,) = re.findall(r"^PYTHONS: Final = \((.*?)\)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r'"(3\.\d+)"', sessions) == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
