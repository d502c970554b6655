"""A fleet on a real PostgreSQL: these tests run in ``nox -s fleet``, which tells where its server is.

Those that kill a server have one of their own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from places import SERVER

sys.path.insert(0, str(Path(__file__).parent))  # for `postgres_server`
sys.path.append(str(Path(__file__).parent.parent / "journal"))  # for `journal_writes`

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out where there is no server."""
    for item in items:
        if not SERVER and Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.skip(reason="no PostgreSQL server is named: `nox -s fleet` starts one"))


@pytest.fixture
def environment() -> dict[str, str]:
    """Of programs that a test starts."""
    return ENVIRONMENT


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own, which it may kill."""
    from postgres_server import PostgresServer

    running = PostgresServer()
    yield running
    running.remove()
