"""What came of looking for the job of a lost submit: a value.

Lives here: the value, and what its fields promise. Does not live here: how candidates are found
(``_jobs/reconcile``).
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import frozen

from muapi_client._types.job import Job

J = TypeVar("J", bound=Job)


@frozen
class Reconciliation(Generic[J]):
    """Which jobs of the history may be the one of a submit whose outcome is unknown; iterates over the candidates.

    Nothing found means "never accepted" only where ``complete`` says so.

    Attributes:
        candidates: The jobs it may be, newest first: of that model, of that time, not known otherwise.
        complete: Whether a job that was accepted would be among them: the history reached back past the submit, the
            times of its items could be read, and the server reported its own time.
    """

    __module__ = "muapi_client"

    candidates: tuple[J, ...]
    complete: bool

    def __iter__(self) -> Iterator[J]:
        """Iterate over the candidates."""
        return iter(self.candidates)
