"""One deadline for a whole blocking exchange, held at the socket.

httpx has a timeout for each read and none for all of them, so an answer that drips one byte at a time outlives every
limit. Here the limit of each socket operation shrinks to what is left of the exchange. (Awaiting exchanges need none
of this: ``anyio.fail_after`` cancels them.)

Lives here: the clock of a blocking exchange, at its sockets. Does not live here: how long an exchange may take (the
step says so), the awaiting client's sockets (``async_network``).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import httpcore

from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._transport.guard import check_addresses, refuse_real, resolve, resolve_home
from muapi_client._transport.heads import HeldHead

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    import httpx

exchange_ends: Final[ContextVar[float | None]] = ContextVar("exchange_ends", default=None)
"""When this thread's exchange ends on ``time.monotonic()``, in seconds; set and reset around each."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let no socket operation of this thread's exchange outlast ``seconds`` from now."""
    outer = exchange_ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        exchange_ends.reset(outer)


def hold_deadlines(transport: httpx.HTTPTransport, home: str | None = None) -> None:
    """Make the sockets of a transport keep to :func:`deadline`.

    Reaches into httpx 0.28 and httpcore 1, which have no public door for this; a test fails should they change.

    Args:
        transport: httpx's own.
        home: The host beside which no private address is connected to (``guard``); None where any may be.
    """
    pool: Any = transport._pool  # noqa: SLF001 - see above
    if not isinstance(pool._network_backend, _Backend):  # noqa: SLF001 - see above; a user's transport may serve two clients
        pool._network_backend = _Backend(pool._network_backend, home)  # noqa: SLF001 - see above


def _left(timeout: float | None, kind: type[httpcore.TimeoutException]) -> float | None:
    ends = exchange_ends.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise kind("the time for the exchange ran out")
    return left if timeout is None else min(left, timeout)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, home: str | None = None) -> None:
        self._inner, self._home = inner, home

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        refuse_real(host)
        try:
            found = resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        except UnicodeError as error:  # a label that is empty or too long
            raise httpcore.ConnectError(f"{host[:80]} is no name of a host: {error}") from error
        if self._home is not None:
            check_addresses(host, found, resolve_home(self._home))
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for place, address in enumerate(found):
            limit = _left(timeout, httpcore.ConnectTimeout)
            limit = limit and limit / (len(found) - place)  # an address that is silent leaves time for the next
            try:
                return _Stream(self._inner.connect_tcp(address, port, limit, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                raise_if_from_signal_handler(error)  # the next address is none of its business
                last = error
        raise last

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, _left(timeout, httpcore.ConnectTimeout), socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner, self._head = inner, HeldHead()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        held = self._head.end()
        if held:
            self._write(held, timeout)
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        ready = self._head.add(buffer)
        if ready:
            self._write(ready, timeout)

    def _write(self, buffer: bytes, timeout: float | None) -> None:
        try:
            self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))
        except httpcore.WriteError as error:  # httpcore passes over it, since an answer may have come all the same
            raise_if_from_signal_handler(error)
            raise

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
