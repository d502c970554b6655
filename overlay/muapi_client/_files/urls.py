"""Which addresses files may come from and go to. Pure.

Lives here: what is a safe address, a redirect's target, an address as a message shows it. Does not live here: which
hosts are private (``addresses``).
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from muapi_client._runtime.loopback import is_loopback


def is_safe(url: str, *, loopback: bool) -> bool:
    """Return whether a file may be moved by this URL: https, or this machine's own where ``loopback`` allows that."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # ValueError where it is no number
    except ValueError:
        return False
    if not host or parts.username is not None or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and loopback and is_loopback(host))


def is_loopback_url(url: str) -> bool:
    """Return whether a URL names this machine."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # no URL
        return False


def clean_url(url: str) -> str:
    """A URL as browsers read it: without blanks around it, and those within its path written as ``%20``."""
    scheme, mark, rest = url.strip().partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host}{slash}{path.replace(' ', '%20')}"


def resolve_redirect(url: str, location: str) -> str:
    """Where a redirect leads; "" where nowhere."""
    try:
        return clean_url(urljoin(url, location.strip())) if location.strip() else ""
    except ValueError:
        return ""


def is_data_url(url: str) -> bool:
    """Return whether a URL holds its content itself, so that nothing has to be fetched."""
    return url[:5].lower() == "data:"


def show_url(url: str) -> str:
    """A URL for a message: without password and query, which may be a signature, and without the content it holds."""
    if is_data_url(url):
        return f"{url.partition(',')[0][:80]},…"
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.netloc:
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return repr(url.partition("?")[0].rpartition("@")[2][:80])  # no whole address
