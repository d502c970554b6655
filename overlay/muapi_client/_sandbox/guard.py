"""``expect="live"`` and ``expect="sandbox"``: when a key is held against what is expected of it. Pure.

A submit is held against what is known of the client's key. Every answer is held against the expectation, too, so that
none of the other kind is handed on unnoticed. One about a job that was not accepted through this client (a resumed one,
another process's) may come from another key: it is judged by itself alone, and teaches nothing.

Lives here: which submits and which answers are looked at. Does not live here: looking (``mismatch``), which a live
key's answers never load: they are charged, and that is seen at a glance.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from muapi_client._state.key_state import NOTHING, Known, name_of
from muapi_client._types.cost import is_charge
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.sandbox import SandboxVerdict


def judged(prediction: Prediction, known: Known = NOTHING) -> Prediction:
    """The prediction with its verdict, weighed once that is asked for.

    Args:
        known: What was known of the key when the answer came; nothing, of a job that may be another key's.
    """
    return evolve(prediction, sandbox=partial(_weigh, known=known))


def _weigh(prediction: Prediction, known: Known) -> SandboxVerdict:
    from muapi_client._sandbox.detection import verdict_of  # noqa: PLC0415 - asked for by few

    return verdict_of(prediction, known)


def heed(said: Prediction, job: Job, context: Context) -> Flow[Prediction]:
    """Learn of the key from an answer about its job, and answer it with what was known before.

    The journal knows of the job by now, so that an error here loses nothing.

    Raises:
        SandboxMismatchError: The answer is not of the expected kind; the error holds job and answer.
    """
    standing = context.standing
    own = standing.owns(job.id)
    known = standing.known if own else NOTHING
    said = judged(evolve(said, call=job.call), known)
    charged = is_charge(said.cost)
    if charged and own:
        standing.charge(name_of(said.id))
    if (charged and context.expect != "sandbox") or (not charged and said.state is JobState.RUNNING):
        return said
    from muapi_client._sandbox import mismatch  # noqa: PLC0415 - what is charged needs no weighing

    if context.expect is not None:
        mismatch.hold(said, job, context)
    else:
        yield from mismatch.remark(said, job, known, context)
    return said
