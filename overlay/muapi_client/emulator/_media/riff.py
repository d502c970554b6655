"""RIFF, the container that WAV and WebP share.

Lives here: chunks and the form around them. Does not live here: what is in a chunk.
"""

from __future__ import annotations


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk: its four letters, its length, its bytes, filled up to an even length."""
    return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def riff(form: bytes, *chunks: bytes) -> bytes:
    """A whole file of these chunks."""
    return chunk(b"RIFF", form + b"".join(chunks))
