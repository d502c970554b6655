"""What a file is written to on its way, be it the disk or memory.

Lives here: the promise. Does not live here: keeping it (``temp_file``, ``memory_file``).
"""

from __future__ import annotations

from typing import Protocol


class Part(Protocol):
    """What a file is written to on its way."""

    def open(self) -> None:
        """Begin."""
        ...

    def begin(self, offset: int) -> None:
        """Go on writing at ``offset``; what stands behind it is dropped."""
        ...

    def write(self, content: bytes) -> None:
        """Append to it."""
        ...

    def head(self) -> bytes:
        """Its first bytes, for telling what it is."""
        ...
