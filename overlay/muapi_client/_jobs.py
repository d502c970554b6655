"""Submit-then-poll, stated once as flows. Pure: they yield steps, never perform them.

Lives here: what an outcome means for a job, and when to go on. Does not live here: whether an exchange may be sent
again (``_exchanges``), reading bodies (``_answers``), when the journal is written (``_journaling``), how long to pause
(``_polling``), I/O and clocks (``_driver``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import evolve

from muapi_client import errors
from muapi_client._journaling import ended, journaled
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import read, refused, unknown, write
from muapi_client._protocol.request import prepare
from muapi_client._protocol.resend import may_reread, retry_after
from muapi_client._protocol.steps import Do, Flow, Lost, Outcome, Reply, Send, Sleep
from muapi_client._sandbox.guard import heed
from muapi_client._settings.polling import fit
from muapi_client._types.job import Job, now_utc
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import Verdict
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._state.context import Terms
    from muapi_client._types.cost import Cost

RESULT: Final = Operation("", "GET", "/api/v1/predictions/{id}/result")  # API reference, "Poll for Result"

OnLook = Callable[[Prediction], object] | None
OnAccept = Callable[[Job], object] | None


def run(
    submission: Flow[Job | Prediction],
    terms: Terms,
    *,
    timeout: float,
    on_accept: OnAccept = None,
    on_look: OnLook = None,
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
        return (yield from wait(outcome, terms, now=later, timeout=timeout, since=now, on_look=on_look))
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


def look(job: Job, terms: Terms) -> Flow[Prediction]:
    """Ask once how a job stands; failures that look passing are tried again ``retry.attempts`` times.

    A failed job is an answer, not an error.

    Raises:
        NotFoundError: The server knows no such job.
        APIStatusError: The server refuses to tell.
        APIConnectionError: No answer arrived.
        ResponseError: The answer cannot be understood.
    """
    reply = yield from read(prepare(_result_of(job), terms), terms)
    said = job_answer.read_prediction(reply, request_id=job.id)
    if said is not None and not job_answer.names_another(said):
        terms.note(said.cost, said.balance, job.id)
        yield from ended(said, terms)
        return (yield from heed(evolve(said, looks=1), job, terms))
    if reply.status not in response.OK:
        raise refused(reply, terms, request_id=job.id)
    raise errors.ResponseError(
        f"job {job.id}: {_trouble(reply, said)}", body=reply.content, request_id=job.id, **response.known(reply)
    )


def wait(
    job: Job, terms: Terms, *, now: float, timeout: float, since: float | None = None, on_look: OnLook = None
) -> Flow[Prediction]:
    """Look until the job has ended, or ``timeout`` seconds have passed since ``since``, by default ``now``.

    Args:
        since: The reading at which the job was submitted, where known; how often to look depends on its age.

    Raises:
        JobFailedError, JobCancelledError: The job ended badly.
        JournalError: The journal cannot be written; the job lives on.
        WaitTimeoutError: The deadline passed; the job may still finish.
        APIStatusError: The server refuses to tell of it (401, 403, 404).
    """
    since = now if since is None else since
    deadline = since + timeout
    send = prepare(_result_of(job), terms)
    watch = Watch()
    while now < deadline:
        outcome: Outcome = yield send._replace(timeout=min(terms.timeout, deadline - now))
        watch = watch.after(outcome, job, terms, since=since)
        if watch.fresh and watch.last is not None:
            yield from ended(watch.last, terms)
            said = yield from heed(watch.last, job, terms)
            watch = watch._replace(last=said)
            if on_look is not None:
                yield Do(partial(on_look, said))
            if said.verdict is not Verdict.RUNNING:
                return judge(job, said)
        pause = fit(watch.pause(terms, waited=outcome.at - since), left=deadline - outcome.at)
        if pause is None:
            break
        now = yield Sleep(pause)
    raise _overdue(job, watch, timeout)


class Watch(NamedTuple):
    """What a wait has seen so far."""

    last: Prediction | None = None
    fresh: bool = False  # whether the latest exchange told something of the job
    looks: int = 0
    failures: int = 0  # in a row
    trouble: str = ""  # why the latest exchange told nothing
    asked: float | None = None  # its Retry-After, in seconds

    def after(self, outcome: Outcome, job: Job, terms: Terms, *, since: float) -> Watch:
        """Take in one outcome.

        Raises:
            APIStatusError: The server refuses to tell of the job, and will not change its mind.
        """
        if isinstance(outcome, Lost):
            return self._missed(str(outcome.error), None)
        said = job_answer.read_prediction(outcome, request_id=job.id)
        if said is None and outcome.status in response.REFUSED and not may_reread(outcome):
            raise refused(outcome, terms, request_id=job.id)
        if said is None or job_answer.names_another(said):
            return self._missed(_trouble(outcome, said), retry_after(outcome))
        terms.note(said.cost, said.balance, job.id)
        said = evolve(said, seconds=outcome.at - since, looks=self.looks + 1)
        return Watch(last=said, fresh=True, looks=self.looks + 1, asked=retry_after(outcome))

    def _missed(self, trouble: str, asked: float | None) -> Watch:
        return Watch(last=self.last, looks=self.looks + 1, failures=self.failures + 1, trouble=trouble, asked=asked)

    def pause(self, terms: Terms, *, waited: float) -> float:
        """Seconds until the next look: the polling's, or the back-off after a failed exchange."""
        if self.failures:
            backed_off = terms.retry.pause(self.failures, draw=terms.draw(), asked=self.asked)
            return max(backed_off, terms.polling.minimum)
        asked = min(self.asked, terms.retry.retry_after_maximum) if self.asked is not None else None
        return terms.polling.pause(waited, draw=terms.draw(), asked=asked)


def judge(job: Job, said: Prediction) -> Prediction:
    """The prediction of a job that ended well, or the error of one that did not."""
    if said.verdict not in (Verdict.FAILED, Verdict.CANCELLED):
        return said
    kind, what = (
        (errors.JobCancelledError, "was cancelled")
        if said.verdict is Verdict.CANCELLED
        else (errors.JobFailedError, "failed")
    )
    why = said.error or f"the server says {said.status!r} and no more"
    raise kind(
        f"job {said.id or '(without id)'} {what}: {why}{_charge(said.cost)}",
        job=job,
        prediction=said,
        request_id=said.id,
        status_code=said.status_code,
        cost=said.cost,
        balance=said.balance,
    )


def _charge(cost: Cost | None) -> str:
    if cost is None:
        return " (the server told no cost)"
    if cost.refunded:
        return f" ({cost.amount_usd} USD was refunded)"
    return f" (charged {cost.charged_usd} USD)"


def _overdue(job: Job, watch: Watch, timeout: float) -> errors.WaitTimeoutError:
    stood = f"the server last said {watch.last.status!r}" if watch.last else "no look succeeded"
    trouble = f"; the latest look failed: {watch.trouble}" if watch.trouble else ""
    cost = (watch.last.cost if watch.last else None) or job.cost
    return errors.WaitTimeoutError(
        f"job {job.id} had not ended after {timeout:g} s and {watch.looks} looks ({stood}{trouble})."
        " It lives on and may be charged: mu.wait(error.job) takes it up again.",
        job=job,
        prediction=watch.last,
        request_id=job.id,
        cost=cost,
        balance=watch.last.balance if watch.last else None,
    )


def _trouble(reply: Reply, said: Prediction | None) -> str:
    if said is not None:
        return f"the answer is about job {job_answer.read_id(said.raw)}"
    return f"HTTP {reply.status} with {response.excerpt(reply.content)}, which tells nothing of the job"


def _result_of(job: Job) -> Call[Any]:
    return Call(RESULT, None, path={"id": job.id})
