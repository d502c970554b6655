"""The coding of an answer's body: gzip, or none. Pure.

Lives here: which codings are taken, and unpacking gzip a piece at a time. Does not live here: how much an answer or a
file may hold (who reads it counts, piece by piece), the network (``_transport/driver``, ``pinning/_document/source``).

Codings may be stacked, and gzip packs a thousand to one: 2.6 kB in two layers unpack to gigabytes, before anybody who
looks at whole pieces can count. So one layer is taken, and no piece of it is longer than ``PIECE``.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GZIP: Final = "gzip"  # what is asked for
PIECE: Final = 2**16  # bytes of the longest piece unpacked
WINDOW: Final = zlib.MAX_WBITS + 16  # zlib: any size, with gzip's header and trailer around it


def read_coding(headers: Mapping[str, str]) -> str:
    """The coding that an answer's headers tell: "" for none, "gzip", or what it is instead; several are a list."""
    told = [name.strip() for name in headers.get("content-encoding", "").lower().split(",")]
    return ", ".join("gzip" if name == "x-gzip" else name for name in told if name not in ("", "identity"))


def describe_odd_coding(headers: Mapping[str, str]) -> str:
    """What is odd about an answer's coding, for a message; "" where it is one that is taken."""
    coding = read_coding(headers)
    return "" if coding in ("", GZIP) else f"the coding {coding[:80]!r}, which was not asked for"


class Unpacking:
    """A body of which piece after piece arrives. One in a coding that is not taken stays as it came."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._gzip = zlib.decompressobj(WINDOW) if read_coding(headers) == GZIP else None
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a piece unpacks to, in pieces.

        Raises:
            zlib.error: It is no gzip.
        """
        if self._gzip is None:
            yield piece
            return
        self._begun = self._begun or bool(piece)
        unpacked = b""
        while piece or len(unpacked) == PIECE:  # behind a full piece there may be more that was read already
            if self._gzip.eof:
                piece = piece.lstrip(b"\0")  # padding, which gzip passes over
                if not piece:
                    return
                self._gzip = zlib.decompressobj(WINDOW)  # another member: files joined are one (RFC 1952, 2.2)
            unpacked = self._gzip.decompress(piece, PIECE)
            if unpacked:
                yield unpacked
            piece = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail

    def end(self) -> None:
        """Note that the body ended.

        Raises:
            zlib.error: It was cut.
        """
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise zlib.error("it was cut")
