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

from muapi_client import _exchanges, _jobs
from muapi_client._attachments import attachments
from muapi_client._config import read_seconds
from muapi_client._expectations import foresee
from muapi_client._packages import at_home
from muapi_client._predictions import Job
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from muapi_client._channels import AsyncChannel, Channel
    from muapi_client._clock import Clock
    from muapi_client._cost import Spend
    from muapi_client._entry import Entry
    from muapi_client._estimates import Estimate
    from muapi_client._files import Files
    from muapi_client._flow import Flow, StreamFlow
    from muapi_client._journal import Journal
    from muapi_client._predictions import Prediction
    from muapi_client._sandbox import SandboxVerdict
    from muapi_client._terms import Terms
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
        _exchanges.refuse_stream(call)
        return self._hosted(at_home(call, self._terms.models), self._submit)

    def _hosted(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """The flow of a call, after the upload of the local files in its body."""
        return self._files().hosted(call, then) if attachments(call.body) else then(call)

    def _submit(self, call: Call[Any]) -> Flow[Job | Prediction]:
        call = _exchanges.keyed(call, urandom(16).hex())
        return _jobs.submit(self._accepted(call), call, self._terms, now=self._clock.now(), new_job=self._new_job)

    def run(
        self,
        call: Call[Any],
        timeout: float | None,
        on_accept: Callable[[Any], object] | None,
        on_look: Callable[[Prediction], object] | None,
    ) -> Flow[Prediction]:
        """Of ``MuAPI.run``."""
        submission, patience = self.submit(call), self._patience(timeout)
        return _jobs.run(submission, self._terms, timeout=patience, on_accept=on_accept, on_look=on_look)

    def look(self, job_or_id: Job | str) -> Flow[Prediction]:
        """Of ``MuAPI.look``."""
        return _jobs.look(_job(job_or_id), self._terms)

    def wait(
        self, job_or_id: Job | str, timeout: float | None, on_look: Callable[[Prediction], object] | None
    ) -> Flow[Prediction]:
        """Of ``MuAPI.wait``."""
        job, patience = _job(job_or_id), self._patience(timeout)
        return _jobs.wait(job, self._terms, now=self._clock.now(), timeout=patience, on_look=on_look)

    def send(self, call: Call[Any]) -> Flow[Any]:
        """Of ``MuAPI.send``."""
        _exchanges.refuse_stream(call)
        call = at_home(call, self._terms.models)
        return self._files().sent(call) if call.files else self._hosted(call, self._send)

    def _send(self, call: Call[Any]) -> Flow[Any]:
        if call.operation.is_job:
            call = _exchanges.keyed(call, urandom(16).hex())
            return _jobs.send(self._accepted(call), call, self._terms)
        reads = call.operation.method in READS
        return _exchanges.exchange(call, self._terms, reads=reads, started_at=time.time())

    def stream(self, call: Call[Any], channel: Channel | AsyncChannel) -> StreamFlow[None]:
        """Of ``MuAPI.stream``."""
        from muapi_client import _streaming  # noqa: PLC0415 - loads with the first stream
        from muapi_client._bookkeeping import Source  # noqa: PLC0415 - likewise

        _streaming.refuse_job(call)
        source_of = partial(
            Source,
            terms=self._terms,
            channel=channel,
            spend=self._spend,
            max_spend=self._max_spend,
            new_job=self._new_job,
            started_at=time.time(),
        )
        return _streaming.stream(self._hosted(at_home(call, self._terms.models), _itself), source_of)

    def estimate(self, call: Call[Any]) -> Flow[Estimate]:
        """Of ``MuAPI.estimate``."""
        from muapi_client import _estimates  # noqa: PLC0415 - loads the catalogue

        return _estimates.estimate(at_home(call, self._terms.models), self._terms, started_at=time.time())

    def sandbox(self, probe: Call[Any] | tuple[Call[Any], Call[Any]] | None) -> Flow[SandboxVerdict]:
        """Of ``MuAPI.sandbox``; what it finds is answered, whatever was expected."""
        from muapi_client import _probes  # noqa: PLC0415 - rarely used

        return _probes.sandbox(probe, self._terms, self._probing())

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

    def candidates(
        self, items: list[dict[str, Any]], lost: SubmitOutcomeUnknownError | Entry, journal: Journal | None
    ) -> list[Any]:
        """The jobs of a history that may be the one of a lost submit."""
        from muapi_client import _reconcile  # noqa: PLC0415 - loads the catalogue

        slug, since = _sent(lost)
        known = journal.ids() if journal else frozenset[str]()
        return [self._new_job(found) for found in _reconcile.candidates(items, slug, since, known)]

    def _accepted(self, call: Call[Any]) -> Flow[Prediction]:
        acceptance = _jobs.accepted(call, self._terms, started_at=time.time())
        if self._max_spend is not None:
            from muapi_client import _estimates  # noqa: PLC0415 - loads the catalogue

            acceptance = _estimates.within(self._max_spend, self._spend, acceptance, call, self._terms)
        return acceptance if self._terms.expect is None else foresee(acceptance, call, self._terms)

    def _patience(self, timeout: float | None) -> float:
        return self._terms.wait_timeout if timeout is None else read_seconds("timeout", timeout)


def _itself(call: Call[Any]) -> Flow[Call[Any]]:
    """Nothing more to do with a call whose files are uploaded."""
    return call
    yield  # makes a flow of it


def _job(job_or_id: Job | str) -> Job:
    return Job(job_or_id) if isinstance(job_or_id, str) else job_or_id


def _sent(lost: SubmitOutcomeUnknownError | Entry) -> tuple[str, datetime]:
    """Which model a lost submit was for, and when it was sent."""
    if not isinstance(lost, SubmitOutcomeUnknownError):
        return lost.slug, lost.intended_at
    if lost.call is None:
        raise MuAPIError("this error carries no call, so there is nothing to look for")
    return lost.call.operation.slug, datetime.fromtimestamp(lost.started_at or 0.0, UTC)


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
