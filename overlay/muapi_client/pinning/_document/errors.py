"""The one error of pinning.

Lives here: the error, and how it quotes what came from elsewhere. Does not live here: deciding that something
went wrong.
"""

from __future__ import annotations

from muapi_client._types.error import MuAPIError

LONGEST_QUOTE = 80  # characters; an error is one line, whatever a server put into the document


class PinError(MuAPIError):
    """A document that cannot be had, trusted or written; whatever was pinned before is untouched.

    The message is one line: what is wrong, where, and what to do about it.
    """

    __module__ = "muapi_client.pinning"


def quote(foreign: object) -> str:
    """Something that came from elsewhere, fit to stand in a message: escaped, and cut where it is long."""
    text = repr(foreign)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
