"""The pace of a client's submits: free until a server refuses, near what it takes from then on, and soon free again."""

from __future__ import annotations

import heapq
import random
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._protocol.resend import retry_after
from muapi_client._protocol.steps import Reply
from muapi_client._state.pace import SLOWEST, Pace


def slow_down(pace: Pace, now: float, *, left: float | None = None, until: float = 0.0) -> None:
    pace.slow_down(left=now if left is None else left, now=now, until=until)


def test_without_a_refusal_nothing_waits() -> None:
    assert [Pace().ask(5.0, draw=0.5) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_after_a_refusal_turns_follow_each_other() -> None:
    pace = Pace()
    slow_down(pace, 5.0)
    assert pace.ask(5.0, draw=0.0) == 0.0
    assert pace.ask(5.0, draw=0.0) == pytest.approx(1 / 7)


def test_nobody_leaves_before_the_server_wants_them() -> None:
    pace = Pace()
    slow_down(pace, 5.0, until=9.0)
    assert pace.ask(5.0, draw=0.0) == 4.0
    assert pace.ask(9.0, draw=0.0) == 0.0


def test_refusals_of_what_left_together_count_once() -> None:
    pace = Pace()
    for now in (5.0, 5.1, 5.2):
        slow_down(pace, now, left=4.9)
    assert pace.rate(5.0) == pytest.approx(7)
    slow_down(pace, 6.0, left=5.5)
    assert pace.rate(6.0) == pytest.approx(7 * 2.718281828**0.1 * 0.7, rel=1e-3)


def test_one_that_is_alone_later_waits_for_nobody() -> None:
    pace = Pace()
    for now in range(5, 100):
        slow_down(pace, float(now))
    assert pace.rate(99.0) < 0.1
    assert pace.ask(200.0, draw=1.0) == 0.0


def test_a_storm_is_forgotten_in_minutes() -> None:
    pace = Pace()
    for now in range(1_000):
        slow_down(pace, float(now))
    assert pace.rate(999.0) == pytest.approx(SLOWEST, rel=0.2)
    assert pace.rate(999.0 + 150) == float("inf")
    assert pace.ask(999.0 + 150, draw=1.0) == 0.0
    assert not pace.is_kept


def test_a_fast_client_is_not_slowed_to_a_crawl_by_one_refusal() -> None:
    pace = Pace()
    pace.left.extend(number / 500 for number in range(500))
    slow_down(pace, 1.0)
    assert pace.rate(1.0) == pytest.approx(350, rel=0.01)


@given(st.floats(0.2, 50), st.integers(0, 2**32), st.integers(1, 150))
def test_many_that_wait_get_through_as_fast_as_a_server_takes_them(takes: float, seed: int, callers: int) -> None:
    """A server with a bucket of one submit, refilled at a steady rate, and callers that come all at once."""
    pace, dice, number = Pace(), random.Random(seed), count()
    waiting = [(0.0, next(number)) for _ in range(callers)]
    last, refused, now = -1e9, 0, 0.0
    for _ in waiting:
        pace.join()
    while waiting:
        now, _ = heapq.heappop(waiting)
        pause = pace.ask(now, draw=dice.random())
        if pause > 0:
            heapq.heappush(waiting, (now + pause, next(number)))
        elif now - last >= 1 / takes - 1e-9:
            last = now
            pace.left.append(now)
            pace.leave()
        else:
            refused += 1
            pace.left.append(now)
            slow_down(pace, now)
            heapq.heappush(waiting, (now + 0.01, next(number)))
    assert now <= 60 + 3 * callers / takes
    assert refused <= 40 + callers + now / 3  # at a tenth a second the rate is back at the limit in 3.6 s


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
