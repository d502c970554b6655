"""In process: an httpx transport for both kinds of client.

Lives here: httpx requests to values and back, and what a fault looks like to an httpx client. Does not live here: any
behaviour. Imported only when a transport is asked for, because httpx costs 60 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio.lowlevel
import httpx

from muapi_client.emulator._http.faults import Fault, cut_in_half, split_into_drips
from muapi_client.emulator._messages.messages import Request, join_headers, parse_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from muapi_client._runtime.clock import Clock
    from muapi_client.emulator._http.faults import FaultedResponse

_BROKEN: Final = frozenset({Fault.CUT_BODY, Fault.SLOW_BODY})


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries requests to an emulator. ``clock`` is the emulator's, for a client that wants the same time.

    It tells by httpcore's ``trace`` extension that a request was sent, so that a connection that was refused is known
    for one: nothing was sent over it.
    """

    tells_when_sent = True

    def __init__(self, meet: Callable[[Request], FaultedResponse], clock: Clock) -> None:
        self._meet = meet
        self.clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, blocking."""
        sent = True  # unless it is known better
        try:
            faulted = self._meet(_request(request, request.read(), self.clock.now()))
            sent = faulted.fault is not Fault.REFUSE
        finally:
            if sent:
                _tell(request)
        if seconds := _wait(request, faulted):
            self.clock.sleep(seconds)
        return self._answer(request, faulted)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, once the event loop has let others run."""
        body = await request.aread()
        await anyio.lowlevel.checkpoint()
        sent = True  # unless it is known better
        try:
            faulted = self._meet(_request(request, body, self.clock.now()))
            sent = faulted.fault is not Fault.REFUSE
        finally:
            if sent and (telling := _tell(request)) is not None:
                await telling
        if seconds := _wait(request, faulted):
            await self.clock.asleep(seconds)
        return self._answer(request, faulted)

    def _answer(self, request: httpx.Request, faulted: FaultedResponse) -> httpx.Response:
        """The response, or the exception that a real network would have ended in."""
        if faulted.fault is Fault.REFUSE:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        if faulted.response is None:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        if faulted.fault is Fault.DELAY and _wait(request, faulted) < faulted.seconds:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        headers, status = dict(faulted.response.headers), faulted.response.status
        if faulted.fault in _BROKEN or faulted.response.chunks:
            return httpx.Response(
                status, headers=headers, stream=_Stream(request, faulted, self.clock), request=request
            )
        body = faulted.response.body
        headers.setdefault("content-length", str(len(body)))  # an answer to HEAD tells that of the whole
        # A stream, not `content`: httpx counts the bytes of what it reads, and downloads go by that count.
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces, which may be cut or take its time."""

    def __init__(self, request: httpx.Request, faulted: FaultedResponse, clock: Clock) -> None:
        self._request = request
        self._faulted = faulted
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for seconds, piece in self._pieces():
            self._clock.sleep(self._patience(seconds))
            yield self._arrived(seconds, piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for seconds, piece in self._pieces():
            await self._clock.asleep(self._patience(seconds))
            yield self._arrived(seconds, piece)

    def _pieces(self) -> Iterator[tuple[float, bytes]]:
        """How long nothing comes, and what comes then."""
        assert self._faulted.response is not None
        pieces = self._faulted.response.chunks or (self._faulted.response.body,)
        if self._faulted.fault is Fault.SLOW_BODY:
            yield from split_into_drips(self._faulted.seconds, b"".join(pieces))
        elif self._faulted.fault is Fault.CUT_BODY:
            yield 0.0, cut_in_half(b"".join(pieces))
            message = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(message, request=self._request)
        else:
            yield from ((0.0, piece) for piece in pieces)

    def _patience(self, seconds: float) -> float:
        limit = _read_timeout(self._request)
        return seconds if limit is None else min(seconds, limit)

    def _arrived(self, seconds: float, piece: bytes) -> bytes:
        if self._patience(seconds) < seconds:
            raise httpx.ReadTimeout("The read operation timed out", request=self._request)
        return piece


def _tell(request: httpx.Request) -> Any:
    """Tell whoever asked for it that a request was sent, as httpcore does; what it answers is to be awaited if any."""
    trace = request.extensions.get("trace")
    return trace("emulator.send_request_headers.started", {"request": request}) if trace is not None else None


def _read_timeout(request: httpx.Request) -> float | None:
    limit: float | None = request.extensions.get("timeout", {}).get("read")
    return limit


def _wait(request: httpx.Request, faulted: FaultedResponse) -> float:
    """How long the client waits for the head of the answer, in seconds: at most its read timeout."""
    if faulted.fault is not Fault.DELAY:
        return 0.0
    limit = _read_timeout(request)
    return faulted.seconds if limit is None else min(faulted.seconds, limit)


def _request(request: httpx.Request, body: bytes, now: float) -> Request:
    # httpx's own views of parameters and headers take longer than the emulator takes to answer.
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Request(
        method=request.method,
        path=path,
        query=parse_query(query),
        headers=join_headers(request.headers.raw),
        body=body,
        now=now,
        host=request.url.netloc.decode("ascii"),
    )
