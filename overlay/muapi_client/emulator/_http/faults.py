"""Faults: failures on purpose, and which request meets which.

Lives here: the vocabulary, the draw from a seed, and what is left of an answer. Pure. Does not live here: carrying a
fault out, which differs in process and over HTTP (``httpx_transport`` raises, ``wire`` writes bytes).
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from attrs import Attribute, Factory, define, evolve, field, frozen

from muapi_client.emulator._messages.messages import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muapi_client.emulator._messages.messages import Request

Shares: TypeAlias = "tuple[tuple[Fault, float], ...]"

_API: Final = "/api/v1/"
MOST_WAITING: Final = 100_000  # faults
_DRIPS: Final = 10  # pieces of a slow body
_PAGE: Final = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


class Fault(Enum):
    """One thing that goes wrong with one request. Those that ``accepts`` do so after the request took effect."""

    REFUSE = "refuse"
    """No connection. A server cannot refuse one that stands: over HTTP the connection is reset."""
    RESET_BEFORE_ACCEPT = "reset_before_accept"
    """The connection is reset, and the request had no effect."""
    RESET_AFTER_ACCEPT = "reset_after_accept"
    """The connection is reset after the request took effect: a submit was accepted and charged, its answer is lost."""
    DELAY = "delay"
    """The answer is late."""
    TOO_MANY = "too_many"
    """429 with ``Retry-After``; no effect."""
    SERVER_ERROR = "server_error"
    """500; no effect, which a client cannot know."""
    HTML = "html"
    """A gateway's 502 page in place of the answer; the request took effect."""
    TRUNCATED_JSON = "truncated_json"
    """The first half of the answer's body, as if that were all of it."""
    CUT_BODY = "cut_body"
    """The connection ends in the middle of the answer's body."""
    SLOW_BODY = "slow_body"
    """The answer's body arrives in drips."""

    @property
    def accepts(self) -> bool:
        """True where the request takes effect: a submit is accepted and charged."""
        return self not in _WITHOUT_EFFECT

    @property
    def breaks(self) -> bool:
        """True where the connection ends before an answer begins."""
        return self in _BREAKING


_BREAKING: Final = frozenset({Fault.REFUSE, Fault.RESET_BEFORE_ACCEPT, Fault.RESET_AFTER_ACCEPT})
_WITHOUT_EFFECT: Final = frozenset(
    {Fault.REFUSE, Fault.RESET_BEFORE_ACCEPT, Fault.TOO_MANY, Fault.SERVER_ERROR},
)


def _probability(_faults: Any, attribute: Attribute[Any], value: Any) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{attribute.name}={value!r} is no probability: 0.05 means one request in twenty")


def _seconds(_faults: Any, attribute: Attribute[Any], value: Any) -> None:
    if not _is_number(value) or value < 0:
        raise ValueError(f"{attribute.name}={value!r} is no time: pass seconds, such as 2.5")


def _sequence(_faults: Any, attribute: Attribute[Any], value: Any) -> None:
    _known(attribute.name, value)


def _known(name: str, faults: Iterable[Any]) -> tuple[Fault | None, ...]:
    faults = tuple(faults)
    for fault in faults:
        if fault is not None and not isinstance(fault, Fault):
            names = ", ".join(f"Fault.{fault.name}" for fault in Fault)
            raise ValueError(f"{name} was given {fault!r}: pass None (no fault) or one of {names}")
    return faults


def _in_order(faults: Iterable[Fault | None]) -> tuple[Fault | None, ...]:
    return tuple(faults)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _possible_shares(faults: Faults) -> Shares:
    """The faults that can be drawn at all: most emulators draw nothing, and are asked thousands of times a second."""
    return tuple((fault, share) for fault in Fault if (share := getattr(faults, fault.value)))


@frozen(kw_only=True)
class Faults:
    """How often each fault strikes, as a share of all requests to the API; or which ones, in order (:meth:`script`).

    Which request is struck follows from ``seed`` and its number alone, so a run can be repeated.

    Args:
        refuse: Probability of :attr:`Fault.REFUSE`, from 0 to 1; together they must not pass 1.
        reset_before_accept: Of :attr:`Fault.RESET_BEFORE_ACCEPT`.
        reset_after_accept: Of :attr:`Fault.RESET_AFTER_ACCEPT`.
        delay: Of :attr:`Fault.DELAY`.
        too_many: Of :attr:`Fault.TOO_MANY`.
        server_error: Of :attr:`Fault.SERVER_ERROR`.
        html: Of :attr:`Fault.HTML`.
        truncated_json: Of :attr:`Fault.TRUNCATED_JSON`.
        cut_body: Of :attr:`Fault.CUT_BODY`.
        slow_body: Of :attr:`Fault.SLOW_BODY`.
        seconds: How long a delay and a slow body take: virtual seconds in process, real ones over HTTP.
        retry_after: What a 429 asks for, in seconds.
        sequence: What the first requests meet, in order; None is no fault. Probabilities hold after it.
        cdn: Whether what is not under ``/api/v1/``, such as outputs, is struck too.
        seed: What is drawn from.

    Raises:
        ValueError: A probability, a time or a fault is none.
    """

    refuse: float = field(default=0.0, validator=_probability)
    reset_before_accept: float = field(default=0.0, validator=_probability)
    reset_after_accept: float = field(default=0.0, validator=_probability)
    delay: float = field(default=0.0, validator=_probability)
    too_many: float = field(default=0.0, validator=_probability)
    server_error: float = field(default=0.0, validator=_probability)
    html: float = field(default=0.0, validator=_probability)
    truncated_json: float = field(default=0.0, validator=_probability)
    cut_body: float = field(default=0.0, validator=_probability)
    slow_body: float = field(default=0.0, validator=_probability)
    seconds: float = field(default=2.0, validator=_seconds)
    retry_after: float = field(default=1, validator=_seconds)
    sequence: tuple[Fault | None, ...] = field(default=(), converter=_in_order, validator=_sequence)
    cdn: bool = False
    seed: int = 0
    _shares: Shares = field(init=False, repr=False, eq=False, default=Factory(_possible_shares, takes_self=True))

    def __attrs_post_init__(self) -> None:
        """Refuse probabilities that together pass 1."""
        together = sum(share for _, share in self._shares)
        if together > 1 + 1e-9:  # 10 times 0.1 is a little more than 1
            raise ValueError(f"the probabilities add up to {together:g}; a request meets one fault at most, so to 1")

    @classmethod
    def script(cls, sequence: Iterable[Fault | None], **options: Any) -> Self:
        """Faults for the first requests in order, ``None`` for none; then no more, unless ``options`` say so."""
        return cls(sequence=tuple(sequence), **options)

    @classmethod
    def chaos(cls, rate: float, **options: Any) -> Self:
        """Every fault alike, together at ``rate``: 0.2 strikes one request in five."""
        if not _is_number(rate) or not 0 <= rate <= 1:
            raise ValueError(f"chaos of {rate!r} is no probability: 0.2 strikes one request in five")
        shares: dict[str, Any] = dict.fromkeys((fault.value for fault in Fault), rate / len(Fault))
        return cls(**shares, **options)

    def strike(self, number: int) -> Fault | None:
        """The fault that the request of this number, counted from 0, meets."""
        if number < len(self.sequence):
            return self.sequence[number]
        if not self._shares:
            return None
        from hashlib import blake2b  # noqa: PLC0415 - 4 ms of an emulator's start, and most draw no fault

        drawn = blake2b(f"{self.seed}:{number}".encode(), digest_size=8).digest()
        left = int.from_bytes(drawn, "big") / 2**64
        for fault, share in self._shares:
            left -= share
            if left < 0:
                return fault
        return None


@frozen
class FaultedResponse:
    """The answer to one request as its fault leaves it, for transport or server to carry out.

    Args:
        response: What to answer; None where the connection ends without an answer.
        fault: What goes wrong.
        seconds: How long it takes, for the faults that take time.
        status: The status answered, or lost on the way; None where the request had no effect and no answer.
    """

    response: Response | None
    fault: Fault | None = None
    seconds: float = 0.0
    status: int | None = None


def apply_fault(faults: Faults, fault: Fault | None, answered: Response | None) -> FaultedResponse:
    """Spoil the answer to a request that meets ``fault``; ``answered`` is None where the request had no effect."""
    status = answered.status if answered else None
    if fault is not None and fault.breaks:
        return FaultedResponse(None, fault, faults.seconds, status)
    if answered is None:
        answered = _refusal(fault, faults)
    elif fault is Fault.HTML:
        answered = Response(502, {"content-type": "text/html"}, _PAGE)
    elif fault is Fault.TRUNCATED_JSON:
        body, chunks = answered.body, answered.chunks
        answered = evolve(answered, body=cut_in_half(body), chunks=chunks[: len(chunks) // 2])
    return FaultedResponse(answered, fault, faults.seconds, answered.status)


def _refusal(fault: Fault | None, faults: Faults) -> Response:
    """The answer to a request that had no effect."""
    if fault is Fault.TOO_MANY:
        headers = {
            "content-type": "application/json",
            "retry-after": f"{faults.retry_after:.3f}".rstrip("0").rstrip("."),
        }
        return Response(429, headers, b'{"detail": "Too Many Requests"}')
    return Response(500, {"content-type": "text/plain; charset=utf-8"}, b"Internal Server Error")


def split_into_drips(seconds: float, body: bytes) -> Iterator[tuple[float, bytes]]:
    """Split a slow body: how long nothing comes, in seconds, and what comes then; ``seconds`` in all."""
    step = max(1, -(-len(body) // _DRIPS))
    starts = range(0, len(body), step)
    for start in starts:
        yield seconds / len(starts), body[start : start + step]


def cut_in_half(body: bytes) -> bytes:
    """Return the part of a cut body that arrives."""
    return body[: len(body) // 2]


def _are_faults(_queue: Any, _attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, Faults):
        raise ValueError(f"{value!r} are no faults: pass what Faults(…), Faults.script(…) or Faults.chaos(…) makes")  # noqa: TRY004 - as next_fault


@define
class FaultQueue:
    """Which fault the next request meets."""

    faults: Faults = field(factory=Faults, validator=_are_faults)
    _next: deque[Fault | None] = field(factory=deque["Fault | None"], init=False)
    _faulted: int = field(default=0, init=False)

    def add(self, faults: Iterable[Fault | None]) -> None:
        """Let the next requests meet these, in this order, before anything drawn or scripted.

        Raises:
            ValueError: One is no fault, or too many would be waiting; then none of them is added.
        """
        given = _known("next_fault", islice(faults, MOST_WAITING + 1))
        if len(self._next) + len(given) > MOST_WAITING:
            raise ValueError(
                f"{len(self._next):,} faults are waiting for requests, and at most {MOST_WAITING:,} may: send those"
                " requests first, or choose rates"
            )
        self._next.extend(given)

    def take(self, request: Request) -> Fault | None:
        """Take the fault that ``request`` meets."""
        if not (self.faults.cdn or request.path.startswith(_API)):
            return None
        if self._next:
            return self._next.popleft()
        self._faulted += 1
        return self.faults.strike(self._faulted - 1)
