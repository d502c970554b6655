"""All that awaiting takes, loaded at once: anyio loads piece by piece as it is used.

Lives here: loading it, and which event loop is running. Does not live here: using it; the rest of ``_transport`` names
anyio itself, and finds it loaded.
"""

from __future__ import annotations

from typing import Any

from anyio import (  # noqa: F401 - what this package and httpcore use of it
    CancelScope,
    CapacityLimiter,
    Event,
    Lock,
    connect_tcp,
    connect_unix,
    create_task_group,
    fail_after,
    get_cancelled_exc_class,
    sleep,
    to_thread,
)
from anyio.lowlevel import RunVar, checkpoint, current_token  # noqa: F401 - as above


def find_loop() -> Any:
    """The running event loop of asyncio, or what stands for it in trio; loads anyio's side of it."""
    token: Any = current_token()
    return getattr(token, "native_token", token)
