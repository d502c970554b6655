"""Pictures: a chessboard in the two colours of its mark, in four formats.

Lives here: the board, and the fewest bytes of PNG, GIF, JPEG and WebP that show it. Does not live here: which file
gets which format (``files``).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, AnyStr, Final

from muapi_client.emulator._media.palette import colours, note
from muapi_client.emulator._media.riff import chunk, riff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.emulator._media.palette import Colour

_SIZE: Final = 64  # pixels a side
_SQUARE: Final = 8  # pixels a side of one field: also the block of a JPEG
_FIELDS: Final = _SIZE // _SQUARE


def _rows(one: AnyStr, two: AnyStr) -> list[AnyStr]:
    """The board's rows of pixels, given what stands for a pixel of either colour."""
    even, odd = ((a * _SQUARE + b * _SQUARE) * (_FIELDS // 2) for a, b in ((one, two), (two, one)))
    return ([even] * _SQUARE + [odd] * _SQUARE) * (_FIELDS // 2)


def png(mark: bytes) -> bytes:
    """PNG: true colour, eight bits a channel."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    one, two = colours(mark)
    rows = b"".join(b"\0" + row for row in _rows(bytes(one), bytes(two)))  # 0: unfiltered
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", struct.pack(">IIBBBBB", _SIZE, _SIZE, 8, 2, 0, 0, 0))
        + part(b"tEXt", b"Comment\0" + note(mark))
        + part(b"IDAT", zlib.compress(rows))
        + part(b"IEND", b"")
    )


def gif(mark: bytes) -> bytes:
    """GIF 89a. A clear code before every run keeps the LZW codes at eight bits, so pixels are their own codes."""
    clear, end, run = 128, 129, 120  # codes of a table of 128 colours; 126 would make it grow
    table = b"".join(bytes(colour) for colour in colours(mark)).ljust(3 * clear, b"\0")
    pixels = b"".join(_rows(b"\0", b"\1"))
    codes = b"".join(bytes([clear]) + pixels[at : at + run] for at in range(0, len(pixels), run)) + bytes([end])
    blocks = b"".join(_sub_block(codes[at : at + 255]) for at in range(0, len(codes), 255))
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", _SIZE, _SIZE, 0xF6, 0, 0)  # 0xF6: a global table of 2**7 colours
        + table
        + b"\x21\xfe"
        + _sub_block(note(mark))
        + b"\0"
        + struct.pack("<BHHHHB", 0x2C, 0, 0, _SIZE, _SIZE, 0)
        + b"\x07"  # bits of a pixel
        + blocks
        + b"\0;"
    )


def _sub_block(content: bytes) -> bytes:
    return bytes([len(content)]) + content


def jpeg(mark: bytes) -> bytes:
    """JPEG: baseline, no subsampling. A field is one block, of which only the mean is told."""

    def segment(kind: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content

    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    # Means in steps of 8/8 = 1. Means differ by 255 at most, so there are nine sizes of a difference: codes of four
    # bits. Of the other 63 coefficients only "none" is ever said: one bit.
    means = segment(0xC4, b"\x00" + bytes([0, 0, 0, 9]).ljust(16, b"\0") + bytes(range(9)))
    others = segment(0xC4, b"\x10" + bytes([1]).ljust(16, b"\0") + b"\0")
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + segment(0xFE, note(mark))
        + segment(0xDB, b"\0" + bytes([8] * 64))
        + segment(0xC0, struct.pack(">BHHB", 8, _SIZE, _SIZE, 3) + components)
        + means
        + others
        + segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0")
        + _scan(mark)
        + b"\xff\xd9"
    )


def _scan(mark: bytes) -> bytes:
    """The blocks of the three channels in turn, each as the difference of its mean from the one before."""
    levels = [_luma(colour) for colour in colours(mark)]
    bits = ""
    before = (0, 0, 0)
    for field in range(_FIELDS * _FIELDS):
        level = levels[(field + field // _FIELDS) % 2]
        bits += "".join(map(_difference, level, before))
        before = level
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def _luma(colour: Colour) -> Colour:
    """A colour's brightness and two differences of colour, less 128 (JFIF 1.02)."""
    red, green, blue = colour
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    return tuple(min(127, round(v)) for v in (bright - 128, (blue - bright) / 1.772, (red - bright) / 1.402))  # type: ignore[return-value]


def _difference(value: int, before: int) -> str:
    """A mean as bits: how long its difference is, the difference, and that the block holds nothing else."""
    difference = value - before
    size = abs(difference).bit_length()
    digits = difference if difference > 0 else difference + (1 << size) - 1
    return f"{size:04b}" + (f"{digits:0{size}b}" if size else "") + "0"


def webp(mark: bytes) -> bytes:
    """WebP, lossless: each channel has two values, so a pixel takes three bits."""
    bits = "".join(_lossless(*colours(mark)))
    pixels = int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    canvas = struct.pack("<I", 0) + 2 * (_SIZE - 1).to_bytes(3, "little")
    return riff(b"WEBP", chunk(b"VP8X", canvas), chunk(b"VP8L", b"\x2f" + pixels), chunk(b"NOTE", note(mark)))


def _lossless(one: Colour, two: Colour) -> Iterator[str]:
    """The bits of a VP8L image, in the order they are read."""

    def number(value: int, width: int) -> str:
        return f"{value:0{width}b}"[::-1]

    yield number(_SIZE - 1, 14) + number(_SIZE - 1, 14) + number(0, 1) + number(0, 3)  # no alpha, version 0
    yield "000"  # no transform, no cache of colours, one set of codes
    order = (1, 0, 2)  # green, red, blue
    for channel in order:
        low, high = sorted((one[channel], two[channel]))
        yield "111" + number(low, 8) + number(high, 8)  # a simple code of two symbols of eight bits
    yield "101" + number(255, 8)  # alpha is always 255
    yield "100" + "0"  # distances are never used
    first, second = ("".join("01"[a[channel] > b[channel]] for channel in order) for a, b in ((one, two), (two, one)))
    yield from _rows(first, second)
