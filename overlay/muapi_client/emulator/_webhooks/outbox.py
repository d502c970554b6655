"""Who delivers webhooks: a callable, nobody (they all arrive), or the server that the emulator is reached by.

Lives here: the outbox's lock, and the tries by a callable. Does not live here: what is due when (``deliveries``),
posting over a network, and the server's loop (``_http/webhook_sender``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client._runtime.locks import ForkLock
from muapi_client.emulator._webhooks.deliveries import DeliveryQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._webhooks.deliveries import Delivery

_ARRIVED: Final = 200


class Outbox:
    """The outbox, usable from many threads.

    Args:
        now: Reads the emulator's clock, in seconds.
        deliver: Makes a try and answers its HTTP status, None for 200; raises OSError where nobody is there. None:
            every try arrives.
        duplicates: How many times more than once each webhook is delivered.
    """

    def __init__(
        self, now: Callable[[], float], deliver: Callable[[Delivery], int | None] | None, duplicates: int
    ) -> None:
        self._now = now
        self._deliver = deliver
        self._outbox = DeliveryQueue(duplicates)
        self._lock = ForkLock()
        self._servers = 0

    def expect(self, job: Job, url: str) -> None:
        """Tell ``url`` of the end of ``job``."""
        with self._lock:
            self._outbox.expect(job, url)

    def due(self) -> list[Delivery]:
        """The tries to be made now; each is answered once, by :meth:`record_result`."""
        with self._lock:
            return self._outbox.due(self._now())

    def is_under_way(self, delivery: Delivery) -> bool:
        """Return whether a try that was due is still to be made: :meth:`clear` may have come in between."""
        with self._lock:
            return self._outbox.is_under_way(delivery)

    def record_result(
        self, delivery: Delivery, status: int | None, error: str | None = None, final: bool = False
    ) -> Delivery:
        """Note what a try came to; see ``DeliveryQueue.record_result``."""
        with self._lock:
            return self._outbox.record_result(delivery, status, error, final=final)

    def clear(self) -> None:
        """Forget what was tried and what is still to be, also a try under way: it is not made again, whatever comes."""
        with self._lock:
            self._outbox = DeliveryQueue(self._outbox.duplicates)

    @property
    def tries(self) -> tuple[Delivery, ...]:
        """Every try made, oldest first."""
        with self._lock:
            return tuple(self._outbox.tries)

    @property
    def is_handed_over(self) -> bool:
        """True where a callable delivers."""
        return self._deliver is not None

    def serve(self, servers: int) -> None:
        """A server has come (1) or gone (-1): while there is one, it sees to what is due."""
        with self._lock:
            self._servers += servers

    def settle(self) -> None:
        """Make every try that is due, unless a server does; what the callable raises comes out here."""
        while not self._servers and (due := self.due()):
            for delivery in due:
                self.attempt(delivery)

    def attempt(self, delivery: Delivery) -> None:
        """Have the callable make a try, and note what it came to; what it raises other than OSError comes out here.

        One that was forgotten since it was due is not made.
        """
        if not self.is_under_way(delivery):
            return
        status: int | None = None
        error: str | None = None
        try:
            answered = None if self._deliver is None else self._deliver(delivery)
            status = _ARRIVED if answered is None else answered
        except OSError as refused:
            error = f"{type(refused).__name__}: {refused}"
        except BaseException as failed:
            error = f"the callable that delivers failed: {type(failed).__name__}: {failed}"
            raise
        finally:
            self.record_result(delivery, status, error)
