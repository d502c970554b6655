"""A lock that a fork leaves usable.

A thread that holds a lock at the moment of a fork does not exist in the child, so an ordinary lock stays closed there
for ever. This one begins anew in a new process.
"""

from __future__ import annotations

import os
import threading


class ForkLock:
    """Like ``threading.Lock``, in a ``with`` block."""

    __slots__ = ("_lock", "_pid")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __enter__(self) -> None:
        if self._pid != os.getpid():  # a child starts with one thread, so nobody else is here
            self.__init__()  # type: ignore[misc]  # as if made in this process
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
