"""Bytes that came beyond an answer, within TLS, and within the TLS of a proxy beneath it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

import httpcore
import pytest
import trustme

from muapi_client._transport.leftovers import drop_if_more_came


class Ends:
    """Both ends of TLS, through memory."""

    def __init__(self) -> None:
        authority = trustme.CA()
        serving, asking = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
        authority.issue_cert("api.example").configure_cert(serving)
        authority.configure_trust(asking)
        self.incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ours = asking.wrap_bio(self.incoming, self._outgoing, server_hostname="api.example")
        self._their_incoming, self._their_outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._theirs = serving.wrap_bio(self._their_incoming, self._their_outgoing, server_side=True)
        for end in (self.ours, self._theirs) * 3:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            self._carry()
        with suppress(ssl.SSLWantReadError):
            self.ours.read(1)  # what a server says after the handshake

    def _carry(self) -> None:
        self._their_incoming.write(self._outgoing.read())
        self.incoming.write(self._their_outgoing.read())

    def send(self, content: bytes) -> None:
        """Let the server send something."""
        self._theirs.write(content)
        self._carry()


class TLSInTLS(httpcore.NetworkStream):
    """A blocking connection by way of a proxy that is reached over TLS, with httpcore's own names."""

    def __init__(self, inner: Ends, outer: Ends | None) -> None:
        self.ssl_obj, self._incoming = inner.ours, inner.incoming
        self._sock = outer and outer.ours

    def get_extra_info(self, info: str) -> Any:
        return self.ssl_obj if info == "ssl_object" else None


class Layer:
    """A layer of an awaiting connection: anyio's TLS, with anyio's own names."""

    def __init__(self, ends: Ends, below: Layer | None) -> None:
        self._ssl_object, self._read_bio, self.transport_stream = ends.ours, ends.incoming, below


class Answer:
    """An answer that was read whole, and the connection it came on."""

    def __init__(self, network: Any) -> None:
        self.extensions = {"network_stream": network}
        self._connection = self
        self._httpcore_stream = self
        self._h11_state = self
        self.trailing_data = (b"", False)
        self._keepalive_expiry = 4.0


@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
@pytest.mark.parametrize("where", ["nowhere", "decrypted", "encrypted", "beneath, decrypted"])
def test_a_connection_is_dropped_wherever_more_waits_on_it(where: str, kind: str) -> None:
    inner, outer = Ends(), Ends()
    if where == "encrypted":
        inner.send(b"another answer")
    elif where == "decrypted":
        inner.send(b"the answer, and another")
        assert inner.ours.read(10) == b"the answer"
    elif where == "beneath, decrypted":
        outer.send(b"the answer, and another")
        assert outer.ours.read(10) == b"the answer"
    answer: Any = Answer(TLSInTLS(inner, outer) if kind == "blocking" else Layer(inner, Layer(outer, None)))
    drop_if_more_came(answer.extensions, answer)
    assert (answer._keepalive_expiry < 0) == (where != "nowhere")


def test_anyio_has_tls_under_the_names_that_are_looked_for() -> None:
    from anyio.streams.tls import TLSStream

    assert {"_ssl_object", "_read_bio", "transport_stream"} <= set(TLSStream.__annotations__)


def test_httpcore_has_tls_within_tls_under_the_names_that_are_looked_for() -> None:
    from httpcore._backends.sync import TLSinTLSStream

    assert {"_sock", "_incoming", "ssl_obj"} <= set(TLSinTLSStream.__init__.__code__.co_names)
