"""The journal when processes die, fork, or are interrupted in the middle of a submit."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from doors import LeapingClock
from plans import strike

from muapi_client import AsyncMuAPI, Journal, MuAPI, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doors import Door
    from server import FaultServer

KEY = "sk-test-0123456789"
PROGRAM = f"""
import sys
from muapi_client import MuAPI, raw_call
MuAPI("sk-test-0123456789", sys.argv[1], journal=sys.argv[2]).run(raw_call("{IMAGE.slug}", {{"prompt": sys.argv[3]}}))
"""


def _call(marker: str) -> Any:
    return raw_call(IMAGE.slug, {"prompt": marker})


def _intend(journal: Journal, marker: str) -> None:
    journal.intend(marker, _call(marker), None, intended_at=datetime.now(UTC))


def _unknown(journal: Path) -> list[str]:
    with MuAPI(KEY, "http://127.0.0.1:9", journal=journal) as mu:
        return [entry.call.body["prompt"] for entry in mu.unknown(all_accounts=True) if entry.call and entry.call.body]


def _killed(faults: FaultServer, journal: Path, marker: str, when: Callable[[str, str], bool]) -> None:
    """Run one job in a process of its own and kill it from the server's side, at a request of its."""
    due = threading.Event()
    faults.on_request = lambda what, subject: due.set() if when(what, subject) else None
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, faults.url, str(journal), marker])
    try:
        assert due.wait(60)
    finally:
        program.kill()
        program.wait()


def test_killed_before_the_answer_the_job_is_told_as_perhaps_charged(faults: FaultServer, tmp_path: Path) -> None:
    faults.plan.always["submit"] = strike("hang", accepts=True)

    _killed(faults, tmp_path / "jobs.db", "completed-1", lambda what, _: what == "submit")

    assert faults.truth.accepted["completed-1"] == 1
    assert _unknown(tmp_path / "jobs.db") == ["completed-1"]


def test_killed_while_waiting_the_job_is_taken_up_again(faults: FaultServer, tmp_path: Path) -> None:
    faults.plan.always["look"] = strike("hang")
    _killed(faults, tmp_path / "jobs.db", "completed-1", lambda what, _: what == "look")
    faults.plan.always.clear()

    with MuAPI(KEY, faults.url, journal=tmp_path / "jobs.db", clock=LeapingClock()) as mu:
        (job,) = mu.resume()
        assert mu.unknown() == []
        done = mu.wait(job)
        assert list(mu.resume()) == []

    assert done.done
    assert job.call == _call("completed-1")
    assert faults.truth.posts.total() == 1


@pytest.mark.usefixtures("no_collection")
def test_an_interrupted_submit_is_in_the_journal(faults: FaultServer, tmp_path: Path) -> None:
    faults.plan.queues["submit"].append(strike("hang", accepts=True))
    faults.on_request = lambda _what, _subject: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with MuAPI(KEY, faults.url, journal=tmp_path / "jobs.db") as mu:
        with pytest.raises(KeyboardInterrupt):
            mu.submit(_call("completed-1"))
        told = mu.unknown()

    assert [entry.call for entry in told] == [_call("completed-1")]
    assert "KeyboardInterrupt" in (told[0].reason or "")


def test_a_cancelled_submit_is_in_the_journal(faults: FaultServer, tmp_path: Path) -> None:
    faults.plan.queues["submit"].append(strike("hang", accepts=True))
    arrived = threading.Event()
    faults.on_request = lambda _what, _subject: arrived.set()

    async def cancel() -> list[Any]:
        async with AsyncMuAPI(KEY, faults.url, journal=tmp_path / "jobs.db") as mu:
            task = asyncio.create_task(mu.submit(_call("completed-1")))
            await asyncio.to_thread(arrived.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await mu.unknown()

    assert [entry.call for entry in asyncio.run(cancel())] == [_call("completed-1")]


@pytest.mark.parametrize("turns", range(12))
def test_a_submit_cancelled_at_any_turn_of_the_loop_is_either_unsent_or_in_the_journal(
    turns: int, faults: FaultServer, tmp_path: Path
) -> None:
    async def cancel() -> set[str]:
        async with AsyncMuAPI(KEY, faults.url, journal=tmp_path / "jobs.db") as mu:
            task = asyncio.create_task(mu.submit(_call("completed-1")))
            for _ in range(turns):
                await asyncio.sleep(0.002 * (turns % 3))
            task.cancel()
            await asyncio.wait([task])
        return {entry.state for entry in Journal(tmp_path / "jobs.db").entries()}

    states = asyncio.run(cancel())

    assert faults.truth.accepted["completed-1"] <= len(states)


def test_an_unknown_outcome_is_told_by_the_next_process_too(
    faults: FaultServer, open_door: Callable[..., Door], tmp_path: Path
) -> None:
    faults.plan.always["submit"] = strike("500", accepts=True)
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        open_door(journal=tmp_path / "jobs.db").submit(_call("completed-1"))

    assert _unknown(tmp_path / "jobs.db") == ["completed-1"]


@pytest.mark.parametrize("name", ["429", "redirect_307", "html_403"])
def test_what_was_refused_is_not_in_the_journal(
    name: str, faults: FaultServer, open_door: Callable[..., Door], tmp_path: Path
) -> None:
    faults.plan.always["submit"] = strike(name)
    with pytest.raises(errors.APIStatusError):
        open_door(journal=tmp_path / "jobs.db").submit(_call("completed-1"))

    assert _unknown(tmp_path / "jobs.db") == []
    assert Journal(tmp_path / "jobs.db").unfinished() == []


def test_what_cannot_be_written_down_is_not_sent(
    faults: FaultServer, open_door: Callable[..., Door], tmp_path: Path
) -> None:
    door = open_door(journal=tmp_path / "jobs.db")
    with sqlite3.connect(tmp_path / "jobs.db") as spoiler:
        spoiler.execute("DROP TABLE job")
    spoiler.close()

    with pytest.raises(errors.JournalError):
        door.submit(_call("completed-1"))

    assert faults.truth.posts.total() == 0


def test_an_intent_of_a_dead_process_with_our_pid_is_told(tmp_path: Path) -> None:
    """A container comes back with its old host name and often its old pid."""
    _intend(Journal(tmp_path / "jobs.db"), "completed-1")
    program = (
        "import os, sys; from muapi_client import Journal;"
        "os.getpid = lambda: int(sys.argv[2]);"
        "print(len(Journal(sys.argv[1]).unknown()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "jobs.db"), str(os.getpid())],
        check=True,
        capture_output=True,
        text=True,
    )

    assert socket.gethostname()
    assert told.stdout.strip() == "1"


def test_a_fork_shares_the_journal_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.db")
    _intend(journal, "parent")
    (child_wrote, tell_parent), (parent_closed, tell_child) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        _intend(journal, "child-1")
        os.write(tell_parent, b"!")
        os.read(parent_closed, 1)
        _intend(journal, "child-2")
        os._exit(0)
    os.read(child_wrote, 1)
    journal.close()
    os.write(tell_child, b"!")
    os.waitpid(child, 0)
    for end in (child_wrote, tell_parent, parent_closed, tell_child):
        os.close(end)

    known = {entry.call.body["prompt"] for entry in Journal(tmp_path / "jobs.db").entries(states=["intent"])}  # type: ignore[union-attr, index]

    assert known == {"parent", "child-1", "child-2"}
