"""The requests that an emulator has seen.

Lives here: how many are remembered, and how much of them. Does not live here: what one is (``_exchanges``).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from attrs import evolve

if TYPE_CHECKING:
    from muapi_client.emulator._exchanges import Exchange

REMEMBERED: Final = 100_000  # exchanges: a soak test must not eat the memory
BODIES: Final = 32 * 2**20  # bytes of all bodies together; nor must uploads


class Seen:
    """The newest exchanges in order, the newest of those with their bodies, and the last one always whole."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._whole: deque[Exchange] = deque()
        self._rest: deque[Exchange] = deque()  # older ones, without their bodies
        self._size = 0

    def add(self, exchange: Exchange) -> None:
        """Remember ``exchange``, and less of older ones where that is too much."""
        self._whole.append(exchange)
        self._size += len(exchange.request.body)
        while self._size > BODIES and len(self._whole) > 1:
            self._rest.append(self._bare())
        while len(self._rest) + len(self._whole) > self._limit:
            if self._rest:
                self._rest.popleft()
            else:
                self._bare()

    def all(self) -> tuple[Exchange, ...]:
        """All that are remembered, oldest first."""
        return (*self._rest, *self._whole)

    def _bare(self) -> Exchange:
        """The oldest of those that are whole, out of their row and without its body."""
        exchange = self._whole.popleft()
        request = exchange.request
        self._size -= len(request.body)
        return evolve(exchange, request=evolve(request, body=b""), whole=False) if request.body else exchange
