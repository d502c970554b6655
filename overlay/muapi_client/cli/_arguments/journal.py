"""The words of what reads a journal: ``spend``.

Lives here: its options. Does not live here: what it does.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import add_command
from muapi_client.cli._arguments.values import read_time

SPEND: Final = """\
In USD: charged; refunded (charged and given back); in doubt (may have been
charged, by estimate); reserved (under way, and no cost told yet). unpriced
counts jobs that ended without a cost. --output csv is for a spreadsheet.
"""


def add_spend(commands: Any) -> None:
    """Add ``spend``."""
    forms = ("plain", "json", "csv")
    spend = add_command(commands, "spend", "add up what the jobs of a journal cost, of whatever key", SPEND, forms)
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
        "--since", metavar="TIME", type=read_time, help="count only jobs submitted then or later: 2026-08-01, in UTC"
    )
