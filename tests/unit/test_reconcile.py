"""Which past requests may be a lost submit's: whatever the times look like, and however far clocks are apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from by_kind import CLIP, IMAGE
from hypothesis import example, given
from hypothesis import strategies as st

from muapi_client._jobs.reconcile import SKEW, Ages, Moment, find_candidates, make_window, read_item_moment, read_moment

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SENT = NOW - timedelta(minutes=10)
PATIENCE = timedelta(minutes=2)
WINDOW = make_window(Ages(NOW - SENT, NOW - SENT - PATIENCE, SKEW), NOW)
NOBODY = frozenset[str]()
TITLE = IMAGE.name.replace("-", " ").title()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
TIMELIKE = st.from_regex(
    r"[0-9]{4,5}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?", fullmatch=True
)


@given(JSON | TIMELIKE)
@example("2026-01-01T00:00:00+99:99")
@example("10000-01-01T00:00:00Z")
@example("9999-12-31T23:59:59-14:00")
@example("0001-01-01T00:00:00+14:00")
@example(10**400)
@example("9" * 5000)
@example("Thu, 31 Dec 9999 23:59:59 -2359")
def test_no_time_is_too_odd(value: Any) -> None:
    moment = read_moment(value)
    assert moment is None or moment.at.tzinfo is UTC


@given(st.lists(JSON | st.fixed_dictionaries({"id": JSON, "created_at": JSON | TIMELIKE}), max_size=5))
def test_no_history_is_too_odd(items: list[Any]) -> None:
    found, certain = find_candidates(items, "m", WINDOW, NOBODY)
    assert isinstance(found, tuple)
    assert certain in (True, False)


AT = datetime(2026, 11, 28, 11, 50, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "naive"),
    [
        ("2026-11-28T11:50:30Z", False),
        ("2026-11-28T11:50:30+00:00", False),
        ("2026-11-28 11:50:30.000000", True),
        ("2026-11-28T11:50:30", True),
        ("2026-11-28T13:50:30+0200", False),
        ("2026-11-28 11:50:30 UTC", False),
        ("20261128T115030Z", False),
        (format_datetime(AT, usegmt=True), False),
        ("Sat, 28 Nov 2026 04:50:30 -0700", False),
        (AT.timestamp(), False),
        (int(AT.timestamp()), False),
        (int(AT.timestamp() * 1e3), False),
        (int(AT.timestamp() * 1e6), False),
        (int(AT.timestamp()) * 10**9, False),
        (str(int(AT.timestamp())), False),
        (str(int(AT.timestamp() * 1e3)), False),
    ],
)
def test_a_time_is_read_in_every_form(value: Any, naive: bool) -> None:
    assert read_moment(value) == Moment(AT, naive)
    assert read_item_moment({"created_at": "", "created": None, "timestamp": value}) == Moment(AT, naive)


@pytest.mark.parametrize(
    "value", ["", " ", "soon", "2026-11-28", "20261128", 0, 1, -1, 5.5, True, None, [], {}, "12:30"]
)
def test_what_is_no_point_in_time_is_none(value: Any) -> None:
    assert read_moment(value) is None


def item(name: str, at: Any, model: str = "m") -> dict[str, Any]:
    return {"request_id": name, "model": model, "created_at": at.isoformat() if isinstance(at, datetime) else at}


@given(st.floats(-7200, 7200), st.integers(-600, 600))
def test_only_how_long_ago_it_was_counts_however_far_the_clocks_are_apart(ahead: float, after: int) -> None:
    ours = timedelta(seconds=ahead)  # how far this machine's calendar is ahead of the server's
    here, sent = NOW + ours, SENT + ours
    window = make_window(Ages(here - sent, here - sent - PATIENCE, SKEW), NOW)
    found, certain = find_candidates([item("a", SENT + timedelta(seconds=after))], "m", window, NOBODY)
    inside = -SKEW.total_seconds() <= after <= (PATIENCE + SKEW).total_seconds()
    assert (found, certain) == (("a",) if inside else (), True)


@given(st.integers(-48, 56), st.integers(0, 120))
def test_a_local_time_of_any_zone_is_a_candidate_where_none_fits_as_utc(quarters: int, after: int) -> None:
    local = (SENT + timedelta(seconds=after) + quarters * timedelta(minutes=15)).replace(tzinfo=None)
    found, certain = find_candidates([item("mine", local)], "m", WINDOW, NOBODY)
    assert found == ("mine",)
    assert certain is (WINDOW.earliest <= local.replace(tzinfo=UTC) <= WINDOW.latest)


def test_a_time_without_a_zone_is_read_as_utc_where_that_fits() -> None:
    fitting, earlier = (
        item("mine", SENT.replace(tzinfo=None)),
        item("old", (SENT - timedelta(hours=7)).replace(tzinfo=None)),
    )
    assert find_candidates([fitting, earlier], "m", WINDOW, NOBODY) == (("mine",), True)


def test_times_in_the_future_prove_that_they_are_local() -> None:
    east = timedelta(hours=8)
    items = [item("mine", (SENT + east).replace(tzinfo=None)), item("eight hours ago", SENT.replace(tzinfo=None))]
    assert find_candidates(items, "m", WINDOW, NOBODY) == (("mine", "eight hours ago"), False)


def test_a_time_with_a_zone_is_what_it_says() -> None:
    west = timezone(timedelta(hours=-7))
    items = [item("mine", SENT.astimezone(west)), item("old", (SENT - timedelta(hours=7)).astimezone(west))]
    assert find_candidates(items, "m", WINDOW, NOBODY) == (("mine",), True)


def test_an_item_whose_time_cannot_be_read_is_a_candidate_and_nothing_is_certain() -> None:
    items = [item("odd", "10000-01-01T00:00:00Z"), item("mine", SENT), {"request_id": "silent"}]
    assert find_candidates(items, "m", WINDOW, NOBODY) == (("odd", "mine", "silent"), False)


def test_what_is_known_or_another_model_s_is_left_out() -> None:
    other = item("other", SENT, CLIP.slug)
    items = [item("known", SENT), other, item("mine", SENT), item("mine", SENT)]
    assert find_candidates(items, "m", WINDOW, frozenset({"known"})) == (("mine",), True)


@pytest.mark.parametrize(
    "words",
    [{"task_type": "text-to-image"}, {"model": TITLE}, {"model": IMAGE.slug.upper()}, {"name": "my fox"}, {}],
    ids=str,
)
def test_a_word_that_no_other_model_is_called_by_excludes_nothing(words: dict[str, str]) -> None:
    found = {"request_id": "mine", **words, "created_at": SENT.isoformat()}
    assert find_candidates([found], IMAGE.slug, WINDOW, NOBODY) == (("mine",), True)


def test_without_the_moment_of_the_submit_every_time_fits() -> None:
    window = make_window(None, NOW)
    assert find_candidates([item("a", SENT - timedelta(days=99))], "m", window, NOBODY) == (("a",), True)
