"""The in-process door: an httpx transport for both kinds of client.

Lives here: httpx requests to values and back. Does not live here: any behaviour. Imported only when a
transport is asked for, because httpx costs 60 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.lowlevel
import httpx

from muapi_client.emulator._exchanges import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._clock import Clock


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries requests to an emulator. ``clock`` is the emulator's, for a client that wants the same time."""

    def __init__(self, handle: Callable[[Request], Response], clock: Clock) -> None:
        self._handle = handle
        self.clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, blocking."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, once the event loop has let others run."""
        body = await request.aread()
        await anyio.lowlevel.checkpoint()
        return self._answer(request, body)

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        response = self._handle(
            Request(
                method=request.method,
                path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
                query=dict(request.url.params),
                headers=dict(request.headers),
                body=body,
                now=self.clock.now(),
                host=request.url.host,
            )
        )
        headers = dict(response.headers)
        return httpx.Response(response.status, headers=headers, content=response.body, request=request)
