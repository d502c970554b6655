"""Streams: the words as they come, the money at the end, and what is certain when one breaks off."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CLIP, STREAM, STREAMED, make_image, make_stream

from muapi_client import Call, Cost, Journal, MuAPI, Retry, StreamEvent, errors, raw_call
from muapi_client._runtime.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Body, Face, Twin

CALL = make_stream(prompt="Say hello")
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
COSTS = {"x-muapi-cost-usd": "0.002000", "x-muapi-cost-credits": "1", "x-account-balance": "9.9980"}
SSE = {**EVENTS, **COSTS}
HEADERS_COST = Cost(Decimal("0.002000"), 1)


def sse(*payloads: Any) -> bytes:
    """Server-sent events of these payloads, each as JSON unless it is text."""
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def delta(text: str) -> dict[str, Any]:
    """One chunk as OpenAI has it."""
    return {
        "object": "chat.completion.chunk",
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "delta": {"content": text}}],
    }


HELLO = sse(delta("Hel"), delta("lo"), "[DONE]")


def events(face: Face, call: Call[Any] = CALL, *, only: int | None = None) -> list[StreamEvent]:
    """What a stream yields; of the first ``only`` events, where told, after which it is closed."""
    if isinstance(face.mu, MuAPI):
        return _events(face.mu.stream(call), only)
    return asyncio.run(_aevents(face.mu.stream(call), only))


def _events(stream: Any, only: int | None) -> list[StreamEvent]:
    seen: list[StreamEvent] = []
    while len(seen) != only:
        try:
            seen.append(next(stream))
        except StopIteration:
            break
    stream.close()
    return seen


async def _aevents(stream: Any, only: int | None) -> list[StreamEvent]:
    seen: list[StreamEvent] = []
    while len(seen) != only:
        try:
            seen.append(await anext(stream))
        except StopAsyncIteration:
            break
    await stream.aclose()
    return seen


def text_of(seen: list[StreamEvent]) -> str:
    return "".join(event.text for event in seen)


def entries(path: Path) -> list[tuple[str, str | None, str | None]]:
    """State, id and reason of every entry in a journal."""
    with closing(Journal(path)) as journal:
        return [(entry.state, entry.request_id, entry.reason) for entry in journal.entries()]


def test_the_words_come_as_they_arrive_and_the_last_event_tells_the_money(twin: Twin) -> None:
    face = twin((200, twin.body(HELLO[:40], HELLO[40:]), SSE))

    seen = events(face)

    assert [event.text for event in seen] == ["Hel", "lo", ""]
    assert seen[0].data == delta("Hel")
    assert [event.done for event in seen] == [False, False, True]
    last = seen[-1]
    assert (last.cost, last.balance, last.request_id) == (HEADERS_COST, Decimal("9.9980"), None)
    assert last.sandbox is not None
    assert last.sandbox.verdict is False
    assert last.prediction is not None
    assert last.prediction.outputs[0].text == "Hello"
    assert seen[0].cost is None
    assert seen[0].sandbox is None
    assert (face.spend.total_usd, face.spend.requests, face.account_balance) == (Decimal("0.002"), 1, Decimal("9.9980"))
    assert face.server.bodies[0].closed
    request = face.server.requests[0]
    assert (request.method, request.url.path) == ("POST", f"/api/v1/{STREAM.slug}")
    assert json.loads(request.content) == {"prompt": "Say hello"}
    assert "text/event-stream" in request.headers["accept"]


def test_events_survive_pickling(twin: Twin) -> None:
    for event in events(twin((200, HELLO, SSE))):
        assert pickle.loads(pickle.dumps(event)) == event


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/event-stream", sse({"text": "Hel"}, {"text": "lo"}, {"done": True}), "Hello"),
        ("", sse({"delta": "Hel"}, {"delta": "lo"}), "Hello"),
        ("text/plain", sse({"content": "Hel"}, {"content": "lo"}, "[DONE]"), "Hello"),
        ("text/event-stream", sse('"Hel"', '"lo\\n"', "[DONE]"), "Hello\n"),
        ("text/event-stream", sse("Hel", "lo", "{", "1", "}", "[DONE]"), "Hello{1}"),
        ("text/event-stream", b"data: two\ndata: lines\n\n", "two\nlines"),
        ("text/event-stream", sse(delta("Hello"))[:-2], "Hello"),  # ended without its blank line
        ("text/event-stream", b"\xef\xbb\xbf" + HELLO, "Hello"),
        ("text/event-stream", b": hold on\n\nid: 7\n\nevent: ping\ndata: {}\n\n" + HELLO, "Hello"),
        ("application/x-ndjson", b'{"output": "Hel"}\n{"output": "lo"}\n', "Hello"),
        ("application/json", b'{"text": "Hel"}\r\n\r\n{"text": "lo"}', "Hello"),
        ("", b'{"response": "Hel", "done": false}\n{"response": "lo", "done": true}\n', "Hello"),
        ("application/json", b'{\n  "text": "Hello"\n}\n', "Hello"),
        ("application/json", b'{"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}', "Hello"),
        ("application/json", b'"Hello"', "Hello"),
        ("text/plain; charset=utf-8", "Héllo ✓".encode(), "Héllo ✓"),
        ("", b"Hello there", "Hello there"),
        ("", b"<think>Hello", "<think>Hello"),
        ("", b'{"name": "a JSON answer"}', '{"name": "a JSON answer"}'),
        ("", b"[Note] no JSON at all", "[Note] no JSON at all"),
        ("text/plain", b'{"text": "as it is"}', '{"text": "as it is"}'),
        (
            "text/event-stream",
            (
                b'event: message_start\ndata: {"type": "message_start", "message": {"id": "m", "content": []}}\n\n'
                b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": {"text": "Hello"}}\n\n'
                b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": {"thinking": "hm"}}\n\n'
                b'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}\n\n'
                b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
            ),
            "Hello",
        ),
        (
            "text/event-stream",
            sse(
                {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
                {"type": "response.output_text.delta", "delta": "Hel"},
                {"type": "response.output_text.delta", "delta": "lo"},
                {"type": "response.output_text.done", "text": "Hello"},
                {"type": "response.completed", "response": {"output": [{"content": [{"text": "Hello"}]}]}},
            ),
            "Hello",
        ),
        ("text/event-stream", sse({"candidates": [{"content": {"parts": [{"text": "Hello"}]}}]}), "Hello"),
        ("text/event-stream", sse({"text": "Hel"}, {"status": "completed", "outputs": ["Hello"]}), "Hello"),
        ("text/event-stream", sse({"text": " Hi"}, {"status": "completed", "outputs": ["Hi "]}), " Hi"),
    ],
)
def test_every_common_shape_is_read_and_no_text_is_lost(twin: Twin, content_type: str, body: bytes, text: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    seen = events(twin((200, body, headers)))
    assert text_of(seen) == text
    assert seen[-1].done
    assert seen[-1].prediction is not None
    assert seen[-1].prediction.outputs[0].text == text
    assert not any(event.done for event in seen[:-1])
    for cut in (1, 7, len(body) // 2):
        again = events(twin((200, twin.body(body[:cut], body[cut:]), headers)))
        assert text_of(again) == text


def test_an_event_keeps_its_name_and_id(twin: Twin) -> None:
    first = events(twin((200, b"event: token\nid: 7\ndata: Hello\n\n", EVENTS)))[0]
    assert (first.event, first.id, first.text, first.data) == ("token", "7", "Hello", None)


def test_what_holds_no_words_that_are_known_is_handed_on_and_said(twin: Twin) -> None:
    seen = events(twin((200, sse({"wort": "Hallo"}), EVENTS)))
    assert [(event.text, event.data) for event in seen] == [("", {"wort": "Hallo"}), ("", None)]
    assert seen[-1].prediction is not None
    assert "no text that is known" in seen[-1].prediction.warnings[0]


def test_the_cost_at_the_end_counts_and_counts_once(twin: Twin) -> None:
    cost = {"amount_usd": 0.0031, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
    body = sse({"request_id": "s-1", "status": "processing"}, delta("Hi"), {"status": "completed", "cost": cost})
    face = twin((200, body, {**SSE, "x-muapi-cost-usd": "0.000000", "x-muapi-cost-credits": "0"}))

    last = events(face)[-1]

    assert (last.request_id, last.cost) == ("s-1", Cost(Decimal("0.0031"), 1))
    assert (face.spend.total_usd, face.spend.requests, face.spend.unpriced) == (Decimal("0.0031"), 1, 0)
    assert last.prediction is not None
    assert last.prediction.warnings == ()


def test_costs_that_contradict_each_other_are_said(twin: Twin) -> None:
    cost = {"amount_usd": 0.5, "amount_credits": 50, "bonus_credits_used": 0, "refunded": False}
    last = events(twin((200, sse(delta("Hi"), {"cost": cost}), SSE)))[-1]
    assert last.prediction is not None
    assert "the cost headers say 0.002000 USD, the body says 0.5" in last.prediction.warnings[-1]


def test_a_cost_that_was_not_told_is_unknown(twin: Twin) -> None:
    face = twin((200, HELLO, EVENTS))
    assert events(face)[-1].cost is None
    assert (face.spend.requests, face.spend.unpriced) == (1, 1)


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_of_a_job_in_place_of_a_stream(twin: Twin, done: bool) -> None:
    """A server that answers like any submit: at once, or with a job that is waited for."""
    whole = {"request_id": "j-1", "status": "completed", "outputs": ["Hello"]}
    begun = {"request_id": "j-1", "status": "processing"}
    face = twin((200, whole if done else begun, {"content-type": "application/json", **COSTS}), begun, whole)

    seen = events(face)

    assert text_of(seen) == "Hello"
    assert (seen[-1].request_id, seen[-1].cost) == ("j-1", HEADERS_COST)
    assert (face.server.posts, face.server.gets) == (1, 0 if done else 2)
    assert (face.spend.requests, face.spend.total_usd) == (1, Decimal("0.002"))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<!doctype html><title>Just a moment</title>", {"content-type": "text/html"}),
        (b"<!DOCTYPE html><html></html>", {}),
        (b"", EVENTS),
        (b"", {}),
        (b": ping\n\n", EVENTS),
        (b"{}", {"content-type": "application/json"}),
        (b"[]", {"content-type": "application/json"}),
        (b"null", {"content-type": "application/json"}),
        (b'{"hello": {"world": 1}}', {"content-type": "application/json"}),
        (b'{"text": "cut', {"content-type": "application/json"}),
    ],
)
def test_a_success_that_is_no_answer_may_have_been_charged(
    twin: Twin, tmp_path: Path, body: bytes, headers: dict[str, str]
) -> None:
    face = twin((200, body, headers), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        events(face)
    assert caught.value.call == CALL
    assert (face.server.posts, face.spend.requests) == (1, 0)
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == ["unknown"]


@pytest.mark.parametrize(
    ("status", "kind", "states"),
    [
        (401, errors.AuthenticationError, []),
        (402, errors.InsufficientCreditError, []),
        (404, errors.NotFoundError, []),
        (422, errors.ValidationError, []),
        (429, errors.RateLimitError, []),
        (500, errors.SubmitOutcomeUnknownError, ["unknown"]),
        (503, errors.SubmitOutcomeUnknownError, ["unknown"]),
        (408, errors.SubmitOutcomeUnknownError, ["unknown"]),
        (302, errors.SubmitOutcomeUnknownError, ["unknown"]),
    ],
)
def test_a_refusal_is_that_of_a_submit(twin: Twin, tmp_path: Path, status: int, kind: type, states: list[str]) -> None:
    face = twin((status, {"detail": "no"}), journal=tmp_path / "jobs.db", retry=Retry(attempts=3))
    with pytest.raises(kind):
        events(face)
    assert face.server.posts == (3 if status == 429 else 1)
    assert face.spend.requests == 0
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == states


def test_a_submit_that_was_refused_unprocessed_is_sent_again(twin: Twin) -> None:
    face = twin((429, {"detail": "slow down"}), ("unsent", httpx.ConnectError("refused")), (200, HELLO, SSE))
    assert text_of(events(face)) == "Hello"
    assert face.server.posts == 3


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("late"), httpx.ReadError("reset"), httpx.RemoteProtocolError("?")])
def test_a_submit_whose_answer_was_lost_is_never_sent_again(twin: Twin, fault: Exception) -> None:
    face = twin(fault)
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="may have been"):
        events(face)
    assert face.server.posts == 1


def breaking(twin: Twin, *chunks: bytes, error: Exception | None = None) -> Body:
    """A body that breaks after these chunks."""
    left = list(chunks)

    def pause() -> None:
        if not left:
            raise error or httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        left.pop()

    return twin.body(*chunks, b"never", pause=pause)


@pytest.mark.parametrize("fault", [None, httpx.ReadError("reset by peer"), httpx.ReadTimeout("")])
def test_a_stream_that_breaks_off_says_what_is_known(twin: Twin, tmp_path: Path, fault: Exception | None) -> None:
    body = breaking(twin, sse({"request_id": "s-1", "text": "Hel"}), b'data: {"text": "l', error=fault)
    face = twin((200, body, SSE), journal=tmp_path / "jobs.db")

    with pytest.raises(errors.StreamBrokenError) as caught:
        events(face)

    error = caught.value
    assert (error.text, error.request_id, error.cost) == ("Hel", "s-1", HEADERS_COST)
    assert error.job is not None
    assert (error.job.id, error.job.call) == ("s-1", CALL)
    assert "broke off after 3 characters" in str(error)
    assert "charged 0.002000 USD" in str(error)
    assert pickle.loads(pickle.dumps(error)).text == "Hel"
    assert (face.spend.requests, face.spend.total_usd, face.server.posts) == (1, Decimal("0.002"), 1)
    assert entries(tmp_path / "jobs.db") == [("accepted", "s-1", None)]
    assert body.closed


def test_without_an_id_a_broken_stream_may_have_been_charged(twin: Twin, tmp_path: Path) -> None:
    face = twin((200, breaking(twin, sse({"text": "Hel"})), EVENTS), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.StreamBrokenError) as caught:
        events(face)
    assert caught.value.text == "Hel"
    assert (face.spend.requests, face.spend.unpriced) == (1, 1)
    (found,) = face.unknown()
    assert (found.state, found.slug) == ("unknown", STREAM.slug)
    assert "3 characters had arrived" in (found.reason or "")


def test_a_break_before_the_first_event_leaves_the_outcome_unknown(twin: Twin) -> None:
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        events(twin((200, breaking(twin), EVENTS)))


def test_a_break_after_the_end_was_told_takes_nothing_away(twin: Twin) -> None:
    assert text_of(events(twin((200, breaking(twin, HELLO), SSE)))) == "Hello"
    finished = {"choices": [{"delta": {"content": "lo"}, "finish_reason": "stop"}]}
    last = events(twin((200, breaking(twin, sse(delta("Hel"), finished)), SSE)))[-1]
    assert last.prediction is not None
    assert last.prediction.outputs[0].text == "Hello"
    assert "broke after the text was complete" in last.prediction.warnings[0]


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"detail": "out of memory"}\n\n',
        b"event: error\ndata: out of memory\n\n",
        sse({"error": "out of memory"}),
        sse({"error": {"message": "out of memory", "code": 7}}),
        sse({"status": "failed", "error": "out of memory"}),
        sse({"type": "error", "message": "out of memory"}),
    ],
)
def test_an_error_in_the_middle_is_a_failed_job_with_what_had_arrived(twin: Twin, tmp_path: Path, frame: bytes) -> None:
    face = twin((200, sse(delta("Hel")) + frame + sse("[DONE]"), SSE), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.JobFailedError, match="out of memory") as caught:
        events(face)
    assert caught.value.text == "Hel"
    assert caught.value.cost == HEADERS_COST
    assert caught.value.prediction is not None
    assert caught.value.prediction.call == CALL
    assert face.spend.requests == 1
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == ["failed"]


def test_a_job_that_failed_before_it_streamed(twin: Twin, tmp_path: Path) -> None:
    detail = {"id": "s-1", "status": "failed", "error": "moderated"}
    face = twin((400, {"detail": detail}, COSTS), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.JobFailedError, match="moderated"):
        events(face)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("failed", "s-1")
    assert face.spend.requests == 1


def test_a_stream_that_was_cancelled(twin: Twin) -> None:
    with pytest.raises(errors.JobCancelledError):
        events(twin((200, sse(delta("Hel"), {"status": "cancelled"}), SSE)))


def test_what_follows_a_failure_tells_its_id_and_its_refund(twin: Twin, tmp_path: Path) -> None:
    refund = {"amount_usd": 0.002, "refunded": True}
    end = {"request_id": "s-1", "status": "failed", "error": "boom", "cost": refund}
    body = sse(delta("Hel"), {"error": {"message": "boom"}}, end)
    face = twin((200, twin.body(body[:120], body[120:]), SSE), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.JobFailedError, match="was refunded") as caught:
        events(face)
    assert (caught.value.request_id, caught.value.text) == ("s-1", "Hel")
    assert (face.spend.total_usd, face.spend.refunded_usd) == (Decimal(0), Decimal("0.002"))
    assert entries(tmp_path / "jobs.db")[0][:2] == ("failed", "s-1")


def test_a_failure_that_breaks_off_is_still_a_failure(twin: Twin) -> None:
    with pytest.raises(errors.JobFailedError, match="boom"):
        events(twin((200, breaking(twin, sse(delta("Hel"), {"error": "boom"})), SSE)))


def test_comments_are_no_beginning(twin: Twin, tmp_path: Path) -> None:
    face = twin(priced([]), journal=tmp_path / "jobs.db", wait_timeout=100, max_spend=Decimal(1))
    drip = twin.body(*[b": hold on\n\n"] * 9, pause=lambda: face.clock.sleep(30))
    face.server.steps[:] = [priced([(200, drip, EVENTS)])]
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="no event came within 100 s"):
        events(face)
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == ["unknown"]
    assert face.spend.in_doubt_usd == face.spend.reserved_usd > 0  # its estimate stays set aside


ZERO = {**EVENTS, "x-muapi-cost-usd": "0.000000", "x-muapi-cost-credits": "0"}


@pytest.mark.parametrize("told", [{"text": "Hel"}, {"request_id": "s-1", "text": "Hel"}])
def test_a_zero_before_the_stream_is_no_cost_of_one_that_breaks_or_is_left(
    twin: Twin, tmp_path: Path, told: Any
) -> None:
    steps = [(200, breaking(twin, sse(told)), ZERO), (200, twin.body(sse(told), sse("[DONE]")), ZERO)]
    face = twin(priced(steps), max_spend=Decimal(1), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.StreamBrokenError, match="may be charged") as caught:
        events(face)
    assert caught.value.cost is None
    events(face, only=1)
    assert face.spend.unpriced == len(entries(tmp_path / "jobs.db")) - ("request_id" in told)
    if "request_id" not in told:
        with pytest.raises(errors.SpendLimitError):
            events(face)


@pytest.mark.parametrize("end", [[], ["[DONE]"]])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson"])
def test_a_stream_that_tells_only_of_a_queued_job_is_waited_for(
    twin: Twin, tmp_path: Path, kind: str, end: list[str]
) -> None:
    begun = {"request_id": "j-1", "status": "queued"}
    whole = {"request_id": "j-1", "status": "completed", "outputs": ["Hello"]}
    body = sse(begun, *end) if "event" in kind else b"\n".join([json.dumps(begun).encode(), *map(str.encode, end)])
    face = twin((200, body, {"content-type": kind, **COSTS}), begun, whole, journal=tmp_path / "jobs.db")
    seen = events(face)
    assert text_of(seen) == "Hello"
    assert (seen[-1].request_id, face.server.posts, face.server.gets) == ("j-1", 1, 2)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", "j-1")


@pytest.mark.parametrize("body", [b"", b'{"detail": "prompt refused"}', b'{"text": "Hel"}\n{"text": "lo"}\n'])
def test_a_charge_is_no_event(twin: Twin, body: bytes) -> None:
    face = twin((200, body, SSE))
    with pytest.raises(errors.StreamBrokenError, match="no event in") as caught:
        events(face)
    assert caught.value.prediction is not None
    assert caught.value.prediction.raw == body.decode()
    assert face.spend.total_usd == Decimal("0.002")
    with pytest.raises(errors.SubmitOutcomeUnknownError) as unknown:
        events(twin((200, body, EVENTS)))
    assert unknown.value.body == body


@pytest.mark.parametrize(
    "body", [b"<head></head>", b"<!-- x --><html>", b"<center>502", b"<body>", b"\n<?xml version='1.0'?><html>"]
)
def test_a_page_that_opens_otherwise_is_one(twin: Twin, body: bytes) -> None:
    for content_type in ("text/html; charset=utf-8", "application/xhtml+xml"):
        with pytest.raises(errors.SubmitOutcomeUnknownError, match="with a web page") as caught:
            events(twin((200, body, {"content-type": content_type})))
        assert caught.value.body == body


def test_a_body_that_ends_whole_before_its_text_does_is_remarked(twin: Twin) -> None:
    last = events(twin((200, sse(delta("Hel")), SSE)))[-1]
    assert last.prediction is not None
    assert "does not tell that the text is complete" in last.prediction.warnings[0]
    told = events(twin((200, HELLO, SSE)))[-1].prediction
    assert told is not None
    assert told.warnings == ()


def test_plain_text_is_read_as_it_is_encoded(twin: Twin) -> None:
    seen = events(twin((200, "Héllo".encode("latin-1"), {"content-type": 'text/plain; charset="ISO-8859-1"'})))
    assert text_of(seen) == "Héllo"
    odd = events(twin((200, "Héllo".encode(), {"content-type": "text/plain; charset=zlib"})))
    assert text_of(odd) == "Héllo"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/event-stream", 'data: {"error": "bad key KEY"}\n\n'),
        ("text/event-stream", "event: error\ndata: bad key KEY\n\n"),
        ("text/event-stream", '{"detail": "bad key KEY"}'),
        ("application/json", '{"error": "bad key KEY"}'),
        ("text/html", "<html>bad key KEY"),
    ],
)
def test_no_error_and_no_journal_tells_a_key_that_is_echoed(
    twin: Twin, tmp_path: Path, content_type: str, body: str
) -> None:
    face = twin((200, body.replace("KEY", twin.key), {"content-type": content_type}), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.MuAPIError) as caught:
        events(face)
    assert "bad key [API key]" in str(caught.value)
    assert twin.key not in f"{caught.value} {vars(caught.value)} {entries(tmp_path / 'jobs.db')}"
    assert not [file for file in tmp_path.iterdir() if twin.key.encode() in file.read_bytes()]


def test_half_a_character_is_no_id(twin: Twin, tmp_path: Path) -> None:
    body = sse('{"request_id": "\\ud800", "text": "x"}', '{"error": {"message": "\\ud800"}}')
    face = twin((200, body, SSE), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.JobFailedError):
        events(face)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("failed", None)


@pytest.mark.parametrize(
    "name", [STREAM.slug, STREAMED.slug, STREAMED.function, f"{STREAMED.slug}-stream", STREAM.function]
)
def test_a_lost_stream_is_found_by_the_names_of_its_model(twin: Twin, tmp_path: Path, name: str) -> None:
    found = {"items": [{"request_id": "s-1", "model": name}, {"request_id": "x-1", "model": CLIP.slug}]}
    face = twin((200, breaking(twin, sse({"text": "Hel"})), EVENTS), found, journal=tmp_path / "jobs.db")
    with pytest.raises(errors.StreamBrokenError):
        events(face)
    (lost,) = face.unknown()
    assert [job.id for job in face.reconcile(lost).candidates] == ["s-1"]


def test_silence_is_a_break_and_the_whole_time_is_bounded(twin: Twin) -> None:
    face = twin(HELLO)
    deltas = [sse(delta(letter)) for letter in "abcdefgh"]
    slow = twin.body(*deltas, pause=lambda: face.clock.sleep(40))
    face.server.steps[:] = [(200, slow, SSE)]
    with pytest.raises(errors.WaitTimeoutError, match="after 100 s") as late:
        events(face.sharing(wait_timeout=100))
    assert late.value.text == "ab"
    silent = twin.body(*deltas, pause=lambda: face.clock.sleep(70))
    face.server.steps[:] = [(200, silent, EVENTS)]
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="nothing came for 60 s"):
        events(face)
    pauses = iter([0, 70])
    face.server.steps[:] = [(200, twin.body(*deltas, pause=lambda: face.clock.sleep(next(pauses))), SSE)]
    with pytest.raises(errors.StreamBrokenError, match="nothing came for 60 s") as silence:
        events(face)
    assert silence.value.text == "a"


def test_a_text_that_is_complete_is_not_late(twin: Twin) -> None:
    finished = {"choices": [{"delta": {"content": "lo"}, "finish_reason": "stop"}]}
    face = twin(HELLO, wait_timeout=100)
    pieces = [sse(delta("Hel"), finished), *[b": hold on\n\n"] * 9]
    face.server.steps[:] = [(200, twin.body(*pieces, pause=lambda: face.clock.sleep(30)), SSE)]
    assert text_of(events(face)) == "Hello"


def test_what_the_caller_takes_between_two_events_does_not_count() -> None:
    clock = VirtualClock()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SSE, content=HELLO))
    with MuAPI("sk-1", transport=transport, clock=clock, wait_timeout=10) as mu:
        texts = []
        for event in mu.stream(CALL):
            clock.sleep(1000)
            texts.append(event.text)
    assert texts == ["Hel", "lo", ""]


def test_a_stream_that_never_began_sends_and_keeps_nothing(twin: Twin, tmp_path: Path) -> None:
    face = twin((200, HELLO, SSE), journal=tmp_path / "jobs.db")
    stream = face.stream(CALL)
    del stream
    gc.collect()
    assert face.server.requests == []
    assert entries(tmp_path / "jobs.db") == []
    assert face.spend.requests == 0


@pytest.mark.parametrize(
    ("first", "state"), [(delta("Hel"), "unknown"), ({"request_id": "s-1", "text": "Hel"}, "accepted")]
)
def test_one_that_is_closed_early_is_closed_and_counted(twin: Twin, tmp_path: Path, first: Any, state: str) -> None:
    body = twin.body(sse(first), sse(delta("lo"), "[DONE]"))
    face = twin((200, body, SSE), journal=tmp_path / "jobs.db")

    seen = events(face, only=1)

    assert text_of(seen) == "Hel"
    assert body.closed
    assert (face.spend.requests, face.spend.total_usd, face.server.posts) == (1, Decimal("0.002"), 1)
    ((found, request_id, said),) = entries(tmp_path / "jobs.db")
    assert (found, request_id) == (state, "s-1" if state == "accepted" else None)
    assert said is None or "closed by its caller" in said


def test_one_that_is_dropped_is_closed(tmp_path: Path) -> None:
    closed: list[str] = []

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield from (sse(delta("Hel")), sse(delta("lo")))

        def close(self) -> None:
            closed.append("closed")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SSE, stream=Body()))
    with MuAPI("sk-1", transport=transport, journal=tmp_path / "jobs.db") as mu:
        for event in mu.stream(CALL):
            assert event.text == "Hel"
            break
        gc.collect()
    assert closed == ["closed"]
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == ["unknown"]


def test_the_last_event_is_told_only_once_the_journal_knows(twin: Twin, tmp_path: Path) -> None:
    face = twin((200, sse({"request_id": "s-1", "text": "Hi"}, "[DONE]"), SSE), journal=tmp_path / "jobs.db")
    seen = events(face, only=2)
    assert seen[-1].done
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", "s-1")


def test_without_an_id_the_end_is_written_by_the_journal_s_key(twin: Twin, tmp_path: Path) -> None:
    face = twin((200, HELLO, SSE), journal=tmp_path / "jobs.db")
    events(face)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", None)
    assert face.unknown() == []


def test_a_journal_that_fails_is_told_once_the_text_was_handed_on(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise errors.JournalError("the disk is full")

    face = twin((200, sse({"request_id": "s-1", "text": "Hi"}, "[DONE]"), SSE), journal=tmp_path / "jobs.db")
    monkeypatch.setattr(Journal, "accept", fail)
    last = events(face)[-1]
    assert last.prediction is not None
    assert last.prediction.warnings[0].startswith("the disk is full")
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", "s-1")
    monkeypatch.setattr(Journal, "finish", fail)
    with pytest.raises(errors.JournalError, match="s-1 was accepted") as caught:
        events(face)
    assert (caught.value.request_id, caught.value.cost) == ("s-1", HEADERS_COST)
    assert face.server.posts == 2


@pytest.mark.parametrize("call", [make_image(prompt="a fox")], ids=["job"])
def test_only_streams_are_streamed(twin: Twin, call: Call[Any]) -> None:
    face = twin(HELLO)
    with pytest.raises(errors.ValidationError, match=r"use mu.run\(call\)"):
        events(face, call)
    assert face.server.requests == []


def test_a_raw_call_is_streamed_as_it_is(twin: Twin) -> None:
    face = twin((200, HELLO, SSE))
    assert text_of(events(face, raw_call("new-model/stream", {"prompt": "x", "new_field": 1}))) == "Hello"


def test_inputs_are_checked_before_anything_is_sent_unless_told_otherwise(twin: Twin, tmp_path: Path) -> None:
    wrong: Call[Any] = Call(CALL.operation, {"promt": "x"})
    face = twin((200, HELLO, SSE), journal=tmp_path / "jobs.db")
    with pytest.raises(errors.ValidationError, match="did you mean 'prompt'"):
        events(face, wrong)
    assert face.server.requests == []
    assert entries(tmp_path / "jobs.db") == []
    assert text_of(events(face.sharing(strict=False), wrong)) == "Hello"


def priced(steps: list[Any]) -> Callable[[httpx.Request], Any]:
    """A server that tells a price of 0.4 USD and else answers ``steps``."""
    return lambda request: {"cost": 0.4} if request.url.path.endswith("estimate-cost") else steps.pop(0)


def test_max_spend_holds_by_the_price_of_the_model(twin: Twin) -> None:
    steps = [(200, HELLO, SSE), (200, HELLO, EVENTS), (402, {"detail": "no"}), (200, HELLO, EVENTS)]
    face = twin(priced(steps), max_spend=Decimal(1))
    events(face)  # costs 0.002
    events(face)  # told no cost: its estimate stays set aside
    assert face.server.requests[0].url.path == f"/api/v1/models/{STREAMED.slug}/estimate-cost"
    with pytest.raises(errors.InsufficientCreditError):
        events(face)  # gives back what was set aside
    events(face)
    with pytest.raises(errors.SpendLimitError, match="nothing was sent") as caught:
        events(face)
    assert "the spend of 0.002000 USD and the 0.8 USD set aside" in str(caught.value)
    assert face.spend.reserved_usd == Decimal("0.8")
    assert steps == []


def test_a_stream_closed_early_keeps_what_was_set_aside_unless_its_cost_was_told(twin: Twin) -> None:
    steps = [(200, HELLO, EVENTS), (200, HELLO, SSE), (200, HELLO, EVENTS)]
    face = twin(priced(steps), max_spend=Decimal(1))
    events(face, only=1)
    events(face, only=1)
    events(face, only=1)
    with pytest.raises(errors.SpendLimitError):
        events(face)


@pytest.mark.parametrize("request_id", [None, "s-1"])
def test_a_charge_where_a_sandbox_was_expected_is_told_after_the_text(
    twin: Twin, tmp_path: Path, request_id: str | None
) -> None:
    named = sse({"request_id": request_id, "status": "processing"}) if request_id else b""
    face = twin([], (200, named + HELLO, SSE), expect="sandbox", journal=tmp_path / "jobs.db")
    with pytest.raises(errors.SandboxMismatchError, match="charged") as caught:
        events(face)
    error = caught.value
    assert (error.text, error.request_id, error.cost) == ("Hello", request_id, HEADERS_COST)
    assert pickle.loads(pickle.dumps(error)).text == "Hello"
    assert error.prediction is not None
    assert error.prediction.done
    assert ".wait(" not in str(error)
    assert "error.text" in str(error)
    assert [request.url.path for request in face.server.requests] == ["/api/v1/keys", f"/api/v1/{STREAM.slug}"]
    assert (face.spend.requests, face.spend.total_usd) == (1, Decimal("0.002"))
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", request_id)
    assert (face.unknown(), list(face.resume())) == ([], [])


def test_a_stream_without_words_is_nothing_to_wait_for_either(twin: Twin) -> None:
    body = sse({"request_id": "s-1", "wort": "Hallo"}, "[DONE]")
    with pytest.raises(errors.SandboxMismatchError, match=r"has ended; error\.prediction holds") as caught:
        events(twin([], (200, body, SSE), expect="sandbox"))
    assert ".wait(" not in str(caught.value)


def test_a_charge_at_its_head_refuses_the_next_one_whatever_becomes_of_it(twin: Twin) -> None:
    face = twin([], (200, breaking(twin, sse({"text": "Hel"})), SSE), expect="sandbox")
    with pytest.raises(errors.StreamBrokenError) as caught:
        events(face)
    assert caught.value.text == "Hel"
    with pytest.raises(errors.SandboxMismatchError, match="Nothing was submitted"):
        events(face)


def test_a_job_in_place_of_a_stream_keeps_its_end_where_it_is_not_as_expected(twin: Twin, tmp_path: Path) -> None:
    begun = (200, {"request_id": "j-1", "status": "processing"}, {"content-type": "application/json"})
    paid = {"id": "j-1", "status": "completed", "outputs": ["Hello"], "cost": {"amount_usd": 0.002}}
    face = twin([], begun, paid, expect="sandbox", journal=tmp_path / "jobs.db")
    with pytest.raises(errors.SandboxMismatchError) as caught:
        events(face)
    assert (caught.value.request_id, caught.value.text) == ("j-1", "Hello")
    assert ".wait(" not in str(caught.value)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("completed", "j-1")
    assert (face.unknown(), list(face.resume())) == ([], [])


def test_a_job_in_place_of_a_stream_that_still_runs_stays_accepted(twin: Twin, tmp_path: Path) -> None:
    begun = (200, {"request_id": "j-1", "status": "processing"}, {"content-type": "application/json"})
    running = {"id": "j-1", "status": "processing", "cost": {"amount_usd": 0.002}}
    face = twin([], begun, running, expect="sandbox", journal=tmp_path / "jobs.db")
    with pytest.raises(errors.SandboxMismatchError, match=r"wait\('j-1'\) goes on with it"):
        events(face)
    assert entries(tmp_path / "jobs.db")[0][:2] == ("accepted", "j-1")
    assert [job.id for job in face.resume()] == ["j-1"]


def test_local_files_are_uploaded_before_it(twin: Twin, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))

    def answer(request: httpx.Request) -> Any:
        if request.url.path.endswith("upload_file"):
            return {"url": "https://cdn.muapi.ai/a.png"}
        assert json.loads(request.content)["image_url"] == "https://cdn.muapi.ai/a.png"
        return (200, HELLO, SSE)

    assert text_of(events(twin(answer), make_stream(prompt="what is it?", image_url=picture))) == "Hello"


def test_one_event_may_not_be_endless(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muapi_client._streams.framing.FRAME_MAXIMUM", 100)
    endless = (sse(delta("Hi")), b"data: ", b"x" * 60, b"x" * 60)
    with pytest.raises(errors.StreamBrokenError, match="one event passes"):
        events(twin((200, twin.body(*endless), SSE)))
    many = (sse({"text": "Hi"}), *[b"data: " + b"x" * 20 + b"\n"] * 10)
    with pytest.raises(errors.StreamBrokenError, match="one event passes"):
        events(twin((200, twin.body(*many), SSE)))


def test_no_error_tells_the_key(twin: Twin) -> None:
    face = twin((400, {"detail": f"bad key {twin.key}"}))
    with pytest.raises(errors.APIStatusError) as caught:
        events(face)
    assert twin.key not in str(caught.value) + repr(caught.value.detail)


def test_a_cancelled_task_closes_the_stream_and_the_journal_says_so(tmp_path: Path) -> None:
    from muapi_client import AsyncMuAPI

    closed: list[str] = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield sse(delta("Hel"))
            await asyncio.sleep(3600)

        async def aclose(self) -> None:
            closed.append("closed")

    async def listen(mu: AsyncMuAPI, heard: asyncio.Event) -> None:
        async for _ in mu.stream(CALL):
            heard.set()

    async def main() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SSE, stream=Body()))
        async with AsyncMuAPI("sk-1", transport=transport, journal=tmp_path / "jobs.db") as mu:
            heard = asyncio.Event()
            task = asyncio.create_task(listen(mu, heard))
            await heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert mu.spend.requests == 1

    asyncio.run(main())
    assert closed == ["closed"]
    ((state, _, said),) = entries(tmp_path / "jobs.db")
    assert state == "unknown"
    assert "interrupted by CancelledError" in (said or "")


def test_an_awaited_stream_that_is_left_is_closed_by_the_event_loop(tmp_path: Path) -> None:
    from muapi_client import AsyncMuAPI

    async def main() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SSE, content=HELLO))
        async with AsyncMuAPI("sk-1", transport=transport, journal=tmp_path / "jobs.db") as mu:
            async for _ in mu.stream(CALL):
                break
            gc.collect()
            for _ in range(6000):  # the loop closes it in a task of its own, of which nobody is told
                if mu.spend.requests:
                    break
                await asyncio.sleep(0.01)
            assert mu.spend.requests == 1

    asyncio.run(main())
    assert [state for state, *_ in entries(tmp_path / "jobs.db")] == ["unknown"]


def test_leaving_as_the_last_act_is_written_down(tmp_path: Path) -> None:
    """``asyncio.run`` cancels whatever is still awaited at its end, the closing of the streams that were left, too."""
    from muapi_client import AsyncMuAPI

    async def main() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=SSE, content=HELLO))
        async with AsyncMuAPI("sk-1", transport=transport, journal=tmp_path / "jobs.db") as mu:
            stream = mu.stream(CALL)
            await anext(stream)
            closing = asyncio.ensure_future(stream.aclose())
            await asyncio.sleep(0)
            found = entries(tmp_path / "jobs.db")
            await closing
        assert found == [("unknown", None, "closed by its caller (3 characters had arrived)")]

    asyncio.run(main())


def test_nothing_of_streams_loads_before_the_first_one() -> None:
    program = (
        "import sys, muapi_client, httpx\n"
        "from muapi_client import MuAPI, raw_call\n"
        "answer = {'request_id': 'a', 'status': 'completed', 'outputs': ['x']}\n"
        "transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))\n"
        "MuAPI('sk-1', transport=transport).run(raw_call('x/y'))\n"
        "rooms = ('httpx_sse', 'muapi_client._streams', 'muapi_client._transport.stream_connection')\n"
        "print([name for name in sys.modules if name.startswith(rooms)])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_broken_stream_that_told_its_charge_is_not_in_doubt_besides(twin: Twin) -> None:
    face = twin((200, breaking(twin, sse(delta("Hel"))), {**SSE, "x-muapi-cost-usd": "0.02"}))
    with pytest.raises(errors.StreamBrokenError):
        events(face)
    assert (face.spend.total_usd, face.spend.in_doubt_usd, face.spend.reserved_usd) == (Decimal("0.02"), 0, 0)
    assert len(face.unknown()) == 1, "its id is not known"


def test_a_broken_stream_that_is_settled_is_one_request(twin: Twin) -> None:
    done = {"id": "s-9", "status": "completed", "outputs": ["Hello"], "cost": {"amount_usd": 0.02}}
    face = twin((200, breaking(twin, sse(delta("Hel"))), SSE), done)
    with pytest.raises(errors.StreamBrokenError):
        events(face)
    face.settle(face.unknown()[0], "s-9")
    assert face.wait("s-9").done
    assert (face.spend.requests, face.spend.unpriced, face.spend.total_usd) == (1, 0, Decimal("0.02"))
    assert face.spend.in_doubt_usd == 0
