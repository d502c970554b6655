"""One event of a job that is followed.

Lives here: the value. Does not live here: looking at the job (``_jobs/following``).
"""

from typing import Generic, TypeVar

from attrs import frozen

from muapi_client._types.error import MuAPIError
from muapi_client._types.prediction import Prediction
from muapi_client._types.reprs import represent_short
from muapi_client._types.status import JobState

P = TypeVar("P", bound=Prediction)


@frozen
class JobEvent(Generic[P]):
    """One look at a job that is followed.

    Attributes:
        request_id: The job's id, or None where it was answered at once without one.
        prediction: What the look told, or None where it failed.
        error: Why it failed, or None; the next one may fare better.
        changed: Whether the job's status is another than the look before told; True for the first that told one.
    """

    __module__ = "muapi_client"

    request_id: str | None
    prediction: P | None = None
    error: MuAPIError | None = None
    changed: bool = False

    __repr__ = represent_short

    @property
    def status(self) -> str | None:
        """The server's own word, such as ``processing``, or None where the look failed."""
        return self.prediction.status if self.prediction is not None else None

    @property
    def ended(self) -> bool:
        """Whether the job has ended, well or not: this is the last event."""
        return self.prediction is not None and self.prediction.state is not JobState.RUNNING
