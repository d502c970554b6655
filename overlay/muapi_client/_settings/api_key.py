"""The API key: read once, and never shown, nor what a server echoes of it in whatever spelling."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from muapi_client.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


NO_KEY: Final = "no API key: pass api_key= or set MUAPI_API_KEY (dashboard, API Keys)"
ODD_KEY: Final = "the API key holds characters no key has (a space, a line break, …): copy it anew"
SHORTEST: Final = 16  # characters; real keys are longer, and a test's "k" is part of other words


HIDDEN: Final = "[API key]"
NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}  # characters with a name in HTML
SIGNS: Final = (b"\\u00", b"\\x", b"%", b"&#", b";#", b"\0")  # without one of them a text spells letters as they are
ODD_SIGNS: Final = (b"\\", b"&")  # the same of other characters, which no key is known to have


class APIKey:
    """An API key that tells itself to nobody: not in a repr, a pickle or a traceback's locals.

    What a server echoes of it is hidden in every spelling that JSON, URLs and HTML have for a character. Most answers
    hold none of them and cost one search; what is searched for in the others is made when it is first needed.

    Attributes:
        reveal: Answers the key itself, for the request that carries it. A method of the text's own, whose repr does
            not show the text.
    """

    __slots__ = ("_find_escape", "_replace", "_signs", "reveal")

    def __init__(self, key: str) -> None:
        self.reveal: Callable[[], str] = key.__str__
        self._signs = SIGNS if re.fullmatch(r"[\w.~-]*", key) else SIGNS + ODD_SIGNS
        self._find_escape: Callable[[bytes], object] | None = None
        self._replace: Callable[[bytes, bytes], bytes] | None = None

    def __repr__(self) -> str:
        return "APIKey('…')"

    def __reduce__(self) -> str:
        raise TypeError("an API key is not pickled; make the client anew in the other process")

    def hide(self, content: bytes) -> bytes:
        """An answer without the key, should it echo it; words shorter than any key are left alone."""
        if len(content) < SHORTEST or len(self.reveal()) < SHORTEST:
            return content
        if self.reveal().encode() in content:
            content = content.replace(self.reveal().encode(), HIDDEN.encode())
        if any(sign in content for sign in self._signs) and self._holds_escape(content):
            content = self._hide_escaped(content)
        return content

    def hide_text(self, text: str) -> str:
        """The same of a text."""
        if len(text) < SHORTEST:
            return text
        return self.hide(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def hide_values(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The same of an answer's headers."""
        whole = "\n".join(headers.values())
        if self.hide_text(whole) == whole:
            return headers
        return {name: self.hide_text(value) for name, value in headers.items()}

    def begins_in(self, text: str) -> int:
        """How many characters at the end of a text are the beginning of the key: the rest may be yet to come."""
        longest = min(len(text), len(self.reveal()) - 1) if len(self.reveal()) >= SHORTEST else 0
        return next((size for size in range(longest, 0, -1) if self.reveal().startswith(text[-size:])), 0)

    def _holds_escape(self, content: bytes) -> bool:
        """Whether a character of the key stands escaped in an answer; of what most escape, it has none."""
        if self._find_escape is None:
            self._find_escape = re.compile(_escapes_of(set(self.reveal())).encode()).search
        return self._find_escape(content) is not None or b"\0" in content

    def _hide_escaped(self, content: bytes) -> bytes:
        if self._replace is None:
            self._replace = re.compile("".join(map(_spellings_of, self.reveal())).encode()).sub
        plain = content.replace(b"\0", b"")  # UTF-16 and UTF-32, which JSON may be written in, put them between letters
        hidden = self._replace(HIDDEN.encode(), plain)
        return content if hidden == plain else hidden


def _escapes_of(characters: set[str]) -> str:
    """A pattern that finds one of these characters, escaped. It begins with one of few signs, and so is fast."""
    hexadecimal = "|".join(sorted({_hexadecimal(each) for each in characters}))
    decimal = "|".join(sorted({str(ord(each)) for each in characters}))
    itself = "|".join(re.escape(each) for each in sorted(characters) if not each.isalnum())
    names = "|".join(NAMED[each] for each in sorted(characters & NAMED.keys()))
    ways = [rf"(?:\\|u00|x|25|amp;|#[xX]0*)*(?:{hexadecimal})", rf"(?:amp;)*#0*(?:{decimal})"]
    ways += [rf"\\*(?:{itself})"] * bool(itself) + [rf"(?:amp;)*(?:{names})"] * bool(names)
    return rf"[\\%&](?:{'|'.join(ways)})"


def _spellings_of(character: str) -> str:
    """A pattern of the ways to write a character: plain, or escaped for JSON, a URL or HTML, once or again."""
    code, decimal = _hexadecimal(character), ord(character)
    ways = [
        rf"\\*{re.escape(character)}",
        rf"\\+(?:u00|x){code}",
        rf"%(?:25)*{code}",
        rf"&(?:amp;)*#(?:0*{decimal}|[xX]0*{code});?",
    ]
    if character in NAMED:
        ways.append(rf"&(?:amp;)*{NAMED[character]};?")
    return f"(?:{'|'.join(ways)})"


def _hexadecimal(character: str) -> str:
    """A pattern of a character's code in hexadecimal, in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{ord(character):02x}")


def read_key(given: str | None) -> APIKey:
    """The key given, or ``MUAPI_API_KEY``.

    Raises:
        AuthenticationError: There is none, or it cannot be sent as a header.
    """
    if given is not None and not isinstance(given, str):
        kind = type(given).__name__
        del given
        raise AuthenticationError(f"api_key must be text, not a {kind}: leave it out to use MUAPI_API_KEY")
    key = (given if given is not None else os.environ.get("MUAPI_API_KEY", "")).strip()
    if key and key.isascii() and key.isprintable() and " " not in key:
        return APIKey(key)
    what = ODD_KEY if key else NO_KEY
    del given, key  # a traceback that shows locals shows no secret
    raise AuthenticationError(what)
