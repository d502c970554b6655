"""Money is read exactly or not at all, and its sums are exact in any order, thread and decimal context."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Cost
from muapi_client._protocol.job_answer import (
    _read_reported,
    balance_from_headers,
    cost_from_body,
    cost_from_headers,
    read_cost,
    settle,
)
from muapi_client._types.money import usd

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
NUMBERLIKE = st.from_regex(r"\s?[-+]?[0-9]{0,6}([.,][0-9]{0,30})?([eE][-+]?[0-9]{1,9})?\s?", fullmatch=True)
NOISE = st.sampled_from(
    ["nan", "sNaN", "-Infinity", "1e9999999", "1e-9999999", "9" * 5000, "½", "\u0661", "0x1", "1_0", "true"]
)
SOUP = st.text() | NUMBERLIKE | NOISE
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-muapi-cost-usd",
            "x-muapi-cost-credits",
            "x-muapi-cost-bonus-credits",
            "x-muapi-cost-refunded",
            "x-account-balance",
        ]
    ),
    SOUP,
)
BODIES = st.fixed_dictionaries(
    {
        "cost": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "amount_usd": JSON | SOUP,
                "amount_credits": JSON | SOUP,
                "bonus_credits_used": JSON | SOUP,
                "refunded": JSON,
            },
        )
    }
)
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=6)
COSTS = st.builds(Cost, AMOUNTS, refunded=st.booleans())


def is_sound(cost: Cost | None) -> bool:
    return cost is None or (
        cost.amount_usd.is_finite()
        and cost.amount_usd >= 0
        and cost.charged_usd in (0, cost.amount_usd)
        and isinstance(cost.amount_credits, int)
        and isinstance(cost.bonus_credits_used, int)
        and isinstance(cost.refunded, bool)
    )


@given(HEADERS)
def test_no_headers_are_too_odd(headers: dict[str, str]) -> None:
    assert is_sound(cost_from_headers(headers))
    balance = balance_from_headers(headers)
    assert balance is None or balance.is_finite()


@given(BODIES | JSON)
def test_no_body_is_too_odd(body: Any) -> None:
    assert is_sound(cost_from_body(body))


@given(HEADERS, BODIES)
def test_the_two_places_settle(headers: dict[str, str], body: Any) -> None:
    told, said = cost_from_headers(headers), cost_from_body(body)
    cost, dispute = read_cost(headers, body)
    assert is_sound(cost)
    one = said or told
    assert (cost is None) is (one is None)
    if cost is not None and one is not None:
        assert evolve(cost, refunded=False) == evolve(one, refunded=False)
        refunds = bool(told and told.refunded) or bool(said and said.refunded)
        assert cost.refunded or not refunds, "a refund that is told anywhere counts"
    assert dispute is None or cost is not None


@given(JSON | SOUP)
def test_an_amount_is_finite_or_none(value: Any) -> None:
    amount = usd(value)
    assert amount is None or amount.is_finite()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0042, "0.0042"),
        (0.1, "0.1"),
        (1e-7, "1E-7"),
        ("0.004200", "0.004200"),
        (" 5 ", "5"),
        (7, "7"),
        (True, None),
        (None, None),
        ("", None),
        ("free", None),
        ({"usd": 1}, None),
        (10**5000, None),
    ],
    ids=lambda value: str(value)[:12] if not isinstance(value, int) or value < 10**9 else "huge",
)
def test_the_digits_written_are_the_digits_read(value: object, expected: str | None) -> None:
    amount = usd(value)
    assert (None if amount is None else str(amount)) == expected


@pytest.mark.parametrize("amount", ["-1", "-0.000001"])
def test_a_negative_charge_is_noise(amount: str) -> None:
    assert cost_from_headers({"x-muapi-cost-usd": amount}) is None
    assert cost_from_body({"cost": {"amount_usd": float(amount)}}) is None
    assert balance_from_headers({"x-account-balance": amount}) == Decimal(amount), "a balance may be below zero"


def test_a_repeated_header_counts_once_and_a_contradictory_one_not_at_all() -> None:
    assert cost_from_headers({"x-muapi-cost-usd": "0.5, 0.5"}) == Cost(Decimal("0.5"))
    assert cost_from_headers({"x-muapi-cost-usd": "0.5, 0.6"}) is None


def test_a_refund_leaves_the_amount_and_zeroes_the_charge() -> None:
    cost = cost_from_headers({"x-muapi-cost-usd": "0.5", "x-muapi-cost-refunded": "True"})
    assert cost is not None
    assert (cost.amount_usd, cost.charged_usd, cost.refunded) == (Decimal("0.5"), 0, True)


@pytest.mark.parametrize(
    ("headers", "body", "agree"),
    [
        (Cost(Decimal("0.004200")), Cost(Decimal("0.0042")), True),
        (Cost(Decimal("0.0042")), Cost(Decimal("0.00420000001")), True),
        (Cost(Decimal("0.0042")), Cost(Decimal("0.0043")), False),
        (Cost(Decimal(1)), Cost(Decimal(1), refunded=True), True),
    ],
)
def test_agreement_is_to_the_micro_dollar(headers: Cost, body: Cost, agree: bool) -> None:
    cost, dispute = settle(headers, body)
    assert cost is body
    assert (dispute is None) is agree


YES = [True, "true", "True", " TRUE ", "1", "yes", "Yes", "on", "refunded", 1, 1.0, "1.0", 0.5, "0.50"]
NO = [False, "false", "False", "0", "no", 0, 0.0]
SILENT = [None, "", [], {}, [True], {"refunded": True}, "maybe", 0.25, 7, "-1", "nan", "½"]


@pytest.mark.parametrize(
    ("refunded", "expected"),
    [*((value, True) for value in YES), *((value, False) for value in NO), *((value, None) for value in SILENT)],
    ids=repr,
)
class TestRefunds:
    """As boolean, text or number, in either place; silence of one place outweighs nothing."""

    def test_in_the_body(self, refunded: object, expected: bool | None) -> None:
        for body in (
            {"cost": {"amount_usd": 0.5, "refunded": refunded}},
            {"cost": {"amount_usd": 0.5}, "refunded": refunded},
        ):
            cost, dispute = read_cost({}, body)
            assert cost is not None
            assert (cost.refunded, dispute) == (expected is True, None)
            assert cost.charged_usd == (0 if expected else Decimal("0.5"))

    def test_in_the_header_and_the_body_is_silent(self, refunded: object, expected: bool | None) -> None:
        if isinstance(refunded, dict | list | type(None)):
            return
        headers = {"x-muapi-cost-refunded": str(refunded)}
        for more in ({}, {"x-muapi-cost-usd": "0.5"}):
            cost, dispute = read_cost({**headers, **more}, {"cost": {"amount_usd": "0.500000"}})
            assert cost is not None
            assert (cost.refunded, dispute) == (expected is True, None)

    def test_against_the_other_place(self, refunded: object, expected: bool | None) -> None:
        """Where both speak and disagree, the refund counts, since it is never taken back, and the answer is odd."""
        body = {"cost": {"amount_usd": 0.5, "refunded": refunded}}
        for other in (True, False):
            cost, dispute = read_cost({"x-muapi-cost-refunded": str(other)}, body)
            assert cost is not None
            assert cost.refunded is (other or expected is True)
            assert (dispute is not None) is (expected is not None and expected is not other)


def test_a_repeated_refund_header_counts() -> None:
    for told in ("true, true", "True, true", "true, false", "false,true"):
        cost = cost_from_headers({"x-muapi-cost-usd": "0.5, 0.50", "x-muapi-cost-refunded": told})
        assert cost == Cost(Decimal("0.5"), refunded=True)


def test_what_was_read_before_is_not_taken_for_what_only_equals_it() -> None:
    read = [read_cost({}, {"cost": {"amount_usd": 1, "amount_credits": count}})[0] for count in (1, True, 1.0)]
    assert [cost and cost.amount_credits for cost in read] == [1, 0, 1]


@pytest.mark.parametrize("noise", ["9" * 5000, ["0.1"], {"usd": 0.1}])
def test_noise_is_read_as_nothing_and_not_remembered(noise: Any) -> None:
    before = _read_reported.cache_info().currsize
    assert read_cost({"x-muapi-cost-credits": "2"}, {"cost": {"amount_usd": noise}}) == (None, None)
    assert _read_reported.cache_info().currsize == before


@pytest.mark.parametrize("text", ["1_000", "1_0.5", "_1"])
def test_an_underscore_makes_no_amount(text: str) -> None:
    assert usd(text) is None
