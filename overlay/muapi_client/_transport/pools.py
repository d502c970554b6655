"""The connections that a client keeps, by host and port, and which request uses which.

Each request has a connection to itself until it ends: the idle one that was used last, or a new one. So nothing that
goes wrong in one exchange touches another, and nobody waits for a lock that all of them share, as in httpcore's own
pool, which walks all connections and requests at each event.

A connection is given up because an interrupt can strike inside httpcore and h11, which are written for errors of the
network: it is then taken for idle in the middle of an answer, or a lock of its stays closed. Nobody can tell from
outside, so what an interrupted exchange used is not used again.

Lives here: which connection is whose, and waiting for one. Does not live here: opening one (``opening``), which
exceptions put one in danger (``hosts``).
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import httpx

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

MOST: Final = 100  # connections to a host at a time; a process may have 1,024 files open, mostly
PATIENCE: Final = 0.1  # seconds after which whoever waits looks for himself, should nobody have called him


class Connection(Protocol):
    """What is asked of a connection."""

    def is_idle(self) -> bool:
        """Whether its answer was read to the end, so that it can carry another request."""
        ...

    def is_closed(self) -> bool:
        """Whether it is closed, or was never opened."""
        ...

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the server has closed it meanwhile."""
        ...


P = TypeVar("P")
C = TypeVar("C", bound=Connection)


class Host(Generic[P, C]):
    """A host and port: what opens connections to it, and those that no request uses, the latest used last."""

    def __init__(self, opener: P) -> None:
        self.opener = opener
        self.idle: list[C] = []


class Pools(Generic[P, C]):
    """Connections of one kind.

    Args:
        make_opener: Makes what opens connections to the host of a URL.
        connect: Makes one of its connections, which opens with its first request.
    """

    def __init__(self, make_opener: Callable[[httpx.URL], P], connect: Callable[[P, httpx.URL], C]) -> None:
        self._make_opener, self._connect = make_opener, connect
        self._hosts: dict[tuple[str, str, int | None], Host[P, C]] = {}
        self._used: dict[httpx.Request, tuple[Host[P, C], C]] = {}  # by each request that has not ended
        self._retired: list[C] = []
        self._lock = ForkLock()

    def find(self, url: httpx.URL) -> Host[P, C]:
        """The host of a URL."""
        address = (url.scheme, url.host, url.port)
        host = self._hosts.get(address)
        if host is None:
            with self._lock:
                host = self._hosts.get(address)
                if host is None:
                    host = self._hosts[address] = Host(self._make_opener(url))
        return host

    def take(self, host: Host[P, C], request: httpx.Request) -> C | None:
        """A connection for a request, its own until :meth:`leave` or :meth:`give_up`; None while all are in use."""
        with self._lock:
            while len(host.idle) > 1 and host.idle[0].has_expired():
                self._retired.append(host.idle.pop(0))
            while host.idle:
                _, connection = self._used[request] = host, host.idle.pop()
                if not connection.has_expired():
                    return connection
                self._retired.append(connection)
                self._used.pop(request, None)
            if sum(other is host for other, _ in tuple(self._used.values())) >= MOST:
                return None
            connection = self._connect(host.opener, request.url)
            self._used[request] = host, connection
            return connection

    def leave(self, request: httpx.Request) -> None:
        """A request has ended, and its connection may be used again if it is idle."""
        with self._lock:
            found = self._used.get(request)
            if found is not None:
                host, connection = found
                if not connection.is_closed():
                    (host.idle if connection.is_idle() else self._retired).append(connection)
                self._used.pop(request, None)  # last: an interrupt before it loses no connection

    def give_up(self, request: httpx.Request) -> None:
        """A request has ended, and the connection it used is not to be used again."""
        with self._lock:
            found = self._used.get(request)
            if found is not None:
                host, connection = found
                self._retired.append(connection)
                if connection in host.idle:  # ``leave`` was interrupted
                    host.idle.remove(connection)
                self._used.pop(request, None)  # last, as above

    def retired(self) -> list[C]:
        """The connections that are not used again, for the caller to close and then :meth:`drop`."""
        return self._retired.copy()

    def drop(self, connection: C) -> None:
        """A retired connection is closed."""
        with suppress(ValueError):  # another thread has closed it as well
            self._retired.remove(connection)

    def take_all(self) -> list[P | C]:
        """Every connection, and what opens them. They are the caller's to close."""
        with self._lock:
            hosts, self._hosts = list(self._hosts.values()), {}
            used, self._used = list(self._used.values()), {}
            idle = [connection for host in hosts for connection in host.idle]
            return [*idle, *(connection for _, connection in used), *self._retired, *(host.opener for host in hosts)]


class BlockingPools(Pools[P, C]):
    """Connections that threads wait for while all are in use."""

    def __init__(self, make_opener: Callable[[httpx.URL], P], connect: Callable[[P, httpx.URL], C]) -> None:
        super().__init__(make_opener, connect)
        self._calls: SimpleQueue[None] = SimpleQueue()  # for those who wait; in C, so no signal handler is kept out

    def take_free(self, host: Host[P, C], request: httpx.Request) -> C:
        """A connection for a request, as soon as one is free.

        Raises:
            httpx.PoolTimeout: None is within the request's time.
        """
        connection = self.take(host, request)
        ends = time.monotonic() + _seconds(request)
        while connection is None:
            left = ends - time.monotonic()
            if left <= 0:
                raise httpx.PoolTimeout(f"all {MOST} connections to {request.url.host} are in use")
            with suppress(Empty):
                self._calls.get(timeout=min(left, PATIENCE))
            connection = self.take(host, request)
        return connection

    def leave(self, request: httpx.Request) -> None:
        super().leave(request)
        self._call()

    def give_up(self, request: httpx.Request) -> None:
        super().give_up(request)
        self._call()

    def _call(self) -> None:
        if self._calls.qsize() < MOST:
            self._calls.put(None)


class AsyncPools(Pools[P, C]):
    """Connections that the tasks of one event loop wait for while all are in use."""

    def __init__(self, make_opener: Callable[[httpx.URL], P], connect: Callable[[P, httpx.URL], C]) -> None:
        super().__init__(make_opener, connect)
        self._waiting: deque[anyio.Event] = deque()

    async def take_free(self, host: Host[P, C], request: httpx.Request) -> C:
        """The twin of :meth:`BlockingPools.take_free`; a cancellation ends the waiting."""
        connection = self.take(host, request)
        while connection is None:
            import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

            call = anyio.Event()
            self._waiting.append(call)
            try:
                await call.wait()
            except BaseException:
                if call.is_set():
                    self._call()  # the next one's, then
                else:
                    self._waiting.remove(call)
                raise
            connection = self.take(host, request)
        return connection

    def leave(self, request: httpx.Request) -> None:
        super().leave(request)
        self._call()

    def give_up(self, request: httpx.Request) -> None:
        super().give_up(request)
        self._call()

    def _call(self) -> None:
        if self._waiting:
            with suppress(RuntimeError):  # the event loop has ended, and with it whoever waited
                self._waiting.popleft().set()


def _seconds(request: httpx.Request) -> float:
    limits: dict[str, float] = request.extensions["timeout"]
    return limits["pool"]
