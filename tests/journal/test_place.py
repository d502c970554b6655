"""Which file a journal is: fixed when it is opened, its owner's only, and missed when it is gone."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from journal_writes import intend

from muapi_client import Journal, errors
from muapi_client._state.journal.file_form import claim

if TYPE_CHECKING:
    from collections.abc import Callable


def remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink()


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def remove_the_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def test_a_relative_path_is_fixed_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    journal = Journal("jobs.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    journal.close()  # it is opened again by its next use, as after a fork
    intend(journal, "m")
    journal.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert repr(journal) == f"Journal({str(tmp_path / 'jobs.db')!r})"


@pytest.mark.parametrize("path", [":memory:", "", "file:jobs.db", "file::memory:?cache=shared", "a\0b", None, 3, True])
def test_what_is_no_file_is_refused_with_a_sentence(path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.JournalError, match="path"):
        Journal(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 10**9, "10", True])
def test_a_busy_timeout_is_a_number_of_seconds(path: Path, seconds: Any) -> None:
    with pytest.raises(errors.JournalError, match="busy_timeout must be a number of seconds"):
        Journal(path, busy_timeout=seconds)
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="has no modes")
@pytest.mark.parametrize("without_mknod", [False, True])
def test_a_new_file_and_those_beside_it_are_its_owner_s_only(
    path: Path, open_journal: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch, without_mknod: bool
) -> None:
    if without_mknod:
        monkeypatch.delattr(os, "mknod", raising=False)
    before = os.umask(0)
    try:
        intend(open_journal(), "m")
    finally:
        os.umask(before)
    modes = {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()}
    assert modes == {"jobs.db": "0o600", "jobs.db-wal": "0o600", "jobs.db-shm": "0o600"}


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be taken away")
@pytest.mark.parametrize("take_away", [remove, replace, move_the_folder, remove_the_log])
@pytest.mark.parametrize("closed", [False, True])
def test_a_file_that_is_gone_or_replaced_is_missed_before_the_next_submit(
    tmp_path: Path, take_away: Callable[[Path], None], closed: bool
) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "jobs.db"
    journal = Journal(path)
    intend(journal, "m")
    take_away(path)
    if closed and take_away is not remove_the_log:  # which closing takes away in any case
        journal.close()
    with pytest.raises(errors.JournalError, match=r"deleted or replaced.*nothing was sent"):
        intend(journal, "n")
    journal.close()
    assert take_away is replace or path.exists() == (take_away is remove_the_log)


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links, and an open file cannot be taken away")
@pytest.mark.parametrize("is_there", [False, True])
def test_behind_a_link_a_file_is_its_owner_s_only_and_what_is_gone_is_missed(tmp_path: Path, is_there: bool) -> None:
    """SQLite keeps the newest entries beside the file itself, not beside the link."""
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "jobs.db", tmp_path / "link.db"
    link.symlink_to(path)
    if is_there:
        Journal(path).close()
    before = os.umask(0)
    try:
        journal = Journal(link)
        intend(journal, "m")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    remove_the_log(path)
    with pytest.raises(errors.JournalError, match=r"deleted or replaced.*nothing was sent"):
        intend(journal, "n")
    journal.close()


def test_a_journal_in_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(errors.JournalError, match=r"nowhere.*jobs\.db"):
        Journal(tmp_path / "nowhere" / "jobs.db")


def test_closing_twice_does_no_harm_and_later_use_opens_it_again(path: Path, journal: Journal) -> None:
    intend(journal, "m")
    journal.close()
    journal.close()
    assert [file.name for file in path.parent.iterdir()] == ["jobs.db"]
    assert len(journal.entries()) == 1


def test_an_abandoned_journal_is_closed(path: Path) -> None:
    journal = Journal(path)
    intend(journal, "m")
    del journal
    assert [file.name for file in path.parent.iterdir()] == ["jobs.db"]


class Interleaved:
    """A connection to an empty file, of which another process makes a journal after ``pause`` statements."""

    def __init__(self, path: Path, pause: int) -> None:
        self._db, self._path, self._left = sqlite3.connect(path, isolation_level=None), path, pause

    def execute(self, *statement: Any) -> Any:
        answer = self._db.execute(*statement).fetchall()
        self._left -= 1
        if not self._left:
            Journal(self._path).close()
        return SimpleNamespace(fetchone=lambda: answer[0] if answer else None, fetchall=lambda: answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@pytest.mark.parametrize("pause", [1, 2, 3])
def test_two_processes_may_make_the_same_journal_at_once(tmp_path: Path, pause: int) -> None:
    path = tmp_path / "jobs.db"
    path.touch()
    db: Any = Interleaved(path, pause)
    claim(db)
    db.close()
    assert Journal(path).unknown() == []


class Contended:
    """A connection to an empty file that another process is writing to until this one waits for it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._other = sqlite3.connect(path, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def execute(self, *statement: Any) -> Any:
        if statement == ("BEGIN IMMEDIATE",) and self._other.in_transaction:
            self._other.rollback()
            self._other.close()
            self._other = self._db
        return self._db.execute(*statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def test_a_process_that_makes_a_journal_waits_for_another_that_does(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    path.touch()
    db: Any = Contended(path)
    claim(db)
    db.close()
    assert Journal(path).unknown() == []
