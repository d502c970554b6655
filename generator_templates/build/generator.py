"""The run of the generator: from a plan to a formatted package in an empty directory.

Lives here: openapi-python-client by its command line (the one thing it keeps stable), our own templates for the files
it has no slot for, and the formatter, pinned and isolated. Does not live here: what is rendered, whether it is right.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rules.errors import RefusalError

if TYPE_CHECKING:
    from rules.plan import Plan

HERE = Path(__file__).resolve().parents[1]
TEMPLATES = HERE / "templates"
RUFF = ["--isolated", "--no-cache", "--line-length", "110", "--target-version", "py311", "--quiet"]
_SLOTS_OF_NO_USE = ("client.py", "errors.py")  # upstream always writes them; their templates here are empty


def render(plan: Plan, package: Path, first_line: str = "") -> None:
    """Render a plan into ``package``, which must not exist yet.

    Args:
        plan: What to render.
        package: The directory to make.
        first_line: What the files say of where they come from, should it be another than `nox -s generate`.
    """
    document = package.with_name(f"{package.name}.json")
    document.write_text(json.dumps(plan.document), encoding="utf-8")
    try:
        _generator(document, package)
    finally:
        document.unlink()
    for name in _SLOTS_OF_NO_USE:
        (package / name).unlink()
    _own(plan, package)
    if first_line:
        _head(package, first_line)
    _run("ruff check", [sys.executable, "-P", "-m", "ruff", "check", *RUFF, "--select", "I", "--fix", str(package)])
    _run("ruff format", [sys.executable, "-P", "-m", "ruff", "format", *RUFF, str(package)])


def _generator(document: Path, package: Path) -> None:
    arguments = ["--path", str(document), "--meta", "none", "--output-path", str(package), "--fail-on-warning"]
    ours = ["--config", str(HERE / "config.yml"), "--custom-template-path", str(TEMPLATES)]
    said = _said_by_generator(["generate", *arguments, *ours])
    unread = [line for line in said.splitlines() if line.strip() and not line.startswith("Generating ")]
    if unread:
        raise RefusalError("openapi-python-client has something to say:\n" + "\n".join(unread))


def _said_by_generator(arguments: list[str]) -> str:
    """Run openapi-python-client as its script does, in this process: a second interpreter would take half a second."""
    (script,) = entry_points(group="console_scripts", name="openapi-python-client")
    said, code = io.StringIO(), None
    with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        warnings.simplefilter("ignore")  # Python's, about the libraries it is made of; its own it prints
        try:
            script.load()(arguments)
        except SystemExit as end:
            code = str(end.code or "")
    if code:
        raise RefusalError(f"openapi-python-client failed with exit code {code}:\n{said.getvalue().strip()}")
    return said.getvalue()


def _head(package: Path, first_line: str) -> None:
    for file in package.rglob("*.py*"):
        _, newline, rest = file.read_text(encoding="utf-8").partition("\n")
        if newline:
            file.write_text(f"{first_line}\n{rest}", encoding="utf-8")


def _own(plan: Plan, package: Path) -> None:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python, not HTML: every text is escaped where it is made, by describing or repr
    )
    for name, (template, context) in plan.own.items():
        target = package / name
        target.parent.mkdir(exist_ok=True)
        if template:
            text = environment.get_template(template).render(context)
        else:
            text = catalogue_text(context) if context else ""
        target.write_text(text, encoding="utf-8")


def catalogue_text(catalogue: dict[str, Any]) -> str:
    """The catalogue as JSON with one model, one request on a line: a change shows as the lines it touches."""
    parts = []
    for key, value in catalogue.items():
        if isinstance(value, list):
            body = "[\n" + ",\n".join(_line(one) for one in value) + "\n]"
        elif isinstance(value, dict):
            body = "{\n" + ",\n".join(f"{_line(name)}: {_line(one)}" for name, one in value.items()) + "\n}"
        else:
            body = _line(value)
        parts.append(f"{_line(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _run(what: str, command: list[str]) -> str:
    """Run a program; whatever it says is read, and a failure ends the rendering."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    said = done.stdout + done.stderr
    if done.returncode:
        raise RefusalError(f"{what} failed with exit code {done.returncode}:\n{said.strip()}")
    return said
