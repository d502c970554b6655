"""Which failed exchange may be sent again, by what was answered. Pure.

Lives here: reading an outcome. Does not live here: how often and after which pause (``_settings/retry``), sending again
(``exchange``).

The rule for a submit is hard, since a job accepted twice is charged twice (there is no idempotency key on generation,
API document): it is sent again only if it provably never arrived, or was refused unprocessed. What only reads may be
sent again whenever the failure looks passing.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from muapi_client._protocol.job_answer import read_json, read_prediction
from muapi_client._protocol.response import status_error
from muapi_client._protocol.steps import OK, REDIRECTS, REFUSED, NoReply
from muapi_client._settings.numbers import as_float
from muapi_client._types.cost import is_charge

if TYPE_CHECKING:
    from datetime import datetime

    from muapi_client._protocol.steps import Outcome, Reply


PASSING: Final = frozenset({408, 425, 429})  # and every 5xx: the next try may fare better
REFUSED_UNPROCESSED: Final = 429
NOT_FOUND: Final = 404
SERVER_FAILED: Final = 500
FRESH: Final = 30.0  # seconds after an acceptance in which "no such job" may only mean that a replica lags behind

# Statuses that prove a request unprocessed: 307 and 308 ask for it to be sent elsewhere, 4xx refuse it. Not so what a
# gateway says that gave up on a server which may have gone on (408, 425, 499): nothing is proven by these, by 5xx, nor
# by 301 to 303, which are often meant as "done, see there".
REDIRECTED: Final = frozenset({307, 308})
GAVE_UP: Final = frozenset({408, 425, 499})


class Reading(Enum):
    """What the answer to a request that changes or charges something proves."""

    ANSWER = "answer"  # it was processed: what came of it is to be read
    REFUSAL = "refusal"  # it was not
    DOUBT = "doubt"  # neither is proven


def classify(reply: Reply) -> Reading:
    """What an answer to a submit proves. A 4xx that tells how a job ended is no refusal: the job was accepted."""
    if reply.status in OK:
        return Reading.ANSWER
    if reply.status in REDIRECTED or (reply.status in REFUSED and reply.status not in GAVE_UP):
        return Reading.REFUSAL if read_prediction(reply, request_id=None) is None else Reading.ANSWER
    return Reading.DOUBT


def is_cached(reply: Reply) -> bool:
    """Whether an answer was given by a cache, to an earlier request, by the age it tells (RFC 9111, 5.1)."""
    return reply.headers.get("age", "").strip(" 0,") != ""


def may_be_processed(outcome: Outcome) -> bool:
    """Whether a submit may have been processed, for all that this outcome of it proves."""
    return outcome.error.sent if isinstance(outcome, NoReply) else classify(outcome) is not Reading.REFUSAL


def may_resubmit(outcome: Outcome) -> bool:
    """Whether a submit may be sent again after this outcome: it never arrived, or was refused unprocessed.

    A 429 that tells of a job, or of a charge, was not unprocessed.
    """
    if isinstance(outcome, NoReply):
        return not outcome.error.sent
    if outcome.status != REFUSED_UNPROCESSED or classify(outcome) is not Reading.REFUSAL:
        return False
    return not is_charge(status_error(outcome).cost)


def may_reread(outcome: Outcome) -> bool:
    """Whether an exchange that only reads may be sent again: no answer, one that passes, or one that is no JSON.

    A redirect is neither, though most come with a page: it is not followed, so the next try is redirected as well.
    """
    if isinstance(outcome, NoReply):
        return True
    if outcome.status in REDIRECTS:  # never followed, and asking again changes nothing
        return False
    return outcome.status in PASSING or outcome.status >= SERVER_FAILED or _is_page(outcome)


def may_look_again(outcome: Outcome, *, accepted_at: float | None = None) -> bool:
    """Whether a look at a job that failed may fare better later: as any read, and after a 404 that proves nothing.

    Such a one comes while the job is fresh, or from a cache, which may have it from the first look of all.

    Args:
        outcome: What the look came to.
        accepted_at: When the server accepted the job, in seconds on the clock that read ``outcome.at``, where known.
    """
    if isinstance(outcome, NoReply) or outcome.status != NOT_FOUND:
        return may_reread(outcome)
    is_fresh = accepted_at is not None and outcome.at - accepted_at < FRESH
    return is_fresh or is_cached(outcome) or may_reread(outcome)


def _is_page(reply: Reply) -> bool:
    """An error page of something between here and the API, whatever its status says."""
    return reply.content.lstrip()[:1] == b"<"


def retry_after(reply: Reply) -> float | None:
    """What a server asks to wait, in seconds from now, or None: absent, unreadable or in the past.

    Of the header both forms of RFC 9110 are read: a number of seconds, and a date, counted from the answer's own Date
    header where it has one, so that a wrong clock here does not matter. Without one a refusal's body may tell it, as
    ``retry_after`` in seconds, at its top or in its ``detail``.
    """
    if reply.status in REFUSED and "retry-after" not in reply.headers:
        return _told_in_body(reply)
    value = reply.headers.get("retry-after", "").split(",")[0].strip()
    if value.isascii() and value.isdigit():
        return min(float(value), 1e9)  # 30 years are as good as any longer time
    return _seconds_until(reply.headers.get("retry-after", ""), since=reply.headers.get("date", ""))


def _told_in_body(reply: Reply) -> float | None:
    try:
        body = read_json(reply.content)
    except (ValueError, RecursionError):
        return None
    places = (body, body.get("detail")) if isinstance(body, dict) else ()
    told = (as_float(place.get("retry_after")) for place in places if isinstance(place, dict))
    return next((min(seconds, 1e9) for seconds in told if seconds is not None and seconds >= 0), None)


def find_ignored_wait(reply: Reply) -> float | None:
    """The ``retry_after`` in an answer's body that :func:`retry_after` does not go by, in seconds, or None.

    Nobody has seen MuAPI tell one in an answer that is no refusal, or another than its header does.
    """
    told = _told_in_body(reply) if b"retry_after" in reply.content else None
    return told if told is not None and told != retry_after(reply) else None


def _seconds_until(text: str, *, since: str) -> float | None:
    if not text:
        return None
    from datetime import UTC, datetime  # noqa: PLC0415 - with the next function 16 ms, and dates are rare

    until = http_date(text)
    if until is None:
        return None
    return max(0.0, (until - (http_date(since) or datetime.now(UTC))).total_seconds())


def http_date(text: str) -> datetime | None:
    """Read the time of an HTTP header in UTC, or None where it is none."""
    from datetime import UTC  # noqa: PLC0415 - as above
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - as above

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year or an offset of twenty digits
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
