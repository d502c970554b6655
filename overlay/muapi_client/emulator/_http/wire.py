"""An answer as the bytes of HTTP/1.1, and what a fault does to them. Pure: an answer in, moves out.

Lives here: framing, and where it is cut, dripped or reset. Does not live here: sockets and timers (``connection``).
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import frozen

from muapi_client.emulator._http.faults import Fault, cut_in_half, split_into_drips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.emulator._http.faults import FaultedResponse
    from muapi_client.emulator._messages.messages import Response

_BODILESS: Final = frozenset({204, 304})  # RFC 9110: their answers end with the head
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class End(Enum):
    """How a connection ends."""

    RESET = "reset"  # RST: the client's reading fails at once
    CLOSE = "close"  # FIN: what was written arrives


@frozen
class Pause:
    """Nothing is written for some seconds."""

    seconds: float


Move: TypeAlias = bytes | Pause | End


def plan_moves(
    faulted: FaultedResponse, *, bare: bool = False, is_modern: bool = True, keeps_alive: bool = True
) -> Iterator[Move]:
    """Plan what is written, and when, to answer a request.

    Args:
        faulted: The answer, under its fault.
        bare: Whether it is a HEAD's, without its body.
        is_modern: Whether the client reads chunks; of an older one the connection's end ends a body in pieces.
        keeps_alive: Whether the connection stands afterwards; the answer says where it does not.
    """
    if faulted.response is None:
        yield End.RESET
        return
    if faulted.fault is Fault.DELAY:
        yield Pause(faulted.seconds)
    head = encode_head(faulted.response, is_modern=is_modern, keeps_alive=keeps_alive)
    pieces = () if bare else encode_body(faulted.response, is_modern=is_modern)
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


def encode_head(response: Response, *, is_modern: bool, keeps_alive: bool) -> bytes:
    """The status and headers of ``response``, with those that frame its body."""
    headers = dict(response.headers)
    if response.chunks:
        headers |= {"transfer-encoding": "chunked"} if is_modern else {}
    elif response.status not in _BODILESS:
        headers.setdefault("content-length", str(len(response.body)))
    if not keeps_alive:
        headers["connection"] = "close"
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def encode_body(response: Response, *, is_modern: bool) -> tuple[bytes, ...]:
    """The body of ``response`` in pieces: in chunks (RFC 9112, 7.1) where it has any."""
    if response.status in _BODILESS:
        return ()
    if not response.chunks:
        return (response.body,)
    chunks = tuple(chunk for chunk in response.chunks if chunk)  # an empty one would end it
    return (*(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n") if is_modern else chunks
