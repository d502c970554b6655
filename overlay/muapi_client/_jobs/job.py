"""A job from its call to its end: the flows of ``run``, ``submit`` and ``send``. Pure.

Lives here: what a job's POST is answered with, and what its submitter gets. Does not live here: the submission around
it (``submission``), the wait (``waiting``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client._jobs.journaling import warn_of_overruns
from muapi_client._jobs.submission import submit
from muapi_client._jobs.waiting import judge, wait
from muapi_client._protocol.exchange import unknown_error, write
from muapi_client._protocol.job_answer import is_final, read_prediction
from muapi_client._protocol.resend import Reading, reading_of
from muapi_client._protocol.response import status_error, typed
from muapi_client._protocol.steps import OK, Do, Flow, Sleep
from muapi_client._sandbox.guard import heed
from muapi_client._types.job import Job, now_utc
from muapi_client._types.prediction import Prediction

if TYPE_CHECKING:
    from muapi_client._jobs.waiting import OnLook, OnLookFailed
    from muapi_client._protocol.request import Request
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record

OnAccept = Callable[[Job], object] | None


def run(
    submission: Flow[Job | Prediction],
    context: Context,
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
        now: float = yield Sleep(0.0)  # uploads and resends before this are not part of the wait
        if on_accept is not None:
            yield Do(partial(on_accept, outcome))
        # Nothing is done the moment it is accepted; answers that are arrived as a Prediction above.
        later = yield Sleep(min(context.polling.minimum, timeout))
        return (
            yield from wait(
                outcome,
                context,
                now=later,
                timeout=timeout,
                since=now,
                accepted_at=now,
                on_look=on_look,
                on_look_failed=on_look_failed,
            )
        )
    except BaseException as error:
        add_job_note(error, outcome.id)
        raise


def submit_job(
    request: Request, context: Context, *, now: float, new_job: Callable[..., Job] = Job, waits: bool = False
) -> Flow[Job | Prediction]:
    """Submit a job: a :class:`Job` once accepted, or the finished :class:`Prediction` answered at once.

    Args:
        now: The clock's reading, in seconds.
        new_job: What makes the job, so that it can hold its client.
        waits: Whether the job is waited for at once.

    Raises:
        JobFailedError, JobCancelledError: The answer itself says that the job ended badly.
        MuAPIError: Those of :func:`~muapi_client._jobs.submission.submit`.
    """
    answer = yield from submit(request, context, post, waits=waits)
    job = new_job(answer.id or "", request.call, answer.cost, now_utc())
    try:
        if context.ledger.overruns:
            yield from warn_of_overruns(context)
        answer = yield from heed(answer, job, context)
        ended = answer.id is None or is_final(answer)
        return judge(job, evolve(answer, seconds=(yield Sleep(0.0)) - now)) if ended else job
    except BaseException as error:
        add_job_note(error, job.id)
        raise


def send_job(request: Request, context: Context) -> Flow[Any]:
    """Submit a job as any other call is sent: by the same rules, and answered with the body as the document types it.

    A job that ended badly at once is an answer here, not an error.
    """
    answer = yield from submit(request, context, post)
    try:
        if context.ledger.overruns:
            yield from warn_of_overruns(context)
        job = Job(answer.id or "", request.call, answer.cost, now_utc())
        yield from heed(answer, job, context)
        operation = request.call.operation
        return typed(operation.answer, answer.raw, operation.package)
    except BaseException as error:
        add_job_note(error, answer.id)
        raise


def post(request: Request, record: Record, context: Context) -> Flow[Prediction]:
    """The exchange of a job: one POST, answered with a request id or with the finished job.

    Raises:
        APIStatusError: The server refused; ``cost`` tells whether it charged all the same.
        APIConnectionError: It never left; nothing was charged.
        SubmitOutcomeUnknownError: It may have been accepted and charged.
    """
    reply = yield from write(request, record, context)
    if reply.status not in OK and reading_of(reply) is Reading.REFUSAL:
        error = status_error(reply)
        record.refuse(error.cost)
        raise error
    answer = read_prediction(reply, request_id=None)
    if answer is None or (answer.id is None and not is_final(answer)):
        raise unknown_error(request, f"HTTP {reply.status} with neither a request id nor a result", reply=reply)
    if is_final(answer):
        record.finish(answer, at=reply.at)
    else:
        record.accept(answer.id, answer.cost, at=reply.at)
    return answer


def add_job_note(error: BaseException, request_id: str | None) -> None:
    """Have an interrupt, or the error of a callback, carry the id of the paid job it comes between."""
    if (
        request_id
        and request_id not in str(error)
        and not any(request_id in n for n in getattr(error, "__notes__", ()))
    ):
        error.add_note(f"Job {request_id} was accepted: mu.wait({request_id!r}) takes it up again.")
