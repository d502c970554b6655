"""Bytes beyond an answer, on a connection that is kept for the next request.

On it they would be read as the beginning of the next answer, and a paid submit be given the id of another's job. Bytes
that arrive later are seen by httpcore, which asks the socket before it uses a connection again. Those that arrived
together with the answer have left the socket: they wait in h11's buffer, in an event loop's, or within TLS. Looking at
these reaches into httpx 0.28, httpcore 1 and anyio 4, which have no public door for it; a test fails should they
change.

Lives here: finding them. Does not live here: closing the connection for it (``hosts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


def drop_if_more_came(response: httpx.Response, body: Any) -> None:
    """Have a connection closed, rather than kept, on which more came than the answer.

    Args:
        response: The answer, all of which was read.
        body: Its stream, as httpx made it.
    """
    stream = getattr(body, "_httpcore_stream", None)
    connection = getattr(getattr(stream, "_stream", stream), "_connection", None)  # a pool's is around the connection's
    if connection is None:
        return
    beyond, _ = connection._h11_state.trailing_data  # noqa: SLF001 - see above
    if beyond or _holds_bytes(response.extensions["network_stream"]):
        connection._keepalive_expiry = -1.0  # noqa: SLF001 - what has expired is closed, as any other


def _holds_bytes(network: Any) -> bool:
    """Whether a connection has received what nobody has read: within TLS, or read ahead, by asyncio or by us."""
    within_tls = network.get_extra_info("ssl_object")
    if within_tls is not None and within_tls.pending():
        return True
    if isinstance(network, httpcore.NetworkStream):  # a blocking one, which reads ahead for TLS within TLS alone
        encrypted = getattr(getattr(network, "_inner", network), "_incoming", None)
        return bool(encrypted is not None and encrypted.pending)
    for layer in _layers(network):
        encrypted = getattr(layer, "_read_bio", None)
        protocol = getattr(layer, "_protocol", None)
        ahead = getattr(protocol, "read_queue", None) or getattr(layer, "_early", None)
        if getattr(encrypted, "pending", 0) or ahead:
            return True
    return False


def _layers(stream: Any) -> Iterator[Any]:
    """A stream and what it stands on: our own calls it ``_inner``, httpcore's ``_stream``, TLS ``transport_stream``."""
    names = ("_inner", "_stream", "transport_stream")
    while stream is not None:
        yield stream
        stream = next((below for name in names if (below := getattr(stream, name, None)) is not None), None)
