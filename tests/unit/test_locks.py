"""A lock that neither a fork nor an interrupt leaves closed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


def is_open(lock: ForkLock) -> bool:
    """Whether another thread can have it."""
    answers: list[bool] = []

    def attempt() -> None:
        answers.append(lock.acquire(blocking=False))
        if answers[0]:
            lock.release()

    other = threading.Thread(target=attempt)
    other.start()
    other.join()
    return answers[0]


def test_one_thread_at_a_time() -> None:
    lock = ForkLock()
    with lock:
        assert not is_open(lock)
    assert is_open(lock)


def test_no_line_of_python_runs_between_taking_the_lock_and_its_block() -> None:
    entered: list[str] = []

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        entered.append(f"{event} {frame.f_code.co_name}")

    lock = ForkLock()
    sys.setprofile(watch)  # is told of every call, those of C functions as "c_call"
    try:
        with lock:
            pass
    finally:
        sys.setprofile(None)
    assert not [line for line in entered if line.startswith("call")]


@pytest.fixture
def interrupts() -> Iterator[None]:
    """A signal handler that raises, as the one of Ctrl-C does."""

    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("interrupts", "no_collection")
def test_an_interrupt_at_any_instruction_leaves_the_lock_open() -> None:
    lock = ForkLock()
    struck = 0
    while struck < 200:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0001)
            while True:
                with lock:
                    pass
        except KeyboardInterrupt:
            struck += 1
        assert is_open(lock)


def test_a_signal_handler_may_use_what_its_own_thread_holds() -> None:
    lock = ForkLock()
    with lock, lock:
        assert not is_open(lock)
    assert is_open(lock)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_finds_it_open() -> None:
    lock = ForkLock()
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(blocking=False) else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_the_thread_that_holds_it_holds_it_too() -> None:
    lock = ForkLock()
    with lock:
        with lock:
            child = os.fork()
        still_mine = not is_open(lock)
    if child == 0:
        os._exit(0 if still_mine and is_open(lock) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
