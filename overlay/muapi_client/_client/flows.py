"""Which flow each method of a client is: options and readings in, a flow out. Nothing is carried out here.

Lives here: what ``MuAPI`` and ``AsyncMuAPI`` have in common once they are used. Loads with the first call.
"""

from __future__ import annotations

import time
from copy import copy
from functools import partial
from os import urandom
from typing import TYPE_CHECKING, Any, TypeVar

from muapi_client._client.retarget import for_package
from muapi_client._files.attachments import find_attachments, with_stand_ins
from muapi_client._jobs import recall, waiting
from muapi_client._jobs.job import run
from muapi_client._jobs.submission import send_job, submit_job
from muapi_client._protocol.exchange import exchange
from muapi_client._protocol.request import STREAM, encode, prepare
from muapi_client._runtime.forks import forks
from muapi_client._settings.arguments import call_error, require_callables, require_job, require_lost
from muapi_client._settings.options import read_seconds
from muapi_client._spec.packages import INSTALLED
from muapi_client._spec.validation import refusal_error
from muapi_client._types.job import Job
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import JobState
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from muapi_client._client.file_flows import Files
    from muapi_client._protocol.request import Request
    from muapi_client._protocol.steps import Flow, StreamFlow
    from muapi_client._runtime.clock import Clock
    from muapi_client._state.context import Context
    from muapi_client._streams.outcome import StreamConnection
    from muapi_client._types.entry import Entry
    from muapi_client._types.estimate import Estimate
    from muapi_client._types.reconciliation import Reconciliation
    from muapi_client._types.sandbox import SandboxVerdict
    from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError

R = TypeVar("R")

PLAIN = frozenset({str, int, float, bool, type(None)})  # values that are no files and hold none
READS = frozenset({"GET", "HEAD"})  # methods that change and charge nothing


class Flows:
    """The flows of one client.

    Args:
        new_job: What makes a job that holds its client.
        files: What makes the flows of files, once there are any.
        content_of: The SHA-256 of the file that a URL was made for by this client, or None of any other text.
    """

    def __init__(
        self,
        context: Context,
        clock: Clock,
        *,
        new_job: Callable[..., Job],
        files: Callable[[], Files],
        content_of: Callable[[str], str | None],
    ) -> None:
        self._context = context
        self._clock = clock
        self._new_job = new_job
        self._files = files
        self._content_of = content_of

    def submit(
        self,
        call: Call[Any],
        *,
        waits: bool = False,
        take_up: Callable[[Job], Flow[Job | Prediction | None]] | None = None,
    ) -> Flow[Job | Prediction]:
        """Of ``MuAPI.submit``.

        Args:
            call: What is submitted.
            waits: Whether its job is waited for at once.
            take_up: Answers what comes of an earlier job that asks the same and has not ended, where reuse is on; None
                where another is to be submitted. By default that job is handed out.
        """
        require_call(call, "run" if waits else "submit")
        refuse_stream(call)
        call = self._retarget(call)
        then = partial(self._upload_then, call, partial(self._submit, waits=waits))
        return self._reuse(call, then, take_up) if self._context.reuse else then()

    def _reuse(
        self,
        call: Call[Any],
        then: Callable[[], Flow[Job | Prediction]],
        take_up: Callable[[Job], Flow[Job | Prediction | None]] | None,
    ) -> Flow[Job | Prediction]:
        """Answer a call by what came, or comes, of one that asked the same, where that can be; else go on."""
        with forks.kept_waiting:
            from muapi_client._client.reuse import find_paid, hand_out  # noqa: PLC0415 - off by default

        known = yield from find_paid(
            call,
            self._context,
            self._files(),
            self._content_of,
            reconcile=self.reconcile,
            new_job=self._new_job,
            take_up=take_up or partial(hand_out, call, self._context),
        )
        return known if known is not None else (yield from then())

    def digest(self, call: Call[Any]) -> Flow[str | None]:
        """What a call asks, as the journal notes it; None where that cannot be told, or a file is gone."""
        with forks.kept_waiting:
            from muapi_client._client.reuse import digest_whole  # noqa: PLC0415 - for calls with local files alone
            from muapi_client.errors import UploadError  # noqa: PLC0415 - as above

        try:
            return (yield from digest_whole(self._retarget(call), self._files(), self._content_of))
        except UploadError:
            return None

    def _retarget(self, call: Call[Any]) -> Call[Any]:
        """The call as the client's package of models has it."""
        models = self._context.models
        return call if models is None and call.operation.package == INSTALLED else for_package(call, models)

    def _upload_then(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """The flow of a call, once the files of its form are read, and the local files in its body are uploaded."""
        if call.files:
            then = partial(self._files().read_form, then=then)
        # Most are plain, and need no search. No local holds the values, one of which may be a secret.
        plain = all(
            type(value) in PLAIN for value in (call.body.values() if isinstance(call.body, dict) else (call.body,))
        )
        return then(call) if plain or not find_attachments(call.body) else self._files().upload_attachments(call, then)

    def _request(self, call: Call[Any]) -> Request:
        """A paid request, checked and encoded, with an idempotency key where the document knows one."""
        reading = self._clock.now()
        request = prepare(call, self._context, started_at=self.wall_time(), reading=reading, new_key=urandom(16).hex())
        if self._context.journal is None:
            return request
        with forks.kept_waiting:
            from muapi_client._jobs.reuse import digest_call  # noqa: PLC0415 - for journals alone

        return request._replace(digest=digest_call(call, self._content_of))

    def _submit(self, call: Call[Any], *, waits: bool) -> Flow[Job | Prediction]:
        now = self._clock.now()
        return submit_job(self._request(call), self._context, now=now, new_job=self._new_job, waits=waits)

    def run(
        self,
        call: Call[Any],
        timeout: float | None,
        on_accept: Callable[[Any], object] | None,
        on_look: Callable[[Any], object] | None,
        on_look_failed: Callable[[MuAPIError], object] | None,
        *,
        on_anew: Callable[[], object] | None = None,
    ) -> Flow[Prediction]:
        """Of ``MuAPI.run``.

        Args:
            on_anew: Called before another job is submitted, where an earlier one that asks the same, of which
                ``on_accept`` was told, came to nothing.
        """
        require_callables(on_accept=on_accept, on_look=on_look, on_look_failed=on_look_failed)

        def take_up(job: Job) -> Flow[Prediction | None]:
            with forks.kept_waiting:
                from muapi_client._client.reuse import follow  # noqa: PLC0415 - off by default

            return follow(job, self.wait(job, timeout, on_look, on_look_failed), on_accept, on_anew)

        return run(
            self.submit(call, waits=True, take_up=take_up),
            self._context,
            timeout=self._read_timeout(timeout),
            on_accept=on_accept,
            on_look=on_look,
            on_look_failed=on_look_failed,
        )

    def look(self, job_or_id: Job | str) -> Flow[Prediction]:
        """Of ``MuAPI.look``."""
        return self._look(self._job(job_or_id, "look"))

    def _look(self, job: Job) -> Flow[Prediction]:
        accepted_at = yield from self._find_acceptance(job)
        return (yield from waiting.look(job, self._context, accepted_at=accepted_at))

    def wait(
        self,
        job_or_id: Job | Prediction | str,
        timeout: float | None,
        on_look: Callable[[Any], object] | None,
        on_look_failed: Callable[[MuAPIError], object] | None,
    ) -> Flow[Prediction]:
        """Of ``MuAPI.wait``."""
        require_callables(on_look=on_look, on_look_failed=on_look_failed)
        job, ended = self._find_job(job_or_id, "wait")
        if ended is not None:
            return self._judge(job, ended)
        return self._wait(job, self._read_timeout(timeout), on_look, on_look_failed)

    def _wait(
        self,
        job: Job,
        seconds: float,
        on_look: Callable[[Any], object] | None,
        on_look_failed: Callable[[MuAPIError], object] | None,
    ) -> Flow[Prediction]:
        accepted_at = yield from self._find_acceptance(job)
        return (
            yield from waiting.wait(
                job,
                self._context,
                now=self._clock.now(),
                timeout=seconds,
                accepted_at=accepted_at,
                on_look=on_look,
                on_look_failed=on_look_failed,
            )
        )

    def _judge(self, job: Job, prediction: Prediction) -> Flow[Prediction]:
        """What a job that has ended came to, as a wait for it would tell."""
        return waiting.judge(job, prediction)
        yield  # makes a flow of it

    def _find_job(self, given: Job | Prediction | str, method: str) -> tuple[Job, Prediction | None]:
        """The job that is meant, and its end where a prediction is given that tells it."""
        if not isinstance(given, Prediction):
            return self._job(given, method), None
        if given.id is not None and given.state is JobState.RUNNING:
            return self._job(given.id, method), None
        return self._new_job(given.id or "", given.call, given.cost), given

    def events(self, job_or_id: Job | Prediction | str, timeout: float | None) -> StreamFlow[None]:
        """Of ``MuAPI.events``."""
        seconds = self._read_timeout(timeout)
        job, ended = self._find_job(job_or_id, "events")
        return self._follow(job, ended, seconds)

    def _follow(self, job: Job, ended: Prediction | None, seconds: float) -> StreamFlow[None]:
        with forks.kept_waiting:
            from muapi_client._jobs.following import follow, tell_end  # noqa: PLC0415 - loads with the first of them

        if ended is not None:
            return (yield from tell_end(job, ended))
        accepted_at = yield from self._find_acceptance(job)
        return (yield from follow(job, self._context, timeout=seconds, accepted_at=accepted_at))

    def send(self, call: Call[Any]) -> Flow[Any]:
        """Of ``MuAPI.send``."""
        require_call(call, "send")
        refuse_stream(call)
        call = self._retarget(call)
        if call.files and self._files().is_upload(call):
            return self._files().send_file(call)
        return self._upload_then(call, self._send)

    def _send(self, call: Call[Any]) -> Flow[Any]:
        if call.operation.is_job:
            return send_job(self._request(call), self._context)
        reads = call.operation.method in READS
        return exchange(call, self._context, reads=reads, started_at=self.wall_time())

    def stream(self, call: Call[Any], connection: StreamConnection) -> StreamFlow[None]:
        """Of ``MuAPI.stream``."""
        with forks.kept_waiting:
            from muapi_client._streams import flow  # noqa: PLC0415 - loads with the first stream

        require_call(call, "stream")
        flow.refuse_job(call)
        prepared = self._upload_then(self._retarget(call), self._prepare)
        return flow.stream(prepared, self._context, connection, self._new_job)

    def _prepare(self, call: Call[Any]) -> Flow[Request]:
        return self._request(call)
        yield  # makes a flow of it

    def estimate(self, call: Call[Any]) -> Flow[Estimate]:
        """Of ``MuAPI.estimate``."""
        with forks.kept_waiting:
            from muapi_client._jobs import budget  # noqa: PLC0415 - loads the catalogue

        require_call(call, "estimate")
        call = with_stand_ins(self._retarget(call))
        return budget.estimate(call, encode(call, self._context), self._context)

    def sandbox(self, probe: Call[Any] | tuple[Call[Any], Call[Any]] | None) -> Flow[SandboxVerdict]:
        """Of ``MuAPI.sandbox``; what it finds is answered, whatever was expected."""
        with forks.kept_waiting:
            from muapi_client._sandbox.probe import sandbox  # noqa: PLC0415 - rarely used

        flows = self._for_probes()
        wait = partial(flows.wait, timeout=None, on_look=None, on_look_failed=None)
        return sandbox(probe, self._context, submit=flows.submit, wait=wait)

    def _for_probes(self) -> Flows:
        """The same flows, expecting nothing, warning of nothing and asking anew: who probes is told by the verdict."""
        other = copy(self)
        other.__dict__["_context"] = self._context._replace(expect=None, warns=False, reuse=False)
        return other

    def unknown(self, *, all_accounts: bool) -> Flow[list[Entry]]:
        """Of ``MuAPI.unknown``."""
        return recall.unknown(self._context, all_accounts=all_accounts)

    def resume(self, *, all_accounts: bool) -> Flow[list[Any]]:
        """Of ``MuAPI.resume``."""
        return recall.unfinished(self._context, self._new_job, all_accounts=all_accounts)

    def is_unfinished(self, job: Job) -> Flow[bool]:
        """Of ``MuAPI.resume``, before each job is handed out."""
        return recall.is_unfinished(job, self._context)

    def jobs(self, **wanted: Any) -> Flow[list[Entry]]:
        """Of ``MuAPI.jobs``."""
        return recall.jobs(self._context, **wanted)

    def spend_report(self, by: Any, timezone: str, **wanted: Any) -> Flow[list[dict[str, Any]]]:
        """Of ``MuAPI.spend_report``."""
        with forks.kept_waiting:
            from muapi_client._jobs.budget import listed_price  # noqa: PLC0415 - loads the catalogue
            from muapi_client._jobs.report import read_columns, report  # noqa: PLC0415 - rarely used
            from muapi_client._types.budget import find_zone  # noqa: PLC0415

        columns, zone = read_columns(by), find_zone(timezone)
        return report((yield from self.jobs(**wanted)), columns, listed_price, zone)

    def settle(self, entry: Entry | SubmitOutcomeUnknownError, job_or_id: Job | str | None) -> Flow[None]:
        """Of ``MuAPI.settle``."""
        require_lost(entry, "settle")
        return recall.settle(entry, job_or_id, self._context)

    def forget(self, before: datetime, *, bodies: bool) -> Flow[int]:
        """Of ``MuAPI.forget``."""
        return recall.forget(self._context, before=before, bodies=bodies)

    def note_saved(self, prediction: Prediction, files: Sequence[Path]) -> Flow[None]:
        """Of ``MuAPI.download``, once the files are there."""
        return recall.note_saved(prediction, files, self._context)

    def reconcile(self, lost: SubmitOutcomeUnknownError | Entry) -> Flow[Reconciliation[Any]]:
        """Of ``MuAPI.reconcile``."""
        with forks.kept_waiting:
            from muapi_client._jobs.reconcile import reconcile  # noqa: PLC0415 - loads the catalogue

        require_lost(lost, "reconcile")
        return reconcile(lost, self._context, wall=self.wall_time, new_job=self._new_job)

    def _job(self, job_or_id: Job | str, method: str) -> Job:
        """A job by its id, with what is remembered of it."""
        require_job(job_or_id, method)
        if not isinstance(job_or_id, str):
            return job_or_id
        record = self._context.memory.find(job_or_id)
        return Job(job_or_id, record.call, record.cost) if record is not None else Job(job_or_id)

    def of_item(
        self,
        run: str | None,
        key: str,
        span: Any = None,
        *,
        replaces: str | None = None,
        repeats_unknown: bool = False,
    ) -> tuple[Flows, Context]:
        """The same flows, submitting one item of a run within an OpenTelemetry span, and their context.

        Args:
            run: The run's name, or None where there is none.
            key: The item's key.
            span: The span, or None.
            replaces: The key of the entry whose place in the run what is submitted takes, or None.
            repeats_unknown: Whether it is submitted although one that asks the same may have been charged.
        """
        other = copy(self)
        run_key = None if run is None else key
        known: dict[str, Any] = {"replaces": replaces, "repeats_unknown": repeats_unknown}
        context = self._context._replace(raises_refusals=True, run=run, run_key=run_key, span=span, **known)
        other.__dict__["_context"] = context
        return other, context

    def make_job(self, *given: Any) -> Job:
        """A job that holds its client."""
        return self._new_job(*given)

    def wall_time(self) -> float:
        """The calendar by the client's clock, in seconds since the epoch; by the system's where it has none.

        Where many machines share a journal, it is that one's: by it jobs are dated, and fall into a budget's days.
        """
        reading = getattr(self._clock, "wall_time", time.time)
        journal = self._context.journal
        return float(reading()) + (journal.clock_offset() if journal is not None else 0.0)

    def _find_acceptance(self, job: Job) -> Flow[float | None]:
        """When a job was accepted, on the client's clock, where that is known: here, or to the journal."""
        record = self._context.memory.find(job.id)
        if record is not None:
            return record.accepted_at
        moment = job.submitted_at
        if moment is None:
            moment = yield from recall.find_acceptance(job.id, self._context)
        if moment is None:
            return None
        age = self.wall_time() - moment.timestamp()  # by the calendar that dated it
        return self._clock.now() - max(age, 0.0)

    def _read_timeout(self, timeout: float | None) -> float:
        return self._context.wait_timeout if timeout is None else read_seconds("timeout", timeout)


def require_call(given: Call[Any], method: str) -> None:
    """Refuse what is no call, such as a slug, a body, or a model function without its brackets.

    Raises:
        MuAPIError: It is something else; the message tells what to type.
    """
    if not isinstance(given, Call):
        raise call_error(given, method)


def refuse_stream(call: Call[Any]) -> None:
    """Refuse a call whose answer is a stream where a whole answer is wanted.

    Raises:
        ValidationError: It is one.
    """
    if call.operation.slug.endswith(STREAM):
        plain = call.operation.slug.removesuffix(STREAM)
        message = f"it answers with a stream of events: use mu.stream(call), or use {plain} for the whole at once"
        raise refusal_error(call, (), message, kind="stream")


def make_flows(client: Any, job_class: type[Job]) -> Flows:
    """The flows of a client, whose jobs are of ``job_class`` and hold it."""
    return Flows(
        client._context,  # noqa: SLF001 - the other half of the client, apart only so that it loads later
        client._clock,  # noqa: SLF001
        new_job=partial(job_class, client=client),
        files=lambda: client._files,  # noqa: SLF001
        content_of=client._upload_cache.digest,  # noqa: SLF001
    )
