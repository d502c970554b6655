"""Submitting a job, as flows: what leaves, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client._jobs.journaling import journaled
from muapi_client._jobs.waiting import OnLook, OnLookFailed, judge, wait
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import refused, unknown, write
from muapi_client._protocol.request import prepare
from muapi_client._protocol.steps import Do, Flow, Send, Sleep
from muapi_client._sandbox.guard import heed
from muapi_client._types.job import Job, now_utc
from muapi_client._types.prediction import Prediction

if TYPE_CHECKING:
    from muapi_client._state.context import Terms
    from muapi_generated.types import Call


OnAccept = Callable[[Job], object] | None


def run(
    submission: Flow[Job | Prediction],
    terms: Terms,
    *,
    timeout: float,
    on_accept: OnAccept = None,
    on_look: OnLook = None,
    on_look_failed: OnLookFailed = None,
) -> Flow[Prediction]:
    """Carry out a submission and wait for the job's end; ``on_accept`` sees the job before the waiting starts."""
    outcome = yield from submission
    if isinstance(outcome, Prediction):
        return outcome
    try:
        now = yield Sleep(0.0)  # uploads and resends before this are not part of the wait
        if on_accept is not None:
            yield Do(partial(on_accept, outcome))
        # Nothing is done the moment it is accepted; answers that are arrived as a Prediction above.
        later = yield Sleep(min(terms.polling.minimum, timeout))
        waiting = wait(
            outcome,
            terms,
            now=later,
            timeout=timeout,
            since=now,
            accepted_at=now,
            on_look=on_look,
            on_look_failed=on_look_failed,
        )
        return (yield from waiting)
    except BaseException as error:
        if outcome.id not in str(error):  # a callback's, or an interrupt: the id of a paid job must not go with it
            error.add_note(f"Job {outcome.id} was accepted: MuAPI.wait({outcome.id!r}) takes it up again.")
        raise


def submit(
    acceptance: Flow[Prediction], call: Call[Any], terms: Terms, *, now: float, new_job: Callable[..., Job] = Job
) -> Flow[Job | Prediction]:
    """Submit a job: a :class:`Job` once accepted, or the finished :class:`Prediction` answered at once.

    Args:
        acceptance: :func:`accepted`, perhaps within a limit of spend.
        now: The clock's reading, in seconds.
        new_job: What makes the job, so that it can hold its client.

    Raises:
        JobFailedError, JobCancelledError: The answer itself says that the job ended badly.
    """
    said = yield from acceptance
    job = new_job(said.id or "", call, said.cost, now_utc())
    said = yield from heed(said, job, terms)
    if said.id is None or job_answer.is_final(said):
        return judge(job, evolve(said, seconds=(yield Sleep(0.0)) - now))
    return job


def send(acceptance: Flow[Prediction], call: Call[Any], terms: Terms) -> Flow[Any]:
    """Submit a job as any other call is sent: by the same rules, and answered with the body as the document types it.

    A job that ended badly at once is an answer here, not an error.
    """
    said = yield from acceptance
    yield from heed(said, Job(said.id or "", call, said.cost, now_utc()), terms)
    return response.typed(call.operation.answer, said.raw, call.operation.package)


def accepted(call: Call[Any], terms: Terms, *, started_at: float) -> Flow[Prediction]:
    """What the server says of a job it accepts, once journal and ledger know.

    Args:
        started_at: Seconds since the epoch, for the error of an unknown outcome.

    Raises:
        APIStatusError: The server refused; nothing was charged.
        APIConnectionError: The submit never arrived; nothing was charged.
        SubmitOutcomeUnknownError: It may have been accepted and charged.
        JournalError: The journal cannot be written; the message tells whether anything was sent.
    """
    send = prepare(call, terms)  # what is refused here never was a job: it is not written down
    return (yield from journaled(call, terms, _answered(call, send, terms, started_at=started_at)))


def _answered(call: Call[Any], send: Send, terms: Terms, *, started_at: float) -> Flow[Prediction]:
    reply = yield from write(call, send, terms, started_at=started_at)
    said = job_answer.read_prediction(reply, request_id=None)
    if said is None and reply.status not in response.OK:
        raise refused(reply, terms)
    if said is None or (said.id is None and not job_answer.is_final(said)):
        why = f"HTTP {reply.status} with neither a request id nor a result"
        raise unknown(call, why, started_at=started_at, reply=reply)
    terms.note(said.cost, said.balance, said.id or "")
    if said.id:
        terms.standing.accept(said.id)
    return said
