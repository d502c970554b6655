"""A stream as a flow: one paid submit, its events, and what is certain of it however it ends. Pure.

Lives here: when a stream is over, broken or late. Does not live here: whether the submit may be sent again
(``_exchanges``), what a frame says (``_deltas``), journal and money (``_bookkeeping``), connections (``_channels``).

A stream is submitted and charged like a job, and cannot be taken up again. So it ends well only where its end was seen:
told by the server, or proven by the body's framing. Everything else is an error that carries the text so far.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._jobs import waiting
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.cost_headers import balance_from_headers, cost_from_headers
from muapi_client._protocol.exchange import refused, write
from muapi_client._protocol.request import STREAM, prepare
from muapi_client._protocol.steps import Do, Emit, End, Flow, Lost, Piece, Reply, Send, Sleep, StreamFlow
from muapi_client._sandbox.guard import heed
from muapi_client._spec.validation import refusal
from muapi_client._state.key_state import name_of
from muapi_client._streams import outcome
from muapi_client._streams.framing import FRAME_MAXIMUM, Form, OversizedFrameError, PageError, Reader
from muapi_client._streams.payload import END, decoded
from muapi_client._types.cost import is_charge
from muapi_client._types.money import ZERO
from muapi_client._types.stream_event import StreamEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from muapi_client._streams.framing import Frame
    from muapi_client._streams.outcome import Source
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call

AFTERMATH: Final = 5.0  # seconds in all for what may follow the end, or the failure, that the server told: id and cost
UNFINISHED: Final = "the body ended whole, but its last event does not tell that the text is complete"
LAST: Final = "done"  # the name of the event the client adds


def refuse_job(call: Call[Any]) -> None:
    """Refuse to stream what the pinned document knows as something else.

    Raises:
        ValidationError: It is no stream.
    """
    if call.operation.name and not call.operation.slug.endswith(STREAM):
        raise refusal(call, (), "it answers with no stream: use mu.run(call), or mu.send(call)", kind="stream")


def stream(hosted: Flow[Call[Any]], source_of: Callable[[Call[Any]], Source]) -> StreamFlow[None]:
    """Submit a call and emit what the answer streams; the last event tells what it cost.

    Args:
        hosted: The upload of the local files in the call's body, if any; it ends with the call to send.

    Raises:
        JobFailedError, JobCancelledError: The stream itself says that it ended badly.
        StreamBrokenError: It broke off, or fell silent for ``timeout`` seconds.
        WaitTimeoutError: It took longer than ``wait_timeout``.
        MuAPIError: Those of a submit, until the stream begins.
    """
    source = source_of((yield from hosted))
    send = prepare(source.call, source.terms)  # what is refused here never was a job: it is not written down
    held = yield from _allowed(source)
    try:
        yield from outcome.intended(source)
        yield from _followed(source, send)
    except GeneratorExit:  # the event loop ended: nobody carries out another step, and the intent stays what it is
        raise
    except BaseException as error:
        if isinstance(error, errors.JobError):
            error.text = source.course.text
        outcome.count(source, held, error)
        yield from outcome.left(source, error)
        raise
    prediction = source.prediction()
    outcome.count(source, held, None)
    yield from outcome.written(source, lambda journal, key: journal.finish(prediction, key=key))
    prediction = yield from heed(prediction, source.job, source.terms)
    yield Emit(StreamEvent(event=LAST, prediction=prediction))


def _allowed(source: Source) -> Flow[Decimal]:
    """Make sure of the key and the money; answers what was set aside, in USD."""
    if source.terms.expect is not None:
        from muapi_client._sandbox import mismatch  # noqa: PLC0415 - only with an expectation

        yield from mismatch.check(source.call, source.terms)
    if source.max_spend is None:
        return ZERO
    from muapi_client._jobs import budget  # noqa: PLC0415 - loads the catalogue

    return (yield from budget.reserved(source.max_spend, source.spend, source.call, source.terms))


def _followed(source: Source, send: Send) -> StreamFlow[None]:
    """Open the stream and emit its events until its end was seen."""
    terms, course = source.terms, source.course
    opening = Do(partial(source.channel.open, send))
    reply = yield from write(source.call, opening, terms, started_at=source.started_at)
    if reply.status not in response.OK:
        raise _refused(source, reply)
    _opened(source, reply)
    reader = Reader(reply.headers.get("content-type", ""))
    now, until = reply.at, terms.wait_timeout
    while True:
        came: Piece | End | Lost = yield Do(partial(source.channel.pull, min(terms.timeout, until - course.seconds)))
        course.seconds += came.at - now  # what the caller takes between two events does not count
        now, was_settled = came.at, course.settled
        for frame in _frames(source, came, reader, reply):
            event = yield from _read(source, frame, reply)
            if event is not None and course.failure is None:
                now = yield Emit(event)
        if course.settled and not was_settled:
            until = min(until, course.seconds + AFTERMATH)
        if isinstance(came, End | Lost) or course.seconds >= until:
            break
    yield from _ended(source, came, reply._replace(content=source.channel.key.hide(bytes(reader.beginning))))


def _ended(source: Source, came: Piece | End | Lost, reply: Reply) -> StreamFlow[None]:
    """Judge a stream of which no more will come; ``reply`` holds how its body begins.

    Raises:
        SubmitOutcomeUnknownError, StreamBrokenError, WaitTimeoutError: Its end was not seen.
        JobError: It did not end well.
    """
    course = source.course
    if course.failure is not None:
        outcome.hide_key(source)
        waiting.judge(source.job, source.prediction())
    if isinstance(came, Piece) and not course.complete:
        raise outcome.late(source)
    if isinstance(came, End) and not course.begun:
        if course.charged:
            course.data = reply.content.decode("utf-8", "replace")
        raise outcome.broken(source, f"HTTP {reply.status} with no event in {response.excerpt(reply.content)}", reply)
    if isinstance(came, End) and not came.proven and not course.complete:
        raise outcome.broken(source, "the connection was closed, and no end was told")
    if course.pending and course.id and not course.text:
        yield Emit((yield from _answered(source, source.prediction("processing"))))
    if course.unfinished:
        course.warnings.append(UNFINISHED)
    course.ended = True


def _refused(source: Source, reply: Reply) -> errors.MuAPIError:
    """The error of an answer that is no stream."""
    said = job_answer.read_prediction(reply, request_id=None)
    if said is None:
        return refused(reply, source.terms)
    source.course.absorb(said)
    try:
        waiting.judge(source.job, said)
    except errors.JobError as error:
        return error
    return refused(reply, source.terms)


def _opened(source: Source, reply: Reply) -> None:
    """Take in what the head of a stream tells: a charge means that it was accepted, whatever comes.

    It teaches of the key at once; whether it was expected is told at the end, since what is paid for is handed on.
    """
    course = source.course
    course.told, course.balance = cost_from_headers(reply.headers), balance_from_headers(reply.headers)
    if is_charge(course.told):
        course.charged = True
        source.terms.standing.charge(name_of(course.id))


def _frames(source: Source, came: Piece | End | Lost, reader: Reader, reply: Reply) -> Iterator[Frame]:
    """The frames that what came completes.

    Raises:
        SubmitOutcomeUnknownError: No stream has begun, and none will.
        StreamBrokenError: One that had begun breaks off here.
        WaitTimeoutError: There was no more time for it.
    """
    try:
        if isinstance(came, Lost):
            _give_up(source, came, reply)
        elif isinstance(came, End):
            yield from (frame for frame in reader.end() if came.proven or _is_whole(frame))
        else:
            yield from reader.feed(came.content)
    except PageError as page:
        head = source.channel.key.hide(page.args[0])
        why = f"HTTP {reply.status} with a web page: {response.excerpt(head)}"
        raise outcome.broken(source, why, reply._replace(content=head)) from None
    except OversizedFrameError:
        raise outcome.broken(source, f"one event passes {FRAME_MAXIMUM} bytes") from None


def _is_whole(frame: Frame) -> bool:
    """Whether a last frame is whole by itself, where the body's framing proves nothing."""
    return frame.form is not Form.TEXT and (frame.data.strip() == END or decoded(frame.data)[0])


def _give_up(source: Source, came: Lost, reply: Reply) -> None:
    """Say what a break means: nothing where the end was told before, else an error."""
    course, why = source.course, str(came.error)
    if course.settled:
        return
    if course.finished:
        course.warnings.append(f"the connection broke after the text was complete: {why}")
    elif course.seconds >= source.terms.wait_timeout:
        raise outcome.late(source) from came.error
    else:
        raise outcome.broken(source, why, reply) from came.error


def _read(source: Source, frame: Frame, reply: Reply) -> Flow[StreamEvent | None]:
    """Take a frame in; answers what it says to the user."""
    course = source.course
    if frame.form is Form.DOCUMENT:
        said = _said(source, frame, reply)
        if said is not None:
            return (yield from _answered(source, said))
        course.ended = True
        frame = frame if course.reads(frame) else frame._replace(form=Form.TEXT)
    known = course.id
    event = course.take(frame)
    if course.id != known:
        yield from outcome.identified(source)
    return event


def _said(source: Source, frame: Frame, reply: Reply) -> Prediction | None:
    """What a body that is one JSON document says of a job; None where it is a text after all.

    Raises:
        SubmitOutcomeUnknownError: It is neither.
    """
    whole = reply._replace(content=source.channel.key.hide(frame.data.encode()))
    said = job_answer.read_prediction(whole, request_id=None)
    if said is not None and job_answer.is_final(said):
        return said
    if source.course.reads(frame):
        return None
    if said is not None and said.id is not None:
        return said
    if reply.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        raise source.unknown(f"HTTP {reply.status} with neither a text nor a result", whole)
    return None


def _answered(source: Source, said: Prediction) -> Flow[StreamEvent]:
    """Take in a job's answer in place of a stream, and wait for the job where it only begins.

    Raises:
        JobError: The job did not end well.
    """
    course, terms = source.course, source.terms
    words = course.absorb(said)
    yield from outcome.identified(source)
    if not job_answer.is_final(said):
        now = yield Sleep(0.0)
        said = yield from waiting.wait(source.job, terms, now=now, timeout=terms.wait_timeout)
        words = course.absorb(said)
    waiting.judge(source.job, said)
    return StreamEvent(words, said.raw)
