"""An answer as the bytes of HTTP/1.1, and what a fault does to them. Pure: an answer in, moves out.

Lives here: framing, and where it is cut, dripped or reset. Does not live here: sockets and timers (``server``).
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

import h11
from attrs import frozen

from muapi_client.emulator._http.faults import Fault, cut_in_half, split_into_drips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.emulator._http.faults import FaultedResponse
    from muapi_client.emulator._messages.messages import Response

_BODILESS: Final = frozenset({204, 304})  # RFC 9110: their answers end with the head
_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


class End(Enum):
    """How a connection ends."""

    RESET = "reset"  # RST: the client's reading fails at once
    CLOSE = "close"  # FIN: what was written arrives


@frozen
class Pause:
    """Nothing is written for some seconds."""

    seconds: float


Move: TypeAlias = bytes | Pause | End


def plan_moves(connection: h11.Connection, faulted: FaultedResponse, *, bare: bool = False) -> Iterator[Move]:
    """Plan what is written, and when, to answer the request that ``connection`` has read; ``bare`` answers a HEAD."""
    if faulted.response is None:
        yield End.RESET
        return
    if faulted.fault is Fault.DELAY:
        yield Pause(faulted.seconds)
    head, *pieces = encode_response(connection, faulted.response, bare=bare)
    if faulted.fault is Fault.CUT_BODY:
        yield head + cut_in_half(b"".join(pieces))
        yield End.CLOSE
    elif faulted.fault is Fault.SLOW_BODY:
        yield head
        for seconds, drip in split_into_drips(faulted.seconds, b"".join(pieces)):
            yield Pause(seconds)
            yield drip
    elif faulted.response.chunks:
        yield head
        yield from pieces
    else:
        yield head + b"".join(pieces)


def encode_response(connection: h11.Connection, response: Response, *, bare: bool = False) -> list[bytes]:
    """The head of ``response``, then its body in pieces; ``bare`` leaves the body out."""
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
    if response.chunks:
        headers.append((b"transfer-encoding", b"chunked"))
    elif not any(name.lower() == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(response.body)))
    start = h11.Response(status_code=response.status, headers=headers, reason=_REASONS.get(response.status, b""))
    body = () if bare or response.status in _BODILESS else response.chunks or (response.body,)
    written = [connection.send(start), *(connection.send(h11.Data(data=data)) for data in body)]
    return [data or b"" for data in (*written, connection.send(h11.EndOfMessage()))]
