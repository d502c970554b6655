"""``python -m muapi_client.pinning fetch|verify``: the same from a command line.

Lives here: arguments, what is printed, the exit status (0 done or in agreement, 1 not). Does not live here:
the work.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from muapi_client.pinning import PinError, fetch, verify

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: The words after the program's name; None for this process's own.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        return _fetch(options) if options.command == "fetch" else _verify(options)
    except PinError as error:
        sys.stderr.write(f"{options.command}: {' '.join(str(error).split())}\n")
        return 1


def _fetch(options: argparse.Namespace) -> int:
    done = fetch(
        options.source,
        options.spec,
        models=options.models,
        recorded_source=options.recorded_source,
        note=options.note,
    )
    sys.stdout.write(f"{done.message}\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    found = verify(options.spec)
    sys.stdout.writelines(f"{line}\n" for line in found or ("the lock and the pinned files agree",))
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m muapi_client.pinning", description="Pin MuAPI's OpenAPI document, or check the pin."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="get the document and pin it; the same document changes no byte")
    fetching.add_argument(
        "--source",
        metavar="URL-or-FILE",
        help="https, http to this machine, or a file (default: $MUAPI_OPENAPI_URL, else MuAPI's own address)",
    )
    fetching.add_argument("--models", metavar="URL-or-FILE", help="renew the price catalogue too (GET /api/v1/models)")
    fetching.add_argument(
        "--recorded-source",
        metavar="URL",
        help="what the lock names as the source when --source is a copy; say in --note what kind of copy",
    )
    fetching.add_argument("--note", metavar="TEXT", help="a remark in the lock on where the document comes from")
    checking = commands.add_parser("verify", help="compare spec/lock.toml with the files it describes")
    for command in (fetching, checking):
        command.add_argument("--spec", metavar="DIR", help="the folder of the pin (default: spec of the checkout)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
