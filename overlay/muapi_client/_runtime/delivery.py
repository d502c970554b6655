"""How far a request got on its way to the network: facts, noted where its bytes are handed over.

Lives here: one attempt, and all attempts of one request. Does not live here: what that means for a paid one
(``_jobs/submission``), which of them may be followed by another (``_protocol/exchange``), noting it (``_transport``).
"""

from __future__ import annotations

from typing import Any

from muapi_client._runtime.clock import since_boot


class Delivery:
    """How far one attempt to send a request got.

    A flow that makes one and puts it into its :class:`~muapi_client._protocol.steps.Send` can read it whatever becomes
    of the exchange: an interrupt leaves no outcome, and what may have been paid must be known all the same.

    Attributes:
        started: Whether a byte of it may have left: set before the first one is handed to the network, or the request
            to a mock, and never taken back, unless the mock hands it on and what sends it tells better.
        leaves_by: When its first byte has to leave, or none does, by :func:`since_boot`; None: at any time.
    """

    started = False
    leaves_by: float | None = None

    def __repr__(self) -> str:
        return f"Delivery(started={self.started})"

    @property
    def is_late(self) -> bool:
        """Whether it must not leave any more."""
        return self.leaves_by is not None and since_boot() > self.leaves_by


class Attempts:
    """The attempts to send one request that changes or charges something.

    Attributes:
        delivery: The latest one; another once it was provably not processed: refused, or never sent.
        doubtful: Whether one before it may have been processed.
        exchange: The OpenTelemetry span of the latest one, or None.
        leave_by: When the first byte of each has to leave, by :func:`since_boot`; None: at any time.
    """

    delivery = Delivery()  # of nothing that was tried: each attempt is given one of its own
    doubtful = False
    exchange: Any = None
    leave_by: float | None = None

    @property
    def sent(self) -> bool:
        """Whether any of them may have been processed, for all that is known."""
        return self.doubtful or self.delivery.started

    def expire_after(self, seconds: float) -> None:
        """Have none begin to leave later than in so many seconds."""
        self.leave_by = since_boot() + seconds
