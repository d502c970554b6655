"""Who has a job in hand: this process, another that is alive, one that died, one whose pid lives again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from journal_writes import COST, intend

from muapi_client._runtime import processes
from muapi_client._state.journal import file as journal_file
from muapi_client._state.journal import reading as journal_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from places import Place

    from muapi_client import Journal

HOST = socket.gethostname()
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
NEEDS_PROC = pytest.mark.skipif(processes._start(os.getpid()) is None, reason="no /proc tells when a process began")
PROGRAM = """
import sys
from datetime import UTC, datetime
from muapi_client import raw_call
from places import open_journal
journal = open_journal(sys.argv[1])
journal.intend("intent", raw_call("m"), None, intended_at=datetime.now(UTC))
journal.intend("accepted", raw_call("m"), None, intended_at=datetime.now(UTC))
journal.accept("accepted", "r-waited-for", None, waiting=True)
print(flush=True)
for line in sys.stdin:
    getattr(journal, line.strip())("r-waited-for")
    print(flush=True)
"""


class Other:
    """Another process, which has one intent and waits for one job."""

    def __init__(self, place: Place) -> None:
        command = [sys.executable, "-c", PROGRAM, str(place.location)]
        self.process = subprocess.Popen(
            command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.process.stdout.readline()

    def do(self, method: str) -> None:
        """Have it call a method of its journal with the job's id."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{method}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def kill(self, *, collect: bool = True) -> None:
        """End it without a word, and perhaps leave it a zombie."""
        self.process.kill()
        if collect:
            self.process.communicate()
        else:
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def other(place: Place, journal: Journal) -> Iterator[Other]:
    running = Other(place)
    yield running
    running.kill()


def open_jobs(journal: Journal) -> tuple[list[str], list[str | None]]:
    return [entry.key for entry in journal.unknown()], [entry.request_id for entry in journal.unfinished()]


def own(place: Place, owner: str, lease: str | None = None) -> None:
    """Give every entry another owner, as if that one had written it."""
    place.change("UPDATE job SET owner = ?, lease = COALESCE(?, lease)", owner, lease)


def test_what_another_process_has_in_hand_is_left_to_it_until_it_dies(journal: Journal, other: Other) -> None:
    assert open_jobs(journal) == ([], [])
    other.do("end_wait")
    assert open_jobs(journal) == ([], ["r-waited-for"])
    other.do("begin_wait")
    assert open_jobs(journal) == ([], [])
    other.kill()
    assert open_jobs(journal) == (["intent"], ["r-waited-for"])


@NEEDS_PROC
def test_a_dead_process_that_nobody_has_collected_is_dead(journal: Journal, other: Other) -> None:
    other.kill(collect=False)
    assert open_jobs(journal) == (["intent"], ["r-waited-for"])


@NEEDS_PROC
def test_a_dead_process_whose_pid_lives_again_is_dead(journal: Journal, other: Other, place: Place) -> None:
    *_, start, token = journal.entries()[0].owner.split(":")
    own(place, f"{HOST}:{os.getppid()}:{start}:{token}")
    assert open_jobs(journal) == (["intent"], ["r-waited-for"])


def test_a_dead_process_that_had_our_pid_is_dead(journal: Journal, other: Other, place: Place) -> None:
    *_, start, _ = processes.owner().split(":")
    own(place, f"{HOST}:{os.getpid()}:{start}:0123456789ab")
    assert open_jobs(journal) == (["intent"], ["r-waited-for"])


@pytest.mark.parametrize(
    "owner",
    [
        "elsewhere:1:5-01234567:0123456789ab",  # another host's
        f"{HOST}:{os.getppid()}::0123456789ab",  # of a system that does not tell when a process began
        f"{HOST}:{os.getppid()}:0123456789ab",  # of form 1
        "elsewhere",
        f"{HOST}:x:y:z",
        f"{HOST}:{'9' * 30}:y:z",
    ],
    ids=["another host's", "without a start", "form 1's", "damaged", "no pid", "a long pid"],
)
def test_of_a_process_that_nobody_can_ask_the_lease_tells(
    journal: Journal, other: Other, place: Place, owner: str
) -> None:
    own(place, owner)
    assert open_jobs(journal) == ([], [])
    for past in (datetime.now(UTC) - timedelta(seconds=1)).isoformat(), "never":
        own(place, owner, past)
        assert open_jobs(journal) == (["intent"], ["r-waited-for"])


def test_a_lease_ends_unless_the_wait_is_told_again(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        minutes = 0.0

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 5, 17, tzinfo=tz) + timedelta(minutes=cls.minutes)

    monkeypatch.setattr(journal_file, "datetime", Later)
    monkeypatch.setattr(journal_module, "is_alive", lambda _owner: None)  # as on another host
    intend(journal, "m")
    journal.accept("m", "r-m", COST)
    waiter = journal._store.owner()
    journal.begin_wait("r-m")

    def seen_elsewhere() -> list[str | None]:
        with monkeypatch.context() as patch:
            patch.setattr(journal._store, "owner", lambda: "elsewhere:1:2:3")
            return [entry.request_id for entry in journal.unfinished()]

    assert seen_elsewhere() == []
    Later.minutes = 4.0
    journal.begin_wait("r-m")
    Later.minutes = 8.0
    assert seen_elsewhere() == []
    Later.minutes = 9.5
    assert seen_elsewhere() == ["r-m"]
    assert [entry.owner for entry in journal.entries()] == [waiter]


def test_our_own_intents_are_told_at_once_unless_they_are_under_way(journal: Journal) -> None:
    intend(journal, "left behind")
    intend(journal, "under way")
    assert [entry.key for entry in journal.unknown(is_running=lambda key: key == "under way")] == ["left behind"]


def test_what_this_process_waits_for_is_told_to_itself(journal: Journal) -> None:
    intend(journal, "m")
    journal.accept("m", "r-m", COST, waiting=True)
    assert [entry.request_id for entry in journal.unfinished()] == ["r-m"]


def test_the_end_of_another_s_wait_is_not_ours_to_tell(journal: Journal, other: Other) -> None:
    journal.end_wait("r-waited-for")
    assert open_jobs(journal) == ([], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_is_another_process(journal: Journal) -> None:
    (told, tell), (ended, end) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        intend(journal, "child's")
        os.write(tell, b"!")
        os.read(ended, 1)
        os._exit(0)
    os.read(told, 1)
    assert journal.unknown() == []
    os.write(end, b"!")
    os.waitpid(child, 0)
    assert [entry.key for entry in journal.unknown()] == ["child's"]
    for pipe in (told, tell, ended, end):
        os.close(pipe)


# A module that one thread is importing at the moment of another's fork stays half imported in the child, which waits
# for it for ever. So nothing is imported on the way of a write.
IMPORTING = """
import sys
from datetime import UTC, datetime
from muapi_client import Prediction, raw_call
from places import open_journal

journal, call, now, done = open_journal(sys.argv[1]), raw_call("m"), datetime.now(UTC), Prediction("r-m", "completed")
before = set(sys.modules)
journal.intend("m", call, None, intended_at=now)
journal.accept("m", "r-m", None)
journal.finish(done)
print(sorted(set(sys.modules) - before))
journal.close()
"""


def test_a_write_imports_nothing(place: Place) -> None:
    command = [sys.executable, "-c", IMPORTING, str(place.location)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    assert told.stdout == "[]\n"


FORKING = """
import os, signal, sys, threading
from datetime import UTC, datetime
from muapi_client import raw_call
from places import open_journal

def write(key):
    journal.intend(key, raw_call("m"), None, intended_at=datetime.now(UTC))

def fork(name):
    for turn in range(5):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            write(f"child {name} {turn}")
            os._exit(0)
        write(f"parent {name} {turn}")
        ended.append(os.waitpid(child, 0)[1])

journal, ended = open_journal(sys.argv[1]), []
threads = [threading.Thread(target=fork, args=(name,)) for name in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(ended), sum(ended), len(journal.entries()))
journal.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_threads_may_fork_at_once(place: Place) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, str(place.location)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    assert (told.stdout, told.stderr) == ("20 0 40\n", "")
