"""Submit-then-poll, stated once as flows. Pure: they yield steps, never perform them.

Lives here: what an outcome means for a job, and when to go on. Does not live here: whether an exchange may be sent
again (``_protocol/exchange``), reading bodies (``_protocol/job_answer``), when the journal is written (``journaling``),
how long to pause (``_settings/polling``, ``_settings/schedule``), whose turn it is (``_state/look_rate``), who is woken
(``_state/waiters``), what an end teaches of pauses (``learning``), I/O and clocks (``_transport/driver``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import evolve

from muapi_client import errors
from muapi_client._jobs.journaling import begin_wait, end_wait, note_answer
from muapi_client._jobs.learning import find_schedule, learn_end, read_journal
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import note_look, read
from muapi_client._protocol.request import encode
from muapi_client._protocol.resend import NOT_FOUND, is_cached, may_look_again, retry_after
from muapi_client._protocol.steps import OK, Do, Flow, Keep, NoReply, Outcome, Reply, Sleep
from muapi_client._protocol.telemetry import is_traced, load_spans
from muapi_client._runtime.logs import DEBUG, INFO, JOBS, WARNING, log
from muapi_client._sandbox.guard import check_answer
from muapi_client._settings.polling import SHORTEST_LOOK, fit
from muapi_client._state.memory import update_cost
from muapi_client._state.secrets import find_secrets
from muapi_client._state.waiters import Waiter
from muapi_client._types.job import slug_of
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import LONGEST_WORD, JobState, is_known
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._settings.schedule import Schedule
    from muapi_client._state.context import Context
    from muapi_client._types.cost import Cost
    from muapi_client._types.entry import Entry
    from muapi_client._types.job import Job

RESULT: Final = Operation("", "GET", "/api/v1/predictions/{id}/result")  # API reference, "Poll for Result"

LEASE_RENEWED: Final = 60.0  # seconds after which a wait is written down again: a fifth of a lease (_state/journal)
HINTS_APART: Final = 1.0  # seconds from one look to the next that a hint may cause
MISSED: Final = 0.25  # seconds after which a turn to look has passed

OnLook = Callable[[Prediction], object] | None
OnLookFailed = Callable[[errors.MuAPIError], object] | None


def look(job: Job, context: Context, *, accepted_at: float | None = None) -> Flow[Prediction]:
    """Ask once how a job stands; failures that look passing are tried again ``retry.attempts`` times.

    A failed job is an answer, not an error.

    Args:
        accepted_at: When it was accepted, in seconds on the clock of the flow, where that is known.

    Raises:
        NotFoundError: The server knows no such job; ``cost`` is what it was charged, where that is known.
        APIStatusError: The server refuses to tell.
        APIConnectionError: No answer arrived.
        ResponseError: The answer cannot be understood.
    """
    record = context.memory.find(job.id)
    if record is not None and record.span is not None and record.span.is_open:
        context = context._replace(span=record.span.span)
    send = encode(_result_call(job), context, secrets=find_secrets(job.call, None))
    reply = yield from read(send, context, may_repeat=partial(may_look_again, accepted_at=accepted_at))
    answer = _read_look(reply, job, context, looks=1)
    if isinstance(answer, errors.MuAPIError):
        raise (yield from _tell_acceptance(answer, job, context)) if _is_denied(reply, context) else answer
    yield from note_answer(answer, job, context)
    _note_look(job, answer, None)
    return (yield from check_answer(answer, job, context, own=context.memory.owns(job.id)))


def wait(
    job: Job,
    context: Context,
    *,
    now: float,
    timeout: float,
    since: float | None = None,
    accepted_at: float | None = None,
    on_look: OnLook = None,
    on_look_failed: OnLookFailed = None,
) -> Flow[Prediction]:
    """Look until the job has ended, or ``timeout`` seconds have passed since ``since``, by default ``now``.

    Args:
        since: The reading at which the job was submitted, where known; how often to look depends on its age. Where it
            is that of the acceptance, nobody looked at the job before ``now``.
        accepted_at: The reading at which it was accepted, where known: shortly after it a 404 may pass.
        on_look: Called with what each look tells.
        on_look_failed: Called with the error of each look that tells nothing, the last one included.

    Raises:
        JobFailedError, JobCancelledError: The job ended badly.
        JournalError: The journal cannot be written; the job lives on.
        WaitTimeoutError: The deadline passed; the job may still finish.
        APIStatusError: The server answers what no later look can change (3xx, 401, 403, 404, 405, 410, …).
    """
    since = now if since is None else since
    span = None
    yield from begin_wait(job, context)
    try:
        if is_traced():
            span = load_spans().take_up(job, context)
            context = context._replace(span=span.span)
        yield from read_journal(context)
        with Waiter(context.origin, job.id) as waiter:
            answer = yield from _poll(
                job,
                context,
                waiter,
                now=now,
                since=since,
                deadline=since + timeout,
                accepted_at=accepted_at,
                on_look=on_look,
                on_look_failed=on_look_failed,
            )
        if span is not None:
            span.end_as(answer)
        return answer  # noqa: TRY300 - an interrupt of what takes the span ends the wait like any other
    except GeneratorExit as closing:  # the event loop has ended: nobody carries out another step
        if span is not None:
            span.give_up(closing)
        raise
    except BaseException as error:
        if span is not None:
            span.give_up(error)
        yield from end_wait(job, context, error)
        raise


def _poll(
    job: Job,
    context: Context,
    waiter: Waiter,
    *,
    now: float,
    since: float,
    deadline: float,
    accepted_at: float | None,
    on_look: OnLook,
    on_look_failed: OnLookFailed,
) -> Flow[Prediction]:
    """Look at a job again and again until it has ended."""
    send = encode(_result_call(job), context, secrets=find_secrets(job.call, None))
    state, lease = PollState(), Lease(job, context, now)
    ran_at = accepted_at if accepted_at == since else None  # the latest reading at which it is known to have run
    while now < deadline:
        turn = yield from _wait_for_turn(now, deadline, context, lease)
        if turn is None:
            state = state._replace(is_held_back=True)
            break
        now = turn
        waiter.is_woken = False  # before the look: a hint that comes while it is under way asks for another
        step = evolve(send, timeout=min(context.timeout, deadline - now))
        outcome: Outcome = (yield from load_spans().trace_read(step, context)) if is_traced() else (yield step)
        answer = _read_look(outcome, job, context, looks=state.looks + 1, seconds=outcome.at - since)
        note_look(send, outcome)
        if isinstance(answer, errors.MuAPIError):
            state = state.after_failure(answer, outcome, is_denied=_is_denied(outcome, context))
            _note_failed_look(job, answer, state)
            if on_look_failed is not None:
                yield Do(partial(on_look_failed, answer))
            if isinstance(answer, errors.APIStatusError) and not may_look_again(outcome, accepted_at=accepted_at):
                raise (yield from _tell_acceptance(answer, job, context)) if state.is_denied else answer
        else:
            yield from note_answer(answer, job, context)
            _note_look(job, answer, state.last)
            answer = yield from check_answer(answer, job, context, own=context.memory.owns(job.id))
            state = state.after_answer(answer, outcome)
            if answer.state in (JobState.DONE, JobState.FAILED) and ran_at is not None and accepted_at is not None:
                learn_end(job, answer, context, after=ran_at - accepted_at, until=outcome.at - accepted_at)
            if on_look is not None:
                yield Do(partial(on_look, answer))
            if answer.state is not JobState.RUNNING:
                return judge(job, answer)
            ran_at = outcome.at
        yield from lease.renew(outcome.at)
        schedule = find_schedule(job, context)
        begun = since if schedule is None or accepted_at is None else accepted_at
        pause = fit(state.pause(context, schedule, waited=outcome.at - begun), left=deadline - outcome.at)
        if pause is None:
            break
        now = yield from _pause(outcome.at, pause, lease, waiter, least=state.least_pause(pause, context))
    _note_overdue(job, state, deadline - since)
    raise _overdue_error(job, state, deadline - since)


class Lease:
    """The journal's note that this process waits for a job, written anew as long as it does."""

    def __init__(self, job: Job, context: Context, now: float) -> None:
        self._job = job
        self._context = context
        self._renew_at = now + LEASE_RENEWED
        self.longest_pause = LEASE_RENEWED if context.journal is not None else inf

    def renew(self, now: float) -> Flow[None]:
        """Write it anew, if it is time for that."""
        if now >= self._renew_at:
            yield from begin_wait(self._job, self._context, renewed=True)
            self._renew_at = now + LEASE_RENEWED


def _pause(
    now: float, seconds: float, lease: Lease, waiter: Waiter | None = None, *, least: float = 0.0
) -> Flow[float]:
    """Let seconds pass, or ``least`` of them where a hint comes; answers the clock's reading."""
    began = now
    while seconds > 0 and not (waiter is not None and waiter.is_woken):
        piece = min(seconds, lease.longest_pause)
        now = yield Sleep(piece, waiter)
        seconds -= piece
        yield from lease.renew(now)
    if waiter is not None and waiter.is_woken and began + least > now:
        now = yield Sleep(began + least - now)
    return now


def _wait_for_turn(now: float, deadline: float, context: Context, lease: Lease) -> Flow[float | None]:
    """Wait until this look is one of those that the client may send a second; None where the deadline comes first.

    A turn that was missed is another's: else all that a hanging server held back would leave at once when it is well.
    """
    rate = context.looks_per_second
    if rate is None:
        return now
    while (turn := rate.take(now, latest=deadline - SHORTEST_LOOK)) is not None:
        if turn <= now:
            return now
        try:
            now = yield from _pause(now, turn - now, lease)
        except BaseException:
            rate.give_back(turn)
            raise
        if now <= turn + MISSED:
            return now
    yield from _pause(now, deadline - now, lease)
    return None


def _note_look(job: Job, answer: Prediction, before: Prediction | None) -> None:
    """Log what a look reported: how a job ended badly for all, a word that nobody knows once each time it comes."""
    word = answer.status[:LONGEST_WORD]
    is_news = not is_known(word) and (before is None or before.status != answer.status)
    level = WARNING if is_news else INFO if answer.state in (JobState.FAILED, JobState.CANCELLED) else DEBUG
    if not JOBS.isEnabledFor(level):
        return
    unknown = "" if is_known(word) else ", which this version does not know and takes for the status of a job that runs"
    call, cost = answer.call or job.call, answer.cost
    log(
        JOBS,
        level,
        "job %s: look %d says %.40r%s%s",
        job.id,
        answer.looks,
        word,
        unknown,
        "" if answer.state is JobState.RUNNING else describe_charge(cost),
        request_id=job.id,
        model=None if call is None else call.operation.slug,
        cost_usd=None if cost is None else cost.charged_usd,
    )


def _note_failed_look(job: Job, error: errors.MuAPIError, state: PollState) -> None:
    if JOBS.isEnabledFor(INFO):
        why = type(error).__name__ if error.status_code is None else f"HTTP {error.status_code}"
        model = slug_of(job)
        log(JOBS, INFO, "job %s: look %d failed (%s)", job.id, state.looks, why, request_id=job.id, model=model)


def _note_overdue(job: Job, state: PollState, timeout: float) -> None:
    if JOBS.isEnabledFor(WARNING):
        model = slug_of(job)
        words = "job %s had not ended after %g s and %d looks: it lives on, and may be charged"
        log(JOBS, WARNING, words, job.id, timeout, state.looks, request_id=job.id, model=model)


def _read_look(
    outcome: Outcome, job: Job, context: Context, *, looks: int, seconds: float | None = None
) -> Prediction | errors.MuAPIError:
    """Read one look: the prediction of the job, or the error where the answer is not about it."""
    if isinstance(outcome, NoReply):
        outcome.error.request_id = job.id
        return outcome.error
    answer = job_answer.read_prediction(outcome, request_id=job.id, looks=looks, seconds=seconds, call=job.call)
    if answer is not None and not job_answer.names_another(answer):
        paid = context.ledger.cost_of(job.id) or job.cost
        if paid is not None:  # what was told before holds, and a refund alone is of that charge
            cost = update_cost(paid, answer.cost)
            if answer.cost is None and job_answer.tells_refund(outcome.headers, answer.raw, paid.amount_usd):
                cost = evolve(paid, refunded=True)
            answer = answer if cost == answer.cost else evolve(answer, cost=cost)
        context.note(answer.cost, answer.balance, job.id)
        return answer
    if answer is None and outcome.status not in OK:
        context.note(None, job_answer.balance_from_headers(outcome.headers), None)
        return response.status_error(outcome, request_id=job.id, context=context)
    trouble = (
        f"the answer is about job {job_answer.read_id(answer.raw)}"
        if answer is not None
        else f"HTTP {outcome.status} with {response.excerpt(outcome.content)}, which tells nothing of the job"
        f"{response.describe_stranger(outcome, context.origin)}"
    )
    known = response.read_facts(outcome)
    return errors.ResponseError(f"job {job.id}: {trouble}", body=outcome.content, request_id=job.id, **known)


def _is_denied(outcome: Outcome, context: Context) -> bool:
    """Whether the API says that it has no such job; a page that comes in its place says nothing of one."""
    if isinstance(outcome, NoReply) or outcome.status != NOT_FOUND:
        return False
    return not response.describe_stranger(outcome, context.origin)


def _tell_acceptance(error: errors.MuAPIError, job: Job, context: Context) -> Flow[errors.MuAPIError]:
    """Add to a server's word that it has no such job what the job cost, where it is known to have been accepted."""
    cost, is_known = context.ledger.cost_of(job.id) or job.cost, job.call is not None or job.submitted_at is not None
    if cost is None and context.journal is not None:
        with suppress(errors.JournalError):  # the denial matters more
            entry: Entry | None = yield Keep(partial(context.journal.find_job, job.id, context.account))
            cost, is_known = (entry.cost, True) if entry is not None else (cost, is_known)
    if cost is None and not is_known:
        return error
    again = "; with reuse=False a call that asks the same is submitted anew" if context.reuse else ""
    return errors.NotFoundError(
        f"{error}. It was accepted before{describe_charge(cost)}: what answers at {context.origin} has lost it, or is"
        f" not the server that took it; mu.history() tells what this account has there{again}",
        detail=getattr(error, "detail", None),
        request_id=job.id,
        status_code=error.status_code,
        cost=error.cost or cost,
        balance=error.balance,
    )


class PollState(NamedTuple):
    """The state of a wait: its latest look, and its failures."""

    last: Prediction | None = None  # what the latest look that succeeded reported
    looks: int = 0
    failures: int = 0  # in a row
    error: errors.MuAPIError | None = None  # of the latest look, where that failed
    retry_after: float | None = None  # of the latest answer, in seconds
    is_held_back: bool = False  # by looks_per_second, until the deadline
    is_denied: bool = False  # by the latest look: the server said that it has no such job
    is_cached: bool = False  # whether a cache gave the latest answer

    def after_answer(self, answer: Prediction, outcome: Outcome) -> PollState:
        """Take in a look that answered about the job."""
        return PollState(answer, self.looks + 1, retry_after=_retry_after(outcome), is_cached=_is_cached(outcome))

    def after_failure(self, error: errors.MuAPIError, outcome: Outcome, *, is_denied: bool) -> PollState:
        """Take in a look that failed."""
        pause, failures = _retry_after(outcome), self.failures + 1
        is_cached = _is_cached(outcome)
        return PollState(self.last, self.looks + 1, failures, error, pause, is_denied=is_denied, is_cached=is_cached)

    def pause(self, context: Context, schedule: Schedule | None, *, waited: float) -> float:
        """Seconds until the next look: the schedule's or the polling's, or the back-off after a failed exchange."""
        if self.failures:
            back_off = context.retry.pause(self.failures, draw=context.random(), retry_after=self.retry_after)
            return max(back_off, context.polling.minimum)
        longest = context.retry.retry_after_maximum
        seconds = min(self.retry_after, longest) if self.retry_after is not None else None
        return (schedule or context.polling).pause(waited, draw=context.random(), retry_after=seconds)

    def least_pause(self, pause: float, context: Context) -> float:
        """Seconds of a pause that no hint cuts short: a hint proves nothing, and any number of them may come."""
        if self.failures:
            return pause
        asked = min(self.retry_after or 0.0, context.retry.retry_after_maximum)
        return min(max(asked, HINTS_APART), pause)


def _retry_after(outcome: Outcome) -> float | None:
    return retry_after(outcome) if isinstance(outcome, Reply) else None


def _is_cached(outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and is_cached(outcome)


def judge(job: Job, prediction: Prediction) -> Prediction:
    """The prediction of a job that ended well, or the error of one that did not."""
    if prediction.state not in (JobState.FAILED, JobState.CANCELLED):
        return prediction
    kind, what = (
        (errors.JobCancelledError, "was cancelled")
        if prediction.state is JobState.CANCELLED
        else (errors.JobFailedError, "failed")
    )
    why = prediction.error or f"the server says {prediction.status!r} and no more"
    raise kind(
        f"job {prediction.id or '(without id)'} {what}: {why}{describe_charge(prediction.cost)}",
        job=job,
        prediction=prediction,
        request_id=prediction.id,
        status_code=prediction.status_code,
        cost=prediction.cost,
        balance=prediction.balance,
    )


def describe_charge(cost: Cost | None) -> str:
    """What was charged, in brackets, as the end of a message."""
    if cost is None:
        return " (the server reported no cost)"
    if cost.refunded:
        return f" ({cost.amount_usd} USD was refunded)"
    return f" (charged {cost.charged_usd} USD)"


def _overdue_error(job: Job, state: PollState, timeout: float) -> errors.WaitTimeoutError:
    silence = "no look succeeded" if state.looks else "it was not asked for"
    stood = f"the server last said {state.last.status!r}" if state.last else silence
    trouble = f"; the latest look failed: {state.error}" if state.error else ""
    trouble += "; a cache on the way answered the latest look, and what it has kept is older" if state.is_cached else ""
    trouble += "; looks_per_second left none for it before the deadline" if state.is_held_back else ""
    cost = (state.last.cost if state.last else None) or job.cost
    charge = "may be charged" if cost is None else f"was charged {cost.charged_usd} USD"
    again = (
        f"It {charge}. A server may not find a job at once that it has just accepted: mu.wait(error.job) asks again"
        if state.is_denied
        else f"It lives on and {charge}: mu.wait(error.job) takes it up again"
    )
    return errors.WaitTimeoutError(
        f"job {job.id} had not ended after {timeout:g} s and {state.looks} looks ({stood}{trouble}). {again}.",
        job=job,
        prediction=state.last,
        request_id=job.id,
        cost=cost,
        balance=state.last.balance if state.last else None,
    )


def _result_call(job: Job) -> Call[Any]:
    return Call(RESULT, None, path={"id": job.id})
