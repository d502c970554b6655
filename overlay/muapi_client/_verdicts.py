"""What a status or a body means for a job. Facts only: who acts on them is ``_jobs``."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Verdict(Enum):
    """Where a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


VERDICTS: Final = {
    # API reference, "Status Values".
    "queued": Verdict.RUNNING,
    "pending": Verdict.RUNNING,
    "processing": Verdict.RUNNING,
    "completed": Verdict.DONE,
    "failed": Verdict.FAILED,
    "cancelled": Verdict.CANCELLED,
    # Observed in several public clients, undocumented.
    "running": Verdict.RUNNING,
    "succeeded": Verdict.DONE,
    "success": Verdict.DONE,
    "error": Verdict.FAILED,
    "rejected": Verdict.FAILED,
    "moderated": Verdict.FAILED,
    "content_moderated": Verdict.FAILED,
    "canceled": Verdict.CANCELLED,
}


def verdict(status: str | None, *, has_outputs: bool, error: str | None) -> Verdict:
    """Judge one answer.

    An unknown word means "not finished": a new status must never cost anyone a paid job. A non-empty error without
    outputs means "failed" whatever the word, unless the word itself ends the job (observed: moderation refusals
    leave ``status`` at something else).
    """
    said = VERDICTS.get((status or "").strip().lower(), Verdict.RUNNING)
    if said is Verdict.RUNNING and error and not has_outputs:
        return Verdict.FAILED
    return said
