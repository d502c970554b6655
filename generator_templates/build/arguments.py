"""Options: the words after ``render.py``, and what stands for those left out.

Lives here: argparse, and what no path or name can be. Does not live here: what the commands do (``render``).
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rules.names import PREFIX

ROOT = Path(__file__).resolve().parents[2]
_PREFIX = re.compile(r"/(?:[\w.~-]+/)*", re.ASCII)


def parser(described: str) -> argparse.ArgumentParser:
    """The parser of every command."""
    whole = argparse.ArgumentParser(description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    generate = commands.add_parser("generate", help="render the pinned document in the place of the package")
    drift = commands.add_parser("drift", help="list what of the package is not what comes out")
    drift.add_argument("--full", action="store_true", help="render even if the record vouches for the package")
    for command in (generate, drift):
        _files(command, spec=ROOT / "spec")
        command.add_argument("--output", type=_path, default=ROOT / "generated/muapi_generated", help="the package")
        command.add_argument("--code", type=_path, default=ROOT / "overlay/muapi_client", help="what stands on it")
    _build(commands.add_parser("build", help="render another document beside the installed package"))
    upstream = commands.add_parser("upstream", help="list the generator's templates that moved under ours")
    upstream.add_argument("--record", action="store_true", help="write down that they were read")
    return whole


def _files(command: argparse.ArgumentParser, spec: Path | None) -> None:
    """The files a rendering is made of; without a ``spec`` folder they have to be named."""
    required = spec is None
    folder = spec or Path()
    defaults = {"document": "openapi.json", "corrections": "corrections.yaml", "models": "models.json"}
    about = {
        "document": "the OpenAPI document, JSON or YAML (.yaml)",
        "corrections": "the Overlay, or none",
        "models": "the price list",
    }
    for name, file in defaults.items():
        command.add_argument(
            f"--{name}",
            type=_file_or_none if name == "corrections" else _path,
            default=None if required else folder / file,
            required=required,
            help=about[name],
        )
    command.add_argument("--prefix", type=_prefix, default=PREFIX, help=f"what names leave out of paths ({PREFIX})")


def _build(command: argparse.ArgumentParser) -> None:
    _files(command, spec=None)
    command.add_argument("--output", type=_path, required=True, help="the package")
    command.add_argument("--beside", type=_module, default="muapi_generated", help="the package whose types it shares")
    command.add_argument("--told", type=_line, default="`render.py build`", help="what its files say they come from")


def _path(text: str) -> Path:
    return Path(text).resolve()


def _file_or_none(text: str) -> Path | None:
    return None if text == "none" else _path(text)


def _prefix(text: str) -> str:
    whole = f"{text.rstrip('/')}/"
    if not _PREFIX.fullmatch(whole):
        raise argparse.ArgumentTypeError(f"{text!r} is no beginning of a path, such as {PREFIX}")
    return whole


def _module(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a package")
    return text


def _line(text: str) -> str:
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is no line of text")
    return text
