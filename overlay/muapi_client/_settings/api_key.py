"""The API key: read once, and never shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from muapi_client.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable


NO_KEY: Final = "no API key: pass api_key= or set MUAPI_API_KEY (dashboard, API Keys)"
ODD_KEY: Final = "the API key holds characters no key has (a space, a line break, …): copy it anew"
SHORTEST: Final = 16  # characters; real keys are longer, and a test's "k" is part of other words


class APIKey:
    """An API key that tells itself to nobody: not in a repr, a pickle or a traceback's locals.

    Attributes:
        reveal: Answers the key itself, for the request that carries it. A method of the text's own, whose repr does
            not show the text.
    """

    __slots__ = ("reveal",)

    def __init__(self, key: str) -> None:
        self.reveal: Callable[[], str] = key.__str__

    def __repr__(self) -> str:
        return "APIKey('…')"

    def __reduce__(self) -> str:
        raise TypeError("an API key is not pickled; make the client anew in the other process")

    def hide_text(self, text: str) -> str:
        """A text without the key, should a server echo it there."""
        return text.replace(self.reveal(), "[API key]") if len(self.reveal()) >= SHORTEST else text

    def hide(self, content: bytes) -> bytes:
        """An answer without the key, should it echo it; words shorter than any key are left alone."""
        key = self.reveal().encode()
        return content.replace(key, b"[API key]") if len(key) >= SHORTEST else content


def read_key(given: str | None) -> APIKey:
    """The key given, or ``MUAPI_API_KEY``.

    Raises:
        AuthenticationError: There is none, or it cannot be sent as a header.
    """
    key = (given if given is not None else os.environ.get("MUAPI_API_KEY", "")).strip()
    if key and key.isascii() and key.isprintable() and " " not in key:
        return APIKey(key)
    what = ODD_KEY if key else NO_KEY
    del given, key  # a traceback that shows locals shows no secret
    raise AuthenticationError(what)
