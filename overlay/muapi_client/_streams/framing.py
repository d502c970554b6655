"""A stream's bytes into frames: server-sent events, JSON lines, one JSON document or plain text. Pure.

Lives here: which of these an answer is, and where one frame ends. Does not live here: what a frame says
(``state``), getting the bytes (``_transport/stream_connection``).

The pinned document declares no content type for streams, so the answer's own decides, and after it its first bytes.
"""

from __future__ import annotations

import codecs
import json
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from httpx_sse._decoders import SSEDecoder  # not among its public names; a test fails should it go

from muapi_client._types.stream_event import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_MAXIMUM: Final = 16 * 2**20  # bytes of one event or line; a language model's delta has some hundred
BOM: Final = codecs.BOM_UTF8
SPACE: Final = b" \t\r\n"
EVENTS: Final = "text/event-stream"
LINES: Final = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/stream+json",
    }
)
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
# WHATWG: how an event stream's lines begin; the last three are comments.
FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b": ", b":\n", b":\r")
UNDECIDED: Final = 4096  # bytes of white space after which an answer is taken for text
KEPT: Final = 65536  # bytes of a body without any frame that an error keeps
CHARSETS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})  # of plain text; as Python names them
BARE: Final = (b"data: {", b"data:{")  # what is an event stream even where text/plain is declared
MARKUP: Final = (b"<!doctype", b"<html")


class Form(Enum):
    """The form of a frame in its stream."""

    EVENT = auto()  # one server-sent event
    LINE = auto()  # one line of JSON lines
    DOCUMENT = auto()  # the whole body
    TEXT = auto()  # a piece of plain text, as it came


class Frame(NamedTuple):
    """One thing a stream says, unread."""

    form: Form
    data: str
    event: str = MESSAGE
    id: str | None = None


class OversizedFrameError(Exception):
    """One frame passes ``FRAME_MAXIMUM``."""


class PageError(Exception):
    """A web page came in place of a stream; its only argument is how it begins."""


class Framing(Protocol):
    """One way to tell where a frame ends."""

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes in, and answer the frames they complete."""
        ...

    def end(self) -> Iterator[Frame]:
        """The body has ended: answer what is left."""
        ...


class Reader:
    """The frames of one answer.

    Args:
        content_type: The answer's ``Content-Type``, or "".
    """

    def __init__(self, content_type: str) -> None:
        self._type = content_type.partition(";")[0].strip().lower()
        self._charset = read_charset(content_type)
        self._head = b""
        self._framing: Framing | None = None
        self.beginning = bytearray()  # of the body, for the error of one without a frame

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes in, and answer the frames they complete.

        Raises:
            PageError: It is a web page.
            OversizedFrameError: One frame is too large.
        """
        self.beginning += piece[: KEPT - len(self.beginning)]
        if self._framing is None:
            self._head += piece
            if BOM.startswith(self._head):  # nothing yet, or not yet all of the mark some servers begin a text with
                return
            piece = self._head.removeprefix(BOM)
            self._framing = _framing(self._type, piece, self._charset, whole=len(piece) > UNDECIDED)
        if self._framing is not None:
            self._head = b""
            yield from self._framing.feed(piece)

    def end(self) -> Iterator[Frame]:
        """The body has ended: answer what is left.

        Raises:
            PageError: It is a web page.
        """
        framing, head = self._framing, self._head.removeprefix(BOM)
        if framing is None:
            framing = _framing(self._type, head, self._charset, whole=True) or Text()
            yield from framing.feed(head)
        yield from framing.end()


def read_charset(content_type: str) -> str:
    """How a plain text is encoded, by its type; UTF-8 where that tells nothing that is known."""
    charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \t\"'")
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if name in CHARSETS else "utf-8"


def _framing(media_type: str, head: bytes, charset: str, *, whole: bool) -> Framing | None:
    """How an answer of this type that begins so is framed, or None while that is open.

    Args:
        charset: What a plain text is encoded in.
        whole: Whether nothing will follow ``head``.

    Raises:
        PageError: It is a web page.
    """
    if media_type == EVENTS:
        return Events()
    if media_type in LINES:
        return Lines(declared=True)
    start = head.lstrip(SPACE)
    marks = BARE if media_type == "text/plain" else (*FIELDS, *MARKUP)
    if not whole and (not start or any(mark.startswith(start.lower()) and mark != start for mark in marks)):
        return None
    if media_type == "text/plain":
        return Events() if start.startswith(BARE) else Text(charset)
    if start.startswith(FIELDS):
        return Events()
    if start[:9].lower().startswith(MARKUP) or (media_type in PAGES and start[:1] == b"<"):
        raise PageError(head)
    return Lines() if media_type.endswith("json") or start[:1] in (b"{", b"[") else Text()


class _Splitter:
    r"""Lines of a byte stream, ended by ``\n``, ``\r\n`` or ``\r`` as WHATWG has it, however it is cut in pieces."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._return = False  # whether the last byte was \r, so that \n belongs to it

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if self._return and piece.startswith(b"\n"):
            piece = piece[1:]
        elif not piece:
            return
        self._return = piece.endswith(b"\r")
        *lines, rest = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield b"".join((*self._parts, line))
            self._parts, self._size = [], 0
        self._size += len(rest)
        if self._size > FRAME_MAXIMUM:
            raise OversizedFrameError
        if rest:
            self._parts.append(rest)

    def end(self) -> bytes:
        """Return what stands after the last end of a line."""
        return b"".join(self._parts)


class Events:
    """Server-sent events. One that the body's end cuts off before its blank line counts: no text is lost."""

    def __init__(self) -> None:
        self._splitter = _Splitter()
        self._decoder = SSEDecoder()
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes in."""
        for line in self._splitter.feed(piece):
            yield from self._take(line)

    def end(self) -> Iterator[Frame]:
        """Answer the event that was not ended."""
        if rest := self._splitter.end():
            yield from self._take(rest)
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[Frame]:
        self._size = self._size + len(line) if line else 0
        if self._size > FRAME_MAXIMUM:
            raise OversizedFrameError
        event = self._decoder.decode(line.decode("utf-8", "replace"))
        if event is not None and (event.data or event.event != MESSAGE):  # else a blank line after an id or a retry
            yield Frame(Form.EVENT, event.data, event.event, event.id or None)


class Lines:
    """JSON lines; or, where the first of them is no whole value or the only one, one JSON document.

    Args:
        declared: Whether the answer calls itself JSON lines, so that its first line need not wait for a second.
    """

    def __init__(self, *, declared: bool = False) -> None:
        self._splitter = _Splitter()
        self._sure = declared
        self._held: list[bytes] = []  # the lines so far, while it may be one document
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes in."""
        for line in self._splitter.feed(piece):
            yield from self._take(line)

    def end(self) -> Iterator[Frame]:
        """Answer the last line, or the document."""
        if rest := self._splitter.end():
            yield from self._take(rest)
        if self._held:
            yield Frame(Form.DOCUMENT, _text(b"\n".join(self._held)))

    def _take(self, line: bytes) -> Iterator[Frame]:
        if not line.strip():
            return
        if self._sure:
            yield Frame(Form.LINE, _text(line))
            return
        if len(self._held) == 1 and _is_value(self._held[0]):
            self._sure = True
            yield Frame(Form.LINE, _text(self._held.pop()))
            yield Frame(Form.LINE, _text(line))
            return
        self._held.append(line)
        self._size += len(line)
        if self._size > FRAME_MAXIMUM:
            raise OversizedFrameError


class Text:
    """Plain text: each piece as it comes, whole characters only."""

    def __init__(self, charset: str = "utf-8") -> None:
        self._decoder = codecs.getincrementaldecoder(charset)("replace")

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take the next bytes in."""
        if text := self._decoder.decode(piece):
            yield Frame(Form.TEXT, text)

    def end(self) -> Iterator[Frame]:
        """Answer what is left of a cut character."""
        if text := self._decoder.decode(b"", final=True):
            yield Frame(Form.TEXT, text)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _is_value(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
