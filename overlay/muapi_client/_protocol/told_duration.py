"""How long a job took by the server's word. Pure.

Lives here: where an answer tells it. Does not live here: whether it is believed (``_jobs/learning``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from muapi_client._settings.numbers import as_float

BEGUN: Final = "created_at"  # observed
ENDED: Final = ("completed_at", "finished_at", "ended_at")  # none of them was seen yet
MILLISECONDS: Final = "executionTime"  # observed; it leaves out how long the job stood in a queue


def told_seconds(answer: Any) -> float | None:
    """Seconds from a job's acceptance to its end, or None where the answer does not tell.

    Args:
        answer: The body that reported the end.
    """
    if not isinstance(answer, dict):
        return None
    ended = next((moment for name in ENDED if (moment := _read_moment(answer.get(name)))), None)
    begun = _read_moment(answer.get(BEGUN))
    if begun is not None and ended is not None:
        return (ended - begun).total_seconds()
    milliseconds = as_float(answer.get(MILLISECONDS))
    return None if milliseconds is None else milliseconds / 1000


def _read_moment(value: Any) -> datetime | None:
    """A time in ISO 8601, in UTC where it tells no zone."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
