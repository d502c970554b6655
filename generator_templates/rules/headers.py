"""Headers and cookies: which of them a request function may take, and which are the client's own.

Lives here: their names. Does not live here: what a value of one may be (``schemas``), sending it (the client).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .problems import Collector
    from .schemas import Schemas

# Credentials, framing and content negotiation: the client sets these, and no caller may.
OWN_HEADERS = (
    *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
    *("content-type", "cookie", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-api-key"),
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
Credential = tuple[str, str]  # where it stands, and its name in small letters


def read_credentials(document: Mapping[str, Any], schemas: Schemas, problems: Collector) -> frozenset[Credential]:
    """Read which headers and cookies are a key, by what the document says of its security."""
    found: list[Mapping[str, Any]] = []
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        with problems.about("components", "securitySchemes", name):
            found.append(schemas.find_component("securitySchemes", scheme))
    return list_credentials(found)


def list_credentials(schemes: Iterable[Mapping[str, Any]]) -> frozenset[Credential]:
    """List which headers and cookies are a key, by these security schemes."""
    return frozenset(
        (str(scheme.get("in")), str(scheme.get("name")).lower()) for scheme in schemes if scheme.get("type") == "apiKey"
    )


def is_own(parameter: Mapping[str, Any], credentials: frozenset[Credential]) -> bool:
    """Return whether a header or a cookie is the client's own, so that no function has a parameter for it."""
    place, name = parameter["in"], str(parameter["name"]).lower()
    if place not in ("header", "cookie"):
        return False
    return (place, name) in credentials or (place == "header" and name in OWN_HEADERS)


def can_be_named(name: str) -> bool:
    """Return whether a header or a cookie can have a name."""
    return _NAME.fullmatch(name) is not None
