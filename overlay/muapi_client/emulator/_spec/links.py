"""Whether a text is a URL that the server takes, judged as its URL parser does (WHATWG's URL Standard).

Lives here: the reading of scheme, host and port, and the parser's words for what is wrong. Does not live here: how
long a link may be, other types (``reading``).

Measured on pydantic 2.12's ``HttpUrl``, as ``tests/emulator/differential.py`` does. Hosts of other alphabets are read
by Unicode's NFKC and categories alone, and ``file:`` not at all.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import unquote_to_bytes

SCHEMES: Final = ("http", "https")

_NO_BASE: Final = "relative URL without a base"
_NO_DOMAIN: Final = "invalid international domain name"
_NO_HOST: Final = "empty host"
_WEB: Final = frozenset({*SCHEMES, "ws", "wss", "ftp"})  # whose hosts are domains; "file" has a grammar of its own
_EDGES: Final = "".join(map(chr, range(0x21)))  # C0 controls and the space, which are cut off at both ends
_SKIPPED: Final = str.maketrans("", "", "\t\n\r")  # anywhere in a URL
_IGNORED: Final = str.maketrans("", "", "\u00ad\u200b\u2060\ufeff")  # anywhere in a domain
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)
_WEB_AUTHORITY: Final = re.compile(r"[\\/]*([^\\/?#]*)")
_OTHER_AUTHORITY: Final = re.compile(r"//([^/?#]*)")
_PORT: Final = re.compile(r"[0-9]*")
_NOT_IN_DOMAINS: Final = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
_NOT_IN_HOSTS: Final = re.compile(r"[\x00 <>\[\\\]^|]")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_LARGEST_PORT: Final = 65535
_PARTS_OF_IPV4: Final = 4
_BYTE: Final = 256


def find_link_error(text: str) -> str:
    """Say what is wrong with ``text`` as a URL, in the words of the server's parser; ``""`` where nothing is.

    Whether its scheme is HTTP's is another question: see :func:`read_scheme`.
    """
    text = text.strip(_EDGES).translate(_SKIPPED)
    if not text:
        return "input is empty"
    match = _SCHEME.match(text)
    if match is None:
        return _NO_BASE
    scheme = match[1].lower()
    found = (_WEB_AUTHORITY if scheme in _WEB else _OTHER_AUTHORITY).match(text, match.end())
    if found is None or scheme == "file":
        return ""
    return _find_authority_error(found[1], is_web=scheme in _WEB)


def read_scheme(text: str) -> str:
    """The scheme of a URL, in lower case; ``""`` where it has none."""
    match = _SCHEME.match(text.strip(_EDGES).translate(_SKIPPED))
    return match[1].lower() if match else ""


def _find_authority_error(authority: str, *, is_web: bool) -> str:
    """What is wrong with a host and its port; other schemes than the web's may do without, and know no domains."""
    place = authority.rpartition("@")[2]
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or not _is_ipv6(host) or rest[:1] not in {"", ":"}:
            return "invalid IPv6 address"
        return _find_port_error(rest[1:])
    host, _, port = place.partition(":")
    if not host:
        return _NO_HOST if is_web or authority else ""
    if not is_web and _NOT_IN_HOSTS.search(host):
        return "invalid domain character"
    return (_find_domain_error(host) if is_web else "") or _find_port_error(port)


def _find_port_error(port: str) -> str:
    digits = port.lstrip("0")
    if not _PORT.fullmatch(port) or len(digits) > len(str(_LARGEST_PORT)) or int(digits or 0) > _LARGEST_PORT:
        return "invalid port number"
    return ""


def _find_domain_error(host: str) -> str:
    try:
        name = unquote_to_bytes(host).decode()
    except UnicodeDecodeError:
        return _NO_DOMAIN
    name = unicodedata.normalize("NFKC", name.translate(_IGNORED)).lower().replace("。", ".")
    if not name:
        return _NO_HOST
    labels = name.split(".")
    if _NOT_IN_DOMAINS.search(name) or not all(map(_is_label, labels)):
        return _NO_DOMAIN
    last = labels[-2] if len(labels) > 1 and not labels[-1] else labels[-1]
    if _NUMBER.fullmatch(last) and not _is_ipv4(labels):
        return "invalid IPv4 address"
    return ""


def _is_label(label: str) -> bool:
    """Return whether a part of a domain, or what it encodes, begins with no accent and has only what can be seen."""
    if label.startswith("xn--"):
        try:
            label = label.removeprefix("xn--").encode("ascii").decode("punycode")
        except UnicodeError:
            return False
        if label.isascii() or unicodedata.normalize("NFKC", label) != label:
            return False
    kinds = [unicodedata.category(sign)[0] for sign in label if not sign.isascii()]
    return not label or (unicodedata.category(label[0])[0] != "M" and "C" not in kinds and "Z" not in kinds)


def _is_ipv4(labels: list[str]) -> bool:
    """Return whether a host whose last part is a number is an IPv4 address; that part may fill the rest of it."""
    parts = labels[:-1] if len(labels) > 1 and not labels[-1] else labels
    if len(parts) > _PARTS_OF_IPV4:
        return False
    numbers: list[int] = []
    for part in parts:
        if not _NUMBER.fullmatch(part):
            return False
        base = 16 if part.startswith("0x") else 8 if part.startswith("0") and part != "0" else 10
        try:
            numbers.append(int(part.removeprefix("0x") or "0", base))
        except ValueError:
            return False
    *heads, last = numbers
    return all(number < _BYTE for number in heads) and last < _BYTE ** (_PARTS_OF_IPV4 - len(heads))


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except AddressValueError:
        return False
