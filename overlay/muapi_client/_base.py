"""What ``MuAPI`` and ``AsyncMuAPI`` share: their options, and which flow each method is.

Does not live here: any rule (``_jobs``, ``_exchanges``), any I/O (``_driver``), the methods themselves.
"""

from __future__ import annotations

import time
from copy import copy
from datetime import UTC, datetime
from functools import partial
from random import random
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from attrs import evolve

from muapi_client import _exchanges, _jobs
from muapi_client._clock import Clock, SystemClock
from muapi_client._config import APIKey, read_amount, read_key, read_origin, read_seconds
from muapi_client._cost import Ledger, Spend
from muapi_client._polling import Polling
from muapi_client._predictions import Job, Prediction
from muapi_client._retry import Retry
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from os import PathLike

    from muapi_client._estimates import Estimate
    from muapi_client._flow import Flow
    from muapi_client._journal import Entry, Journal
    from muapi_generated.types import Call

READS = frozenset({"GET", "HEAD"})  # methods that change and charge nothing
OPTIONS = frozenset({"max_spend", "timeout", "wait_timeout", "retry", "polling", "strict", "webhook", "team_id"})


class Client:
    """What both clients share: options and the making of flows."""

    _new_job: type[Job] = Job
    _origin = ""  # for the repr of a client whose options were refused
    _connect: Callable[[Any], Any]

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        wait_timeout: float = 1800.0,
        retry: Retry | None = None,
        polling: Polling | None = None,
        max_spend: Decimal | None = None,
        strict: bool = True,
        webhook: str | None = None,
        team_id: int | None = None,
        journal: Journal | str | PathLike[str] | None = None,
        allow_http: bool = False,
        transport: Any = None,
        clock: Clock | None = None,
    ) -> None:
        """Read the options; nothing is sent and no connection opened.

        Args:
            api_key: The API key; by default ``MUAPI_API_KEY``.
            base_url: Where the API is, with or without ``/api/v1``; by default ``MUAPI_BASE_URL``, else
                ``https://api.muapi.ai``.
            timeout: Seconds for one exchange, connecting and reading all of the answer included.
            wait_timeout: Seconds for one wait for a job's end (observed: at worst 30 minutes).
            retry: How often a failed exchange is sent again, where that cannot charge twice.
            polling: How often a job is looked at.
            max_spend: The most this client may spend, in USD; a submit that would pass it is refused.
            strict: Whether inputs are checked against the pinned document before anything is sent. False leaves it
                to the server, which may know newer fields.
            webhook: A URL that is told of every job's end (query parameter ``webhook``).
            team_id: The team that is charged, by its number.
            journal: A file, made where there is none, that knows of every paid job: written before a submit leaves
                and after each answer, so that a crash loses none. Several processes may share it.
            allow_http: Whether the key may go in clear text to another machine.
            transport: An httpx transport to use in place of the network: the emulator's, or a test's.
            clock: The clock to run on; by default the transport's ``clock`` where it has one, else the system's.

        Raises:
            AuthenticationError: There is no usable key.
            JournalError: The journal cannot be opened.
            MuAPIError: An option cannot be right.
        """
        try:
            self._key: APIKey = read_key(api_key)
        finally:
            del api_key  # a traceback that shows locals shows no secret
        self._origin = read_origin(base_url, allow_http=allow_http)
        self._connections = self._connect(transport)
        self._clock: Clock = clock or getattr(transport, "clock", None) or SystemClock()
        self._max_spend = None if max_spend is None else read_amount("max_spend", max_spend)
        self._ledger = Ledger()
        self._terms = _exchanges.Terms(
            retry=retry or Retry(),
            polling=polling or Polling(),
            timeout=read_seconds("timeout", timeout),
            wait_timeout=read_seconds("wait_timeout", wait_timeout),
            strict=strict,
            webhook=webhook,
            team_id=team_id,
            draw=random,
            note=self._ledger.note,
            journal=read_journal(journal),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._origin!r})"

    @property
    def spend(self) -> Spend:
        """What this client's jobs have cost so far: exact, each counted once, refunds taken off."""
        return self._ledger.spend

    @property
    def account_balance(self) -> Decimal | None:
        """What was left in the account by the last answer that told it (``X-Account-Balance``), in USD, or None."""
        return self._ledger.balance

    def with_options(self, **changes: Any) -> Self:
        """The same client with other options: connections, key and spend are shared, and one ``close()`` closes both.

        Args:
            changes: Any of ``timeout``, ``wait_timeout``, ``retry``, ``polling``, ``strict``, ``webhook``,
                ``team_id``, ``max_spend``, as for the client itself.

        Raises:
            MuAPIError: Some other option is named, or one cannot be right.
        """
        if unknown := changes.keys() - OPTIONS:
            raise MuAPIError(f"with_options() cannot change {', '.join(sorted(unknown))}: make a new client for that")
        for name, kind in (("retry", Retry), ("polling", Polling)):
            if not isinstance(changes.get(name, kind()), kind):
                raise MuAPIError(f"{name} must be a {kind.__name__}, not {changes[name]!r}")
        for name in changes.keys() & {"timeout", "wait_timeout"}:
            changes[name] = read_seconds(name, changes[name])
        limit = changes.pop("max_spend", self._max_spend)
        other = copy(self)
        other.__dict__["_max_spend"] = None if limit is None else read_amount("max_spend", limit)
        other.__dict__["_terms"] = evolve(self._terms, **changes)
        return other

    def _job(self, job_or_id: Job | str) -> Job:
        return Job(job_or_id) if isinstance(job_or_id, str) else job_or_id

    def _submit_flow(self, call: Call[Any]) -> Flow[Job | Prediction]:
        call = _exchanges.keyed(call, uuid4().hex)
        new_job = partial(self._new_job, client=self)
        flow = _jobs.submit(call, self._terms, now=self._clock.now(), started_at=time.time(), new_job=new_job)
        if self._max_spend is None:
            return flow
        from muapi_client import _estimates  # noqa: PLC0415 - loads the catalogue

        return _estimates.within(self._max_spend, self.spend, flow, call, self._terms)

    def _run_flow(
        self,
        call: Call[Any],
        timeout: float | None,
        on_accept: Callable[[Any], object] | None,
        on_look: Callable[[Prediction], object] | None,
    ) -> Flow[Prediction]:
        return _jobs.run(
            self._submit_flow(call),
            self._terms,
            now=self._clock.now(),
            timeout=self._patience(timeout),
            on_accept=on_accept,
            on_look=on_look,
        )

    def _wait_flow(
        self, job_or_id: Job | str, timeout: float | None, on_look: Callable[[Prediction], object] | None
    ) -> Flow[Prediction]:
        job, patience = self._job(job_or_id), self._patience(timeout)
        return _jobs.wait(job, self._terms, now=self._clock.now(), timeout=patience, on_look=on_look)

    def _send_flow(self, call: Call[Any]) -> Flow[Any]:
        reads = call.operation.method in READS
        return _exchanges.exchange(call, self._terms, reads=reads, started_at=time.time())

    def _estimate_flow(self, call: Call[Any]) -> Flow[Estimate]:
        from muapi_client import _estimates  # noqa: PLC0415 - loads the catalogue

        return _estimates.estimate(call, self._terms, started_at=time.time())

    def _patience(self, timeout: float | None) -> float:
        return self._terms.wait_timeout if timeout is None else read_seconds("timeout", timeout)

    def _journal(self) -> Journal:
        if self._terms.journal is None:
            raise MuAPIError("this client has no journal: pass journal= a path")
        return self._terms.journal

    def unknown(self) -> list[Entry]:
        """The submits of the journal that may have been charged and whose job is not known, oldest first.

        Raises:
            JournalError: The journal cannot be read.
            MuAPIError: The client has no journal.
        """
        return self._journal().unknown()

    def _lost(self, lost: SubmitOutcomeUnknownError | Entry) -> tuple[str, datetime, frozenset[str]]:
        """What is known of a submit whose outcome is not: its model, when it was sent, and which jobs it is not."""
        known = self._terms.journal.ids() if self._terms.journal else frozenset[str]()
        if not isinstance(lost, SubmitOutcomeUnknownError):
            return lost.slug, lost.intended_at, known
        if lost.call is None:
            raise MuAPIError("this error carries no call, so there is nothing to look for")
        return lost.call.operation.slug, datetime.fromtimestamp(lost.started_at or 0.0, UTC), known

    def _unfinished(self) -> list[Job]:
        return [
            self._new_job(entry.request_id or "", entry.call, entry.cost, entry.intended_at, client=self)
            for entry in self._journal().unfinished()
        ]


def read_journal(given: Journal | str | PathLike[str] | None) -> Journal | None:
    """The journal given, or the one at the path given."""
    if given is None:
        return None
    from muapi_client._journal import Journal  # noqa: PLC0415 - imports sqlite3

    return given if isinstance(given, Journal) else Journal(given)
