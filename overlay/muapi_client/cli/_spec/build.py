"""``muapi-client spec build``: a package of request functions from another document, to stand beside the installed one.

Lives here: which files the generator is given, and what is told of its work. Does not live here: the generator, which
is a program of its own (``generator_templates`` in a checkout) and runs as one, for its tools are an extra.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from muapi_client.cli._exit import DONE
from muapi_client.errors import MuAPIError
from muapi_client.pinning import pinned
from muapi_client.pinning._document.canonical import SCOPE
from muapi_client.pinning._document.pin import DOCUMENT, MODELS, checkout
from muapi_client.pinning._locks.fetch import bring

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console

TOOLS: Final = ("jinja2", "jsonpath_rfc9535", "openapi_python_client", "ruamel", "ruff")  # of the extra [generate]
CORRECTIONS: Final = "corrections.yaml"
NONE: Final = "none"
ONLY: Final = "only:"  # before a file whose corrections stand in the place of this version's


def build(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec build``.

    Raises:
        PinError: The document cannot be had, or is none that can be rendered.
        MuAPIError: The extra is not installed, or nothing was rendered; the message says why.
    """
    _check_tools()
    place = Path(options.package, options.name or "").absolute()
    package = place.parent.resolve() / place.name  # not where it leads, should it be a link
    with tempfile.TemporaryDirectory(prefix="muapi-build-") as folder:
        outside = bring(options.source, Path(folder), scope=options.scope, models=options.models)
        message = _render(_list_arguments(options, Path(folder), package), console)
    if outside:
        message.insert(
            0, f"Operations not below {options.scope}, which are left behind: {outside} (--scope / takes all)."
        )
    name = package.name
    use = f"import {name}; MuAPI(models={name}) speaks that document, wherever {package.parent} is on the path"
    console.result({"package": str(package), "name": name, "messages": message}, "\n".join([*message, use]))
    return DONE


def _check_tools() -> None:
    missing = [tool for tool in TOOLS if find_spec(tool) is None]
    if missing:
        raise MuAPIError(
            f"spec build renders with tools that are not installed ({', '.join(missing)}): "
            "pip install 'muapi-client[generate]'"
        )


def _list_arguments(options: argparse.Namespace, brought: Path, package: Path) -> list[str]:
    pin = Path(str(pinned().directory))
    source = options.source.rstrip("/").rpartition("/")[2]  # a path of this machine is nobody else's business
    return [
        *("--document", str(brought / DOCUMENT)),
        *_list_corrections(options, pin),
        *("--models", str((brought if options.models else pin) / MODELS)),
        *("--output", str(package)),
        *("--prefix", f"{options.scope}/"),
        *(["--leave-out"] if options.leave_out else []),
        *("--generated-by", f"`muapi-client spec build` from {source if source.isprintable() else 'a document'}"),
    ]


def _list_corrections(options: argparse.Namespace, pin: Path) -> list[str]:
    """The Overlays to apply: this version's, which are about its own scope, and a user's own behind or instead."""
    wanted: str = options.corrections or ""
    is_ours = options.scope == SCOPE and wanted != NONE and not wanted.startswith(ONLY)
    ours = ["--corrections", str(pin / CORRECTIONS) if is_ours else NONE]
    if wanted in ("", NONE):
        return ours
    return [*ours, "--own-corrections", str(Path(wanted.removeprefix(ONLY)).resolve())]


def _render(arguments: list[str], console: Console) -> list[str]:
    """Run the generator; its messages, a line each.

    Raises:
        MuAPIError: It refused; nothing was written. What it lists before its last line is told first.
    """
    command = [sys.executable, str(_generator() / "render.py"), "build", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - a program of ours
    if done.returncode:
        *listed, last = (done.stderr.strip() or done.stdout.strip()).removeprefix("build: ").splitlines()
        for line in listed:
            console.say(line, {"message": line.strip()})
        raise MuAPIError(f"nothing was rendered: {last}")
    return done.stdout.strip().splitlines()


def _generator() -> Path:
    """Where the generator is: in the checkout this package runs from, or in the installed wheel."""
    spec = checkout()
    return spec.parent / "generator_templates" if spec else Path(str(files("muapi_client") / "_generator"))
