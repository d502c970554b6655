"""Imports that begin while a program is already running, and the forks that wait for them.

Most of this package loads when it is first needed, which may be in any thread. Python keeps each module locked while it
is loaded, and a child forked meanwhile by another thread finds it half done and locked for ever, since the thread that
loads it does not exist there. So what begins such imports holds a lock, and a fork takes these locks first:

    with imports.under_way:
        from muapi_client._streams import flow

Each thread has a lock of its own, so threads that import never wait for each other, and a thread may fork in the middle
of an import: its child goes on with it. Whoever holds one may not wait for a thread that forks.

Lives here: the lock, and the fork's side of it. Does not live here: imports of the user's program and of other packages
that are no consequence of ours; they are theirs to keep from a fork.
"""

from __future__ import annotations

# Imports that a fork waits for may need the lock of ``logging``, which a fork takes as well. Hooks run in the reverse
# order of their registration, and this one must have waited before that lock is taken: so ``logging`` loads first.
import logging  # noqa: F401
import os
import time
from threading import get_ident, local
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 10.0  # seconds a fork waits for imports; longer ones wait for something themselves, perhaps for it


class Imports(local):
    """The lock that this thread holds while it imports."""

    def __init__(self) -> None:
        self.under_way: Final = ForkLock()
        with _registering:
            _locks.add(self.under_way)


_registering = ForkLock()
_locks: WeakSet[ForkLock] = WeakSet()
_taken: dict[int, list[ForkLock]] = {}  # by the thread that forks: several may at once

imports: Final = Imports()


def held(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that loads what it is asked for, with this thread's lock held."""

    def get(name: str) -> Any:
        with imports.under_way:
            return load(name)

    return get


def _before_fork() -> None:
    """Wait until no other thread imports, and keep them from beginning to."""
    ends = time.monotonic() + PATIENCE
    while (busy := _take_all()) is not None:
        _give_back()  # or two threads that fork in the middle of an import would wait for each other
        if not busy.acquire(timeout=max(0.0, ends - time.monotonic())):
            return
        busy.release()


def _take_all() -> ForkLock | None:
    """Take the lock of every other thread; answers the first one that cannot be had now."""
    taken = _taken.setdefault(get_ident(), [])
    taken.append(_registering)  # noted before it is taken, for an interrupt may strike in between
    _registering.acquire()
    for lock in list(_locks):
        if lock is not imports.under_way:
            taken.append(lock)
            if not lock.acquire(blocking=False):
                return lock
    return None


def _give_back() -> None:
    """Give back what this thread took, in the child, too."""
    for lock in _taken.pop(get_ident(), ()):
        if lock.is_mine():
            lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_give_back, after_in_child=_give_back)
