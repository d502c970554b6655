"""The requests that an emulator has seen.

Lives here: what is remembered of one, how many are, and how much of them. Does not live here: the request itself
(``_messages/messages``).
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

if TYPE_CHECKING:
    from muapi_client.emulator._http.faults import Fault
    from muapi_client.emulator._messages.messages import Request

REMEMBERED: Final = 10_000  # exchanges: a soak test must not eat the memory
BODIES: Final = 32 * 2**20  # bytes of all bodies together; nor must uploads


@frozen
class Exchange:
    """A request the emulator saw, the status it answered with, and the fault that one met.

    Where the answer was lost, ``status`` is what it would have been; None where the request had no effect either.
    ``whole`` is False where the request's body is no longer kept (see ``Emulator.requests``); it is empty then.
    """

    request: Request
    status: int | None
    fault: Fault | None = None
    whole: bool = True

    @property
    def slug(self) -> str:
        """The path without ``/api/v1/``."""
        return self.request.path.removeprefix("/api/v1/")

    @property
    def json(self) -> Any:
        """The request's body, parsed; ``None`` when there was none.

        Raises:
            ValueError: It is not JSON, or no longer kept.
        """
        if not self.whole:
            raise ValueError("this request's body is no longer kept: an emulator remembers those of the newest, 32 MiB")
        return json.loads(self.request.body) if self.request.body else None


class RequestLog:
    """The newest exchanges in order, the newest of those with their bodies, and the last one always whole."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._whole: deque[Exchange] = deque()
        self._rest: deque[Exchange] = deque()  # older ones, without their bodies
        self._size = 0
        self.seen = 0  # exchanges ever

    def add(self, exchange: Exchange) -> None:
        """Remember ``exchange``, and less of older ones where that is too much."""
        self._whole.append(exchange)
        self.seen += 1
        self._size += len(exchange.request.body)
        while self._size > BODIES and len(self._whole) > 1:
            self._rest.append(self._drop_body())
        while len(self._rest) + len(self._whole) > self._limit:
            if self._rest:
                self._rest.popleft()
            else:
                self._drop_body()

    def all(self) -> tuple[Exchange, ...]:
        """All that are remembered, oldest first."""
        return (*self._rest, *self._whole)

    def _drop_body(self) -> Exchange:
        """The oldest of those that are whole, out of their row and without its body."""
        exchange = self._whole.popleft()
        request = exchange.request
        self._size -= len(request.body)
        return evolve(exchange, request=evolve(request, body=b""), whole=False) if request.body else exchange
