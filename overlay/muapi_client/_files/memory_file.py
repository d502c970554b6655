"""A file that is on its way into memory, where it is wanted as bytes.

Lives here: what stands in for the disk. Does not live here: the disk's (``temp_file``), what is fetched (``fetch``).
"""

from __future__ import annotations

from muapi_client._files.media import HEAD


class MemoryFile:
    """What a fetch writes to, kept in memory."""

    def __init__(self) -> None:
        self.content = bytearray()

    def open(self) -> None:
        """Begin with nothing."""
        self.content.clear()

    def begin(self, offset: int) -> None:
        """Go on writing at ``offset``; what stands behind it is dropped."""
        del self.content[offset:]

    def write(self, content: bytes) -> None:
        """Append to it."""
        self.content += content

    def head(self) -> bytes:
        """The first bytes, for telling what it is."""
        return bytes(self.content[:HEAD])
