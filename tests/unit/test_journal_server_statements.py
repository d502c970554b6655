"""Every statement of a journal is one that PostgreSQL knows: none of SQLite's own words is left in it."""

from __future__ import annotations

import re

import pytest

from muapi_client._state.journal import budget, statements
from muapi_client._state.journal.server_statements import translate

STATEMENTS = {
    name: value
    for module in (statements, budget)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str) and re.match(r"INSERT INTO|SELECT|UPDATE|DELETE", value)
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_none_of_sqlite_s_words_is_left(name: str) -> None:
    told = translate(STATEMENTS[name]).decode()
    assert re.findall(r"json_each|json_extract|json_valid|json_group|json_set|\+state|OR IGNORE", told) == []
    assert re.findall(r"(?<!:):[a-z]\w*(?!\w*')", told) == []  # parameters
    assert re.findall(r"\b(?:FROM|INTO|UPDATE) (?!muapi_|\(|json_array_elements_text)\w+", told) == []


def test_times_are_the_server_s() -> None:
    assert translate("SELECT :now, :lease, :stale, :key") == (
        b"SELECT muapi_after(%(now)s), muapi_after(%(lease)s), muapi_after(%(stale)s), %(key)s"
    )


def test_the_statements_are_found() -> None:
    assert {"INTEND", "INTEND_WITHIN", "FINISH", "FORGET", "DURATIONS", "ANSWERS", "FULL", "PRUNE"} <= STATEMENTS.keys()
