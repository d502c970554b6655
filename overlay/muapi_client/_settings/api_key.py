"""The API key: read once, and never shown, nor what a server echoes of it in whatever spelling.

Lives here: reading and hiding it. Does not live here: spellings (``spellings``), sending it (``_transport/hosts``).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.forks import forks
from muapi_client._settings.webhook import FEWEST, secret_parts
from muapi_client._types.words import with_article
from muapi_client.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType


VARIABLE: Final = "MUAPI_API_KEY"  # of the environment: what a client without api_key= reads
# The page is the dashboard's "API Keys" of the API reference, as MuAPI's own public repositories link to it.
NO_KEY: Final = (
    "no API key: pass api_key= or set MUAPI_API_KEY (one is made at https://muapi.ai/access-keys; the command line"
    " alone reads the keyring)"
)
ODD_KEY: Final = "the API key holds characters no key has (a space, a line break, …): copy it anew"
SHORTEST: Final = 16  # characters; real keys are longer, and a test's "k" is part of other words
HIDDEN: Final = b"[API key]"
HIDDEN_WEBHOOK: Final = b"[webhook]"
SIGNS: Final = (b"\\u00", b"\\x", b"%", b"&#", b";#", b"\0")  # without one of them a text spells letters as they are
ODD_SIGNS: Final = (b"\\", b"&")  # the same of other characters, which no key is known to have
MOST: Final = 64  # webhooks remembered, the newest: a client has one or two, and more only where each call has its own


class APIKey:
    """An API key that tells itself to nobody: not in a repr, a pickle or a traceback's locals.

    What a server echoes of it is hidden in every spelling that JSON, URLs and HTML have for a character, and so is the
    secret of a webhook that was sent. Most answers hold no escape and cost one search.

    Attributes:
        reveal: Answers the key itself, for the request that carries it. A method of the text's own, whose repr does
            not show the text.
        signs: Without one of them an answer spells everything as it is.
        webhooks: The secrets of webhooks that were sent, which are hidden, too.
    """

    __slots__ = ("_unescaped", "reveal", "signs", "webhooks")

    def __init__(self, key: str) -> None:
        self.reveal: Callable[[], str] = key.__str__
        self.signs = _signs_of(key)
        plain = key.encode() if self.signs is SIGNS else _spellings().unescape(key.encode())
        self._unescaped: Callable[[], bytes] = plain.__bytes__
        del plain  # a traceback that shows locals shows no key; the method's repr does not either
        self.webhooks: dict[bytes, None] = {}

    def __repr__(self) -> str:
        return "APIKey('…')"

    def __reduce__(self) -> str:
        raise TypeError("an API key is not pickled; make the client anew in the other process")

    def hide_too(self, webhooks: Iterable[str]) -> None:
        """Hide the secrets of these URLs, too."""
        for secret in (part for url in webhooks for part in secret_parts(url) if part.isascii()):
            plain = _spellings().unescape(secret.encode())
            if len(plain) < FEWEST:
                continue
            self.webhooks[plain] = None
            self.signs = max(self.signs, _signs_of(secret), key=len)
        for oldest in tuple(self.webhooks)[:-MOST]:
            self.webhooks.pop(oldest, None)

    def hide(self, content: bytes) -> bytes:
        """An answer without the key, should it echo it; words shorter than any key are left alone."""
        if len(content) < SHORTEST:
            return content
        if self.webhooks:
            content = self._hide_webhooks(content)
        if len(self.reveal()) < SHORTEST:
            return content
        if self.reveal().encode() in content:
            content = content.replace(self.reveal().encode(), HIDDEN)
        if self._is_escaped(content) and self._unescaped() in _spellings().unescape(content):
            content = _spellings().hide_spelt(self.reveal(), content, HIDDEN)
        return content

    def _is_escaped(self, content: bytes) -> bool:
        for sign in self.signs:  # noqa: SIM110 - any() takes three times as long, of every answer's time
            if sign in content:
                return True
        return False

    def _hide_webhooks(self, content: bytes) -> bytes:
        plain = _spellings().unescape(content) if self._is_escaped(content) else content
        for reveal in [secret.__bytes__ for secret in tuple(self.webhooks)]:  # other threads may add some meanwhile
            if reveal() in plain:
                content = _spellings().hide_spelt(reveal().decode("latin-1"), content, HIDDEN_WEBHOOK)
        return content

    def hide_text(self, text: str) -> str:
        """The same of a text."""
        if len(text) < SHORTEST:
            return text
        return self.hide(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def hide_values(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The same of an answer's headers."""
        whole = "\n".join(headers.values()).encode("utf-8", "surrogatepass")
        if self.hide(whole) == whole:
            return headers
        return {name: self.hide_text(value) for name, value in headers.items()}

    def begins_in(self, text: str) -> int:
        """How many characters at the end of a text are the beginning of the key: the rest may be yet to come."""
        longest = min(len(text), len(self.reveal()) - 1) if len(self.reveal()) >= SHORTEST else 0
        return next((size for size in range(longest, 0, -1) if self.reveal().startswith(text[-size:])), 0)


def _signs_of(secret: str) -> tuple[bytes, ...]:
    return SIGNS if re.fullmatch(r"[\w.~-]*", secret, re.ASCII) else SIGNS + ODD_SIGNS


def _spellings() -> ModuleType:
    """What knows the spellings of a secret: few answers need it, and importing the package does not pay for it."""
    with forks.kept_waiting:
        from muapi_client._settings import spellings  # noqa: PLC0415 - as above

    return spellings


def read_key(given: str | None) -> APIKey:
    """The key given, or ``MUAPI_API_KEY``.

    Raises:
        AuthenticationError: There is none, or it cannot be sent as a header.
    """
    if given is not None and not isinstance(given, str):
        kind = with_article(type(given).__name__)
        del given
        raise AuthenticationError(f"api_key must be text, not {kind}: leave it out to use MUAPI_API_KEY")
    key = (given if given is not None else os.environ.get(VARIABLE, "")).strip()
    if key and key.isascii() and key.isprintable() and " " not in key:
        return APIKey(key)
    what = ODD_KEY if key else NO_KEY
    del given, key  # a traceback that shows locals shows no secret
    raise AuthenticationError(what)
