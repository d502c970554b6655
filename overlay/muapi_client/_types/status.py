"""What a status or a body means for a job. Facts only: who acts on them is ``_jobs.waiting``."""

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
    outputs means "failed" whatever the word, "completed" included (observed: moderation refusals leave ``status`` at
    something else); only a word for failed or cancelled tells more.
    """
    said = meaning(status)
    if said in (Verdict.RUNNING, Verdict.DONE) and error and not has_outputs:
        return Verdict.FAILED
    return said


def meaning(status: object) -> Verdict:
    """What a status word means by itself, in any case and spacing; what is no known word means: not finished."""
    word = status.strip().lower() if isinstance(status, str) else ""
    return VERDICTS.get(word, Verdict.RUNNING)
