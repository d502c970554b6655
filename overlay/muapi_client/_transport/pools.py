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
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Protocol, TypeVar
from weakref import ref

import httpx

from muapi_client._runtime.locks import ForkLock
from muapi_client._transport.closed import closed_error

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

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


OpenerT = TypeVar("OpenerT")
KeptT = TypeVar("KeptT", bound=Kept)


class Pool(Generic[OpenerT, KeptT]):
    """What opens connections to a host and port, and those that no request uses, the latest used last.

    Attributes:
        waiting: Who waits while all are in use; a :class:`queue.SimpleQueue` of calls, or a deque of turns.
    """

    def __init__(self, opener: OpenerT, waiting: Any) -> None:
        self.opener, self.waiting = opener, waiting
        self.idle: list[KeptT] = []


class Use(NamedTuple, Generic[OpenerT, KeptT]):
    """The use of a connection by a request that has not ended."""

    request: ref[httpx.Request]
    pool: Pool[OpenerT, KeptT]
    connection: KeptT


class Pools(ABC, Generic[OpenerT, KeptT]):
    """The pools of a client.

    Args:
        make_opener: Makes what opens connections to the host of a URL.
        connect: Makes one of its connections, which opens with its first request.
        most: How many connections there may be to a host and port at a time.
    """

    def __init__(
        self, make_opener: Callable[[httpx.URL], OpenerT], connect: Callable[[OpenerT, httpx.URL], KeptT], most: int
    ) -> None:
        self._make_opener, self._connect, self._most = make_opener, connect, most
        self._pools: dict[tuple[str, str, int | None], Pool[OpenerT, KeptT]] = {}
        self._used: dict[int, Use[OpenerT, KeptT]] = {}  # by the identity of the request
        self._retired: list[KeptT] = []
        self._closed = False
        self._lock = ForkLock()

    def find(self, url: httpx.URL) -> Pool[OpenerT, KeptT]:
        """The pool of a URL's host, made when it is first asked for; raises what ``make_opener`` does."""
        address = (url.scheme, url.host, url.port)
        pool = self._pools.get(address)  # without the lock first: nearly always it is there
        if pool is None:
            with self._lock:
                pool = self._pools.get(address)
                if pool is None:
                    pool = self._pools[address] = Pool(self._make_opener(url), self._make_queue())
        return pool

    @abstractmethod
    def _make_queue(self) -> Any:
        """Make the queue of those who wait for a pool's connections."""

    @abstractmethod
    def _call(self, pool: Pool[OpenerT, KeptT]) -> None:
        """Tell the next one of those who wait that a connection is free."""

    def try_take(self, pool: Pool[OpenerT, KeptT], request: httpx.Request) -> KeptT | None:
        """A connection for a request, its own until :meth:`leave` or :meth:`give_up`; None while all are in use.

        Raises:
            MuAPIError: The client was closed meanwhile.
        """
        with self._lock:
            if self._closed:
                raise closed_error()
            while len(pool.idle) > 1 and pool.idle[0].has_expired():  # the latest used is judged below
                self._retired.append(pool.idle.pop(0))
            while pool.idle:
                try:  # one statement: an interrupt between two leaves the connection to the garbage collector
                    use = self._used[id(request)] = Use(ref(request), pool, pool.idle.pop())
                except IndexError:  # a signal handler of this thread, which the lock lets in, has sent a request
                    break
                if not use.connection.has_expired():
                    return use.connection
                self._retired.append(use.connection)
                self._used.pop(id(request), None)
            if len(self._used) >= self._most and self._count(pool) >= self._most:
                return None
            use = self._used[id(request)] = Use(ref(request), pool, self._connect(pool.opener, request.url))
            return use.connection

    def _count(self, pool: Pool[OpenerT, KeptT]) -> int:
        """How many connections to a host are in use; one whose request is forgotten is used no more."""
        for key, use in tuple(self._used.items()):  # a copy: a signal handler of this thread may send one meanwhile
            if use.request() is None:  # an interrupt kept its end from being noted
                self._retired.append(use.connection)
                self._used.pop(key, None)
        return sum(use.pool is pool for use in tuple(self._used.values()))

    def leave(self, request: httpx.Request) -> None:
        """A request has ended, and its connection may be used again if it is idle."""
        with self._lock:
            use = self._find_use(request)
            if use is not None:
                if not use.connection.is_closed():
                    (use.pool.idle if use.connection.is_idle() else self._retired).append(use.connection)
                self._used.pop(id(request), None)  # last: an interrupt before it loses no connection
                self._call(use.pool)

    def give_up(self, request: httpx.Request) -> None:
        """A request has ended, and the connection it used is not to be used again."""
        with self._lock:
            use = self._find_use(request)
            if use is not None:
                if use.connection in use.pool.idle:  # ``leave`` was interrupted
                    use.pool.idle.remove(use.connection)
                # It was, and another request has taken the connection since.
                taken = sum(other.connection is use.connection for other in tuple(self._used.values())) > 1
                if not taken:
                    self._retired.append(use.connection)
                self._used.pop(id(request), None)  # last, as above
                self._call(use.pool)

    def _find_use(self, request: httpx.Request) -> Use[OpenerT, KeptT] | None:
        use = self._used.get(id(request))
        return use if use is not None and use.request() is request else None

    def retired(self) -> list[KeptT]:
        """The connections that are not used again, for the caller to close and then :meth:`drop`.

        (Both need no lock: a list is copied, and loses an item, in one step of the interpreter's.)
        """
        return self._retired.copy()

    def drop(self, connection: KeptT) -> None:
        """A retired connection is closed."""
        with suppress(ValueError):  # another thread has closed it as well
            self._retired.remove(connection)

    def close(self) -> list[OpenerT | KeptT]:
        """Lend no connection any more, and say so to those who wait.

        Returns:
            Every connection, and what opens them. They are the caller's to close.
        """
        with self._lock:
            self._closed = True
            pools, self._pools = list(self._pools.values()), {}
            used, self._used = list(self._used.values()), {}
            retired, self._retired = self._retired, []
            for pool in pools:
                self._call(pool)
            idle = [connection for pool in pools for connection in pool.idle]
            return [*idle, *(use.connection for use in used), *retired, *(pool.opener for pool in pools)]


class BlockingPools(Pools[OpenerT, KeptT]):
    """Pools from which threads take connections, and wait while all are in use."""

    def take(self, pool: Pool[OpenerT, KeptT], request: httpx.Request) -> KeptT:
        """A connection for a request, as soon as one is free.

        Raises:
            httpx.PoolTimeout: None is within the request's time.
            MuAPIError: The client was closed meanwhile.
        """
        connection = self.try_take(pool, request)
        if connection is not None:
            return connection
        ends = time.monotonic() + request.extensions["timeout"]["pool"]
        while connection is None:
            left = ends - time.monotonic()
            if left <= 0:
                raise httpx.PoolTimeout(f"all {self._most} connections to {request.url.host} are in use")
            with suppress(Empty):
                pool.waiting.get(timeout=min(left, PATIENCE))
            connection = self.try_take(pool, request)
        return connection

    def _make_queue(self) -> SimpleQueue[None]:
        # Its lock is the interpreter's own: a signal handler that sends a request finds none held by its own thread.
        return SimpleQueue()

    def _call(self, pool: Pool[OpenerT, KeptT]) -> None:
        if (
            pool.waiting.qsize() < self._most
        ):  # while nobody waits they pile up; the next thread that waits looks once for each
            pool.waiting.put(None)


class Turn:
    """The turn of a task that waits for a connection."""

    __slots__ = ("called",)  # ten thousand tasks may wait

    def __init__(self, called: anyio.Event) -> None:
        self.called = called


class AsyncPools(Pools[OpenerT, KeptT]):
    """Pools from which the tasks of one event loop take connections, each in turn while all are in use."""

    async def take(self, pool: Pool[OpenerT, KeptT], request: httpx.Request) -> KeptT:
        """A connection for a request, as soon as it is its turn and one is free; it waits until it is cancelled.

        Raises:
            MuAPIError: The client was closed meanwhile.
        """
        connection = self.try_take(pool, request) if not pool.waiting else None
        if connection is not None:
            return connection
        import anyio  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

        turn = Turn(anyio.Event())
        pool.waiting.append(turn)
        try:
            while True:
                await turn.called.wait()
                connection = self.try_take(pool, request)
                if connection is not None:
                    return connection
                turn.called = anyio.Event()  # not yet: it keeps its place
        finally:
            pool.waiting.remove(turn)
            self._call(pool)  # there may be more than one that is free, or this one was cancelled after its call

    def _make_queue(self) -> deque[Turn]:
        return deque()

    def _call(self, pool: Pool[OpenerT, KeptT]) -> None:
        for turn in pool.waiting:
            if not turn.called.is_set():
                with suppress(RuntimeError):  # the event loop has ended, and with it the task that waited
                    turn.called.set()
                break
