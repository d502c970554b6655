"""The pools of connections that a client keeps, one a host and port, and which request uses which.

Lives here: opening a pool when it is first needed, and giving one up: no new request goes over it, and it is closed
once the last that uses it has ended. Does not live here: how a host is reached, and which exceptions put a pool in
danger (``hosts``).

A pool is given up because an interrupt can strike inside httpcore and h11, which are written for errors of the network:
a connection is then taken for idle in the middle of an answer, or a lock stays closed. Nobody can tell from outside, so
what an interrupted exchange used is not used again. It is not closed at once, since other threads may be using it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

P = TypeVar("P")


class Pools(Generic[P]):
    """Pools of one kind.

    Args:
        make: Opens a pool for the host of a URL.
    """

    def __init__(self, make: Callable[[httpx.URL], P]) -> None:
        self._make = make
        self._current: dict[tuple[str, str, int | None], P] = {}
        self._retired: list[P] = []
        self._used: dict[httpx.Request, P] = {}  # by each request that has not ended
        self._lock = ForkLock()

    def take(self, request: httpx.Request) -> P:
        """The pool for the host of a request, which uses it until :meth:`leave` or :meth:`give_up`."""
        url = request.url
        host = (url.scheme, url.host, url.port)
        with self._lock:
            pool = self._current.get(host)
            if pool is None:
                pool = self._current[host] = self._make(url)
            self._used[request] = pool
            return pool

    def used_with(self, request: httpx.Request) -> tuple[P | None, int]:
        """The pool that a request uses, and how many others use it."""
        with self._lock:
            pool = self._used.get(request)
            # A copy: a signal handler of this thread, which the lock lets in, may send a request meanwhile.
            return pool, sum(other is pool for other in tuple(self._used.values())) - 1

    def leave(self, request: httpx.Request) -> bool:
        """A request has ended; answers whether there are pools to be closed now."""
        with self._lock:  # another thread may be counting what is used
            self._used.pop(request, None)
            return bool(self._retired)

    def give_up(self, request: httpx.Request) -> None:
        """A request has ended, and the pool it used is not to be used again."""
        with self._lock:
            pool = self._used.get(request)
            if pool is None:
                return
            for host in [host for host, current in self._current.items() if current is pool]:
                del self._current[host]
            if pool not in self._retired:
                self._retired.append(pool)
            del self._used[request]

    def unused(self) -> list[P]:
        """The pools that were given up and that no request uses any more. They are the caller's to close."""
        with self._lock:
            used = {id(pool) for pool in tuple(self._used.values())}  # a copy, as above
            unused = [pool for pool in self._retired if id(pool) not in used]
            self._retired = [pool for pool in self._retired if id(pool) in used]
            return unused

    def all(self) -> list[P]:
        """Every pool, given up or not. They are the caller's to close."""
        with self._lock:
            pools = [*self._current.values(), *self._retired]
            self._current, self._retired = {}, []
            return pools
