"""A key that is not of the expected kind: noticed, reported, and warned of where nothing was expected. Pure.

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
from muapi_client._runtime.logs import JOBS, WARNING, log
from muapi_client._runtime.user_warning import warn_user
from muapi_client._sandbox.detection import count_keys, find_in_answer, find_in_key_facts, looks_like_sandbox
from muapi_client._sandbox.evidence import weigh
from muapi_client._sandbox.past import read_past
from muapi_client._settings.retry import Retry
from muapi_client._state.key_state import describe_request
from muapi_client._types.sandbox import SandboxWarning
from muapi_client._types.status import JobState
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._state.key_state import KeyFacts
    from muapi_client._state.memory import Record
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.sandbox import SandboxVerdict

KEYS: Final = Operation("get_keys", "GET", "/api/v1/keys", answer="list[ApiKey]")  # API reference, "API Key Management"
# Seconds that a submit waits for the key list, or for the first one, at most; its answer is judged in any case.
PATIENCE: Final = 10.0
MOMENT: Final = 0.05  # seconds between two looks whether the first submit was answered
AGAIN: Final = 60.0  # seconds until a list that was not to be had is asked for again


def check_key(record: Record, context: Context) -> Flow[None]:
    """Stop before a submit where the key is known not to be of the expected kind.

    Where nothing is known yet the key list is asked for, once a client, and where that tells nothing, is refused or
    does not come within seconds, the journal, which knows whether this very key was charged before; where that tells
    nothing either, the submit goes on, and its answer is judged. Where a sandbox's key is expected, the first one goes
    alone: of a live key each that is on its way by then is charged.

    Raises:
        SandboxMismatchError: The key is of the other kind; nothing was submitted.
    """
    key_state = context.key_state
    verdict = weigh(find_in_key_facts(key_state.known))
    if verdict.verdict is None and not key_state.was_asked:
        yield from _ask_once(context)
        verdict = weigh(find_in_key_facts(key_state.known))
    if verdict.verdict is None:
        if key_state.past is None:
            key_state.past = yield from read_past(context)
        verdict = weigh((*find_in_key_facts(key_state.known), *find_in_key_facts(key_state.past)))
    if verdict.verdict is None and context.expect == "sandbox" and (yield from _wait_for_first(record, context)):
        verdict = weigh(find_in_key_facts(key_state.known))
    if _is_unexpected(verdict, context):
        if JOBS.isEnabledFor(WARNING):
            log(JOBS, WARNING, "expect=%r, but %s: nothing was submitted", context.expect, _describe_kind(verdict))
        raise errors.SandboxMismatchError(
            f"expect={context.expect!r}, but {_describe_kind(verdict)}: {'; '.join(verdict.evidence)}."
            " Nothing was submitted.",
            verdict=verdict,
        )


def _wait_for_first(record: Record, context: Context) -> Flow[bool]:
    """Wait for the answer to the first submit of a key, though not for ever; answers whether it was waited for."""
    if context.key_state.may_go(record):
        return False
    now: float = yield Sleep(0.0)
    ends = now + PATIENCE
    while now < ends and not context.key_state.may_go(record):
        now = yield Sleep(MOMENT)
    return True


def _ask_once(context: Context) -> Flow[None]:
    """Ask for the key list, once and not for long; where it may be had later, leave it alone for a while."""
    key_state = context.key_state
    now: float = yield Sleep(0.0)
    while not _is_answered(context, now) and not key_state.may_ask(now, PATIENCE):
        now = yield Sleep(MOMENT)
    if _is_answered(context, now):
        return
    hasty = context._replace(timeout=min(context.timeout, PATIENCE), retry=Retry(attempts=1))
    yield from ask_key_list(hasty)
    if not key_state.was_asked:
        key_state.missed_at = yield Sleep(0.0)


def _is_answered(context: Context, now: float) -> bool:
    """Whether the key list was asked for by now, so that there is nothing to ask; or was not to be had a while ago."""
    missed_at = context.key_state.missed_at
    return context.key_state.was_asked or (missed_at is not None and now < missed_at + AGAIN)


def ask_key_list(context: Context) -> Flow[errors.MuAPIError | None]:
    """Ask for the key list and learn from it; the error where it is not to be had, which is no reason to stop."""
    try:
        keys = yield from exchange(Call(KEYS), context, reads=True, started_at=0.0)
    except errors.MuAPIError as error:
        if not _may_pass(error):
            context.key_state.note_listing(None)
        return error
    context.key_state.note_listing(count_keys(keys or ()))  # none is sent with an empty 200 or a 204
    return None


def _may_pass(error: errors.MuAPIError) -> bool:
    """Return whether the list may be had another time."""
    status = error.status_code or 0
    return isinstance(error, errors.APIConnectionError) or status in PASSING or status >= SERVER_FAILED


def require_expected_kind(answer: Prediction, job: Job, context: Context, *, own: bool) -> None:
    """Hold an answer against what was expected.

    Raises:
        SandboxMismatchError: It is not of the expected kind; the error holds job and answer.
    """
    verdict = answer.sandbox
    if own:
        _learn(answer, context)
    if _is_unexpected(verdict, context):
        whose = _describe_kind(verdict) if own else _describe_kind_elsewhere(job, verdict)
        if JOBS.isEnabledFor(WARNING):
            log(JOBS, WARNING, "expect=%r, but %s", context.expect, whose, request_id=answer.id)
        raise errors.SandboxMismatchError(
            f"expect={context.expect!r}, but {whose}: {'; '.join(verdict.evidence)}."
            f" {_advise(answer, verdict, own=own)}",
            verdict=verdict,
            job=job if job.id else None,
            prediction=answer,
            text=_read_text(answer),
            request_id=answer.id,
            status_code=answer.status_code,
            cost=answer.cost,
            balance=answer.balance,
        )


def warn_once(answer: Prediction, known: KeyFacts, context: Context, *, own: bool) -> Flow[None]:
    """Learn from an answer that was not charged, and warn of the first one that is a sandbox's."""
    if looks_like_sandbox(answer, known) and answer.sandbox.verdict:
        if own:
            _learn(answer, context)
        yield from warn_of_sample(answer, context, own=own)


def warn_of_sample(answer: Prediction, context: Context, *, own: bool) -> Flow[None]:
    """Warn of an answer that is a sandbox's, if it is the first one."""
    if context.warns and context.key_state.first_warning(own=own):
        yield Do(partial(_warn, answer))


def _learn(answer: Prediction, context: Context) -> None:
    """Remember an answer that settles for sandbox by itself; one that only follows from memory adds nothing to it."""
    if not context.key_state.known.sampled and weigh(find_in_answer(answer)).verdict:
        context.key_state.sample(describe_request(answer.id))


def _warn(answer: Prediction) -> None:
    warn_user(
        f"{describe_request(answer.id)} was answered by a sandbox (test) key: its outputs are samples, not made from"
        f" the input ({'; '.join(answer.sandbox.evidence)}). MuAPI(expect='live') refuses such a key, expect='sandbox'"
        " takes it as meant; this is said once a client.",
        SandboxWarning,
    )


def _is_unexpected(verdict: SandboxVerdict, context: Context) -> bool:
    return context.expect is not None and verdict.verdict is (context.expect == "live")


def _describe_kind(verdict: SandboxVerdict) -> str:
    return "this is a sandbox (test) key" if verdict.verdict else "this is a live key, which is charged"


def _describe_kind_elsewhere(job: Job, verdict: SandboxVerdict) -> str:
    kind = "a sandbox (test) key's" if verdict.verdict else "a live key's, which is charged"
    return f"job {job.id}, which this client did not submit, is {kind}"


def _advise(answer: Prediction, verdict: SandboxVerdict, *, own: bool) -> str:
    if not own:
        return "error.prediction holds the answer; mu.with_options(expect=None) hands on either kind."
    if verdict.verdict:
        return "A test key is not charged; error.prediction holds the samples."
    if _goes_on(answer):
        return f"Job {answer.id} was accepted; mu.with_options(expect=None).wait({answer.id!r}) goes on with it."
    where = "error.text holds its words" if _read_text(answer) else "error.prediction holds what came of it"
    return f"The job was accepted and has ended; {where}."


def _goes_on(answer: Prediction) -> bool:
    """Return whether the job can be waited for. A stream that has ended cannot, though it may have held no words."""
    streams = answer.call is not None and answer.call.operation.slug.endswith(STREAM)
    return answer.state is JobState.RUNNING if streams else not is_final(answer)


def _read_text(answer: Prediction) -> str:
    return "\n".join(output.text for output in answer.outputs if output.text)
