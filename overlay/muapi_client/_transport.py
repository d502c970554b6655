"""The one place that knows httpx: clients, and what its faults mean.

Lives here: how a connection is made, and the translation of httpx's exceptions. Does not live here: keys (added by
``_driver`` for each request, so that no client's repr or pickle holds one), redirects (never followed: every client
would forward ``x-api-key`` to wherever they point).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx

from muapi_client._deadline import hold_deadlines
from muapi_client._version import __version__
from muapi_client.errors import APIConnectionError

if TYPE_CHECKING:
    from muapi_client._config import APIKey
    from muapi_client._flow import Send

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


def open_client(transport: Any) -> httpx.Client:
    """A client that follows no redirect and holds no key."""
    client = httpx.Client(transport=transport, follow_redirects=False, limits=LIMITS)
    hold_deadlines(client)
    return client


def open_async_client(transport: Any) -> httpx.AsyncClient:
    """The twin of :func:`open_client`."""
    return httpx.AsyncClient(transport=transport, follow_redirects=False, limits=LIMITS)


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
        origin + send.path,
        params=dict(send.query) or None,
        headers=headers,
        content=send.content,
        extensions={"timeout": limits},
    )
    request.headers["x-api-key"] = api_key.reveal()  # never in a local of ours, which a traceback may show
    return request


def headers_of(response: httpx.Response) -> dict[str, str]:
    """A response's headers: names in lower case, a repeated header's values joined."""
    return dict(response.headers.items())


def lost(error: Exception, send: Send) -> APIConnectionError:
    """What a fault of httpx means: what was tried, and whether the request can have arrived."""
    unsent = isinstance(error, UNSENT)
    said = str(error) or type(error).__name__
    fate = " (it was not sent)" if unsent else ""
    return APIConnectionError(f"no answer to {send.method} {send.path}: {said}{fate}", sent=not unsent)
