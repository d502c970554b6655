"""``MuAPI.sandbox``: asking which kind of key this is, as flows. Pure.

Lives here: in which order evidence is asked for, the free first, and when to stop. Does not live here: its weight
(``evidence``). The estimate of a price is not asked for: it is the same for both kinds of key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._sandbox.detection import find_in_answer, find_in_key_facts, have_same_outputs
from muapi_client._sandbox.evidence import NOT_LISTED, SAME_OUTPUTS, Evidence, weigh
from muapi_client._sandbox.mismatch import ask_key_list
from muapi_client._sandbox.past import read_past
from muapi_client._state.key_state import describe_request
from muapi_client._types.cost import is_charge
from muapi_client._types.prediction import Prediction
from muapi_client._types.words import show
from muapi_generated.types import Call

PAIR: Final = 2

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.job import Job
    from muapi_client._types.sandbox import SandboxVerdict


def sandbox(
    probe: Call[Any] | tuple[Call[Any], Call[Any]] | None,
    context: Context,
    *,
    submit: Callable[[Call[Any]], Flow[Job | Prediction]],
    wait: Callable[[Job], Flow[Prediction]],
) -> Flow[SandboxVerdict]:
    """Weigh what the key list tells and what client and journal have seen; then, where asked to, what probes show.

    Args:
        probe: What may be submitted, one after the other, until the verdict is settled.
        context: What the flow goes by.
        submit: Submits a probe by the rules of every submit, and warns of nothing.
        wait: Waits for its end.

    Raises:
        MuAPIError: The probes cannot be compared; nothing was sent.
        APIConnectionError: The key list was asked for and no answer arrived.
    """
    calls = _read_probe(probe)
    trouble = yield from ask_key_list(context)
    if isinstance(trouble, errors.APIConnectionError):
        raise trouble
    found = [*find_in_key_facts(context.key_state.known), *([Evidence(NOT_LISTED, str(trouble))] if trouble else [])]
    found += find_in_key_facts((yield from read_past(context)))
    answers: list[Prediction] = []
    for call in calls:
        if weigh(found).verdict is not None:
            break
        answers.append((yield from _run_probe(call, submit, wait)))
        found += find_in_answer(answers[-1])
        if have_same_outputs(answers):
            found.append(Evidence(SAME_OUTPUTS))
    verdict = weigh(found)
    if verdict.verdict and answers:
        context.key_state.sample(describe_request(answers[-1].id))
        context.key_state.first_warning(own=True)  # the verdict itself tells the user
    return verdict


def _run_probe(
    call: Call[Any], submit: Callable[[Call[Any]], Flow[Job | Prediction]], wait: Callable[[Job], Flow[Prediction]]
) -> Flow[Prediction]:
    """Run one probe to its end; one that was charged settles the verdict, and is not waited for."""
    try:
        outcome = yield from submit(call)
        if isinstance(outcome, Prediction):
            return outcome
        if is_charge(outcome.cost):
            return Prediction(outcome.id, "", cost=outcome.cost, call=call)
        return (yield from wait(outcome))
    except (errors.JobFailedError, errors.JobCancelledError) as error:
        if error.prediction is None:
            raise
        return error.prediction


def _read_probe(probe: Call[Any] | tuple[Call[Any], Call[Any]] | None) -> tuple[Call[Any], ...]:
    if probe is None or isinstance(probe, Call):
        return () if probe is None else (probe,)
    calls = tuple(probe) if isinstance(probe, tuple | list) else ()
    if len(calls) != PAIR or not all(isinstance(call, Call) for call in calls):
        raise errors.MuAPIError(
            f"probe= takes one call, such as flux_dev_image(...), or a pair to compare, not {show(probe, 60)}"
        )
    if calls[0].operation != calls[1].operation or calls[0].body == calls[1].body:
        raise errors.MuAPIError("a pair of probes must be two different inputs for the same model")
    return calls
