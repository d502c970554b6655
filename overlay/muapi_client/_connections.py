"""The connections a client keeps, opened when first needed.

One httpx client a process, and one an event loop: neither survives a fork, and an asynchronous one belongs to the
loop that opened it. Importing this module imports neither httpx nor anyio; opening a connection does.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import httpx
    from anyio.lowlevel import RunVar

CLOSED = "this client is closed: make a new one, or keep it open by using it inside its `with` block"


class Connections:
    """The blocking client's connections."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._pid = 0
        self._closed = False

    def client(self) -> httpx.Client:
        """The open httpx client of this process.

        Raises:
            MuAPIError: :meth:`close` was called.
        """
        with self._lock:
            if self._closed:
                raise MuAPIError(CLOSED)
            if self._client is None or self._pid != os.getpid():
                from muapi_client._transport import open_client  # noqa: PLC0415 - imports httpx

                self._client, self._pid = open_client(self._transport), os.getpid()
            return self._client

    def close(self) -> None:
        """Close what is open; once is enough, twice does no harm."""
        with self._lock:
            self._closed = True
            if self._client is not None and self._pid == os.getpid():
                self._client.close()


class AsyncConnections:
    """The awaiting client's connections."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._client: RunVar[httpx.AsyncClient | None] | None = None
        self._closed = False

    def client(self) -> httpx.AsyncClient:
        """The open httpx client of this event loop.

        Raises:
            MuAPIError: :meth:`close` was called.
        """
        if self._closed:
            raise MuAPIError(CLOSED)
        slot = self._slot()
        client = slot.get(None)
        if client is None:
            from muapi_client._transport import open_async_client  # noqa: PLC0415 - imports httpx

            client = open_async_client(self._transport)
            slot.set(client)
        return client

    async def close(self) -> None:
        """Close what this event loop has open; once is enough, twice does no harm."""
        self._closed = True
        client = self._slot().get(None)
        if client is not None:
            await client.aclose()

    def _slot(self) -> RunVar[httpx.AsyncClient | None]:
        if self._client is None:
            from anyio.lowlevel import RunVar  # noqa: PLC0415 - needed by async programs only

            self._client = RunVar("muapi_client")
        return self._client
