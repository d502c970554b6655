"""Every error this client raises, as one tree: ``except MuAPIError`` catches all of it.

::

    MuAPIError
    ├── APIConnectionError           no answer arrived
    ├── APIStatusError               the server answered with an error status
    │   ├── AuthenticationError      401, 403, or no usable key
    │   ├── InsufficientCreditError  402
    │   ├── NotFoundError            404
    │   ├── ValidationError          422, or refused here before anything was sent
    │   ├── RateLimitError           429
    │   └── ServerError              5xx
    ├── ResponseError                an answer arrived that cannot be understood
    ├── SubmitOutcomeUnknownError    the job may have been accepted and charged
    ├── JobError                     the job itself ended badly
    │   ├── JobFailedError
    │   ├── JobCancelledError
    │   └── WaitTimeoutError         also a TimeoutError; the job may still finish
    ├── SpendLimitError              refused here: the job would pass ``max_spend``
    ├── UploadError                  a local file could not be uploaded
    ├── DownloadError                an output could not be fetched or saved
    └── JournalError                 the journal cannot be opened, read or written

Lives here: what went wrong, and what is known about it. Does not live here: deciding that something went wrong.

Every error tells, where known: ``request_id``, ``status_code``, ``cost`` and ``balance``. All survive pickling and
copying: the message is the one positional argument, the rest are attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from muapi_client._cost import Cost
    from muapi_client._predictions import Job, Prediction
    from muapi_generated.types import Call

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "AuthenticationError",
    "DownloadError",
    "InsufficientCreditError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JournalError",
    "MuAPIError",
    "NotFoundError",
    "RateLimitError",
    "ResponseError",
    "ServerError",
    "SpendLimitError",
    "SubmitOutcomeUnknownError",
    "UploadError",
    "ValidationError",
    "WaitTimeoutError",
]


class MuAPIError(Exception):
    """The root of the tree.

    Attributes:
        request_id: The job the error is about, or None where none is known.
        status_code: The HTTP status that was answered, or None where no answer arrived or nothing was sent.
        cost: What the server said the request cost, or None where it said nothing: unknown, not zero.
        balance: The account's balance in USD as the answer's header told it, or None.
    """

    request_id: str | None
    status_code: int | None
    cost: Cost | None
    balance: Decimal | None

    def __init__(
        self,
        message: str = "",
        *,
        request_id: str | None = None,
        status_code: int | None = None,
        cost: Cost | None = None,
        balance: Decimal | None = None,
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.status_code = status_code
        self.cost = cost
        self.balance = balance


class APIConnectionError(MuAPIError):
    """No answer arrived: the network failed, or the time for one exchange ran out.

    Attributes:
        sent: False when the request provably never reached the server (name not resolved, connection or TLS
            refused, no free connection); True when it may have.
    """

    sent: bool

    def __init__(self, message: str = "", *, sent: bool = True, **known: Any) -> None:
        super().__init__(message, **known)
        self.sent = sent


class APIStatusError(MuAPIError):
    """The server answered with an error status.

    Attributes:
        detail: The answer's ``detail`` as it came: a string, list or object; the whole body where it has none.
    """

    detail: Any

    def __init__(self, message: str = "", *, detail: Any = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.detail = detail


class AuthenticationError(APIStatusError):
    """The key is missing, unusable or not allowed to do this (401, 403). The request it answers charged nothing."""


class InsufficientCreditError(APIStatusError):
    """The balance does not cover the job (402). Nothing was charged; top up with ``mu.account.topup``."""


class NotFoundError(APIStatusError):
    """No such endpoint, prediction, model or key (404). Slugs are not catalogue names: see ``catalog.find``."""


class ValidationError(APIStatusError):
    """The input was refused (422), here before anything was sent or by the server. Nothing was charged.

    Attributes:
        errors: One mapping a problem in the server's form: ``loc`` (where), ``msg``, ``type``, perhaps ``ctx``.
            ``status_code`` is None when the refusal was local.
    """

    errors: list[dict[str, Any]]

    def __init__(self, message: str = "", *, errors: Sequence[Mapping[str, Any]] = (), **known: Any) -> None:
        super().__init__(message, **known)
        self.errors = [dict(error) for error in errors]


class RateLimitError(APIStatusError):
    """Too many requests (429), still so after every allowed resend. The job was refused unprocessed."""


class ServerError(APIStatusError):
    """The server failed (5xx) to answer a request that reads."""


class ResponseError(MuAPIError):
    """An answer arrived that cannot be understood.

    Attributes:
        body: The raw body, in bytes.
    """

    body: bytes

    def __init__(self, message: str = "", *, body: bytes = b"", **known: Any) -> None:
        super().__init__(message, **known)
        self.body = body


class SubmitOutcomeUnknownError(MuAPIError):
    """A submit left this machine and no usable answer came back: it may have been accepted and charged.

    It is never sent again by itself, since a second acceptance would be charged a second time. Look through
    ``mu.history()`` or the dashboard before submitting ``call`` again.

    Attributes:
        call: The call that was sent.
        body: What arrived of an answer, in bytes; empty where nothing did.
        started_at: When it was sent, as seconds since the epoch (UTC), or None where not known.
    """

    call: Call[Any] | None
    body: bytes
    started_at: float | None

    def __init__(
        self,
        message: str = "",
        *,
        call: Call[Any] | None = None,
        body: bytes = b"",
        started_at: float | None = None,
        **known: Any,
    ) -> None:
        super().__init__(message, **known)
        self.call = call
        self.body = body
        self.started_at = started_at


class JobError(MuAPIError):
    """A job was accepted and did not end well.

    Attributes:
        job: The job. It can be looked at again: ``mu.look(error.job)``.
        prediction: The last thing the server said of it, or None where no look succeeded.
    """

    job: Job | None
    prediction: Prediction | None

    def __init__(
        self,
        message: str = "",
        *,
        job: Job | None = None,
        prediction: Prediction | None = None,
        **known: Any,
    ) -> None:
        super().__init__(message, **known)
        self.job = job
        self.prediction = prediction


class JobFailedError(JobError):
    """The job failed, was rejected or was stopped by moderation."""


class JobCancelledError(JobError):
    """The job was cancelled."""


class WaitTimeoutError(JobError, TimeoutError):
    """The wait's deadline passed. The job lives on and may be charged: ``mu.wait(error.job)`` takes it up again."""


class SpendLimitError(MuAPIError):
    """Refused before anything was sent: the job would take this client's spend past ``max_spend``."""


class UploadError(MuAPIError):
    """A local file could not be uploaded: it cannot be read, is of a refused type, or too large."""


class DownloadError(MuAPIError):
    """An output could not be fetched or saved. The job itself is not affected: its URL can be tried again.

    Attributes:
        url: What was fetched, or None.
        saved: The files that were saved all the same.
    """

    url: str | None
    saved: list[Path]

    def __init__(self, message: str = "", *, url: str | None = None, saved: Sequence[Path] = (), **known: Any) -> None:
        super().__init__(message, **known)
        self.url = url
        self.saved = list(saved)


class JournalError(MuAPIError):
    """The journal cannot be opened, read or written; the message tells what is true of the job all the same."""
