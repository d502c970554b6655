"""What is recorded of a job after its submission: who waits for it, and how it ends. Pure.

Lives here: the order of an answer and what is written of it. Does not live here: the submission, which writes for
itself (``submission``), the file (``_state/journal``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._protocol.job_answer import DISPUTE
from muapi_client._protocol.steps import Do, Keep
from muapi_client._runtime.logs import INFO, MONEY, WARNING, log
from muapi_client._runtime.user_warning import warn_user
from muapi_client._sandbox.guard import find_kind
from muapi_client._state.secrets import find_secrets
from muapi_client._types.cost import SpendWarning
from muapi_client._types.job import slug_of
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._state.journal.base import BaseJournal
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction


def note_answer(prediction: Prediction, job: Job, context: Context) -> Flow[None]:
    """Record in memory and journal what an answer reported of a job.

    A job that may be a lost submit's (found by ``MuAPI.reconcile``) settles nothing: no answer tells whose it is.

    Raises:
        JournalError: The journal cannot be written; the message tells what is true of the job.
    """
    memory, journal = context.memory, context.journal
    record = memory.find(job.id)
    ended = prediction.state is not JobState.RUNNING
    if record is not None and ended:
        record.finish(prediction)
        memory.accept(record)
    elif record is not None:
        record.learn_cost(prediction.cost)
    if journal is not None and ended:
        key = record.key if record is not None and record.journaled else None
        secrets = find_secrets(record.call if record is not None else job.call, context.webhook)
        kind = find_kind(prediction, record.call, context) if record is not None else None  # else another key's, maybe
        write = partial(journal.finish, prediction, key=key, account=context.account, key_kind=kind, secrets=secrets)
        yield from _write_end(write, journal, prediction)
    if context.ledger.overruns:
        yield from warn_of_overruns(context)
    if ended and record is not None and record.span is not None:
        record.span.end_as(prediction)
    if ended and MONEY.isEnabledFor(INFO):
        _note_money(prediction, job)


def _note_money(prediction: Prediction, job: Job) -> None:
    """Log what is odd about the cost of a job that has ended: a refund, and places that disagree."""
    cost, model = prediction.cost, slug_of(job)
    if cost is not None and cost.refunded:
        words = "job %s: %s USD was refunded"
        log(MONEY, INFO, words, job.id, cost.amount_usd, request_id=job.id, model=model, cost_usd=cost.charged_usd)
    for dispute in (warning for warning in prediction.warnings if warning.startswith(DISPUTE)):
        charged = None if cost is None else cost.charged_usd
        log(MONEY, WARNING, "job %s: %s", job.id, dispute, request_id=job.id, model=model, cost_usd=charged)


def warn_of_overruns(context: Context) -> Flow[None]:
    """Warn of models that cost more than was set aside for them, once each."""
    for slug, set_aside, charged in context.ledger.take_overruns():
        message = (
            f"{slug} was charged {charged} USD where {set_aside} USD had been set aside. From now on"
            " the highest charge seen is set aside for it; this is said once a model."
        )
        if MONEY.isEnabledFor(WARNING):
            log(MONEY, WARNING, "%s", message, model=slug, cost_usd=charged)
        yield Do(partial(warn_user, message, SpendWarning))


def note_shared_ids(context: Context) -> None:
    """Log request ids that two calls of this client were answered with: a fault on the way, or a mock's one id."""
    shared, context.memory.shared_ids = context.memory.shared_ids, []
    for request_id, slug in shared:
        message = (
            f"{slug} was answered with the request id {request_id}, which is that of another call's job: what it made"
            " is the answer to one of them alone, and both count as one request. mu.history() lists what was made."
        )
        log(MONEY, WARNING, "%s", message, request_id=request_id, model=slug)


def begin_wait(job: Job, context: Context, *, renewed: bool = False) -> Flow[None]:
    """Write down that this process waits for a job, so that no other one takes it up meanwhile.

    Args:
        renewed: Whether it did so before, and has to say so again: a lease lasts for some minutes.
    """
    if context.journal is None:
        return
    record = context.memory.find(job.id)
    if renewed or record is None or not record.waits:  # who submits and waits has written both at once
        yield Keep(partial(context.journal.begin_wait, job.id), context.journal.commits, is_lasting=False)


def end_wait(job: Job, context: Context, error: BaseException) -> Flow[None]:
    """Write down that this process does not wait for a job any more that has not ended."""
    if context.journal is None:
        return
    try:
        yield Keep(partial(context.journal.end_wait, job.id), context.journal.commits, is_lasting=False)
    except errors.JournalError as trouble:
        error.add_note(f"The journal could not record that nobody waits: {trouble}")


def _write_end(write: Callable[[], object], journal: BaseJournal, prediction: Prediction) -> Flow[None]:
    """Write a job's end down; should that fail, the error tells what is true of the job all the same.

    Raises:
        JournalError: It cannot be written.
    """
    try:
        yield Keep(write, journal.commits, is_lasting=False)  # the server tells an accepted job's end again
    except errors.JournalError as error:
        known: dict[str, Any] = {
            "request_id": prediction.id,
            "cost": prediction.cost,
            "balance": prediction.balance,
        }
        raise errors.JournalError(f"{error}; job {prediction.id} has ended: look at it again", **known) from error
