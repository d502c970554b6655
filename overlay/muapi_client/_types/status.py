"""What a status means for a job: facts.

Lives here: which words mean which state. Does not live here: acting on one (``_jobs``).
"""

from enum import Enum
from functools import lru_cache
from typing import Final


class JobState(Enum):
    """Where a job stands."""

    __module__ = "muapi_client"

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATES: Final = {
    # API reference, "Status Values".
    "queued": JobState.RUNNING,
    "pending": JobState.RUNNING,
    "processing": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    # Observed in several public clients, undocumented.
    "running": JobState.RUNNING,
    "succeeded": JobState.DONE,
    "success": JobState.DONE,
    "error": JobState.FAILED,
    "rejected": JobState.FAILED,
    "moderated": JobState.FAILED,
    "content_moderated": JobState.FAILED,
    "canceled": JobState.CANCELLED,
}

LONGEST_WORD: Final = 100  # characters of a status to look at: no word has more, and what is judged is remembered


@lru_cache(maxsize=256)  # the same few words, again and again
def job_state(status: str, *, has_outputs: bool, has_error: bool) -> JobState:
    """Judge one answer.

    An unknown word means "not finished": a new status must never cost anyone a paid job. A non-empty error without
    outputs means "failed" whatever the word, "completed" included (observed: moderation refusals leave ``status`` at
    something else); only a word for failed or cancelled tells more.
    """
    meant = meaning(status)
    if meant in (JobState.RUNNING, JobState.DONE) and has_error and not has_outputs:
        return JobState.FAILED
    return meant


def is_known(status: str) -> bool:
    """Whether a status is one of the words above, or none at all."""
    return not status or status.strip().lower() in STATES


def is_running_word(text: str) -> bool:
    """Whether a text is one of the words above by which a job is said to run."""
    return STATES.get(text[:LONGEST_WORD].strip().lower()) is JobState.RUNNING


def meaning(status: object) -> JobState:
    """What a status word means by itself, in any case and spacing; what is no known word means: not finished."""
    word = status.strip().lower() if isinstance(status, str) else ""
    return STATES.get(word, JobState.RUNNING)
