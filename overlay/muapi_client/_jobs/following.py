"""A job that is followed: each look at it as an event, as a flow. Pure.

It is the wait itself, whose looks are handed on. The caller may leave between two events: that ends the wait as any
error does, and the job lives on.

Lives here: events out of looks. Does not live here: when to look, and what an answer means (``waiting``).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from muapi_client._jobs.waiting import judge, wait
from muapi_client._protocol.steps import Emit, Sleep
from muapi_client._types.error import add_job_note
from muapi_client._types.job_event import JobEvent

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow, StreamFlow
    from muapi_client._state.context import Context
    from muapi_client._types.error import MuAPIError
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction


def follow(job: Job, context: Context, *, timeout: float, accepted_at: float | None) -> StreamFlow[None]:
    """Wait for a job's end, and emit what each look tells on the way, that one included.

    Args:
        job: The job.
        context: The client's.
        timeout: Seconds for all of it, from the first event that is asked for.
        accepted_at: The reading at which it was accepted, where known.

    Raises:
        MuAPIError: Those of :func:`wait`, after the event that shows why.
    """
    events = Events(job.id)
    now: float = yield Sleep(0.0)
    waited = wait(
        job,
        context,
        now=now,
        timeout=timeout,
        accepted_at=accepted_at,
        on_look=events.note_look,
        on_look_failed=events.note_failure,
    )
    try:
        yield from _hand_on(waited, events)
    except GeneratorExit:  # the event loop has ended: nobody carries out another step
        raise
    except BaseException as error:
        add_job_note(error, job.id)
        raise


def tell_end(job: Job, prediction: Prediction) -> StreamFlow[None]:
    """Emit what is known already of a job that has ended.

    Raises:
        JobFailedError, JobCancelledError: It ended badly.
    """
    yield Emit(JobEvent(prediction.id, prediction, changed=True))
    judge(job, prediction)


class Events:
    """The looks that were not handed on yet."""

    def __init__(self, request_id: str) -> None:
        self.waiting: deque[JobEvent[Any]] = deque()
        self._request_id = request_id
        self._status: str | None = None

    def note_look(self, prediction: Prediction) -> None:
        """Note what a look told."""
        changed, self._status = prediction.status != self._status, prediction.status
        self.waiting.append(JobEvent(self._request_id, prediction, changed=changed))

    def note_failure(self, error: MuAPIError) -> None:
        """Note that a look told nothing."""
        self.waiting.append(JobEvent(self._request_id, error=error))


def _hand_on(waited: Flow[Prediction], events: Events) -> StreamFlow[None]:
    """Have the steps of a wait carried out, and emit what was noted meanwhile.

    What goes wrong with an event is thrown into the wait as what goes wrong with a step, its caller's leaving, too.
    """
    outcome: Any = None
    error: BaseException | None = None
    try:
        while True:
            step = waited.send(outcome) if error is None else waited.throw(error)
            error = None
            try:
                outcome = yield step
                while events.waiting:
                    yield Emit(events.waiting.popleft())
            except BaseException as raised:  # noqa: BLE001 - the wait decides
                error = raised
    except StopIteration:
        return
    finally:
        del error  # its traceback holds this frame
