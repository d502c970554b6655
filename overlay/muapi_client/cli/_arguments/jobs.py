"""The words of one paid job: ``run``, ``wait``, ``look``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import EXIT_CODES, add_budget, add_command, add_journal, add_timeout
from muapi_client.cli._arguments.values import read_usd

RUN: Final = f"""\
A field's value is read by the type the pinned document gives it: width=1024,
sync=true, seed=null. A list takes its items one by one (images_list=URL
images_list=URL) or as JSON, an object takes JSON, text is taken as it is.
With --raw a value is JSON where it is JSON, and text otherwise.

{EXIT_CODES}"""


def add_run(commands: Any) -> None:
    """Add ``run``."""
    run = add_command(commands, "run", "submit a job and wait for its result", RUN)
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
    run.add_argument("--max-spend", metavar="USD", type=read_usd, help="refuse a job that is expected to cost more")
    add_budget(run, "day")
    add_journal(run)
    add_timeout(run)


def add_jobs(commands: Any) -> None:
    """Add ``wait`` and ``look``."""
    wait = add_command(commands, "wait", "wait for the result of a job submitted before")
    wait.add_argument("id", metavar="ID", help="the request id")
    add_timeout(wait)
    look = add_command(commands, "look", "ask once how a job stands")
    look.add_argument("id", metavar="ID", help="the request id")
