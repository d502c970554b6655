"""An emulator's state as JSON text, and back.

Lives here: the form of the text. Does not live here: what a user calls (``Emulator.save``, ``Emulator.load``).

What is saved: money, keys (the emulator's own, worth nothing elsewhere), jobs, the answers to idempotency keys, files,
small records, what was scripted and is not used up, the options that decide what comes next, and the state ids are
drawn from. What is not: the log of requests, faults, webhooks under way and the URLs they go to, which hold secrets,
and options that are functions.
"""

from __future__ import annotations

import base64
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import AttrsInstance, define, evolve, field, fields_dict

from muapi_client.emulator._spec.operations import read_operations
from muapi_client.emulator._state.behavior import Behavior, read_mapping
from muapi_client.emulator._state.idempotency import IdempotencyKeys
from muapi_client.emulator._state.jobs import HOOK, Job
from muapi_client.emulator._state.keys import Key
from muapi_client.emulator._state.outcomes import ORDINARY, Chance, Outcome, OutcomeQueue, Shape
from muapi_client.emulator._state.records import Records
from muapi_client.emulator._state.wallet import Wallet
from muapi_client.emulator._state.world import StoredFile, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from muapi_client.emulator._spec.kinds import JobSeconds
    from muapi_client.emulator._spec.operations import Operation, Table
    from muapi_client.emulator._state.outcomes import Script

_FORM: Final = 3  # the number of this form; another one is another emulator's
_MOST: Final = 10**9  # jobs, of which nobody has memory for more, and credits of one
_JOB: Final = (
    "id",
    "body",
    "accepted_at",
    "created_at",
    "seconds",
    "is_test",
    "number",
    "inline",
    "waits",
    "lasts",
    "base",
    "refunded",
)


@define
class Options:
    """What a saved text does not hold, given again: functions, iterators, and the document."""

    job_seconds: JobSeconds | None = None
    outcomes: Script | None = None
    operations: Table = field(factory=read_operations)


class UnreadableStateError(ValueError):
    """A text was not saved by an emulator of this version, or was altered since."""


class IncompleteStateError(ValueError):
    """Something a text does not hold was not given again: the text itself may be as it was saved."""


def save_world(world: World, now: float) -> str:
    """``world`` at ``now``, its own time, as JSON text."""
    version, state, gauss = world.rng.getstate()
    text = {
        "muapi_emulator": _FORM,
        "document": world.operations.identity,
        "now": now,
        "free_at": _number(world.free_at),
        "wallet": _plain(world.wallet),
        "shape": _plain(world.shape),
        "behavior": _plain_behavior(world.behavior),
        "outcomes": _plain_outcomes(world.outcomes),
        "rng": [version, list(state), gauss],
        "keys": {"made": world.keys.made, "all": [_plain(key) for key in world.keys.all()]},
        "jobs": {
            "accepted": world.jobs.accepted,
            "all": [_plain_job(job, world.shape) for job in world.jobs.all()],
            "owed": [_plain_job(job, world.shape) for job in world.jobs.owed()],
        },
        "idempotency_keys": world.idempotency_keys.plain(),
        "records": world.records.plain(),
        "sandbox": world.sandbox.plain(),
        "files": {path: [_base64(file.content), file.content_type] for path, file in world.files.items()},
    }
    return json.dumps(text, ensure_ascii=False, allow_nan=False)


def load_world(text: str, rng: Random, options: Options) -> tuple[World, float]:
    """The world that ``text`` holds, and its time when it was saved.

    Args:
        text: From :func:`save_world`.
        rng: Takes on the state that ids are drawn from.
        options: What the text does not hold.

    Raises:
        UnreadableStateError: The text was not saved by an emulator of this version, or was altered since.
        IncompleteStateError: A function or the document it needs was not given.
        ValueError: ``job_seconds`` in ``options`` is none.
    """
    plain = _parse(text)
    Behavior(job_seconds=options.job_seconds)  # an option that is none is no fault of the text's
    try:
        world, now = _restore_world(plain, rng, options)
        save_world(world, now)  # a value of a wrong kind shows where it is used
    except IncompleteStateError:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise UnreadableStateError(f"This text of a saved emulator was altered: {why}") from None
    return world, now


def _restore_world(plain: Mapping[str, Any], rng: Random, options: Options) -> tuple[World, float]:
    version, state, gauss = plain["rng"]
    rng.setstate((version, tuple(state), gauss))
    shape = _restore_shape(plain["shape"])
    world = World(
        wallet=Wallet(**{name: _read_usd(value) for name, value in plain["wallet"].items()}),
        outcomes=_restore_outcomes(plain["outcomes"], options.outcomes),
        shape=shape,
        behavior=_restore_behavior(plain["behavior"], options.job_seconds),
        rng=rng,
        operations=options.operations,
        free_at=_read_seconds(plain["free_at"]),
        idempotency_keys=IdempotencyKeys.of(plain["idempotency_keys"]),
        records=Records.of(plain["records"]),
        sandbox=Records.of(plain["sandbox"]),
        files={path: StoredFile(base64.b64decode(content), kind) for path, (content, kind) in plain["files"].items()},
    )
    keys, jobs = plain["keys"], plain["jobs"]
    world.keys.restore((Key(**key) for key in keys["all"]), keys["made"])
    saved_with = plain.get("document")
    every, owed = (
        [_restore_job(job, shape, options.operations, saved_with) for job in jobs[name]] for name in ("all", "owed")
    )
    world.jobs.restore(every, owed, _read_count(jobs["accepted"]))
    return world, _read_seconds(plain["now"], finite=True)


def _parse(text: str) -> dict[str, Any]:
    try:
        plain: Any = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableStateError(f"This is not the text of a saved emulator: {error}") from None
    if not isinstance(plain, dict) or cast("dict[str, Any]", plain).get("muapi_emulator") != _FORM:
        raise UnreadableStateError("This is not the text of a saved emulator, or of one of another version")
    return cast("dict[str, Any]", plain)


# ---- Jobs ------------------------------------------------------------------------------------------------------------


def _plain_job(job: Job, usual: Shape) -> dict[str, Any]:
    return {
        **{name: _number(getattr(job, name)) for name in _JOB},
        "body": {name: value for name, value in job.body.items() if name != HOOK},
        "operation": [job.operation.method, job.operation.path],
        "outcome": None if job.outcome is ORDINARY else _plain(job.outcome),
        "shape": None if job.shape == usual else _plain(job.shape),
        "usd": str(job.usd),
        "outputs": list(job.outputs),
    }


def _restore_job(plain: Mapping[str, Any], usual: Shape, operations: Table, saved_with: str | None) -> Job:
    facts = {name: plain[name] for name in _JOB}
    facts |= {name: _read_seconds(facts[name]) for name in ("accepted_at", "seconds", "waits", "lasts")}
    if not facts["is_test"]:
        _read_count(facts["number"])
    return Job(
        **facts,
        operation=_find_operation(plain["operation"], operations, saved_with),
        outcome=ORDINARY if plain["outcome"] is None else _restore_outcome(plain["outcome"]),
        shape=usual if plain["shape"] is None else _restore_shape(plain["shape"]),
        usd=_read_usd(plain["usd"]),
        outputs=tuple(plain["outputs"]),
    )


def _find_operation(named: Any, operations: Table, saved_with: str | None) -> Operation:
    """The operation of a job, which the document that is answered now may not have."""
    method, path = named
    try:
        return operations.at(path)[method]
    except KeyError:
        if saved_with == operations.identity:
            raise
        raise IncompleteStateError(
            f"this state was made with another document, {saved_with or 'of which it does not tell more'}, and has a"
            f" job of {method} {path}, which is not in the one that is answered now, {operations.identity}: give that"
            " document again, --spec FILE or Emulator.load(..., document=)"
        ) from None


# ---- What was chosen -------------------------------------------------------------------------------------------------


def _plain_behavior(behavior: Behavior) -> dict[str, Any]:
    chosen = behavior.job_seconds
    mapping = read_mapping(chosen)
    seconds = dict(mapping) if mapping is not None else "function" if callable(chosen) else chosen
    return _plain(evolve(behavior, job_seconds=None)) | {"job_seconds": seconds}


def _restore_behavior(plain: dict[str, Any], job_seconds: JobSeconds | None) -> Behavior:
    if job_seconds is None and plain["job_seconds"] == "function":
        raise IncompleteStateError(
            "job_seconds was a function, which is not saved: give it again, Emulator.load(..., job_seconds=)"
        )
    facts: dict[str, Any] = {
        **plain,
        "job_seconds": plain["job_seconds"] if job_seconds is None else job_seconds,
        "result_seconds": _read_seconds(plain["result_seconds"]),
        "serial": frozenset(plain["serial"]),
    }
    return Behavior(**facts)


def _plain_outcomes(outcomes: OutcomeQueue) -> dict[str, Any]:
    rest = outcomes.rest
    return {
        "next": [_plain(outcome) for outcome in outcomes.coming],
        "of": {slug: [_plain(outcome) for outcome in coming] for slug, coming in outcomes.coming_of.items()},
        "chances": [[each.share, _plain(each.outcome), each.model] for each in outcomes.chances],
        "rest": None if rest is None else [_plain(outcome) for outcome in rest],
    }


def _restore_outcomes(plain: Mapping[str, Any], outcomes: Script | None) -> OutcomeQueue:
    if outcomes is None and plain["rest"] is None:
        raise IncompleteStateError(
            "outcomes was a function or an iterator, which is not saved: give it again, Emulator.load(..., outcomes=)"
        )
    queue = OutcomeQueue.of([_restore_outcome(outcome) for outcome in plain["rest"]] if outcomes is None else outcomes)
    queue.add(_restore_outcome(outcome) for outcome in plain["next"])
    for slug, coming in plain["of"].items():
        queue.add((_restore_outcome(outcome) for outcome in coming), slug)
    queue.chances.extend(Chance(share, _restore_outcome(outcome), model) for share, outcome, model in plain["chances"])
    return queue


def _restore_outcome(plain: dict[str, Any]) -> Outcome:
    outputs, seconds, price, shape = (plain[name] for name in ("outputs", "seconds", "price", "shape"))
    facts: dict[str, Any] = {
        **plain,
        "outputs": None if outputs is None else tuple(outputs),
        "seconds": None if seconds is None else _read_seconds(seconds),
        "price": None if price is None else _read_usd(price),
        "bonus_credits": _read_count(plain["bonus_credits"]),
        "shape": None if shape is None else _restore_shape(shape),
    }
    return Outcome(**facts)


def _restore_shape(plain: dict[str, Any]) -> Shape:
    facts: dict[str, Any] = {**plain, "running": tuple(plain["running"])}
    return Shape(**facts)


# ---- Values ----------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> dict[str, Any]:
    """The fields of a value that holds only numbers, texts, tuples, and values like itself."""
    return {name: _member(getattr(value, name)) for name in fields_dict(cast("type[AttrsInstance]", type(value)))}


def _member(value: Any) -> Any:
    if isinstance(value, Shape):
        return _plain(value)
    if isinstance(value, tuple | frozenset):
        members = cast("tuple[Any, ...]", value)
        return sorted(members) if isinstance(value, frozenset) else list(members)
    return str(value) if isinstance(value, Decimal) else _number(value)


def _number(value: Any) -> Any:
    """JSON has no infinity; ``float`` reads the word."""
    return "inf" if value == math.inf else value


def _read_usd(text: Any) -> Decimal:
    """An amount that was saved: a text, so that it is exact."""
    amount = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    if not (amount.is_finite() and amount >= 0):
        raise ValueError(f"{str(text)[:40]!r} stands where an amount in US dollars belongs")
    return amount


def _read_seconds(value: Any, *, finite: bool = False) -> float:
    seconds = math.nan if isinstance(value, bool) else float(value)
    if not seconds >= 0 or (finite and seconds == math.inf):
        raise ValueError(f"{str(value)[:40]!r} stands where a time in seconds belongs")
    return seconds


def _read_count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(f"{str(value)[:40]!r} stands where a whole number from 0 to {_MOST:,} belongs")
    return value


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
