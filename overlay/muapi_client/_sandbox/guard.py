"""``expect="live"`` and ``expect="sandbox"``: when a key is held against what is expected of it. Pure.

A submit is held against what is known of the client's key. Every answer is held against the expectation, too, so that
none of the other kind is handed on unnoticed. One about a job that was not accepted through this client (a resumed one,
another process's) may come from another key: it is judged by itself alone, and teaches nothing.

Lives here: which submits and which answers are looked at. Does not live here: looking (``mismatch``), which a live
key's answers never load: they are charged, and that is seen at a glance.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve

from muapi_client._runtime.forks import forks
from muapi_client._state.key_state import NOTHING, KeyFacts, describe_request
from muapi_client._types.cost import is_charge
from muapi_client._types.prediction import hand_out
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.sandbox import SandboxVerdict
    from muapi_generated.types import Call


def add_verdict(prediction: Prediction, known: KeyFacts = NOTHING, call: Call[Any] | None = None) -> Prediction:
    """The prediction with its verdict, weighed once that is asked for.

    Args:
        known: What was known of the key when the answer came; nothing, of a job that may be another key's.
        call: What was submitted; None leaves what the prediction says of it.
    """
    return evolve(prediction, call=call or prediction.call, sandbox=partial(_weigh, known=known))


def _weigh(prediction: Prediction, known: KeyFacts) -> SandboxVerdict:
    with forks.kept_waiting:
        from muapi_client._sandbox.detection import judge_answer  # noqa: PLC0415 - asked for by few

    return judge_answer(prediction, known)


def find_kind(answer: Prediction, call: Call[Any] | None, context: Context) -> Literal["live", "sandbox"] | None:
    """The kind of the client's key, by what is known of it, and by an answer about a job of its own.

    The answer is written down before the client learns of it, so that it counts for itself.
    """
    if context.key_state.kind is not None:
        return context.key_state.kind
    if is_charge(answer.cost):
        return "live"
    with forks.kept_waiting:
        from muapi_client._sandbox.detection import looks_like_sandbox  # noqa: PLC0415 - what is charged needs none
    if not looks_like_sandbox(evolve(answer, call=call or answer.call)):
        return None
    return "sandbox" if add_verdict(answer, NOTHING, call).sandbox.verdict else None


def require_expected(answer: Prediction, job: Job, context: Context) -> None:
    """Hold an answer that the journal has kept against what is expected.

    Raises:
        SandboxMismatchError: It is not of the expected kind; the error holds job and answer.
    """
    if context.expect is None:
        return
    with forks.kept_waiting:
        from muapi_client._sandbox import mismatch  # noqa: PLC0415 - only with an expectation
    mismatch.require_expected_kind(answer, job, context, own=False)


def warn_of_kept(answer: Prediction, context: Context) -> Flow[None]:
    """Warn, where nothing is expected, of the first answer of a sandbox's key that the journal has kept."""
    if context.expect is not None or is_charge(answer.cost) or not answer.sandbox.verdict:
        return
    with forks.kept_waiting:
        from muapi_client._sandbox import mismatch  # noqa: PLC0415 - of samples alone
    yield from mismatch.warn_of_sample(answer, context, own=True)


def check_answer(answer: Prediction, job: Job, context: Context, *, own: bool) -> Flow[Prediction]:
    """Learn of the key from an answer about its job, and answer it with what was known before, as it is handed out.

    The journal knows of the job by now, so that an error here loses nothing.

    Args:
        own: Whether this client submitted the job, so that the answer teaches of its key.

    Raises:
        SandboxMismatchError: The answer is not of the expected kind; the error holds job and answer.
    """
    key_state = context.key_state
    known = key_state.known if own else NOTHING
    answer = add_verdict(answer, known, job.call)
    if answer.outputs or context.access.awaits:
        answer = hand_out(answer, context.access)
    charged = answer.cost is not None and (
        answer.cost.amount_usd > 0 or is_charge(answer.cost)
    )  # mostly dollars show it
    if charged and own and not known.charged:
        key_state.charge(describe_request(answer.id))
    if (charged and context.expect != "sandbox") or (not charged and answer.state is JobState.RUNNING):
        return answer
    with forks.kept_waiting:
        from muapi_client._sandbox import mismatch  # noqa: PLC0415 - what is charged needs no weighing

    if context.expect is not None:
        mismatch.require_expected_kind(answer, job, context, own=own)
    else:
        yield from mismatch.warn_once(answer, known, context, own=own)
    return answer
