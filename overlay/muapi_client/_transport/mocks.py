"""What libraries that mock httpx replace, and how a request meets a mock that takes the place of an httpx client.

Lives here: whether a method is httpx's own, and the way through a client. Does not live here: what a mock's answer
means (``hosts``: a mock counts as having sent what it was given).

This package uses httpx's transports without an ``httpx.Client`` around them. Mocks that replace a method of a
transport's, or of httpcore's pool, are met there; others replace one of the client's (respx with ``using="httpx"``,
vcrpy before 8, ``monkeypatch.setattr(httpx.Client, "send", ...)``). While anything does, requests go through a
client, so that a test that mocks httpx reaches no network. Some programs wrap those methods for good, to trace or to
log. Of what they hand on the transport still tells whether it was sent, and nothing is handed on twice: a second POST
would be paid for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from muapi_client._runtime.delivery import Delivery

# The way of a request through a client. (Nobody could mean this package by replacing get, post or stream.)
CLIENT_METHODS: Final = (
    "send",
    "_send_handling_auth",
    "_send_handling_redirects",
    "_send_single_request",
    "_transport_for_url",
)
# By client, the methods that were found to be httpx's own: comparing them takes a third of the time of finding out.
_own: Final[dict[type, list[Any]]] = {}


def is_replaced(client: type) -> bool:
    """Return whether something took the place of ``httpx.Client`` or ``httpx.AsyncClient``, or of a part of it."""
    methods = [getattr(client, method, None) for method in CLIENT_METHODS]
    if _own.get(client) == methods:  # as they were the last time, and nobody has touched them since
        return False
    if all(is_own(client, method, httpx) for method in CLIENT_METHODS):
        _own[client] = methods
        return False
    return True


def is_own(kind: type, method: str, package: ModuleType) -> bool:
    """Return whether a method is its package's own: libraries that mock HTTP replace it by one of theirs.

    Args:
        kind: The class that has it.
        method: Its name.
        package: httpx or httpcore. Where a program has httpx2 take their place, they go by other names.
    """
    home: str = getattr(getattr(kind, method, None), "__globals__", {}).get("__name__", "")
    return home.partition(".")[0] == package.__name__


def send_through_client(
    send: Callable[[httpx.Request, Delivery], httpx.Response], request: httpx.Request, delivery: Delivery
) -> httpx.Response:
    """Send a request through an ``httpx.Client``, and so by way of whatever took the place of a part of it.

    Args:
        send: Sends the request if it comes out of the client, and notes in ``delivery`` when it leaves.
        request: The request.
        delivery: Started at once where no more is known than that something else took the request.
    """
    delivery.started = True
    client = httpx.Client(transport=_Inside(send, delivery), trust_env=False)
    return _check(client.send(request, stream=True, auth=httpx.Auth()))


async def asend_through_client(
    send: Callable[[httpx.Request, Delivery], Awaitable[httpx.Response]], request: httpx.Request, delivery: Delivery
) -> httpx.Response:
    """The twin of :func:`send_through_client`."""
    delivery.started = True
    client = httpx.AsyncClient(transport=_AsyncInside(send, delivery), trust_env=False)
    return _check(await client.send(request, stream=True, auth=httpx.Auth()))


class _Inside(httpx.BaseTransport):
    """The transport of a client that sends one request, once."""

    def __init__(self, send: Callable[[httpx.Request, Delivery], httpx.Response], delivery: Delivery) -> None:
        self._send, self._delivery, self._used = send, delivery, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._used:
            _refuse_again(request)
        self._used = True
        self._delivery.started = False  # nothing else took it
        return self._send(request, self._delivery)


class _AsyncInside(httpx.AsyncBaseTransport):
    """The twin of :class:`_Inside`."""

    def __init__(
        self, send: Callable[[httpx.Request, Delivery], Awaitable[httpx.Response]], delivery: Delivery
    ) -> None:
        self._send, self._delivery, self._used = send, delivery, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._used:
            _refuse_again(request)
        self._used = True
        self._delivery.started = False  # nothing else took it
        return await self._send(request, self._delivery)


def _refuse_again(request: httpx.Request) -> NoReturn:
    raise httpx.TransportError(
        f"what took the place of httpx's own client wanted to send {request.method} {request.url.path} a second time"
    )


def _check(response: Any) -> httpx.Response:
    if not isinstance(response, httpx.Response):
        raise httpx.TransportError(f"httpx is mocked, and answers with {type(response).__name__}, not httpx.Response")
    return response
