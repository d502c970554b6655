"""How a host is reached with httpx, and what httpx's faults mean.

Lives here: connections, requests, the translation of exceptions. Does not live here: redirects (never followed: every
client would forward ``x-api-key`` to wherever they point), and when to send (``_driver``).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

import httpx

from muapi_client._runtime.locks import ForkLock
from muapi_client._settings.options import LOOPBACK
from muapi_client._transport.deadline import hold_deadlines
from muapi_client._version import __version__
from muapi_client.errors import APIConnectionError

if TYPE_CHECKING:
    import ssl

    from muapi_client._protocol.steps import Send
    from muapi_client._settings.api_key import APIKey

# An idle connection the server closes while a submit is being written makes that submit's outcome unknown. Servers of
# FastAPI's family close after 5 s by default, so connections are given up just before that.
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=4.0)
USER_AGENT: Final = f"muapi-client/{__version__}"

# Provably before a byte of the request was written: such a submit may be sent again.
UNSENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.InvalidURL,
)


class Hosts(httpx.BaseTransport):
    """The network: a pool of connections a host, each through the proxy the environment names for it.

    Transports without an ``httpx.Client`` around them: nothing here follows redirects, keeps cookies or logs URLs.
    """

    def __init__(self) -> None:
        self._pools: dict[tuple[str, str], httpx.HTTPTransport] = {}
        self._lock = ForkLock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to its host."""
        return self._pool(request.url).handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _pool(self, url: httpx.URL) -> httpx.HTTPTransport:
        with self._lock:
            pool = self._pools.get((url.scheme, url.host))
            if pool is None:
                proxy = proxy_of(url)
                pool = httpx.HTTPTransport(verify=trust(url, proxy), limits=LIMITS, proxy=proxy)
                hold_deadlines(pool)
                self._pools[url.scheme, url.host] = pool
            return pool


class AsyncHosts(httpx.AsyncBaseTransport):
    """The twin of :class:`Hosts`."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, str], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to its host."""
        return await self._pool(request.url).handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()

    def _pool(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        pool = self._pools.get((url.scheme, url.host))
        if pool is None:
            proxy = proxy_of(url)
            pool = httpx.AsyncHTTPTransport(verify=trust(url, proxy), limits=LIMITS, proxy=proxy)
            self._pools[url.scheme, url.host] = pool
        return pool


def proxy_of(url: httpx.URL) -> str | None:
    """The proxy the environment (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``) or the system names for a URL."""
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.host) or url.host in LOOPBACK:  # a proxy would see the key in clear text
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def trust(url: httpx.URL, proxy: str | None) -> ssl.SSLContext | bool:
    """What certificates are held against; nothing where no TLS is spoken, since loading them takes 25 ms."""
    return tls() if url.scheme == "https" or proxy else False


@cache
def tls() -> ssl.SSLContext:
    """The certificates trusted: certifi's, or those ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name."""
    return httpx.create_ssl_context()


def request_of(send: Send, origin: str, api_key: APIKey) -> httpx.Request:
    """The HTTP request of a step; its key goes to ``origin`` and nowhere else."""
    headers = {
        "accept": "application/json",
        "user-agent": USER_AGENT,
        **({"content-type": "application/json"} if send.content is not None else {}),
    }
    limits = dict.fromkeys(("connect", "read", "write", "pool"), max(send.timeout, 0.001))
    request = httpx.Request(
        send.method,
        address(origin + send.path),
        params=dict(send.query) or None,
        headers=headers,
        content=send.content,
        extensions={"timeout": limits},
    )
    request.headers["x-api-key"] = api_key.reveal()  # never in a local of ours, which a traceback may show
    return request


@lru_cache(maxsize=1024)
def address(url: str) -> httpx.URL:
    """A URL, read once: a job is looked at many times, and reading its URL takes as long as building the request."""
    return httpx.URL(url)


def headers_of(response: httpx.Response) -> dict[str, str]:
    """A response's headers: names in lower case, a repeated header's values joined."""
    return dict(response.headers.items())


def lost(error: Exception, send: Send) -> APIConnectionError:
    """What a fault of httpx means: what was tried, and whether the request can have arrived."""
    unsent = isinstance(error, UNSENT)
    said = str(error) or type(error).__name__
    fate = " (it was not sent)" if unsent else ""
    return APIConnectionError(f"no answer to {send.method} {send.path}: {said}{fate}", sent=not unsent)
