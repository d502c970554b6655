"""What journal, ledger and caller are told of a stream, whatever becomes of it. Pure.

Lives here: one stream's facts, and its debts to the journal, to ``mu.spend`` and to ``max_spend``. Does not live here:
how it goes (``_streaming``), the journal's file (``_journal``).

A stream counts once: when it ends, breaks off or is closed. An entry of the journal goes from intent to accepted once
the id is known, and to its end; without an id it stays an intent while it runs, so that a crash leaves it among those
that may have been charged.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from muapi_client import errors
from muapi_client._protocol.exchange import unknown as outcome_unknown
from muapi_client._protocol.steps import Keep, Stopped
from muapi_client._streams.state import Course
from muapi_client._types.job import Job, now_utc
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._protocol.steps import Flow, Reply
    from muapi_client._state.context import Terms
    from muapi_client._state.journal import Journal
    from muapi_client._state.ledger import Spend
    from muapi_client._transport.stream_connection import AsyncChannel, Channel
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call


@frozen(kw_only=True)
class Source:
    """Where a stream comes from, and what is known of it so far.

    Attributes:
        call: What is submitted.
        terms: The client's.
        channel: What the answer comes by.
        spend: The client's.
        max_spend: The most the client may spend, in USD, or None.
        new_job: What makes a job that holds its client.
        started_at: Seconds since the epoch, for the error of an unknown outcome.
    """

    call: Call[Any] = field(kw_only=False)
    terms: Terms
    channel: Channel | AsyncChannel
    spend: Spend
    max_spend: Decimal | None
    new_job: Callable[..., Job]
    started_at: float
    course: Course = field(factory=Course)

    @property
    def job(self) -> Job:
        """The stream as a job; its id is empty where none was told."""
        return self.new_job(self.course.id or "", self.call, self.course.cost, now_utc())

    def prediction(self, status: str = "") -> Prediction:
        """All of the stream so far; once it has ended ``status`` is its own."""
        return evolve(self.course.prediction(status=status), call=self.call)

    def unknown(self, why: str, reply: Reply | None = None) -> errors.SubmitOutcomeUnknownError:
        """The error of a stream that was submitted and never began."""
        return outcome_unknown(self.call, why, started_at=self.started_at, reply=reply)


def intended(source: Source) -> Flow[None]:
    """Write the intent down, before anything leaves."""
    if source.terms.journal is None:
        return
    try:
        source.course.key = yield Keep(partial(source.terms.journal.intend, source.call))
    except errors.JournalError as error:
        raise errors.JournalError(f"{error}; nothing was sent") from error


def identified(source: Source) -> Flow[None]:
    """Write the id down once it is known. Should that fail the stream goes on: it is written again at its end."""
    if source.course.id is not None:
        source.terms.standing.accept(source.course.id)
    try:
        yield from accepted(source)
    except errors.JournalError as error:
        source.course.warnings.append(str(error))


def accepted(source: Source) -> Flow[None]:
    """Write down that it was accepted, and its id."""
    course = source.course
    yield from written(source, lambda journal, key: journal.accept(key, course.id, course.cost))


def written(source: Source, write_down: Callable[[Journal, str], object]) -> Flow[None]:
    """Write to the journal, where there is one; should that fail, the error tells what is true all the same."""
    course = source.course
    if source.terms.journal is None or course.key is None:
        return
    try:
        yield Keep(partial(write_down, source.terms.journal, course.key))
    except errors.JournalError as error:
        known: dict[str, Any] = {"request_id": course.id, "cost": course.cost, "balance": course.balance}
        raise errors.JournalError(f"{error}; {_named(source)} was submitted all the same", **known) from error


def left(source: Source, error: BaseException) -> Flow[None]:
    """Write down what is known of a stream that did not end well."""
    said = _end(source, error)
    if said is not None:
        yield from written(source, lambda journal, key: journal.finish(said, key=key))
    elif source.course.accepted and source.course.id:
        yield from accepted(source)
    elif source.course.accepted or not _is_certain(error):
        why = f"{_reason(error)} ({len(source.course.text)} characters had arrived)"
        yield from written(source, lambda journal, key: journal.lose(key, why))
    else:
        yield from written(source, lambda journal, key: journal.forget(key))


def _end(source: Source, error: BaseException) -> Prediction | None:
    """The end that an error tells of, or None where it tells of none."""
    if not isinstance(error, errors.JobError | errors.SandboxMismatchError):
        return None
    if isinstance(error, errors.JobFailedError | errors.JobCancelledError):
        return error.prediction or source.prediction()
    return error.prediction if error.prediction and error.prediction.state is not JobState.RUNNING else None


def _is_certain(error: BaseException) -> bool:
    """Whether an error before the stream's beginning means that nothing was charged."""
    uncertain = errors.SubmitOutcomeUnknownError | errors.JobError
    return isinstance(error, errors.MuAPIError) and not isinstance(error, uncertain)


def _reason(error: BaseException) -> str:
    if isinstance(error, errors.MuAPIError):
        return str(error)
    return "closed by its caller" if isinstance(error, Stopped) else f"interrupted by {type(error).__name__}"


def count(source: Source, held: Decimal, error: BaseException | None) -> None:
    """Tell the ledger, once a stream; and give back what was set aside where the charge is known."""
    course = source.course
    if course.accepted:
        source.terms.note(course.cost, course.balance, course.id or "")
    if course.accepted and course.cost is None:
        if course.id:
            source.spend.hold(course.id, held)
    elif course.accepted or (error is not None and _is_certain(error)):
        source.spend.release(held)


def broken(source: Source, why: str, reply: Reply | None = None) -> errors.MuAPIError:
    """The error of a stream that broke off, or never began."""
    if not source.course.accepted:
        return source.unknown(why, reply)
    said = f"broke off after {len(source.course.text)} characters: {why}."
    return errors.StreamBrokenError(f"{_named(source)} {said} {_fate(source)}", **_known(source))


def late(source: Source) -> errors.MuAPIError:
    """The error of a stream that has no time left."""
    if not source.course.accepted:
        return source.unknown(f"no event came within {source.terms.wait_timeout:g} s")
    said = f"had not ended after {source.terms.wait_timeout:g} s and {len(source.course.text)} characters."
    return errors.WaitTimeoutError(f"{_named(source)} {said} {_fate(source)}", **_known(source))


def hide_key(source: Source) -> None:
    """Take the key, should the server echo it, out of what errors and the journal tell of a failure."""
    course, key = source.course, source.channel.key
    course.failure = key.hide((course.failure or "").encode("utf-8", "replace")).decode()
    course.data = json.loads(key.hide(json.dumps(course.data).encode()))


def _named(source: Source) -> str:
    return f"the stream of {source.call.operation.slug} ({source.course.id or 'without id'})"


def _fate(source: Source) -> str:
    cost = source.course.cost
    charge = "and may be charged" if cost is None else f"and charged {cost.charged_usd} USD"
    return f"It was accepted {charge}, and not sent again: that is charged again. error.text holds what arrived."


def _known(source: Source) -> dict[str, Any]:
    """What the error of a stream that had begun tells."""
    return {
        "job": source.job,
        "prediction": source.prediction("processing"),
        "request_id": source.course.id,
        "status_code": 200,
        "cost": source.course.cost,
        "balance": source.course.balance,
    }
