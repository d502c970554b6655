"""A submit: accepted and charged, or refused for want of money.

Lives here: what happens when a job begins, with a live key and with a test key. Does not live here: the checks that
come before, the job's later life, what luck it has (``_state/behavior``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from muapi_client.emulator._handlers.outputs import make_outputs, make_sample_outputs
from muapi_client.emulator._handlers.result_bodies import build_acceptance, build_inline_result
from muapi_client.emulator._handlers.topups import replenish
from muapi_client.emulator._messages.messages import FREE, Refusal
from muapi_client.emulator._spec.prices import compute_price
from muapi_client.emulator._state.idempotency import FIELD
from muapi_client.emulator._state.jobs import Job
from muapi_client.emulator._state.outcomes import ORDINARY

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._messages.messages import Reply
    from muapi_client.emulator._state.outcomes import Outcome
    from muapi_client.emulator._state.world import World

    Make: TypeAlias = "Callable[[str], tuple[Any, ...]]"  # from a request id to what the job yields if it completes


def submit(world: World, checked: CheckedRequest) -> Reply:
    """Start a job, or answer as before where one was started under the body's idempotency key.

    The document says of the key: "Repeat a request under the same key and it is not charged twice". So a repeated
    request gets the first answer word for word, whatever became of its job since; also where that failed or was
    deleted: to try anew is to choose another key. Another body or operation under the key is no repetition: it is
    refused, and nothing is charged. A refused submit leaves its key unused.

    Raises:
        Refusal: 402 if the balance does not cover the job, 422 if the key is that of another request.
    """
    key = checked.body.get(FIELD) if FIELD in checked.operation.properties else None
    if key is None:
        return _start_job(world, checked)
    keys, path = world.idempotency_keys, checked.operation.path
    reply = keys.find_reply(key, path, checked.body, is_test=checked.is_test)
    if reply is None:
        reply = _start_job(world, checked)
        keys.remember(key, path, checked.body, reply, is_test=checked.is_test)
    return reply


def _start_job(world: World, checked: CheckedRequest) -> Reply:
    operation, body = checked.operation, checked.body
    job = begin_job(
        world,
        checked,
        usd=compute_price(operation, body),
        make=lambda request_id: make_outputs(request_id, operation, body),
        sample=make_sample_outputs(operation) if checked.is_test else (),
    )
    return build_inline_result(job, checked.now) if job.inline else build_acceptance(job)


def begin_job(
    world: World,
    checked: CheckedRequest,
    *,
    usd: Decimal,
    make: Make,
    sample: tuple[Any, ...] = (),
    at_once: bool = False,
) -> Job:
    """A job that has begun: charged and remembered, or with a test key finished, free and without a trace.

    Args:
        usd: Its price in US dollars, unless its outcome says otherwise.
        make: What it yields if it completes, from its id.
        sample: What it yields for a test key.
        at_once: Whether its submit is answered with all it yields, whatever its outcome says.

    Raises:
        Refusal: 402 if the balance does not cover it; nothing has happened then.
        ValueError: ``job_seconds`` gave no time; nothing was charged, as with whatever a test's own function raises.
    """
    if checked.is_test:
        return _add_sample_job(world, checked, sample)
    slug, request_id = checked.operation.slug, world.new_id()
    outcome = world.outcomes.peek(slug, checked.body)
    if outcome is ORDINARY:
        outcome = world.outcomes.draw(slug, request_id) or world.behavior.outcome(request_id)
    usd = usd if outcome.price is None else outcome.price
    _check_funds(world, usd)
    inline = at_once or outcome.inline or ("sync" in checked.operation.properties and checked.body.get("sync") is True)
    seconds = 0.0 if inline else _choose_seconds(world, checked, outcome, request_id)
    outputs = _make_outputs(outcome, request_id, make)
    # From here on nothing fails: what a test's own functions raise has been raised, and nothing was charged.
    world.wallet.charge(usd)
    world.outcomes.take(slug)
    job = Job(
        id=request_id,
        operation=checked.operation,
        body=checked.body,
        outcome=outcome,
        shape=outcome.shape or world.shape,
        accepted_at=checked.now,
        created_at=world.timestamp,
        seconds=seconds,
        usd=usd,
        outputs=outputs,
        inline=inline,
        waits=0.0 if inline else world.queue(checked.operation.kind, checked.now, seconds),
        lasts=world.behavior.result_seconds,
        base=checked.base,
    )
    world.jobs.add(job)
    if inline:
        world.settle(checked.now)
    return job


def _check_funds(world: World, usd: Decimal) -> None:
    replenish(world, usd)
    if not world.wallet.covers(usd):
        raise Refusal(
            402,
            f"Insufficient credit balance: this request costs ${usd:.4f}, "
            f"${world.wallet.balance:.4f} is left. Top up the account and send it again.",
        )


def _choose_seconds(world: World, checked: CheckedRequest, outcome: Outcome, request_id: str) -> float:
    if outcome.seconds is not None:
        return float(outcome.seconds)
    return world.behavior.seconds(checked.operation, request_id)


def _make_outputs(outcome: Outcome, request_id: str, make: Make) -> tuple[Any, ...]:
    if outcome.outputs is not None:
        return outcome.outputs
    return make(request_id) if outcome.end == "completed" else ()


def _add_sample_job(world: World, checked: CheckedRequest, outputs: tuple[Any, ...]) -> Job:
    job = Job(
        id=world.new_id(),
        operation=checked.operation,
        body=checked.body,
        outcome=ORDINARY,
        shape=world.shape,
        accepted_at=checked.now,
        created_at=world.timestamp,
        seconds=0.0,
        usd=FREE.usd,
        outputs=outputs,
        is_test=True,
        inline=True,
        base=checked.base,
    )
    world.jobs.add(job)
    return job
