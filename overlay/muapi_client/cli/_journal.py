"""``muapi-client jobs`` and ``journal``: what the journal knows, and tidying it up.

Lives here: the list, and what dropping old prompts is told as. Does not live here: submits whose outcome is unknown
(``_unknown``), taking up jobs (``_resume``), adding up their costs (``_spend``).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from muapi_client.cli._client import find_made_journal, name_journal, need_journal, open_client
from muapi_client.cli._entries import entry_form, name_of
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import describe_age, format_usd, render_table
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from muapi_client import Entry
    from muapi_client.cli._console import Console

HEADS: Final = ("id", "model", "state", "USD", "age", "files")
NEXT: Final = {  # what to do about jobs in a state
    "unknown": "muapi-client unknown",
    "intent": "muapi-client unknown",
    "accepted": "muapi-client resume",
}


def jobs(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``jobs``.

    Raises:
        JournalError: There is no such journal, or it cannot be read.
    """
    if find_made_journal(options, console) is None:
        console.result([], "")
        return DONE
    wanted = {name: getattr(options, name) for name in ("state", "slug", "tag", "run", "since")}
    with open_client(options, console) as mu:
        found = list(mu.jobs(**wanted, all_accounts=options.all_accounts))
        others = 0 if found else sum(1 for _ in mu.jobs(**wanted, all_accounts=True))
    shown = found[-options.limit :] if options.limit else found
    table = _lay_out(shown, found, console.width) if shown else ""
    console.result([entry_form(entry, found) for entry in shown], table)
    more = f"; {others} of another API key or address: --all-accounts" if others else ""
    console.remark(f"{_summary(shown, len(found))}{more}")
    return DONE


def _lay_out(shown: Sequence[Entry], among: Sequence[Entry], width: int | None) -> str:
    now = datetime.now(UTC)
    rows = [
        (
            name_of(entry, among),
            entry.slug,
            entry.state,
            format_usd(entry.cost.charged_usd if entry.cost else None),
            describe_age(now - entry.intended_at),
            str(len(entry.files)) if entry.files else "-",
        )
        for entry in shown
    ]
    return render_table(HEADS, rows, right={"USD", "age", "files"}, gives_way="model", width=width)


def _summary(shown: Sequence[Entry], found: int) -> str:
    counts = Counter(entry.state for entry in shown)
    told = [f"{count} {state}" + (f" ({NEXT[state]})" if state in NEXT else "") for state, count in counts.items()]
    some = f" (the latest of {found})" if len(shown) < found else ""
    return f"{len(shown)} job{'s' * (len(shown) != 1)}{some}{': ' if told else ''}{', '.join(told)}"


def journal(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``journal prune``.

    Raises:
        JournalError: There is no journal, or it cannot be written.
        MuAPIError: Nobody agreed.
    """
    place = name_journal(need_journal(options))
    before = options.before
    with open_client(options, console) as mu:
        count = mu.forget(before=before, bodies=False)
        ended = f"that ended before {before.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        told = f"{count} job{'s' * (count != 1)} {ended}"
        if count and not options.yes:
            question = f"Drop prompts, answers and texts of {told}? Costs and addresses of outputs stay in the books."
            if not console.agrees(question):
                raise MuAPIError(f"nobody agreed, so {told} stay as they are; --yes agrees beforehand")
        dropped = mu.forget(before=before) if count else 0
    console.result({"journal": place, "before": before.isoformat(), "jobs": dropped}, "")
    dropping = f"prompts and answers of {told} are dropped; what was charged stays in the books"
    console.remark(f"{place}: {dropping if dropped else f'no job {ended} has anything left to drop'}")
    return DONE
