"""The one error of this room: a reason why nothing is rendered, in a sentence for the person at the terminal."""

from __future__ import annotations

_LONGEST_QUOTE = 120  # characters of a quotation; a message is one line, whatever a document holds


class GenerationError(Exception):
    """Rendering stops here and generated/ stays as it was; the message says what to look at."""


def show_name(name: str) -> str:
    """A name of a document as it stands there, unless it would break the line."""
    return name if name.isprintable() else quote(name)


def quote(value: object) -> str:
    """Something of a document, fit to stand in a message: escaped, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
