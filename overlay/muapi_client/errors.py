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
    │   ├── StreamBrokenError        a stream broke off before its end
    │   └── WaitTimeoutError         also a TimeoutError; the job may still finish
    ├── SpendLimitError              refused here: the job would pass ``max_spend`` or a budget
    ├── SandboxMismatchError         the key is not of the kind that ``expect`` names
    ├── UploadError                  a local file could not be uploaded
    ├── DownloadError                an output could not be fetched or saved
    ├── JournalError                 the journal cannot be opened, read or written
    └── SpecPinError                 this package was rendered from another document than the pinned one

Lives here: what went wrong, and what is known about it. Does not live here: deciding that something went wrong.

An argument or option of the wrong kind is a ``MuAPIError`` itself, raised before anything is sent.

Every error tells, where known: ``request_id``, ``status_code``, ``cost`` and ``balance``. All survive pickling and
copying: the message is the one positional argument, the rest are attributes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from muapi_client._types.budget import Budget
from muapi_client._types.error import MuAPIError
from muapi_client._types.job import Job
from muapi_client._types.prediction import Prediction
from muapi_client._types.sandbox import SandboxVerdict
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
    "SandboxMismatchError",
    "ServerError",
    "SpecPinError",
    "SpendLimitError",
    "StreamBrokenError",
    "SubmitOutcomeUnknownError",
    "UploadError",
    "ValidationError",
    "WaitTimeoutError",
]


class APIConnectionError(MuAPIError):
    """No answer arrived: the network failed, or the time for one exchange ran out.

    Attributes:
        sent: False when the request provably never reached the server (name not resolved, connection or TLS
            refused, no free connection); True when it may have.
    """

    def __init__(self, message: str = "", *, sent: bool = True, **known: Any) -> None:
        super().__init__(message, **known)
        self.sent: bool = sent


class APIStatusError(MuAPIError):
    """The server answered with an error status.

    Attributes:
        detail: The answer's ``detail`` as it came: a string, list or object; the whole body where it has none.
    """

    def __init__(self, message: str = "", *, detail: Any = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.detail: Any = detail


class AuthenticationError(APIStatusError):
    """The key is missing, unusable or not allowed to do this (401, 403). The request it answers charged nothing.

    The message tells a wrong key, a test key where a live one is wanted, and an account without money apart, as far as
    the answer and what the client has seen of its key allow.
    """


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

    def __init__(self, message: str = "", *, errors: Sequence[Mapping[str, Any]] = (), **known: Any) -> None:
        super().__init__(message, **known)
        self.errors: list[dict[str, Any]] = [dict(error) for error in errors]


class RateLimitError(APIStatusError):
    """Too many requests (429), still so after every allowed resend. The job was refused unprocessed."""


class ServerError(APIStatusError):
    """The server failed (5xx) to answer a request that reads."""


class ResponseError(MuAPIError):
    """An answer arrived that cannot be understood.

    Attributes:
        body: The raw body, in bytes.
    """

    def __init__(self, message: str = "", *, body: bytes = b"", **known: Any) -> None:
        super().__init__(message, **known)
        self.body: bytes = body


class SubmitOutcomeUnknownError(MuAPIError):
    """A submit left this machine and no usable answer came back: it may have been accepted and charged.

    It is never sent again by itself, since a second acceptance would be charged a second time. Until it is settled
    ``mu.unknown()`` lists it and what it may cost stays set aside. ``mu.reconcile(error)`` looks for its job;
    ``mu.settle(error, job_or_id)``, or ``None`` where it was never accepted, is your word on it.

    Attributes:
        call: The call that was sent.
        body: What arrived of an answer, in bytes; empty where nothing did.
        started_at: When it was sent, as seconds since the epoch (UTC), or None where not known.
        key: Of the submit in its client's memory and journal, for ``mu.settle``; None where nothing was submitted.
    """

    def __init__(
        self,
        message: str = "",
        *,
        call: Call[Any] | None = None,
        body: bytes = b"",
        started_at: float | None = None,
        key: str | None = None,
        **known: Any,
    ) -> None:
        super().__init__(message, **known)
        self.call: Call[Any] | None = call
        self.body: bytes = body
        self.started_at: float | None = started_at
        self.key: str | None = key


class _OfJobError(MuAPIError):
    """What holds a job and what was reported of it."""

    def __init__(
        self,
        message: str = "",
        *,
        job: Job | None = None,
        prediction: Prediction | None = None,
        text: str = "",
        **known: Any,
    ) -> None:
        super().__init__(message, **known)
        self.job: Job | None = job
        self.prediction: Prediction | None = prediction
        self.text: str = text


class JobError(_OfJobError):
    """A job was accepted and did not end well.

    Attributes:
        job: The job. It can be looked at again: ``mu.look(error.job)``.
        prediction: The last thing the server reported of it, or None where no look succeeded.
        text: The words of a stream that had arrived; empty for a job that does not stream.
    """


class JobFailedError(JobError):
    """The job failed, was rejected or was stopped by moderation."""


class JobCancelledError(JobError):
    """The job was cancelled."""


class StreamBrokenError(JobError):
    """A stream broke off, or fell silent, before its end. It was accepted, and cannot be taken up again.

    It was not sent again, since that would be charged again. ``job.id`` is empty where the server reported none.
    """


class WaitTimeoutError(JobError, TimeoutError):
    """The wait's deadline passed. The job lives on and may be charged: ``mu.wait(error.job)`` takes it up again.

    A stream of which no id was reported (``error.job.id`` is empty) cannot be taken up: ``mu.unknown()`` lists it.
    """


class SpendLimitError(MuAPIError):
    """Refused before anything was sent: the job would pass ``max_spend`` or a budget, or nobody can price it.

    Attributes:
        budget: The budget that has no room, or that is for runs where the job is of none; None where it was
            ``max_spend``, or nobody tells the price.
        needed_usd: What would have been set aside for the job, in USD, or None where nobody tells its price.
        opens_at: When the budget's next day or month begins, in UTC; None where none does, or
            where the whole budget has no room for such a job.
    """

    def __init__(
        self,
        message: str = "",
        *,
        budget: Budget | None = None,
        needed_usd: Decimal | None = None,
        opens_at: datetime | None = None,
        **known: Any,
    ) -> None:
        super().__init__(message, **known)
        self.budget: Budget | None = budget
        self.needed_usd: Decimal | None = needed_usd
        self.opens_at: datetime | None = opens_at


class SandboxMismatchError(_OfJobError):
    """The key is not of the kind that ``expect`` names: a sandbox (test) key, or one that is charged.

    Where ``job`` and ``prediction`` are None nothing was submitted. Otherwise the job was accepted, and the journal,
    where there is one, knows of it: ``mu.with_options(expect=None).wait(error.job)`` goes on with one that still runs.
    A job that this client did not submit may be another key's; what its answer shows is held against nothing else.

    Attributes:
        verdict: Which kind of key it is, with the evidence.
        job: The job, or None.
        prediction: The answer that reported, or None.
        text: The words of that answer, a stream's whole text among them; empty where it has none.
    """

    def __init__(self, message: str = "", *, verdict: SandboxVerdict | None = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.verdict: SandboxVerdict | None = verdict


class UploadError(MuAPIError):
    """A local file could not be uploaded: it cannot be read, is of a refused type, or too large."""


class DownloadError(MuAPIError):
    """An output could not be fetched or saved. The job itself is not affected: its URL can be tried again.

    Attributes:
        url: What was fetched, or None.
        saved: The files that were saved all the same.
    """

    def __init__(self, message: str = "", *, url: str | None = None, saved: Sequence[Path] = (), **known: Any) -> None:
        super().__init__(message, **known)
        self.url: str | None = url
        self.saved: list[Path] = list(saved)


class JournalError(MuAPIError):
    """The journal cannot be opened, read or written; the message tells what is true of the job all the same."""


class SpecPinError(MuAPIError):
    """Refused at the start: this package was rendered from another document than ``spec_pin`` asks for.

    Where that is a lock, from one in which a locked function changed or is gone; the message names them.

    Attributes:
        runs_on: Hash of the document this package was rendered from; empty where ``spec_pin`` could not be read.
        pinned: Hash of the document asked for; empty in the same case.
    """

    def __init__(self, message: str = "", *, runs_on: str = "", pinned: str = "", **known: Any) -> None:
        super().__init__(message, **known)
        self.runs_on: str = runs_on
        self.pinned: str = pinned
