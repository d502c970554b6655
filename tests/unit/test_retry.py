"""Which failed exchange may be sent again, and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import MuAPIError, Retry
from muapi_client._protocol.resend import may_look_again, may_reread, may_resubmit, retry_after
from muapi_client._protocol.steps import NoReply, Reply
from muapi_client.errors import APIConnectionError

DATES = st.from_regex(
    r"[A-Za-z]{0,4},? ?[0-9]{0,4}[ -][A-Za-z]{0,4}[ -][0-9]{0,24} "
    r"[0-9]{0,3}:[0-9]{0,3}:?[0-9]{0,3} ?([A-Z]{0,4}|[-+][0-9]{0,24})",
    fullmatch=True,
)
NOISE = st.sampled_from(["²", "\u0663", "9" * 5000, ",", ":"])
SOUP = st.text() | DATES | st.integers().map(str) | st.floats().map(str) | NOISE
UNSENT = NoReply(APIConnectionError("refused", sent=False), 0.0)
SENT = NoReply(APIConnectionError("reset"), 0.0)


def reply(status: int, content: bytes = b"{}", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, 0.0)


@given(SOUP, SOUP)
def test_retry_after_reads_any_header(said: str, date: str) -> None:
    asked = retry_after(reply(429, retry_after=said, date=date))
    assert asked is None or 0 <= asked < 1e12


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("7, 7", 7.0),
        ("000000000120", 120.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after(said: str, expected: float | None) -> None:
    assert retry_after(reply(429, retry_after=said, date="Wed, 21 Oct 2015 07:28:00 GMT")) == expected


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after(reply(429)) is None


def test_a_date_counts_from_now_where_the_answer_has_none() -> None:
    assert retry_after(reply(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")) == 0.0


@given(st.integers(min_value=1, max_value=10**9), st.floats(0, 1), st.none() | st.floats(0, 1e15))
def test_a_pause_keeps_its_bounds(failures: int, draw: float, asked: float | None) -> None:
    retry = Retry()
    pause = retry.pause(failures, draw=draw, retry_after=asked)
    assert 0 <= pause <= (retry.maximum if asked is None else retry.retry_after_maximum)
    if asked is not None:
        assert pause == min(asked, 60.0)


def test_the_back_off_doubles() -> None:
    assert [Retry().pause(n, draw=1.0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 20, 20]


@pytest.mark.parametrize(
    "options",
    [
        *({"attempts": 0}, {"initial": 0}, {"maximum": -1}, {"retry_after_maximum": -1}, {"attempts": 2.5}),
        *({"attempts": True}, {"within": "180"}, {"initial": float("inf")}, {"within": 10**400}),
    ],
)
def test_an_impossible_retry_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError, match=f"{next(iter(options))} of .* must be .*: write "):
        Retry(**options)


@given(st.integers(100, 999), st.binary())
def test_an_answered_submit_is_sent_again_for_429_alone(status: int, content: bytes) -> None:
    assert may_resubmit(reply(status, content)) is (status == 429)


def test_a_lost_submit_is_sent_again_if_it_never_left() -> None:
    assert may_resubmit(UNSENT)
    assert not may_resubmit(SENT)
    assert may_reread(UNSENT)
    assert may_reread(SENT)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522, 599])
def test_a_read_that_may_pass(status: int) -> None:
    assert may_reread(reply(status))


@pytest.mark.parametrize("status", [200, 204, 301, 302, 400, 401, 402, 403, 404, 409, 422])
def test_a_read_that_will_not_change(status: int) -> None:
    assert not may_reread(reply(status))
    page = reply(status, b"\n <!DOCTYPE html>")
    assert may_reread(page) is (not 300 <= status < 400), (
        "a page of something in between; every redirect comes with one"
    )


@given(st.integers(100, 999), st.binary(), st.floats(0, 1e9), st.none() | st.floats(-100, 1e9))
def test_a_look_is_repeated_as_any_read_is_and_while_the_job_is_fresh(
    status: int, content: bytes, at: float, accepted_at: float | None
) -> None:
    outcome = reply(status, content)._replace(at=at)
    fresh = status == 404 and accepted_at is not None and at - accepted_at < 30
    assert may_look_again(outcome, accepted_at=accepted_at) is (fresh or may_reread(outcome))
    assert may_look_again(SENT, accepted_at=accepted_at)
