"""Which flow each method of a client is: options and readings in, a flow out. Nothing is carried out here.

Lives here: what ``MuAPI`` and ``AsyncMuAPI`` have in common once they are used. Loads with the first call.
"""

from __future__ import annotations

import time
from copy import copy
from datetime import UTC, datetime
from functools import partial
from os import urandom
from typing import TYPE_CHECKING, Any, TypeVar

from muapi_client._client.retarget import at_home
from muapi_client._files.attachments import attachments
from muapi_client._jobs import submission, waiting
from muapi_client._protocol import exchange, request
from muapi_client._sandbox.guard import foresee
from muapi_client._settings.options import read_seconds
from muapi_client._types.job import Job
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._client.file_flows import Files
    from muapi_client._protocol.steps import Flow, StreamFlow
    from muapi_client._runtime.clock import Clock
    from muapi_client._state.context import Terms
    from muapi_client._state.journal import Entry, Journal
    from muapi_client._state.ledger import Spend
    from muapi_client._transport.stream_connection import AsyncChannel, Channel
    from muapi_client._types.estimate import Estimate
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.reconciliation import Reconciliation
    from muapi_client._types.sandbox import SandboxVerdict
    from muapi_generated.types import Call

R = TypeVar("R")

READS = frozenset({"GET", "HEAD"})  # methods that change and charge nothing


class Flows:
    """The flows of one client.

    Args:
        new_job: What makes a job that holds its client.
        files: What makes the flows of files, once there are any.
        max_spend: The most the client may spend, in USD, or None.
    """

    def __init__(
        self,
        terms: Terms,
        clock: Clock,
        spend: Spend,
        max_spend: Decimal | None,
        *,
        new_job: Callable[..., Job],
        files: Callable[[], Files],
    ) -> None:
        self._terms = terms
        self._clock = clock
        self._spend = spend
        self._max_spend = max_spend
        self._new_job = new_job
        self._files = files

    def submit(self, call: Call[Any]) -> Flow[Job | Prediction]:
        """Of ``MuAPI.submit``."""
        request.refuse_stream(call)
        return self._hosted(at_home(call, self._terms.models), self._submit)

    def _hosted(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """The flow of a call, after the upload of the local files in its body."""
        return self._files().hosted(call, then) if attachments(call.body) else then(call)

    def _submit(self, call: Call[Any]) -> Flow[Job | Prediction]:
        call = request.keyed(call, urandom(16).hex())
        return submission.submit(self._accepted(call), call, self._terms, now=self._clock.now(), new_job=self._new_job)

    def run(
        self,
        call: Call[Any],
        timeout: float | None,
        on_accept: Callable[[Any], object] | None,
        on_look: Callable[[Prediction], object] | None,
        on_look_failed: Callable[[MuAPIError], object] | None,
    ) -> Flow[Prediction]:
        """Of ``MuAPI.run``."""
        return submission.run(
            self.submit(call),
            self._terms,
            timeout=self._patience(timeout),
            on_accept=on_accept,
            on_look=on_look,
            on_look_failed=on_look_failed,
        )

    def look(self, job_or_id: Job | str) -> Flow[Prediction]:
        """Of ``MuAPI.look``."""
        job = _job(job_or_id)
        return waiting.look(job, self._terms, accepted_at=_accepted_at(job, self._clock.now()))

    def wait(
        self,
        job_or_id: Job | str,
        timeout: float | None,
        on_look: Callable[[Prediction], object] | None,
        on_look_failed: Callable[[MuAPIError], object] | None,
    ) -> Flow[Prediction]:
        """Of ``MuAPI.wait``."""
        job, now = _job(job_or_id), self._clock.now()
        return waiting.wait(
            job,
            self._terms,
            now=now,
            timeout=self._patience(timeout),
            accepted_at=_accepted_at(job, now),
            on_look=on_look,
            on_look_failed=on_look_failed,
        )

    def send(self, call: Call[Any]) -> Flow[Any]:
        """Of ``MuAPI.send``."""
        request.refuse_stream(call)
        call = at_home(call, self._terms.models)
        return self._files().sent(call) if call.files else self._hosted(call, self._send)

    def _send(self, call: Call[Any]) -> Flow[Any]:
        if call.operation.is_job:
            call = request.keyed(call, urandom(16).hex())
            return submission.send(self._accepted(call), call, self._terms)
        reads = call.operation.method in READS
        return exchange.exchange(call, self._terms, reads=reads, started_at=self._wall_time())

    def stream(self, call: Call[Any], channel: Channel | AsyncChannel) -> StreamFlow[None]:
        """Of ``MuAPI.stream``."""
        from muapi_client._streams import flow  # noqa: PLC0415 - loads with the first stream
        from muapi_client._streams.outcome import Source  # noqa: PLC0415 - likewise

        flow.refuse_job(call)
        source_of = partial(
            Source,
            terms=self._terms,
            channel=channel,
            spend=self._spend,
            max_spend=self._max_spend,
            new_job=self._new_job,
            started_at=self._wall_time(),
        )
        return flow.stream(self._hosted(at_home(call, self._terms.models), _itself), source_of)

    def estimate(self, call: Call[Any]) -> Flow[Estimate]:
        """Of ``MuAPI.estimate``."""
        from muapi_client._jobs import budget  # noqa: PLC0415 - loads the catalogue

        return budget.estimate(at_home(call, self._terms.models), self._terms, started_at=self._wall_time())

    def sandbox(self, probe: Call[Any] | tuple[Call[Any], Call[Any]] | None) -> Flow[SandboxVerdict]:
        """Of ``MuAPI.sandbox``; what it finds is answered, whatever was expected."""
        from muapi_client._sandbox.probe import sandbox  # noqa: PLC0415 - rarely used

        return sandbox(probe, self._terms, self._probing())

    def _probing(self) -> Flows:
        """The same flows, expecting nothing and warning of nothing: who probes is told by the verdict."""
        other = copy(self)
        other.__dict__["_terms"] = self._terms._replace(expect=None, remarks=False)
        return other

    def unfinished(self, journal: Journal) -> list[Any]:
        """The jobs of a journal that were accepted and whose end was not seen."""
        return [
            self._new_job(entry.request_id, entry.call, entry.cost, entry.intended_at) for entry in journal.unfinished()
        ]

    def reconcile(self, lost: SubmitOutcomeUnknownError | Entry, journal: Journal | None) -> Flow[Reconciliation[Any]]:
        """Of ``MuAPI.reconcile``."""
        from muapi_client._jobs import reconcile  # noqa: PLC0415 - loads the catalogue

        slug, sent = _sent(lost)
        known = journal.ids() if journal else frozenset[str]()
        return reconcile.reconcile(slug, sent, self._terms, known=known, wall=self._wall_time, new_job=self._new_job)

    def _accepted(self, call: Call[Any]) -> Flow[Prediction]:
        acceptance = submission.accepted(call, self._terms, started_at=self._wall_time())
        if self._max_spend is not None:
            from muapi_client._jobs import budget  # noqa: PLC0415 - loads the catalogue

            acceptance = budget.within(self._max_spend, self._spend, acceptance, call, self._terms)
        return acceptance if self._terms.expect is None else foresee(acceptance, call, self._terms)

    def _wall_time(self) -> float:
        """The calendar by the client's clock, in seconds since the epoch; by the system's where it has none."""
        reading = getattr(self._clock, "wall_time", time.time)
        return float(reading())

    def _patience(self, timeout: float | None) -> float:
        return self._terms.wait_timeout if timeout is None else read_seconds("timeout", timeout)


def _itself(call: Call[Any]) -> Flow[Call[Any]]:
    """Nothing more to do with a call whose files are uploaded."""
    return call
    yield  # makes a flow of it


def _job(job_or_id: Job | str) -> Job:
    return Job(job_or_id) if isinstance(job_or_id, str) else job_or_id


def _accepted_at(job: Job, now: float) -> float | None:
    """When a job was accepted, on the client's clock, which reads ``now``; by its age on this machine's calendar."""
    if job.submitted_at is None:
        return None
    age = (datetime.now(UTC) - job.submitted_at).total_seconds()
    return now - max(age, 0.0)


def _sent(lost: SubmitOutcomeUnknownError | Entry) -> tuple[str, datetime | None]:
    """Which model a lost submit was for, and when it was sent, where that is known."""
    if not isinstance(lost, SubmitOutcomeUnknownError):
        return lost.slug, lost.intended_at
    if lost.call is None:
        raise MuAPIError("this error carries no call, so there is nothing to look for")
    sent = None if lost.started_at is None else datetime.fromtimestamp(lost.started_at, UTC)
    return lost.call.operation.slug, sent


def flows_of(client: Any, job_class: type[Job]) -> Flows:
    """The flows of a client, whose jobs are of ``job_class`` and hold it."""
    return Flows(
        client._terms,  # noqa: SLF001 - the other half of the client, apart only so that it loads later
        client._clock,  # noqa: SLF001
        client.spend,
        client._max_spend,  # noqa: SLF001
        new_job=partial(job_class, client=client),
        files=lambda: client._files,  # noqa: SLF001
    )
