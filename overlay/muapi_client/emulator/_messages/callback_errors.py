"""Reporting a user's callable that fails while an emulator is served.

Lives here: telling it, since whoever gave the callable is not there to be raised at, and the server goes on. Does not
live here: what the callables are for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def report_error(what: str, error: BaseException, loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Tell of ``error`` by the event loop's exception handler: in the log, at first standard error, with a traceback.

    Args:
        what: What failed.
        error: How.
        loop: The server's; by default the one that runs in this thread.
    """
    where = asyncio.get_running_loop() if loop is None else loop
    where.call_exception_handler({"message": f"the emulator goes on, but {what} failed", "exception": error})


def report_errors_of(what: str, callback: Callable[[Any], object] | None) -> Callable[[Any], object] | None:
    """Wrap ``callback``: what it raises is reported and goes no further."""
    if callback is None:
        return None

    def tell(news: Any) -> None:
        try:
            callback(news)
        except BaseException as error:  # noqa: BLE001 - pytest.fail is none of Exception's
            report_error(what, error)

    return tell
