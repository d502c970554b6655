"""Clients under test: one body for both kinds, and a clock that spares the pauses.

Does not live here: the server they talk to (``server``).
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, Final

from muapi_client import AsyncMuAPI, MuAPI

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 30.0  # seconds one exchange may take in these tests; no fault of the server lasts as long and ends
SHORT: Final = 1.0  # the same where the server will use all of it; a dripped answer would take 15
SOON: Final = 10.0  # seconds in which even a busy machine ends what takes SHORT, and ends it before a drip does


class LeapingClock:
    """Real time in which sleeping takes none: exchanges last as long as they last, pauses pass at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        """The reading, in seconds."""
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Leap."""
        self.slept.append(seconds)

    async def asleep(self, seconds: float) -> None:
        """Leap, after a turn of the event loop."""
        await asyncio.sleep(0)
        self.slept.append(seconds)


class Door:
    """A client of either kind whose methods block, whichever it is."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        self.kind = kind
        self.is_shut = False
        self._runner = asyncio.Runner() if kind == "async" else None
        self.mu: Any = (AsyncMuAPI if kind == "async" else MuAPI)("sk-test-0123456789", url, **options)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.mu, name)
        return self._blocking(found) if callable(found) else found

    def _blocking(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def blocking(*given: Any, **named: Any) -> Any:
            answer = method(*given, **named)
            return self.do(answer) if inspect.isawaitable(answer) else answer

        return blocking

    def do(self, awaitable: Any) -> Any:
        """Await something in this door's event loop."""

        async def awaiting() -> Any:
            return await awaitable

        assert self._runner is not None
        return self._runner.run(awaiting())

    def shut(self) -> None:
        """Close the client, and its event loop where it has one."""
        if self.is_shut:
            return
        self.is_shut = True
        try:
            closing = self.mu.close()
            if inspect.isawaitable(closing):
                self.do(closing)
                self.do(asyncio.sleep(0.001))  # asyncio closes a transport's socket in a later turn
        finally:
            if self._runner is not None:
                self._runner.close()
