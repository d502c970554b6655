"""All that awaiting takes, loaded at once: anyio loads piece by piece as it is used.

Lives here: loading it, and which event loop is running. Does not live here: using it; the rest of ``_transport`` names
anyio itself, and finds it loaded.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from anyio import (  # noqa: F401 - what this package and httpcore use of it
    CancelScope,
    CapacityLimiter,
    Event,
    Lock,
    connect_tcp,
    connect_unix,
    create_task_group,
    current_time,
    fail_after,
    get_cancelled_exc_class,
    sleep,
    to_thread,
)
from anyio.lowlevel import RunVar, checkpoint, current_token  # noqa: F401 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

# httpcore looks for sniffio with each request, and is content without. Looking for a module is an import as well, in
# which a fork may fall; of one that is noted as missing no search begins.
if find_spec("sniffio") is None:
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # None is Python's own word for it


def find_loop() -> Any:
    """The running event loop of asyncio, or what stands for it in trio; loads anyio's side of it."""
    token: Any = current_token()
    return getattr(token, "native_token", token)


def find_call_soon() -> Callable[[Callable[[], None]], None]:
    """What has the running event loop call something soon, asked by any thread, which does not wait for it.

    Where the loop has ended meanwhile nothing is called.
    """
    loop = find_loop()
    schedule: Callable[[Callable[[], None]], object] = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon

    def call_soon(work: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended, and who waited with it
            schedule(work)

    return call_soon
