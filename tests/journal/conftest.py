"""Journals of a test, each closed at its end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `journal_writes`

if TYPE_CHECKING:
    from collections.abc import Callable

    from places import Place

    from muapi_client._state.journal.base import BaseJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal's file; a test that asks for it is about files alone."""
    return tmp_path / "jobs.db"


@pytest.fixture
def open_journal(place: Place) -> Callable[..., BaseJournal]:
    """Open the journal once more, as another client would."""
    return place.open


@pytest.fixture
def journal(place: Place) -> BaseJournal:
    """A journal of the latest form, empty."""
    return place.open()
