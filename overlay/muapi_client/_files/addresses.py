"""Which addresses and names are of this machine or a private network, however they are spelled. Pure.

Lives here: the rule. Does not live here: resolving names and refusing to connect (``_transport/guard``).
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote

NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")  # IDNA takes each for a full stop
# Names that by their definition belong to one machine or network: RFC 6761, 6762, 8375, and ICANN for `internal`.
PRIVATE_NAMES: Final = ("localhost", "localdomain", "local", "internal", "home.arpa")
NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is none of the public internet's.

    That is one of loopback, a private network, a link, a provider's customers (100.64.0.0/10) or a multicast group, a
    reserved or the unspecified one. An address of IPv6 that stands for one of IPv4 is what that is.
    """
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or _read_nat64(address)
        if within is not None:
            return is_private(within)
        if address.is_site_local:
            return True
    return not address.is_global or address.is_multicast or address.is_reserved


def _read_nat64(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in NAT64 else None


def is_private_name(host: str) -> bool:
    """Return whether a URL's host is such an address in any spelling, or a name of this machine or a private network.

    Nothing is resolved: a public name may have a private address all the same.
    """
    name = unicodedata.normalize("NFKC", unquote(host)).translate(DOTS).lower().rstrip(".")
    address = _read_address(name)
    if address is not None:
        return is_private(address)
    return any(name == private or name.endswith(f".{private}") for private in PRIVATE_NAMES)


def _read_address(name: str) -> IPv4Address | IPv6Address | None:
    """Read an address, that of IPv4 also as inet_aton(3) does: in one to four parts, decimal, octal or hexadecimal."""
    try:
        return ip_address(name.strip("[]").partition("%")[0])  # behind a percent sign: the interface
    except ValueError:
        pass  # no address as they are written today
    parts = name.split(".")
    if len(parts) > 4 or not all(NUMBER.fullmatch(part) for part in parts):  # noqa: PLR2004 - bytes of an address
        return None
    try:
        *leading, last = (_read_number(part) for part in parts)
        return IPv4Address(bytes(leading) + last.to_bytes(4 - len(leading)))
    except (ValueError, OverflowError):  # a part that is too large, or no octal number
        return None


def _read_number(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
