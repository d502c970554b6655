"""Requests as bytes and answers as bytes, beside h11, which reads and writes the same protocol."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client.emulator import Response
from muapi_client.emulator._http.faults import FaultedResponse
from muapi_client.emulator._http.reader import BODY_MAXIMUM, RequestReader
from muapi_client.emulator._http.wire import plan_moves

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
TOKENS = st.text("abcXYZ019-_", min_size=1, max_size=12).filter(
    lambda name: name.lower() not in {"host", "connection", "expect", "upgrade", "te", "trailer"}
)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)
TARGETS = st.text("abc/%20?=&", max_size=30).map(lambda rest: f"/{rest}")
BODIES = st.binary(max_size=200)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request, written by h11."""
    client = h11.Connection(h11.CLIENT)
    body = draw(BODIES)
    headers = [("Host", "localhost"), *draw(st.lists(st.tuples(TOKENS, VALUES), max_size=5))]
    framing = draw(st.sampled_from(["none", "length", "chunks"]))
    if framing == "length":
        headers.append(("Content-Length", str(len(body))))
    elif framing == "chunks":
        headers.append(("Transfer-Encoding", "chunked"))
    else:
        body = b""
    method = draw(st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]))
    written = client.send(h11.Request(method=method, target=draw(TARGETS), headers=headers)) or b""
    middle = draw(st.integers(0, len(body)))
    for piece in (body[:middle], body[middle:]):
        written += client.send(h11.Data(data=piece)) or b""
    return written + (client.send(h11.EndOfMessage()) or b"")


def read_by_h11(data: bytes) -> list[tuple[str, str, list[tuple[str, str]], bytes]]:
    server, found, body = h11.Connection(h11.SERVER), [], b""
    server.receive_data(data)
    head: Any = None
    while (event := server.next_event()) is not h11.NEED_DATA:
        if isinstance(event, h11.Request):
            head, body = event, b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            headers = sorted({(name.decode(), value.decode()) for name, value in head.headers})
            found.append((head.method.decode(), head.target.decode(), headers, body))
            server.send(h11.Response(status_code=204, headers=[]))
            server.send(h11.EndOfMessage())
            server.start_next_cycle()
    return found


def read(*pieces: bytes) -> RequestReader:
    reader = RequestReader()
    for piece in pieces:
        reader.feed(piece)
    return reader


@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(0, 2000), max_size=6))
def test_requests_are_read_as_h11_reads_them_wherever_they_are_split(sent: list[bytes], cuts: list[int]) -> None:
    data = b"".join(sent)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    reader = read(*(data[start:end] for start, end in pairwise(places)))
    assert reader.refusal is None
    expected = read_by_h11(data)
    assert [(one.method, one.target, one.body) for one in reader.received] == [
        (method, target, body) for method, target, _, body in expected
    ]
    for one, (_, _, headers, _) in zip(reader.received, expected, strict=True):
        assert set(one.headers) == {name for name, _ in headers}
        for name, value in headers:
            assert value in one.headers[name]


@given(
    st.sampled_from([200, 201, 402, 404, 422, 500, 502]),
    st.one_of(BODIES, st.lists(BODIES, min_size=1, max_size=4).map(tuple)),
    st.booleans(),
)
def test_answers_are_what_h11_reads_as_them(status: int, body: bytes | tuple[bytes, ...], keeps_alive: bool) -> None:
    chunks = body if isinstance(body, tuple) else ()
    whole = b"".join(chunks) if isinstance(body, tuple) else body
    response = Response(status, {"content-type": "application/json"}, b"" if chunks else whole, chunks)
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    client.send(h11.EndOfMessage())
    for move in plan_moves(FaultedResponse(response), keeps_alive=keeps_alive):
        assert isinstance(move, bytes)
        client.receive_data(move)
    head, told = client.next_event(), b""
    assert isinstance(head, h11.Response)
    assert head.status_code == status
    while isinstance(event := client.next_event(), h11.Data):
        told += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert told == whole
    assert (client.their_state is h11.DONE) is keeps_alive
    assert client.trailing_data == (b"", False)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_is_framed_by_its_status(status: int) -> None:
    (written,) = plan_moves(FaultedResponse(Response(status, {"date": "now"}, b"")))
    assert isinstance(written, bytes)
    assert written.endswith(b"\r\ndate: now\r\n\r\n")


def test_a_client_of_http_1_0_gets_a_stream_without_chunks() -> None:
    answer = FaultedResponse(Response(200, {}, b"", (b"ab", b"c")))
    written = b"".join(
        move for move in plan_moves(answer, is_modern=False, keeps_alive=False) if isinstance(move, bytes)
    )
    assert written == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"


def test_an_offer_of_another_protocol_is_passed_over() -> None:
    """Java's HttpClient makes one with each first request, and goes on in HTTP/1.1 where it is not taken."""
    offer = GET[:-2] + b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n\r\n"
    reader = read(offer * 3000 + GET)
    assert reader.refusal is None
    assert len(reader.received) == 3001
    assert all(one.keeps_alive for one in reader.received)


@pytest.mark.parametrize(
    "framed", [b"content-length: 3\r\n\r\nfox", b"transfer-encoding: chunked\r\n\r\n1\r\nf\r\n2\r\nox\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_offer_of_another_protocol_takes_no_body_away(framed: bytes, size: int) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nx: 1\r\nx: 2\r\n"
    data = (head + framed) * 2 + GET
    reader = read(*(data[start : start + size] for start in range(0, len(data), size)))
    assert reader.refusal is None
    assert [(one.method, one.body) for one in reader.received] == [("POST", b"fox")] * 2 + [("GET", b"")]
    assert reader.received[0].headers["x"] == "1, 2"


def test_a_tunnel_that_is_asked_for_is_a_request_like_any_other() -> None:
    reader = read(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n" + GET)
    assert [one.method for one in reader.received] == ["CONNECT", "GET"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "0 Host headers"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "2 Host headers"),
        (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", "version 2.0"),
        (b"GET /\r\n\r\n", "version 0.9"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "the client speaks HTTP/2 without asking"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "Content-Length"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        (b"GET / HTTP/1.1\r\nhost : a\r\n\r\n", "Invalid header token"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n", "Invalid header value"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(sent: bytes, why: str) -> None:
    reader = read(GET, sent, GET)
    assert len(reader.received) == 1, "what came before it is answered, and nothing after it"
    assert reader.refusal is not None
    assert reader.refusal.status == 400
    assert why in reader.refusal.why


@pytest.mark.parametrize(
    "begun", [b"GET /", GET[:-2] + b"x: ", GET[:-2] + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: "]
)
def test_lines_without_an_end_are_refused(begun: bytes) -> None:
    reader = read(GET * 5000 + begun, *[b"a" * 1000] * 60)
    assert reader.refusal is None
    reader.feed(b"a" * 10_000)
    assert reader.refusal is not None
    assert reader.refusal.status == 431


def test_a_large_body_is_no_long_head() -> None:
    reader = read(GET[:-2] + b"content-length: %d\r\n\r\n" % BODY_MAXIMUM, *[bytes(2**20)] * 64)
    (one,) = reader.received
    assert len(one.body) == BODY_MAXIMUM


@pytest.mark.parametrize(("sent", "is_told"), [(b"", False), (GET, False), (b"\r\n", False), (GET[:-2], True)])
def test_an_end_is_told_where_it_cuts_a_request(sent: bytes, is_told: bool) -> None:
    reader = read(sent)
    reader.end()
    assert (reader.refusal is not None) is is_told
