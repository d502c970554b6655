"""One body for both kinds of client, against a server that fails as told.

Lives here: the fixtures. The fault server's rooms are plain modules beside this file.

Words of these tests: a ``door`` is a client of either kind behind methods that block; ``faults`` is the server that
fails as told, and ``faults.truth`` its own record of what it accepted and charged, by which a client is judged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from doors import PATIENCE, Door, LeapingClock
from server import FaultServer, InThread

from muapi_client import Polling, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def in_thread() -> Iterator[InThread]:
    """A fault server in a thread."""
    with InThread() as running:
        yield running


@pytest.fixture
def faults(in_thread: InThread) -> FaultServer:
    """A fault server, without faults until told."""
    return in_thread.server


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which client."""
    found: str = request.param
    return found


@pytest.fixture
def clock() -> LeapingClock:
    """The clock of the client that ``open_door`` opens, unless it is given another."""
    return LeapingClock()


@pytest.fixture
def open_door(faults: FaultServer, kind: str, clock: LeapingClock) -> Iterator[Callable[..., Door]]:
    """``open_door(**options)``: a client of the fault server; it is closed when the test ends."""
    opened: list[Door] = []

    def open_one(**options: Any) -> Door:
        opened.append(Door(kind, faults.url, **{"timeout": PATIENCE, "clock": clock, **options}))
        return opened[-1]

    yield open_one
    for door in opened:
        door.shut()


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    """A client with small patience: three tries, short pauses."""
    return open_door(retry=Retry(attempts=3, initial=0.5), polling=Polling(minimum=0.5))
