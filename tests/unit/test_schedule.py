"""Looks learned from durations: within the bounds of a Polling, and where jobs end."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Polling
from muapi_client._settings.schedule import LEAST, Schedule, make_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = st.floats(min_value=0, max_value=1e5)
DRAWS = st.floats(min_value=0, max_value=1)
KNOWN = st.lists(st.floats(min_value=0, max_value=1e5), min_size=LEAST, max_size=60)
BOUNDS = st.floats(min_value=0.01, max_value=1000)
POLLINGS = st.builds(Polling, learn=st.just(True), share=DRAWS, minimum=BOUNDS, maximum=BOUNDS, jitter=DRAWS)
LEARNED = Polling(learn=True, jitter=0.0)


def schedule_of(durations: Sequence[float], polling: Polling = LEARNED) -> Schedule:
    schedule = make_schedule(durations, polling)
    assert schedule is not None
    return schedule


def looks_until(schedule: Schedule, end: float) -> list[float]:
    """The readings of the looks that a job of ``end`` seconds takes, the one that finds it done included."""
    looks = [schedule.pause(0.0, draw=0.0)]
    while looks[-1] < end:
        looks.append(looks[-1] + schedule.pause(looks[-1], draw=0.0))
    return looks


def around(mean: float, sigma: float, count: int = 48) -> list[float]:
    """Durations as they fall around a mean."""
    source = random.Random(5)
    return [mean * math.exp(source.gauss(0, sigma)) for _ in range(count)]


@given(KNOWN, POLLINGS, SECONDS, DRAWS)
def test_a_learned_pause_keeps_the_bounds_of_the_polling(
    known: list[float], polling: Polling, waited: float, draw: float
) -> None:
    pause = schedule_of(known, polling).pause(waited, draw=draw)
    shortest = min(polling.minimum, polling.maximum) * (1 - polling.jitter)
    assert shortest - 1e-9 <= pause <= polling.maximum


@given(KNOWN, SECONDS, DRAWS, SECONDS)
def test_the_server_may_ask_for_more_and_not_for_less(
    known: list[float], waited: float, draw: float, asked: float
) -> None:
    schedule = schedule_of(known, Polling(learn=True))
    assert schedule.pause(waited, draw=draw, retry_after=asked) == max(asked, schedule.pause(waited, draw=draw))


@given(KNOWN, POLLINGS, SECONDS, SECONDS)
def test_who_has_waited_longer_looks_no_earlier(known: list[float], polling: Polling, one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    schedule = schedule_of(known, polling)
    assert earlier + schedule.pause(earlier, draw=0.0) <= later + schedule.pause(later, draw=0.0) + 1e-6 * (1 + later)


@given(KNOWN, st.floats(min_value=0, max_value=1e4))
def test_every_job_is_found_in_the_end(known: list[float], end: float) -> None:
    looks = looks_until(schedule_of(known), end)
    assert len(looks) <= end / LEARNED.minimum + 1
    assert looks[-1] - end <= LEARNED.maximum


@given(KNOWN, st.randoms(use_true_random=False))
def test_the_order_of_durations_means_nothing(known: list[float], source: random.Random) -> None:
    other = source.sample(known, len(known))
    assert make_schedule(other, LEARNED) == make_schedule(known, LEARNED)


@given(KNOWN)
def test_the_jobs_it_was_learned_from_take_few_looks_in_the_mean(known: list[float]) -> None:
    """The longest pause makes more of them where jobs take an hour."""
    polling = Polling(learn=True, jitter=0.0, maximum=1e6)
    schedule = schedule_of([min(one, 600.0) for one in known], polling)
    looks = [len(looks_until(schedule, min(one, 600.0))) for one in known]
    assert sum(looks) / len(looks) <= 2 * 19 + 2


@pytest.mark.parametrize("count", range(LEAST))
def test_too_few_durations_teach_nothing(count: int) -> None:
    assert make_schedule([300.0] * count, LEARNED) is None


def test_looks_are_few_before_the_end_is_likely_and_many_then() -> None:
    looks = looks_until(schedule_of(around(300, 0.1)), 400)
    gaps = {later: later - earlier for earlier, later in pairwise(looks)}
    assert sum(look < 200 for look in looks) <= 6
    assert all(gap < 7 for look, gap in gaps.items() if 270 < look < 330)


def test_a_job_that_ends_early_is_found_before_it_would_have_ended() -> None:
    looks = looks_until(schedule_of(around(300, 0.1)), 8)
    assert looks[-1] <= 60


def test_where_some_jobs_are_known_to_fail_early_one_that_does_is_found_soon() -> None:
    looks = looks_until(schedule_of([*around(300, 0.1, 40), *around(5, 0.2, 8)]), 5)
    assert looks[-1] < 8


def test_a_job_that_takes_longer_than_any_is_looked_at_by_its_share_of_the_time_waited() -> None:
    schedule = schedule_of(around(60, 0.1))
    assert schedule.pause(100.0, draw=0.0) == pytest.approx(8.0)
    assert schedule.pause(1000.0, draw=0.0) == 10.0


def test_jobs_that_always_take_as_long_are_found_at_once() -> None:
    looks = looks_until(schedule_of([300.0] * 48), 300.0)
    assert looks[-1] - 300.0 <= LEARNED.minimum


def test_where_no_time_is_likelier_than_another_looks_come_at_a_fixed_interval() -> None:
    exponential = [-300 * math.log(1 - (number + 0.5) / 48) for number in range(48)]
    looks = looks_until(schedule_of(exponential), 600.0)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert max(gaps) - min(gaps) < 1e-6
    assert 10 < gaps[0] < 20


@pytest.mark.parametrize(("sigma", "goal"), [(0.1, 0.4), (0.25, 1.0), (0.5, 1.0)])
def test_it_is_less_late_than_a_fixed_interval_of_as_many_looks(sigma: float, goal: float) -> None:
    schedule, jobs = schedule_of(around(300, sigma)), around(300, sigma, 1000)[48:]
    found = [looks_until(schedule, job) for job in jobs]
    late = sum(looks[-1] - job for looks, job in zip(found, jobs, strict=True)) / len(jobs)
    looks = sum(map(len, found)) / len(jobs)
    interval = sum(jobs) / len(jobs) / (looks - 0.5)  # which is late by half of itself
    assert looks <= 25
    assert late / (interval / 2) <= goal
