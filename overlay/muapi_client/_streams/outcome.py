"""One stream while it runs, and what its errors tell. Pure.

Lives here: a stream's facts, told to its submission's record as they become known, and the errors of one that did not
end well. Does not live here: how it goes (``flow``), journal and money (``_jobs/submission``, by the record).

A stream counts once: when it ends, breaks off or is closed. Its record is accepted once a frame has come, its head told
a charge or an answer told an id; without an id it stays among those that may have been charged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve, field, frozen

from muapi_client import errors
from muapi_client._jobs.submission import write_accepted
from muapi_client._protocol.exchange import unknown_error
from muapi_client._protocol.steps import Stopped
from muapi_client._sandbox.guard import judged
from muapi_client._streams.state import Course
from muapi_client._types.job import now_utc
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
    """What a stream comes by: blocking, or awaited by the driver.

    Attributes:
        key: The client's, to be hidden in what the server echoes.
    """

    key: APIKey

    def open(self, send: Send) -> Any:
        """Send a request: its :class:`Reply`, whose body is open where the status is 200 to 299, or :class:`Lost`."""
        ...

    def pull(self, seconds: float) -> Any:
        """Wait ``seconds`` at most for the next :class:`Piece`; an :class:`End`, or :class:`Lost`."""
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
    course: Course = field(factory=Course)

    @property
    def call(self) -> Call[Any]:
        """What is submitted."""
        return self.request.call

    @property
    def job(self) -> Job:
        """The stream as a job; its id is empty where none was told."""
        return self.new_job(self.course.id or "", self.call, self.course.cost, now_utc())

    def prediction(self, status: str = "") -> Prediction:
        """All of the stream so far; once it has ended ``status`` is its own."""
        return judged(evolve(self.course.prediction(status=status), call=self.call))

    def note(self) -> None:
        """Tell the record what is known by now."""
        if self.course.accepted:
            self.record.accept(self.course.id, self.course.cost)
            self.context.ledger.note_balance(self.course.balance)

    def unknown_error(self, why: str, reply: Reply | None = None) -> errors.SubmitOutcomeUnknownError:
        """The error of a stream that was submitted and never began."""
        return unknown_error(self.request, why, reply=reply)


def identify(run: StreamRun) -> Flow[None]:
    """Write the id down once it is known. Should that fail the stream goes on: it is written again at its end."""
    run.note()
    try:
        yield from write_accepted(run.record, run.context)
    except errors.JournalError as error:
        run.course.warnings.append(str(error))


def note_failure(run: StreamRun, error: BaseException) -> None:
    """Tell the record how a stream ended that did not end well."""
    course, record = run.course, run.record
    run.note()
    prediction = _end(run, error)
    if prediction is not None:
        record.finish(prediction)
    if isinstance(error, errors.JobError):
        error.text = course.text
    why = "closed by its caller" if isinstance(error, Stopped) else f"interrupted by {type(error).__name__}"
    why = str(error) if isinstance(error, errors.MuAPIError) else why
    record.reason = f"{why} ({len(course.text)} characters had arrived)"


def _end(run: StreamRun, error: BaseException) -> Prediction | None:
    """The end that an error tells of, or None where it tells of none."""
    if isinstance(error, errors.JobFailedError | errors.JobCancelledError):
        return error.prediction or run.prediction()
    if not isinstance(error, errors.JobError | errors.SandboxMismatchError):
        return None
    return error.prediction if error.prediction and error.prediction.state is not JobState.RUNNING else None


def broken(run: StreamRun, why: str, reply: Reply | None = None) -> errors.MuAPIError:
    """The error of a stream that broke off, or never began."""
    if not run.course.accepted:
        return run.unknown_error(why, reply)
    said = f"broke off after {len(run.course.text)} characters: {why}."
    return errors.StreamBrokenError(f"{_named(run)} {said} {_fate(run)}", **_known(run))


def late(run: StreamRun) -> errors.MuAPIError:
    """The error of a stream that has no time left."""
    if not run.course.accepted:
        return run.unknown_error(f"no event came within {run.context.wait_timeout:g} s")
    said = f"had not ended after {run.context.wait_timeout:g} s and {len(run.course.text)} characters."
    return errors.WaitTimeoutError(f"{_named(run)} {said} {_fate(run)}", **_known(run))


def hide_key(run: StreamRun) -> None:
    """Take the key, should the server echo it, out of what errors and the journal tell of a failure."""
    course, key = run.course, run.channel.key
    course.failure = key.hide((course.failure or "").encode("utf-8", "replace")).decode()
    course.data = json.loads(key.hide(json.dumps(course.data).encode()))


def _named(run: StreamRun) -> str:
    return f"the stream of {run.call.operation.slug} ({run.course.id or 'without id'})"


def _fate(run: StreamRun) -> str:
    cost = run.course.cost
    charge = "and may be charged" if cost is None else f"and charged {cost.charged_usd} USD"
    return f"It was accepted {charge}, and not sent again: that is charged again. error.text holds what arrived."


def _known(run: StreamRun) -> dict[str, Any]:
    """What the error of a stream that had begun tells."""
    return {
        "job": run.job,
        "prediction": run.prediction("processing"),
        "request_id": run.course.id,
        "status_code": 200,
        "cost": run.course.cost,
        "balance": run.course.balance,
    }
