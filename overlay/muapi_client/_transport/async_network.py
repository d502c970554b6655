"""The awaiting client's sockets: which addresses they go to, and an answer that comes before its request is whole.

The counterpart of ``deadline``, which holds the blocking client's sockets; time-outs need nothing here, since
``anyio.fail_after`` cancels whole exchanges.

asyncio reads nothing while it writes, and drops what has arrived once a write fails. So a server that refuses a large
file early and closes, as it may, would look as if it had broken down, and be sent the file again. While a form is
posted, the answer is therefore looked for before and during each write, and sending ends with it.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import httpcore

from muapi_client._transport.guard import check_addresses, resolve, resolve_home
from muapi_client._transport.threads import run_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    import httpx

PIECE: Final = 64 * 2**10  # bytes read at a time
TURNS: Final = 4  # of the event loop, in which what has arrived is read
STATUS_LINE: Final = len(b"HTTP/1.1 4")  # bytes that tell whether an answer is final

_posting: Final[ContextVar[bool]] = ContextVar("posting", default=False)


@contextmanager
def watch_for_answers() -> Iterator[None]:
    """While this task sends a request, look for its answer all the time."""
    outer = _posting.set(True)
    try:
        yield
    finally:
        _posting.reset(outer)


def hold_sockets(transport: httpx.AsyncHTTPTransport, home: str | None) -> None:
    """Make the sockets of a transport do what this module is for.

    Reaches into httpx 0.28 and httpcore 1, which have no public door for this; a test fails should they change.

    Args:
        transport: httpx's own.
        home: The host beside which no private address is connected to; None where any may be.
    """
    pool: Any = transport._pool  # noqa: SLF001 - see above
    pool._network_backend = _Backend(pool._network_backend, home)  # noqa: SLF001 - see above


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, inner: httpcore.AsyncNetworkBackend, home: str | None) -> None:
        self._inner, self._home = inner, home

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if self._home is None:
            return _Stream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        addresses = await self._resolve(host, port, timeout, self._home)
        for address in addresses:
            limit = timeout and timeout / len(addresses)  # an address that is silent leaves time for the next
            try:
                return _Stream(await self._inner.connect_tcp(address, port, limit, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def _resolve(self, host: str, port: int, seconds: float | None, home: str) -> list[str]:
        try:
            with anyio.fail_after(seconds):
                addresses = await run_in_thread(resolve, host, port, abandon=True)
                check_addresses(host, addresses, await run_in_thread(resolve_home, home, abandon=True))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} could not be resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._early = b""  # what was read while a request was written

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        if self._early:
            piece, self._early = self._early[:max_bytes], self._early[max_bytes:]
            return piece
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        if not _posting.get():
            await self._inner.write(buffer, timeout)
            return
        with _duplicate(self._inner) as spare:
            fault = await self._write_watching(buffer, timeout)
            if fault is not None and not is_answer(self._early):
                self._early += _read_rest(spare)
        if is_answer(self._early):
            raise httpcore.WriteError("the answer came before all of the request was sent") from fault
        if fault is not None:
            raise fault

    async def _write_watching(self, buffer: bytes, seconds: float | None) -> Exception | None:
        """Write, until an answer comes; answers what went wrong, if anything did."""
        fault: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, group)
            for _ in range(TURNS):
                await anyio.lowlevel.checkpoint()
            try:
                await self._inner.write(buffer, seconds)
            except Exception as error:  # noqa: BLE001 - the caller's: out of the group it would come as one of a group
                fault = error
            group.cancel_scope.cancel()
        return fault

    async def _watch(self, group: anyio.abc.TaskGroup) -> None:
        try:
            while piece := await self._inner.read(PIECE):
                self._early += piece
                if is_answer(self._early):
                    group.cancel_scope.cancel()  # nobody reads what is still to be written
                    return
        except (httpcore.NetworkError, anyio.BusyResourceError):
            return  # the write, or the reading of the answer, will say so

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@contextmanager
def _duplicate(stream: httpcore.AsyncNetworkStream) -> Iterator[socket.socket | None]:
    """A second handle on a connection's socket, by which to read what had arrived when a write failed.

    asyncio closes its own then. None with TLS, where what can be read so cannot be understood.
    """
    raw = stream.get_extra_info("socket")
    if raw is None or raw.fileno() < 0 or stream.get_extra_info("ssl_object") is not None:
        yield None
        return
    with socket.fromfd(raw.fileno(), raw.family, raw.type) as spare:
        spare.setblocking(False)
        yield spare


def _read_rest(spare: socket.socket | None) -> bytes:
    found = b""
    if spare is not None:
        with suppress(OSError):  # no more has arrived, or the connection is broken: the write's own error says so
            while piece := spare.recv(PIECE):
                found += piece
    return found


def is_answer(early: bytes) -> bool:
    """Return whether bytes are the beginning of a final answer; one of the 100s is none."""
    while early.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
        early = early.partition(b"\r\n\r\n")[2]
    return len(early) >= STATUS_LINE
