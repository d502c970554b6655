"""Submit-then-poll, stated once as flows. Pure: they yield steps, never perform them.

Lives here: what an outcome means for a job, and when to go on. Does not live here: whether an exchange may be sent
again (``_protocol.exchange``), reading bodies (``_protocol.response``), when the journal is written (``journaling``),
how long to pause (``_settings.polling``), I/O and clocks (``_transport.driver``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import evolve

from muapi_client import errors
from muapi_client._jobs.journaling import ended
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import read, refused
from muapi_client._protocol.request import prepare
from muapi_client._protocol.resend import may_reread, retry_after
from muapi_client._protocol.steps import Do, Flow, Lost, Outcome, Reply, Sleep
from muapi_client._sandbox.guard import heed
from muapi_client._settings.polling import fit
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import Verdict
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._state.context import Terms
    from muapi_client._types.cost import Cost
    from muapi_client._types.job import Job

RESULT: Final = Operation("", "GET", "/api/v1/predictions/{id}/result")  # API reference, "Poll for Result"

OnLook = Callable[[Prediction], object] | None


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
