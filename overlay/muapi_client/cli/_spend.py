"""``muapi-client spend``: what the jobs of a journal cost, added up, without a key and without a network.

Lives here: the command, and its three forms. Does not live here: adding up (``_jobs/report``).
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from muapi_client._client.base import open_journal
from muapi_client._jobs.budget import listed_price
from muapi_client._jobs.report import AMOUNTS, read_columns, report
from muapi_client._types.budget import find_zone
from muapi_client.cli._client import find_made_journal, name_journal
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, render_table, to_json_number
from muapi_client.errors import MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from muapi_client._types.entry import Entry
    from muapi_client.cli._console import Console


def spend(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spend``.

    Raises:
        JournalError: There is no such journal, or it cannot be read.
        ValidationError: There is no such column, or no such time zone.
    """
    given = find_made_journal(options, console)
    try:
        columns = read_columns([word for word in options.by.split(",") if word])
        zone = find_zone(options.timezone)
    except MuAPIError as error:
        raise ValidationError(str(error)) from None
    entries = [] if given is None else _read_entries(given, options)
    rows = report(entries, columns, listed_price, zone)
    heads = (*columns, "jobs", *AMOUNTS, "unpriced")
    if options.output == "csv":
        console.result(None, _write_csv(heads, rows))
        return DONE
    form = [
        {name: to_json_number(row[name]) if isinstance(row[name], Decimal) else row[name] for name in heads}
        for row in rows
    ]
    console.result(form, _write_table(heads, columns, rows) if rows else "")
    if given is not None:
        console.remark(f"{len(entries)} job{'s' * (len(entries) != 1)} in {name_journal(given)}")
    return DONE


def _read_entries(given: Any, options: argparse.Namespace) -> list[Entry]:
    journal = open_journal(given)
    try:
        return journal.entries(tag=options.tag, run=options.run, since=options.since)
    finally:
        journal.close()


def _write_table(heads: Sequence[str], columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    """The rows for people, without columns of nothing."""
    always = {*columns, "jobs", AMOUNTS[0]}
    shown = [name for name in heads if name in always or any(row[name] for row in rows)]
    cells = [[_as_text(row[name]) for name in shown] for row in rows]
    return render_table(shown, cells, right=set(shown) - set(columns))


def _write_csv(heads: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([["" if row[name] is None else _as_text(row[name]) for name in heads] for row in rows])
    return text.getvalue().removesuffix("\n")  # which printing it adds


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format_usd(value)
    return "-" if value is None else str(value)
