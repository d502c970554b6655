"""A lock that a fork leaves usable.

A thread that holds a lock at the moment of a fork does not exist in the child, so an ordinary lock stays closed there
for ever. These begin anew in a child, before any of its code runs.
"""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class ForkLock:
    """Like ``threading.Lock``, in a ``with`` block.

    Attributes:
        inner: The lock itself, another one in a forked child. ``with lock.inner:`` is the interpreter's own code, so a
            signal handler that raises on its way in or out leaves it open.
    """

    __slots__ = ("__weakref__", "inner")

    inner: threading.Lock

    def __init__(self) -> None:
        self.renew()
        _locks.add(self)

    def renew(self) -> None:
        """Begin anew, open."""
        self.inner = threading.Lock()

    def __enter__(self) -> None:
        self.inner.acquire()

    def __exit__(self, *_: object) -> None:
        self.inner.release()


_locks: WeakSet[ForkLock] = WeakSet()


def _renew_all() -> None:
    for lock in list(_locks):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
