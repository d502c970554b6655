"""A job from its call to its end: the flow of ``run``. Pure.

Lives here: submitting and waiting in one. Does not live here: the submission (``submission``), the wait (``waiting``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from muapi_client._jobs.journaling import end_wait
from muapi_client._jobs.learning import find_schedule, read_journal
from muapi_client._jobs.waiting import wait
from muapi_client._protocol.steps import Do, Flow, Sleep
from muapi_client._settings.polling import fit
from muapi_client._state.waiters import Waiter
from muapi_client._types.error import add_job_note
from muapi_client._types.job import Job
from muapi_client._types.prediction import Prediction

if TYPE_CHECKING:
    from muapi_client._jobs.waiting import OnLook, OnLookFailed
    from muapi_client._state.context import Context

OnAccept = Callable[[Job], object] | None


def run(
    submission: Flow[Job | Prediction],
    context: Context,
    *,
    timeout: float,
    on_accept: OnAccept = None,
    on_look: OnLook = None,
    on_look_failed: OnLookFailed = None,
) -> Flow[Prediction]:
    """Carry out a submission and wait for the job's end; ``on_accept`` sees the job before the waiting starts."""
    outcome = yield from submission
    if isinstance(outcome, Prediction):
        return outcome
    try:
        now: float = yield Sleep(0.0)  # uploads and resends before this are not part of the wait
        if on_accept is not None:
            yield Do(partial(on_accept, outcome))
        yield from read_journal(context)
        # Nothing is done the moment it is accepted; answers that are arrived as a Prediction above.
        pause = min(context.polling.minimum, timeout)
        if (schedule := find_schedule(outcome, context)) is not None:
            pause = fit(schedule.pause(0.0, draw=context.random()), left=timeout) or pause
        with Waiter(context.origin, outcome.id) as waiter:  # the wait itself begins with a look
            later = yield Sleep(pause, waiter)
        return (
            yield from wait(
                outcome,
                context,
                now=later,
                timeout=timeout,
                since=now,
                accepted_at=now,
                on_look=on_look,
                on_look_failed=on_look_failed,
            )
        )
    except GeneratorExit:  # the event loop has ended: nobody carries out another step
        raise
    except BaseException as error:
        record = context.memory.find(outcome.id)
        if record is not None and record.span is not None:
            record.span.give_up(error)
        add_job_note(error, outcome.id)
        yield from end_wait(outcome, context, error)
        raise
