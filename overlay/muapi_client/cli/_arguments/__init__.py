"""The words a user may type, as one argparse parser.

Lives here: commands, options and their help; what cannot be right by its form alone is a usage error (exit code 2).
Does not live here: anything that needs the catalogue, such as whether a model has a field.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from muapi_client._version import __version__
from muapi_client.cli._arguments import files, journal, local
from muapi_client.cli._arguments.account import add_account, add_auth
from muapi_client.cli._arguments.files import add_files
from muapi_client.cli._arguments.jobs import add_jobs
from muapi_client.cli._arguments.journal import add_journal_commands
from muapi_client.cli._arguments.local import add_demo, add_emulator
from muapi_client.cli._arguments.models import add_models
from muapi_client.cli._arguments.options import EXIT_CODES, add_output
from muapi_client.cli._arguments.parser import Parser
from muapi_client.cli._arguments.runs import add_batch, add_estimate, add_run
from muapi_client.cli._arguments.settings import add_config
from muapi_client.cli._arguments.shell import add_completion, add_docs
from muapi_client.cli._arguments.spec import add_spec, check

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG: Final = f"""\
The API key comes from MUAPI_API_KEY, else from the keyring; the API's address
from MUAPI_BASE_URL.

{EXIT_CODES}"""

JSON_WORDS: Final = {"--json", "--output-json", "-j"}  # as other programs have it
# Commands whose last words may stand between options.
LOOSE: Final = {"batch": "fields", "estimate": "fields", "models": "words", "run": "fields"}


def read(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the words after the program's name; None for this process's own.

    Raises:
        SystemExit: Help was asked for (0), or the words make no command (2).
    """
    parser = make_parser()
    options, rest = parser.parse_known_args(argv)
    parser.command = options.command
    # argparse fills a list of words once, before the first option; what follows one comes back as a rest, with any
    # "--" between them.
    rest = [word for word in rest if word != "--"]
    place = LOOSE.get(options.command)
    if options.command == "auth" and not JSON_WORDS.issuperset(rest):  # which is not repeated: an error goes into logs
        parser.error("auth login takes no key as an argument, which others could read: it asks for it, or reads a pipe")
    if rest and (place is None or any(word.startswith("-") for word in rest)):
        hint = "; a field of the input has no dashes: prompt='a red fox'" if place == "fields" else ""
        if JSON_WORDS.intersection(rest):
            hint = "; JSON is asked for by --output json"
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    if place is not None:
        setattr(options, place, [*getattr(options, place), *rest])
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse words of one command that argparse cannot judge."""
    if LOOSE.get(options.command) == "fields":
        wrong = [word for word in options.fields if "=" not in word or word.startswith("=")]
        if wrong:
            parser.error(f"{options.command}: {wrong[0]!r} is no field=value, such as prompt='a red fox'")
    if options.command == "models" and options.words == ["show"]:
        parser.error("models show: name a model, such as flux-dev-image")
    if options.command == "models" and options.words[:1] != ["show"] and options.output not in (None, "plain", "json"):
        parser.error(f"models: --output {options.output} is of one model: models show SLUG --output {options.output}")
    if options.command == "spec":
        check(parser, options)
    files.check(parser, options)
    journal.check(parser, options)
    local.check(parser, options)


def make_parser() -> Parser:
    """Make the parser of all commands."""
    parser = Parser(
        prog="muapi-client",
        description="Run MuAPI's models, and see to what was submitted, saved and spent.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"muapi-client {__version__}")
    add_output(parser, default=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_run(commands)
    add_batch(commands)
    add_estimate(commands)
    add_jobs(commands)
    add_journal_commands(commands)
    add_files(commands)
    add_models(commands)
    add_account(commands)
    add_auth(commands)
    add_config(commands)
    add_spec(commands)
    add_docs(commands)
    add_completion(commands)
    add_demo(commands)
    add_emulator(commands)
    return parser
