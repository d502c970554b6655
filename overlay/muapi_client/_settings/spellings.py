r"""How a secret may be spelt where it is echoed: as it is, or escaped for JSON, a URL or HTML. Pure.

An escape may itself be escaped, in the same way (``\\u0041``, ``%2541``, ``&amp;#65;``), not in one of the others.

Lives here: finding and hiding it in whatever spelling. Does not live here: what is a secret (``api_key``, ``webhook``,
``_state/secrets``).
"""

from __future__ import annotations

import re
from typing import Final

NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}  # characters with a name in HTML
BACKSLASH: Final = ord("\\")
LARGEST: Final = 0xFF  # the code of a character that is one byte
LETTERS: Final = {name: character for character, name in NAMED.items()}
# Anywhere but within a run of backslashes, where each would read the rest of the run again.
NOT_WITHIN_BACKSLASHES: Final = r"(?:(?<!\\)|(?!\\))"
ESCAPE: Final = re.compile(
    rb"\\+(?:u00|x)([0-9A-Fa-f]{2})|%(?:25)*([0-9A-Fa-f]{2})|&(?:amp;)*#[xX]0*([0-9A-Fa-f]{1,2});?"
    rb"|&(?:amp;)*#0*(\d{1,3});?|&(?:amp;)*(amp|lt|gt|quot|apos);?"
)


def hide_spelt(secret: str, content: bytes, label: bytes) -> bytes:
    """A text without a secret, in whatever spelling it stands there; ``secret`` itself has no escapes."""
    plain = content.replace(b"\0", b"")  # UTF-16 and UTF-32, which JSON may be written in, put them between letters
    spelt = NOT_WITHIN_BACKSLASHES + "".join(map(_spellings_of, secret))
    hidden = re.sub(spelt.encode("latin-1"), label, plain)
    return content if hidden == plain else hidden


def unescape(content: bytes) -> bytes:
    """A text with its escapes undone, without backslashes: a secret in any spelling is ``unescape(secret)`` here."""
    return ESCAPE.sub(_unescape, content.replace(b"\0", b"")).replace(b"\\", b"")


def _unescape(match: re.Match[bytes]) -> bytes:
    json_code, url_code, html_code, decimal, name = match.groups()
    if name is not None:
        return LETTERS[name.decode()].encode()
    code = int(decimal) if decimal else int(json_code or url_code or html_code, 16)
    return code.to_bytes() if 0 < code <= LARGEST and code != BACKSLASH else b""


def _spellings_of(character: str) -> str:
    """A pattern of the ways to write a character."""
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
