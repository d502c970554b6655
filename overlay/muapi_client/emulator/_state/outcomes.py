"""How a job ends and how its answers look: what a test may choose.

Lives here: the two values, and the queue they wait in. Does not live here: carrying them out (``jobs``,
``_handlers/result_bodies``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal  # noqa: TC003 - attrs resolves the annotation
from itertools import islice
from random import Random
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack, get_args

from attrs import Attribute, define, field, frozen, validators

from muapi_client.emulator._messages.cost import dollars

# The layouts there are; see `Shape`.
Submit: TypeAlias = Literal["request_id", "bare", "id", "data"]
Outputs: TypeAlias = Literal["strings", "objects", "typed_objects", "string", "object"]
Under: TypeAlias = Literal["outputs", "output", "data", "images"]
Failure: TypeAlias = Literal["http_400", "http_200"]
Costs: TypeAlias = Literal["both", "headers", "body", "none"]
Stream: TypeAlias = Literal["deltas", "texts", "ndjson"]


def _one_of(layouts: Any) -> Callable[[Any, Attribute[Any], Any], None]:
    """A check that a value is among the texts of a ``Literal``; attrs' own says it in its own terms."""
    known = get_args(layouts)

    def check(_shape: Any, attribute: Attribute[Any], value: Any) -> None:
        if value not in known:
            raise ValueError(f"{attribute.name}={value!r} is no such layout: there are {', '.join(known)}")

    return check


def _is_switch(_shape: Any, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{attribute.name}={value!r} is neither true nor false")  # noqa: TRY004 - as for the others


@frozen(kw_only=True)
class Shape:
    """How answers are laid out. The defaults are documented; every other choice was met by public clients.

    Args:
        submit: A submit answers ``{request_id, status, cost}``; ``bare``: ``{request_id}`` alone; ``id``: ``id`` in
            its place; ``data``: the documented object under ``data``.
        outputs: A list of strings; ``objects``: ``{"url": ...}`` (text as ``{"value": ...}``); ``typed_objects``:
            ``image_url``, ``video_url`` or ``value``; ``string``, ``object``: the first one alone, in no list.
        under: The field the outputs stand in.
        failure: A failed job is HTTP 400 with the result under ``detail``, or HTTP 200 with ``status: failed``.
        running: The words of a job under way, in order; the first one holds for a tenth of its time, the others
            share the rest evenly.
        done: The word of a completed job.
        costs: Whether cost stands in headers, in the body, in ``both`` or in ``none``.
        extras: Whether a result also carries ``urls``, ``has_nsfw_contents``, ``created_at``, ``executionTime``
            (milliseconds) and ``timings``.
        inline_id: Whether an answer that is finished at once tells its id.
        is_test_listed: Whether the key list tells test keys from live ones (of use for all jobs only).
        stream: How a ``/stream`` operation speaks: server-sent events with OpenAI's chunks (``deltas``) or with bare
            text (``texts``), or one JSON object a line (``ndjson``).

    Raises:
        ValueError: One of them is no such layout.
    """

    submit: Submit = field(default="request_id", validator=_one_of(Submit))
    outputs: Outputs = field(default="strings", validator=_one_of(Outputs))
    under: Under = field(default="outputs", validator=_one_of(Under))
    failure: Failure = field(default="http_400", validator=_one_of(Failure))
    running: tuple[str, ...] = field(default=("queued", "processing"), validator=validators.min_len(1))
    done: str = "completed"
    costs: Costs = field(default="both", validator=_one_of(Costs))
    extras: bool = field(default=False, validator=_is_switch)
    inline_id: bool = field(default=True, validator=_is_switch)
    is_test_listed: bool = field(default=True, validator=_is_switch)
    stream: Stream = field(default="deltas", validator=_one_of(Stream))


class Choices(TypedDict, total=False):
    """The options that every way to end a job has; see :class:`Outcome`."""

    seconds: float | None
    inline: bool
    price: Decimal | None
    bonus_credits: int
    shape: Shape | None


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else float(seconds)


def _price(price: Decimal | float | str | None) -> Decimal | None:
    return None if price is None else dollars(price)


@frozen(kw_only=True)
class Outcome:
    """The fate of one job. Made by :meth:`completed`, :meth:`failed`, :meth:`cancelled`, :meth:`moderated`.

    Args:
        end: Which of the four.
        status: The word its result carries; ``None`` for the usual one.
        outputs: What it yields; ``None`` for outputs that suit its kind, nothing when it did not complete.
        error: What stands under ``error``: a string, ``{"message": ...}`` or ``None``.
        refunded: Whether the charge is given back when the job ends.
        seconds: How long it takes; ``None`` for the emulator's ``job_seconds``; ``math.inf`` never ends.
        inline: Whether the submit already answers with the finished result.
        price: The charge in US dollars; ``None`` for the catalogue's price.
        bonus_credits: How much of it came from a bonus pool, in credits.
        shape: How its answers are laid out; ``None`` for the emulator's ``shape``.
    """

    end: Literal["completed", "failed", "cancelled", "moderated"] = "completed"
    status: str | None = None
    outputs: tuple[Any, ...] | None = None
    error: Any = None
    refunded: bool = False
    seconds: float | None = field(default=None, converter=_seconds, validator=validators.optional(validators.ge(0)))
    inline: bool = False
    price: Decimal | None = field(default=None, converter=_price)
    bonus_credits: int = 0
    shape: Shape | None = None

    @classmethod
    def completed(
        cls, outputs: Iterable[Any] | None = None, *, status: str | None = None, **choices: Unpack[Choices]
    ) -> Outcome:
        """The job yields ``outputs``, by default ones that suit its kind."""
        own = None if outputs is None else tuple(outputs)
        return cls(outputs=own, status=status, **choices)

    @classmethod
    def failed(
        cls,
        error: Any = "Generation failed",
        *,
        status: str = "failed",
        refunded: bool = True,
        **choices: Unpack[Choices],
    ) -> Outcome:
        """The job fails with ``error``, by default as HTTP 400 and refunded."""
        return cls(end="failed", status=status, error=error, refunded=refunded, **choices)

    @classmethod
    def cancelled(cls, *, status: str = "cancelled", refunded: bool = True, **choices: Unpack[Choices]) -> Outcome:
        """The job is cancelled, by nobody's request: no route for it is known."""
        return cls(end="cancelled", status=status, refunded=refunded, **choices)

    @classmethod
    def moderated(
        cls,
        error: Any = "The content was refused by moderation",
        *,
        status: str = "moderated",
        refunded: bool = True,
        **choices: Unpack[Choices],
    ) -> Outcome:
        """The job is refused: an ``error``, no outputs, and any ``status``, even ``completed`` or ``processing``."""
        return cls(end="moderated", status=status, error=error, refunded=refunded, **choices)


ORDINARY = Outcome()
MOST_WAITING: Final = 100_000  # outcomes; a script, which may be endless, is given as `Emulator(outcomes=)`
MOST_CHANCES: Final = 1000  # each is asked of each job
Script: TypeAlias = Iterable[Outcome] | Callable[[str, Mapping[str, Any]], Outcome | None]


def _share(share: Any) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"{share!r} is no share of the jobs: 0.1 means one in ten")
    return float(share)


def _check_outcome(value: object) -> Outcome:
    if not isinstance(value, Outcome):
        wanted = "pass what Outcome.completed(…), failed(…), cancelled(…) or moderated(…) makes"
        raise ValueError(f"{value!r} is no outcome: {wanted}")  # noqa: TRY004 - as next_fault
    return value


@frozen
class Chance:
    """An outcome that jobs which nothing else was chosen for come to now and then.

    Args:
        share: How many of them do, from 0 to 1.
        outcome: What they come to.
        model: The slug of the model whose jobs are meant; ``None`` means all.
    """

    share: float = field(converter=_share)
    outcome: Outcome = field(converter=_check_outcome)
    model: str | None = None

    def strikes(self, slug: str, request_id: str) -> bool:
        """Draw for one job: the same for the same id."""
        return self.model in {None, slug} and Random(f"{request_id} {self}").random() < self.share  # noqa: S311


@define(eq=False, repr=False)
class OutcomeQueue:
    """The outcomes of the next accepted jobs; ``rest`` is what is left of a script that can be counted."""

    _chosen: Callable[[str, Mapping[str, Any]], Outcome | None]
    _scripted: Iterator[Outcome]
    rest: deque[Outcome] | None = None
    chances: list[Chance] = field(factory=list[Chance], init=False)
    _next: deque[Outcome] = field(factory=deque[Outcome], init=False)
    _next_of: dict[str, deque[Outcome]] = field(factory=dict[str, deque[Outcome]], init=False)  # by slug

    @classmethod
    def of(cls, script: Script) -> OutcomeQueue:
        """From what ``Emulator(outcomes=...)`` was given."""
        if callable(script):
            return cls(script, iter(()))
        rest = deque(script) if isinstance(script, Sequence) else None
        return cls(_choose_none, iter(script) if rest is None else _take_each(rest), rest)

    @property
    def coming(self) -> tuple[Outcome, ...]:
        """Those that come before the rest of the script, whatever the model."""
        return tuple(self._next)

    @property
    def coming_of(self) -> Mapping[str, tuple[Outcome, ...]]:
        """Those that come before all others for jobs of one model, by slug."""
        return {slug: tuple(outcomes) for slug, outcomes in self._next_of.items() if outcomes}

    def add(self, outcomes: Iterable[object], model: str | None = None) -> None:
        """Let these come before the script; of one model's jobs, before all others.

        Raises:
            ValueError: One is no outcome, such as the name of one, or too many would be waiting; then none of them is
                added.
        """
        given = [_check_outcome(each) for each in islice(outcomes, MOST_WAITING + 1)]
        waiting = len(self._next) + sum(map(len, self._next_of.values()))
        if waiting + len(given) > MOST_WAITING:
            raise ValueError(
                f"{waiting:,} outcomes are waiting for jobs, and at most {MOST_WAITING:,} may: submit those jobs first,"
                " or reset; for a share of all jobs choose a chance"
            )
        queue = self._next if model is None else self._next_of.setdefault(model, deque())
        queue.extend(given)

    def add_chance(self, chance: Chance) -> None:
        """Let jobs come to its outcome now and then; in place of an earlier chance of the same outcome and model.

        Raises:
            ValueError: There are too many others.
        """
        same = next(
            (each for each in self.chances if (each.outcome, each.model) == (chance.outcome, chance.model)), None
        )
        if same is not None:
            self.chances.remove(same)
        if chance.share:
            if len(self.chances) >= MOST_CHANCES:
                raise ValueError(
                    f"there are {MOST_CHANCES:,} chances already: take one back with a share of 0, or reset"
                )
            self.chances.append(chance)

    def peek(self, slug: str, body: Mapping[str, Any]) -> Outcome:
        """The fate of a job of this model, if it is accepted."""
        if self._next_of.get(slug):
            return self._next_of[slug][0]
        if not self._next:
            self._next.extend(islice(self._scripted, 1))
        if self._next:
            return self._next[0]
        return self._chosen(slug, body) or ORDINARY

    def take(self, slug: str) -> None:
        """A job of this model was accepted: its fate is used up."""
        queue = self._next_of.get(slug) or self._next
        if queue:
            queue.popleft()

    def draw(self, slug: str, request_id: str) -> Outcome | None:
        """The fate by chance of a job that nothing was chosen for; None where no chance strikes."""
        return next((each.outcome for each in self.chances if each.strikes(slug, request_id)), None)


def _choose_none(_slug: str, _body: Mapping[str, Any]) -> Outcome | None:
    return None


def _take_each(outcomes: deque[Outcome]) -> Iterator[Outcome]:
    while outcomes:
        yield outcomes.popleft()
