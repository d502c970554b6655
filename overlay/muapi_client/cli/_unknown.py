"""``muapi-client unknown``, ``reconcile`` and ``settle``: what may have been charged, and whose job is not known.

Lives here: how they are listed, the exact words on what is proven of one, and taking a person's word. Does not live
here: proving (``MuAPI.reconcile``), all other entries (``_journal``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from muapi_client._state.journal.values import IN_FLIGHT
from muapi_client._types.money import total
from muapi_client.cli._client import find_made_journal, need_journal, open_client
from muapi_client.cli._console import make_safe
from muapi_client.cli._entries import entry_form, find, name_of
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import describe_age, format_usd, render_table, to_json_number
from muapi_client.cli._wording import in_shell_words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from decimal import Decimal

    from muapi_client import Entry, Job, MuAPI, Reconciliation
    from muapi_client.cli._console import Console

HEADS: Final = ("name", "model", "USD", "age", "run", "reason")
PROVEN: Final = "proven: it was never accepted, and cost nothing"
ONE_OF: Final = "proven: it is one of these, unless it was never accepted and they are another program's"
PERHAPS: Final = "not proven: it may be one of these, or another program's, or was never accepted"
# In the words of a SubmitOutcomeUnknownError, why its outcome is.
WHY: Final = re.compile(r"its outcome is unknown \((.*)\): it may have been accepted and charged")
NOTHING: Final = (
    "not proven: none is in sight, and the history proves nothing before some minutes have passed since the submit, nor"
    " once 1,000 jobs have followed it"
)


def unknown(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``unknown``.

    Raises:
        JournalError: There is no such journal, or it cannot be read.
    """
    if find_made_journal(options, console) is None:
        console.result([], "")
        return DONE
    with open_client(options, console) as mu:
        found = mu.unknown(all_accounts=options.all_accounts)
        others = _count_others(mu, found)
        under_way = _list_under_way(mu, found)
    console.result([entry_form(entry, found) for entry in found], _lay_out(found, console.width) if found else "")
    if found:
        console.remark(
            f"{len(found)} may have been charged{_about(_sum(found))}, and none is submitted again by itself:"
            " `muapi-client reconcile` looks for them in the history (free)"
        )
    _remark_others(len(found), others, console)
    _remark_under_way(under_way, console)
    return DONE


def reconcile(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``reconcile``.

    Raises:
        NotFoundError: No unknown submit is called so.
        MuAPIError: The history could not be had; what was told and settled before stands.
    """
    if not options.names and find_made_journal(options, console) is None:
        console.result([], "")
        return DONE
    need_journal(options)
    forms: list[dict[str, Any]] = []
    with open_client(options, console) as mu:
        every = mu.unknown()  # of this key: only it has their history
        others = _count_others(mu, every)
        under_way = _list_under_way(mu, every)
        wanted = [find(name, every) for name in options.names] if options.names else every
        try:
            for entry in wanted:
                found = mu.reconcile(entry)
                is_settled = options.settle and _is_proven(found)
                if is_settled:
                    mu.settle(entry, None)
                name = name_of(entry, every)
                forms.append(_finding_form(entry, name, found, settled=is_settled))
                if not console.json:
                    console.result(None, _tell_finding(entry, name, found, settled=is_settled))
        finally:
            if console.json:
                console.result(forms, "")
    if not options.names:
        _remark_others(len(wanted), others, console)
        _remark_under_way(under_way, console)
    return DONE


def settle(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``settle``.

    Raises:
        NotFoundError: No unknown submit is called so, or the server knows no such job.
        MuAPIError: The job is another submit's, or could not be looked for; nothing was changed.
    """
    need_journal(options)
    with open_client(options, console) as mu:
        every = mu.unknown()
        entry = find(options.name, every)
        name = name_of(entry, every)
        if options.never:
            mu.settle(entry, None)
            said = f"{name} was never accepted: it is out of the journal{_given_back(entry)}{_again(entry)}"
        else:
            looked = mu.look(options.job)  # a word that is mistyped is no job, and settles nothing
            mu.settle(entry, options.job)
            said = f"{name} is job {options.job} ({looked.status}): `muapi-client wait {options.job}` notes its cost"
    console.result({"name": name, "key": entry.key, "request_id": options.job, "never_accepted": options.never}, "")
    console.remark(said)
    return DONE


def _count_others(mu: MuAPI, found: Sequence[Entry]) -> int:
    """How many unknown submits the journal has beside these, of other API keys and addresses."""
    return len(mu.unknown(all_accounts=True)) - len(found)


def _remark_others(count: int, others: int, console: Console) -> None:
    """Tell whoever has changed the API key or the address that doubts about money are left under the old one."""
    if not count:
        console.remark(f"no submit is unknown{' of this API key and address' if others else ''}")
    if others:
        console.remark(
            f"{others} of another API key or address may have been charged: `muapi-client unknown --all-accounts` lists"
            f" {'them' if others > 1 else 'it'}, and `reconcile` takes that key and address"
        )


def _list_under_way(mu: MuAPI, found: Sequence[Entry]) -> list[Entry]:
    """The submits whose answer another process may still wait for."""
    keys = {entry.key for entry in found}
    return [entry for entry in mu.jobs(state="intent") if entry.key not in keys]


def _remark_under_way(entries: Sequence[Entry], console: Console) -> None:
    """Tell of submits that are no doubts yet: where their process died on another machine, nobody knows it for long."""
    if entries:
        whose = {tuple(entry.owner.split(":")[:2]) for entry in entries}
        named = "; ".join(f"{host}, pid {pid}" for host, pid in sorted(each for each in whose if len(each) > 1))
        several = len(entries) > 1
        latest = max(entry.intended_at for entry in entries) + IN_FLIGHT
        console.remark(
            f"{len(entries)} submit{'s are' if several else ' is'} under way in another process ({make_safe(named)}):"
            f" {'they are' if several else 'it is'} listed here once that has ended, or from"
            f" {latest.astimezone(UTC):%Y-%m-%d %H:%M} UTC on at the latest"
        )


def _lay_out(found: Sequence[Entry], width: int | None) -> str:
    now = datetime.now(UTC)
    rows = [
        (
            name_of(entry, found),
            entry.slug,
            format_usd(entry.set_aside_usd),
            describe_age(now - entry.intended_at),
            f"{entry.run} {entry.run_key}" if entry.run else "-",
            _why(entry),
        )
        for entry in found
    ]
    return render_table(HEADS, rows, right={"USD", "age"}, gives_way="reason", width=width)


def _why(entry: Entry) -> str:
    if entry.reason:  # of the whole sentence, what a column has room for: all entries here are unknown
        why = WHY.search(entry.reason)
        return in_shell_words(why[1] if why else entry.reason, None)
    return "its program ended before the answer came" if entry.state == "intent" else "-"


def _is_proven(found: Reconciliation[Job]) -> bool:
    """Whether it is proven that a submit was never accepted."""
    return found.complete and not found.candidates


def _tell_finding(entry: Entry, name: str, found: Reconciliation[Job], *, settled: bool) -> str:
    submitted = f"{entry.intended_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    head = f"{name}  {entry.slug}, submitted {submitted}{_about(entry.set_aside_usd)}"
    if settled:
        return f"{head}\n  {PROVEN}; settled{_given_back(entry)}{_again(entry)}"
    if _is_proven(found):
        return f"{head}\n  {PROVEN}: muapi-client settle {name} --never"
    if not found.candidates:
        return f"{head}\n  {NOTHING}"
    jobs = [f"    {job.id}{_accepted(job)}" for job in _nearest_first(entry, found)]
    word = f"  muapi-client look ID shows one (free), muapi-client settle {name} ID, or --never, is your word"
    return "\n".join([head, f"  {ONE_OF if found.complete else PERHAPS}", *jobs, word])


def _finding_form(entry: Entry, name: str, found: Reconciliation[Job], *, settled: bool) -> dict[str, Any]:
    return {
        "name": name,
        "key": entry.key,
        "model": entry.slug,
        "submitted_at": entry.intended_at.isoformat(),
        "set_aside_usd": to_json_number(entry.set_aside_usd),
        "never_accepted": _is_proven(found),
        "complete": found.complete,
        "candidates": [
            {"request_id": job.id, "submitted_at": job.submitted_at.isoformat() if job.submitted_at else None}
            for job in _nearest_first(entry, found)
        ],
        "settled": settled,
    }


def _nearest_first(entry: Entry, found: Reconciliation[Job]) -> list[Job]:
    """The candidates, first the one that was accepted nearest to the submit: the likeliest."""
    far = timedelta.max
    return sorted(
        found.candidates, key=lambda job: abs(job.submitted_at - entry.intended_at) if job.submitted_at else far
    )


def _accepted(job: Job) -> str:
    return f"  accepted {job.submitted_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if job.submitted_at else ""


def _sum(entries: Sequence[Entry]) -> Decimal | None:
    amounts = [entry.set_aside_usd for entry in entries if entry.set_aside_usd is not None]
    return total(*amounts) if amounts else None


def _about(usd: Decimal | None) -> str:
    return f", about {format_usd(usd)} USD" if usd is not None else ""


def _given_back(entry: Entry) -> str:
    return f", and {format_usd(entry.set_aside_usd)} USD are given back" if entry.set_aside_usd is not None else ""


def _again(entry: Entry) -> str:
    return f"; run {entry.run} submits its item {entry.run_key} again" if entry.run else ""
