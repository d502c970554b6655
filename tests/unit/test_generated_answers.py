"""Answer models: they take whatever a server says, and lose nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from by_kind import IMAGE
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_generated import models
from muapi_generated.answers import amount, instant

ANSWERS = sorted(name for name in models.__all__ if hasattr(getattr(models, name), "from_dict"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
@settings(max_examples=50)
def test_no_answer_breaks_a_model(name: str, data: st.DataObject) -> None:
    model: Any = getattr(models, name)
    fields = [*model.__annotations__, "unheard-of"]
    answer = data.draw(st.dictionaries(st.sampled_from(fields) | st.text(max_size=5), JSON) | JSON)
    read = model.from_dict(answer)
    if isinstance(answer, dict):
        named = sum(field in model.__annotations__ and field != "additional" for field in answer)
        assert len(read.additional) == len(answer) - named


def test_a_submission_is_read_with_its_cost() -> None:
    cost = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
    read = models.Submission.from_dict({"request_id": "abc", "status": "processing", "cost": cost, "eta": 3})
    assert read.cost == models.CostBody(
        amount_usd=Decimal("0.0042"), amount_credits=1, bonus_credits_used=0, refunded=False
    )
    assert (read.request_id, read.status, read.additional) == ("abc", "processing", {"eta": 3})


def test_what_is_missing_is_none_and_not_zero() -> None:
    assert models.CostBody.from_dict({}).amount_usd is None
    assert models.Submission.from_dict({"request_id": "abc"}).cost is None


def test_an_odd_shape_stays_as_it_came() -> None:
    read = models.PredictionResult.from_dict({"cost": "free", "outputs": {"url": "u"}, "status": "dreaming"})
    assert (read.cost, read.outputs, read.status) == ("free", {"url": "u"}, "dreaming")


def test_an_answer_that_is_no_object_is_kept_whole() -> None:
    answer: Any = ["queued"]
    assert models.Submission.from_dict(answer).additional == {"": ["queued"]}


def test_lists_are_read_item_by_item() -> None:
    read = models.ModelList.from_dict({"models": [{"name": IMAGE.name, "cost": 0.015}, "odd"], "total": 2})
    assert read.models == [models.ModelCard(name=IMAGE.name, cost=Decimal("0.015")), "odd"]


@pytest.mark.parametrize(
    "text",
    ["2026-08-20T10:30:00Z", "2026-08-20T10:30:00+00:00", "2026-08-20 10:30:00+0000", "Thu, 20 Aug 2026 10:30:00 GMT"],
)
def test_points_in_time_are_read_in_every_shape(text: str) -> None:
    assert instant(text) == datetime(2026, 8, 20, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-08-20T10:30:00Z", "2026-08-20T10:30:00+00:00"])
def test_a_point_in_time_has_a_zone_of_pythons_own_wherever_it_is_read(text: str) -> None:
    assert instant(text).tzinfo is UTC


@pytest.mark.parametrize("value", ["", "soon", "5", "2026-99-99", None, 1755685800, "20263"])
def test_what_is_no_point_in_time_stays_as_it_came(value: Any) -> None:
    assert instant(value) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8))
def test_an_amount_is_read_by_the_digits_that_were_written(exact: Decimal) -> None:
    assert amount(float(exact)) == amount(str(exact)) == exact


@given(JSON)
def test_an_amount_is_a_finite_decimal_or_what_came(value: Any) -> None:
    read = amount(value)
    assert read is value or (isinstance(read, Decimal) and read.is_finite())
