"""What an exception out of httpx means for the request it ends: a fault of the network's, or something else.

Lives here: which exceptions are faults, what else httpx lets out in place of one, after which of them a connection may
be used again, and the error a fault stands for. Does not live here: sending (``hosts``), whether a request that failed
may be sent again (``_protocol/resend``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from muapi_client._runtime.tracebacks import from_signal_handler, raise_if_from_signal_handler
from muapi_client._transport.opening import ODD, TLS_SETTINGS, describe_settings
from muapi_client.errors import APIConnectionError, JournalError, MuAPIError

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Send
    from muapi_client._runtime.delivery import Delivery
    from muapi_client._settings.api_key import APIKey

# What an exchange that comes to nothing ends in; anything else is no fault of the network's.
FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, APIConnectionError)

UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"  # in the words of OpenSSL
IN_TLS: Final = "_ssl.c"  # the place in Python's own source that every error of its TLS names


class UnexpectedError(httpx.TransportError):
    """httpx, or what it stands on, raised what it has no business to: a bug there, or in how it is used."""


def raise_fault(error: BaseException, *, telling: bool) -> None:
    """Raise a fault of the network in place of an exception that httpx let out; do nothing where it is one already.

    An interrupt or a cancellation is none, and goes on as it is.

    Args:
        error: What came out.
        telling: Whether it can only be out of httpx and what it stands on, rather than out of somebody's mock.
    """
    if not isinstance(error, Exception) or isinstance(error, (*FAULTS, MuAPIError)):
        return
    if not telling and not isinstance(error, ODD):
        return
    cause = error
    while isinstance(cause, ExceptionGroup):  # a task group's; its own text says nothing
        cause = cause.exceptions[0]
    raise UnexpectedError(f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__) from error


def is_harmless(error: BaseException) -> bool:
    """Return whether httpx cleans up behind an exception, and its connections can be used again."""
    return isinstance(error, FAULTS) and not isinstance(error, UnexpectedError) and from_signal_handler(error) is None


def is_cancellation(error: BaseException) -> bool:
    """Return whether an exception cancels a task or a scope, of whichever event loop."""
    others = (Exception, GeneratorExit, KeyboardInterrupt, SystemExit)
    return not isinstance(error, others) and from_signal_handler(error) is None


def refuse_late(delivery: Delivery) -> None:
    """Let no byte of a request leave any more that should have left long ago; what has begun to leave goes on.

    Raises:
        JournalError: It should have. Nothing was sent, and it is not tried again.
    """
    if delivery.is_late and not delivery.started:
        raise JournalError(
            "the machine slept, or the process stood still, for an hour between the journal's note of a submit and its"
            " first byte: others may have taken the call up, so that nothing was sent. mu.jobs() lists what they did"
        )


def connection_error(
    error: BaseException, send: Send, delivery: Delivery, origin: str, api_key: APIKey
) -> APIConnectionError:
    """Return what one of ``FAULTS`` means: what was tried, and whether the request can have arrived.

    Args:
        origin: The API's, which is named where nothing at that address took the request.
        api_key: What is hidden should h11 quote an answer that echoes it.

    Raises:
        BaseException: It is no fault of the network's, or out of a signal handler of the user's, and passes as it is.
    """
    raise_if_from_signal_handler(error)
    if not isinstance(error, FAULTS):
        raise error
    if isinstance(error, APIConnectionError):
        error.sent = delivery.started
        return error
    reason = api_key.hide_text(str(error)) or type(error).__name__
    is_refused = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)  # not for want of a free connection
    is_to_api = send.path.startswith("/")  # of storage the path is the whole URL
    place = f": {_describe_place(reason, origin)}" if is_refused and is_to_api else ""
    if UNTRUSTED in reason:
        reason += describe_settings(TLS_SETTINGS[:2])
    fate = "" if delivery.started else f" (it was not sent{place})"
    return APIConnectionError(f"no answer to {send.method} {send.path}: {reason}{fate}", sent=delivery.started)


def _describe_place(reason: str, origin: str) -> str:
    """What is at an address to which no connection was made, by the reason: nobody, or one that TLS did not fit."""
    if UNTRUSTED in reason:
        return f"the certificate of what is at {origin} is not trusted"
    if IN_TLS in reason:
        return f"what is at {origin} does not speak TLS as this client does; it may be one of http://"
    return f"nobody took it at {origin}"
