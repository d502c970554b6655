"""Whom a request addresses, and the addresses in what is answered.

Lives here: the hosts that the emulator stands for, and how they are told apart. Does not live here: answering.

The real service is several hosts. In process the request's host decides. A client that reaches the emulator over
HTTP knows one host only, such as ``http://127.0.0.1:PORT`` or ``http://emulator:8000``: for it the real host becomes
the first segment of the path (``http://127.0.0.1:PORT/cdn.muapi.ai/outputs/…``), in every URL it is given. Who
addresses a real host all the same, by a proxy or a hosts file, is given the real ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client._runtime.loopback import is_loopback

if TYPE_CHECKING:
    from muapi_client.emulator._messages.messages import Request

API: Final = "https://api.muapi.ai"
CDN: Final = "https://cdn.muapi.ai"  # where real outputs and uploads stand
SAMPLES: Final = "https://d3adwkbyhxyrtq.cloudfront.net"  # a host the samples of test keys were seen on
STORAGE: Final = "https://muapi-uploads.s3.amazonaws.com"  # where presigned forms are posted; the bucket is made up
CHECKOUT: Final = "https://checkout.stripe.com"  # where a top-up is paid
CONNECT: Final = "https://app.muapi.ai"  # where a social account is connected

_DOMAIN: Final = ".muapi.ai"
_HOST: Final = re.compile(r"([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_OTHERS: Final = {
    url.removeprefix("https://"): url.encode() + b"/" for url in (CDN, SAMPLES, STORAGE, CHECKOUT, CONNECT)
}
_API: Final = API.encode() + b"/"


@frozen(eq=False, repr=False)
class Place:
    """Where a request goes.

    Args:
        host: One of the real hosts; ``""`` for the API.
        path: The path there, still percent-encoded.
        base: ``http://HOST:PORT`` for a client that reaches the emulator there, else ``""``.
    """

    host: str
    path: str
    base: str


def is_real_host(name: str) -> bool:
    """Return whether a name in lower case is one of MuAPI's, or of a host that its URLs lead to."""
    return name in _OTHERS or f".{name}".endswith(_DOMAIN)


def find_place(request: Request) -> Place:
    """Where ``request`` goes; any host that is not known is the API."""
    match = _HOST.fullmatch(request.host)  # what is no host must not get into URLs
    name = match[1].lower() if match else ""
    if name in _OTHERS:
        return Place(name, request.path, "")
    if not name or is_real_host(name) or not (request.served or is_loopback(name.strip("[]"))):
        return Place("", request.path, "")
    base = f"http://{request.host}"
    first, slash, rest = request.path[1:].partition("/")
    if slash and first in _OTHERS:
        return Place(first, f"/{rest}", base)
    return Place("", request.path, base)


def rewrite_urls(content: bytes, base: str) -> bytes:
    """``content`` with every URL of a known host as a client at ``base`` reaches it; as it is for ``""``."""
    if not base or b"https://" not in content:
        return content
    root = f"{base}/".encode()
    for host, url in _OTHERS.items():
        content = content.replace(url, root + host.encode() + b"/")
    return content.replace(_API, root)
