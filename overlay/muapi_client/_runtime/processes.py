"""Which process this is, and whether another one is alive.

Lives here: a process's name, and what tells that another one is over. Does not live here: what a dead process left
behind (``_state/journal``).
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path
from uuid import uuid4


def owner() -> str:
    """This process as ``host:pid:start:token``.

    The start tells it from a later process of the same pid, and is empty where the system does not tell it; the token
    tells it from an earlier one, for a restarted container repeats all of the rest.
    """
    return _owner(os.getpid())


def fleet_owner() -> str:
    """The same as ``host@machine:pid:start:token``, for many machines, of which several may have one name.

    The machine is told by this boot of its system and by which processes are seen from here: a container has its own.
    """
    return _fleet_owner(os.getpid())


def is_alive(other: str) -> bool | None:
    """Return whether the process of an :func:`owner` is alive; None where that cannot be known.

    That cannot be known of a process of another host, nor from a pid alone, which may belong to another process by now.
    """
    place, _, rest = other.partition(":")
    host, of_fleet, machine = place.partition("@")
    pid_text, _, rest = rest.partition(":")
    start, _, token = rest.rpartition(":")  # form 1 of the journal had no start
    if of_fleet and (not machine or machine != _machine()):
        return None
    if host != socket.gethostname() or not pid_text.isdecimal() or len(pid_text) > LONGEST_PID:
        return None
    pid = int(pid_text)
    if pid == os.getpid():
        return token == _token(pid)
    found = _start(pid)
    if found is not None and start:
        return found == start
    return None if _may_exist(pid) else False


def _may_exist(pid: int) -> bool:
    """Return whether there may be a process of this pid."""
    if os.name == "nt":  # where signal 0 is no question but a Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or no pid
        return True
    return True


LONGEST_PID = 10  # digits; no system has longer ones


@cache
def _owner(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{_start(pid) or ''}:{_token(pid)}"


@cache
def _fleet_owner(pid: int) -> str:
    host, _, rest = _owner(pid).partition(":")
    return f"{host}@{_machine()}:{rest}"


def _machine() -> str:
    """Which machine this is, and which processes are seen; "" where nothing tells it."""
    boot, seen = _boot(), _namespace(os.getpid())
    return f"{boot}-{seen}" if boot and seen else ""


@cache
def _namespace(_pid: int) -> str:
    """Which processes are seen from here: the inode of their namespace; "" where nothing tells it."""
    try:
        return Path("/proc/self/ns/pid").readlink().name.removeprefix("pid:[").removesuffix("]")
    except OSError:
        return ""


@cache
def _token(_pid: int) -> str:
    return uuid4().hex[:12]


def _start(pid: int) -> str | None:
    """When a process was started, as clock ticks of this boot; "" where it has ended; None where nothing tells it."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if state in ENDED_STATES else f"{fields[STARTTIME]}-{_boot()}"
    except (OSError, ValueError, IndexError):
        return None


ENDED_STATES = frozenset({"Z", "X", "x"})  # proc(5): a zombie, dead
STARTTIME = 18  # proc(5): field 22 of stat, here counted from the one after the state


@cache
def _boot() -> str:
    """Which boot of the machine this is; "" where nothing tells it."""
    try:
        # The codec needs no import: were another thread to fork in the middle of one, the child would wait for ever.
        return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8")[:8]
    except (OSError, ValueError):
        return ""
