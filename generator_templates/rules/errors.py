"""The one error of this room: a reason why nothing is rendered, in a sentence for the person at the terminal."""

from __future__ import annotations

_LONGEST = 120  # characters of a quotation; a message is one line, whatever a document holds


class RefusalError(Exception):
    """Rendering stops here and generated/ stays as it was; the message says what to look at."""


def shown(foreign: str) -> str:
    """A name of a document as it stands there, unless it would break the line."""
    return foreign if foreign.isprintable() else quoted(foreign)


def quoted(foreign: object) -> str:
    """Something of a document, fit to stand in a message: escaped, and cut where it is long."""
    text = repr(foreign)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
