"""A lock that a fork leaves usable, and an interrupt too.

Another thread that holds a lock at the moment of a fork does not exist in the child, so an ordinary lock stays closed
there for ever. These begin anew in a child, before any of its code runs; what the thread that forks holds itself stays
its own.

A signal is handled between two instructions of Python, so a lock whose ``__enter__`` or ``__exit__`` is written in
Python can be left closed by an exception out of a handler: acquired, but not yet inside the ``with`` block. Here both
are the interpreter's own, in C. And since a handler runs in the thread it interrupts, which may hold the lock, the lock
lets its own thread in again.

Lives here: the lock. Does not live here: keeping a fork waiting for an import (``forks``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

if TYPE_CHECKING:

    class RLock:  # typeshed calls the real one final, which it is not
        """The interpreter's own."""

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
        def release(self) -> None: ...
        def _is_owned(self) -> bool: ...
        def __enter__(self) -> bool: ...
        def __exit__(self, *_: object) -> None: ...

else:
    from _thread import RLock


class ForkLock(RLock):
    """Like ``threading.RLock``, in a ``with`` block."""

    def __init__(self) -> None:
        super().__init__()
        _locks.add(self)

    def is_mine(self) -> bool:
        """Return whether the calling thread holds it."""
        return self._is_owned()

    def release_mine(self) -> None:
        """Let go of it once, where the calling thread holds it."""
        if self._is_owned():
            self.release()

    def renew(self) -> None:
        """Begin anew, open."""
        cast("Any", self)._at_fork_reinit()  # noqa: SLF001 - no public door; ``threading`` renews its own by it


_locks: WeakSet[ForkLock] = WeakSet()


def _renew_all() -> None:
    for lock in list(_locks):
        if not lock.is_mine():  # the thread that forked goes on in the child, and lets go of what it holds there
            lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
