"""One connection of a served emulator: requests in, answers out, one at a time and in order.

Lives here: reading a request whole, playing the moves of its answer, and what is told of it. Does not live here: the
bytes (``reader``, ``wire``), the listening socket (``server``).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client.emulator._http.faults import FaultedResponse
from muapi_client.emulator._http.log import build_log_entry, build_refusal_entry
from muapi_client.emulator._http.reader import Refused, RequestReader
from muapi_client.emulator._http.wire import End, Pause, plan_moves
from muapi_client.emulator._messages.messages import Request, Response, parse_query, split_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muapi_client.emulator._http.log import LogEntry
    from muapi_client.emulator._http.reader import Received
    from muapi_client.emulator._http.wire import Move

_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST
_AHEAD: Final = 100  # requests that one connection may have waiting for their turn
_AT_ONCE: Final = 10  # answers of one connection, after which others have their turn
_LINGER: Final = 5.0  # seconds in which a refused client may read why and hang up itself
_DISCARDED: Final = 2**20  # bytes that it may go on sending meanwhile


@frozen
class Service:
    """The emulator behind a connection, as functions.

    Args:
        meet: Answers a request, under its fault.
        now: Reads the emulator's clock, in seconds.
        date: Tells the time of day as answers do.
        log: Told of every request before it is answered, refused ones too.
    """

    meet: Callable[[Request], FaultedResponse]
    now: Callable[[], float]
    date: Callable[[], str]
    log: Callable[[LogEntry], object] | None = None


class Connection(asyncio.Protocol):
    """One connection; ``open`` is the set of those that stand."""

    transport: asyncio.Transport

    def __init__(self, service: Service, connections: set[Connection]) -> None:
        self._service = service
        self._connections = connections
        self._reader = RequestReader()
        self._moves: Iterator[Move] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None  # to go on with what has come, after others
        self._is_full = False  # the client reads slower than it is answered
        self._peer = ""
        self._has_all = False  # the client has sent its last
        self._keeps_alive = True
        self._discarded: int | None = None  # bytes; None until something is refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio has accepted it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        # asyncio sets this only for sockets that name their protocol, which a listener's do not: without it each piece
        # of a chunked answer waits 40 ms for an acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = str(transport.get_extra_info("peername", ("",))[0])
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """It is gone, whoever ended it."""
        self._connections.discard(self)
        self._moves = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._discarded is not None:
            self._discard(len(data))
            return
        self._reader.feed(data)
        if len(self._reader.received) > _AHEAD:
            self.transport.pause_reading()
        self._take()

    def pause_writing(self) -> None:
        """Asyncio has more to write than the client reads: nothing more is written, nor answered."""
        self._is_full = True

    def resume_writing(self) -> None:
        """The client has read."""
        self._is_full = False
        if self._timer is None:
            self._resume()

    def eof_received(self) -> bool:
        """The client will send no more; an answer under way is still written."""
        if self._discarded is not None:
            return False
        self._reader.end()
        self._has_all = True
        self._take()
        return self._discarded is None and not self.transport.is_closing()

    def _take(self) -> None:
        """Answer requests that have come whole, one after another, unless an answer is under way.

        One client's requests are no reason to let another wait: after some of them it is the others' turn.
        """
        if self._turn is not None:
            return
        for _ in range(_AT_ONCE):
            if self._moves is not None or self._is_full or self._discarded is not None or self.transport.is_closing():
                return
            if self._reader.received:
                self._answer(self._reader.received.popleft())
            elif self._reader.refusal is not None:
                self._refuse(self._reader.refusal)
            elif self._has_all:
                self.transport.close()
            else:
                self.transport.resume_reading()
                if self._reader.asks_to_go_on:
                    self._reader.asks_to_go_on = False
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
        self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self._take()

    def _refuse(self, refused: Refused) -> None:
        """Answer a request that the emulator is not shown, or fails at, and hang up once the client has.

        Closing at once would reset the connection while the client still sends, and take the answer back from it.
        """
        if self._service.log is not None:
            self._service.log(build_refusal_entry(refused))
        body = json.dumps({"detail": refused.why}).encode()
        headers = {"content-type": "application/json", "date": self._service.date()}
        for move in plan_moves(FaultedResponse(Response(refused.status, headers, body)), keeps_alive=False):
            assert isinstance(move, bytes)
            self.transport.write(move)
        self._discarded = 0
        self.transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(_LINGER, self.transport.close)

    def _discard(self, size: int) -> None:
        assert self._discarded is not None
        self._discarded += size
        if self._discarded > _DISCARDED:
            self.transport.close()

    def _answer(self, received: Received) -> None:
        request = _make_request(received, self._service.now(), self._peer)
        started = asyncio.get_running_loop().time()
        try:
            faulted = self._service.meet(request)
        except Exception as error:
            why = f"The emulator failed: {type(error).__name__}: {error}"
            self._refuse(Refused(500, why, received.method, received.target))
            raise  # asyncio tells it, with its traceback, on standard error
        if self._service.log is not None:
            self._service.log(build_log_entry(request, faulted, asyncio.get_running_loop().time() - started))
        self._keeps_alive = received.keeps_alive
        self._moves = plan_moves(
            faulted,
            bare=received.method == "HEAD",
            is_modern=received.is_modern,
            keeps_alive=self._keeps_alive,
        )
        self._make_moves()

    def _make_moves(self) -> None:
        """Make moves until one takes time, the client has to read first, or none is left."""
        if self._moves is None or self._is_full:
            return
        for move in self._moves:
            match move:
                case Pause(seconds):
                    self._timer = asyncio.get_running_loop().call_later(seconds, self._resume)
                    return
                case End.RESET:
                    self._reset()
                    return
                case End.CLOSE:
                    self.transport.close()
                    return
                case data:
                    self.transport.write(data)
                    if self._is_full:
                        return
        self._moves = None
        if not self._keeps_alive:
            self.transport.close()

    def _resume(self) -> None:
        self._timer = None
        self._make_moves()
        self._take()

    def _reset(self) -> None:
        self._moves = None
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


def _make_request(received: Received, now: float, peer: str) -> Request:
    named, target = split_target(received.target)
    path, _, query = target.partition("?")
    return Request(
        method=received.method,
        path=path,
        query=parse_query(query),
        headers=received.headers,
        body=received.body,
        now=now,
        host=received.headers.get("host", "") if named is None else named,
        served=True,
        peer=peer,
    )
