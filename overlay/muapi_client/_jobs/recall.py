"""What a client tells of its paid jobs when it is asked, and what its user tells it of them. Pure.

Lives here: memory and journal seen as one. Does not live here: either of them (``_state``), looking a lost job up at
the server (``reconcile``).

Memory knows more of this client's own submissions, since it is told at once and cannot be locked; the journal knows
those of other processes and of earlier ones. So where both know a job, memory's word counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from muapi_client import errors
from muapi_client._protocol.steps import Keep
from muapi_client._state.memory import is_running
from muapi_client._types.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Account, Entry

STATES = ("intent", "accepted", "completed", "failed", "cancelled", "unknown")


def unknown(context: Context, *, all_accounts: bool = False) -> Flow[list[Entry]]:
    """The submits that may have been charged and whose job is not known, oldest first.

    Raises:
        JournalError: The journal cannot be read.
    """
    written: list[Entry] = []
    if context.journal is not None:
        read = partial(context.journal.unknown, _account(context, all_accounts), is_running=is_running)
        written = yield Keep(read)
    return _merged((record.entry() for record in context.memory.unknown()), written, context)


def unfinished(context: Context, new_job: Callable[..., Job] = Job, *, all_accounts: bool = False) -> Flow[list[Job]]:
    """The jobs that were accepted and whose end was not seen, oldest first; not what another process waits for.

    Raises:
        JournalError: The journal cannot be read.
    """
    written: list[Entry] = []
    if context.journal is not None:
        written = yield Keep(partial(context.journal.unfinished, _account(context, all_accounts)))
    entries = _merged((record.entry() for record in context.memory.unfinished()), written, context)
    return [new_job(entry.request_id, entry.call, entry.cost, entry.intended_at) for entry in entries]


def jobs(
    context: Context,
    *,
    state: str | None = None,
    slug: str | None = None,
    tag: str | None = None,
    run: str | None = None,
    since: datetime | None = None,
    all_accounts: bool = False,
) -> Flow[list[Entry]]:
    """Every job that memory and journal know, oldest first; those that have ended among them.

    Args:
        state: Only those in this state.
        slug: Only those of this model.
        tag: Only those submitted under this tag.
        run: Only those of this run.
        since: Only those submitted at this time or later.

    Raises:
        JournalError: The journal cannot be read.
        MuAPIError: There is no such state.
    """
    if state is not None and state not in STATES:
        raise errors.MuAPIError(f"state must be one of {', '.join(STATES)}, not {state!r}")
    if since is not None and since.tzinfo is None:
        raise errors.MuAPIError(f"since must tell its time zone, such as datetime.now(UTC), not {since!r}")
    written: list[Entry] = []
    if context.journal is not None:
        account = _account(context, all_accounts)
        read = partial(context.journal.entries, account=account, slug=slug, tag=tag, run=run, since=since)
        written = yield Keep(read)
    remembered = [record.entry() for record in context.memory if record.state != "intent"]
    wanted = {"state": state, "slug": slug, "tag": tag, "run": run}
    return [
        entry
        for entry in _merged(remembered, written, context)
        if all(value is None or getattr(entry, name) == value for name, value in wanted.items())
        and (since is None or entry.intended_at >= since)
    ]


def settle(entry: Entry | errors.SubmitOutcomeUnknownError, job: Job | str | None, context: Context) -> Flow[None]:
    """Take the user's word for what became of a submit whose outcome is unknown.

    Args:
        entry: The submit, or the error that told of it.
        job: Its job, or the job's id; None where it was never accepted, which gives back what was set aside for it.

    Raises:
        JournalError: The journal cannot be written.
        MuAPIError: It is known what became of it.
    """
    key = entry.key
    if key is None:
        raise errors.MuAPIError("this error was not raised by a client: settle the entry that mu.unknown() lists")
    if not isinstance(entry, errors.SubmitOutcomeUnknownError) and entry.state not in ("unknown", "intent"):
        raise errors.MuAPIError(f"the submit of {entry.slug} is known to be {entry.state}: there is nothing to settle")
    request_id = job.id if isinstance(job, Job) else job
    record = context.memory.get(key)
    if context.journal is not None:
        yield Keep(partial(context.journal.settle, key, request_id))
    if record is not None and request_id is not None:
        record.claim(request_id, None)
        context.memory.accept(record)
        context.ledger.accept(record)
    elif record is not None:
        context.memory.forget(record)
        context.ledger.release(key)


def forget(context: Context, *, before: datetime, bodies: bool = True) -> Flow[int]:
    """Drop what the journal holds of ended jobs besides the books: prompts, answers and outputs.

    Raises:
        JournalError: The journal cannot be written.
        MuAPIError: The client has no journal, or ``before`` tells no time zone.
    """
    if context.journal is None:
        raise errors.MuAPIError("this client has no journal: pass journal= a path")
    if before.tzinfo is None:
        raise errors.MuAPIError(f"before must tell its time zone, such as datetime.now(UTC), not {before!r}")
    count: int = yield Keep(partial(context.journal.forget, before=before, bodies=bodies, account=context.account))
    return count


def _merged(remembered: Iterable[Entry], written: Iterable[Entry], context: Context) -> list[Entry]:
    """Both, oldest first; of what memory knows the journal's word counts only for what it alone keeps."""
    rows = {row.key: row for row in written}
    entries = [
        evolve(entry, files=rows[entry.key].files, run=rows[entry.key].run, run_key=rows[entry.key].run_key)
        if entry.key in rows
        else entry
        for entry in remembered
    ]
    entries += [row for key, row in rows.items() if (record := context.memory.get(key)) is None or not record.ours]
    return sorted(entries, key=lambda entry: (entry.intended_at, entry.key))


def _account(context: Context, all_accounts: bool) -> Account | None:
    return None if all_accounts else context.account
