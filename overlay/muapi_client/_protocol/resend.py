"""Which failed exchange may be sent again, and when. Pure.

The rule for a submit is hard, since a job accepted twice is charged twice (there is no idempotency key on generation,
API document): it is sent again only if it provably never arrived, or was refused unprocessed. What only reads may be
sent again whenever the failure looks passing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client._protocol.steps import Lost

if TYPE_CHECKING:
    from datetime import datetime

    from muapi_client._protocol.steps import Outcome, Reply


PASSING: Final = frozenset({408, 425, 429})  # and every 5xx: the next try may fare better
REFUSED_UNPROCESSED: Final = 429
SERVER_FAILED: Final = 500


def may_resubmit(outcome: Outcome) -> bool:
    """Whether a submit may be sent again after this outcome: it never arrived, or was refused unprocessed."""
    if isinstance(outcome, Lost):
        return not outcome.error.sent
    return outcome.status == REFUSED_UNPROCESSED


def may_reread(outcome: Outcome) -> bool:
    """Whether an exchange that only reads may be sent again: no answer, one that passes, or one that is no JSON."""
    if isinstance(outcome, Lost):
        return True
    return outcome.status in PASSING or outcome.status >= SERVER_FAILED or _is_page(outcome)


def _is_page(reply: Reply) -> bool:
    """An error page of something between here and the API, whatever its status says."""
    return reply.content.lstrip()[:1] == b"<"


def retry_after(reply: Reply) -> float | None:
    """The Retry-After header in seconds from now, or None: absent, unreadable or in the past.

    Both forms of RFC 9110 are read: a number of seconds, and a date, counted from the answer's own Date header where
    it has one, so that a wrong clock here does not matter.
    """
    said = reply.headers.get("retry-after", "").split(",")[0].strip()
    if said.isascii() and said.isdigit():
        return min(float(said), 1e9)  # 30 years are as good as any longer time
    return _until(reply.headers.get("retry-after", ""), since=reply.headers.get("date", ""))


def _until(text: str, *, since: str) -> float | None:
    if not text:
        return None
    from datetime import UTC, datetime  # noqa: PLC0415 - with the next function 16 ms, and dates are rare

    until = _http_date(text)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(since) or datetime.now(UTC))).total_seconds())


def _http_date(text: str) -> datetime | None:
    from datetime import UTC  # noqa: PLC0415 - as above
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - as above

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year or an offset of twenty digits
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
