"""Marks: how a file shows its seed.

Lives here: the comment and the colours drawn from a mark. Does not live here: where a format keeps a comment.

A mark is the 32 bytes that ``files`` makes of path and seed.
"""

from __future__ import annotations

from typing import TypeAlias

Colour: TypeAlias = "tuple[int, int, int]"  # red, green, blue, each 0 to 255


def note(mark: bytes) -> bytes:
    """The text of a file's comment, so that two marks never give equal files."""
    return b"muapi emulator " + mark.hex().encode()


def colours(mark: bytes) -> tuple[Colour, Colour]:
    """Two colours; the second is the first one's complement, so that they agree in no channel."""
    red, green, blue = mark[:3]
    return (red, green, blue), (255 - red, 255 - green, 255 - blue)
