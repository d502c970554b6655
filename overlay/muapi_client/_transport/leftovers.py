"""Bytes beyond an answer, on a connection that is kept for the next request.

On it they would be read as the beginning of the next answer, and a paid submit be given the id of another's job. Bytes
that arrive later are seen by httpcore, which asks the socket before it uses a connection again. Those that arrived
together with the answer have left the socket: they wait in h11's buffer, in an event loop's, or within TLS. Looking at
these reaches into httpx 0.28, httpcore 1 and anyio 4, which have no public door for it; a test fails should they
change.

Lives here: finding them. Does not live here: closing the connection for it (``hosts``).
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def drop_if_more_came(extensions: Mapping[str, Any], body: Any) -> None:
    """Have a connection closed, rather than kept, on which more came than the answer.

    Args:
        extensions: Those of the answer, all of which was read.
        body: Its stream, as httpx made it.
    """
    stream = getattr(body, "_httpcore_stream", None)
    connection = getattr(getattr(stream, "_stream", stream), "_connection", None)  # a pool's is around the connection's
    if connection is None:
        return
    beyond, _ = connection._h11_state.trailing_data  # noqa: SLF001 - see above
    if beyond or _holds_bytes(extensions["network_stream"]):
        connection._keepalive_expiry = -1.0  # noqa: SLF001 - what has expired is closed, as any other


def _holds_bytes(network: Any) -> bool:
    """Whether a connection has received what nobody has read: within TLS, or read ahead, by asyncio or by us.

    There may be TLS within TLS, by way of a proxy.
    """
    if isinstance(network, httpcore.NetworkStream):  # a blocking one: only TLS stands between it and its socket
        stream = getattr(network, "_inner", network)
        plain = [network.get_extra_info("ssl_object"), getattr(stream, "_sock", None)]
        return _has_pending(plain, encrypted=[getattr(stream, "_incoming", None)])
    for layer in _layers(network):
        protocol = getattr(layer, "_protocol", None)
        ahead = getattr(protocol, "read_queue", None) or getattr(layer, "_early", None)
        if ahead or _has_pending([getattr(layer, "_ssl_object", None)], encrypted=[getattr(layer, "_read_bio", None)]):
            return True
    return False


def _has_pending(plain: list[Any], *, encrypted: list[Any]) -> bool:
    """Whether ends of TLS hold bytes that they have decrypted, or buffers some that they have not."""
    ends = [end for end in plain if isinstance(end, ssl.SSLObject | ssl.SSLSocket)]
    return any(end.pending() for end in ends) or any(bio.pending for bio in encrypted if bio is not None)


def _layers(stream: Any) -> Iterator[Any]:
    """A stream and what it stands on: our own calls it ``_inner``, httpcore's ``_stream``, TLS ``transport_stream``."""
    names = ("_inner", "_stream", "transport_stream")
    while stream is not None:
        yield stream
        stream = next((below for name in names if (below := getattr(stream, name, None)) is not None), None)
