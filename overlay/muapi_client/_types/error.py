"""The root of every error: what all of them tell; and the note by which those of others tell of a paid job.

It is here since a job's callbacks are given errors; and since pinning raises one, and works while generated/ is
broken.

Lives here: the root and the note. Does not live here: the errors (``errors``).
"""

from decimal import Decimal

from muapi_client._types.cost import Cost
from muapi_client._types.words import writable


class MuAPIError(Exception):
    """The root of the tree.

    Attributes:
        request_id: The job the error is about, or None where none is known.
        status_code: The HTTP status that was answered, or None where no answer arrived or nothing was sent.
        cost: What the server reported as the cost of the request, or None where it reported none: unknown, not zero.
        balance: The account's balance in USD as the answer's header reported it, or None.
    """

    __module__ = "muapi_client.errors"

    def __init__(
        self,
        message: str = "",
        *,
        request_id: str | None = None,
        status_code: int | None = None,
        cost: Cost | None = None,
        balance: Decimal | None = None,
    ) -> None:
        super().__init__(writable(message))
        self.request_id: str | None = request_id
        self.status_code: int | None = status_code
        self.cost: Cost | None = cost
        self.balance: Decimal | None = balance


def add_job_note(error: BaseException, request_id: str | None) -> None:
    """Have an interrupt, or the error of a callback, carry the id of the paid job it comes between."""
    if not request_id or (isinstance(error, MuAPIError) and error.request_id == request_id):
        return
    if not any(request_id in note for note in getattr(error, "__notes__", ())):
        error.add_note(f"Job {request_id} was accepted: mu.wait({request_id!r}) takes it up again.")
