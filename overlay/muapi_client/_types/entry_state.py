"""Where a job stands, in the words of a client's memory and of its journal, which are the same.

Lives here: the words. Does not live here: a server's words for it (``status``), when a job comes to stand there
(``_jobs``).
"""

from typing import Final

from muapi_client._types.status import JobState

STATE_OF: Final = {JobState.DONE: "completed", JobState.FAILED: "failed", JobState.CANCELLED: "cancelled"}
ENDED: Final = tuple(STATE_OF.values())
MAYBE_CHARGED: Final = ("intent", "unknown")  # and no answer told its id
STATES: Final = ("intent", "accepted", *ENDED, "unknown")
