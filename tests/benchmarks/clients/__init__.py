"""The clients that are measured, a module each: how one submits a job, looks at it, waits for it, fetches its file.

What a client cannot do its module does not have. ``blocking`` and ``awaiting`` open it and give its submit and its
look; ``build`` makes a call and sends nothing; ``wait`` submits and waits as the client does of its own accord;
``download`` fetches a job's file into a folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Blocking = tuple[Callable[[], Any], Callable[[Any], Any]]
    Async = tuple[Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[Any]]]


class Client(NamedTuple):
    """One of them: its column's head, its module here, and the packages whose versions are told."""

    name: str
    module: str
    package: str


CLIENTS = (
    Client("ours", "ours", "muapi-client"),
    Client("httpx", "bare_httpx", "httpx"),
    Client("aiohttp", "bare_aiohttp", "aiohttp"),
    Client("fal-client", "fal", "fal-client"),
    Client("replicate", "replicate", "replicate"),
    Client("muapi-cli", "muapi_cli", "muapi-cli"),
    Client("stock", "stock", "openapi-python-client"),
)
