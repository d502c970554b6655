"""The words a user may type, as one argparse parser.

Lives here: commands, options and their help; what cannot be right by its form alone is a usage error (exit code 2).
Does not live here: anything that needs the catalogue, such as whether a model has a field.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from muapi_client._version import __version__
from muapi_client.cli._spec.arguments import add_actions, check

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODES: Final = """\
The API key comes from MUAPI_API_KEY only, the API's address from MUAPI_BASE_URL.

exit codes: 0 done, 1 error, 2 usage, 3 key, 4 rate limit, 5 not found,
6 billing, 7 timeout, 8 invalid input, 130 interrupted.
"""

RUN: Final = """\
A field's value is read by the type the pinned document gives it: width=1024,
sync=true, seed=null. A list takes its items one by one (images_list=URL
images_list=URL) or as JSON, an object takes JSON, text is taken as it is.
With --raw a value is JSON where it is JSON, and text otherwise.
"""

EMULATOR: Final = """\
The address and the keys go to standard output, a line for each request to
standard error. Keys are never logged. To point a client at it:

  export MUAPI_BASE_URL=http://127.0.0.1:8780 MUAPI_API_KEY=sk-live

With --chaos, connections are reset before and after a job is accepted, answers
are late, cut, slow, no JSON, HTML, 429 or 500; the summary at the end tells
what was accepted and charged in truth.
"""

SPEND: Final = """\
In USD: charged; refunded (charged and given back); in doubt (may have been
charged, by estimate); reserved (under way, and no cost told yet). unpriced
counts jobs that ended without a cost. --output csv is for a spreadsheet.
"""

LOOSE: Final = {"run": "fields", "models": "words"}  # commands whose last words may stand between options


def read(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the words after the program's name; None for this process's own.

    Raises:
        SystemExit: Help was asked for (0), or the words make no command (2).
    """
    parser = _make_parser()
    options, rest = parser.parse_known_args(argv)
    # argparse fills a list of words once, before the first option; what follows one comes back as a rest, with any
    # "--" between them.
    rest = [word for word in rest if word != "--"]
    place = LOOSE.get(options.command)
    if rest and (place is None or any(word.startswith("-") for word in rest)):
        hint = "; a field of the input has no dashes: prompt='a red fox'" if options.command == "run" else ""
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    if place is not None:
        setattr(options, place, [*getattr(options, place), *rest])
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse words of one command that argparse cannot judge."""
    if options.command == "run":
        wrong = [word for word in options.fields if "=" not in word or word.startswith("=")]
        if wrong:
            parser.error(f"run: {wrong[0]!r} is no field=value, such as prompt='a red fox'")
    if options.command == "models" and options.words == ["show"]:
        parser.error("models show: name a model, such as flux-dev-image")
    if options.command == "demo" and options.yes and not options.live:
        parser.error("demo: --yes goes with --live; the emulator costs nothing")
    if options.command == "spec":
        check(parser, options)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="muapi-client",
        description="Run MuAPI's models, list them, show the pinned document.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"muapi-client {__version__}")
    _add_output(parser, default="plain")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_emulator(commands)
    _add_run(commands)
    _add_jobs(commands)
    _add_models(commands)
    _add_spend(commands)
    _add_spec(commands)
    return parser


def _add_output(
    parser: argparse.ArgumentParser, forms: Sequence[str] = ("plain", "json"), *, default: str = argparse.SUPPRESS
) -> None:
    """The option that stands before or after a command: only the outermost parser sets the default."""
    parser.add_argument(
        "--output", choices=forms, default=default, help=f"how to print results and errors (default: {forms[0]})"
    )


def _add_command(
    commands: Any, name: str, summary: str, epilog: str = "", forms: Sequence[str] = ("plain", "json")
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_output(parser, forms)
    return parser


def _add_demo(commands: Any) -> None:
    demo = _add_command(
        commands, "demo", "run one model of each kind on the embedded emulator: no key, no network, no money"
    )
    demo.add_argument("--live", action="store_true", help="run one cheap model on the real API, after asking")
    demo.add_argument("--yes", action="store_true", help="with --live: do not ask")


def _add_emulator(commands: Any) -> None:
    emulator = _add_command(commands, "emulator", "a MuAPI on this machine, over HTTP, until Ctrl-C", EMULATOR)
    emulator.add_argument(
        "--port",
        metavar="N",
        type=_read_port,
        default=8780,
        help="where to listen; 0 picks a free port (default: 8780)",
    )
    emulator.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="another address to listen on lets other machines in"
    )
    emulator.add_argument(
        "--chaos",
        metavar="RATE",
        type=_read_rate,
        default=0.0,
        help="the share of requests that meet a fault, such as 0.2",
    )
    emulator.add_argument("--realtime", action="store_true", help="jobs take as long as real ones, not a 60th")
    emulator.add_argument("--seed", metavar="N", type=int, default=0, help="what ids and faults are drawn from")
    emulator.add_argument("--balance", metavar="USD", type=_read_usd, help="in the account at first (default: 100)")
    emulator.add_argument(
        "--state", metavar="FILE", help="go on from this file where there is one, and write it when it ends"
    )


def _add_run(commands: Any) -> None:
    run = _add_command(commands, "run", "submit a job and wait for its result", RUN)
    run.add_argument("slug", metavar="SLUG", help="the model: its slug, function or catalogue name")
    run.add_argument("fields", metavar="field=value", nargs="*", default=[], help="the input")
    run.add_argument(
        "--json", metavar="FILE", dest="json_file", help="more input, a JSON object; - reads it from stdin"
    )
    instead = run.add_mutually_exclusive_group()
    instead.add_argument("--estimate", action="store_true", help="print the price and send no job")
    instead.add_argument(
        "--dry-run", action="store_true", help="print the checked request and send nothing; needs no key"
    )
    instead.add_argument("--no-wait", action="store_true", help="print the request id and do not wait")
    run.add_argument("--raw", action="store_true", help="send unchecked, also to a slug the pinned document lacks")
    run.add_argument("--max-spend", metavar="USD", type=_read_usd, help="refuse a job that is expected to cost more")
    _add_timeout(run)


def _add_jobs(commands: Any) -> None:
    wait = _add_command(commands, "wait", "wait for the result of a job submitted before")
    wait.add_argument("id", metavar="ID", help="the request id")
    _add_timeout(wait)
    look = _add_command(commands, "look", "ask once how a job stands")
    look.add_argument("id", metavar="ID", help="the request id")


def _add_models(commands: Any) -> None:
    models = _add_command(
        commands, "models", "list the models of the pinned document, or show some: models show SLUG ..."
    )
    models.add_argument("words", metavar="WORD", nargs="*", help="list only models that hold every word")
    models.add_argument("--group", help="list only this group, such as text_to_image")
    models.add_argument("--kind", help="list only this kind, such as image, video, audio, 3d, text, data")


def _add_spend(commands: Any) -> None:
    forms = ("plain", "json", "csv")
    spend = _add_command(commands, "spend", "add up what the jobs of a journal cost, of whatever key", SPEND, forms)
    spend.add_argument("--journal", metavar="FILE", required=True, help="the journal: a file, or postgresql://…")
    spend.add_argument(
        "--by",
        metavar="COLUMNS",
        default="model,day,tag,outcome",
        help="what to group by: any of model, day, month, tag, run, outcome (default: model,day,tag,outcome)",
    )
    spend.add_argument("--tag", metavar="TAG", help="count only jobs submitted under this tag")
    spend.add_argument("--run", metavar="NAME", help="count only jobs of this run")
    spend.add_argument(
        "--since", metavar="TIME", type=_read_time, help="count only jobs submitted then or later: 2026-08-01, in UTC"
    )


def _add_spec(commands: Any) -> None:
    spec = _add_command(commands, "spec", "the pinned document")
    actions = spec.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_command(actions, "show", "show which document is pinned, and how it came here")
    add_actions(actions, _add_command)


def _add_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", metavar="SECONDS", type=_read_seconds, help="how long to wait (default: 1800)")


def _read_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time, such as 2026-08-01T12:00:00+02:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return seconds


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _read_rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate from 0 to 1, such as 0.2")
    return rate


def _read_usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in USD, such as 0.50")
    return amount
