"""Spans of OpenTelemetry: one a job, from its submission to its end, and one an exchange, below its job's.

It loads where the program has imported ``opentelemetry.trace``, and makes spans where that has a provider: without
one nothing takes them, so no option turns them on, and no other program pays for them. What is done with a span may be
slow (it may be sent when it ends) and is the user's: what raises there is reported and costs no job, and a span of
something paid ends once all that is known of it is noted.

Lives here: what spans there are, and what they tell: no key, no query, none of the server's words nor the caller's.
Does not live here: when one begins and ends (``exchange``, ``_jobs``), collecting and sending them (the program's SDK).
"""

from __future__ import annotations

import atexit
import os
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit
from weakref import ref

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from muapi_client._protocol.steps import REFUSED, Do, NoReply, Send
from muapi_client._runtime.logs import report
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._types.entry_state import STATE_OF
from muapi_client._types.job import slug_of
from muapi_client._version import __version__
from muapi_client.errors import JobCancelledError, JobFailedError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span, Tracer

    from muapi_client._protocol.request import Request
    from muapi_client._protocol.steps import Flow, Outcome
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Memory, Record
    from muapi_client._types.cost import Cost
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction

P = ParamSpec("P")
R = TypeVar("R")

OPERATION: Final = "generate_content"  # semantic conventions for generative AI: "multimodal content generation"
PROVIDER: Final = "muapi"
PORTS: Final = {"https": 443, "http": 80}
MOST_LEFT: Final = 1_000  # spans of jobs that nobody waits for, as many as a client remembers of those that ended
ERRORS: Final = {"failed": "JobFailedError", "cancelled": "JobCancelledError"}  # what a wait for such a job raises


def guarded(work: Callable[P, R]) -> Callable[P, R | None]:
    """Have what the program does with spans break nothing."""

    @wraps(work)
    def carry_out(*args: P.args, **named: P.kwargs) -> R | None:
        try:
            return work(*args, **named)
        except Exception as error:  # noqa: BLE001 - of the user's sampler, processor or exporter
            raise_if_from_signal_handler(error)
            report("a span of OpenTelemetry was lost")
            return None

    return carry_out


@guarded
def has_provider() -> bool:
    """Whether the program has set up what takes spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@lru_cache(maxsize=1)
def find_tracer() -> Tracer:
    """The tracer of this package: of the provider that there is, or that will be."""
    return trace.get_tracer("muapi_client", __version__)


def name_server(origin: str) -> dict[str, str | int]:
    """The attributes of a span that name a host, in a dictionary of its own."""
    parts = urlsplit(origin)
    return {"server.address": parts.hostname or "", "server.port": parts.port or PORTS.get(parts.scheme, 0)}


@guarded
def current_span() -> Span:
    """The span that the caller is in, for what is carried out in other threads and tasks."""
    return trace.get_current_span()


class JobSpan:
    """The span of one job; it ends once, with the first that knows of an end.

    Args:
        slug: The job's model, or "" where that is not known.
        context: The client's. Its ``span`` is the parent; without one it is the one that the caller is in.
        before: A span of the same job that has ended without it.
    """

    def __init__(self, slug: str, context: Context, before: JobSpan | None = None) -> None:
        self._pid = os.getpid()
        self._facts: dict[str, Any] = {"muapi.outcome": "accepted"}
        self.memory = ref(context.memory)
        self.span: Any = _start(
            f"{OPERATION} {slug}".rstrip(),
            context,
            {
                "gen_ai.operation.name": OPERATION,
                "gen_ai.provider.name": PROVIDER,
                **({"gen_ai.request.model": slug, "muapi.model": slug} if slug else {}),
                **name_server(context.origin),
            },
            link=None if before is None else before.span,
        )
        self._is_open = True
        _open.add(self)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended; a child that was forked leaves that to its parent, and has spans of its own."""
        return self._is_open and self._pid == os.getpid()

    def leave(self) -> None:
        """Nobody waits for the job now; of many that are left so the oldest end, or some would never be seen."""
        _left[self] = None
        for oldest in list(_left)[:-MOST_LEFT]:
            oldest.end()

    def take_up(self) -> bool:
        """Somebody waits for the job; answers whether it is still open."""
        _left.pop(self, None)
        return self.is_open

    def accept(self, request_id: str | None, cost: Cost | None) -> None:
        """The job's id and what it costs are known."""
        if request_id is not None:
            self._facts |= {"muapi.request_id": request_id, "gen_ai.response.id": request_id}
        if cost is not None:
            self._facts["muapi.cost_usd"] = float(cost.charged_usd)

    def end_as(self, prediction: Prediction) -> None:
        """The job has ended."""
        outcome = STATE_OF.get(prediction.state, "completed")
        self.accept(prediction.id, prediction.cost)
        self.end(outcome, error=ERRORS.get(outcome, ""))

    def give_up(self, error: BaseException | None, outcome: str = "") -> None:
        """Nobody looks for the job's end any more, because of an error.

        Args:
            outcome: What is known of the job, if more than the error tells.
        """
        ended = error.prediction if isinstance(error, JobFailedError | JobCancelledError) else None
        if ended is not None:
            self.end_as(ended)
            return
        outcome = outcome or ("still running" if isinstance(error, WaitTimeoutError) else "not seen to end")
        self.end(outcome, error="" if error is None else type(error).__name__)

    def end(self, outcome: str = "", *, error: str = "") -> None:
        """End it, unless it has ended."""
        _open.discard(self)
        _left.pop(self, None)
        if not self.is_open:
            return
        self._is_open = False
        if outcome:
            self._facts["muapi.outcome"] = outcome
        _end(self.span, self._facts, error)


class ExchangeSpan:
    """The span of one exchange.

    Args:
        send: What is sent to the API; None of a file that goes to, or comes from, elsewhere.
        model: The slug of the job that it submits, or "".
        origin: Where that is, or "".
        method: What it is asked by.
        tries: How many there were before this one.
    """

    def __init__(
        self,
        send: Send | None,
        context: Context,
        *,
        model: str = "",
        origin: str = "",
        method: str = "",
        tries: int = 0,
    ) -> None:
        route, origin = "", context.origin if send is not None else origin
        facts: dict[str, Any] = name_server(origin) if origin else {}
        if send is not None:
            method, route = send.method, send.route or send.path
            facts |= {"url.full": f"{origin}{send.path}", "url.template": route}
        facts["http.request.method"] = method
        if model:
            facts["muapi.model"] = model
        if tries:
            facts["http.request.resend_count"] = tries
        self.span: Any = _start(f"{method} {route}".strip(), context, facts)
        self.tries = tries
        self._facts: dict[str, Any] = {}
        self._error = ""
        self._seconds: float | None = None  # that it took, once it is over
        self._is_open = True

    def note(self, outcome: Outcome) -> None:
        """Take in what came of it. Nothing is handed to the program's SDK: it may be slow."""
        self._seconds = outcome.seconds
        if isinstance(outcome, NoReply):
            self._error = type(outcome.error).__name__
        else:
            self.note_status(outcome.status)

    def note_status(self, status: int) -> None:
        """Take in the status of the answer; 0 where there was none."""
        if status:
            self._facts["http.response.status_code"] = status
        self._error = "no answer" if not status else str(status) if status >= REFUSED.start else ""

    def end(self, error: BaseException | None = None) -> None:
        """End it, unless it has ended."""
        if self._is_open:
            self._is_open = False
            _end(self.span, self._facts, self._error or ("" if error is None else type(error).__name__), self._seconds)


def trace_read(step: Send | Do, context: Context, *, about: Send | None = None) -> Flow[Outcome]:
    """Carry out an exchange that charges nothing, in a span.

    Args:
        about: What is sent, where the step does not tell.
    """
    span = ExchangeSpan(step if isinstance(step, Send) else about, context, method="POST")
    try:
        outcome: Outcome = yield step
        span.note(outcome)
    except BaseException as error:
        span.end(error)
        raise
    span.end()
    return outcome


def trace_write(request: Request, context: Context, before: ExchangeSpan | None) -> ExchangeSpan:
    """The span of a try to send what changes or charges something.

    Whoever has noted what the answer tells ends it.
    """
    tries = 0 if before is None else before.tries + 1
    return ExchangeSpan(request.send, context, model=request.call.operation.slug, tries=tries)


def trace_fetch(step: Do, limits: Any, url: str) -> Flow[Any]:
    """Fetch a file, in a span; its address is left out, since whoever knows it may have the file.

    Args:
        step: The exchange.
        limits: The download's, with the span that it belongs to.
        url: Where the file is.
    """
    span = ExchangeSpan(None, limits, origin="/".join(url.split("/", 3)[:3]), method="GET")
    try:
        got = yield step
        span.note_status(got.status)
    except BaseException as error:
        span.end(error)
        raise
    span.end()
    return got


def begin_job(record: Record, context: Context) -> JobSpan:
    """The span of a submission that begins, and of its job."""
    return JobSpan(record.call.operation.slug, context)


def take_up(job: Job, context: Context) -> JobSpan:
    """The span of a job that is waited for: the one its submission began, or another that is linked to it."""
    record = context.memory.find(job.id)
    before: JobSpan | None = None if record is None else record.span
    if before is not None and before.take_up():
        return before
    span = JobSpan(slug_of(job) or "", context, before)
    span.accept(job.id, job.cost)
    if record is not None:
        record.span = span
    return span


def end_all(memory: Memory | None = None) -> None:
    """End the spans of jobs whose end nobody will see: of one client's, or at the end of the program of all."""
    for span in list(_open):
        if memory is None or span.memory() is memory:
            span.end()


_open: Final[set[JobSpan]] = set()
_left: Final[dict[JobSpan, None]] = {}  # of these, the jobs that were submitted and left, oldest first
atexit.register(end_all)


@guarded
def _start(name: str, context: Context, facts: Mapping[str, Any], link: Span | None = None) -> Span:
    parent = context.span
    return find_tracer().start_span(
        name,
        None if parent is None else trace.set_span_in_context(parent),
        SpanKind.CLIENT,
        facts,
        None if link is None else [Link(link.get_span_context())],
    )


@guarded
def _end(span: Span | None, facts: Mapping[str, Any], error: str, seconds: float | None = None) -> None:
    """End a span: now, or as many seconds after its beginning, where the SDK tells that."""
    if span is None:  # it could not be started
        return
    span.set_attributes(facts)
    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
    began = getattr(span, "start_time", None)
    span.end(None if began is None or seconds is None else began + round(seconds * 1e9))
