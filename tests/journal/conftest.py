"""Journals of a test, each closed at its end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Journal

sys.path.insert(0, str(Path(__file__).parent))  # for `journal_writes`

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is, or will be."""
    return tmp_path / "jobs.db"


@pytest.fixture
def open_journal(path: Path) -> Iterator[Callable[..., Journal]]:
    """Open the journal once more, as another client would."""
    opened: list[Journal] = []

    def open_one(**options: Any) -> Journal:
        opened.append(Journal(path, **options))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Callable[..., Journal]) -> Journal:
    """A journal of form 2, empty."""
    return open_journal()
