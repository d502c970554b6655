"""The pace of a client's submits: free until a server refuses, and then never far from what it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._protocol.resend import retry_after
from muapi_client._protocol.steps import Reply
from muapi_client._state.pace import SLOWEST, Pace


def test_without_a_refusal_nothing_waits() -> None:
    assert [Pace().book(5.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_after_a_refusal_turns_follow_each_other() -> None:
    pace = Pace()
    pace.hold(until=10.0)
    pace.slow_down(5.0)
    assert [round(pace.book(5.0), 2) for _ in range(3)] == [5.0, 5.36, 5.71]


def test_refusals_of_one_moment_count_once() -> None:
    pace = Pace()
    for _ in range(50):
        pace.slow_down(5.0)
    assert pace.rate == 2.8


def test_who_comes_late_waits_for_nobody() -> None:
    pace = Pace()
    pace.slow_down(5.0)
    pace.book(5.0)
    assert pace.book(100.0) == 0.0


def test_acceptances_speed_it_up_until_none_is_kept() -> None:
    pace = Pace()
    pace.accepted.extend([0.0, 0.001])
    pace.slow_down(0.001)
    for _ in range(9):
        pace.speed_up()
    assert pace.rate is None


@given(st.floats(0.05, 50), st.integers(0, 2**32))
def test_it_comes_near_what_a_server_takes(takes: float, seed: int) -> None:
    """A server with a bucket of one submit, refilled at a steady rate, and calls that all wait at once."""
    pace, now, taken, accepted, refused = Pace(), 0.0, -1e9, 0, 0
    for _ in range(400):
        now += pace.book(now)
        if now - taken >= 1 / takes - 1e-9:
            taken, accepted = now, accepted + 1
            pace.accepted.append(now)
            pace.speed_up()
        else:
            refused += 1
            pace.slow_down(now)
    assert pace.rate is None or pace.rate >= SLOWEST
    assert refused <= 120
    assert now <= 5 * accepted / takes + 5 / SLOWEST


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"retry_after": 7}', 7.0),
        (b'{"detail": {"retry_after": 2.5}}', 2.5),
        (b'{"retry_after": "soon", "detail": {"retry_after": 1}}', 1.0),
        (b'{"retry_after": -1}', None),
        (b'{"retry_after": NaN}', None),
        (b"[]", None),
        (b"", None),
        (b"<html>", None),
        (b"[" * 100_000, None),
    ],
)
def test_what_a_refusal_asks_in_its_body_counts_without_a_header(body: bytes, expected: float | None) -> None:
    assert retry_after(Reply(429, {}, body, 0.0)) == expected
    assert retry_after(Reply(429, {"retry-after": "3"}, body, 0.0)) == 3.0
    assert retry_after(Reply(200, {}, body, 0.0)) is None
