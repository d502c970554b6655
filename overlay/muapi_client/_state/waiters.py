"""Who waits for which job in this process, and waking them: a webhook's hint causes a look, and nothing else.

Lives here: the waits under way by job, and hints that came before their wait. Does not live here: cutting a pause short
(``_transport/pauses``), how soon a woken wait may look (``_jobs/waiting``), reading a webhook (``webhooks``).

A hint names a job and no client, and who receives it is often another client than the one that waits: of another kind,
in another thread, in another event loop. So the waits of all clients of a process are known here, by API and job.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY: Final = 1_024  # hints without a wait that are kept, the latest: a job may end before its id has been read
LONGEST: Final = 256  # characters of an id that is kept so: MuAPI's have 36, and a forged one up to 4 million


class Waiter:
    """One wait for a job, in a ``with`` block as long as it lasts. Any thread may wake it, a signal's handler too.

    Args:
        origin: The API's.
        request_id: The job's.

    Attributes:
        is_woken: Whether a hint came that no look has followed yet; whoever looks sets it back before.
    """

    __slots__ = ("_call", "_name", "_pid", "is_woken")

    def __init__(self, origin: str, request_id: str) -> None:
        self._name = (origin, request_id)
        self._pid = os.getpid()
        self._call: Callable[[], object] | None = None
        self.is_woken = False

    def __enter__(self) -> Self:
        with _lock:
            self.is_woken = _early.pop(self._name, None) is not None
            _waiters.setdefault(self._name, []).append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with _lock:
            others = [other for other in _waiters.pop(self._name, ()) if other is not self]
            if others:
                _waiters[self._name] = others

    def listen(self, call: Callable[[], object] | None) -> None:
        """Say what cuts short the pause that begins now, from whatever thread; at once where a hint has come by now.

        Args:
            call: Is called once a hint comes, perhaps more than once; None where nobody pauses any more.
        """
        with _lock:
            self._call = call
            is_woken = self.is_woken
        if is_woken and call is not None:
            call()

    @property
    def is_ours(self) -> bool:
        """Whether it is one of this very process, and not of the one that forked it."""
        return self._pid == os.getpid()

    def wake(self) -> None:
        """Have the wait look; of many hints that come before it does the first alone cuts its pause short."""
        with _lock:
            call = None if self.is_woken else self._call
            self.is_woken = True
        if call is not None:
            call()


_lock: Final = ForkLock()
_waiters: Final[dict[tuple[str, str], list[Waiter]]] = {}
_early: Final[OrderedDict[tuple[str, str], bool]] = OrderedDict()


def wake(origin: str, request_id: str) -> bool:
    """Have all that wait for a job look; answers whether anybody does.

    Where nobody does, a wait that begins soon looks at once.
    """
    name = (origin, request_id)
    with _lock:
        waiters = [waiter for waiter in _waiters.get(name, ()) if waiter.is_ours]
        if not waiters and len(request_id) <= LONGEST:
            _early[name] = True
            _early.move_to_end(name)
            if len(_early) > EARLY:
                _early.popitem(last=False)
    for waiter in waiters:
        waiter.wake()
    return bool(waiters)
