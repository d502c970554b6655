"""Opening connections to a host: its certificates, its proxy, and what holds its sockets.

Lives here: what they are opened with, and what is wrong where they cannot be. Does not live here: which connection a
request uses (``pools``), sending (``hosts``), which proxy is named (``proxies``).

httpx and httpcore know how a host is reached, and httpcore's pool makes the connections to it. They are kept in
``pools`` rather than there; its charter has the reasons. That reaches into httpx 0.28 and httpcore 1, which have no
public door for it; a test fails should they change.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

import httpcore
import httpx

from muapi_client._runtime.forks import forks
from muapi_client._transport.deadline import hold_deadlines
from muapi_client._transport.guard import check_name, refuse_real
from muapi_client._transport.proxies import find_proxy

if TYPE_CHECKING:
    import ssl

# An idle connection the server closes while a submit is being written makes that submit's outcome unknown. Servers of
# FastAPI's family close after 5 s by default, so connections are not used after 4 s of idleness.
LIMITS: Final = httpx.Limits(keepalive_expiry=4.0)
# What httpx and what it stands on let out where a setting, a name or a number is odd; UnicodeError is a ValueError.
ODD: Final = (ValueError, ImportError, LookupError, ArithmeticError)
TLS_SETTINGS: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


class _Single:
    """One of httpcore's connections, where a transport of httpx's has a pool of them.

    ``_pool`` is httpx's own name: what it does to send a request over its pool, and to close it, is done to the
    connection, which has the same methods. A transport's own constructor, which makes a pool, is not called.
    """

    def __init__(self, opener: httpx.HTTPTransport | httpx.AsyncHTTPTransport, url: httpx.URL) -> None:
        pool: Any = opener._pool  # noqa: SLF001 - see above
        root = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
        self._pool: Any = pool.create_connection(root.origin)  # which has the scheme's port, where none is named

    def is_idle(self) -> bool:
        """As ``pools.Kept`` has it."""
        return bool(self._pool.is_idle())

    def is_closed(self) -> bool:
        """As above."""
        return bool(self._pool.is_closed())

    def has_expired(self) -> bool:
        """As above."""
        return bool(self._pool.has_expired())


class Connection(_Single, httpx.HTTPTransport):
    """httpx's transport over one connection."""


class AsyncConnection(_Single, httpx.AsyncHTTPTransport):
    """The twin of :class:`Connection`."""


def make_opener(url: httpx.URL, home: str | None) -> httpx.HTTPTransport:
    """Make what opens connections to the host of a URL; for ``home`` see ``guard``.

    Raises:
        httpx.HTTPError: The certificates cannot be loaded, or the proxy that is named cannot be used.
        PrivateAddressError: A proxy resolves the host, whose name is a private network's.
        MuAPIError: A proxy resolves the host, which is the real MuAPI's, and a test lets no process go there.
    """
    proxy = find_proxy(url)
    home = _leave_to_proxy(url, proxy, home)
    try:
        with forks.kept_waiting:  # OpenSSL makes a context, whether it is needed or not
            transport = httpx.HTTPTransport(verify=trust(url, proxy), limits=LIMITS, proxy=proxy)
    except (*ODD, httpx.InvalidURL) as error:
        _refuse_proxy(url, error)
    hold_deadlines(transport, home)
    return transport


def make_async_opener(url: httpx.URL, home: str | None) -> httpx.AsyncHTTPTransport:
    """The twin of :func:`make_opener`."""
    with forks.kept_waiting:
        from muapi_client._transport.async_network import hold_sockets  # noqa: PLC0415 - imports anyio

    proxy = find_proxy(url)
    home = _leave_to_proxy(url, proxy, home)
    try:
        with forks.kept_waiting:  # as above
            transport = httpx.AsyncHTTPTransport(verify=trust(url, proxy), limits=LIMITS, proxy=proxy)
    except (*ODD, httpx.InvalidURL) as error:
        _refuse_proxy(url, error)
    hold_sockets(transport, home)
    return transport


def _leave_to_proxy(url: httpx.URL, proxy: str | None, home: str | None) -> str | None:
    """Judge a name that a proxy resolves; what is left to be judged when connecting, to the proxy then, is nothing."""
    if proxy is None:
        return home
    refuse_real(url.host)
    if home is not None:
        check_name(url, home)
    return None


def trust(url: httpx.URL, proxy: str | None) -> ssl.SSLContext | bool:
    """Return what certificates are held against; nothing where no TLS is spoken, since loading them takes 25 ms."""
    return tls() if url.scheme == "https" or proxy else False


@cache
def tls() -> ssl.SSLContext:
    """The certificates trusted: certifi's, or those ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name.

    Raises:
        httpx.ConnectError: They cannot be loaded, or ``SSLKEYLOGFILE`` cannot be written.
    """
    try:
        with forks.kept_waiting:
            return httpx.create_ssl_context()
    except (OSError, *ODD) as error:
        raise httpx.ConnectError(f"TLS cannot be set up: {error}{describe_settings(TLS_SETTINGS)}") from error


def describe_settings(names: tuple[str, ...]) -> str:
    """Which settings of the environment to look at, as the end of a message."""
    found = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return f" (mend or unset {', '.join(found)})" if found else ""


def _refuse_proxy(url: httpx.URL, error: Exception) -> NoReturn:
    """Say whose setting names a proxy that cannot be used; not its URL, which may hold a password."""
    why = "its URL cannot be read" if isinstance(error, httpx.InvalidURL) else str(error)
    raise httpx.ProxyError(
        f"the proxy that {_find_setting(url)} names for {url.host} cannot be used: {why}. It may begin"
        " with http://, https://, socks5:// or socks5h://"
    ) from error


def name_proxy(url: httpx.URL, error: BaseException) -> None:
    """Add to the error of a connection that could not be made which setting names the proxy it went to."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and find_proxy(url) is not None:
        error.args = (f"{error} (mend or unset {_find_setting(url)}, which names a proxy for {url.host})",)


def _find_setting(url: httpx.URL) -> str:
    """The settings of the environment that name a proxy for a URL, or the system's."""
    names = (f"{url.scheme}_proxy", "all_proxy")
    found = [name for name in os.environ if name.lower() in names and os.environ[name]]
    return " or ".join(found) or "the system's setting"
