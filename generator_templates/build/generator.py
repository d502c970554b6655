"""Running the generator: from a plan to a formatted package in an empty directory.

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

from rules.errors import GenerationError

if TYPE_CHECKING:
    from rules.plan import Plan

HERE = Path(__file__).resolve().parents[1]  # the generator's folder, with all its rooms
TEMPLATES = HERE / "templates"
RUFF = ["--isolated", "--no-cache", "--line-length", "110", "--target-version", "py311", "--quiet"]
_UNUSED_FILES = ("client.py", "errors.py")  # upstream always writes them; their templates here are empty


def render_package(plan: Plan, package: Path, first_line: str = "") -> None:
    """Render a plan into ``package``, which must not exist yet.

    Args:
        plan: What to render.
        package: The directory to make.
        first_line: What the files begin with, where that is not what the templates have.
    """
    document = package.with_name(f"{package.name}.json")
    document.write_text(json.dumps(plan.document), encoding="utf-8")
    try:
        _run_generator(document, package)
    finally:
        document.unlink()
    for name in _UNUSED_FILES:
        (package / name).unlink()
    _render_own_files(plan, package)
    if first_line:
        _replace_first_lines(package, first_line)
    _run_tool(
        "ruff check", [sys.executable, "-P", "-m", "ruff", "check", *RUFF, "--select", "I", "--fix", str(package)]
    )
    _run_tool("ruff format", [sys.executable, "-P", "-m", "ruff", "format", *RUFF, str(package)])


def _run_generator(document: Path, package: Path) -> None:
    arguments = ["--path", str(document), "--meta", "none", "--output-path", str(package), "--fail-on-warning"]
    templates = ["--config", str(HERE / "config.yml"), "--custom-template-path", str(TEMPLATES)]
    output = _call_generator(["generate", *arguments, *templates])
    unexpected = [line for line in output.splitlines() if line.strip() and not line.startswith("Generating ")]
    if unexpected:
        raise GenerationError("openapi-python-client has something to say:\n" + "\n".join(unexpected))


def _call_generator(arguments: list[str]) -> str:
    """Run openapi-python-client as its script does, in this process: a second interpreter would take half a second."""
    (script,) = entry_points(group="console_scripts", name="openapi-python-client")
    output, code = io.StringIO(), None
    with warnings.catch_warnings(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        warnings.simplefilter("ignore")  # Python's, about the libraries it is made of; its own it prints
        try:
            script.load()(arguments)
        except SystemExit as end:
            code = str(end.code or "")
    if code:
        raise GenerationError(f"openapi-python-client failed with exit code {code}:\n{output.getvalue().strip()}")
    return output.getvalue()


def _replace_first_lines(package: Path, first_line: str) -> None:
    """Let every file say which command writes it, where that is another than the templates say."""
    for file in package.rglob("*.py*"):
        _, newline, rest = file.read_text(encoding="utf-8").partition("\n")
        if newline:
            file.write_text(f"{first_line}\n{rest}", encoding="utf-8")


def _render_own_files(plan: Plan, package: Path) -> None:
    """Write the files upstream has no slot for, by a plain Jinja environment."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python, not HTML: every text is escaped where it is made, by docstrings or repr
    )
    for name, (template, context) in plan.own_files.items():
        target = package / name
        target.parent.mkdir(exist_ok=True)
        if template:
            text = environment.get_template(template).render(context)
        else:
            text = format_data(context) if context else ""
        target.write_text(text, encoding="utf-8")


def format_data(data: dict[str, Any]) -> str:
    """Write data as JSON with one model, one request on a line: a change shows as the lines it touches."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list):
            body = "[\n" + ",\n".join(_to_json(item) for item in value) + "\n]"
        elif isinstance(value, dict):
            body = "{\n" + ",\n".join(f"{_to_json(name)}: {_to_json(item)}" for name, item in value.items()) + "\n}"
        else:
            body = _to_json(value)
        parts.append(f"{_to_json(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _run_tool(tool: str, command: list[str]) -> str:
    """Run a program and return what it prints; a failure ends the rendering."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    output = done.stdout + done.stderr
    if done.returncode:
        raise GenerationError(f"{tool} failed with exit code {done.returncode}:\n{output.strip()}")
    return output
