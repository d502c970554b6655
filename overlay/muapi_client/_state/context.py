"""The context of a client's flows: its settings, and its state.

A value, made of the options when the client is made; ``with_options`` makes another one that shares the state.
Importing it is cheap; the flows themselves load with the first call.

Lives here: what every flow is given. Does not live here: reading options (``_settings``), what is remembered of jobs
(``memory``), money (``ledger``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from muapi_client._types.access import Access

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._settings.polling import Polling
    from muapi_client._settings.retry import Retry
    from muapi_client._settings.webhook import Webhook
    from muapi_client._state.durations import Durations
    from muapi_client._state.journal.base import BaseJournal
    from muapi_client._state.key_state import KeyState
    from muapi_client._state.ledger import Ledger
    from muapi_client._state.look_rate import LookRate
    from muapi_client._state.memory import Memory
    from muapi_client._state.pace import Pace
    from muapi_client._types.budget import Budget
    from muapi_client._types.cost import Cost
    from muapi_client._types.entry import Account


NO_ACCESS: Final = Access()


class Context(NamedTuple):
    """The settings and the state that a flow uses.

    Attributes:
        retry: How often a failed exchange is sent again, where it may be.
        polling: How often a job is looked at.
        timeout: Seconds for one exchange.
        wait_timeout: Seconds for one wait.
        strict: Whether inputs are held against the pinned document.
        webhook: A URL that is notified of every job's end, or None.
        team_id: The team that is charged, or None.
        random: A source of random numbers from 0 to 1, for jitter.
        memory: What the client remembers of its paid submissions.
        ledger: What they cost.
        key_state: What the client has learnt of its key.
        pace: How fast its submits may follow each other.
        durations: How long its jobs took.
        journal: Where every paid job is written down, or None.
        account: Whose jobs they are in the journal, or None without one.
        max_spend: The most the client may spend, in USD, or None.
        unpriced: What is set aside, in USD, for a job whose price nobody tells; None refuses it under ``max_spend``.
        budget: What jobs may cost together, over every process that shares the journal.
        expect: The kind of key it is meant to have, or None where either will do.
        warns: Whether the first sandbox answer is warned of, where nothing is expected.
        models: The generated package whose document calls are held against; None: the one that made each.
        reuse: Whether a call that asks what an earlier one did is answered by that one's answer, or job.
        repeats_unknown: Whether such a call is submitted all the same where the earlier one's outcome is unknown.
        tag: The caller's word for each job, kept and never sent; or None.
        raises_refusals: Whether a submit that was refused by 429 ends so, rather than be sent again after a pause: its
            caller waits for another turn.
        run: The name of the run that what is submitted belongs to, or None.
        run_key: Which item of that run it is, or None.
        replaces: The key of an entry, perhaps charged, whose place in that run it takes once it is about to leave; None
            where there is none.
        origin: The API's.
        allow_private_downloads: Whether files may be moved to and from private addresses although the API is not there.
        looks_per_second: Whose turn it is to look, or None where looks wait for none.
        span: The OpenTelemetry span that what is sent belongs to; None: the one that the caller is in.
        access: How outputs are fetched by those who hold them.
    """

    retry: Retry
    polling: Polling
    timeout: float
    wait_timeout: float
    strict: bool
    webhook: Webhook | None
    team_id: int | None
    random: Callable[[], float]
    memory: Memory
    ledger: Ledger
    key_state: KeyState
    pace: Pace
    durations: Durations
    journal: BaseJournal | None = None
    account: Account | None = None
    max_spend: Decimal | None = None
    unpriced: Decimal | None = None
    budget: tuple[Budget, ...] = ()
    expect: Literal["live", "sandbox"] | None = None
    warns: bool = True
    models: str | None = None
    reuse: bool = False
    repeats_unknown: bool = False
    tag: str | None = None
    raises_refusals: bool = False
    run: str | None = None
    run_key: str | None = None
    replaces: str | None = None
    origin: str = ""
    allow_private_downloads: bool = False
    looks_per_second: LookRate | None = None
    span: Any = None
    access: Access = NO_ACCESS

    def __repr__(self) -> str:
        """Name the API alone: a traceback may show locals, and this is one of many."""
        return f"<{type(self).__name__} of {self.origin}>"

    def note(self, cost: Cost | None, balance: Decimal | None, request_id: str | None) -> None:
        """Take note of what an answer reported of a job."""
        self.ledger.note_balance(balance)
        if request_id:
            self.ledger.record(request_id, cost)
