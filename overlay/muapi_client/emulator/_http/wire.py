"""An answer as the bytes of HTTP/1.1, and what a fault does to them. Pure: an answer in, moves out.

Lives here: framing, and where it is cut, dripped or reset. Does not live here: sockets and timers (``server``).
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

import h11
from attrs import frozen

from muapi_client.emulator._http.faults import Fault, drips, first_half

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.emulator._http.faults import Met
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


def moves(connection: h11.Connection, met: Met, *, bare: bool = False) -> Iterator[Move]:
    """What is written, and when, to answer the request that ``connection`` has read; ``bare`` answers a HEAD."""
    if met.response is None:
        yield End.RESET
        return
    if met.fault is Fault.DELAY:
        yield Pause(met.seconds)
    head, *pieces = encoded(connection, met.response, bare=bare)
    if met.fault is Fault.CUT_BODY:
        yield head + first_half(b"".join(pieces))
        yield End.CLOSE
    elif met.fault is Fault.SLOW_BODY:
        yield head
        for seconds, drip in drips(met.seconds, b"".join(pieces)):
            yield Pause(seconds)
            yield drip
    elif met.response.chunks:
        yield head
        yield from pieces
    else:
        yield head + b"".join(pieces)


def encoded(connection: h11.Connection, response: Response, *, bare: bool = False) -> list[bytes]:
    """The head of ``response``, then its body in pieces; ``bare`` leaves the body out."""
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
    if response.chunks:
        headers.append((b"transfer-encoding", b"chunked"))
    elif not any(name.lower() == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(response.body)))
    start = h11.Response(status_code=response.status, headers=headers, reason=_REASONS.get(response.status, b""))
    body = () if bare or response.status in _BODILESS else response.chunks or (response.body,)
    said = [connection.send(start), *(connection.send(h11.Data(data=data)) for data in body)]
    return [data or b"" for data in (*said, connection.send(h11.EndOfMessage()))]
