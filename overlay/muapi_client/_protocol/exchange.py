"""One exchange with any endpoint, as flows: carried out, and again where that is safe. Pure.

Lives here: the resend rule at work. Does not live here: which outcome may be followed by another try (``resend``), what
an answer says of a job (``job_answer``), what is remembered of a paid one (``_jobs/submission``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._protocol import response
from muapi_client._protocol.job_answer import balance_from_headers
from muapi_client._protocol.request import has_idempotency_key, prepare
from muapi_client._protocol.resend import (
    REFUSED_UNPROCESSED,
    Reading,
    classify,
    may_be_processed,
    may_reread,
    may_resubmit,
    retry_after,
)
from muapi_client._protocol.steps import OK, NoReply, Reply, Send, Sleep
from muapi_client._runtime.delivery import Attempts, Delivery

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
        return (yield from write(request, attempts, context))
    except errors.MuAPIError:
        raise
    except BaseException as interrupt:
        operation = request.call.operation
        fate = "was under way, and may have been carried out" if attempts.sent else "was not sent"
        interrupt.add_note(f"{operation.method} {operation.path} {fate}.")
        raise


def read(step: Send | Do, context: Context, *, may_repeat: Callable[[Outcome], bool] = may_reread) -> Flow[Reply]:
    """Carry out an exchange that charges nothing, again where the failure looks passing.

    Args:
        step: The exchange, or what carries it out and ends in an outcome.
        may_repeat: Whether an outcome may be followed by another try.

    Raises:
        APIConnectionError: No answer arrived.
    """
    back_off = BackOff(context)
    while True:
        outcome: Outcome = yield step
        _note_balance(outcome, context)
        pause = back_off.after(outcome) if may_repeat(outcome) else None
        if pause is None:
            return require_reply(outcome)
        yield Sleep(pause)


def write(
    request: Request, attempts: Attempts, context: Context, opening: Callable[[Send], Send | Do] = lambda send: send
) -> Flow[Reply]:
    """Carry out an exchange that changes or charges something, again only where that is provably safe.

    Args:
        attempts: Updated by each try, so that an interrupted caller knows whether anything was sent.
        opening: Makes the step that carries it out and ends in an outcome; by default the exchange itself.

    Returns:
        A refusal, or an answer that was processed: the caller has to read whether a job was accepted.

    Raises:
        APIConnectionError: Nothing was sent.
        SubmitOutcomeUnknownError: It left, and the answer does not tell whether it was processed.
    """
    back_off = BackOff(context)
    left = request.reading
    context.pace.left.append(left)
    try:
        while True:
            attempts.delivery = Delivery()
            outcome: Outcome = yield opening(_note_in(attempts.delivery, request.send))
            if isinstance(outcome, Reply):
                _keep_pace(outcome, context, left)
            _note_balance(outcome, context)
            if isinstance(outcome, Reply) and outcome.status in OK and not request.idempotent:
                return outcome
            if not may_be_processed(outcome):
                attempts.delivery = Delivery()
            again = may_reread(outcome) if request.idempotent else may_resubmit(outcome)
            again = again and not (context.raises_refusals and _is_refusal(outcome))
            pause = back_off.after(outcome) if again else None
            if pause is None:
                break
            attempts.doubtful = attempts.sent
            left = yield Sleep(pause)
    except errors.MuAPIError as error:  # such as: the client was closed meanwhile
        if attempts.sent:
            raise unknown_error(request, str(error)) from error
        raise
    return _read_outcome(outcome, request, attempts)


def _read_outcome(outcome: Outcome, request: Request, attempts: Attempts) -> Reply:
    """What the last try of a request came to, after which there is no other."""
    if isinstance(outcome, NoReply):
        if attempts.sent:
            raise unknown_error(request, str(outcome.error)) from outcome.error
        raise outcome.error
    reading = classify(outcome)
    if reading is Reading.REFUSAL and attempts.sent:
        raise unknown_error(request, f"HTTP {outcome.status} after a try without an answer", reply=outcome)
    if reading is Reading.DOUBT:
        raise unknown_error(request, f"HTTP {outcome.status}", reply=outcome)
    return outcome


def _note_in(delivery: Delivery, send: Send) -> Send:
    """The exchange, noted in ``delivery``; ``evolve`` takes four times as long, of every submit's time."""
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
    )


def _keep_pace(reply: Reply, context: Context, left: float) -> None:
    """Learn from a refusal how fast submits may follow each other."""
    if reply.status == REFUSED_UNPROCESSED:
        hold = min(retry_after(reply) or 0.0, context.retry.retry_after_maximum)
        context.pace.slow_down(left=left, now=reply.at, until=reply.at + hold)


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
