"""The one error of this room: a reason why nothing is rendered, in a sentence for the person at the terminal."""

from __future__ import annotations


class RefusalError(Exception):
    """Rendering stops here and generated/ stays as it was; the message says what to look at."""
