"""A key that is not of the expected kind: noticed, told, and warned of where nothing was expected. Pure.

Lives here: the check before a submit, the error, the one warning a client. Does not live here: which answers are looked
at (``guard``), evidence (``detection``) and its weight (``evidence``). Loads with the first free answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from muapi_client import errors
from muapi_client._protocol.exchange import exchange
from muapi_client._protocol.job_answer import is_final
from muapi_client._protocol.request import STREAM
from muapi_client._protocol.resend import PASSING, SERVER_FAILED
from muapi_client._protocol.steps import Do, Sleep
from muapi_client._runtime.user_warning import warn_user
from muapi_client._sandbox.detection import listing_of, looks_like_sandbox, of_key, shown_by
from muapi_client._sandbox.evidence import weigh
from muapi_client._settings.retry import Retry
from muapi_client._state.key_state import name_of
from muapi_client._types.sandbox import SandboxWarning
from muapi_client._types.status import JobState
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._state.key_state import Known
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.sandbox import SandboxVerdict

KEYS: Final = Operation("get_keys", "GET", "/api/v1/keys", answer="list[ApiKey]")  # API reference, "API Key Management"
PATIENCE: Final = 10.0  # seconds that a submit waits for the key list at most; its answer is judged in any case
AGAIN: Final = 60.0  # seconds until a list that was not to be had is asked for again


def check_key(context: Context) -> Flow[None]:
    """Stop before a submit where the key is known not to be of the expected kind.

    Where nothing is known yet the key list is asked for, once a client; where that tells nothing either, is refused or
    does not come within seconds, the submit goes on, and its answer is judged.

    Raises:
        SandboxMismatchError: The key is of the other kind; nothing was submitted.
    """
    known = context.standing.known
    if weigh(of_key(known)).verdict is None and not context.standing.asked:
        yield from _glanced(context)
    verdict = weigh(of_key(context.standing.known))
    if _disappoints(verdict, context):
        raise errors.SandboxMismatchError(
            f"expect={context.expect!r}, but {_kind(verdict)}: {'; '.join(verdict.evidence)}. Nothing was submitted.",
            verdict=verdict,
        )


def _glanced(context: Context) -> Flow[None]:
    """Ask for the key list, once and not for long; where it may be had later, leave it alone for a while."""
    standing = context.standing
    if standing.missed_at is not None and (yield Sleep(0.0)) < standing.missed_at + AGAIN:
        return
    hasty = context._replace(timeout=min(context.timeout, PATIENCE), retry=Retry(attempts=1))
    yield from listed(hasty)
    if not standing.asked:
        standing.missed_at = yield Sleep(0.0)


def listed(context: Context) -> Flow[errors.MuAPIError | None]:
    """Ask for the key list and learn from it; the error where it is not to be had, which is no reason to stop."""
    try:
        keys = yield from exchange(Call(KEYS), context, reads=True, started_at=0.0)
    except errors.MuAPIError as error:
        if not _may_pass(error):
            context.standing.listed(None)
        return error
    context.standing.listed(listing_of(keys))
    return None


def _may_pass(error: errors.MuAPIError) -> bool:
    """Whether the list may be had another time."""
    status = error.status_code or 0
    return isinstance(error, errors.APIConnectionError) or status in PASSING or status >= SERVER_FAILED


def hold(said: Prediction, job: Job, context: Context, *, own: bool) -> None:
    """Hold an answer against what was expected.

    Raises:
        SandboxMismatchError: It is not of the expected kind; the error holds job and answer.
    """
    verdict = said.sandbox
    if own:
        _learn(said, context)
    if _disappoints(verdict, context):
        whose = _kind(verdict) if own else _kind_elsewhere(job, verdict)
        raise errors.SandboxMismatchError(
            f"expect={context.expect!r}, but {whose}: {'; '.join(verdict.evidence)}. {_advice(said, verdict, own=own)}",
            verdict=verdict,
            job=job if job.id else None,
            prediction=said,
            text=_text(said),
            request_id=said.id,
            status_code=said.status_code,
            cost=said.cost,
            balance=said.balance,
        )


def remark(said: Prediction, known: Known, context: Context, *, own: bool) -> Flow[None]:
    """Learn from an answer that was not charged, and warn of the first one that is a sandbox's."""
    if looks_like_sandbox(said, known) and said.sandbox.verdict:
        if own:
            _learn(said, context)
        if context.remarks and context.standing.first_warning(own=own):
            yield Do(partial(_warn, said))


def _learn(said: Prediction, context: Context) -> None:
    """Remember an answer that settles for sandbox by itself; one that only follows from memory adds nothing to it."""
    if not context.standing.known.sampled and weigh(shown_by(said)).verdict:
        context.standing.sample(name_of(said.id))


def _warn(said: Prediction) -> None:
    warn_user(
        f"{name_of(said.id)} was answered by a sandbox (test) key: its outputs are samples, not made from the input"
        f" ({'; '.join(said.sandbox.evidence)}). MuAPI(expect='live') refuses such a key, expect='sandbox' takes it as"
        " meant; this is said once a client.",
        SandboxWarning,
    )


def _disappoints(verdict: SandboxVerdict, context: Context) -> bool:
    return context.expect is not None and verdict.verdict is (context.expect == "live")


def _kind(verdict: SandboxVerdict) -> str:
    return "this is a sandbox (test) key" if verdict.verdict else "this is a live key, which is charged"


def _kind_elsewhere(job: Job, verdict: SandboxVerdict) -> str:
    kind = "a sandbox (test) key's" if verdict.verdict else "a live key's, which is charged"
    return f"job {job.id}, which this client did not submit, is {kind}"


def _advice(said: Prediction, verdict: SandboxVerdict, *, own: bool) -> str:
    if not own:
        return "error.prediction holds the answer; mu.with_options(expect=None) hands on either kind."
    if verdict.verdict:
        return "A test key is not charged; error.prediction holds the samples."
    if _goes_on(said):
        return f"Job {said.id} was accepted; mu.with_options(expect=None).wait({said.id!r}) goes on with it."
    where = "error.text holds its words" if _text(said) else "error.prediction holds what came of it"
    return f"The job was accepted and has ended; {where}."


def _goes_on(said: Prediction) -> bool:
    """Whether the job can be waited for. A stream that has ended cannot, though it may have held no words."""
    streams = said.call is not None and said.call.operation.slug.endswith(STREAM)
    return said.state is JobState.RUNNING if streams else not is_final(said)


def _text(said: Prediction) -> str:
    return "\n".join(output.text for output in said.outputs if output.text)
