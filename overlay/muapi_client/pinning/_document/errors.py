"""The one error of pinning.

Lives here: the error, how it quotes what came from elsewhere, and what it says a misspelt name may mean. Does not live
here: deciding that something went wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client._types.error import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def list_near(name: str, known: Iterable[str]) -> str:
    """The known names that are nearly this one, as a question to end a message with; empty where there are none."""
    from difflib import get_close_matches  # noqa: PLC0415 - a misspelt name is rare

    near = get_close_matches(name, [*known], n=3)
    return f": did you mean {', '.join(near)}?" if near else ""
