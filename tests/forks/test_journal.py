"""A journal's connection is never carried across a fork, not even one that another thread is about to open."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Journal
from muapi_client._state.journal import file as journal_file
from muapi_client._state.journal.file import JournalFile

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


def test_a_fork_while_another_thread_opens_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opening, forking = threading.Event(), threading.Event()
    claim, hold = journal_file.claim, JournalFile.hold
    files: list[JournalFile] = []
    journals: list[Journal] = []

    def note_fork(file: JournalFile) -> None:
        files.append(file)
        forking.set()
        hold(file)

    def wait_for_fork(connection: Any) -> None:
        opening.set()
        forking.wait(10)
        claim(connection)

    monkeypatch.setattr(JournalFile, "hold", note_fork)
    monkeypatch.setattr(journal_file, "claim", wait_for_fork)
    opener = threading.Thread(target=lambda: journals.append(Journal(tmp_path / "jobs.db")))
    opener.start()
    opening.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if files and all(file._connection is None for file in files) else 1)
    opener.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journals[0].unknown() == []
