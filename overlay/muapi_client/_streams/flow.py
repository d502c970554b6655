"""A stream as a flow: one paid submit, its events, and what is certain of it however it ends. Pure.

Lives here: when a stream is over, broken or late. Does not live here: whether the submit may be sent again
(``_protocol/exchange``), what a frame says (``state``), journal and money (``_jobs/submission``), connections
(``_transport/stream_connection``).

A stream is submitted and charged like a job, and cannot be taken up again. So it ends well only where its end was seen:
reported by the server, or proven by the body's framing. Everything else is an error that carries the text so far.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._jobs import waiting
from muapi_client._jobs.acceptance import describe_cache
from muapi_client._jobs.submission import submit
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import note_exchange, write
from muapi_client._protocol.request import STREAM
from muapi_client._protocol.resend import is_cached
from muapi_client._protocol.steps import OK, Do, Emit, End, Flow, NoReply, Piece, Reply, Sleep, StreamFlow
from muapi_client._runtime.logs import DEBUG, HTTP
from muapi_client._sandbox.guard import check_answer
from muapi_client._spec.validation import refusal_error
from muapi_client._state.key_state import describe_request
from muapi_client._streams.framing import FRAME_MAXIMUM, Form, Frame, OversizedFrameError, PageError, Reader
from muapi_client._streams.outcome import StreamRun, broken_error, identify, late_error, note_failure
from muapi_client._streams.payload import END, decode
from muapi_client._types.cost import is_charge
from muapi_client._types.error import add_job_note
from muapi_client._types.stream_event import StreamEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muapi_client._protocol.request import Request
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record
    from muapi_client._streams.outcome import StreamConnection
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call

AFTERMATH: Final = 5.0  # seconds in all for what may follow the end, or failure, that the server reported: id and cost
UNFINISHED: Final = "the body ended whole, but its last event does not tell that the text is complete"
LAST: Final = "done"  # the name of the event the client adds


def refuse_job(call: Call[Any]) -> None:
    """Refuse to stream what the pinned document knows as something else.

    Raises:
        ValidationError: It is no stream.
    """
    if call.operation.name and not call.operation.slug.endswith(STREAM):
        raise refusal_error(call, (), "it answers with no stream: use mu.run(call), or mu.send(call)", kind="stream")


def stream(
    prepared: Flow[Request], context: Context, channel: StreamConnection, new_job: Callable[..., Job]
) -> StreamFlow[None]:
    """Submit a call and emit what the answer streams; the last event tells what it cost.

    Args:
        prepared: Uploads the local files in the call's body, if any; it ends with the request to send.
        channel: What the answer comes by.
        new_job: What makes a job that holds its client.

    Raises:
        JobFailedError, JobCancelledError: The stream itself says that it ended badly.
        StreamBrokenError: It broke off, or fell silent for ``timeout`` seconds.
        WaitTimeoutError: It took longer than ``wait_timeout``.
        MuAPIError: Those of a submit, until the stream begins.
    """
    request = yield from prepared
    prediction = yield from submit(request, context, partial(_read_stream, channel=channel, new_job=new_job))
    try:
        job = new_job(prediction.id or "", request.call, prediction.cost, datetime.now(UTC))
        prediction = yield from check_answer(prediction, job, context, own=True)
    except BaseException as error:
        add_job_note(error, prediction.id)
        raise
    yield Emit(StreamEvent(event=LAST, prediction=prediction))


def _read_stream(
    request: Request,
    record: Record,
    context: Context,
    *,
    channel: StreamConnection,
    new_job: Callable[..., Job],
) -> StreamFlow[Prediction]:
    """The exchange of a stream: its head, and all of its events."""
    run = StreamRun(request=request, record=record, context=context, channel=channel, new_job=new_job)
    try:
        yield from _follow(run)
    except BaseException as error:
        note_failure(run, error)
        raise
    prediction = run.prediction()
    record.finish(prediction)
    context.ledger.note_balance(prediction.balance)
    return prediction


def _follow(run: StreamRun) -> StreamFlow[None]:
    """Open the stream and emit its events until its end was seen."""
    context, state = run.context, run.state
    reply = yield from write(run.request, run.record, context, opening=lambda send: Do(partial(run.channel.open, send)))
    if reply.status not in OK:
        raise _refusal_error(run, reply)
    if is_cached(reply):
        raise run.unknown_error(f"HTTP {reply.status} with {describe_cache(reply)}", reply)
    _read_head(run, reply)
    if HTTP.isEnabledFor(DEBUG):
        note_exchange(run.request.send, reply)
    reader = Reader(reply.headers.get("content-type", ""))
    now, until = reply.at, context.wait_timeout
    while True:
        came: Piece | End | NoReply = yield Do(partial(run.channel.pull, min(context.timeout, until - state.seconds)))
        state.seconds += came.at - now  # what the caller takes between two events does not count
        now, was_settled = came.at, state.settled
        for frame in _hide_key(run, came, _read_frames(run, came, reader, reply)):
            event = yield from _take_frame(run, frame, reply)
            if event is not None and state.failure is None:
                now = yield Emit(event)
        if state.settled and not was_settled:
            until = min(until, state.seconds + AFTERMATH)
        if isinstance(came, End | NoReply) or state.seconds >= until:
            break
    yield from _judge_end(run, came, reply._replace(content=run.channel.key.hide(bytes(reader.beginning))))


def _judge_end(run: StreamRun, came: Piece | End | NoReply, reply: Reply) -> StreamFlow[None]:
    """Judge a stream of which no more will come; ``reply`` holds how its body begins.

    Raises:
        SubmitOutcomeUnknownError, StreamBrokenError, WaitTimeoutError: Its end was not seen.
        JobError: It did not end well.
    """
    state = run.state
    if state.failure is not None:
        waiting.judge(run.job, run.prediction())
    if isinstance(came, Piece) and not state.complete:
        raise late_error(run)
    if isinstance(came, End) and not state.begun:
        if state.charged:
            state.data = reply.content.decode("utf-8", "replace")
        raise broken_error(run, f"HTTP {reply.status} with no event in {response.excerpt(reply.content)}", reply)
    if isinstance(came, End) and not came.proven and not state.complete:
        raise broken_error(run, "the connection was closed, and no end was reported")
    if state.pending and state.id and not state.text:
        yield Emit((yield from _take_answer(run, run.prediction("processing"))))
    if state.unfinished:
        state.warnings.append(UNFINISHED)
    state.ended = True


def _refusal_error(run: StreamRun, reply: Reply) -> errors.MuAPIError:
    """The error of an answer that is no stream: a refusal, or a job that was accepted and has ended badly."""
    answer = job_answer.read_prediction(reply, request_id=None, call=run.call)
    if answer is not None:
        run.state.absorb(answer)
        try:
            waiting.judge(run.job, answer)
        except errors.JobError as error:
            return error
    refused = response.status_error(reply, run.request.send, slug=run.call.operation.slug, context=run.context)
    run.record.refuse(refused.cost)
    return refused


def _read_head(run: StreamRun, reply: Reply) -> None:
    """Take in what the head of a stream tells: a charge means that it was accepted, whatever comes.

    The key state learns of it at once; whether it was expected is checked at the end: what is paid for is handed on.
    """
    state = run.state
    state.head_cost = job_answer.cost_from_headers(reply.headers)
    state.balance = job_answer.balance_from_headers(reply.headers)
    state.headers = job_answer.without_secrets(reply.headers)
    if is_charge(state.head_cost):
        state.charged = True
        run.note()
        run.context.key_state.charge(describe_request(state.id))


def _read_frames(run: StreamRun, came: Piece | End | NoReply, reader: Reader, reply: Reply) -> Iterator[Frame]:
    """The frames that what came completes.

    Raises:
        SubmitOutcomeUnknownError: No stream has begun, and none will.
        StreamBrokenError: One that had begun breaks off here.
        WaitTimeoutError: There was no more time for it.
    """
    try:
        if isinstance(came, NoReply):
            _give_up(run, came, reply)
        elif isinstance(came, End):
            yield from (frame for frame in reader.end() if came.proven or _is_whole(frame))
        else:
            yield from reader.feed(came.content)
    except PageError as page:
        head = run.channel.key.hide(page.args[0])
        why = f"HTTP {reply.status} with a web page: {response.excerpt(head)}"
        raise broken_error(run, why, reply._replace(content=head)) from None
    except OversizedFrameError:
        raise broken_error(run, f"one event passes {FRAME_MAXIMUM} bytes") from None


def _hide_key(run: StreamRun, came: Piece | End | NoReply, frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames without the key, should the server echo it; in plain text it may be cut in two."""
    key, state = run.channel.key, run.state
    if state.held and not isinstance(came, Piece):  # no more will come: it was none
        held, state.held = state.held, ""
        yield Frame(Form.TEXT, held)
    for frame in frames:
        if frame.form is not Form.TEXT:
            event, mark = key.hide_text(frame.event), None if frame.id is None else key.hide_text(frame.id)
            yield Frame(frame.form, key.hide_text(frame.data), event, mark)
            continue
        text = key.hide_text(state.held + frame.data)
        size = len(text) - key.begins_in(text)
        state.held = text[size:]
        if size:
            yield Frame(Form.TEXT, text[:size])


def _is_whole(frame: Frame) -> bool:
    """Return whether a last frame is whole by itself, where the body's framing proves nothing."""
    return frame.form is not Form.TEXT and (frame.data.strip() == END or decode(frame.data)[0])


def _give_up(run: StreamRun, came: NoReply, reply: Reply) -> None:
    """Say what a break means: nothing where the end was reported before, else an error."""
    state, why = run.state, str(came.error)
    if state.settled:
        return
    if state.finished:
        state.warnings.append(f"the connection broke after the text was complete: {why}")
    elif state.seconds >= run.context.wait_timeout:
        raise late_error(run) from came.error
    else:
        raise broken_error(run, why, reply) from came.error


def _take_frame(run: StreamRun, frame: Frame, reply: Reply) -> Flow[StreamEvent | None]:
    """Take a frame in; answers what it says to the user."""
    state = run.state
    if frame.form is Form.DOCUMENT:
        answer = _read_document(run, frame, reply)
        if answer is not None:
            return (yield from _take_answer(run, answer))
        state.ended = True
        frame = frame if state.has_words(frame) else frame._replace(form=Form.TEXT)
    known = state.id
    event = state.take(frame)
    run.note()
    if state.id != known:
        yield from identify(run)
    return event


def _read_document(run: StreamRun, frame: Frame, reply: Reply) -> Prediction | None:
    """Return what a body that is one JSON document says of a job; None where it is a text after all.

    Raises:
        SubmitOutcomeUnknownError: It is neither.
    """
    whole = reply._replace(content=run.channel.key.hide(frame.data.encode()))
    answer = job_answer.read_prediction(whole, request_id=None, call=run.call)
    if answer is not None and job_answer.is_final(answer):
        return answer
    if run.state.has_words(frame):
        return None
    if answer is not None and answer.id is not None:
        return answer
    if reply.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        raise run.unknown_error(f"HTTP {reply.status} with neither a text nor a result", whole)
    return None


def _take_answer(run: StreamRun, answer: Prediction) -> Flow[StreamEvent]:
    """Take in a job's answer in place of a stream, and wait for the job where it only begins.

    Raises:
        JobError: The job did not end well.
    """
    state, context = run.state, run.context
    words = state.absorb(answer)
    yield from identify(run)
    if not job_answer.is_final(answer):
        now = yield Sleep(0.0)
        answer = yield from waiting.wait(run.job, context, now=now, timeout=context.wait_timeout)
        words = state.absorb(answer)
    waiting.judge(run.job, answer)
    return StreamEvent(words, answer.raw)
