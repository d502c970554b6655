"""The error of the generator: why nothing is rendered, in a sentence for the person at the terminal.

Lives here: that error, its kind that is no fault of the document, and how text of a document is quoted in it. Does not
live here: any message, errors that tell several problems (``problems``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_QUOTE = 120  # characters of a quotation; a message is one line, whatever a document holds


class GenerationError(Exception):
    """Rendering stops here and generated/ stays as it was; the message says what to look at.

    Attributes:
        mend: The words of an Overlay action that would mend it, but for its description; None where none is known.
    """

    def __init__(self, message: str, *, mend: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.mend = mend


class CorrectionError(GenerationError):
    """A correction is wrong in itself, whatever the document holds."""


def show_name(name: str) -> str:
    """Return a name of a document as it stands there, unless it would break the line."""
    return name if name.isprintable() else quote(name)


def quote(value: object) -> str:
    """Return something of a document as it may stand in a message: escaped, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
