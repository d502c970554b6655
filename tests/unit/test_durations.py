"""What a client remembers of how long jobs took: the latest, of each model and of what its jobs' length hangs on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from muapi_client import Polling
from muapi_client._protocol.told_duration import told_seconds
from muapi_client._state.durations import KEPT, KINDS, Durations, Kind, kind_of

LEARNED = Polling(learn=True, jitter=0.0)
MODEL = Kind("a-model")


def taught(*durations: float, kind: Kind = MODEL, to: Durations | None = None) -> Durations:
    known = Durations() if to is None else to
    for seconds in durations:
        known.teach(kind, after=seconds, until=seconds)
    return known


def longest(known: Durations, kind: Kind = MODEL) -> float:
    """The longest duration that counts, to which the schedule's stretches reach."""
    schedule = known.schedule(kind, LEARNED)
    assert schedule is not None
    return schedule.until[-1]


def test_nothing_is_known_of_a_model_that_was_not_seen() -> None:
    assert taught(7.0, 8.0, 9.0).schedule(Kind("another"), LEARNED) is None


def test_what_is_learnt_of_old_jobs_goes_as_new_ones_come() -> None:
    known = taught(*[300.0] * KEPT)
    assert longest(known) > 200
    assert longest(taught(*[10.0] * 2 * KEPT, to=known)) < 20


def test_a_kind_is_known_by_its_own_jobs_and_else_by_those_of_the_model() -> None:
    short, long = Kind("a-model", (("duration", 5),)), Kind("a-model", (("duration", 10),))
    known = taught(60.0, 60.0, 60.0, 60.0, kind=short)
    assert longest(known, long) < 70, "nothing is known of it but its model"
    taught(300.0, 300.0, 300.0, 300.0, kind=long, to=known)
    assert longest(known, short) < 70
    assert longest(known, long) > 290


def test_a_schedule_is_of_the_polling_that_asks() -> None:
    known = taught(*[300.0] * 10)
    for polling in (LEARNED, Polling(learn=True, maximum=5.0), LEARNED):
        schedule = known.schedule(MODEL, polling)
        assert schedule is not None
        assert schedule.polling is polling


def test_memory_is_bounded() -> None:
    known = Durations()
    for number in range(2 * KINDS):
        taught(*[300.0] * 3, kind=Kind(f"model-{number}"), to=known)
    remembered = [known.schedule(Kind(f"model-{number}"), LEARNED) for number in range(2 * KINDS)]
    assert sum(schedule is not None for schedule in remembered) == KINDS
    assert remembered[-1] is not None


def test_an_end_between_two_looks_is_taken_to_be_anywhere_between_them() -> None:
    known = Durations()
    for _ in range(KEPT):
        known.teach(MODEL, after=100.0, until=200.0)
    schedule = known.schedule(MODEL, LEARNED)
    assert schedule is not None
    within = [end for end in schedule.until if 100 <= end <= 201]
    assert min(within) < 110
    assert max(within) > 190


def test_a_journal_teaches_a_client_that_has_seen_nothing() -> None:
    known = Durations()
    known.teach_read((MODEL, 300.0) for _ in range(1000))
    assert 290 < longest(known) < 310


def test_what_a_client_sees_itself_soon_outweighs_its_journal() -> None:
    known = Durations()
    known.teach_read((MODEL, 300.0) for _ in range(1000))
    assert longest(taught(*[10.0] * (KEPT // 3), to=known)) < 20


def test_a_journal_of_jobs_that_were_looked_at_late_teaches_by_the_others() -> None:
    known = Durations()
    known.teach_read((MODEL, seconds) for seconds in [20.0, 86_400.0, 21.0, 3000.0, 22.0, 0.0, -5.0, 23.0] * 4)
    assert longest(known) < 25


def test_threads_may_teach_and_ask_at_once() -> None:
    known = Durations()

    def work(number: int) -> None:
        for round_ in range(200):
            kind = Kind(f"model-{(number * round_) % 700}")
            known.teach(kind, after=1.0, until=2.0)
            known.schedule(kind, LEARNED)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        ({"prompt": "a fox", "duration": 5}, (("duration", 5),)),
        ({"resolution": "720p", "duration": 5.5}, (("duration", 5.5), ("resolution", "720p"))),
        ({"duration": [5], "quality": None}, ()),
        (None, ()),
        ([1, 2], ()),
    ],
)
def test_a_kind_is_a_model_and_the_inputs_its_length_hangs_on(body: Any, inputs: Any) -> None:
    assert kind_of("a-model", body) == Kind("a-model", inputs)


CREATED = "2026-11-29T12:00:00"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"created_at": f"{CREATED}Z", "completed_at": "2026-11-29T12:01:30.500Z"}, 90.5),
        ({"created_at": CREATED, "finished_at": "2026-11-29T13:00:05+01:00"}, 5.0),
        ({"created_at": f"{CREATED}Z", "executionTime": 4500}, 4.5),
        ({"executionTime": 4500.5}, 4.5005),
        ({"created_at": f"{CREATED}Z"}, None),
        ({"completed_at": f"{CREATED}Z"}, None),
        ({"created_at": 5, "completed_at": None}, None),
        ({"created_at": "yesterday", "completed_at": CREATED}, None),
        ({"executionTime": "4500"}, None),
        ({"executionTime": True}, None),
        ({}, None),
        (None, None),
        ("completed", None),
    ],
)
def test_how_long_a_job_took_by_the_word_of_the_server(answer: Any, seconds: float | None) -> None:
    assert told_seconds(answer) == seconds
