"""A client's options, read once and checked. Pure but for the two environment variables.

Lives here: what a user may set, and the message when it cannot be right. Does not live here: acting on it.
"""

from __future__ import annotations

import os
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from muapi_client._runtime.clock import LONGEST_SLEEP
from muapi_client._runtime.forks import forks
from muapi_client._runtime.loopback import is_loopback
from muapi_client._settings.numbers import as_float
from muapi_client._types.money import usd
from muapi_client._types.words import show, with_article
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from urllib.parse import SplitResult

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.muapi.ai"  # API reference, "All endpoints are under …/api/v1"
API_PREFIX: Final = "/api/v1"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def read_origin(given: str | None, *, allow_http: bool = False) -> str:
    """The API's origin, from the base URL given, ``MUAPI_BASE_URL`` or the default, with or without ``/api/v1``.

    Raises:
        MuAPIError: It is no URL, or would send the key in clear text over a network.
    """
    if given is not None and not isinstance(given, str):
        raise MuAPIError(f"base_url must be text like {DEFAULT_BASE_URL!r}, not {show(given)}")
    url = (given if given is not None else os.environ.get("MUAPI_BASE_URL") or DEFAULT_BASE_URL).strip()
    if "@" in url:  # before any message shows it
        raise MuAPIError("the base URL must not hold a user name or password")
    with forks.kept_waiting:
        from urllib.parse import urlsplit  # noqa: PLC0415 - 3 ms, which importing the package need not take

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise MuAPIError(f"the base URL {url!r} is no URL: {error}") from None
    odd = not url.isprintable() or any(sign in url for sign in " ?#\\")
    if parts.scheme not in ("https", "http") or not host or odd:
        raise MuAPIError(f"the base URL {url!r} must be like {DEFAULT_BASE_URL}")
    if parts.scheme == "http" and not is_loopback(host) and not allow_http:
        raise MuAPIError(f"{url} would send the API key in clear text: use https, or pass allow_http=True")
    path = parts.path.rstrip("/").removesuffix(API_PREFIX).rstrip("/")
    return f"{parts.scheme}://{_plain_netloc(parts)}{path}"


def read_host(origin: str) -> str:
    """The host of an origin that :func:`read_origin` answered."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - as above

    return urlsplit(origin).hostname or ""


def _plain_netloc(parts: SplitResult) -> str:
    """Host and port in one spelling, so that one API has one name in the journal: no capitals, no default port."""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def read_flag(name: str, value: bool) -> bool:
    """An option that is true or false.

    Raises:
        MuAPIError: It is neither: a text such as "no" would count as true.
    """
    if not isinstance(value, bool):
        raise MuAPIError(f"{name} must be True or False, not {show(value)}")
    return value


def read_instance(name: str, value: T, kind: type[Any], *, example: str) -> T:
    """An option that is of one class, or None.

    Args:
        example: What to write.

    Raises:
        MuAPIError: It is something else.
    """
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise MuAPIError(f"{name} must be {example}, not {show(value)}")


def read_transport(given: Any, method: str) -> Any:
    """The transport given.

    Args:
        method: What this kind of client calls of it.

    Raises:
        MuAPIError: It is a class, a client, or of the other kind of client.
    """
    if given is None or (callable(getattr(given, method, None)) and not isinstance(given, type)):
        return given
    blocking = method == "handle_request"
    wanted = "httpx.HTTPTransport()" if blocking else "httpx.AsyncHTTPTransport()"
    other = "handle_async_request" if blocking else "handle_request"
    hint = ""
    if isinstance(given, type):
        hint = f": make one, {given.__name__}(…)"
    elif callable(getattr(given, other, None)):
        hint = f", which {'AsyncMuAPI' if blocking else 'MuAPI'} takes"
    elif callable(getattr(given, "transport", None)):
        hint = ": take what its transport() answers, as transport=emulator.transport()"
    elif hasattr(given, "send"):
        hint = ": a client's own settings are options here, as timeout=, or its transport's"
    raise MuAPIError(
        f"transport must be an httpx transport such as {wanted}, not {with_article(type(given).__name__)}{hint}"
    )


def read_clock(given: Any) -> Any:
    """The clock given.

    Raises:
        MuAPIError: It cannot tell the time, or let it pass.
    """
    if given is None or all(callable(getattr(given, name, None)) for name in ("now", "sleep", "asleep")):
        return given
    raise MuAPIError(f"clock must have now(), sleep(seconds) and asleep(seconds), not be {show(given)}")


def read_seconds(name: str, value: float) -> float:
    """A length of time in seconds, of 30 years at most: sockets take no longer one.

    Raises:
        MuAPIError: It is not a positive, finite number.
    """
    return min(read_positive(name, value, "seconds"), LONGEST_SLEEP)


def read_positive(name: str, value: float, unit: str) -> float:
    """A number above 0.

    Raises:
        MuAPIError: It is not a positive, finite number.
    """
    number = as_float(value)
    if number is None or number <= 0:
        raise MuAPIError(f"{name} must be a positive number of {unit}, not {show(value)}")
    return number


def read_count(name: str, value: int) -> int:
    """How many of something there may be at a time.

    Raises:
        MuAPIError: It is not a positive number.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise MuAPIError(f"{name} must be a whole number of 1 or more, not {show(value)}")
    return value


def read_expect(value: str | None) -> Literal["live", "sandbox"] | None:
    """The kind of key expected.

    Raises:
        MuAPIError: It is neither kind.
    """
    match value:
        case None | "live" | "sandbox":
            return value
    raise MuAPIError(f"expect must be 'live', 'sandbox' or None, not {show(value)}")


def read_amount(name: str, value: Decimal | float | str) -> Decimal:
    """An amount of money in USD.

    Raises:
        MuAPIError: It is no sum of money of 0 or more.
    """
    amount = usd(value)
    if amount is None or amount < 0:
        raise MuAPIError(f"{name} must be an amount in USD, such as Decimal('5'), not {show(value)}")
    return amount


def refuse_coroutines(*callbacks: Callable[..., object] | None) -> None:
    """Refuse a callback that would never run: a blocking client awaits nothing."""
    for callback in callbacks:
        if iscoroutinefunction(callback):
            raise MuAPIError(
                f"{show(callback, 80)} has to be awaited, and MuAPI only calls: use AsyncMuAPI or a plain function"
            )
