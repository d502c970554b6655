"""Work that blocks, done beside an event loop.

Lives here: in which thread. Does not live here: what is done. Importing this module does not import anyio.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

R = TypeVar("R")


async def run_in_thread(
    work: Callable[..., R], *given: Any, limiter: anyio.CapacityLimiter | None = None, abandon: bool = False
) -> R:
    """Do ``work`` in a worker thread, or in this one while the program ends: Python 3.12 starts none then.

    Args:
        work: What blocks.
        given: Its arguments.
        limiter: How many may be under way at a time; by default anyio's own limit.
        abandon: Whether a cancellation leaves it to itself, rather than wait for it.
    """
    if not threading.main_thread().is_alive():
        return work(*given)
    import anyio.to_thread  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

    return await anyio.to_thread.run_sync(work, *given, limiter=limiter, abandon_on_cancel=abandon)
