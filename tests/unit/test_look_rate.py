"""Turns to look: a fixed distance apart, in the order asked for, and none lost that is given back."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._state.look_rate import LookRate


def test_who_is_alone_waits_for_nothing() -> None:
    rate = LookRate(2)
    assert [rate.take(now, latest=inf) for now in (5.0, 6.0, 7.0)] == [5.0, 6.0, 7.0]


def test_turns_follow_in_the_order_in_which_they_are_asked_for() -> None:
    rate = LookRate(4)
    assert [rate.take(5.0, latest=inf) for _ in range(4)] == [5.0, 5.25, 5.5, 5.75]


def test_who_would_come_too_late_takes_none() -> None:
    rate = LookRate(1)
    assert [rate.take(5.0, latest=6.5) for _ in range(4)] == [5.0, 6.0, None, None]
    assert rate.take(5.0, latest=inf) == 7.0


def test_what_is_given_back_is_the_next_ones() -> None:
    rate = LookRate(1)
    turns = [rate.take(5.0, latest=inf) for _ in range(5)]
    for turn in (turns[3], turns[1]):
        assert turn is not None
        rate.give_back(turn)
    assert [rate.take(5.5, latest=inf) for _ in range(3)] == [6.0, 8.0, 10.0]


def test_what_a_map_of_thousands_gives_back_holds_nobody_up() -> None:
    rate = LookRate(10)
    for turn in [rate.take(0.0, latest=inf) for _ in range(10_000)]:
        assert turn is not None
        rate.give_back(turn)
    assert rate.take(3.0, latest=inf) == pytest.approx(3.0, abs=0.11)


@given(
    st.floats(0.01, 1000),
    st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.floats(0, 50)), max_size=60),
)
def test_no_two_turns_are_nearer_to_each_other_than_allowed(
    per_second: float, asked: list[tuple[float, bool, float]]
) -> None:
    rate, now, used = LookRate(per_second), 0.0, []
    for pause, gives_back, patience in asked:
        now += pause
        turn = rate.take(now, latest=now + patience)
        if turn is None:
            continue
        assert now <= turn <= now + patience
        if gives_back:
            rate.give_back(turn)
        else:
            used.append(turn)
    used.sort()
    assert all(later - earlier > (1 - 1e-6) / per_second - 1e-9 for earlier, later in pairwise(used))
