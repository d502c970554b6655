"""How a host is reached with httpx, and whether a request left.

Lives here: sending over a connection, requests, noting that a request is handed to the network. Does not live here:
which connection (``pools``), opening one (``opening``), what an exception means (``faults``), redirects (never
followed: every client would forward ``x-api-key`` to wherever they point), and when to send (``driver``).

Whether a request was sent is a fact that is noted, and no reading of exceptions: httpcore tells of each step it takes
(its ``trace`` extension), and the first one that has the request in hand comes before its first byte. All that goes
wrong before it, the TLS context, a proxy's URL and a host's name included, is "not sent". A transport that is not known
to tell, a mock or a user's own, counts as having sent what it was given; one that has ``tells_when_sent = True`` calls
``request.extensions["trace"]`` itself, or hands it on to httpcore.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - getaddrinfo asks for it
import logging
import sys
from contextlib import suppress
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

import httpcore
import httpx

from muapi_client._runtime.content_coding import GZIP
from muapi_client._runtime.tracebacks import clear_locals
from muapi_client._state.secrets import SIGN, find_sent
from muapi_client._transport.deadline import hold_deadlines
from muapi_client._transport.faults import is_cancellation, is_harmless, raise_fault, refuse_late
from muapi_client._transport.guard import check_name
from muapi_client._transport.leftovers import drop_if_more_came
from muapi_client._transport.mocks import asend_through_client, is_own, is_replaced, send_through_client
from muapi_client._transport.opening import AsyncConnection, Connection, make_async_opener, make_opener, name_proxy
from muapi_client._transport.pools import AsyncPools, BlockingPools
from muapi_client._version import __version__
from muapi_client.errors import MuAPIError
from muapi_generated.types import is_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

    from muapi_client._protocol.steps import Send
    from muapi_client._runtime.delivery import Delivery
    from muapi_client._settings.api_key import APIKey

KEY: Final = "muapi_client.key"  # the extension of a request by which the key can be hidden in httpcore's log
OUTCOMES: Final = frozenset({"return_value", "exception"})  # httpcore's names of what a step came to
USER_AGENT: Final = f"muapi-client/{__version__}"
ASKING: Final = {"accept": "application/json", "accept-encoding": GZIP, "user-agent": USER_AGENT}  # of every request
ASKING["cache-control"] = "no-cache"  # a cache on the way would say that a job runs, long after its end
CARRYING: Final = {"content-type": "application/json"}  # of one that carries JSON
WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})  # whose length is told where it is 0, too (RFC 9110, 8.6)


class Hosts:
    """The network: connections to each host and port, through the proxy the environment names for it.

    Transports without an ``httpx.Client`` around them: nothing here follows redirects, keeps cookies or logs URLs.
    There are ``most`` connections to each at a time, at most. With ``home``, a host, no private address is reached
    (``guard``), unless that host is on one itself.
    """

    def __init__(self, most: int, home: str | None = None) -> None:
        self._pools = BlockingPools(partial(make_opener, home=home), Connection, most)

    def send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        """Send a request to its host, or to the mock that took the place of httpx."""
        if is_replaced(httpx.Client):
            return _unread(send_through_client(self._send, request, delivery))
        return self._send(request, delivery)

    def _send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        real = False
        try:
            pool = self._pools.find(request.url)
            real = _is_real(pool.opener, "handle_request")
            mocked = not real and _is_pool_replaced(pool.opener, "handle_request")
            transport = pool.opener if mocked else self._pools.take(pool, request)
            response = send_over(transport, request, delivery, telling=real)
        except BaseException as error:
            self.fail(request, error)  # here, since what wraps httpx may have made a request of its own
            if real:  # a connection was tried
                name_proxy(request.url, error)
            raise_fault(error, telling=real)
            raise
        if not mocked:
            response.stream = _Answer(response, self, request, telling=real)
        return response

    def end(self, request: httpx.Request) -> None:
        """A request has ended as requests do, answered or not."""
        self._pools.leave(request)
        self._close_retired()

    def fail(self, request: httpx.Request, error: BaseException) -> None:
        """A request has ended in an exception; if that may have harmed its connection, it is not used again."""
        if is_harmless(error):
            self._pools.leave(request)
        else:
            self._pools.give_up(request)
        self._close_retired()

    def close(self) -> None:
        """Close every connection."""
        for transport in self._pools.close():
            transport.close()

    def _close_retired(self) -> None:
        for connection in self._pools.retired():
            with suppress(OSError):  # of a socket that is being closed: nobody waits for anything on it
                connection.close()
            self._pools.drop(connection)


class AsyncHosts:
    """The twin of :class:`Hosts`."""

    def __init__(self, most: int, home: str | None = None) -> None:
        self._pools = AsyncPools(partial(make_async_opener, home=home), AsyncConnection, most)

    def send(self, request: httpx.Request, delivery: Delivery) -> Awaitable[httpx.Response]:
        """The twin of :meth:`Hosts.send`, to be awaited."""
        if is_replaced(httpx.AsyncClient):
            return self._send_through_client(request, delivery)
        return self._send(request, delivery)

    async def _send_through_client(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        return _unread(await asend_through_client(self._send, request, delivery))

    async def _send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        real = False
        try:
            await self._close_retired()
            pool = self._pools.find(request.url)
            real = _is_real(pool.opener, "handle_async_request")
            mocked = not real and _is_pool_replaced(pool.opener, "handle_async_request")
            transport = pool.opener if mocked else await self._pools.take(pool, request)
            response = await asend_over(transport, request, delivery, telling=real)
        except BaseException as error:
            self.fail(request, error)  # as above
            if real:  # a connection was tried
                name_proxy(request.url, error)
            raise_fault(error, telling=real)
            raise
        if not mocked:
            response.stream = _AsyncAnswer(response, self, request, telling=real)
        return response

    async def end(self, request: httpx.Request) -> None:
        """The twin of :meth:`Hosts.end`."""
        self._pools.leave(request)
        await self._close_retired()

    async def _close_retired(self) -> None:
        retired = self._pools.retired()
        if retired:
            import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

            with anyio.CancelScope(shield=True):  # cancelled, it would leave them open
                for connection in retired:
                    with suppress(OSError):  # as above
                        await connection.aclose()
                    self._pools.drop(connection)

    def fail(self, request: httpx.Request, error: BaseException) -> None:
        """The twin of :meth:`Hosts.fail`, which awaits nothing: a later request closes the connection.

        A cancellation is an everyday event, behind which httpcore cleans up. But those of asyncio may strike the
        cleaning itself, and leave a connection that is neither closed nor idle: such a one is not used again either.
        """
        if is_harmless(error) or is_cancellation(error):
            self._pools.leave(request)
        else:
            self._pools.give_up(request)

    async def aclose(self) -> None:
        """Close every connection; a cancellation does not cut that short."""
        if transports := list(self._pools.close()):
            import anyio  # noqa: PLC0415 - as above

            with anyio.CancelScope(shield=True):
                for transport in transports:
                    await transport.aclose()


class _Answer(httpx.SyncByteStream):
    """The body of an answer, whose request ends with it, and whose connection is kept if nothing came beyond it."""

    def __init__(
        self, response: httpx.Response, hosts: Hosts | Given, request: httpx.Request, *, telling: bool
    ) -> None:
        self._inner = cast("httpx.SyncByteStream", response.stream)
        self._extensions = response.extensions  # a response that its stream held would wait for the collector
        self._hosts, self._request, self._telling = hosts, request, telling

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        except GeneratorExit:  # no more is wanted of it
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def close(self) -> None:
        try:
            drop_if_more_came(self._extensions, self._inner)
            self._inner.close()
        except BaseException as error:
            self._fail(error)
            raise
        self._hosts.end(self._request)

    def _fail(self, error: BaseException) -> None:
        self._hosts.fail(self._request, error)
        raise_fault(error, telling=self._telling)


class _AsyncAnswer(httpx.AsyncByteStream):
    """The twin of :class:`_Answer`."""

    def __init__(
        self, response: httpx.Response, hosts: AsyncHosts | AsyncGiven, request: httpx.Request, *, telling: bool
    ) -> None:
        self._inner = cast("httpx.AsyncByteStream", response.stream)
        self._extensions = response.extensions  # as above
        self._hosts, self._request, self._telling = hosts, request, telling

    def __aiter__(self) -> AsyncIterator[bytes]:
        """No generator, which whoever stops in the middle would have to close."""
        self._pieces = aiter(self._inner)
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    async def aclose(self) -> None:
        try:
            drop_if_more_came(self._extensions, self._inner)
            await self._inner.aclose()
        except BaseException as error:
            self._fail(error)
            raise
        await self._hosts.end(self._request)

    def _fail(self, error: BaseException) -> None:
        self._hosts.fail(self._request, error)
        raise_fault(error, telling=self._telling)


class Given:
    """The transport a user gave in place of the network; the twin of :class:`Hosts`."""

    def __init__(self, transport: httpx.BaseTransport, home: str | None = None) -> None:
        self._transport, self._home = transport, home
        if _is_real(transport, "handle_request"):
            hold_deadlines(cast("httpx.HTTPTransport", transport))

    def send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        """Send a request over it."""
        if self._home is not None:
            check_name(request.url, self._home)
        telling = _tells(self._transport, "handle_request")
        response = send_over(self._transport, request, delivery, telling=telling)
        if _is_real(self._transport, "handle_request"):
            response.stream = _Answer(response, self, request, telling=True)
        return response

    def end(self, request: httpx.Request) -> None:
        """Nothing, as in :meth:`fail`."""

    def fail(self, request: httpx.Request, error: BaseException) -> None:
        """Nothing: the transport is the user's, who knows what an interrupt does to it."""

    def close(self) -> None:
        """Close it."""
        self._transport.close()


class AsyncGiven:
    """The twin of :class:`Given`."""

    def __init__(self, transport: httpx.AsyncBaseTransport, home: str | None = None) -> None:
        self._transport, self._home = transport, home

    async def send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        """Send a request over it."""
        if self._home is not None:
            check_name(request.url, self._home)
        telling = _tells(self._transport, "handle_async_request")
        response = await asend_over(self._transport, request, delivery, telling=telling)
        if _is_real(self._transport, "handle_async_request"):
            response.stream = _AsyncAnswer(response, self, request, telling=True)
        return response

    async def end(self, request: httpx.Request) -> None:
        """As above."""

    def fail(self, request: httpx.Request, error: BaseException) -> None:
        """As above."""

    async def aclose(self) -> None:
        """Close it."""
        await self._transport.aclose()


def send_over(
    transport: httpx.BaseTransport, request: httpx.Request, delivery: Delivery, *, telling: bool
) -> httpx.Response:
    """Hand a request to a transport, and note in ``delivery`` when the first byte of it may have left.

    Args:
        telling: Whether the transport tells of each step; of one that does not, the request has left at once.
    """
    handled = sys.exception()
    if delivery.leaves_by is not None:
        refuse_late(delivery)
    if telling:
        request.extensions["trace"] = _noting(delivery, request.extensions.get(KEY))
    else:
        delivery.started = True
    try:
        response = transport.handle_request(request)
    except BaseException as error:
        if telling:
            clear_locals(error, handled)  # the bytes of the request are in them, and with them the key
        raise
    delivery.started = True  # who answers was asked
    return _unread(response)


async def asend_over(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, delivery: Delivery, *, telling: bool
) -> httpx.Response:
    """The twin of :func:`send_over`."""
    handled = sys.exception()
    if delivery.leaves_by is not None:
        refuse_late(delivery)
    if telling:
        request.extensions["trace"] = _awaited(_noting(delivery, request.extensions.get(KEY)))
    else:
        delivery.started = True
    try:
        response = await transport.handle_async_request(request)
    except BaseException as error:
        if telling:
            clear_locals(error, handled)  # the bytes of the request are in them, and with them the key
        raise
    delivery.started = True  # who answers was asked
    return _unread(response)


def _unread(response: httpx.Response) -> httpx.Response:
    """Return a response to be read, as the network's are: one that a mock made of a whole body was read at once."""
    if not response.is_stream_consumed:
        return response
    headers = response.headers.copy()
    if headers.pop("content-encoding", None) is not None:  # it was unpacked then
        headers.pop("content-length", None)
    body = httpx.ByteStream(response.content)
    return httpx.Response(response.status_code, headers=headers, stream=body, extensions=response.extensions)


def _noting(delivery: Delivery, api_key: APIKey | None) -> Callable[[str, dict[str, Any]], None]:
    """Make the callback for httpcore's steps. Nothing of ``info`` is kept: it holds the request with the key."""

    def note(step: str, info: dict[str, Any]) -> None:
        if "request" in info:  # a step that has a request in hand writes it
            if info["request"].method != b"CONNECT":  # by which a proxy is only asked for a way to the host
                if delivery.leaves_by is not None:
                    refuse_late(delivery)  # to connect may have taken long
                delivery.started = True
            return
        for name, value in info.items():  # of a step that ends: what it came to
            if value is not None and name in OUTCOMES and api_key is not None and _is_logged(step):
                info[name] = _hide_echo(value, api_key)  # httpcore logs it next, and made it for nothing else

    return note


def _is_logged(step: str) -> bool:
    """Whether httpcore logs a step: by the logger its name begins with, such as httpcore.http11."""
    return _find_logger(step.partition(".")[0]).isEnabledFor(logging.DEBUG)


@cache
def _find_logger(name: str) -> logging.Logger:
    return logging.getLogger(f"{httpcore.__name__}.{name}")  # another name, where httpx2 takes httpx's place


def _hide_echo(value: Any, api_key: APIKey) -> Any:
    """A part of what httpcore logs of an answer, without the key, should the server echo it in a header."""
    if isinstance(value, bytes):
        return api_key.hide(value)
    if isinstance(value, tuple | list):
        return type(value)(_hide_echo(part, api_key) for part in value)
    return api_key.hide_text(repr(value)) if isinstance(value, BaseException) else value


def _awaited(
    note: Callable[[str, dict[str, Any]], None],
) -> Callable[[str, dict[str, Any]], Coroutine[Any, Any, None]]:
    async def awaited(step: str, info: dict[str, Any]) -> None:
        note(step, info)

    return awaited


def _tells(transport: httpx.BaseTransport | httpx.AsyncBaseTransport, method: str) -> bool:
    """Return whether a transport reports each step: httpx's own does, and one that says so."""
    return getattr(transport, "tells_when_sent", False) is True or _is_real(transport, method)


def _is_real(transport: httpx.BaseTransport | httpx.AsyncBaseTransport, method: str) -> bool:
    """Return whether a transport is httpx's own, and no mock has taken its place."""
    if type(transport) not in (httpx.HTTPTransport, httpx.AsyncHTTPTransport):
        return False
    pool: Any = getattr(transport, "_pool", None)
    return is_own(type(transport), method, httpx) and is_own(type(pool), method, httpcore)


def _is_pool_replaced(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport, method: str) -> bool:
    """Return whether a mock took the place of httpcore's own pool, which then has to be the one that is asked."""
    return not is_own(type(cast("Any", transport)._pool), method, httpcore)  # noqa: SLF001 - see ``opening``


def make_request(send: Send, origin: str, api_key: APIKey) -> httpx.Request:
    """The HTTP request of a step; its key goes to ``origin`` and nowhere else.

    Raises:
        MuAPIError: The step's path leads elsewhere.
    """
    limits = dict.fromkeys(("connect", "read", "write", "pool"), max(send.timeout, 0.001))
    content = send.content or b""
    request = httpx.Request(
        send.method,
        api_address(origin, send.path),
        params=dict(send.query) or None,
        headers=_make_headers(origin, carrying=send.content is not None),
        stream=httpx.ByteStream(content),  # httpx's ``content`` adds headers, and copies them all twice for that
        extensions={"timeout": limits, KEY: api_key},
    )
    if content or send.method in WITH_LENGTH:
        request.headers["content-length"] = str(len(content))
    request.read()  # so that a user's transport may ask for its content, as for any other request's
    if send.headers:
        request.headers.update(send.headers)
    if send.media_type and send.content is not None:
        request.headers["content-type"] = send.media_type
    hide_webhooks(send, api_key)
    request.headers["x-api-key"] = api_key.reveal()  # never in a local of ours, which a traceback may show
    return request


@lru_cache(maxsize=64)
def _make_headers(origin: str, *, carrying: bool) -> httpx.Headers:
    """What all requests to an origin begin with; httpx copies it."""
    host = httpx.URL(origin).netloc.decode("ascii")
    return httpx.Headers({"Host": host, **ASKING, **(CARRYING if carrying else {})})


def hide_webhooks(send: Send, api_key: APIKey) -> None:
    """Have the webhooks hidden that a request carries, or the job it asks after: a server may echo them as well.

    Once before it is sent, and once more before its answer is read: others may have come meanwhile, and only so many
    are remembered.
    """
    if send.secrets:
        api_key.hide_too(send.secrets)
    # In JSON it can be read; those of a form are among ``secrets``.
    holds_webhook = SIGN in (send.content or b"").lower() and is_json(send.media_type)
    if send.query or holds_webhook:
        api_key.hide_too(find_sent(send.query, send.content if holds_webhook else None))


@lru_cache(maxsize=64)
def _read_root(origin: str) -> tuple[tuple[str, bytes, int | None, bytes], bytes]:
    """Where an origin is, and the path of its root. Read once, as below: every new path is held against it."""
    root = httpx.URL(f"{origin}/")
    return (root.scheme, root.raw_host, root.port, b""), root.raw_path


@lru_cache(maxsize=1024)
def api_address(origin: str, path: str) -> httpx.URL:
    """The URL of a path of the API, proven to be there.

    Read once: a job is looked at many times, and reading its URL takes as long as building the request.

    Raises:
        MuAPIError: It is not below ``origin``.
        httpx.InvalidURL: It is no URL.
    """
    (place, root), url = _read_root(origin), httpx.URL(origin + path)
    same_origin = (url.scheme, url.raw_host, url.port, url.userinfo) == place
    if not same_origin or not url.raw_path.startswith(root) or url.query or url.fragment:
        raise MuAPIError(f"{path!r} does not lead to {origin}, and the API key goes nowhere else: nothing was sent")
    return url
