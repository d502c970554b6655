"""Imports that this package begins late, and forks: a child inherits none that another thread was in the middle of."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import list_functions

from muapi_client._runtime import forks as waiting_room
from muapi_client._runtime.forks import forks
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")

LOADING = Path(__file__).with_name("loading.py")


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with Emulator().serve(speed=600) as url:
        yield url


@pytest.mark.parametrize("words", [["bare"], ["guarded"]], ids=["plain", "journal, max_spend and expect"])
@pytest.mark.parametrize("kind", ["MuAPI", "AsyncMuAPI"])
def test_all_that_a_client_loads_late_it_loads_where_a_fork_waits(
    kind: str, emulator: str, tmp_path: Path, words: list[str]
) -> None:
    url = emulator.replace("127.0.0.1", "localhost")  # which getaddrinfo looks up, in a thread of the event loop
    command = [sys.executable, str(LOADING), kind, url, str(tmp_path), *words]
    models = {"MODELS_BY_KIND": json.dumps(list_functions())}
    told = subprocess.run(command, env={**os.environ, **models}, check=True, capture_output=True, text=True)
    assert told.stdout.split("\n") == ["loaded in time: True", "loaded elsewhere: []", ""]


@pytest.fixture
def is_waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a fork has found that it has to wait."""
    waiting = threading.Event()
    take_locks = waiting_room._take_locks

    def take() -> Any:
        busy = take_locks()
        if busy is not None:
            waiting.set()
        return busy

    monkeypatch.setattr(waiting_room, "_take_locks", take)
    return waiting


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, Callable[[], Any]], None]]:
    """``module(name, code, hook)``: a module to import, in whose code ``hook()`` can be called."""
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def write(name: str, code: str, hook: Callable[[], Any]) -> None:
        monkeypatch.setattr(threading, f"hook_of_{name}", hook, raising=False)
        (tmp_path / f"{name}.py").write_text(f"import threading\nhook = threading.hook_of_{name}\n{code}\n")
        names.append(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


def load(name: str) -> Any:
    with forks.kept_waiting:
        return importlib.import_module(name)


def end_child(work: Callable[[], Any]) -> None:
    """End a forked child by whether the work was good."""
    signal.alarm(60)
    try:
        good = work()
    except BaseException:  # noqa: BLE001 - a child must not go on as a second test run
        good = False
    os._exit(0 if good else 1)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_waits_for_an_import_in_another_thread(
    module: Callable[[str, str, Callable[[], Any]], None], is_waiting: threading.Event
) -> None:
    begun = threading.Event()

    def pause() -> None:
        begun.set()
        assert is_waiting.wait(30)

    module("slow_module", "hook()\nwhole = True", pause)
    importer = threading.Thread(target=load, args=("slow_module",))
    importer.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        end_child(lambda: load("slow_module").whole)
    importer.join()
    assert exit_code(child) == 0


def test_a_thread_may_fork_in_the_middle_of_its_own_import(
    module: Callable[[str, str, Callable[[], Any]], None],
) -> None:
    module("forking_module", "child = hook()", os.fork)
    child = load("forking_module").child
    if child == 0:
        end_child(lambda: not forks.kept_waiting.is_mine() and load("forking_module").child == 0)
    assert not forks.kept_waiting.is_mine()
    assert exit_code(child) == 0


def test_a_signal_handler_may_fork_in_the_middle_of_an_import(
    module: Callable[[str, str, Callable[[], Any]], None],
) -> None:
    children: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: children.append(os.fork()))
    try:
        module("signalled_module", "hook()\nwhole = True", lambda: signal.raise_signal(signal.SIGUSR1))
        whole = load("signalled_module").whole
        if children == [0]:
            end_child(lambda: whole and not forks.kept_waiting.is_mine())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert exit_code(children[0]) == 0


def test_threads_that_fork_in_the_middle_of_their_imports_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    command = [sys.executable, str(LOADING.with_name("two_threads.py")), str(tmp_path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout == "0\n0\n"


def test_an_import_that_does_not_end_keeps_a_fork_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "PATIENCE", 0.05)
    begun, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with forks.kept_waiting:
            begun.set()
            leave.wait()

    stuck = threading.Thread(target=stay)
    stuck.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        end_child(lambda: True)
    leave.set()
    stuck.join()
    assert exit_code(child) == 0
    assert not waiting_room._taken


LOGGING = """
import os, signal, threading
import muapi_client
from muapi_client._runtime import forks as waiting_room

import logging

waiting, begun, named = threading.Event(), threading.Event(), threading.Event()
take_locks = waiting_room._take_locks

def take():
    busy = take_locks()
    if busy is not None:
        waiting.set()
    return busy

def name_a_logger():  # as nearly every module does while it is loaded
    with waiting_room.forks.kept_waiting:
        begun.set()
        waiting.wait()
        logging.getLogger("of a module")
        named.set()

signal.alarm(30)  # ends this program if both wait for each other
waiting_room._take_locks, waiting_room.PATIENCE = take, 3600.0
thread = threading.Thread(target=name_a_logger, daemon=True)
thread.start()
begun.wait()
if os.fork() == 0:
    os._exit(0)
os.wait()
print(named.is_set())
"""


def test_a_fork_waits_for_imports_before_it_takes_the_lock_of_logging() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", LOGGING]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    assert told.stdout == "True\n"
