"""What the session ``newest`` makes of outcomes that its list does not have."""

from __future__ import annotations

import pytest
from compare_failures import Outcomes, compare


@pytest.mark.parametrize(
    ("failed", "passed", "whole", "told"),
    [
        ({"a"}, {"b"}, True, []),
        ({"a", "b"}, set(), True, ["fails, and is not listed: b"]),
        (set(), {"a", "b"}, True, ["passes, and is listed: a"]),
        ({"a"}, {"a", "b"}, True, []),  # it passed, and what tidies up behind it failed
        (set(), {"b"}, True, ["is listed, and was not run: a"]),
        (set(), {"b"}, False, []),
    ],
)
def test_a_new_failure_and_a_mended_one_are_told(
    failed: set[str], passed: set[str], *, whole: bool, told: list[str]
) -> None:
    outcomes = Outcomes()
    outcomes.failed, outcomes.passed = failed, passed
    assert compare(outcomes, {"a": "a deprecation"}, whole=whole) == told
