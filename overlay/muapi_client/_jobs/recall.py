"""Listing a client's paid jobs, and recording what its user knows of them. Pure.

Lives here: memory and journal seen as one. Does not live here: either of them (``_state``), looking a lost job up at
the server (``reconcile``).

Memory knows more of this client's own submissions, since it learns at once and cannot be locked; the journal knows
those of other processes and of earlier ones. So where both know a job, memory's word counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client import errors
from muapi_client._protocol.job_answer import read_prediction
from muapi_client._protocol.steps import Keep, Reply
from muapi_client._sandbox.guard import add_verdict
from muapi_client._settings.arguments import require_zone
from muapi_client._state.memory import is_running
from muapi_client._types.entry_state import MAYBE_CHARGED, STATE_OF, STATES
from muapi_client._types.job import Job, is_token
from muapi_client._types.outputs import leave_out_sent
from muapi_client._types.prediction import Prediction, hand_out, hand_out_outputs
from muapi_client._types.sandbox import SandboxVerdict
from muapi_client._types.words import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record
    from muapi_client._types.entry import Account, Entry
    from muapi_generated.types import Call


def unknown(context: Context, *, all_accounts: bool = False) -> Flow[list[Entry]]:
    """The submits that may have been charged and whose job is not known, oldest first.

    Raises:
        JournalError: The journal cannot be read.
    """
    written: list[Entry] = []
    if context.journal is not None:
        read = partial(context.journal.unknown, _account(context, all_accounts), is_running=is_running)
        written = yield Keep(read)
        listed = {entry.key for entry in written}
        if any(record.journaled and record.key not in listed for record in context.memory.unknown()):
            every: list[Entry] = yield Keep(partial(context.journal.entries, account=context.account))
            _learn_what_others_settled(every, context)
    return _merge((record.entry() for record in context.memory.unknown()), written, context)


def _learn_what_others_settled(written: Iterable[Entry], context: Context) -> None:
    """Take over what other clients on the same journal have found out of this client's lost submits."""
    lost = {record.key: record for record in context.memory.unknown()}
    for entry in written:
        record = lost.get(entry.key)
        if record is not None and entry.request_id is not None:
            record.claim(entry.request_id, entry.cost)
            context.memory.accept(record)
            context.ledger.accept(record)


def unfinished(context: Context, new_job: Callable[..., Job] = Job, *, all_accounts: bool = False) -> Flow[list[Job]]:
    """The jobs that were accepted and whose end was not seen, oldest first; not what another process waits for.

    That is of this moment: ask :func:`is_unfinished` before one is taken up.

    Raises:
        JournalError: The journal cannot be read.
    """
    written: list[Entry] = []
    if context.journal is not None:
        written = yield Keep(partial(context.journal.unfinished, _account(context, all_accounts)))
    entries = _merge((record.entry() for record in context.memory.unfinished()), written, context)
    return [new_job(entry.request_id, entry.call, entry.cost, accepted_when(entry)) for entry in entries]


def accepted_when(entry: Entry) -> datetime:
    """When an entry's job was accepted, as far as is known: its submit may have waited for a turn, or been resent."""
    return entry.changed_at if entry.state == "accepted" else entry.intended_at


def find_acceptance(request_id: str, context: Context) -> Flow[datetime | None]:
    """When another process, or an earlier one, had a job accepted, by the journal; None where that is not known."""
    if context.journal is None:
        return None
    try:
        entry: Entry | None = yield Keep(partial(context.journal.find_job, request_id, context.account))
    except errors.JournalError:  # it only tells how patient to be; who writes next says what is wrong
        return None
    return None if entry is None else accepted_when(entry)


def is_unfinished(job: Job, context: Context) -> Flow[bool]:
    """Whether a job may still be taken up: its end was not seen, and no other process waits for it by now.

    Raises:
        JournalError: The journal cannot be read.
    """
    record = context.memory.find(job.id)
    if record is not None:
        return record.state == "accepted"
    answer: bool = context.journal is not None and (yield Keep(partial(context.journal.is_unfinished, job.id)))
    return answer


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
        raise errors.MuAPIError(f"state must be one of {', '.join(STATES)}, not {show(state)}")
    if since is not None:
        require_zone("since", since)
    written: list[Entry] = []
    if context.journal is not None:
        account = _account(context, all_accounts)
        # What memory knows goes by its own state, which the journal may not have yet: all rows are read beside it.
        states = None if state is None or any(True for _ in context.memory) else (state,)
        read = partial(
            context.journal.entries, states=states, account=account, slug=slug, tag=tag, run=run, since=since
        )
        written = yield Keep(read)
        _learn_what_others_settled(written, context)
    remembered = [record.entry() for record in context.memory if record.state != "intent"]
    wanted = {"state": state, "slug": slug, "tag": tag, "run": run}
    return [
        evolve(entry, outputs=hand_out_outputs(entry.outputs, context.access)) if entry.outputs else entry
        for entry in _merge(remembered, written, context)
        if all(value is None or getattr(entry, name) == value for name, value in wanted.items())
        and (since is None or entry.intended_at >= since)
    ]


def settle(entry: Entry | errors.SubmitOutcomeUnknownError, job: Job | str | None, context: Context) -> Flow[None]:
    """Take the user's word for what became of a submit whose outcome is unknown.

    Args:
        entry: The submit, or the error that reported it.
        job: Its job, or the job's id; None where it was never accepted, which gives back what was set aside for it.

    Raises:
        JournalError: The journal cannot be written.
        MuAPIError: It is known what became of it, or the job is another submit's.
    """
    key = entry.key
    if key is None:
        raise errors.MuAPIError("this error is of no submit of a client's: mu.unknown() lists what can be settled")
    request_id = job if job is None else _read_id(job)
    record = context.memory.get(key)
    state = record.state if record is not None else getattr(entry, "state", "unknown")
    if state not in MAYBE_CHARGED:
        raise _settled_error(state, record.request_id if record is not None else getattr(entry, "request_id", None))
    other = None if request_id is None else context.memory.find(request_id)
    if other is not None and other.key != key:
        raise errors.MuAPIError(f"job {request_id} is another submit's, of {other.call.operation.slug}")
    known = yield from _write_word(key, request_id, record, context)
    if not known:
        raise errors.MuAPIError(
            "that submit is settled already, or is another client's: mu.unknown() lists what is not"
        )
    if record is not None and request_id is not None:
        record.claim(request_id, None)
        context.memory.accept(record)
        context.ledger.accept(record)
    elif record is not None:
        context.memory.forget(record)
        context.ledger.withdraw(key)


def _write_word(key: str, request_id: str | None, record: Record | None, context: Context) -> Flow[bool]:
    """Write the user's word down; answers whether memory or journal knows of such a submit.

    Raises:
        MuAPIError: The job is another submit's, or another client on the journal has found out which one this is.
    """
    journal = context.journal
    if journal is None:
        return record is not None
    if request_id is not None and (yield Keep(partial(journal.is_of_another, request_id, key, context.account))):
        raise errors.MuAPIError(f"job {request_id} is another submit's: mu.jobs() tells whose")
    written: bool = yield Keep(partial(journal.settle, key, request_id), journal.commits)
    if not written and record is not None and record.journaled:
        every: list[Entry] = yield Keep(partial(journal.entries, account=context.account))
        _learn_what_others_settled(every, context)
        if record.state not in MAYBE_CHARGED:
            raise _settled_error(record.state, record.request_id)
        record.journaled = False  # another client has withdrawn it: this one's memory alone knows of it
    return written or record is not None


def _settled_error(state: str, request_id: str | None) -> errors.MuAPIError:
    as_job = f", as job {request_id}" if request_id else ""
    return errors.MuAPIError(f"that submit is known to be {state}{as_job}: there is nothing to settle")


def note_saved(prediction: Prediction, files: Sequence[Path], context: Context) -> Flow[None]:
    """Write down where a job's outputs were saved, so that it is known of a finished job whether they were.

    Raises:
        JournalError: The journal cannot be written; the files are saved all the same.
    """
    if prediction.id is None:
        return
    record = context.memory.find(prediction.id)
    if record is not None:
        record.files = tuple(dict.fromkeys((*record.files, *files)))
    if context.journal is not None:
        try:
            yield Keep(partial(context.journal.saved, prediction.id, files), context.journal.commits)
        except errors.JournalError as error:
            where = ", ".join(str(file) for file in files)
            raise errors.JournalError(f"{error}; saved all the same: {where}", request_id=prediction.id) from error


def read_ended(entry: Entry, body: bytes, call: Call[Any], context: Context) -> Prediction:
    """What an ended job came to, by the journal, as it is handed out.

    How it ended was judged when it was written down, perhaps by a version that read answers otherwise: that stands.

    Args:
        body: The last answer's, as JSON; empty where there was none, or it was forgotten.
        call: What was submitted.
    """
    read = read_prediction(Reply(200, {}, body, 0.0), request_id=entry.request_id, call=call) if body else None
    made = leave_out_sent(entry.outputs, [call.body, call.query])
    if read is None or STATE_OF.get(read.state) != entry.state or (made and not read.outputs):
        # It was forgotten, or refused and charged all the same; or the answer would be judged otherwise today.
        error = None if entry.state == "completed" and not made else entry.reason
        read = Prediction(entry.request_id, entry.state, outputs=made, error=error, raw=read.raw if read else None)
    read = evolve(
        read,
        id=entry.request_id,
        cost=entry.cost,
        call=call,
        status_code=None,
        headers={},
        looks=1,  # whether it came at once, which would speak for a sandbox, is written nowhere
    )
    return hand_out(_add_verdict(read, entry), context.access)


def _add_verdict(ended: Prediction, entry: Entry) -> Prediction:
    """An ended job with its verdict: as it was written down, or else what it shows by itself."""
    if entry.key_kind is None:
        return add_verdict(ended)
    evidence = f"the journal has job {entry.request_id} as one of a {entry.key_kind} key"
    return evolve(ended, sandbox=SandboxVerdict(entry.key_kind == "sandbox", (evidence,)))


def read_answer(entry: Entry, body: bytes, call: Call[Any], context: Context) -> Prediction:
    """What a job came to, by the journal, as the answer to another call that asks the same: it charged that nothing.

    Args:
        body: The last answer's, as JSON.
        call: The call that it answers.
    """
    answer = read_ended(entry, body, call, context)
    return evolve(answer, cost=None, balance=None, reused=True, sandbox=answer.sandbox)  # what it cost is part of that


def forget(context: Context, *, before: datetime, bodies: bool = True) -> Flow[int]:
    """Drop what the journal holds of ended jobs besides the books: prompts, answers, and texts that were made.

    Raises:
        JournalError: The journal cannot be written.
        MuAPIError: The client has no journal, or ``before`` tells no time zone.
    """
    if context.journal is None:
        raise errors.MuAPIError("this client has no journal: pass journal= a path")
    require_zone("before", before)
    count: int = yield Keep(partial(context.journal.forget, before=before, bodies=bodies, account=context.account))
    return count


def _read_id(job: object) -> str:
    """The id of a job, a prediction or a text.

    Raises:
        MuAPIError: It names none.
    """
    request_id = job if isinstance(job, str) else getattr(job, "id", None)
    if not isinstance(request_id, str) or not request_id.strip() or is_token(request_id):
        raise errors.MuAPIError(
            f"settle takes a job or its id, or None where it was never accepted, not {show(job, 60)}"
        )
    return request_id.strip()


def _merge(remembered: Iterable[Entry], written: Iterable[Entry], context: Context) -> list[Entry]:
    """Both, oldest first; of what memory knows the journal's word counts only for what it alone keeps."""
    written = list(written)
    rows = {row.key: row for row in written}
    entries = [
        evolve(entry, files=rows[entry.key].files, run=rows[entry.key].run, run_key=rows[entry.key].run_key)
        if entry.key in rows
        else entry
        for entry in remembered
    ]
    # Of damaged rows several may lack a key, so each row counts.
    entries += [row for row in written if (record := context.memory.get(row.key)) is None or not record.ours]
    return sorted(entries, key=lambda entry: (entry.intended_at, entry.key))


def _account(context: Context, all_accounts: bool) -> Account | None:
    return None if all_accounts else context.account
