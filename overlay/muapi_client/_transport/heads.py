"""The head of a request, held back until its body is there: both leave in one piece, and the system is called once.

httpcore writes head and body apart, and a call to send takes longer than anything else in an exchange. What has been
noted as sent (``hosts``) is noted before the head is written, so before it is held back: to hold it changes no word of
what was sent.

Lives here: what of a request is to be written now. Does not live here: writing (``deadline``, ``async_network``).
"""

from __future__ import annotations


class HeldHead:
    """What of the request that is being written waits for more of it."""

    def __init__(self) -> None:
        self._held = b""
        self._is_next = True  # whether what is written next is a head

    def add(self, piece: bytes) -> bytes:
        """Take a piece to be written; answers what is to be written now, which may be nothing."""
        if self._is_next and piece:
            self._is_next, self._held = False, piece
            return b""
        return self.take() + piece

    def take(self) -> bytes:
        """What is held: nothing more comes, or nothing is to be held."""
        held, self._held = self._held, b""
        return held

    def end(self) -> bytes:
        """An answer is read, so the request is whole; what is still held, as of a proxy's protocol, is answered."""
        self._is_next = True
        return self.take() if self._held else b""
