"""Keep keys and webhook addresses out of what is written down. Pure.

Lives here: what counts as a secret, and calls, texts and JSON without it. Does not live here: an API key in replies
(``_settings/api_key``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from attrs import evolve

from muapi_client._settings.spellings import hide_spelt, unescape
from muapi_client._settings.webhook import WEBHOOK_NAMES, secret_parts, split_address
from muapi_generated.types import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muapi_client._settings.webhook import Webhook
    from muapi_generated.types import Call

# Fields whose values may hold a token, in lower case and without _ and -: however one is spelt, it is hidden.
FIELDS: Final = frozenset(name.replace("_", "") for name in WEBHOOK_NAMES)
SIGN: Final = b"hook"  # stands in each of them, so that JSON without it need not be read
SHORTEST: Final = 8  # characters; what is shorter is part of ordinary words
MOST: Final = 256  # secrets remembered, the newest: a client has two, and more only where each call has its webhook
PLAIN: Final = (str, int, float, type(None))  # what holds no fields, and need not be walked through
HIDDEN: Final = "[hidden]"
SIGNS: Final = ("\\", "%", "&", "\0")  # without one of them a text spells everything as it is


class Found:
    """Secrets on their way, to be iterated over. It is no sequence, whose items a traceback's locals would show."""

    __slots__ = ("_any", "_texts")

    def __init__(self, texts: Iterable[str]) -> None:
        found = tuple(texts)
        self._texts, self._any = found.__iter__, bool(found)
        del found  # a traceback that shows locals shows none

    def __bool__(self) -> bool:
        return self._any

    def __iter__(self) -> Iterator[str]:
        return self._texts()


def find_secrets(call: Call[Any] | None, webhook: Webhook | None) -> Found:
    """Return what must not stand in anything written about a call, the client's own webhook included."""
    within = (call.body, call.query, call.headers) if call is not None else ()
    hidden = _list_hidden(call) if call is not None and (call.headers or call.cookies) else ()
    return Found({*([webhook.reveal()] if webhook else []), *_values(list(within)), *hidden})


def _list_hidden(call: Call[Any]) -> Iterator[str]:
    """The texts in a call's cookies, and in its headers whose names tell of a secret: an answer may echo them."""
    headers = (value for name, value in call.headers.items() if is_secret(name))
    return (value for value in (*headers, *call.cookies.values()) if isinstance(value, str))


def find_sent(query: Mapping[str, Any], content: bytes | None) -> Found:
    """Return the webhooks that a request carries in its query and its JSON body."""
    return Found(_values([dict(query), json.loads(content) if content else None]))


def remove_secrets(call: Call[Any]) -> Call[Any]:
    """A call as it may be shown and written down: without its webhooks, and without what headers and cookies hide."""
    bare = evolve(call, body=_without_fields(call.body), query=_without_fields(call.query))
    return without_hidden_headers(bare)


def without_hidden_headers(call: Call[Any]) -> Call[Any]:
    """A call without its cookies, and without headers whose names tell of a secret."""
    if not call.headers and not call.cookies:
        return call
    headers = {name: value for name, value in call.headers.items() if not is_secret(name)}
    return evolve(call, headers=headers, cookies={})


class Secrets:
    """The secrets met so far; none of them is left in a text cleaned here."""

    def __init__(self) -> None:
        self._spellings: dict[str, tuple[str, ...]] = {}

    def add(self, secrets: Iterable[str | None]) -> None:
        """Remember secrets, however they may be spelt in a URL or in JSON."""
        for secret in secrets:
            if secret is None or len(secret) < SHORTEST or secret in self._spellings:
                continue
            spellings = {spelling for part in _parts(secret) for spelling in _spellings(part)}
            self._spellings[secret] = tuple(sorted(spellings, key=len, reverse=True))
        for oldest in tuple(self._spellings)[:-MOST]:
            self._spellings.pop(oldest, None)

    def clean_text(self, text: str) -> str:
        """A text without the secrets."""
        for spellings in tuple(self._spellings.values()):
            for spelling in spellings:
                if spelling in text:
                    text = text.replace(spelling, HIDDEN)
        return self._clean_escaped(text) if any(sign in text for sign in SIGNS) else text

    def _clean_escaped(self, text: str) -> str:
        """A text without the tokens that stand escaped in it, letter by letter."""
        content = text.encode("utf-8", "surrogatepass")
        plain = unescape(content)
        tokens = {token for secret in tuple(self._spellings) for token in secret_parts(secret) if token.isascii()}
        for token in tokens:
            if token.encode() in plain:
                content = hide_spelt(token, content, HIDDEN.encode())
        return content.decode("utf-8", "surrogatepass")

    def clean_json(self, text: str) -> str:
        """JSON without the fields that hold secrets, at any depth, and without their values wherever they stand.

        Raises:
            ValueError: It is no JSON.
        """
        if not _may_hold_field(text.encode("utf-8", "replace")) and self.clean_text(text) == text:
            return text
        whole = json.loads(text)
        self.add(_values(whole))
        return json.dumps(self._clean(whole))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.clean_text(value)
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {self.clean_text(name): self._clean(item) for name, item in value.items() if not _is_secret(name)}
        return value


def _parts(secret: str) -> Iterator[str]:
    """What of a secret is one by itself: all of it; of a URL what follows its scheme, password, path, tokens."""
    yield secret
    yield from secret_parts(secret)
    user, host, path = split_address(secret)
    yield from (part for part in (f"{user}{host}{path}", user, path) if len(part) >= SHORTEST)


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it may stand in a text: plain, in a URL, in JSON."""
    written = secret.encode("utf-8", "replace")
    quoted = {quote(written, safe=""), quote(written, safe="/:")}
    yield from (secret, json.dumps(secret)[1:-1], *quoted)
    yield from (re.sub("%..", lambda match: match[0].lower(), text) for text in quoted)


def _without_fields(value: Any) -> Any:
    """A JSON value without the fields that hold secrets, at any depth; what is no JSON stays as it is."""
    if isinstance(value, Mapping):
        return {name: _without_fields(item) for name, item in value.items() if not _is_secret(str(name))}
    return [_without_fields(item) for item in value] if isinstance(value, list | tuple) else value


def _may_hold_field(content: bytes) -> bool:
    """Whether JSON may have a field of ``FIELDS``, which most has not: reading all of it takes longer."""
    return SIGN in (unescape(content) if b"\\" in content else content).lower()


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return name.replace("_", "").replace("-", "").lower() in FIELDS


def _values(value: Any, *, secret: bool = False) -> Iterator[str]:
    """The texts in the fields that hold secrets."""
    if isinstance(value, str):
        if secret:
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, secret=secret)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            within = secret or _is_secret(str(name))
            if within or not isinstance(item, PLAIN):
                yield from _values(item, secret=within)
