"""The pipeline under test, run on a document of the test's own: as a command, or in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import specimen

import render
from rules import corrections

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = Path(render.__file__)


NO_PRICES: dict[str, Any] = {"as_of": "2026-08-20", "models": []}


class Result(NamedTuple):
    """What a run left."""

    code: int
    output: str
    package: Path

    def text(self, name: str) -> str:
        return (self.package / name).read_text(encoding="utf-8")


def correct(document: Mapping[str, Any], actions: list[corrections.Action]) -> dict[str, Any]:
    """Correct a document as the pinned one is: an action that does not fit is an error."""
    corrected, misses = corrections.apply_fitting_actions(document, actions)
    corrections.check_misses(misses)
    return corrected


def run(folder: Path, command: str = "generate", *, environment: dict[str, str] | None = None, **change: Any) -> Result:
    """Run a command in ``folder``; ``document``, ``corrections`` and ``prices`` stand in for the specimen's.

    With an ``environment`` it runs as a user would run it; without, in this process, which is half a second faster.
    """
    texts = {
        "document": json.dumps(change.get("document", specimen.DOCUMENT)),
        "corrections": change.get("corrections", specimen.CORRECTIONS),
        "models": json.dumps(change.get("prices", specimen.PRICES)),
    }
    names = {"document": "openapi.json", "corrections": "corrections.yaml", "models": "models.json"}
    package = folder / "out" / "specimen_generated"
    arguments = [command, "--output", str(package), *change.get("options", ())]
    for key, text in texts.items():
        (folder / names[key]).write_text(text, encoding="utf-8")
        arguments += [f"--{key}", str(folder / names[key])]
    if environment is None:
        return in_process(arguments, package)
    done = subprocess.run(
        [sys.executable, str(COMMAND), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout + done.stderr, package)


def render_file(document: Path, package: Path, *options: str) -> Result:
    """Render a document of any API: no corrections, no prices."""
    models = package.parent / f"{package.name}.models.json"
    models.parent.mkdir(parents=True, exist_ok=True)
    models.write_text(json.dumps(NO_PRICES), encoding="utf-8")
    try:
        files = ["--document", str(document), "--corrections", "none", "--models", str(models), *options]
        return in_process(["generate", *files, "--output", str(package)], package)
    finally:
        models.unlink()


def in_process(arguments: list[str], package: Path) -> Result:
    """Run a command in this process, and keep what it says."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = render.main(arguments)
    return Result(code, output.getvalue(), package)
