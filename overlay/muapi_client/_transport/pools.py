"""The pools of connections that a client keeps, one a host and port, and which request uses which connection.

Each request has a connection to itself until it ends: the idle one that was used last, or a new one. So nothing that
goes wrong in one exchange touches another, and nobody waits for a lock that all of them share, as in httpcore's own
pool, which walks all connections and requests at each event.

A connection is given up because an interrupt can strike inside httpcore and h11, which are written for errors of the
network: it is then taken for idle in the middle of an answer, or a lock of its stays closed. Nobody can tell from
outside, so what an interrupted exchange used is not used again.

Lives here: which connection is whose, and waiting for one. Does not live here: opening one (``opening``), which
exceptions put one in danger, and closing one (``hosts``).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import httpx

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

MOST: Final = 100  # connections to a host at a time; Linux lets a process have 1,024 files open unless told otherwise
PATIENCE: Final = 0.1  # seconds after which a thread that waits looks for itself: an interrupt may lose a call


class Kept(Protocol):
    """What is asked of a connection."""

    def is_idle(self) -> bool:
        """Whether its answer was read to the end, so that it can carry another request."""
        ...

    def is_closed(self) -> bool:
        """Whether it is closed, or could not be opened."""
        ...

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the server has closed it meanwhile."""
        ...


O = TypeVar("O")  # noqa: E741 - of an opener; what is opened:
C = TypeVar("C", bound=Kept)


class Pool(Generic[O, C]):
    """What opens connections to a host and port, and those that no request uses, the latest used last."""

    def __init__(self, opener: O) -> None:
        self.opener = opener
        self.idle: list[C] = []


class Pools(ABC, Generic[O, C]):
    """The pools of a client.

    Args:
        make_opener: Makes what opens connections to the host of a URL.
        connect: Makes one of its connections, which opens with its first request.
    """

    def __init__(self, make_opener: Callable[[httpx.URL], O], connect: Callable[[O, httpx.URL], C]) -> None:
        self._make_opener, self._connect = make_opener, connect
        self._pools: dict[tuple[str, str, int | None], Pool[O, C]] = {}
        self._used: dict[httpx.Request, tuple[Pool[O, C], C]] = {}  # by each request that has not ended
        self._retired: list[C] = []
        self._lock = ForkLock()

    def find(self, url: httpx.URL) -> Pool[O, C]:
        """The pool of a URL's host, made when it is first asked for; raises what ``make_opener`` does."""
        address = (url.scheme, url.host, url.port)
        pool = self._pools.get(address)  # without the lock first: nearly always it is there
        if pool is None:
            with self._lock:
                pool = self._pools.get(address)
                if pool is None:
                    pool = self._pools[address] = Pool(self._make_opener(url))
        return pool

    def try_take(self, pool: Pool[O, C], request: httpx.Request) -> C | None:
        """A connection for a request, its own until :meth:`leave` or :meth:`give_up`; None while all are in use."""
        with self._lock:
            while len(pool.idle) > 1 and pool.idle[0].has_expired():  # the latest used is judged below
                self._retired.append(pool.idle.pop(0))
            while pool.idle:
                # One statement: an interrupt between two would leave it with nobody.
                _, connection = self._used[request] = pool, pool.idle.pop()
                if not connection.has_expired():
                    return connection
                self._retired.append(connection)
                self._used.pop(request, None)
            # A copy: a signal handler of this thread, which the lock lets in, may send a request meanwhile.
            if sum(other is pool for other, _ in tuple(self._used.values())) >= MOST:
                return None
            connection = self._connect(pool.opener, request.url)
            self._used[request] = pool, connection
            return connection

    def leave(self, request: httpx.Request) -> None:
        """A request has ended, and its connection may be used again if it is idle."""
        with self._lock:
            found = self._used.get(request)
            if found is not None:
                pool, connection = found
                if not connection.is_closed():
                    (pool.idle if connection.is_idle() else self._retired).append(connection)
                self._used.pop(request, None)  # last: an interrupt before it loses no connection
                self._call()

    def give_up(self, request: httpx.Request) -> None:
        """A request has ended, and the connection it used is not to be used again."""
        with self._lock:
            found = self._used.get(request)
            if found is not None:
                pool, connection = found
                self._retired.append(connection)
                if connection in pool.idle:  # ``leave`` was interrupted
                    pool.idle.remove(connection)
                self._used.pop(request, None)  # last, as above
                self._call()

    @abstractmethod
    def _call(self) -> None:
        """Tell one of those who wait that fewer connections are in use."""

    def retired(self) -> list[C]:
        """The connections that are not used again, for the caller to close and then :meth:`drop`.

        (Both need no lock: a list is copied, and loses an item, in one step of the interpreter's.)
        """
        return self._retired.copy()

    def drop(self, connection: C) -> None:
        """A retired connection is closed."""
        with suppress(ValueError):  # another thread has closed it as well
            self._retired.remove(connection)

    def take_all(self) -> list[O | C]:
        """Every connection, and what opens them. They are the caller's to close."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
            used, self._used = list(self._used.values()), {}
            retired, self._retired = self._retired, []
            idle = [connection for pool in pools for connection in pool.idle]
            return [*idle, *(connection for _, connection in used), *retired, *(pool.opener for pool in pools)]


class BlockingPools(Pools[O, C]):
    """Pools that threads wait for while all connections are in use."""

    def __init__(self, make_opener: Callable[[httpx.URL], O], connect: Callable[[O, httpx.URL], C]) -> None:
        super().__init__(make_opener, connect)
        # Its lock is the interpreter's own: a signal handler that sends a request finds none held by its own thread.
        self._calls: SimpleQueue[None] = SimpleQueue()

    def take(self, pool: Pool[O, C], request: httpx.Request) -> C:
        """A connection for a request, as soon as one is free.

        Raises:
            httpx.PoolTimeout: None is within the request's time.
        """
        connection = self.try_take(pool, request)
        if connection is not None:
            return connection
        ends = time.monotonic() + request.extensions["timeout"]["pool"]
        while connection is None:
            left = ends - time.monotonic()
            if left <= 0:
                raise httpx.PoolTimeout(f"all {MOST} connections to {request.url.host} are in use")
            with suppress(Empty):
                self._calls.get(timeout=min(left, PATIENCE))
            connection = self.try_take(pool, request)
        return connection

    def _call(self) -> None:
        if self._calls.qsize() < MOST:  # while nobody waits they pile up, and whoever comes looks once for each
            self._calls.put(None)


class AsyncPools(Pools[O, C]):
    """Pools that the tasks of one event loop wait for while all connections are in use."""

    def __init__(self, make_opener: Callable[[httpx.URL], O], connect: Callable[[O, httpx.URL], C]) -> None:
        super().__init__(make_opener, connect)
        self._waiting: deque[anyio.Event] = deque()

    async def take(self, pool: Pool[O, C], request: httpx.Request) -> C:
        """A connection for a request, as soon as one is free; it waits until it is cancelled."""
        connection = self.try_take(pool, request)
        while connection is None:
            import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

            call = anyio.Event()
            self._waiting.append(call)
            try:
                await call.wait()
            except BaseException:
                if call.is_set():
                    self._call()  # another takes the turn
                else:
                    self._waiting.remove(call)
                raise
            connection = self.try_take(pool, request)
        return connection

    def _call(self) -> None:
        if self._waiting:
            with suppress(RuntimeError):  # the event loop has ended, and with it whoever waited
                self._waiting.popleft().set()
