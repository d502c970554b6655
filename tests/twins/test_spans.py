"""Spans of OpenTelemetry, by its SDK: one a job from submit to end, whoever sees it, and its exchanges below it."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

pytest.importorskip("opentelemetry.sdk.trace", reason="OpenTelemetry's SDK is not installed")

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from muapi_client import AsyncMuAPI, MuAPI, Retry
from muapi_client._protocol import spans
from muapi_client.errors import (
    JobFailedError,
    MuAPIError,
    SpendLimitError,
    SubmitOutcomeUnknownError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan
    from twins.conftest import Twin

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}
RUNNING = {"id": "abc", "status": "processing", "outputs": [], "error": None}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": COST}
FAILED = (400, {"detail": {"id": "abc", "status": "failed", "error": "a red fox is not allowed"}})
JOB = "generate_content new/model"
POST = "POST /api/v1/new/model"
LOOK = "GET /api/v1/predictions/{id}/result"
TRACER = "muapi_client.tests"


class Spans:
    """What was made so far."""

    def __init__(self, exporter: InMemorySpanExporter, provider: TracerProvider) -> None:
        self.exporter, self.provider = exporter, provider

    def all(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if not name or span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.all(name)
        return span

    def names(self) -> list[str]:
        return [span.name for span in self.all()]

    def within(self, name: str) -> Any:
        return self.provider.get_tracer(TRACER).start_as_current_span(name)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """The spans of a program whose provider keeps them in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)  # the real one is set once a process
    spans.find_tracer.cache_clear()
    yield Spans(exporter, provider)
    spans.end_all()
    spans.find_tracer.cache_clear()


def facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent(span: ReadableSpan) -> int:
    return 0 if span.parent is None else span.parent.span_id


def test_a_job_is_one_span_and_its_exchanges_are_below_it(twin: Twin, made: Spans) -> None:
    with made.within("a program"):
        twin(ACCEPTED, RUNNING, DONE).run(twin.call)
    assert made.names() == [POST, LOOK, LOOK, JOB, "a program"]
    job = made.one(JOB)
    assert parent(job) == made.one("a program").context.span_id
    assert {parent(span) for span in made.all()[:3]} == {job.context.span_id}
    assert facts(job) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "muapi",
        "gen_ai.request.model": "new/model",
        "gen_ai.response.id": "abc",
        "muapi.cost_usd": 0.0042,
        "muapi.model": "new/model",
        "muapi.outcome": "completed",
        "muapi.request_id": "abc",
        "server.address": "api.muapi.ai",
        "server.port": 443,
    }
    assert job.status.status_code is StatusCode.UNSET
    assert facts(made.one(POST)) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "muapi.model": "new/model",
        "server.address": "api.muapi.ai",
        "server.port": 443,
        "url.full": "https://api.muapi.ai/api/v1/new/model",
        "url.template": "/api/v1/new/model",
    }


def test_a_job_that_is_waited_for_by_another_call_is_the_same_span(twin: Twin, made: Spans) -> None:
    face = twin(ACCEPTED, RUNNING, DONE)
    job = face.submit(twin.call)
    assert made.names() == [POST]
    face.wait(job.id)
    assert made.names() == [POST, LOOK, LOOK, JOB]
    assert {parent(span) for span in made.all(LOOK)} == {made.one(JOB).context.span_id}


def test_so_is_one_whose_end_a_single_look_tells(twin: Twin, made: Spans) -> None:
    face = twin(ACCEPTED, DONE)
    face.look(face.submit(twin.call))
    assert facts(made.one(JOB))["muapi.outcome"] == "completed"
    assert parent(made.one(LOOK)) == made.one(JOB).context.span_id


def test_a_job_of_another_process_is_a_span_from_the_wait_on(twin: Twin, made: Spans) -> None:
    twin(RUNNING, DONE).wait("abc")
    job = made.one("generate_content")
    assert facts(job)["muapi.request_id"] == "abc"
    assert facts(job)["muapi.outcome"] == "completed"
    assert {parent(span) for span in made.all(LOOK)} == {job.context.span_id}


def test_a_wait_that_is_over_ends_the_span_and_the_next_one_is_linked_to_it(twin: Twin, made: Spans) -> None:
    face = twin(ACCEPTED, RUNNING)
    with pytest.raises(WaitTimeoutError) as caught:
        face.run(twin.call, timeout=3)
    first = made.one(JOB)
    assert facts(first)["muapi.outcome"] == "still running"
    assert facts(first)["error.type"] == "WaitTimeoutError"
    assert first.status.status_code is StatusCode.ERROR
    face.server.steps = [DONE]
    face.wait(caught.value.job)
    second = made.all(JOB)[1]
    assert facts(second)["muapi.outcome"] == "completed"
    assert [link.context.span_id for link in second.links] == [first.context.span_id]


def test_a_span_that_nobody_ends_ends_with_its_client(twin: Twin, made: Spans) -> None:
    face, other = twin(ACCEPTED), twin({**ACCEPTED, "request_id": "def"})
    face.submit(twin.call)
    other.submit(twin.call)
    face.close()
    assert facts(made.one(JOB))["muapi.request_id"] == "abc"
    assert facts(made.one(JOB))["muapi.outcome"] == "accepted"


@pytest.mark.parametrize(
    ("steps", "outcome", "error"),
    [
        ([FAILED], "failed", "JobFailedError"),
        ([ACCEPTED, FAILED], "failed", "JobFailedError"),
        ([ACCEPTED, {**RUNNING, "status": "cancelled"}], "cancelled", "JobCancelledError"),
        ([(422, {"detail": "a red fox"})], "refused", "ValidationError"),
        ([(400, {"detail": "a red fox", "cost": COST})], "refused and charged", "APIStatusError"),
        ([httpx.ReadError("reset")], "in doubt", "SubmitOutcomeUnknownError"),
        ([("unsent", httpx.ConnectError("refused"))], "not sent", "APIConnectionError"),
        ([KeyboardInterrupt], "interrupted", "KeyboardInterrupt"),
    ],
)
def test_how_a_job_ends_is_an_attribute_and_no_word_of_the_server_s_is(
    steps: list[Any], outcome: str, error: str, twin: Twin, made: Spans
) -> None:
    with pytest.raises(MuAPIError if error != "KeyboardInterrupt" else KeyboardInterrupt):
        twin(*steps, retry=Retry(attempts=1)).run(twin.call)
    job = made.one(JOB)
    assert (facts(job)["muapi.outcome"], facts(job)["error.type"]) == (outcome, error)
    assert job.status.status_code is StatusCode.ERROR
    assert not any("a red fox" in str(span.to_json()) for span in made.all())
    assert all(span.events == () for span in made.all())


def test_a_refund_is_no_cost(twin: Twin, made: Spans) -> None:
    refunded = (400, {"detail": {"id": "abc", "status": "failed", "error": "no", "cost": {**COST, "refunded": True}}})
    with pytest.raises(JobFailedError):
        twin(ACCEPTED, refunded).run(twin.call)
    assert facts(made.one(JOB))["muapi.cost_usd"] == 0.0


def test_a_try_again_is_a_span_of_its_own_without_the_pause(twin: Twin, made: Spans) -> None:
    twin((429, {"detail": "no"}, {"retry-after": "3"}), ACCEPTED).submit(twin.call)
    first, second = made.all(POST)
    assert facts(first)["http.response.status_code"] == 429
    assert facts(first)["error.type"] == "429"
    assert facts(second)["http.request.resend_count"] == 1
    assert (first.end_time or 0) - (first.start_time or 0) == 0  # by the clock of the client, which is a test's


def test_a_limit_ends_the_span_and_the_estimate_is_below_it(twin: Twin, made: Spans) -> None:
    from by_kind import make_image

    face = twin({"model": "x", "cost": 0.5, "currency": "USD"}, max_spend=Decimal("0.1"))
    with pytest.raises(SpendLimitError):
        face.submit(make_image(prompt="a red fox"))
    estimate, job = made.all()
    assert estimate.name == "POST /api/v1/models/{name}/estimate-cost"
    assert parent(estimate) == job.context.span_id
    assert facts(job)["muapi.outcome"] == "refused"


def test_jobs_of_a_map_belong_to_whoever_began_it(twin: Twin, made: Spans) -> None:
    def answer(request: httpx.Request) -> Any:
        name = request.url.path.split("/")[-2]
        return (
            {**DONE, "id": name}
            if request.method == "GET"
            else {**ACCEPTED, "request_id": f"j{len(face.server.requests)}"}
        )

    face = twin(answer)
    with made.within("a program"):
        outcomes = face.mu.map([twin.call] * 300, concurrency=100)
    assert sum(outcome.error is None for outcome in face._listed(outcomes)) == 300
    jobs = made.all(JOB)
    assert len(jobs) == 300
    assert {parent(job) for job in jobs} == {made.one("a program").context.span_id}
    by_id = {job.context.span_id: facts(job)["muapi.request_id"] for job in jobs}
    for look in made.all(LOOK):
        assert f"/{by_id[parent(look)]}/" in facts(look)["url.full"]


def test_each_task_s_jobs_belong_to_its_own_span(made: Spans) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={**DONE, "id": request.url.path[-1]}))

    async def work(mu: AsyncMuAPI, name: str) -> None:
        from muapi_client import raw_call

        with made.within(f"task {name}"):
            await mu.run(raw_call(name, {}))

    async def main() -> None:
        async with AsyncMuAPI("sk-live-9", transport=transport) as mu:
            await asyncio.gather(*(work(mu, str(number)) for number in range(9)))

    asyncio.run(main())
    for number in range(9):
        job = made.one(f"generate_content {number}")
        assert parent(job) == made.one(f"task {number}").context.span_id


def test_what_is_no_job_s_is_below_the_caller_s_span(twin: Twin, made: Spans, tmp_path: Any) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 50
    face = twin(DONE, {"url": "https://cdn.muapi.ai/secret.png"}, (200, picture))
    with made.within("a program"):
        done = face.look("abc")
        face.upload(picture, filename="a.png")
        face.download(done, tmp_path)
    caller = made.one("a program").context.span_id
    assert [(span.name, parent(span)) for span in made.all()[:2]] == [
        (LOOK, caller),
        ("POST /api/v1/upload_file", caller),
    ]
    fetched = made.one("GET")
    assert facts(fetched) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "cdn.muapi.ai",
        "server.port": 443,
    }


def test_no_span_holds_the_key_a_webhook_or_a_query(twin: Twin, made: Spans) -> None:
    face = twin(ACCEPTED, DONE, webhook="https://hooks.example/h/s3cret-0123456789")
    face.run(twin.call)
    told = "".join(span.to_json() for span in made.all())
    assert "s3cret" not in told
    assert twin.key not in told
    assert "?" not in told


def test_a_stream_is_a_job_s_span(twin: Twin, made: Spans) -> None:
    from muapi_client import raw_call

    events = (
        b'data: {"text": "a"}\n\ndata: {"request_id": "abc", "status": "completed", "cost": {"amount_usd": 0.5}}\n\n'
    )
    face = twin((200, events + b"data: [DONE]\n\n", {"content-type": "text/event-stream"}))
    face.events(raw_call("new/model/stream", {}))
    job = made.one("generate_content new/model/stream")
    assert facts(job)["muapi.cost_usd"] == 0.5
    assert parent(made.one("POST /api/v1/new/model/stream")) == job.context.span_id


class Broken(SpanProcessor):
    """A processor with faults."""

    def __init__(self, where: str) -> None:
        self.where = where

    def on_start(self, *_: Any, **__: Any) -> None:
        if self.where == "start":
            raise ZeroDivisionError("a fault of the processor's")

    def on_end(self, *_: Any) -> None:
        if self.where == "end":
            raise ZeroDivisionError("a fault of the processor's")


@pytest.mark.parametrize("where", ["start", "end"])
def test_a_processor_that_raises_loses_no_job_and_is_told_of(
    where: str, twin: Twin, made: Spans, capsys: pytest.CaptureFixture[str]
) -> None:
    made.provider.add_span_processor(Broken(where))
    face = twin(ACCEPTED, RUNNING, DONE)
    assert face.run(twin.call).id == "abc"
    assert face.server.posts == 1
    assert "a fault of the processor's" in capsys.readouterr().err


class Striking(SpanProcessor):
    """A processor in which Ctrl-C strikes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_end(self, span: ReadableSpan) -> None:
        if span.name == self.name:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", [POST, JOB])
def test_an_interrupt_while_a_span_is_handed_over_loses_no_accepted_job(name: str, twin: Twin, made: Spans) -> None:
    made.provider.add_span_processor(Striking(name))
    face = twin({**DONE, "request_id": "abc"} if name == JOB else ACCEPTED)
    with pytest.raises(KeyboardInterrupt) as caught:
        face.run(twin.call)
    assert any("abc" in note for note in caught.value.__notes__)
    assert [entry.request_id for entry in face.jobs()] == ["abc"]
    assert face.unknown() == []


def test_without_a_provider_no_span_is_made(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", trace.ProxyTracerProvider)
    monkeypatch.setattr(spans, "JobSpan", None)  # whoever made one would fail
    monkeypatch.setattr(spans, "ExchangeSpan", None)
    assert twin(ACCEPTED, DONE).run(twin.call).id == "abc"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_leaves_its_parent_s_spans_to_the_parent(made: Spans) -> None:
    from muapi_client import raw_call

    mu = MuAPI("sk-live-9", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ACCEPTED)))
    mu.submit(raw_call("new/model", {}))
    pid = os.fork()
    if pid == 0:
        mu.close()
        os._exit(len(made.all(JOB)))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    mu.close()
    assert len(made.all(JOB)) == 1


def test_the_end_of_the_program_ends_them_all() -> None:
    program = """
import httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
from muapi_client import MuAPI, raw_call
answer = {"request_id": "abc", "status": "processing"}
mu = MuAPI("sk-live-9", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))
mu.submit(raw_call("x", {}))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert '"muapi.outcome": "accepted"' in told.stdout
    assert told.stderr == ""


def test_spans_that_have_ended_are_let_go_of(twin: Twin, made: Spans) -> None:
    for _ in range(3):
        twin(ACCEPTED, DONE).run(twin.call)
        with pytest.raises(SubmitOutcomeUnknownError):
            twin((500, "")).run(twin.call)
    gc.collect()
    assert spans._open == set()


def test_of_jobs_that_nobody_waits_for_the_oldest_spans_end(
    twin: Twin, made: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "MOST_LEFT", 2)
    accepted = [{**ACCEPTED, "request_id": f"job-{number}"} for number in range(5)]
    face = twin(accepted[0], {**DONE, "id": "job-0"}, *accepted[1:], {**DONE, "id": "job-4"})
    assert face.run(twin.call).done  # which is waited for, and is none of them
    jobs = [face.submit(twin.call) for _ in range(4)]
    assert [facts(span)["muapi.request_id"] for span in made.all(JOB)] == ["job-0", "job-1", "job-2"]
    assert [facts(span)["muapi.outcome"] for span in made.all(JOB)] == ["completed", "accepted", "accepted"]
    face.wait(jobs[-1])
    assert [span._facts["muapi.request_id"] for span in spans._left] == ["job-3"]
    face.go(face.mu.close())
    assert (spans._left, spans._open) == ({}, set())
