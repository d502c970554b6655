"""What every flow of a client goes by: a value, made of the options when the client is made.

Importing it is cheap; the flows themselves load with the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._cost import Cost
    from muapi_client._journal import Journal
    from muapi_client._polling import Polling
    from muapi_client._retry import Retry


class Terms(NamedTuple):
    """What a flow goes by.

    Attributes:
        timeout: Seconds for one exchange.
        wait_timeout: Seconds for one wait.
        draw: A source of random numbers from 0 to 1, for jitter.
        journal: Where every paid job is written down, or None.
        note: Told of every judged answer: cost or None, balance or None, request id or None.
    """

    retry: Retry
    polling: Polling
    timeout: float
    wait_timeout: float
    strict: bool
    webhook: str | None
    team_id: int | None
    draw: Callable[[], float]
    note: Callable[[Cost | None, Decimal | None, str | None], None]
    journal: Journal | None = None
