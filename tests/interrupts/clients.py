"""The clients under test: their options, their journal, a journal that is locked, and a clock without waiting.

Does not live here: calling them (``blocking``, ``awaiting``).
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import anyio.lowlevel
from by_kind import list_functions

from muapi_client import Journal, Polling, Retry, models, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from loopback import Server

MODELS: Final = list_functions()
KEY: Final = "sk-test-0123456789"
JOURNALS: Final = ("without", "journal", "locked")
ENTRIES: Final = ("run", "submit", "send", "stream")
BUSY: Final = 0.05  # seconds a write waits for a lock that will not go
OPTIONS: Final[dict[str, Any]] = {
    "timeout": 600.0,
    "retry": Retry(attempts=3, initial=0.001, maximum=0.001),
    "polling": Polling(minimum=0.001, maximum=0.001),
}
MARKERS: Final = (f"fox-{number}-x" for number in itertools.count())  # the x, so that no marker begins another


class Clock:
    """A clock on which pauses pass at once.

    Attributes:
        on_sleep: Called before each pause with its number, from 0.
    """

    def __init__(self) -> None:
        self.pauses = 0
        self.on_sleep: Callable[[int], Any] = lambda _number: None
        self._now = 1000.0

    def now(self) -> float:
        """The reading, in seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self._pass(seconds)

    async def asleep(self, seconds: float) -> None:
        """Move on, after a turn of the event loop."""
        await anyio.lowlevel.checkpoint()
        pending = self._pass(seconds)
        if pending is not None:
            await pending

    def _pass(self, seconds: float) -> Any:
        number, self.pauses = self.pauses, self.pauses + 1
        self._now += seconds
        return self.on_sleep(number)


def call_of(entry: str, marker: str) -> Any:
    """What an entry point is given."""
    if entry.startswith("stream"):
        return getattr(models, MODELS["stream"])(prompt=marker)
    if "keyed" in entry:
        return getattr(models, MODELS["company"])(domain=marker)
    return getattr(models, MODELS["image"])(prompt=marker)


def plain_call(marker: str) -> Any:
    """The job that a client is given before and after an interrupt."""
    return raw_call("flux-dev-image", {"prompt": marker})


def options_of(entry: str) -> dict[str, Any]:
    """The options an entry point's client has beside the usual ones."""
    return {**OPTIONS, **({"max_spend": Decimal(1000)} if "max_spend" in entry else {})}


def open_journal(path: Path) -> Journal:
    """The journal of a client, which waits ``BUSY`` seconds for a lock."""
    try:
        return Journal(path, busy_timeout=BUSY)
    except TypeError:  # a client that has no such option yet: sqlite3 is told instead
        connect = sqlite3.connect
        with mock.patch("sqlite3.connect", lambda *args, **options: connect(*args, **{**options, "timeout": BUSY})):
            return Journal(path)


@contextmanager
def journal_locked(server: Server, path: Path, marker: str) -> Iterator[None]:
    """Hold the journal's write lock from the time the server has accepted a job to the end of ``with``."""
    holder: list[sqlite3.Connection] = []
    guard = threading.Lock()
    ended = False

    def hold(accepted: str) -> None:
        with guard:
            if accepted != marker or ended or holder:
                return
            connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            connection.execute("BEGIN IMMEDIATE")
            holder.append(connection)

    server.on_accept = hold
    try:
        yield
    finally:
        server.on_accept = lambda _marker: None
        with guard:
            ended = True
            for connection in holder:
                connection.close()
