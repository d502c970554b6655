"""The error of the generator: why nothing is rendered, in a sentence for the person at the terminal.

Lives here: that error, its kind that is no fault of the document, and how text of a document is quoted in it. Does not
live here: any message, errors that tell several problems (``problems``).
"""

from __future__ import annotations

_LONGEST_QUOTE = 120  # characters of a quotation; a message is one line, whatever a document holds


class GenerationError(Exception):
    """Rendering stops here and generated/ stays as it was; the message says what to look at."""


class CorrectionError(GenerationError):
    """A correction is wrong in itself, whatever the document holds."""


def show_name(name: str) -> str:
    """Return a name of a document as it stands there, unless it would break the line."""
    return name if name.isprintable() else quote(name)


def quote(value: object) -> str:
    """Return something of a document as it may stand in a message: escaped, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
