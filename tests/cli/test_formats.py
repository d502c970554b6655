"""Tables: what a line of a terminal has room for, and cells that want to be rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muapi_client.cli._formats import describe_age, render_table

HEADS = ("id", "model", "USD")
ROWS = [("0123456789", "a-model-of-a-long-name", "0.015"), ("1", "b", "12")]


def test_the_column_that_gives_way_is_cut_to_the_line() -> None:
    whole = render_table(HEADS, ROWS, right={"USD"}, gives_way="model")
    assert max(map(len, whole.splitlines())) == 41
    assert render_table(HEADS, ROWS, right={"USD"}, gives_way="model", width=41) == whole
    lines = render_table(HEADS, ROWS, right={"USD"}, gives_way="model", width=32).splitlines()
    assert lines[1] == "0123456789  a-model-of-a…  0.015"
    assert max(map(len, lines)) == 32


def test_a_line_that_is_too_short_keeps_enough_to_tell_models_apart() -> None:
    lines = render_table(HEADS, ROWS, gives_way="model", width=5).splitlines()
    assert lines[1].split()[1] == "a-model-o…"


def test_no_cell_begins_a_line() -> None:
    table = render_table(HEADS, [("1", "a\n2  forged\r\tb\u2028", "0")])
    assert table.splitlines()[1].split() == ["1", "a", "2", "forged", "b", "0"]
    assert len(table.splitlines()) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400, "1 d"), (4e7, "462 d")],
)
def test_an_age_is_told_in_the_largest_unit_that_has_passed(seconds: float, words: str) -> None:
    assert describe_age(timedelta(seconds=seconds)) == words
