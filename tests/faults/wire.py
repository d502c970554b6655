"""Every fault, as what it does to the bytes of an answer. Pure: an answer in, moves out.

Lives here: the list of kinds, and what a client can at best know of a submit that met one. Does not live here:
sockets (``server``), when a fault strikes (``plans``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from typing import Any, Final

from truth import Answer

DRIP: Final = 0.05  # seconds between two bytes of a dripped answer: some 15 s for a whole one
DELAY: Final = 0.05  # seconds an answer is late by
FAR: Final = "9" * 12  # seconds of an absurd Retry-After
PADDING: Final = b" " * (20 * 2**20)  # JSON may hold white space anywhere
JUNK: Final = b"[" + b"0," * 2**20 + b"0]"  # to read a million numbers takes a tenth of a second
PAGE: Final = b"<!doctype html><html><head><title>Just a moment...</title></head><body>cf-ray</body></html>"


class End(Enum):
    """How a connection ends."""

    RESET = "reset"  # SO_LINGER 0
    CLOSE = "close"  # FIN


@dataclass(frozen=True)
class Pause:
    """Nothing happens for some seconds."""

    seconds: float


Move = bytes | Pause | End
Moves = Callable[[Answer], Iterator[Move]]


class Known(Enum):
    """What a client can at best know of a submit."""

    NOT_SENT = "not sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        known: What a client that is sent one at a submit can at best know of it.
        accepts: Whether a submit that meets one has been accepted before: True, False, or None where it may be
            either, and the client cannot tell.
        again: Whether the submit may be sent again.
    """

    name: str
    moves: Moves
    known: Known = Known.UNKNOWN
    accepts: bool | None = None
    again: bool = False


def head(status: int, headers: list[tuple[str, str]]) -> bytes:
    """A status line and headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode("latin-1")


def whole(answer: Answer, content: bytes | None = None, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    """An answer as it should be."""
    content = answer.content() if content is None else content
    framing = [("content-type", "application/json"), ("content-length", str(len(content)))]
    return head(answer.status, [*answer.headers, *framing, *extra]) + content


def plain(answer: Answer) -> Iterator[Move]:
    """No fault at all."""
    yield whole(answer)


def _status(status: int, *headers: tuple[str, str], body: bytes = b'{"detail": "later"}') -> Moves:
    def moves(_answer: Answer) -> Iterator[Move]:
        yield head(status, [("content-type", "application/json"), ("content-length", str(len(body))), *headers]) + body

    return moves


def _page(status: int) -> Moves:
    def moves(_answer: Answer) -> Iterator[Move]:
        yield head(status, [("content-type", "text/html"), ("content-length", str(len(PAGE)))]) + PAGE

    return moves


def _instead(body: Any) -> Moves:
    def moves(answer: Answer) -> Iterator[Move]:
        yield whole(Answer(200, body, answer.headers))

    return moves


def _bytes(content: bytes, *extra: tuple[str, str]) -> Moves:
    def moves(_answer: Answer) -> Iterator[Move]:
        yield whole(Answer(200, None), content, extra)

    return moves


def _end(end: End) -> Moves:
    def moves(_answer: Answer) -> Iterator[Move]:
        yield end

    return moves


def _hang(_answer: Answer) -> Iterator[Move]:
    yield Pause(3600)


def _delay(answer: Answer) -> Iterator[Move]:
    yield Pause(DELAY)
    yield whole(answer)


def _drip_head(answer: Answer) -> Iterator[Move]:
    for byte in whole(answer):
        yield bytes([byte])
        yield Pause(DRIP)


def _drip_body(answer: Answer) -> Iterator[Move]:
    start, _, content = whole(answer).partition(b"\r\n\r\n")
    yield start + b"\r\n\r\n"
    for byte in content:
        yield bytes([byte])
        yield Pause(DRIP)


def _cut_length(answer: Answer) -> Iterator[Move]:
    yield whole(answer)[:-5]
    yield End.CLOSE


def _cut_chunk(answer: Answer) -> Iterator[Move]:
    content = answer.content()
    yield head(answer.status, [*answer.headers, ("transfer-encoding", "chunked")])
    yield f"{len(content):x}\r\n".encode() + content[:-3]
    yield End.CLOSE


def _chunks_without_end(answer: Answer) -> Iterator[Move]:
    content = answer.content()
    yield head(answer.status, [*answer.headers, ("transfer-encoding", "chunked")])
    yield f"{len(content):x}\r\n".encode() + content + b"\r\n"
    yield End.CLOSE


def _garbage(_answer: Answer) -> Iterator[Move]:
    yield b"\x16\x03\x01 this is no HTTP\x00\r\n\r\n"
    yield End.CLOSE


def _half_head(answer: Answer) -> Iterator[Move]:
    yield whole(answer)[:20]
    yield End.RESET


def _huge(answer: Answer) -> Iterator[Move]:
    yield whole(answer, PADDING + answer.content())


def _duplicates(answer: Answer) -> Iterator[Move]:
    twice = Answer(answer.status, answer.body, answer.headers * 2)
    yield whole(twice, extra=(("content-length", str(len(answer.content()))), ("retry-after", "0")))


def _two_lengths(answer: Answer) -> Iterator[Move]:
    yield whole(answer, extra=(("content-length", "7"),))
    yield End.CLOSE


def _informed(answer: Answer) -> Iterator[Move]:
    yield b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    yield whole(answer)


def _closes_idle(answer: Answer) -> Iterator[Move]:
    """The connection is given up right after an answer that did not say so."""
    yield whole(answer)
    yield End.CLOSE


def _wrong_id(answer: Answer) -> Iterator[Move]:
    """The finished result of somebody else's job; of a submit, an answer that lost its id."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if "request_id" in body or "data" in body:
        yield whole(Answer(200, {"status": "processing"}))
    else:
        theirs = {"id": "somebody-elses", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/x.png"]}
        yield whole(Answer(200, theirs))


def _redirect(status: int) -> Moves:
    def moves(answer: Answer) -> Iterator[Move]:
        where = dict(answer.headers).get("x-elsewhere", "http://127.0.0.1:9/")
        yield head(status, [("location", where), ("content-length", "0")])

    return moves


def _past() -> str:
    return format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)


def _soon(answer: Answer) -> Iterator[Move]:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    yield from _status(429, ("retry-after", until))(answer)


_REFUSED: Final = {"known": Known.REFUSED, "accepts": False}
_ANSWERED: Final = {"known": Known.ACCEPTED, "accepts": True}

SLOW: Final = frozenset({"hang", "drip_head", "drip_body"})  # they outlast any patience
KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("reset_on_accept", _end(End.RESET), accepts=False),
        Kind("reset_before_reading", _end(End.RESET), accepts=False),
        Kind("reset_after_reading", _end(End.RESET)),
        Kind("close_after_reading", _end(End.CLOSE)),
        Kind("hang", _hang),
        Kind("delay", _delay, **_ANSWERED),
        Kind("drip_head", _drip_head),
        Kind("drip_body", _drip_body, accepts=True),
        Kind("half_head", _half_head),
        Kind("cut_length", _cut_length, accepts=True),
        Kind("cut_chunk", _cut_chunk, accepts=True),
        Kind("chunks_without_end", _chunks_without_end, accepts=True),
        Kind("garbage", _garbage),
        Kind("html_200", _page(200)),
        Kind("html_502", _page(502)),
        Kind("html_403", _page(403), **_REFUSED),
        Kind("408", _status(408)),
        Kind("408_seconds", _status(408, ("retry-after", "1"))),
        Kind("425", _status(425)),
        Kind("429", _status(429), again=True, **_REFUSED),
        Kind("429_seconds", _status(429, ("retry-after", "1")), again=True, **_REFUSED),
        Kind("429_date", _soon, again=True, **_REFUSED),
        Kind("429_past", _status(429, ("retry-after", _past())), again=True, **_REFUSED),
        Kind("429_absurd", _status(429, ("retry-after", FAR)), again=True, **_REFUSED),
        Kind("429_nonsense", _status(429, ("retry-after", "-1e999 soon")), again=True, **_REFUSED),
        Kind("429_html", _page(429), again=True, **_REFUSED),
        Kind("500", _status(500)),
        Kind("502", _status(502)),
        Kind("503", _status(503)),
        Kind("503_seconds", _status(503, ("retry-after", "1"))),
        Kind("503_absurd", _status(503, ("retry-after", FAR))),
        Kind("504", _status(504)),
        Kind("522", _status(522)),
        Kind("shape_list", _instead([])),
        Kind("shape_null", _instead(None)),
        Kind("shape_text", _instead("accepted")),
        Kind("shape_number", _instead(7)),
        Kind("shape_empty", _instead({})),
        Kind("shape_foreign", _instead({"hello": {"world": [1, 2, {}]}})),
        Kind("shape_odd_id", _instead({"request_id": {"a": []}, "id": [], "status": 5, "cost": "much"})),
        Kind("shape_nested_odd", _instead({"data": [], "status": None, "outputs": 0, "error": []})),
        Kind("empty", _bytes(b"")),
        Kind("no_utf8", _bytes(b'{"request_id": "\xff\xfe"}')),
        Kind("half_json", _bytes(b'{"request_id": "abc')),
        Kind("deep_json", _bytes(b"[" * 100_000)),
        Kind("bad_gzip", _bytes(b"no gzip at all", ("content-encoding", "gzip"))),
        Kind("huge", _huge, **_ANSWERED),
        Kind("huge_junk", _bytes(JUNK)),
        Kind("wrong_id", _wrong_id),
        Kind("duplicate_headers", _duplicates, **_ANSWERED),
        Kind("two_lengths", _two_lengths, accepts=True),
        Kind("informed", _informed, **_ANSWERED),
        Kind("closes_idle", _closes_idle, **_ANSWERED),
        Kind("redirect_302", _redirect(302)),
        Kind("redirect_303", _redirect(303)),
        Kind("redirect_307", _redirect(307), **_REFUSED),
    )
}
