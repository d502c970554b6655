"""Which process this is, whether another one lives, and what must be let go before a fork."""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4
from weakref import WeakSet

if TYPE_CHECKING:
    from typing import Protocol

    class Held(Protocol):
        """What must not be carried across a fork."""

        def hold(self) -> None:
            """Let go of it, and keep others from taking it up."""
            ...

        def release(self) -> None:
            """Let it be taken up again."""
            ...


_held: WeakSet[Held] = WeakSet()


def owner() -> str:
    """This process as ``host:pid:token``; the token tells it from an earlier one, for containers repeat the rest."""
    return f"{socket.gethostname()}:{os.getpid()}:{_token(os.getpid())}"


def may_live(other: str) -> bool:
    """Whether the process of an :func:`owner` may be alive. One of another host cannot be asked, and may."""
    host, pid, token = other.rsplit(":", 2)
    if host != socket.gethostname() or os.name == "nt":  # where signal 0 is no question but a Ctrl-C
        return True
    if int(pid) == os.getpid():
        return token == _token(os.getpid())
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:  # alive, and another user's
        return True
    return True


def hold_across_forks(thing: Held) -> None:
    """Have ``thing`` held from before a fork until after it; it is not kept alive by this."""
    _held.add(thing)


@cache
def _token(_pid: int) -> str:
    return uuid4().hex[:12]


def _before_fork() -> None:
    for thing in list(_held):
        thing.hold()


def _after_fork_in_parent() -> None:
    for thing in list(_held):
        thing.release()


if hasattr(os, "register_at_fork"):  # in the child a ForkLock begins anew, so there is nothing to release
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent)
