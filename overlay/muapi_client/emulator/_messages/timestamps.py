"""Times of day as the server writes them: in bodies and in the ``Date`` header.

Lives here: both forms. Does not live here: what time it is (``World``).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

_LAST: Final = 253_402_300_799.0  # the end of 9999, in seconds since 1970: calendars end there, virtual clocks do not
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso_date(seconds: float) -> str:
    """``seconds`` since 1970 in the form of ISO 8601, in UTC."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).isoformat()


def http_date(seconds: float) -> str:
    """``seconds`` since 1970 in the form of RFC 9110's ``Date``, which has no fractions of a second."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(min(seconds, _LAST))
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
