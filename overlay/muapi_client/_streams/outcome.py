"""One stream while it runs, and what its errors tell. Pure.

Lives here: a stream's facts, recorded in its submission as they become known, and the errors of one that did not end
well. Does not live here: how it goes (``flow``), journal and money (``_jobs/submission``, by the record).

A stream counts once: when it ends, breaks off or is closed. Its record is accepted once a frame has come, its head
reported a charge or an answer gave an id; without an id it stays among those that may have been charged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve, field, frozen

from muapi_client import errors
from muapi_client._jobs.submission import write_accepted
from muapi_client._protocol.exchange import unknown_error
from muapi_client._protocol.steps import Stopped
from muapi_client._sandbox.guard import add_verdict
from muapi_client._streams.state import StreamState
from muapi_client._types.prediction import hand_out
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.request import Request
    from muapi_client._protocol.steps import Flow, Reply, Send
    from muapi_client._settings.api_key import APIKey
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call


class StreamConnection(Protocol):
    """The connection of a stream: blocking, or awaited by the driver.

    Attributes:
        key: The client's, to be hidden in what the server echoes.
        request_id: The job's, set by the flow once it knows it: an error that strikes between two steps carries it.
    """

    key: APIKey
    request_id: str | None

    def open(self, send: Send) -> Any:
        """Send a request: its :class:`Reply`, with its body open where the status is 2xx, or :class:`NoReply`."""
        ...

    def pull(self, seconds: float) -> Any:
        """Wait ``seconds`` at most for the next :class:`Piece`; an :class:`End`, or :class:`NoReply`."""
        ...


@frozen(kw_only=True)
class StreamRun:
    """One stream on its way: where it comes from, and what is known of it so far.

    Attributes:
        request: What is submitted.
        record: Its submission's.
        context: The client's.
        channel: What the answer comes by.
        new_job: What makes a job that holds its client.
    """

    request: Request
    record: Record
    context: Context
    channel: StreamConnection
    new_job: Callable[..., Job]
    state: StreamState = field(factory=StreamState)

    @property
    def call(self) -> Call[Any]:
        """What is submitted."""
        return self.request.call

    @property
    def job(self) -> Job:
        """The stream as a job; its id is empty where none was reported."""
        return self.new_job(self.state.id or "", self.call, self.state.cost, datetime.now(UTC))

    def prediction(self, status: str = "") -> Prediction:
        """All of the stream so far; once it has ended ``status`` is its own."""
        prediction = self.state.prediction(status=status)
        words = tuple(
            output if output.text is None else evolve(output, text=self.channel.key.hide_text(output.text))
            for output in prediction.outputs
        )  # the key may have come in pieces, each in an event of its own
        return hand_out(add_verdict(evolve(prediction, outputs=words, call=self.call)), self.context.access)

    def note(self) -> None:
        """Tell the record what is known by now."""
        if self.state.accepted:
            self.record.accept(self.state.id, self.state.cost)
            self.channel.request_id = self.state.id
            self.context.ledger.note_balance(self.state.balance)

    def unknown_error(self, why: str, reply: Reply | None = None) -> errors.SubmitOutcomeUnknownError:
        """The error of a stream that was submitted and never began."""
        return unknown_error(self.request, why, reply=reply)


def identify(run: StreamRun) -> Flow[None]:
    """Write the id down once it is known. Should that fail the stream goes on: it is written again at its end."""
    run.note()
    try:
        yield from write_accepted(run.record, run.context)
    except errors.JournalError as error:
        run.state.warnings.append(str(error))


def note_failure(run: StreamRun, error: BaseException) -> None:
    """Tell the record how a stream ended that did not end well."""
    state, record = run.state, run.record
    run.note()
    prediction = _read_end(run, error)
    if prediction is not None:
        record.finish(prediction)
    if isinstance(error, errors.JobError):
        error.text = run.channel.key.hide_text(state.text)
    why = "closed by its caller" if isinstance(error, Stopped) else f"interrupted by {type(error).__name__}"
    why = str(error) if isinstance(error, errors.MuAPIError) else why
    record.reason = f"{why} ({len(state.text)} characters had arrived)"


def _read_end(run: StreamRun, error: BaseException) -> Prediction | None:
    """The end that an error tells of, or None where it tells of none."""
    if isinstance(error, errors.JobFailedError | errors.JobCancelledError):
        return error.prediction or run.prediction()
    if not isinstance(error, errors.JobError | errors.SandboxMismatchError):
        return None
    return error.prediction if error.prediction and error.prediction.state is not JobState.RUNNING else None


def broken_error(run: StreamRun, why: str, reply: Reply | None = None) -> errors.MuAPIError:
    """The error of a stream that broke off, or never began."""
    if not run.state.accepted:
        return run.unknown_error(why, reply)
    what = f"broke off after {len(run.state.text)} characters: {why}."
    return errors.StreamBrokenError(f"{_describe(run)} {what} {_describe_fate(run)}", **_error_fields(run))


def late_error(run: StreamRun) -> errors.MuAPIError:
    """The error of a stream that has no time left."""
    if not run.state.accepted:
        return run.unknown_error(f"no event came within {run.context.wait_timeout:g} s")
    what = f"had not ended after {run.context.wait_timeout:g} s and {len(run.state.text)} characters."
    return errors.WaitTimeoutError(f"{_describe(run)} {what} {_describe_fate(run)}", **_error_fields(run))


def _describe(run: StreamRun) -> str:
    return f"the stream of {run.call.operation.slug} ({run.state.id or 'without id'})"


def _describe_fate(run: StreamRun) -> str:
    cost = run.state.cost
    charge = "and may be charged" if cost is None else f"and charged {cost.charged_usd} USD"
    return f"It was accepted {charge}, and not sent again: that is charged again. error.text holds what arrived."


def _error_fields(run: StreamRun) -> dict[str, Any]:
    """Return the attributes of the error of a stream that had begun."""
    return {
        "job": run.job,
        "prediction": run.prediction("processing"),
        "request_id": run.state.id,
        "status_code": 200,
        "cost": run.state.cost,
        "balance": run.state.balance,
    }
