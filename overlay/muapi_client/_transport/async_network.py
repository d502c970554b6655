"""The awaiting client's sockets: which addresses they go to, and an answer that comes before its request is whole.

Lives here: opening sockets, and reading them while a request is written. Does not live here: the blocking client's
(``deadline``), which addresses are refused (``guard``), time-outs (``anyio.fail_after`` cancels whole exchanges).

asyncio reads nothing while it writes, and drops what has arrived once a write fails; a TLS stream whose write failed
or was cancelled is not read any more. So a server that refuses a large file early and closes, as it may, would look as
if it had broken down, and be sent the file again. While a form is posted, the answer is therefore looked for before and
during each write, sending ends with it, and beneath TLS a failing write is only noted.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import httpcore

from muapi_client._transport.guard import check_addresses, refuse_real, resolve, resolve_home
from muapi_client._transport.heads import HeldHead
from muapi_client._transport.threads import run_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import httpx

PIECE: Final = 64 * 2**10  # bytes read at a time
TURNS: Final = 4  # of the event loop, in which what has arrived is read
STATUS_LINE: Final = len(b"HTTP/1.1 4")  # bytes that tell whether an answer is final
INTERIM: Final = (b"HTTP/1.1 1", b"HTTP/1.0 1")  # how the answers of the 100s begin
MOST: Final = 128 * 2**10  # bytes read ahead: more than a server has to say before it has the request

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
    backend: Any = httpcore.AnyIOBackend()  # where anyio is missing, httpcore has a stand-in of another type
    pool._network_backend = _Backend(backend, home)  # noqa: SLF001 - see above


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
        refuse_real(host)
        if self._home is None:
            return _wrap(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        addresses = await self._resolve(host, port, timeout, self._home)
        for address in addresses:
            limit = timeout and timeout / len(addresses)  # an address that is silent leaves time for the next
            try:
                return _wrap(await self._inner.connect_tcp(address, port, limit, local_address, socket_options))
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
        return _wrap(await self._inner.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _wrap(plain: Any) -> httpcore.AsyncNetworkStream:
    """A connection as httpcore opened it, which asyncio and trio alike have by way of anyio."""
    plain._stream = wire = _Wire(plain._stream)  # noqa: SLF001 - see ``hold_sockets``
    return _Stream(plain, wire)


class _Wire(anyio.abc.ByteStream):
    """The bytes of a connection, encrypted ones too.

    While a form is posted a write does not fail here: it would break the TLS stream above, by which what had arrived
    before is read. It is kept as ``fault``, for :class:`_Stream` to tell.
    """

    def __init__(self, inner: anyio.abc.ByteStream) -> None:
        self.fault: Exception | None = None
        self.stopped = False  # nothing is sent any more
        self._inner = inner
        self._sending: anyio.CancelScope | None = None
        self._spare: socket.socket | None = None  # a second handle: asyncio closes its own once a write fails

    async def send(self, item: bytes) -> None:
        if not _posting.get():
            await self._inner.send(item)
            return
        if self.stopped:
            return
        if self._spare is None:
            self._spare = _duplicate(self.extra_attributes[anyio.abc.SocketAttribute.raw_socket]())
        with anyio.CancelScope() as self._sending:
            try:
                await self._inner.send(item)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                self.fault, self.stopped = error, True

    def stop_sending(self) -> None:
        """Drop what is being sent, and whatever would be."""
        self.stopped = True
        if self._sending is not None:
            self._sending.cancel()

    async def receive(self, max_bytes: int = PIECE) -> bytes:
        try:
            return await self._inner.receive(max_bytes)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            with suppress(OSError):  # no more has arrived, or the connection is broken: the first error says so
                if self._spare is not None and (piece := self._spare.recv(max_bytes)):
                    return piece
            raise

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        if self._spare is not None:
            self._spare.close()
        await self._inner.aclose()

    @cached_property
    def extra_attributes(  # pyright: ignore[reportIncompatibleMethodOverride]  # a property, made once
        self,
    ) -> Mapping[Any, Callable[[], Any]]:
        """Asked for before each request; anyio makes them anew each time, and asks the system for the peer's name."""
        return self._inner.extra_attributes


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream, wire: _Wire) -> None:
        self._inner, self._wire, self._head = inner, wire, HeldHead()
        self._early = bytearray()  # what was read while a request was written
        self._passed = 0  # bytes of that which are answers of the 100s

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        if self._early:
            piece = bytes(self._early[:max_bytes])
            del self._early[:max_bytes]
            self._passed = 0
            return piece
        held = self._head.end()
        if held:
            await self._inner.write(held, timeout)
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        if self._wire.stopped:
            raise httpcore.WriteError("the request before this one was not sent whole")
        if not _posting.get():
            ready = self._head.add(buffer)
            if ready:
                await self._inner.write(ready, timeout)
            return
        if not buffer:  # httpcore ends a request with no bytes: an answer is not early any more
            await self._inner.write(buffer, timeout)
            return
        await self._write_watching(buffer, timeout)
        broken = self._wire.fault
        if broken is not None:
            await self._watch(timeout)  # waits for nothing: the connection is over
        if self._is_answered():
            raise httpcore.WriteError("the answer came before all of the request was sent") from broken
        if broken is not None:
            raise httpcore.WriteError(str(broken.__cause__ or broken)) from broken

    async def _write_watching(self, buffer: bytes, seconds: float | None) -> None:
        """Write, until an answer comes."""
        fault: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch)
            for _ in range(TURNS):
                await anyio.lowlevel.checkpoint()
            try:
                await self._inner.write(buffer, seconds)
            except Exception as error:  # noqa: BLE001 - the caller's: out of the group it would come as one of a group
                fault = error
            group.cancel_scope.cancel()
        if fault is not None and not self._is_answered():
            raise fault

    async def _watch(self, seconds: float | None = None) -> None:
        """Read until an answer has begun, and end the sending then."""
        try:
            while not self._is_answered() and len(self._early) < MOST:
                piece = await self._inner.read(PIECE, seconds)
                if not piece:
                    break
                self._early += piece
        except (httpcore.NetworkError, httpcore.ReadTimeout, anyio.BusyResourceError):
            return  # the write, or the reading of the answer, will say so
        if self._is_answered():
            self._wire.stop_sending()  # nobody reads what is still to be written

    def _is_answered(self) -> bool:
        """Return whether a final answer has begun; each of the 100s before it is passed over once."""
        self._passed = pass_interim(self._early, self._passed)
        return is_final(self._early, self._passed)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            encrypted = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except GeneratorExit:  # the event loop has ended: nothing can be awaited any more
            raise
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()  # httpcore does so after an error, and forgets it after a cancellation
            raise
        return _Stream(encrypted, self._wire)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _duplicate(raw: Any) -> socket.socket | None:
    if raw.fileno() < 0:
        return None  # the connection is over
    spare = socket.fromfd(raw.fileno(), raw.family, raw.type)
    spare.setblocking(False)
    return spare


def pass_interim(early: bytes | bytearray, start: int = 0) -> int:
    """Find where the answers of the 100s end which begin at ``start``: what follows is another one, or not whole."""
    while early.startswith(INTERIM, start) and (end := early.find(b"\r\n\r\n", start)) >= 0:
        start = end + len(b"\r\n\r\n")
    return start


def is_final(early: bytes | bytearray, start: int) -> bool:
    """Return whether bytes from ``start`` on are the beginning of a final answer; one of the 100s is none."""
    return len(early) - start >= STATUS_LINE and not early.startswith(INTERIM, start)
