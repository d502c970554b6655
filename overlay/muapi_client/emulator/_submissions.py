"""A submit: accepted and charged, or refused for want of money.

Lives here: what happens when a job operation is called, with a live key and with a test key. Does not
live here: the checks that come before, the job's later life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client.emulator._answers import accepted, finished_at_once
from muapi_client.emulator._exchanges import FREE, Refusal
from muapi_client.emulator._jobs import Job
from muapi_client.emulator._outcomes import ORDINARY
from muapi_client.emulator._outputs import live_outputs, sample_outputs
from muapi_client.emulator._prices import price

if TYPE_CHECKING:
    from muapi_client.emulator._exchanges import Reply
    from muapi_client.emulator._outcomes import Outcome
    from muapi_client.emulator._world import Visit, World


def submit(world: World, visit: Visit) -> Reply:
    """Start a job. Raises Refusal (402) if the balance does not cover it."""
    if visit.is_test:
        return _sample(world, visit)
    operation, body = visit.operation, visit.body
    outcome = world.fates.peek(operation.slug, body)
    usd = price(operation.name, operation.kind, body) if outcome.price is None else outcome.price
    if not world.wallet.covers(usd):
        raise Refusal(
            402,
            f"Insufficient credit balance: this request costs ${usd:.4f}, "
            f"${world.wallet.balance:.4f} is left. Top up the account and send it again.",
        )
    world.fates.take()
    world.wallet.charge(usd)
    inline = outcome.inline or ("sync" in operation.fields and body.get("sync") is True)
    job = Job(
        id=(request_id := world.new_id()),
        operation=operation,
        body=body,
        outcome=outcome,
        shape=outcome.shape or world.shape,
        accepted_at=visit.now,
        seconds=0.0 if inline else _seconds(world, visit, outcome),
        usd=usd,
        outputs=_outputs(outcome, request_id, visit),
    )
    world.jobs.add(job)
    if not inline:
        return accepted(job)
    world.settle(visit.now)
    return finished_at_once(job, visit.now)


def _seconds(world: World, visit: Visit, outcome: Outcome) -> float:
    return world.duration(visit.operation.kind) if outcome.seconds is None else outcome.seconds


def _outputs(outcome: Outcome, request_id: str, visit: Visit) -> tuple[object, ...]:
    if outcome.outputs is not None:
        return outcome.outputs
    return live_outputs(request_id, visit.operation, visit.body) if outcome.end == "completed" else ()


def _sample(world: World, visit: Visit) -> Reply:
    """A test key's submit: finished at once, free, the model's example; nothing of the account changes."""
    job = Job(
        id=world.new_id(),
        operation=visit.operation,
        body=visit.body,
        outcome=ORDINARY,
        shape=world.shape,
        accepted_at=visit.now,
        seconds=0.0,
        usd=FREE.usd,
        outputs=sample_outputs(visit.operation),
        is_test=True,
    )
    world.jobs.add(job)
    return finished_at_once(job, visit.now)
