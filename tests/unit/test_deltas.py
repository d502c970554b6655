"""What the payloads of a stream add up to: the whole text once, its end, its failure, its cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Cost
from muapi_client._streams.framing import Form, Frame, Reader
from muapi_client._streams.state import StreamState
from muapi_client._streams.text import BROKEN, GROWN, REVISED

if TYPE_CHECKING:
    from collections.abc import Callable

SSE = "text/event-stream"
PIECES = st.lists(
    st.sampled_from(["ha", "h", "Hel", "lo", " ", "\n", " wor", "ld.", "é", "\U0001f98a", '"']), min_size=2
)
Dialect = tuple[str, bytes]


def events(*payloads: Any, name: str = "") -> bytes:
    """Server-sent events of these payloads, each as JSON unless it is text."""
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return "".join(f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n" for text in texts).encode()


def lines(*payloads: Any) -> bytes:
    return "".join(json.dumps(payload) + "\n" for payload in payloads).encode()


def chunk(delta: Any, finish: str | None = None, index: int = 0, **beside: Any) -> dict[str, Any]:
    """One chunk as OpenAI has it, and what some servers put beside its delta."""
    choice = {"index": index, "delta": delta, "finish_reason": finish, **beside}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def heard(body: bytes, content_type: str = SSE, cuts: tuple[int, ...] = ()) -> StreamState:
    """The course of a body that comes in these pieces."""
    state, reader = StreamState(), Reader(content_type)
    said = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        said += [state.take(frame) for frame in reader.feed(body[start:end])]
    said += [state.take(frame) for frame in reader.end()]
    assert state.text == "".join(event.text for event in said if event)
    return state


def openai(pieces: list[str], *, again: bool) -> Dialect:
    whole: dict[str, Any] = {"message": {"role": "assistant", "content": "".join(pieces)}} if again else {}
    deltas = [chunk({"content": piece}) for piece in pieces]
    return SSE, events(chunk({"role": "assistant", "content": ""}), *deltas, chunk({}, "stop", **whole), "[DONE]")


def responses(pieces: list[str], *, again: bool) -> Dialect:
    text = "".join(pieces)
    reasoning = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]}
    output = [reasoning, {"type": "message", "content": [{"type": "output_text", "text": text}]}] if again else []
    return SSE, events(
        {"type": "response.created", "response": {"status": "in_progress", "error": None, "output": []}},
        {"type": "response.reasoning_text.delta", "delta": "hm"},
        *({"type": "response.output_text.delta", "delta": piece} for piece in pieces),
        *([{"type": "response.output_text.done", "text": text}] if again else []),
        {"type": "response.completed", "response": {"status": "completed", "output": output}},
    )


def texts(pieces: list[str], *, again: bool) -> Dialect:
    whole = [{"text": "".join(pieces)}] if again else []
    return SSE, events(*({"text": piece} for piece in pieces)) + events(*whole, name="complete") + events("[DONE]")


def jobs(pieces: list[str], *, again: bool) -> Dialect:
    end = {"status": "completed", **({"outputs": ["".join(pieces)]} if again else {})}
    return SSE, events({"request_id": "r", "status": "queued"}, *({"text": piece} for piece in pieces), end)


def envelopes(pieces: list[str], **_: bool) -> Dialect:
    return SSE, events(*({"status": "success", "output": piece} for piece in pieces), "[DONE]")


def cumulative(pieces: list[str], *, again: bool) -> Dialect:
    so_far = ["".join(pieces[: count + 1]) for count in range(len(pieces))]
    payloads: list[dict[str, Any]] = [{"output": text, "partial": True} for text in so_far]
    return SSE, events(*payloads, *([{**payloads[-1], "partial": False}] if again else []), "[DONE]")


def snapshots(pieces: list[str], *, again: bool) -> Dialect:
    so_far = ["".join(pieces[: count + 1]) for count in range(len(pieces))]
    end = {"request_id": "r", "status": "completed", **({"output": so_far[-1]} if again else {})}
    return SSE, events(*({"request_id": "r", "status": "processing", "output": text} for text in so_far), end)


def ndjson(pieces: list[str], *, again: bool) -> Dialect:
    end = {"response": "".join(pieces) if again else "", "done": True}
    return "application/x-ndjson", lines(*({"response": piece, "done": False} for piece in pieces), end)


DIALECTS = [openai, responses, texts, jobs, envelopes, cumulative, snapshots, ndjson]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(st.data())
def test_the_text_is_told_once_in_every_dialect_however_it_is_cut(
    dialect: Callable[..., Dialect], data: st.DataObject
) -> None:
    pieces = data.draw(PIECES.filter(lambda words: words[0].strip() and words[1].strip()))
    content_type, body = dialect(pieces, again=data.draw(st.booleans()))
    cuts = tuple(sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6))))
    state = heard(body, content_type, cuts)
    assert state.text == "".join(pieces)
    assert state.ended
    assert state.failure is None


@given(st.lists(st.sampled_from(["ha", "null", '"quoted"', "5", "true", "[1]", " x"]), min_size=1))
def test_bare_words_are_words_though_they_look_like_json(pieces: list[str]) -> None:
    assert heard(events({"request_id": "r"}, "say", *pieces, "[DONE]")).text == "say" + "".join(pieces)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (events(chunk({"content": "Hi"}), {**chunk({}, "stop"), "content": "Hi"}), "Hi"),
        (events(chunk({"content": "Hi"}), {"choices": [], "usage": {}, "content": "?"}), "Hi"),
        (events(chunk({"content": "A"}), chunk({"content": "B"}, index=1), chunk({"content": "a"})), "Aa"),
        (events({"delta": "Hel", "text": "Hel"}, {"delta": "lo", "text": "Hello"}), "Hello"),
        (events("Hel", "lo") + events("Hello", name="done"), "Hello"),
        (events({"text": "ha", "done": False}, {"text": "ha", "done": True}), "haha"),
        (events({"text": "Hi there"}, {"text": "Hi there", "done": True}), "Hi there"),
        (events({"status": "success", "text": "ha"}, *[{"status": "success", "text": "ha"}] * 2), "hahaha"),
        (events(*({"status": "success", "output": word} for word in ("a", " ", "b", "b"))), "a bb"),
        (events({"text": "Hel"}, {"text": "lo"}, {"status": "success", "outputs": ["Hello"]}), "Hello"),
        (events({"status": "processing", "output": "Hel"}, {"status": "processing", "output": "lo"}), "Hello"),
        (events({"status": "processing", "output": "ha"}, {"status": "processing", "output": "ha"}), "haha"),
        (events({"status": "processing", "outputs": ["ha"]}, {"status": "completed", "outputs": ["ha"]}), "ha"),
        (events({"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Hi"}]}}]}), "Hi"),
        (events({"text": "hm"}, name="reasoning") + events({"text": "Hi"}), "Hi"),
        (events("hm", name="thinking") + events("Hi"), "Hi"),
        (events({"type": "response.mcp_call_arguments.delta", "delta": "{"}, {"delta": "Hi"}), "Hi"),
        (events({"text": "a"}, '{"text":"b\tc"}', '{"text":"\x00"}'), "ab\tc\0"),
        (events('{"text":"\\ud83d"}', '{"text":"\\ude00"}', '{"text":"\\ude00!"}'), "\U0001f600\ufffd!"),
        (events('{"text":"a\\ud83d"}', "[DONE]"), "a"),
    ],
)
def test_what_was_told_is_neither_lost_nor_doubled(body: bytes, text: str) -> None:
    assert heard(body).text == text


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        (events({"text": "Hel"}, {"text": "Hello"}, {"text": "Hello you"}), GROWN),
        (events({"text": "Hel"}, {"status": "completed", "outputs": ["Bye"]}), REVISED),
        (events(*({"text": text, "partial": True} for text in ("He", "Hel", "Bye"))), REVISED),
        (events({"text": "Hel"}, '{"text":"lo'), BROKEN),
        (events({"text": "Hel"}, {"type": "response.incomplete", "response": {}}), "cut the text short"),
    ],
)
def test_what_is_odd_is_said(body: bytes, warning: str) -> None:
    (said,) = heard(body).prediction().warnings
    assert warning in said


def test_words_that_grow_by_chance_are_nothing_to_tell() -> None:
    assert heard(events(*({"text": text} for text in ("I", "It", "s", "so")))).prediction().warnings == ()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"type": "response.failed", "response": {"status": "failed", "error": {"message": "boom"}}}, "boom"),
        ({"type": "response.failed", "response": None}, "the server says no more"),
        ({"response": {"status": "failed"}}, "the server says 'failed'"),
        ({"object": "thread.run", "status": "failed"}, "the server says 'failed'"),
        ({"type": "error", "message": "boom"}, "boom"),
        ({"error": {"message": "\ud800"}}, "?"),
    ],
)
def test_a_failure_is_seen_wherever_it_is_told(payload: Any, why: str) -> None:
    state = heard(events({"text": "Hel"}, payload))
    assert why in (state.failure or "")
    assert state.prediction().status == "failed"
    named = StreamState()
    named.take(Frame(Form.EVENT, json.dumps(payload), "response.failed"))
    assert named.failure


@pytest.mark.parametrize(
    "payload",
    [
        {"object": "thread.run.step", "status": "completed"},
        {"type": "tool_result", "status": "completed", "done": True},
        {"type": "tool_result", "status": "error", "error": "no such file"},
        {"type": "response.mcp_call.failed"},
        {"status": "success", "output": "lo"},
        {"status": "success", "outputs": ["lo"]},
    ],
)
def test_the_end_of_a_step_is_not_that_of_the_stream(payload: Any) -> None:
    state = heard(events({"text": "Hel"}, payload))
    assert not state.settled
    assert not state.complete


def test_a_text_is_complete_only_when_every_choice_is() -> None:
    two = events(chunk({"content": "A"}, "stop"), chunk({"content": "B"}, index=1))
    assert not heard(two).complete
    assert heard(two).unfinished
    assert heard(two + events(chunk({}, "stop", index=1))).complete


def test_a_zero_of_the_head_is_no_cost_until_the_end_is_known() -> None:
    state = StreamState(head_cost=Cost(Decimal(0)))
    assert state.cost is None
    state.take(Frame(Form.EVENT, "[DONE]"))
    assert state.cost == Cost(Decimal(0))


def test_half_a_character_is_no_id() -> None:
    assert heard(events('{"request_id":"\\ud800","text":"x"}')).id is None
