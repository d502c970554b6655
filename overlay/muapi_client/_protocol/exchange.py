"""One exchange with any endpoint, as flows: carried out, and again where that is safe. Pure.

Lives here: the resend rule at work. Does not live here: which outcome may be followed by another try (``resend``), what
an answer says of a job (``job_answer``), what is remembered of a paid one (``_jobs/submission``).
"""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._protocol import response
from muapi_client._protocol.job_answer import balance_from_headers
from muapi_client._protocol.request import has_idempotency_key, prepare
from muapi_client._protocol.resend import (
    REFUSED_UNPROCESSED,
    Reading,
    classify,
    find_ignored_wait,
    may_be_processed,
    may_reread,
    may_resubmit,
    retry_after,
)
from muapi_client._protocol.steps import OK, NoReply, Reply, Send, Sleep
from muapi_client._protocol.telemetry import OTEL, is_traced, load_spans
from muapi_client._runtime.delivery import Attempts, Delivery
from muapi_client._runtime.logs import DEBUG, HTTP, INFO, log

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.request import Request
    from muapi_client._protocol.steps import Do, Flow, Outcome
    from muapi_client._state.context import Context
    from muapi_generated.types import Call


def exchange(call: Call[Any], context: Context, *, reads: bool, started_at: float) -> Flow[Any]:
    """Carry out one call of any endpoint that submits no job, and answer its decoded, typed body.

    Args:
        reads: Whether the call changes and charges nothing, so that it may be sent again at will.
        started_at: Seconds since the epoch, for the error that has to tell when it was sent.

    Raises:
        ValidationError: The input was refused, here or by the server.
        APIStatusError: The server refused.
        APIConnectionError: No answer arrived, and nothing can have been changed.
        ResponseError: The answer cannot be understood.
        SubmitOutcomeUnknownError: Something may have been changed or charged.
    """
    request = prepare(call, context, started_at=started_at)
    reply = yield from (read(request.send, context) if reads else _write_noted(request, context))
    if reply.status not in OK:
        raise response.status_error(reply, request.send, context=context)
    if not reply.content:
        return None  # 204: done, and nothing to say
    try:
        answer = call.operation.answer
        return response.parse_typed(
            answer, response.decode(reply, origin=context.origin, exact=bool(answer)), call.operation.package
        )
    except errors.ResponseError as error:
        if reads:
            raise
        raise unknown_error(request, str(error), reply=reply) from error


def _write_noted(request: Request, context: Context) -> Flow[Reply]:
    """Carry out an exchange that changes something; an interrupt of it tells whether it may have."""
    attempts = Attempts()
    try:
        reply = yield from write(request, attempts, context)
        _end_span(attempts)
        if HTTP.isEnabledFor(DEBUG):
            note_exchange(request.send, reply)
        return reply  # noqa: TRY300 - an interrupt of what is logged has lost an answer, too
    except errors.MuAPIError as error:
        _end_span(attempts, error)
        raise
    except BaseException as interrupt:
        operation = request.call.operation
        fate = "was under way, and may have been carried out" if attempts.sent else "was not sent"
        interrupt.add_note(f"{operation.method} {operation.path} {fate}.")
        _end_span(attempts, interrupt)
        raise


def _end_span(attempts: Attempts, error: BaseException | None = None) -> None:
    if attempts.exchange is not None:
        attempts.exchange.end(error)


def read(
    step: Send | Do,
    context: Context,
    *,
    may_repeat: Callable[[Outcome], bool] = may_reread,
    about: Send | None = None,
) -> Flow[Reply]:
    """Carry out an exchange that charges nothing, again where the failure looks passing.

    Args:
        step: The exchange, or what carries it out and ends in an outcome.
        may_repeat: Whether an outcome may be followed by another try.
        about: What such a step sends to the API.

    Raises:
        APIConnectionError: No answer arrived.
    """
    back_off = BackOff(context)
    while True:
        outcome: Outcome
        if OTEL in modules and is_traced():
            outcome = yield from load_spans().trace_read(step, context, about=about)
        else:
            outcome = yield step
        _note_balance(outcome, context)
        pause = back_off.after(outcome) if may_repeat(outcome) else None
        if HTTP.isEnabledFor(DEBUG if pause is None else INFO):
            note_exchange(about or step, outcome, pause=pause)
        if pause is None:
            return require_reply(outcome)
        yield Sleep(pause)


def write(
    request: Request, attempts: Attempts, context: Context, opening: Callable[[Send], Send | Do] = lambda send: send
) -> Flow[Reply]:
    """Carry out an exchange that changes or charges something, again only where that is provably safe.

    Args:
        attempts: Updated by each try, so that an interrupted caller knows whether anything was sent. The caller ends
            the span of the latest one.
        opening: Makes the step that carries it out and ends in an outcome; by default the exchange itself.

    Returns:
        A refusal, or an answer that was processed: the caller has to read whether a job was accepted, and then to log
        the exchange, whose answer an interrupt of a log's handler would lose.

    Raises:
        APIConnectionError: Nothing was sent.
        SubmitOutcomeUnknownError: It left, and the answer does not tell whether it was processed.
    """
    back_off = BackOff(context)
    left = request.reading
    context.pace.left.append(left)
    try:
        while True:
            outcome: Outcome = yield opening(_begin_try(request, attempts, context))
            if attempts.exchange is not None:
                attempts.exchange.note(outcome)
            _keep_pace(outcome, context, left)
            _note_balance(outcome, context)
            if isinstance(outcome, Reply) and outcome.status in OK and not request.idempotent:
                return outcome
            if not may_be_processed(outcome):
                attempts.delivery = Delivery()
            _note_pace(request, outcome, context)
            again = may_reread(outcome) if request.idempotent else may_resubmit(outcome)
            again = again and not (context.raises_refusals and _is_refusal(outcome))
            pause = back_off.after(outcome) if again else None
            if pause is None:
                break
            attempts.doubtful = attempts.sent
            _note_try(request, attempts, outcome, pause)
            left = yield Sleep(pause)
    except errors.MuAPIError as error:  # such as: the client was closed meanwhile
        if attempts.sent:
            raise unknown_error(request, str(error)) from error
        raise
    return _read_outcome(outcome, request, attempts, context.origin)


def _read_outcome(outcome: Outcome, request: Request, attempts: Attempts, origin: str) -> Reply:
    """What the last try of a request came to, after which there is no other."""
    if HTTP.isEnabledFor(DEBUG) and (isinstance(outcome, NoReply) or classify(outcome) is Reading.DOUBT):
        note_exchange(request.send, outcome)
    if isinstance(outcome, NoReply):
        if attempts.sent:
            raise unknown_error(request, str(outcome.error)) from outcome.error
        raise outcome.error
    reading = classify(outcome)
    if reading is Reading.REFUSAL and attempts.sent:
        raise unknown_error(request, f"HTTP {outcome.status} after a try without an answer", reply=outcome)
    if reading is Reading.DOUBT:
        page = f" with a web page from {origin}" if response.is_page(outcome) else ""
        raise unknown_error(request, f"HTTP {outcome.status}{page}", reply=outcome)
    return outcome


def note_exchange(step: Send | Do, outcome: Outcome, *, pause: float | None = None) -> None:
    """Log an exchange.

    Args:
        pause: Seconds after which it is sent again, if it is: that is told at INFO, the rest at DEBUG.
    """
    name = f"{step.method} {step.path}" if isinstance(step, Send) else "POST of a file to storage"
    if isinstance(outcome, Reply):
        what = f"HTTP {outcome.status}, {len(outcome.content)} bytes"
    else:
        what = str(outcome.error) if isinstance(step, Send) else "no answer"  # storage's address may hold a signature
    again = "" if pause is None else f"; again in {pause:.2f} s"
    log(HTTP, DEBUG if pause is None else INFO, "%s: %s, after %.3f s%s", name, what, outcome.seconds, again)


def _note_pace(request: Request, outcome: Outcome, context: Context) -> None:
    """Log how fast submits may follow each other after a refusal."""
    if _is_refusal(outcome) and HTTP.isEnabledFor(INFO):
        rate = context.pace.rate(outcome.at)
        name = f"{request.send.method} {request.send.path}"
        model = request.call.operation.slug
        log(HTTP, INFO, "%s: too many requests (429); submits now leave at %.3g a second", name, rate, model=model)


def _note_try(request: Request, attempts: Attempts, outcome: Outcome, pause: float) -> None:
    """Log a try that another one follows, and end its span."""
    _end_span(attempts)
    if HTTP.isEnabledFor(INFO):
        note_exchange(request.send, outcome, pause=pause)


def note_look(send: Send, outcome: Outcome) -> None:
    """Log the exchange of a look that a wait makes."""
    if HTTP.isEnabledFor(DEBUG):
        note_exchange(send, outcome)
    if HTTP.isEnabledFor(INFO):
        _note_ignored_wait(outcome)


def _note_ignored_wait(outcome: Outcome) -> None:
    """Log a ``retry_after`` in a body that nothing goes by."""
    told = find_ignored_wait(outcome) if isinstance(outcome, Reply) else None
    if told is not None and isinstance(outcome, Reply):
        log(HTTP, INFO, "retry_after=%g in the body of an HTTP %d is not gone by", told, outcome.status)


def _begin_try(request: Request, attempts: Attempts, context: Context) -> Send:
    """The exchange of another try, noted in a delivery of its own; ``evolve`` takes four times as long as this."""
    attempts.delivery = delivery = Delivery()
    delivery.leaves_by = attempts.leave_by
    if OTEL in modules and is_traced():
        attempts.exchange = load_spans().trace_write(request, context, attempts.exchange)
    send = request.send
    return Send(
        method=send.method,
        path=send.path,
        query=send.query,
        content=send.content,
        timeout=send.timeout,
        delivery=delivery,
        secrets=send.secrets,
        media_type=send.media_type,
        headers=send.headers,
        route=send.route,
    )


def _keep_pace(outcome: Outcome, context: Context, left: float) -> None:
    """Learn from a refusal how fast submits may follow each other."""
    if isinstance(outcome, Reply) and outcome.status == REFUSED_UNPROCESSED:
        hold = min(retry_after(outcome) or 0.0, context.retry.retry_after_maximum)
        context.pace.slow_down(left=left, now=outcome.at, until=outcome.at + hold)


def _is_refusal(outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and outcome.status == REFUSED_UNPROCESSED


def _note_balance(outcome: Outcome, context: Context) -> None:
    if isinstance(outcome, Reply) and (balance := balance_from_headers(outcome.headers)) is not None:
        context.ledger.note_balance(balance)


class BackOff:
    """The pauses between the tries of one exchange, as many and as long as the client's ``retry`` allows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._failures = 0
        self._first_ended = 0.0

    def after(self, outcome: Outcome) -> float | None:
        """Seconds until the next try may begin, or None where there is no other."""
        retry = self._context.retry
        seconds = retry_after(outcome) if isinstance(outcome, Reply) else None
        if HTTP.isEnabledFor(INFO):
            _note_ignored_wait(outcome)
        self._failures += 1
        self._first_ended = self._first_ended or outcome.at
        pause = retry.pause(self._failures, draw=self._context.random(), retry_after=seconds)
        over = self._failures >= retry.attempts or outcome.at + pause > self._first_ended + retry.within
        return None if over else pause


def require_reply(outcome: Outcome) -> Reply:
    """The answer.

    Raises:
        APIConnectionError: None arrived.
    """
    if isinstance(outcome, NoReply):
        raise outcome.error
    return outcome


def unknown_error(request: Request, why: str, *, reply: Reply | None = None) -> errors.SubmitOutcomeUnknownError:
    """The error for a submit that left and came back with nothing that can be built on."""
    call = request.call
    known: dict[str, Any] = response.read_facts(reply) if reply else {}
    advice = (
        "Sent again by its idempotency key, it is not charged twice: submit error.call as it is."
        if has_idempotency_key(call)
        else "It was not sent again. mu.reconcile(error) looks through the history before you submit error.call again."
    )
    return errors.SubmitOutcomeUnknownError(
        f"{call.operation.method} {call.operation.path} was sent and its outcome is unknown ({why}): it may have been"
        f" accepted and charged. {advice}",
        call=call,
        body=reply.content if reply else b"",
        started_at=request.started_at,
        **known,
    )
