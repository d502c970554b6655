"""The words of what pays for jobs, and of its price: ``run``, ``batch``, ``estimate``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments.model_help import ModelHelp
from muapi_client.cli._arguments.options import (
    EXIT_CODES,
    FIRST_OF,
    add_budget,
    add_command,
    add_journal,
    add_quiet,
    add_saving,
    add_timeout,
)
from muapi_client.cli._arguments.values import read_count, read_usd

if TYPE_CHECKING:
    import argparse

RUN: Final = f"""\
muapi-client run SLUG --help tells the fields of that model, too.

A field's value is read by the type the pinned document gives it: width=1024,
sync=true, seed=null. A list takes its items one by one (images_list=URL
images_list=URL) or as JSON, an object takes JSON, text is taken as it is.
With --raw a value is JSON where it is JSON, and text otherwise.

Where the model wants media, image_url=fox.png (or @fox.png) uploads the file,
once all else was checked. prompt=@prompt.txt is the file's text, prompt=- all of
standard input; \\@fox and \\- are these words themselves.

Files are never overwritten. PATTERN may hold {{slug}}, {{id}} (the request id),
{{key}} (the number of a run repeated by -n), {{index}} and {{ext}}; the default is
{{id}}-{{index}}.{{ext}}. The folder and the pattern are checked before anything is
paid for.

Ctrl-C ends the waiting and no job: MuAPI has no route to cancel one. What lives
on is told, and how to take it up.

{EXIT_CODES}With -n the first of {FIRST_OF} that any job came to.
"""

ESTIMATE: Final = """\
The input is checked as `run` checks it, and priced by the server where the price
depends on it; a local file is not uploaded. The same as `run --estimate`.
"""

BATCH: Final = f"""\
Each column is a field of MODEL, each row a job; CSV has a header, JSON lines an
object a line. An empty cell leaves its field out. Fields on the command line are
for all rows that do not say otherwise. A media field takes a URL or a file in FILE's
folder or below it (--files DIR: in another); @ means nothing else here, so that rows
read no file but those. A column that is no field is refused unless --key or --name
names it. All rows are checked before the first is sent.

The same command again goes on where it stopped: what was finished is not paid
for again, and a row that has changed under its key is refused by name. A job that
failed stays failed: --reuse with another --run NAME submits those rows anew, and
pays for no finished one whose outputs can still be fetched. A row's
key is its number, or its cell of --key COLUMN. Jobs are known by --run NAME, by
default the file's name and the model. Each result is a line: its key, a tab, the
file or URL.

PATTERN may hold {{key}}, {{row.COLUMN}}, {{slug}}, {{id}}, {{index}} and {{ext}}; the
default is {{key}}-{{index}}.{{ext}}. Two rows of one name are refused.

{EXIT_CODES}Of all rows the first of {FIRST_OF} that any came to.
"""


def add_run(commands: Any) -> None:
    """Add ``run``."""
    run = add_command(commands, "run", "submit a job and wait for its result", RUN, on_help=ModelHelp)
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
    run.add_argument("-n", metavar="N", dest="times", type=read_count, default=1, help="run it N times side by side")
    run.add_argument("--raw", action="store_true", help="send unchecked, also to a slug the pinned document lacks")
    run.add_argument("--empty", action="store_true", help="run it although no field is given")
    add_saving(run)
    _add_money(run, "day")
    add_timeout(run)
    add_quiet(run)


def add_estimate(commands: Any) -> None:
    """Add ``estimate``."""
    summary = "tell what a job will cost, and send none (free)"
    estimate = add_command(commands, "estimate", summary, ESTIMATE, on_help=ModelHelp)
    estimate.add_argument("slug", metavar="SLUG", help="the model: its slug, function or catalogue name")
    estimate.add_argument("fields", metavar="field=value", nargs="*", default=[], help="the input, as of `run`")
    estimate.add_argument(
        "--json", metavar="FILE", dest="json_file", help="more input, a JSON object; - reads it from stdin"
    )
    estimate.add_argument("--raw", action="store_true", help="a model that the pinned document lacks, unchecked")


def add_batch(commands: Any) -> None:
    """Add ``batch``."""
    batch = add_command(commands, "batch", "run a model once for each row of a file", BATCH, on_help=ModelHelp)
    batch.add_argument("file", metavar="FILE", help="rows, as .csv or .jsonl; - reads standard input")
    batch.add_argument("slug", metavar="MODEL", help="the model: its slug, function or catalogue name")
    batch.add_argument("fields", metavar="field=value", nargs="*", default=[], help="input that all rows share")
    batch.add_argument("--run", metavar="NAME", help="the name by which it goes on where it stopped")
    batch.add_argument("--key", metavar="COLUMN", help="the column that tells rows apart (default: their numbers)")
    batch.add_argument("--files", metavar="DIR", help="where the files of rows are (default: FILE's folder)")
    batch.add_argument("--format", choices=("csv", "jsonl"), help="what FILE is, where its name does not tell")
    instead = batch.add_mutually_exclusive_group()
    instead.add_argument("--estimate", action="store_true", help="print what all rows cost and send no job")
    instead.add_argument("--dry-run", action="store_true", help="check all rows and send nothing; needs no key")
    batch.add_argument(
        "--concurrency", metavar="N", type=read_count, default=64, help="jobs under way at a time (default: 64)"
    )
    batch.add_argument(
        "--retry-unknown", action="store_true", help="submit again what may have been charged, at your own risk"
    )
    add_saving(batch)
    _add_money(batch, "run")
    add_timeout(batch)
    add_quiet(batch)


def _add_money(parser: argparse.ArgumentParser, period: str) -> None:
    """Add what limits and books the jobs.

    Args:
        period: What a budget is for that names no period.
    """
    parser.add_argument("--max-spend", metavar="USD", type=read_usd, help="the most this command may spend")
    parser.add_argument(
        "--unpriced", metavar="USD", type=read_usd, help="what a job counts for in a limit whose price nobody tells"
    )
    add_budget(parser, period)
    parser.add_argument("--tag", metavar="TAG", help="your word for these jobs in the journal; never sent")
    parser.add_argument(
        "--reuse",
        action="store_true",
        help="take the answer to an equal job of before, or wait for its end",
    )
    parser.add_argument("--webhook", metavar="URL", help="have each job's end posted there")
    add_journal(parser)
