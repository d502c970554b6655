"""How jobs fare when nothing was scripted: how long they take, how often they fail, how long results last.

Lives here: the rates and times of one emulator, and drawing from them. Does not live here: scripted outcomes
(``outcomes``), carrying them out (``jobs``).

What is drawn comes from the job's id, which comes from the seed: the same id always has the same luck.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen, validators

from muapi_client.emulator._spec.kinds import KINDS, JobSeconds, usual_seconds
from muapi_client.emulator._state.outcomes import ORDINARY, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muapi_client.emulator._spec.operations import Operation

_SHARE: Final = validators.and_(validators.ge(0.0), validators.le(1.0))
_FAILED: Final = "Generation failed"
_REFUSED: Final = "The content was refused by moderation"


def _as_float(chosen: float) -> float:
    """``float`` itself would do, but attrs reads a converter's signature, and of a built-in one that takes 7 ms."""
    return float(chosen)


@frozen(kw_only=True, eq=False, repr=False)
class Behavior:
    """The rates and times of one emulator.

    Args:
        job_seconds: How long a job takes, in seconds: a number, a mapping from kind, a function of the kind, or
            ``None`` for a draw around what is usual for the kind.
        failure_rate: Share of the jobs that fail, 0 to 1.
        moderation_rate: Share of the jobs that moderation refuses, 0 to 1.
        refund_rate: Share of those two whose charge is given back, 0 to 1.
        serial: The kinds whose jobs run one after another.
        result_seconds: How long a result can be had after the job's end, in seconds.
    """

    job_seconds: JobSeconds | None = None
    failure_rate: float = field(default=0.0, validator=_SHARE)
    moderation_rate: float = field(default=0.0, validator=_SHARE)
    refund_rate: float = field(default=1.0, validator=_SHARE)
    serial: frozenset[str] = frozenset()
    result_seconds: float = field(default=math.inf, converter=_as_float, validator=validators.gt(0.0))

    def __attrs_post_init__(self) -> None:
        if self.failure_rate + self.moderation_rate > 1:
            raise ValueError("failure_rate and moderation_rate are shares of all jobs: together they are at most 1")
        _check_seconds(self.job_seconds)
        check_kinds("serial", self.serial)

    def seconds(self, operation: Operation, request_id: str) -> float:
        """How long a job of ``operation`` takes, in seconds."""
        chosen = self.job_seconds
        if callable(chosen):
            return _time(chosen(operation.kind), f" for a job of kind {operation.kind!r}")
        if chosen is not None and not isinstance(chosen, int | float):
            chosen = chosen.get(operation.kind)
        return _draw_seconds(operation, request_id) if chosen is None else float(chosen)

    def outcome(self, request_id: str) -> Outcome:
        """Draw the outcome of an unscripted job."""
        luck = int(request_id[-8:], 16) / 2**32
        if luck >= self.failure_rate + self.moderation_rate:
            return ORDINARY
        refunded = int(request_id[-12:-8], 16) / 2**16 < self.refund_rate
        if luck < self.failure_rate:
            return Outcome.failed(_FAILED, refunded=refunded)
        return Outcome.moderated(_REFUSED, refunded=refunded)


def read_mapping(job_seconds: JobSeconds | None) -> Mapping[str, float] | None:
    """``job_seconds`` if it is a mapping."""
    return None if job_seconds is None or callable(job_seconds) or isinstance(job_seconds, int | float) else job_seconds


def _check_seconds(job_seconds: JobSeconds | None) -> None:
    kinds = read_mapping(job_seconds)
    if kinds is None:
        if job_seconds is not None and not callable(job_seconds):
            _time(job_seconds)
        return
    check_kinds("job_seconds", kinds)
    for kind, seconds in kinds.items():
        _time(seconds, f" for a job of kind {kind!r}")


def _time(chosen: Any, what: str = "") -> float:
    """``chosen`` by a user as seconds."""
    try:
        seconds = float(chosen)
    except (TypeError, ValueError):
        seconds = math.nan
    if not seconds >= 0:
        raise ValueError(f"job_seconds gave {chosen!r}{what}: a job takes seconds, such as 30; math.inf never ends")
    return seconds


def check_kinds(option: str, kinds: Iterable[str]) -> None:
    """Refuse kinds that there are not.

    Raises:
        ValueError: One is none; it names the option, and the kinds there are.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"{option} names {', '.join(unknown)}; the kinds are {', '.join(KINDS)}")


def read_serial_kinds(serial: bool | Iterable[str]) -> frozenset[str]:
    """The kinds that ``Emulator(serial=...)`` means."""
    if isinstance(serial, bool):
        return frozenset(KINDS) if serial else frozenset()
    return frozenset({serial} if isinstance(serial, str) else serial)


def _draw_seconds(operation: Operation, request_id: str) -> float:
    """Between the usual bounds, short ones likelier: as likely in the lower half by ratio as in the upper."""
    least, most = usual_seconds(operation.kind, fast=operation.fast)
    luck = int(request_id[:8], 16) / 2**32
    return round(least * math.pow(most / least, luck), 3)
