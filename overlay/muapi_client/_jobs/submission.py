"""One paid submission, stated once: for ``run``, ``submit``, ``send`` and ``stream`` alike. Pure.

Lives here: the order of key check, reservation, turn, journal and POST, what becomes of each however it ends, and what
a job's POST is answered with. Does not live here: whether a try may be followed by another (``_protocol/exchange``),
what a stream says (``_streams``), waiting for the job (``waiting``).

Doubt is the default. The client's memory knows of a submission before it is sent, and what it says of one that has
begun to leave is "may have been charged" until something better is proven: see :func:`fate_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from sys import modules
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import evolve

from muapi_client import errors
from muapi_client._jobs.acceptance import describe_lack
from muapi_client._jobs.journaling import note_shared_ids, warn_of_overruns
from muapi_client._jobs.waiting import describe_charge, judge
from muapi_client._protocol.exchange import note_exchange, unknown_error, write
from muapi_client._protocol.job_answer import is_final, read_prediction
from muapi_client._protocol.request import Request, has_idempotency_key
from muapi_client._protocol.resend import Reading, classify, is_cached
from muapi_client._protocol.response import parse_typed, status_error
from muapi_client._protocol.steps import OK, Flow, Keep, Sleep
from muapi_client._protocol.telemetry import OTEL, is_traced, load_spans
from muapi_client._runtime.forks import forks
from muapi_client._runtime.logs import DEBUG, HTTP, INFO, JOBS, MONEY, WARNING, log
from muapi_client._sandbox.guard import check_answer, find_kind
from muapi_client._state.memory import Record
from muapi_client._state.secrets import find_secrets, remove_secrets
from muapi_client._types.entry import Replaced
from muapi_client._types.error import add_job_note
from muapi_client._types.job import Job
from muapi_client._types.status import LONGEST_WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muapi_client._state.context import Context
    from muapi_client._state.journal.limits import Limit, Room
    from muapi_client._types.prediction import Prediction

R = TypeVar("R")

LEAVES_WITHIN: Final = 3540.0  # seconds from its intent, or never: after an hour others may take its call up

Exchange = Callable[
    [Request, Record, "Context"], Generator[Any, Any, R]
]  # a job's steps, or a stream's with its events


class Fate(Enum):
    """The fate of a submission and its money: each is a row of the README's, held by ``tests/twins/test_fates.py``."""

    REFUSED = "refused"
    CHARGED = "refused and charged"
    NOT_SENT = "not sent"
    IN_DOUBT = "in doubt"
    INTERRUPTED = "interrupted"
    ACCEPTED = "accepted"


def fate_of(record: Record, error: BaseException | None) -> Fate:
    """Return the fate of a submission, by its record and what ended it: in doubt, unless better is proven."""
    if record.accepted:
        return Fate.ACCEPTED
    if record.refused:
        return Fate.CHARGED if record.cost is not None and record.cost.charged_usd > 0 else Fate.REFUSED
    if record.sent:
        return Fate.IN_DOUBT if isinstance(error, errors.MuAPIError) else Fate.INTERRUPTED
    own_check = isinstance(error, errors.APIStatusError | errors.SpendLimitError)
    return Fate.REFUSED if own_check else Fate.NOT_SENT


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
        MuAPIError: Those of :func:`submit`.
    """
    answer = yield from submit(request, context, post, waits=waits)
    job = new_job(answer.id or "", request.call, answer.cost, datetime.now(UTC))
    try:
        if context.ledger.overruns:
            yield from warn_of_overruns(context)
        if context.memory.shared_ids:
            note_shared_ids(context)
        answer = yield from check_answer(answer, job, context, own=True)
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
        if context.memory.shared_ids:
            note_shared_ids(context)
        job = Job(answer.id or "", request.call, answer.cost, datetime.now(UTC))
        yield from check_answer(answer, job, context, own=True)
        operation = request.call.operation
        return parse_typed(operation.answer, answer.raw, operation.package)
    except BaseException as error:
        add_job_note(error, answer.id)
        raise


def submit(request: Request, context: Context, exchange: Exchange[R], *, waits: bool = False) -> Generator[Any, Any, R]:
    """Carry out a paid submission; answers what its exchange does.

    Args:
        exchange: Sends the request and reads the answer; tells the record what it learns.
        waits: Whether the job is waited for at once, so that no other process takes it up meanwhile.

    Raises:
        SandboxMismatchError: The key is not of the expected kind; nothing was sent.
        SpendLimitError: It would pass ``max_spend`` or a budget, or nobody can price it; nothing was sent.
        JournalError: The journal cannot be written; the message tells whether anything was sent.
        APIStatusError: The server refused; ``cost`` tells whether it charged all the same.
        APIConnectionError: It never left; nothing was charged.
        SubmitOutcomeUnknownError: It may have been accepted and charged.
    """
    record = Record(
        request.call,
        datetime.fromtimestamp(request.started_at, UTC),
        reading=request.reading,
        waits=waits,
        tag=context.tag,
        run=context.run,
        run_key=context.run_key,
        digest=request.digest,
        origin=context.origin,
    )
    flow = _submit(request, record, context, exchange)
    record.follow(flow)
    return flow


def _submit(request: Request, record: Record, context: Context, exchange: Exchange[R]) -> Generator[Any, Any, R]:
    """Carry out a submission, and have an interrupt of it tell what became of the money."""
    if OTEL in modules and is_traced():
        record.span = load_spans().begin_job(record, context)
        context = context._replace(span=record.span.span)
    try:
        answer = yield from _carry_out(request, record, context, exchange)
        if record.span is not None:
            _note_span(record, None)
        return answer  # noqa: TRY300 - an interrupt of what takes the span gets its note
    except errors.MuAPIError as error:
        if record.span is not None:
            _note_span(record, error)
        raise
    except BaseException as interrupt:
        interrupt.add_note(_describe_fate(record, fate_of(record, interrupt)))
        if record.span is not None:
            _note_span(record, interrupt)
        raise


def _carry_out(request: Request, record: Record, context: Context, exchange: Exchange[R]) -> Generator[Any, Any, R]:
    if context.expect is not None:
        with forks.kept_waiting:
            from muapi_client._sandbox.mismatch import check_key  # noqa: PLC0415 - only with an expectation

        yield from check_key(record, context)
    error: BaseException | None = None
    context.memory.intend(record)  # no step: from here on the client knows of it, whatever happens
    try:
        limits = yield from _reserve(request, record, context)
        if context.pace.is_kept:
            request = request._replace(reading=(yield from _wait_for_turn(request.reading, context)))
        yield from _write_intent(record, context, limits)
        return (yield from exchange(request, record, context))
    except BaseException as raised:
        error = raised
        raise
    finally:
        fate = fate_of(record, error)
        conclude(record, fate, context, error)
        try:
            if not isinstance(error, GeneratorExit):  # else the event loop has ended: nobody carries out another step
                yield from _write_fate(record, fate, context, error)
        finally:
            _note_fate(record, fate, context, error)
        del error  # it holds this frame


def post(request: Request, record: Record, context: Context) -> Flow[Prediction]:
    """The exchange of a job: one POST, answered with a request id or with the finished job.

    Raises:
        APIStatusError: The server refused; ``cost`` tells whether it charged all the same.
        APIConnectionError: It never left; nothing was charged.
        SubmitOutcomeUnknownError: It may have been accepted and charged.
    """
    reply = yield from write(request, record, context)
    if reply.status not in OK and classify(reply) is Reading.REFUSAL:
        error = status_error(reply, request.send, slug=request.call.operation.slug, context=context)
        record.refuse(error.cost)
        if HTTP.isEnabledFor(DEBUG):
            note_exchange(request.send, reply)
        raise error
    answer = read_prediction(reply, request_id=None, call=request.call)
    if answer is None or (answer.id is None and not is_final(answer)) or is_cached(reply):
        lack = describe_lack(answer, reply, context)
        raise unknown_error(request, f"HTTP {reply.status} with {lack}", reply=reply)
    if is_final(answer):
        record.finish(answer, at=reply.at)
    else:
        record.accept(answer.id, answer.cost, at=reply.at)
    if HTTP.isEnabledFor(DEBUG):
        note_exchange(request.send, reply)
    return answer


def conclude(record: Record, fate: Fate, context: Context, error: BaseException | None) -> None:
    """Tell memory and ledger what became of a submission. No step, so that nothing comes between."""
    memory, ledger = context.memory, context.ledger
    match fate:
        case Fate.REFUSED | Fate.NOT_SENT:
            memory.forget(record)
            ledger.release(record.key)
        case Fate.CHARGED:
            memory.accept(record)
            ledger.record(record.key, record.cost)
        case Fate.IN_DOUBT | Fate.INTERRUPTED:  # it stays in memory as unknown, and what is set aside stays so
            record.reason = record.reason or _describe_reason(error)
            if isinstance(error, errors.SubmitOutcomeUnknownError):
                error.key = record.key
        case Fate.ACCEPTED:
            for lost in _find_repeated(record, context):  # answered by now, and charged once
                record.repeats.append(lost.key)
                memory.forget(lost)
                ledger.release(lost.key)
            memory.accept(record)
            ledger.accept(record)


def _find_repeated(record: Record, context: Context) -> list[Record]:
    """The lost submits that this one repeats by their idempotency key."""
    if not has_idempotency_key(record.call):
        return []
    return [lost for lost in context.memory.unknown() if lost.call == record.call]


def _describe_fate(record: Record, fate: Fate) -> str:
    """Return the note of an interrupt: what became of the money."""
    operation = record.call.operation
    what = f"{operation.method} {operation.path}"
    if fate is Fate.ACCEPTED and record.prediction is not None:
        identity = record.request_id or "without an id"
        return f"{what} was accepted and has ended ({identity}): mu.jobs() tells what came of it."
    if fate is Fate.ACCEPTED and record.request_id:
        return f"Job {record.request_id} was accepted: mu.wait({record.request_id!r}) takes it up again."
    if fate in (Fate.NOT_SENT, Fate.REFUSED):
        return f"{what} was not sent, or was refused: nothing was charged."
    call = remove_secrets(record.call)
    return (
        f"{what} was under way: it may have been accepted and charged, and is not sent again. mu.unknown() lists it,"
        f" and mu.reconcile(entry) looks for its job. The call: {call.body!r}"
    )


def _describe_reason(error: BaseException | None) -> str:
    return str(error) if isinstance(error, errors.MuAPIError) else f"interrupted by {type(error).__name__}"


def _note_fate(record: Record, fate: Fate, context: Context, error: BaseException | None) -> None:
    """Log what became of a submission: a warning, unless it was accepted, is tried again or was called off."""
    if fate is Fate.ACCEPTED:
        level = WARNING if isinstance(error, errors.MuAPIError) else DEBUG  # a stream that broke off
    elif not isinstance(error, errors.MuAPIError):
        level = DEBUG if fate is Fate.NOT_SENT else WARNING
    else:
        is_tried_again = context.raises_refusals and isinstance(error, errors.RateLimitError)
        level = INFO if is_tried_again else WARNING
    logger = MONEY if isinstance(error, errors.SpendLimitError) else JOBS
    if logger.isEnabledFor(level):
        operation, cost = record.call.operation, record.cost
        log(
            logger,
            level,
            "%s %s %s",
            operation.method,
            operation.path,
            _tell_fate(record, fate, error),
            request_id=record.request_id,
            model=operation.slug,
            cost_usd=None if cost is None else cost.charged_usd,
        )


def _tell_fate(record: Record, fate: Fate, error: BaseException | None) -> str:
    """The fate of a submission for a log: none of the server's words, which may repeat a prompt."""
    status = getattr(error, "status_code", None)
    why = type(error).__name__ + ("" if status is None else f", HTTP {status}")
    charge = describe_charge(record.cost)
    match fate:
        case Fate.REFUSED | Fate.CHARGED if isinstance(error, errors.SpendLimitError):
            return f"was refused here: {error}"
        case Fate.REFUSED | Fate.CHARGED:
            return f"was refused ({why}){charge if fate is Fate.CHARGED else ': nothing was charged'}"
        case Fate.NOT_SENT:
            return f"was not sent ({error if isinstance(error, errors.APIConnectionError) else why})"
        case Fate.IN_DOUBT | Fate.INTERRUPTED:
            return f"may have been accepted and charged ({why}), and is not sent again: mu.unknown() lists it"
    ended = "" if record.prediction is None else f", and has ended as {record.prediction.status[:LONGEST_WORD]!r}"
    ended += "" if error is None else f", and then ended by {why}"
    return f"was accepted as job {record.request_id or '(without id)'}{ended}{charge}"


def _note_span(record: Record, error: BaseException | None) -> None:
    """End the span of a submission's exchange, and that of its job where nothing more will be known of it."""
    if record.exchange is not None:
        record.exchange.end(error)
    record.span.accept(record.request_id, record.cost)
    if record.prediction is not None:
        record.span.end_as(record.prediction)
    elif error is not None:
        record.span.give_up(error, fate_of(record, error).value)
    elif not record.waits:
        record.span.leave()


def _reserve(request: Request, record: Record, context: Context) -> Flow[Sequence[Limit]]:
    """Set aside what a job will cost; answers the limits under which its intent may be written."""
    if context.max_spend is None and not context.budget:
        return ()
    with forks.kept_waiting:
        from muapi_client._jobs.budget import reserve  # noqa: PLC0415 - loads the catalogue

    return (yield from reserve(request, record, context))


def _wait_for_turn(now: float, context: Context) -> Flow[float]:
    """Let as few submits go at a time as a server takes that refused some; answers when this one may leave.

    It waits no longer than for resends. The intent is written after it: what is killed while it waits was provably not
    sent.
    """
    pace, ends = context.pace, now + context.retry.within
    pace.join()
    try:
        while now < ends and (pause := pace.ask(now, draw=context.random())) > 0:
            if HTTP.isEnabledFor(INFO):
                log(HTTP, INFO, "a submit waits %.2f s for its turn after a 429", min(pause, ends - now))
            now = yield Sleep(min(pause, ends - now))
    finally:
        pace.leave()
    return now


def _write_intent(record: Record, context: Context, limits: Sequence[Limit]) -> Flow[None]:
    journal = context.journal
    if journal is None:
        return
    replaced = _find_replaced(record, context)
    intend = partial(
        journal.intend,
        record.key,
        record.call,
        context.account,
        intended_at=record.intended_at,
        set_aside_usd=record.set_aside_usd,
        tag=record.tag,
        run=record.run,
        run_key=record.run_key,
        digest=record.digest,
        limits=limits,
        replaces=replaced,
        secrets=find_secrets(record.call, context.webhook),
    )

    def intend_in_time() -> Room | None:
        record.expire_after(LEAVES_WITHIN)
        return intend()

    record.journaled = True
    try:
        full: Room | None = yield Keep(intend_in_time, journal.commits)
    except errors.JournalError:  # it says itself that nothing was sent
        record.journaled = False
        journal.take_back(record.key, replaced=replaced)
        raise
    if full is not None:
        record.journaled = False
        with forks.kept_waiting:
            from muapi_client._jobs.budget import budget_error  # noqa: PLC0415 - as above

        raise budget_error(record, context, full)


def _find_replaced(record: Record, context: Context) -> Replaced | None:
    """The entry, which may have been charged, whose place in its run a submission takes; None where there is none.

    That one has its place until the intent has it, and again where nothing was sent: who begins the run once more
    without ``retry_unknown``, after whatever end, pays for no second one.
    """
    if context.replaces is None or record.run is None or record.run_key is None:
        return None
    return Replaced(context.replaces, record.run, record.run_key)


def _write_fate(record: Record, fate: Fate, context: Context, error: BaseException | None) -> Flow[None]:
    """Write down what became of a submission, once it is in the journal.

    Raises:
        JournalError: It cannot be written, and nothing else is on its way to the user: else it is that one's note.
    """
    if fate is Fate.IN_DOUBT:
        record.given_up = yield Sleep(0.0)
    if context.journal is None or not record.journaled:
        return
    try:
        yield Keep(_entry_write(record, fate, context), context.journal.commits)
        for key in record.repeats:
            yield Keep(partial(context.journal.withdraw, key), context.journal.commits)
    except errors.JournalError as trouble:
        if error is not None:
            error.add_note(f"The journal could not be written: {trouble}")
            return
        truth = f"job {record.request_id} was accepted" if record.request_id else "it was accepted, and has ended"
        raise errors.JournalError(f"{trouble}; {truth}", request_id=record.request_id, cost=record.cost) from trouble


def write_accepted(record: Record, context: Context) -> Flow[None]:
    """Write down that a submission which goes on was accepted, once its id is known.

    Raises:
        JournalError: It cannot be written; it is written again at the end.
    """
    context.memory.accept(record)
    if context.journal is not None and record.journaled:
        yield Keep(_entry_write(record, Fate.ACCEPTED, context), context.journal.commits)


def _entry_write(record: Record, fate: Fate, context: Context) -> Callable[[], object]:
    """Return the journal write for a fate."""
    journal, key = context.journal, record.key
    assert journal is not None
    if fate in (Fate.REFUSED, Fate.NOT_SENT):
        return partial(journal.withdraw, key, replaced=_find_replaced(record, context))
    if fate is Fate.CHARGED and record.cost is not None:
        return partial(journal.fail, key, record.cost, record.reason)
    if record.prediction is not None:
        secrets = find_secrets(record.call, context.webhook)
        kind = find_kind(record.prediction, record.call, context)
        return partial(journal.finish, record.prediction, key=key, key_kind=kind, secrets=secrets)
    if fate is Fate.ACCEPTED and record.request_id:
        return partial(journal.accept, key, record.request_id, record.cost, waiting=record.waits)
    return partial(journal.mark_unknown, key, record.reason)
