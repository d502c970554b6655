"""Getting the bytes of a document, within bounds: from a file, over https, or over http from this machine.

Lives here: which addresses are taken, redirects, the caps on size and time, what a refused answer means.
Does not live here: what the bytes say (``canonical``). No API key is ever sent: what is fetched here is
public.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from attrs import frozen

from muapi_client._runtime.content_coding import Unpacking, describe_odd_coding
from muapi_client._runtime.loopback import is_loopback
from muapi_client._version import __version__
from muapi_client.pinning._document.errors import PinError, quote

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import httpx

REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, section 15.4; 304 is an answer of its own
DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class Limits:
    """The caps on a fetch.

    Attributes:
        size: Bytes of one document, decompressed. MuAPI's has 2.4 million.
        seconds: For one document in all, from resolving the name to the last byte.
        silence: Seconds without a byte.
        redirects: How often a server may point elsewhere on itself.
    """

    __module__ = "muapi_client.pinning"

    size: int = 64 * 2**20
    seconds: float = 120.0
    silence: float = 30.0
    redirects: int = 5


@frozen
class Served:
    """The bytes that a source gave, and its ETag for them, empty where it has none."""

    content: bytes
    etag: str = ""


def read(source: str, *, etag: str = "", limits: Limits) -> Served | None:
    """Get a document's bytes.

    Args:
        source: A URL (https, or http to a loopback address), or a file's path or ``file:`` URL.
        etag: The ETag of what is here already.
        limits: What it may take.

    Returns:
        The bytes, or None when the server says that ``etag`` is still what it has.

    Raises:
        PinError: The source cannot be taken, reached or trusted to have given all it has.
    """
    path = _as_path(source)
    if path is not None:
        return Served(_read_file(path, limits.size))
    return _read_over_http(_check_address(source), etag, limits)


def name_source(source: str) -> str:
    """How a lock names a source: a URL as it is, a file by its name alone, for folders differ."""
    path = _as_path(source)
    return source if path is None else f"file:{path.name}"


def is_local(source: str) -> bool:
    """Tell whether a source is of this machine, and so says nothing about where the document comes from."""
    return _as_path(source) is not None or is_loopback(urlsplit(source).hostname or "")


def is_public(source: str) -> bool:
    """Tell whether a source is an https address that means the same everywhere."""
    try:
        return not is_local(source) and urlsplit(_check_address(source)).scheme == "https"
    except (PinError, ValueError):
        return False


def _as_path(source: str) -> Path | None:
    if source.lower().startswith("file:"):
        return Path(url2pathname(urlsplit(source).path))
    return None if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", source) else Path(source)  # `C:` is a drive, no scheme


def _read_file(path: Path, size: int) -> bytes:
    try:
        if not path.is_file():
            raise PinError(f"there is no file {path}: name one, or an address (https, or http to this machine)")
        with path.open("rb") as file:
            content = file.read(size + 1)
    except (OSError, ValueError) as error:
        raise PinError(f"cannot read {path}: {error}") from None
    if len(content) > size:
        raise PinError(f"{path} is larger than {size:,} bytes: not an OpenAPI document of MuAPI")
    return content


def _check_address(url: str) -> str:
    """Let an address pass if what it answers cannot have been changed on the way."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise PinError(f"{quote(url)} is no URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise PinError("the address holds a user name or password; the document is public, give the address without")
    if not host or port == 0 or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise PinError(f"{quote(url)} is not taken: only https, http to this machine, or a file can be trusted")
    return url


def _read_over_http(url: str, etag: str, limits: Limits) -> Served | None:
    import httpx  # noqa: PLC0415 - everything else here works without it, and starts faster

    try:
        return _run(_download(url, etag, limits))
    except TimeoutError:
        raise PinError(f"{url} did not give the whole document within {limits.seconds:g} s") from None
    except httpx.TimeoutException as error:
        raise PinError(f"{url} did not answer: {_describe(error)} (nothing for {limits.silence:g} s)") from None
    except (httpx.RemoteProtocolError, httpx.ReadError, zlib.error) as error:
        raise PinError(f"{url} broke off, half a document or a broken one came: {_describe(error)}") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, ImportError) as error:
        raise PinError(f"{url} cannot be reached: {_describe(error)}") from None


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _run(work: Coroutine[None, None, Served | None]) -> Served | None:
    """Carry out the work, also below a caller that runs an event loop of its own."""
    if not _loop_runs():
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _download(url: str, etag: str, limits: Limits) -> Served | None:
    # Asynchronous for its timeout alone: httpx has none over all, and bytes that drip, headers' included,
    # outlive every timeout between two of them.
    import httpx  # noqa: PLC0415 - see above

    headers = {
        "accept": "application/json",
        "accept-encoding": "gzip",
        "user-agent": f"muapi-client/{__version__}",
    }
    if etag:
        headers["if-none-match"] = etag
    proxied = not is_loopback(urlsplit(url).hostname or "")
    async with (
        asyncio.timeout(limits.seconds),
        httpx.AsyncClient(headers=headers, timeout=limits.silence, trust_env=proxied) as client,
    ):
        for _ in range(limits.redirects + 1):
            async with client.stream("GET", url) as response:
                if response.status_code not in REDIRECTS:
                    return await _read_response(response, url, etag, limits)
                url = _follow_redirect(url, response.headers.get("location", ""))
    raise PinError(f"{url} and what came before it redirect more than {limits.redirects} times")


def _follow_redirect(url: str, location: str) -> str:
    """Where a redirect leads: only to the same origin, for only that was named by the user."""
    target = _check_address(urljoin(url, location)) if location else ""
    if _origin_of(target) != _origin_of(url):
        raise PinError(f"{url} redirects to {quote(target or location)}: name that address if you trust it")
    return target


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


async def _read_response(response: httpx.Response, url: str, etag: str, limits: Limits) -> Served | None:
    status = response.status_code
    if status == HTTPStatus.NOT_MODIFIED and etag:
        return None
    if status != HTTPStatus.OK:
        raise PinError(f"{url} answered HTTP {status} ({quote(response.reason_phrase)}), not the document")
    if odd := describe_odd_coding(response.headers):
        raise PinError(f"{url} answered in {odd}")
    content = bytearray()
    unpacking = Unpacking(response.headers)
    async for raw in response.aiter_raw():
        for piece in unpacking.feed(raw):
            content += piece
            if len(content) > limits.size:
                raise PinError(f"{url} gives more than {limits.size:,} bytes: not an OpenAPI document of MuAPI")
    unpacking.end()
    return Served(bytes(content), _check_etag(response.headers.get("etag", "")))


def _check_etag(etag: str) -> str:
    """An ETag as it can be sent again: one that is none (RFC 9110, section 8.8.3) is not worth keeping."""
    return etag if re.fullmatch(r'(W/)?"[\x21\x23-\x7e]*"', etag) else ""
