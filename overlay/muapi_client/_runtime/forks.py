"""What a fork waits for, so that its child finds nothing half done that nobody there would ever finish.

Python keeps each module locked while it is loaded. Most of this package loads when it is first needed, which may be in
any thread, and a child forked meanwhile by another one would find that module locked for ever, since the thread that
loads it does not exist there. OpenSSL has locks of that kind, too. So whatever begins such work keeps forks waiting:

    with forks.kept_waiting:
        from muapi_client._streams import flow

That is a lock of this thread's own, which a fork takes first. So threads never wait for each other, only forks wait;
and a thread may fork in the middle of its own work: its child goes on with it.

Lives here: that lock, what else is held across a fork, and the fork's side of both. Does not live here: imports of the
user's program, and of other packages where none of ours led to them: those are theirs to keep from a fork.
"""

from __future__ import annotations

# What a fork waits for may need the lock of ``logging``, which a fork takes as well. Hooks run in the reverse
# order of their registration, and this one must have waited before that lock is taken: so ``logging`` loads first.
import logging  # noqa: F401
import os
import time
from contextlib import suppress
from threading import get_ident, local
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from muapi_client._runtime.locks import ForkLock

# Were the threads of executors loaded while a fork waits, it would run the later half of their hooks without the first.
with suppress(RuntimeError):  # the program ends, and no thread is started any more
    import concurrent.futures.thread  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Held(Protocol):
        """What must not be carried across a fork."""

        def hold(self) -> None:
            """Let go of it, and keep others from taking it up."""
            ...

        def release_mine(self) -> None:
            """Let it be taken up again, where the calling thread holds it."""
            ...


PATIENCE: Final = 60.0  # seconds a fork waits; what takes longer waits for something itself, perhaps for the fork


class Forks(local):
    """The lock that this thread holds while it does what no fork may fall into."""

    def __init__(self) -> None:
        self.kept_waiting: Final = ForkLock()
        with _adding_threads:
            _locks.add(self.kept_waiting)


_adding_threads, _adding_things = ForkLock(), ForkLock()  # held during a fork: nothing is added behind its back
_locks: WeakSet[ForkLock] = WeakSet()
_to_hold: WeakSet[Held] = WeakSet()
_taken: dict[int, list[ForkLock | Held]] = {}  # by the thread that forks: several may at once

forks: Final = Forks()


def held(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that loads what it is asked for, with this thread's lock held."""

    def get(name: str) -> Any:
        with forks.kept_waiting:
            return load(name)

    return get


def hold_across_forks(thing: Held) -> None:
    """Have ``thing`` held from before a fork until after it; it is not kept alive by this.

    Called before the first use of it, so that no fork comes in between.
    """
    with _adding_things:
        _to_hold.add(thing)


def _before_fork() -> None:
    """Hold what must be held, once no other thread keeps this one waiting, and keep them from beginning to."""
    ends = time.monotonic() + PATIENCE
    _hold_things()
    while (busy := _take_locks()) is not None:
        _give_back()  # or threads that fork in the middle of an import would wait for each other
        is_over = busy.acquire(timeout=max(0.0, ends - time.monotonic()))
        if is_over:
            busy.release()
        _hold_things()
        if not is_over:
            return


def _hold_things() -> None:
    """Before the locks: a thread that has such a thing in its hands may come to keep forks waiting."""
    _take(_adding_things)
    for thing in list(_to_hold):
        _taken[get_ident()].append(thing)
        thing.hold()


def _take_locks() -> ForkLock | None:
    """Take the lock of every other thread; answers the first one that cannot be had now."""
    _take(_adding_threads)
    others = [lock for lock in list(_locks) if lock is not forks.kept_waiting]
    return next((lock for lock in others if not _take(lock, blocking=False)), None)


def _take(lock: ForkLock, *, blocking: bool = True) -> bool:
    """Take a lock until after the fork; noted before, for an interrupt may strike in between."""
    _taken.setdefault(get_ident(), []).append(lock)
    return lock.acquire(blocking)


def _give_back() -> None:
    """Give back what this thread took and holds, in the child, too."""
    for each in _taken.pop(get_ident(), ()):
        each.release_mine()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_give_back, after_in_child=_give_back)
