"""One exchange with any endpoint, as flows: what is sent, and whether it may be sent again. Pure.

Lives here: the rule that decides about paying twice. Does not live here: what an answer says of a job (``_jobs``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.cost_headers import balance_from_headers
from muapi_client._protocol.request import IDEMPOTENCY_KEY, prepare
from muapi_client._protocol.resend import may_reread, may_resubmit, retry_after
from muapi_client._protocol.steps import Do, Flow, Lost, Outcome, Reply, Send, Sleep, Step
from muapi_client._spec.validation import declares

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._state.context import Terms
    from muapi_generated.types import Call

# Besides every 5xx: the job may have been accepted all the same. 301 and 302 are often meant as 303, "done, see there".
UNCERTAIN: Final = frozenset({301, 302, 303, 408, 499})


def exchange(call: Call[Any], terms: Terms, *, reads: bool, started_at: float) -> Flow[Any]:
    """Carry out one call of any endpoint and answer its decoded, typed body.

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
    send = prepare(call, terms)
    reply = yield from (read(send, terms) if reads else write(call, send, terms, started_at=started_at))
    if reply.status not in response.OK:
        raise refused(reply, terms)
    if not reply.content:
        return None  # 204: done, and nothing to say
    try:
        answer = call.operation.answer
        return response.typed(answer, response.decode(reply, exact=bool(answer)), call.operation.package)
    except errors.ResponseError as error:
        if reads:
            raise
        raise unknown(call, str(error), started_at=started_at, reply=reply) from error


def read(send: Send, terms: Terms) -> Flow[Reply]:
    """Carry out an exchange that only reads, again where the failure looks passing."""
    return (yield from repeat(send, terms, may_reread))


def write(call: Call[Any], send: Send | Do, terms: Terms, *, started_at: float) -> Flow[Reply]:
    """Carry out an exchange that changes or charges something: again only where that is provably safe.

    Args:
        send: The exchange, or what carries it out and ends in an outcome.
        started_at: Seconds since the epoch, for the error that has to tell when it was sent.

    Raises:
        SubmitOutcomeUnknownError: It left, and the answer does not tell whether it was processed.
    """
    has_key = (call.body or {}).get(IDEMPOTENCY_KEY) is not None and declares(call, IDEMPOTENCY_KEY)
    doubts: list[Outcome] = []  # tries that may have been accepted all the same, and were sent again by their key

    def again(outcome: Outcome) -> bool:
        if _may_be_accepted(outcome):
            doubts.append(outcome)
        return may_reread(outcome) if has_key else may_resubmit(outcome)

    try:
        reply = yield from repeat(send, terms, again)
    except errors.APIConnectionError as error:
        if error.sent or doubts:
            raise unknown(call, str(error), started_at=started_at) from error
        raise
    refused_now = reply.status in response.REFUSED and job_answer.read_prediction(reply, request_id=None) is None
    if doubts and refused_now:
        raise unknown(call, f"HTTP {reply.status} after a try without an answer", started_at=started_at, reply=reply)
    if _may_be_accepted(reply):
        raise unknown(call, f"HTTP {reply.status}", started_at=started_at, reply=reply)
    return reply


def _may_be_accepted(outcome: Outcome) -> bool:
    """Whether a submit may have been processed although this came of it."""
    if isinstance(outcome, Lost):
        return outcome.error.sent
    return outcome.status in UNCERTAIN or outcome.status >= 500  # noqa: PLR2004 - the 5xx class


def repeat(step: Step, terms: Terms, may_repeat: Callable[[Outcome], bool]) -> Flow[Reply]:
    """Carry out a step that ends in an outcome, again where ``may_repeat`` says so, as often and as long as allowed."""
    failures, first_ended = 0, 0.0
    while True:
        outcome: Outcome = yield step
        if isinstance(outcome, Reply):
            terms.note(None, balance_from_headers(outcome.headers), None)
        failures += 1
        first_ended = first_ended or outcome.at
        seconds = None if isinstance(outcome, Lost) else retry_after(outcome)
        pause = terms.retry.pause(failures, draw=terms.draw(), retry_after=seconds)
        spent = failures >= terms.retry.attempts or outcome.at + pause > first_ended + terms.retry.within
        if spent or not may_repeat(outcome):
            return arrived(outcome)
        yield Sleep(pause)


def arrived(outcome: Outcome) -> Reply:
    """The answer, or the error that none arrived."""
    if isinstance(outcome, Lost):
        raise outcome.error
    return outcome


def refused(reply: Reply, terms: Terms, *, request_id: str | None = None) -> errors.APIStatusError:
    """The error a refusal stands for, once the ledger knows the balance it tells."""
    terms.note(None, balance_from_headers(reply.headers), None)
    return response.status_error(reply, request_id=request_id)


def unknown(
    call: Call[Any], why: str, *, started_at: float, reply: Reply | None = None
) -> errors.SubmitOutcomeUnknownError:
    """The error for a submit that left and came back with nothing that can be built on."""
    known: dict[str, Any] = response.known(reply) if reply else {}
    has_key = (call.body or {}).get(IDEMPOTENCY_KEY) is not None
    advice = (
        "Sent again by its idempotency key, it is not charged twice: submit error.call as it is."
        if has_key
        else "It was not sent again. Look through mu.history() or the dashboard before you submit error.call again."
    )
    return errors.SubmitOutcomeUnknownError(
        f"{call.operation.method} {call.operation.path} was sent and its outcome is unknown ({why}): it may have been"
        f" accepted and charged. {advice}",
        call=call,
        body=reply.content if reply else b"",
        started_at=started_at,
        **known,
    )
