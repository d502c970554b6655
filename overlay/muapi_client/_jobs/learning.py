"""The pace of the looks at a job, by how long jobs of its kind took, and what its own end teaches of that. Pure.

Lives here: asking the journal once, and which waits teach. Does not live here: the durations
(``_state/durations``), the pauses (``_settings/schedule``, ``_settings/polling``), looking (``waiting``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._protocol.steps import Keep
from muapi_client._protocol.told_duration import told_seconds
from muapi_client._state.durations import MAIN_INPUTS, kind_of

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._settings.polling import Polling
    from muapi_client._settings.schedule import Schedule
    from muapi_client._state.context import Context
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call


def read_journal(context: Context) -> Flow[None]:
    """Learn of the journal how long jobs took, once a client; one that cannot be read teaches nothing."""
    durations, journal = context.durations, context.journal
    if journal is None or durations.has_read or not context.polling.learn:
        return
    durations.has_read = True  # at once: who comes meanwhile does not wait for it
    try:
        told: list[tuple[str, dict[str, Any], float]] = yield Keep(
            partial(journal.durations, context.account, fields=MAIN_INPUTS)
        )
    except errors.JournalError:
        return
    durations.teach_read((kind_of(slug, inputs), seconds) for slug, inputs, seconds in told)


def find_schedule(job: Job, context: Context) -> Schedule | None:
    """The looks at a job, as they are known by now; None where the client's :class:`Polling` alone tells them."""
    polling: Polling = context.polling
    if not polling.learn or job.call is None:
        return None
    return context.durations.schedule(kind_of(job.call.operation.slug, job.call.body), polling)


def usual_seconds(call: Call[Any], context: Context) -> tuple[float, float, int] | None:
    """How long jobs such as this call's usually take, as :meth:`Durations.usual` has it, by what is known by now."""
    return context.durations.usual(kind_of(call.operation.slug, call.body))


def learn_end(job: Job, prediction: Prediction, context: Context, *, after: float, until: float) -> None:
    """Learn how long a job took that completed or failed between two looks: either end is awaited.

    Looks that lie far apart teach nothing: the network was gone, or the server asked for patience.

    Args:
        after: Seconds from its acceptance to the last look at which it ran.
        until: Seconds from its acceptance to the look that found its end.
    """
    polling = context.polling
    if not polling.learn or job.call is None or until - after > max(after, 2 * polling.maximum):
        return
    told = told_seconds(prediction.raw)
    if told is not None and after <= told <= until:
        after = until = told
    context.durations.teach(kind_of(job.call.operation.slug, job.call.body), after=after, until=until)
