"""What every flow of a client goes by: a value, made of the options when the client is made.

Importing it is cheap; the flows themselves load with the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._settings.polling import Polling
    from muapi_client._settings.retry import Retry
    from muapi_client._state.journal import Journal
    from muapi_client._state.key_state import Standing
    from muapi_client._types.cost import Cost


class Terms(NamedTuple):
    """What a flow goes by.

    Attributes:
        timeout: Seconds for one exchange.
        wait_timeout: Seconds for one wait.
        draw: A source of random numbers from 0 to 1, for jitter.
        journal: Where every paid job is written down, or None.
        standing: What the client has learnt of its key.
        expect: The kind of key it is meant to have, or None where either will do.
        remarks: Whether the first sandbox answer is warned of, where nothing is expected.
        models: The generated package whose document calls are held against; None: the one that made each.
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
    standing: Standing
    journal: Journal | None = None
    expect: Literal["live", "sandbox"] | None = None
    remarks: bool = True
    models: str | None = None
