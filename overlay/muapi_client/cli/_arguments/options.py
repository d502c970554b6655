"""What several commands share: how one is added, and the options that mean the same in each.

Lives here: those. Does not live here: which command has which (the modules beside this one).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from muapi_client.cli._arguments.values import read_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence


def add_output(
    parser: argparse.ArgumentParser, forms: Sequence[str] = ("plain", "json"), *, default: str = argparse.SUPPRESS
) -> None:
    """The option that stands before or after a command: only the outermost parser sets the default."""
    parser.add_argument(
        "--output", choices=forms, default=default, help=f"how to print results and errors (default: {forms[0]})"
    )


def add_command(
    commands: Any, name: str, summary: str, epilog: str = "", forms: Sequence[str] = ("plain", "json")
) -> argparse.ArgumentParser:
    """Add a command, or an action of one."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_output(parser, forms)
    return parser


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Add ``--timeout``."""
    parser.add_argument("--timeout", metavar="SECONDS", type=read_seconds, help="how long to wait (default: 1800)")
