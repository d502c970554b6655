"""Which failed exchange may be sent again, and when. Pure.

The rule for a submit is hard, since a job accepted twice is charged twice (there is no idempotency key on generation,
API document): it is sent again only if it provably never arrived, or was refused unprocessed. What only reads may be
sent again whenever the failure looks passing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import field, frozen
from attrs.validators import ge, gt

from muapi_client._flow import Lost

if TYPE_CHECKING:
    from datetime import datetime

    from muapi_client._flow import Outcome, Reply

PASSING: Final = frozenset({408, 425, 429})  # and every 5xx: the next try may fare better
REFUSED_UNPROCESSED: Final = 429
SERVER_FAILED: Final = 500


@frozen(kw_only=True)
class Retry:
    """How often and how patiently a failed exchange is sent again, where it may be.

    The wait for a job does not count attempts: its own deadline bounds it.

    Attributes:
        attempts: Exchanges in all, the first one included.
        initial: The longest first back-off, in seconds; it doubles from there, with full jitter.
        maximum: The longest back-off, in seconds.
        retry_after_maximum: The longest Retry-After that is honoured, in seconds; a longer one counts as this.
        within: No try begins later than this after the first one ended, in seconds.
    """

    attempts: int = field(default=5, validator=ge(1))
    initial: float = field(default=0.5, validator=gt(0))
    maximum: float = field(default=20.0, validator=gt(0))
    retry_after_maximum: float = field(default=60.0, validator=ge(0))
    within: float = field(default=180.0, validator=ge(0))

    def pause(self, failures: int, *, draw: float, asked: float | None = None) -> float:
        """Seconds to let pass before the next try: exponential with full jitter, or what the server asked for.

        Args:
            failures: Failed tries so far, 1 or more.
            draw: A random number from 0 to 1.
            asked: The server's Retry-After, in seconds, or None.
        """
        if asked is not None:
            return min(asked, self.retry_after_maximum)
        ceiling = min(self.maximum, self.initial * 2.0 ** min(failures - 1, 64))
        return ceiling * draw


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
