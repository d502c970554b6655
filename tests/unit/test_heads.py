"""A request's head leaves with its body in one piece, and nothing of it is lost or put in another order."""

from __future__ import annotations

from typing import Any

import anyio
import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._transport import async_network, deadline
from muapi_client._transport.heads import HeldHead

WAYS = ["blocking", "awaiting"]


class Line(httpcore.NetworkStream, httpcore.AsyncNetworkStream):
    """A connection that keeps what is written, each piece by itself."""

    stopped = awaited = False

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def read(self, *_: Any, **__: Any) -> Any:
        return self.answer() if self.awaited else b"answer"

    def write(self, buffer: bytes, *_: Any, **__: Any) -> Any:
        self.pieces.append(buffer)
        return self.nothing() if self.awaited else None

    async def answer(self) -> bytes:
        return b"answer"

    async def nothing(self) -> None:
        pass


def carry_out(way: str, *steps: bytes | None) -> list[bytes]:
    """Write each step, or read where it is None; answers the pieces that were written."""
    line = Line()
    if way == "blocking":
        blocking = deadline._Stream(line)
        for step in steps:
            blocking.read(9) if step is None else blocking.write(step)
        return line.pieces

    line.awaited = True
    wire: Any = line
    awaiting = async_network._Stream(line, wire)

    async def main() -> None:
        for step in steps:
            await (awaiting.read(9) if step is None else awaiting.write(step))

    anyio.run(main)
    return line.pieces


@pytest.mark.parametrize("way", WAYS)
def test_a_head_leaves_with_its_body(way: str) -> None:
    request = (b"POST", b"{}", b"", None)
    assert carry_out(way, *request, *request) == [b"POST{}", b"POST{}"]


@pytest.mark.parametrize("way", WAYS)
def test_a_head_without_a_body_leaves_at_the_end_of_its_request(way: str) -> None:
    assert carry_out(way, b"GET", b"", b"", None, b"GET", b"") == [b"GET", b"GET"]


@pytest.mark.parametrize("way", WAYS)
def test_what_else_is_written_and_answered_leaves_before_its_answer_is_read(way: str) -> None:
    assert carry_out(way, b"a greeting of SOCKS", None, b"its second", None) == [b"a greeting of SOCKS", b"its second"]


@pytest.mark.parametrize("way", WAYS)
def test_a_long_body_is_held_back_no_longer_than_its_first_piece(way: str) -> None:
    assert carry_out(way, b"PUT", b"one", b"two") == [b"PUTone", b"two"]


@given(st.lists(st.none() | st.binary(max_size=3)))
def test_nothing_is_lost_or_put_in_another_order(steps: list[bytes | None]) -> None:
    head, written = HeldHead(), b""
    for step in steps:
        written += head.end() if step is None else head.add(step)
    assert written + head.take() == b"".join(step for step in steps if step is not None)
