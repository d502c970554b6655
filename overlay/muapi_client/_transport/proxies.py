"""Which proxy a host is reached by: what the environment or the system names, and whom it leaves out.

Lives here: ``HTTPS_PROXY`` and its kin, and ``NO_PROXY`` in the spellings of curl, Go, Python and httpx: what goes to a
proxy by mistake takes the key along, over http in clear text. Does not live here: connections (``hosts``).
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from muapi_client._runtime.loopback import is_loopback
from muapi_client._settings.options import DEFAULT_PORTS

if TYPE_CHECKING:
    import httpx


def find_proxy(url: httpx.URL) -> str | None:
    """The proxy the environment (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``) or the system names for a URL."""
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or is_loopback(url.host):
        return None
    exceptions = [exception.strip().lower() for exception in named.get("no", "").split(",")]
    if proxy_bypass(url.host) or any(_names(exception, url) for exception in exceptions if exception):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _names(exception: str, url: httpx.URL) -> bool:
    """Whether an exception names a URL's host: by itself, by a domain it is in (``.a.example``), or by a network."""
    scheme, _, rest = exception.rpartition("://")
    named, port = _split_port(rest)
    if scheme not in ("", "all", url.scheme) or port not in ("", str(url.port or DEFAULT_PORTS.get(url.scheme))):
        return False
    try:
        return ip_address(url.host) in ip_network(named, strict=False)
    except ValueError:  # one of them is a name
        domain, host = named.removeprefix("*").strip("."), url.host.rstrip(".")
        return named == "*" or (bool(domain) and f".{host}".endswith(f".{domain}"))


def _split_port(text: str) -> tuple[str, str]:
    """A host and the port behind it, or no port; an address of IPv6 stands in brackets where there is one."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    return host, port
