"""The connection of one stream, and carrying its flow out: once blocking, once awaiting.

Lives here: opening, pulling, closing, and the generators that callers iterate over. Does not live here: what is sent,
and what the bytes mean (``_streams/flow``); steps that all flows have (``driver``). Nothing is sent before the first
event is asked for, and however the iteration ends the connection is closed with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import httpx

from muapi_client._protocol.steps import Emit, End, NoReply, Piece, Reply, Step, Stopped, has_ended
from muapi_client._runtime.content_coding import describe_odd_coding
from muapi_client._runtime.delivery import Delivery
from muapi_client._runtime.tracebacks import clear_locals, raise_if_from_signal_handler
from muapi_client._transport.deadline import deadline
from muapi_client._transport.driver import (
    GRACE,
    acarry_out,
    aread_content,
    aread_pieces,
    carry_out,
    find_closing,
    finish_step,
    make_no_reply,
    make_reply,
    read_content,
    read_pieces,
)
from muapi_client._transport.faults import FAULTS, connection_error
from muapi_client._transport.hosts import make_request
from muapi_client._types.error import add_job_note
from muapi_client.errors import APIConnectionError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from muapi_client._protocol.steps import Send, StreamFlow
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._transport.connections import AsyncConnections, Connections

ACCEPT: Final = "text/event-stream, application/x-ndjson, application/json"
FRAMED: Final = (b"HTTP/1.0", b"HTTP/1.1")  # there a body without a length or chunks ends with its connection


class _Base:
    def __init__(self, clock: Clock, origin: str, api_key: APIKey) -> None:
        self.clock = clock
        self.origin = origin
        self.key = api_key
        self.request_id: str | None = None
        self._request: httpx.Request | None = None
        self._response: httpx.Response | None = None

    def _request_for(self, send: Send) -> httpx.Request:
        request = make_request(send, self.origin, self.key)
        request.headers["accept"] = ACCEPT
        request.headers["accept-encoding"] = "identity"  # what is compressed may be held back until there is more of it
        return request

    def _open(self, response: httpx.Response) -> None:
        """Take a success up as the stream.

        Raises:
            APIConnectionError: Nothing of it can be read.
        """
        if odd := describe_odd_coding(response.headers):
            raise APIConnectionError(f"the stream came in {odd}")
        self._response = response

    def _make_piece(self, piece: bytes | None, ends: float, seconds: float) -> Piece | End | NoReply:
        now = self.clock.now()
        if piece is None:
            return End(self._is_framed(), now)
        return self._make_silence(seconds) if now > ends + GRACE else Piece(self.key.hide(piece), now)

    def _is_framed(self) -> bool:
        """Return whether the end of the body proves that all of it arrived."""
        response = self._response
        if response is None:
            return True
        if response.extensions.get("http_version") not in FRAMED:
            return True
        return (
            "content-length" in response.headers or "chunked" in response.headers.get("transfer-encoding", "").lower()
        )

    def _make_no_reply(self, error: BaseException, seconds: float) -> NoReply:
        self._raise_unless_fault(error)
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return self._make_silence(seconds)
        return NoReply(APIConnectionError(self.key.hide_text(str(error)) or type(error).__name__), self.clock.now())

    def _raise_unless_fault(self, error: BaseException) -> None:
        raise_if_from_signal_handler(error)
        if not isinstance(error, FAULTS):
            raise error

    def _make_silence(self, seconds: float) -> NoReply:
        return NoReply(APIConnectionError(f"nothing came for {seconds:g} s"), self.clock.now())


class Channel(_Base):
    """The connection of a blocking client's stream."""

    def __init__(self, connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> None:
        super().__init__(clock, origin, api_key)
        self.connections = connections
        self._pieces: Iterator[bytes] = iter(())

    def open(self, send: Send) -> Reply | NoReply:
        """Send a request. A success is answered by its head and stays open; of all else the whole body is read."""
        began, handled = self.clock.now(), sys.exception()
        delivery = send.delivery or Delivery()
        try:
            with deadline(send.timeout):
                self._request = self._request_for(send)
                response = self.connections.send(self._request, delivery)
                if response.is_success:
                    self._open(response)
                    self._pieces = read_pieces(response)
                    return make_reply(response, b"", self.clock, self.key, began)
                content = read_content(response, began + send.timeout, self.clock, send)
        except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
            self.connections.fail(self._request, error)
            clear_locals(error, handled, everything=False)
            return make_no_reply(connection_error(error, send, delivery, self.origin, self.key), self.clock, began)
        return make_reply(response, content, self.clock, self.key, began)

    def pull(self, seconds: float) -> Piece | End | NoReply:
        """Wait ``seconds`` at most for the next bytes."""
        ends, handled = self.clock.now() + seconds, sys.exception()
        try:
            with deadline(seconds):
                piece = next((piece for piece in self._pieces if piece), None)
        except BaseException as error:  # noqa: BLE001 - as above
            self.connections.fail(self._request, error)
            clear_locals(error, handled, everything=False)
            return self._make_no_reply(error, seconds)
        return self._make_piece(piece, ends, seconds)

    def close(self) -> None:
        """Close the connection, unless all of the answer was read."""
        if self._response is not None:
            try:
                self._response.close()
            except BaseException as error:  # noqa: BLE001 - as above
                self.connections.fail(self._request, error)
                self._raise_unless_fault(error)  # a fault of a connection that nobody needs any more is none


class AsyncChannel(_Base):
    """The connection of an awaiting client's stream."""

    def __init__(self, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey) -> None:
        super().__init__(clock, origin, api_key)
        self.connections = connections
        self._pieces: AsyncGenerator[bytes] | None = None

    async def open(self, send: Send) -> Reply | NoReply:
        """The twin of :meth:`Channel.open`."""
        import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

        began, handled = self.clock.now(), sys.exception()
        delivery = send.delivery or Delivery()
        try:
            with anyio.fail_after(send.timeout + GRACE):
                self._request = self._request_for(send)
                response = await self.connections.send(self._request, delivery)
                if response.is_success:
                    self._open(response)
                    self._pieces = aread_pieces(response)
                    return make_reply(response, b"", self.clock, self.key, began)
                content = await aread_content(response, began + send.timeout, self.clock, send)
        except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
            self.connections.fail(self._request, error)
            clear_locals(error, handled, everything=False)
            return make_no_reply(connection_error(error, send, delivery, self.origin, self.key), self.clock, began)
        return make_reply(response, content, self.clock, self.key, began)

    async def pull(self, seconds: float) -> Piece | End | NoReply:
        """The twin of :meth:`Channel.pull`."""
        import anyio  # noqa: PLC0415 - as above

        ends, handled = self.clock.now() + seconds, sys.exception()
        try:
            with anyio.fail_after(seconds + GRACE):
                piece = await self._next()
        except BaseException as error:  # noqa: BLE001 - as above
            self.connections.fail(self._request, error)
            clear_locals(error, handled, everything=False)
            return self._make_no_reply(error, seconds)
        return self._make_piece(piece, ends, seconds)

    async def _next(self) -> bytes | None:
        if self._pieces is not None:
            async for piece in self._pieces:
                if piece:
                    return piece
        return None

    async def close(self) -> None:
        """Close the connection, unless all of the answer was read; a cancellation does not cut that short."""
        if self._response is not None and self._pieces is not None:
            import anyio  # noqa: PLC0415 - as above

            try:
                with anyio.CancelScope(shield=True):
                    await self._pieces.aclose()
                    await self._response.aclose()
            except BaseException as error:  # noqa: BLE001 - as above
                self.connections.fail(self._request, error)
                self._raise_unless_fault(error)  # as above


def stream(begin: Callable[[], StreamFlow[None]], channel: Channel) -> Generator[Any]:
    """Carry out the flow that ``begin`` makes, of a stream or of a followed job, and yield its events, blocking.

    As in ``driver.run``, whatever goes wrong between two of its steps is thrown into the flow.

    Args:
        begin: Makes the flow, when the first event is asked for.
    """
    flow = begin()
    try:
        try:
            yield from _stream(flow, None, channel)
        except BaseException as error:
            if has_ended(flow):
                raise
            yield from _stream(flow, error, channel)  # it struck here, between two steps
        finally:
            channel.close()
    except BaseException as error:
        add_job_note(error, channel.request_id)
        raise


def _stream(flow: StreamFlow[None], error: BaseException | None, channel: Channel) -> Generator[Any]:
    outcome: Any = None
    try:
        while True:
            step = flow.send(outcome) if error is None else flow.throw(error)
            error = None
            try:
                if isinstance(step, Emit):
                    yield step.event
                    outcome = channel.clock.now()
                else:
                    outcome = carry_out(step, channel.connections, channel.clock, channel.origin, channel.key)
            except BaseException as raised:  # noqa: BLE001 - the flow decides; what it does not handle comes back out of throw()
                error = _translate_error(raised, step)
    except (StopIteration, Stopped):
        return
    finally:
        del error  # its traceback holds this frame


async def astream(begin: Callable[[], StreamFlow[None]], channel: AsyncChannel) -> AsyncGenerator[Any]:
    """The twin of :func:`stream`, yielding to the event loop."""
    channel.connections.enter()
    flow = begin()
    error: BaseException | None = None
    left: BaseException | None = None  # the caller wants no more, or the event loop ends: nothing can be awaited then
    outcome: Any = None
    step: Step | Emit | None = None
    try:
        while True:
            try:
                step = flow.send(outcome) if error is None else flow.throw(error)
                error = None
                if left is not None:
                    outcome = finish_step(step, left)
                elif isinstance(step, Emit):
                    yield step.event
                    outcome = channel.clock.now()
                else:
                    outcome = await acarry_out(step, channel.connections, channel.clock, channel.origin, channel.key)
            except BaseException as raised:
                if has_ended(flow):
                    raise
                error = _translate_error(find_closing(raised, step) or raised, step)
                if isinstance(error, GeneratorExit) or isinstance(step, Emit):
                    left = left or error
    except (StopIteration, Stopped):
        await channel.close()
    except GeneratorExit:  # the event loop ended while something was awaited: nothing can be awaited any more
        raise
    except BaseException:
        await channel.close()
        raise
    finally:
        del error, left  # as above


def _translate_error(error: BaseException, step: Step | Emit | None) -> BaseException:
    """Translate an error for the flow: the caller can have closed the stream only where it had an event."""
    return Stopped() if isinstance(error, GeneratorExit) and isinstance(step, Emit) else error
