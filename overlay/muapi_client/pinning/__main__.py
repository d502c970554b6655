"""``python -m muapi_client.pinning fetch|verify|changelog``: the same from a command line.

Lives here: arguments, the files that are told of changes, what is printed, the exit status (0 done or in agreement, 1
not). Does not live here: the work.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muapi_client.pinning import Lock, PinError, diff, fetch, verify
from muapi_client.pinning._document.canonical import serialize
from muapi_client.pinning._document.lock import SHORT, sha256
from muapi_client.pinning._document.pin import DOCUMENT, LOCK, MODELS
from muapi_client.pinning._document.strict_json import parse
from muapi_client.pinning._locks.changelog import Step, insert_entry, make_entry, make_title
from muapi_client.pinning._report.forms import render
from muapi_client.pinning._report.report import Report

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
        return {"fetch": _fetch, "verify": _verify, "changelog": _changelog}[options.command](options)
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


def _changelog(options: argparse.Namespace) -> int:
    """Tell what the pin changed since the one in version control: in the changelog, and where else it is asked."""
    old, new = _before(options), _read(options.spec / DOCUMENT)
    before, after = (sha256(serialize(parse(content, "the document"))) for content in (old, new))
    prices = _prices(options)
    if before == after and (prices is None or prices[0] == prices[1]):
        sys.stdout.write(f"nothing to tell: the old document is {after[:SHORT]}, as the pinned one is\n")
        return 0
    step = _step(options, before, after, prices)
    found = diff(parse(old, "the old document"), parse(new, "the new document"), prices=prices)
    log = _read(options.changelog).decode()
    texts = {
        options.changelog: insert_entry(log, make_entry(found, step), step),
        options.title: f"{make_title(found, step)}\n",
        options.text: f"{render(Report(found, before[:SHORT], after[:SHORT]), 'markdown')}\n",
    }
    for file, text in texts.items():
        if file is not None:
            file.write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{make_title(found, step)}; told in {options.changelog}\n")
    return 0


def _step(
    options: argparse.Namespace, before: str, after: str, prices: tuple[dict[str, Any], dict[str, Any]] | None
) -> Step:
    if before == after and prices is not None:
        was, now = (str(listed.get("as_of")) for listed in prices)
        return Step(before, after, now, was)
    lock = Lock.from_toml(_read(options.spec / LOCK).decode())
    return Step(before, after, lock.fetched_at.partition("T")[0])


def _before(options: argparse.Namespace) -> bytes:
    """The document that was pinned before: a file, or that of the last commit."""
    return _committed(options.spec / DOCUMENT) if options.old is None else _read(options.old)


def _prices(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The price list of the last commit and the one of now; none beside an old document that came as a file."""
    now = options.spec / MODELS
    if options.old is not None or not now.is_file():
        return None
    return parse(_committed(now), "the old price list"), parse(_read(now), "the price list")


def _committed(file: Path) -> bytes:
    """A file as the last commit has it."""
    place = f"HEAD:./{file.as_posix()}"
    done = subprocess.run(["git", "show", place], capture_output=True, check=False)  # noqa: S603, S607 - git as PATH has it
    if done.returncode:
        raise PinError(f"git does not give {place}: {done.stderr.decode().strip()}; name the old document with --old")
    return done.stdout


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PinError(f"cannot read {file}: {error.strerror}") from None


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
    telling = commands.add_parser("changelog", help="tell in CHANGELOG.md what the pinned document changed")
    telling.add_argument("--old", metavar="FILE", type=Path, help="the old document (default: that of the last commit)")
    telling.add_argument(
        "--spec", metavar="DIR", type=Path, default=Path("spec"), help="the folder of the pin (default: spec)"
    )
    telling.add_argument(
        "--changelog", metavar="FILE", type=Path, default=Path("CHANGELOG.md"), help="the changelog to write to"
    )
    telling.add_argument("--title", metavar="FILE", type=Path, help="write a pull request's title here")
    telling.add_argument("--text", metavar="FILE", type=Path, help="write a pull request's text here, in Markdown")
    for command, default in (
        (fetching, "spec of the checkout that this runs from, else spec here"),
        (checking, "that of this package"),
    ):
        command.add_argument("--spec", metavar="DIR", help=f"the folder of the pin (default: {default})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
