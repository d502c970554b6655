"""When to look next: within bounds, and never past the deadline."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import MuAPIError, Polling
from muapi_client._settings.polling import LAST_LOOK, fit

SECONDS = st.floats(min_value=0, max_value=1e6)
DRAWS = st.floats(min_value=0, max_value=1)
POSITIVE = st.floats(min_value=0.001, max_value=1000)


@given(SECONDS, DRAWS)
def test_a_pause_keeps_its_bounds(waited: float, draw: float) -> None:
    pause = Polling().pause(waited, draw=draw)
    assert 0.45 <= pause <= 10.0
    if waited >= 0.5 / 0.08:
        assert pause <= max(0.08 * waited, 0.5) + 1e-9


@given(st.builds(Polling, share=DRAWS, minimum=POSITIVE, maximum=POSITIVE, jitter=DRAWS), SECONDS, DRAWS)
def test_any_polling_pauses_for_a_while_or_not_at_all(polling: Polling, waited: float, draw: float) -> None:
    assert 0 <= polling.pause(waited, draw=draw) <= polling.maximum


@given(SECONDS, DRAWS, SECONDS)
def test_the_server_may_ask_for_more_and_not_for_less(waited: float, draw: float, asked: float) -> None:
    pause = Polling().pause(waited, draw=draw, retry_after=asked)
    assert pause == max(asked, Polling().pause(waited, draw=draw))


@given(st.floats(min_value=0, max_value=1e7), st.floats(min_value=-10, max_value=1e6))
def test_a_fitted_pause_ends_before_the_deadline(pause: float, left: float) -> None:
    fitted = fit(pause, left=left)
    if fitted is None:
        assert left <= LAST_LOOK, "time enough for one more look"
    else:
        assert 0 <= fitted <= pause
        assert fitted <= left


@given(st.floats(min_value=0.01, max_value=100), st.floats(min_value=0.01, max_value=1e4))
def test_fitting_comes_to_an_end(pause: float, left: float) -> None:
    looks = 0
    while (fitted := fit(pause, left=left)) is not None:
        left -= fitted
        looks += 1
        assert looks <= left / pause + 1e6
        if looks > 200:
            break
    assert looks > 200 or left <= LAST_LOOK


@pytest.mark.parametrize(
    "options",
    [{"share": -0.1}, {"minimum": 0}, {"maximum": 0}, {"jitter": 1.1}, {"jitter": -1}, {"minimum": float("nan")}]
    + [{"minimum": odd} for odd in ("5", None, True, 10**400, Decimal("NaN"), Decimal("sNaN"), float("inf"))],
)
def test_an_impossible_polling_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError, match=f"{next(iter(options))} of .* must be .*: write "):
        Polling(**options)


@pytest.mark.parametrize("number", [Decimal("0.5"), Fraction(1, 2)])
def test_a_number_of_any_type_will_do(number: Any) -> None:
    polling = Polling(share=number, minimum=number, maximum=number, jitter=number)
    assert polling == Polling(share=0.5, minimum=0.5, maximum=0.5, jitter=0.5)
    assert polling.pause(7.0, draw=1.0) == 0.25
