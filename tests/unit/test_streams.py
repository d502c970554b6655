"""The framing of streams: the same events however the bytes are cut, and the same as httpx-sse reads."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._streams import framing
from muapi_client._streams.framing import Form, Frame, OversizedFrameError, PageError, Reader
from muapi_client._streams.state import StreamState

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
WORDS = st.text('aé✓\U0001f98a \t:{}[]"1\\', max_size=6)
LINES = st.one_of(
    st.builds("data:{}".format, WORDS),
    st.builds("data: {}".format, WORDS),
    st.builds("event: {}".format, st.sampled_from(["message", "token", "é", ""])),
    st.builds("id: {}".format, st.sampled_from(["7", "", "x\0y"])),
    st.builds("retry: {}".format, st.sampled_from(["1", "soon"])),
    st.builds(": {}".format, WORDS),
    st.sampled_from(["data", "event", "id", "other: x", "", "", ""]),
    WORDS,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: "".join(a + b for a, b in lines).encode())


def cuts(body: bytes) -> st.SearchStrategy[list[bytes]]:
    """All ways to cut a body in pieces, inside a character and inside CRLF, too."""
    places = st.lists(st.integers(0, len(body)), max_size=8).map(sorted)
    return places.map(lambda at: [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)])


def frames(content_type: str, *pieces: bytes) -> list[Frame]:
    reader = Reader(content_type)
    return [*(frame for piece in pieces for frame in reader.feed(piece)), *reader.end()]


def by_httpx_sse(body: bytes) -> list[tuple[str, str, str]]:
    """What httpx-sse reads; without the events that it makes of blank lines after an id or a retry."""
    source = EventSource(httpx.Response(200, headers={"content-type": f"{SSE}; charset=utf-8"}, content=body))
    said = [(event.event, event.data, event.id) for event in source.iter_sse()]
    return [event for event in said if event[:2] != ("message", "")]


@given(st.data())
def test_events_are_those_of_httpx_sse_however_they_are_cut(data: st.DataObject) -> None:
    body = data.draw(STREAMS) + b"\n\n"  # it has no word for what the end cuts off
    read = frames(SSE, *data.draw(cuts(body)))
    assert [(frame.event, frame.data, frame.id or "") for frame in read] == by_httpx_sse(body)


@given(st.data())
def test_any_stream_in_any_pieces_gives_the_same_events(data: st.DataObject) -> None:
    values = data.draw(
        st.lists(st.dictionaries(st.sampled_from(["text", "delta", "é"]), WORDS), min_size=1, max_size=6)
    )
    lines = [json.dumps(value, ensure_ascii=data.draw(st.booleans())) for value in values]
    kind = data.draw(st.sampled_from([SSE, NDJSON, "application/json", ""]))
    end = data.draw(ENDS)
    parts = [f"data: {line}{end}{end}" for line in lines] if kind == SSE else [f"{line}{end}" for line in lines]
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    body = mark + "".join(parts).encode()
    whole = frames(kind, body)
    assert frames(kind, *data.draw(cuts(body))) == whole
    if len(values) > 1 or kind in (SSE, NDJSON):
        assert [json.loads(frame.data) for frame in whole] == values


@given(st.data())
def test_plain_text_is_the_same_text_in_any_pieces(data: st.DataObject) -> None:
    text = data.draw(st.text("aé✓\U0001f98a\r\n<", max_size=40))
    read = frames("text/plain", *data.draw(cuts(text.encode())))
    assert "".join(frame.data for frame in read) == text
    assert all(frame.form is Form.TEXT for frame in read)


@given(st.sampled_from([SSE, NDJSON, "application/json", "text/plain", "text/html", "", "image/png"]), st.data())
def test_whatever_arrives_is_read_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    body = data.draw(st.one_of(st.binary(max_size=60), STREAMS))
    state = StreamState()
    try:
        for frame in frames(kind, *data.draw(cuts(body))):
            state.take(frame)
    except PageError:
        assert kind == "text/html" or b"<" in body
    state.prediction()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "text",
                    "content",
                    "status",
                    "id",
                    "request_id",
                    "error",
                    "cost",
                    "type",
                    "done",
                    "data",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5), st.sampled_from(["message", "error", "done", "ping"]))
def test_no_payload_is_too_odd(values: list[Any], event: str) -> None:
    state = StreamState()
    said = [state.take(Frame(Form.EVENT, json.dumps(value), event)) for value in values]
    assert state.text == "".join(one.text for one in said if one)
    state.prediction()


@pytest.mark.parametrize(
    ("content_type", "body", "form"),
    [
        ("", b"data: x\n\n", Form.EVENT),
        ("", b" \n\nevent: x\ndata: y\n\n", Form.EVENT),
        ("", b": comment\ndata: x\n\n", Form.EVENT),
        ("", b":) hello", Form.TEXT),
        ("", b"database", Form.TEXT),
        ("", b"dat", Form.TEXT),
        ("", b"{}\n{}\n", Form.LINE),
        ("", b"{}\n", Form.DOCUMENT),
        ("application/json", b"data: {}\n\n", Form.EVENT),
        ("application/problem+json", b"{}", Form.DOCUMENT),
        ("application/jsonl", b"{}", Form.LINE),
        ("text/plain", b'data: {"text": "x"}\n\n', Form.EVENT),
        ("text/plain", b"data: 5", Form.TEXT),
        ("application/octet-stream", b"data: x\n\n", Form.EVENT),
        ("TEXT/EVENT-STREAM;charset=utf-8", b"data: x\n\n", Form.EVENT),
        ("", b" " * 5000 + b"x", Form.TEXT),
    ],
)
def test_what_an_answer_is(content_type: str, body: bytes, form: Form) -> None:
    assert {frame.form for frame in frames(content_type, body)} == {form}
    assert {frame.form for frame in frames(content_type, *(body[at : at + 1] for at in range(len(body))))} == {form}


@pytest.mark.parametrize("pieces", [[b"<!doc", b"type html>"], [b"\n<HTML>"], [b"<html"]])
def test_a_web_page_is_no_stream(pieces: list[bytes]) -> None:
    with pytest.raises(PageError):
        frames("", *pieces)
    assert frames("text/plain", *pieces)[0].form is Form.TEXT


@pytest.mark.parametrize("content_type", [SSE, NDJSON, "application/json"])
def test_a_frame_has_a_size(content_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "FRAME_MAXIMUM", 50)
    with pytest.raises(OversizedFrameError):
        frames(content_type, *[b"x" * 20] * 4)


def test_a_pretty_printed_document_has_a_size_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "FRAME_MAXIMUM", 50)
    with pytest.raises(OversizedFrameError):
        frames("application/json", *[b"[\n" * 10] * 10)


def test_a_long_line_in_small_pieces_is_read_in_linear_time() -> None:
    reader = Reader(SSE)
    for piece in [b"data: ", *[b"x" * 50] * 20_000]:
        assert list(reader.feed(piece)) == []
    (frame,) = reader.end()
    assert len(frame.data) == 50 * 20_000
