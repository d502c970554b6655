"""Clients of either kind whose ``map`` answers a blocking iterator, and calls to give them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from by_kind import make_image

from muapi_client import AsyncMuAPI, MuAPI

if TYPE_CHECKING:
    from muapi_client import Call
    from muapi_client.emulator import Emulator


def make_calls(count: int) -> list[Call[Any]]:
    return [make_image(prompt=f"fox {number}") for number in range(count)]


class Awaited:
    """An asynchronous iterator, one step at a time."""

    def __init__(self, runner: asyncio.Runner, outcomes: Any) -> None:
        self.runner = runner
        self.outcomes = outcomes

    def __iter__(self) -> Awaited:
        return self

    def __next__(self) -> Any:
        return self._take(self.outcomes.__anext__())

    def throw(self, error: BaseException) -> Any:
        return self._take(self.outcomes.athrow(error))

    def close(self) -> None:
        self._take(self.outcomes.aclose())

    def _take(self, step: Any) -> Any:
        async def take() -> Any:
            return await step

        try:
            return self.runner.run(take())
        except StopAsyncIteration:
            raise StopIteration from None


class Face:
    """A client of either kind, blocking."""

    def __init__(self, kind: str, emulator: Emulator, key: str = "sk-live", **options: Any) -> None:
        self.emulator = emulator
        self.runner = asyncio.Runner() if kind == "async" else None
        self.client: Any = (AsyncMuAPI if self.runner else MuAPI)(key, transport=emulator.transport(), **options)

    def map(self, calls: Any, **options: Any) -> Any:
        outcomes = self.client.map(calls, **options)
        return Awaited(self.runner, outcomes) if self.runner else outcomes

    def ask(self, method: str, *given: Any, **options: Any) -> Any:
        answer = getattr(self.client, method)(*given, **options)
        return self.runner.run(_await(answer)) if self.runner else answer

    def shut(self) -> None:
        self.ask("close")
        if self.runner:
            self.runner.close()


async def _await(answer: Any) -> Any:
    return [each async for each in answer] if hasattr(answer, "__aiter__") else await answer
