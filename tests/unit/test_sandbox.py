"""Evidence in, verdict out; without evidence that settles it, None."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Cost, Output, Prediction
from muapi_client._sandbox import SandboxVerdict, weigh

SAMPLE = "https://d3adwkbyhxyrtq.cloudfront.net/webassets/fox.png"
LIVE = "https://cdn.muapi.ai/outputs/1.png"
ELSEWHERE = "https://files.example/1.png"
URLS = st.lists(st.sampled_from([SAMPLE, LIVE, ELSEWHERE, "https://[::1", ""]) | st.text())
ZERO = Decimal(0)


@given(URLS, st.decimals(min_value="0.000001", max_value=10**6), st.booleans())
def test_a_charge_is_never_called_sandbox(urls: list[str], amount: Decimal, at_once: bool) -> None:
    assert weigh(urls=urls, amount_usd=amount, at_once=at_once).verdict is False


@given(URLS, st.none() | st.just(ZERO), st.booleans())
def test_sandbox_needs_a_sample_and_a_cost_of_zero(urls: list[str], amount: Decimal | None, at_once: bool) -> None:
    said = weigh(urls=urls, amount_usd=amount, at_once=at_once)
    if said.verdict is True:
        assert amount == 0
        assert any("sample host" in line for line in said.evidence)


def test_no_evidence_is_no_verdict() -> None:
    assert weigh(urls=[], amount_usd=None, at_once=False) == SandboxVerdict(None, ())


@pytest.mark.parametrize(
    ("urls", "amount", "at_once", "expected"),
    [
        ([SAMPLE], ZERO, True, True),
        ([SAMPLE], ZERO, False, True),
        ([SAMPLE], None, True, None),
        ([SAMPLE, LIVE], ZERO, True, None),
        ([LIVE], ZERO, True, False),
        ([LIVE], None, False, False),
        ([ELSEWHERE], ZERO, True, None),
        ([], ZERO, True, None),
        ([], None, True, None),
        (["https://x.example/muapi/demo/a.png"], ZERO, True, True),
        (["https://x.example/muapi/homepage/a.png"], ZERO, True, True),
        (["https://cdn.muapi.ai.evil.example/outputs/1.png"], None, False, None),
        (["https://cdn.muapi.ai/drafts/1.png"], None, False, None),
    ],
)
def test_the_table(urls: list[str], amount: Decimal | None, at_once: bool, expected: bool | None) -> None:
    said = weigh(urls=urls, amount_usd=amount, at_once=at_once)
    assert said.verdict is expected
    assert all(isinstance(line, str) and line for line in said.evidence)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"outputs": (Output(SAMPLE),), "cost": Cost(ZERO)}, True),
        ({"outputs": (Output(SAMPLE),), "cost": Cost(Decimal("0.1"), refunded=True)}, False),
        ({"outputs": (Output(text="hello"),), "cost": Cost(ZERO)}, None),
        ({}, None),
    ],
)
def test_a_prediction_judges_itself(fields: dict[str, Any], expected: bool | None) -> None:
    said = Prediction("abc", "completed", **fields).sandbox
    assert said.verdict is expected
    assert "finished at once" in said.evidence
    assert "finished at once" not in Prediction("abc", "completed", looks=2, **fields).sandbox.evidence
