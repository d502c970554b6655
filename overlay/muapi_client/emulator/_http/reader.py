"""The bytes of one connection in, whole requests out. Pure: httptools parses, and nothing is written here.

Lives here: what a request has to keep to before anyone is shown it (HTTP/1.1, a host, sizes). Does not live here:
sockets (``connection``), answers (``wire``), what a request asks for.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import httptools
from attrs import frozen

from muapi_client.emulator._messages.messages import join_headers

BODY_MAXIMUM: Final = 64 * 2**20  # bytes; the largest upload that is allowed is a video of 50 MB
_PREFACE: Final = "Pause on PRI/Upgrade"  # what the parser says of the words that HTTP/2 begins with (RFC 9113, 3.4)
_TLS: Final = b"\x16\x03"  # a handshake, of any version (RFC 8446, 5.1)
_LINES_MAXIMUM: Final = 64 * 2**10  # bytes of a head beyond those that came at once with its beginning


@frozen
class Received:
    """A request that has come whole, and what its connection may do after it.

    Args:
        method: In capitals.
        target: The path and the query, or the absolute form that a proxy is sent.
        headers: Names in lower case; values of a repeated one joined by commas.
        body: The bytes after the headers, without the framing of chunks.
        is_modern: Whether it is HTTP/1.1, which can be answered in chunks.
        keeps_alive: Whether the connection stands after the answer.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    is_modern: bool
    keeps_alive: bool


@frozen
class Refused:
    """A request that nobody is shown, since it cannot be read whole.

    Args:
        status: What it is answered with.
        why: What the answer says; nothing of what was sent.
        method: In capitals; empty where none was read.
        target: As far as it was read.
    """

    status: int
    why: str
    method: str
    target: str


class RequestReader:
    """Reads requests. What is no request, or too large, sets ``refusal``; nothing is read after it."""

    def __init__(self) -> None:
        self.received: deque[Received] = deque()  # whole and in order, for the connection to take
        self.refusal: Refused | None = None
        self.asks_to_go_on = False  # a client waits for a 100 before it sends a body
        self._parser = httptools.HttpRequestParser(self)
        self._is_inside = False  # a request has begun
        self._in_lines = False  # and is not in its body, but in its head or what follows its chunks
        self._lines_size = 0  # bytes that have come of those
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_is_whole = False
        self._is_offer = False  # of another protocol, for which httptools passes over what follows the head
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Read what has come."""
        self._lines_size += len(data)  # begins anew with what begins in this data
        while data and self.refusal is None:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # A client that offers another protocol, such as Java's its HTTP/2, is answered as if it had not: the
                # head is read once more without the offer, and its body after it.
                (taken,) = upgrade.args
                data = (self._write_head_without_offer() if self._is_offer else b"") + data[taken:]
                self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError as error:
                self._refuse(400, _describe(error, data))
            else:
                break
        if self._in_lines and self._lines_size > _LINES_MAXIMUM:
            self._refuse(431, f"its head passes {_LINES_MAXIMUM} bytes")

    def end(self) -> None:
        """Nothing more will come."""
        if self._is_inside:
            self._refuse(400, "it ends in its middle")

    def on_message_begin(self) -> None:
        """For httptools: a request begins."""
        self._is_inside = self._in_lines = True
        self._lines_size, self._target, self._headers = 0, b"", []
        self._head_is_whole = False
        self._body.clear()

    def on_url(self, part: bytes) -> None:
        """For httptools: some of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """For httptools: a header; what comes under a name after the chunks is nothing that anyone here asks for."""
        if not self._head_is_whole:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """For httptools: the head is whole."""
        self._head_is_whole, self._in_lines = True, False
        self._is_offer = self._parser.should_upgrade() and any(name == b"upgrade" for name, _ in self._headers)
        if self._is_offer:
            return
        headers, version = dict(self._headers), self._parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self._headers)
        if version not in {"1.0", "1.1"}:
            self._refuse(400, f"it is of version {version}")
        elif hosts > 1 or (version == "1.1" and not hosts):  # RFC 9112, 3.2
            self._refuse(400, f"it has {hosts} Host headers")
        self._check_size(int(headers.get(b"content-length", 0)))
        # RFC 9110, 10.1.1: a client of HTTP/1.0 is sent none.
        self.asks_to_go_on = version == "1.1" and headers.get(b"expect", b"").lower() == b"100-continue"

    def on_chunk_header(self) -> None:
        """For httptools: a chunk begins, or what follows the last one."""
        self._in_lines, self._lines_size = True, 0

    def on_body(self, part: bytes) -> None:
        """For httptools: some of the body."""
        self._in_lines = self.asks_to_go_on = False
        if self.refusal is None:
            self._body += part
            self._check_size(len(self._body))

    def on_message_complete(self) -> None:
        """For httptools: the request is whole, but for an offer's body."""
        if self._is_offer:
            return
        self._is_inside = self._in_lines = self.asks_to_go_on = False
        if self.refusal is None:
            target, self._target = self._target, b""  # of the next one none is read yet
            is_modern = self._parser.get_http_version() == "1.1"
            self.received.append(
                Received(
                    method=self._parser.get_method().decode("latin-1"),
                    target=target.decode("latin-1"),
                    headers=join_headers(self._headers),
                    body=bytes(self._body),
                    is_modern=is_modern,
                    keeps_alive=is_modern and self._parser.should_keep_alive(),
                )
            )

    def _write_head_without_offer(self) -> bytes:
        version = self._parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), self._target, version)]
        lines += [b"%b: %b" % header for header in self._headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _check_size(self, size: int) -> None:
        if size > BODY_MAXIMUM:
            self._set_refusal(413, f"The body is too large: {size} bytes, at most {BODY_MAXIMUM}")

    def _refuse(self, status: int, why: str) -> None:
        self._set_refusal(status, f"The request is no HTTP/1.1 that is read here: {why}")

    def _set_refusal(self, status: int, why: str) -> None:
        if self.refusal is None:
            target = self._target.decode("latin-1")
            method = self._parser.get_method().decode("latin-1") if target else ""  # before a target it is made up
            self.refusal = Refused(status, why, method, target)


def _describe(error: httptools.HttpParserError, data: bytes) -> str:
    """What is wrong, in words for whoever chose the client; the parser's own where they tell enough."""
    if str(error) == _PREFACE:
        return (
            "the client speaks HTTP/2 without asking first (prior knowledge), and this emulator HTTP/1.1 alone: let the"
            " client begin with HTTP/1.1"
        )
    if data.startswith(_TLS):
        return "the client speaks TLS, and this emulator does not: its address begins with http://, not https://"
    return str(error)
