"""Many calls side by side, on the emulator: one test body for ``MuAPI`` and ``AsyncMuAPI``.

Words of these tests: ``open_client(**options)`` answers a ``Face``: a client of either kind whose ``map`` answers a
blocking iterator.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faces import Face

from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


STREAMS = {"out": "stdout", "file": "stderr", "terminal": "stderr"}  # fixtures of streams, and what they stand in for


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Have a test's streams stand in for the standard ones; pytest puts its own there after all fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        for fixture, name in STREAMS.items():
            if fixture in pyfuncitem.funcargs:
                patch.setattr(sys, name, pyfuncitem.funcargs[fixture])
        return (yield)


@pytest.fixture
def emulator() -> Emulator:
    """A MuAPI whose jobs take ten virtual seconds."""
    return Emulator(job_seconds=10)


@pytest.fixture(params=["sync", "async"])
def open_client(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Callable[..., Face]]:
    """``open_client(**options)``: a client of the emulator; it is closed when the test ends."""
    opened: list[Face] = []

    def open_one(**options: Any) -> Face:
        opened.append(Face(request.param, **{"emulator": emulator, **options}))
        return opened[-1]

    yield open_one
    for face in opened:
        face.shut()


@pytest.fixture
def face(open_client: Callable[..., Face]) -> Face:
    return open_client()
