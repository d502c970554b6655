"""The words of what reads a journal: jobs, unknown, reconcile, settle, resume, journal, spend.

Lives here: the options of these commands. Does not live here: what they do.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from muapi_client._types.entry_state import STATES
from muapi_client.cli._arguments.options import EXIT_CODES, add_command, add_journal, add_quiet, add_saving, add_timeout
from muapi_client.cli._arguments.values import read_count, read_past

JOBS: Final = """\
Free, and without a network. Lists what was submitted with this API key, oldest
first. A state is intent (about to be submitted), accepted (under way, or its
end was not seen), completed, failed, cancelled or unknown (may have been
charged, and no answer told its id). What stands in place of an id, such as
3f9a1c0b, names the entry for `reconcile` and `settle`.
"""

UNKNOWN: Final = """\
Free, and without a network. Nothing of these is ever submitted again by itself;
`reconcile` looks for them in the history, `settle` takes your word for it.
"""

RECONCILE: Final = """\
Free: reads the account's history and submits nothing. It is proven that a job
was never accepted where the history reaches back past the submit, some minutes
have passed since, and no job of that model and time is in it. What is in it
may be the job, or that of another program on the account: look at it. Of what
another API key submitted, only that key has the history.
"""

SETTLE: Final = """\
Your word counts from then on: with JOB the entry is that job, which is looked
for at the server (free) before that is written; with --never the entry is
taken out of the journal, what was set aside for it is given back, and where it
is an item of a run, the run submits it again.

  muapi-client settle 3f9a1c0b 0c6e5d9e-1a3f-4c53-9d0a-7b8c2f4e6d10
  muapi-client settle 3f9a1c0b --never
"""

RESUME: Final = f"""\
Free: the jobs were paid for when they were accepted. Waits for 64 at a time and
prints what each came to as it ends: its id, a tab, the address or the file. One
that another program waits for just now is left to it. Ctrl-C ends the waiting
and no job: resume again. PATTERN may hold {{slug}}, {{id}}, {{index}} and {{ext}};
the default is {{id}}-{{index}}.{{ext}}, and no file is overwritten.

{EXIT_CODES}"""

PRUNE: Final = """\
Drops prompts, answers and texts that were made, of jobs that ended before that,
and nothing of jobs that may still cost or have cost something: ids, states,
times, costs and the addresses of outputs stay, so that `spend` and budgets count
as before. A job that is dropped answers no call of --reuse any more. Without
--yes it tells how many, and asks.
"""

SPEND: Final = """\
In USD: charged; refunded (charged and given back); in doubt (may have been
charged, by estimate); reserved (under way, and no cost told yet). unpriced
counts jobs that ended without a cost. --csv is for a spreadsheet.
"""


def add_journal_commands(commands: Any) -> None:
    """Add every command that reads a journal."""
    _add_jobs(commands)
    unknown = add_command(
        commands, "unknown", "list the submits that may have been charged, and whose job is not known", UNKNOWN
    )
    _add_place(unknown)
    reconcile = add_command(
        commands, "reconcile", "look through the history for the jobs of unknown submits", RECONCILE
    )
    reconcile.add_argument("names", metavar="NAME", nargs="*", help="as `unknown` tells it; by default all of them")
    reconcile.add_argument(
        "--settle", action="store_true", help="settle those that are proven to have never been accepted"
    )
    add_journal(reconcile)
    settle = add_command(commands, "settle", "say what became of a submit whose outcome is unknown", SETTLE)
    settle.add_argument("name", metavar="NAME", help="as `unknown` tells it")
    settle.add_argument("job", metavar="JOB", nargs="?", help="the request id of its job")
    settle.add_argument("--never", action="store_true", help="it was never accepted")
    add_journal(settle)
    resume = add_command(commands, "resume", "wait for every job that was accepted and whose end was not seen", RESUME)
    add_saving(resume)
    add_timeout(resume)
    add_journal(resume)
    add_quiet(resume)
    _add_journal(commands)
    _add_spend(commands)


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse words of one command that argparse cannot judge."""
    if options.command == "settle" and bool(options.job) == options.never:
        parser.error("settle: name its JOB, or say --never")


def _add_jobs(commands: Any) -> None:
    jobs = add_command(commands, "jobs", "list what was submitted, with its state, cost and files", JOBS)
    jobs.add_argument("--state", choices=STATES, metavar="STATE", help=f"only those: {', '.join(STATES)}")
    jobs.add_argument("--model", metavar="SLUG", dest="slug", help="only those of this model")
    _add_filters(jobs)
    jobs.add_argument("--limit", metavar="N", type=read_count, help="only the latest N")
    _add_place(jobs)


def _add_journal(commands: Any) -> None:
    journal = add_command(commands, "journal", "tidy up the journal")
    actions = journal.add_subparsers(dest="action", required=True)
    prune = add_command(actions, "prune", "drop prompts and answers of old jobs; the books stay", PRUNE)
    prune.add_argument(
        "--before",
        metavar="AGE",
        type=read_past,
        required=True,
        help="jobs that ended before that: 30d, 12h, or a date, 2026-08-01, in UTC",
    )
    prune.add_argument("--yes", action="store_true", help="do not ask")
    add_journal(prune)


def _add_spend(commands: Any) -> None:
    forms = ("plain", "json", "csv")
    spend = add_command(commands, "spend", "add up what the jobs of a journal cost, of whatever key", SPEND, forms)
    spend.add_argument(
        "--by",
        metavar="COLUMNS",
        default="model,day,tag,outcome",
        help="what to group by: any of model, day, month, tag, run, outcome (default: model,day,tag,outcome)",
    )
    _add_filters(spend)
    spend.add_argument(
        "--timezone",
        metavar="NAME",
        default="UTC",
        help="where days and months begin, such as Europe/Berlin (default: UTC)",
    )
    spend.add_argument(
        "--csv", action="store_const", dest="output", const="csv", default=argparse.SUPPRESS, help="--output csv"
    )
    add_journal(spend)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", metavar="TAG", help="only jobs submitted under this tag")
    parser.add_argument("--run", metavar="NAME", help="only jobs of this run")
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=read_past,
        help="only jobs submitted then or later: 7d, 12h, or 2026-08-01, in UTC",
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    """The journal, and whose jobs of it."""
    parser.add_argument(
        "--all-accounts", action="store_true", help="those of other API keys and addresses in the journal, too"
    )
    add_journal(parser)
