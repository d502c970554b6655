"""What several commands share: how one is added, and the options that mean the same in each.

Lives here: those. Does not live here: which command has which (the modules beside this one).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments.values import read_limit, read_name, read_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of every command that has none of its own; each that runs jobs has it in its help.
EXIT_CODES: Final = """\
exit codes: 0 done, 1 error, 2 usage, 3 key, 4 rate limit, 5 not found,
6 billing, 7 timeout (the job lives on), 8 invalid input, 9 perhaps charged,
10 the job failed (whether it was charged stands in the error), 11 not sent,
12 over budget, 130 interrupted, 143 ended by SIGTERM, 129 by SIGHUP.
"""
FIRST_OF: Final = "9, 7, 10, 1, 12, 6, 3, 4, 5, 8, 11"  # of many jobs; a test holds it to the order of ``_exit``


def add_output(
    parser: argparse.ArgumentParser,
    forms: Sequence[str] = ("plain", "json"),
    *,
    default: str | None = argparse.SUPPRESS,
) -> None:
    """The option that stands before or after a command: only the outermost parser sets the default."""
    parser.add_argument(
        "--output", choices=forms, default=default, help=f"how to print results and errors (default: {forms[0]})"
    )


def add_command(
    commands: Any,
    name: str,
    summary: str,
    epilog: str = "",
    forms: Sequence[str] = ("plain", "json"),
    *,
    on_help: str | type[argparse.Action] = "help",
) -> argparse.ArgumentParser:
    """Add a command, or an action of one.

    Args:
        on_help: What ``--help`` does.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument(
        "-h", "--help", action=on_help, default=argparse.SUPPRESS, help="show this help message and exit"
    )
    add_output(parser, forms)
    return parser


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Add ``--timeout``."""
    parser.add_argument("--timeout", metavar="SECONDS", type=read_seconds, help="how long to wait (default: 1800)")


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Add ``--journal`` and ``--no-journal``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--journal", metavar="FILE", help="the journal of jobs: a file, or postgresql://… (default: the user's own)"
    )
    which.add_argument("--no-journal", action="store_true", help="keep and read no journal")


def add_saving(parser: argparse.ArgumentParser) -> None:
    """Add ``--out`` and ``--name``."""
    parser.add_argument("--out", metavar="DIR", help="save the outputs in this folder, made where there is none")
    parser.add_argument("--name", metavar="PATTERN", type=read_name, help="how files are called; see below")


def add_budget(parser: argparse.ArgumentParser, period: str) -> None:
    """Add ``--budget``.

    Args:
        period: What an amount is for that names no period.
    """
    parser.add_argument(
        "--budget",
        metavar="USD[/PERIOD]",
        type=read_limit,
        help="refuse what would pass it, counted in the journal over all that share it; PERIOD is run, day, month"
        f" (of UTC) or ever (default: {period})",
    )
    parser.set_defaults(budget_per=period)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add ``--quiet``."""
    parser.add_argument(
        "--quiet", "-q", action="store_true", help="say nothing but results, errors and what may lose money"
    )
