"""The connections a client keeps, opened when first needed.

One set a process, and one an event loop: neither survives a fork, and an asynchronous one belongs to the loop that
opened it. Importing this module imports neither httpx nor anyio; opening a connection does.

Lives here: which set is whose. Does not live here: what a set is (``hosts``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from muapi_client._runtime.forks import forks
from muapi_client._runtime.locks import ForkLock
from muapi_client._transport.closed import closed_error

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import httpx

    from muapi_client._runtime.delivery import Delivery
    from muapi_client._transport.hosts import AsyncGiven, AsyncHosts, Given, Hosts


class Connections:
    """The blocking client's connections, ``most`` to each host at a time.

    With ``home``, a host, they lead to no private address unless it is on one itself.
    """

    def __init__(self, transport: Any, home: str | None = None, *, most: int) -> None:
        self._given, self._home, self.most = transport, home, most
        self._lock = ForkLock()
        self._open: Hosts | Given | None = None
        self._pid = 0
        self._closed = False

    def send(self, request: httpx.Request, delivery: Delivery) -> httpx.Response:
        """Send a request and answer as soon as the head of its response is there; no redirect is followed.

        The one way by which requests leave, so that ``delivery`` tells of each whether it did.

        Raises:
            MuAPIError: :meth:`close` was called; it was not sent.
            httpx.HTTPError: The network failed.
        """
        return self._transport().send(request, delivery)

    def fail(self, request: httpx.Request | None, error: BaseException) -> None:
        """Note that an exchange ended in an exception, whatever it is, before its answer was read and closed.

        What an interrupt may have harmed is not used again.

        Args:
            request: The request; None where it ended before there was one.
            error: The exception.
        """
        transport = self._open
        if transport is not None and request is not None:
            transport.fail(request, error)

    def close(self) -> None:
        """Close what is open; once is enough, twice does no harm."""
        with self._lock:
            self._closed = True
            if self._open is not None and self._pid == os.getpid():
                self._open.close()

    def _transport(self) -> Hosts | Given:
        with self._lock:
            if self._closed:
                raise closed_error()
            transport = self._open
            if transport is None or self._pid != os.getpid():
                from muapi_client._transport.hosts import Given, Hosts  # noqa: PLC0415 - imports httpx

                given = self._given
                transport = Hosts(self.most, self._home) if given is None else Given(given, self._home)
                self._open, self._pid = transport, os.getpid()
            return transport


class AsyncConnections:
    """The awaiting client's connections; ``home`` and ``most`` as above, the latter for each event loop."""

    def __init__(self, transport: Any, home: str | None = None, *, most: int) -> None:
        self._given, self._home, self.most = transport, home, most
        self._open: dict[Any, AsyncHosts | AsyncGiven] = {}  # by event loop
        self._closed = False

    def enter(self) -> None:
        """Load what awaiting takes on the running event loop, while a fork waits: first of all, wherever one begins."""
        _running_loop()

    def send(self, request: httpx.Request, delivery: Delivery) -> Awaitable[httpx.Response]:
        """The twin of :meth:`Connections.send`, to be awaited; no coroutine of its own, which thousands may hold."""
        return self._transport().send(request, delivery)

    def fail(self, request: httpx.Request | None, error: BaseException) -> None:
        """The twin of :meth:`Connections.fail`; it awaits nothing, since the event loop may have ended."""
        if request is not None:
            for transport in list(self._open.values()):  # no loop to find its own by may be running any more
                transport.fail(request, error)

    async def close(self) -> None:
        """Close what this event loop has open; once is enough, twice does no harm."""
        self._closed = True
        transport = self._open.pop(_running_loop(), None)
        if transport is not None:
            await transport.aclose()

    def _transport(self) -> AsyncHosts | AsyncGiven:
        if self._closed:
            raise closed_error()
        loop = _running_loop()
        if loop not in self._open:
            from muapi_client._transport.hosts import AsyncGiven, AsyncHosts  # noqa: PLC0415 - imports httpx

            for ended in [loop for loop in tuple(self._open) if _has_ended(loop)]:  # other threads have loops, too
                self._open.pop(ended, None)  # its connections ended with it
            given = self._given
            self._open[loop] = AsyncHosts(self.most, self._home) if given is None else AsyncGiven(given, self._home)
        return self._open[loop]


def _running_loop() -> Any:
    """The running event loop."""
    with forks.kept_waiting:
        from muapi_client._transport.event_loop import find_loop  # noqa: PLC0415 - 28 ms, for async programs only

        return find_loop()


def _has_ended(loop: Any) -> bool:
    is_closed = getattr(loop, "is_closed", None)
    if is_closed is not None:
        return bool(is_closed())
    return bool(getattr(getattr(loop, "_reentry_queue", None), "done", False))  # trio's token has no public word for it
