"""Words of messages: the article of a name, and texts cut where that shows."""

from __future__ import annotations

import pytest

from muapi_client._types.words import quote, with_article


@pytest.mark.parametrize(
    "name", ["HTTPTransport", "AsyncHTTPTransport", "int", "object", "SSLContext", "Unset", "MPEG"]
)
def test_a_name_spoken_with_a_vowel_has_the_article_an(name: str) -> None:
    assert with_article(name) == f"an {name}"


@pytest.mark.parametrize(
    "name", ["Client", "URL", "UUID", "UserDict", "Uniform", "MuAPI", "str", "NoneType", "SimpleX", "_A"]
)
def test_every_other_name_has_the_article_a(name: str) -> None:
    assert with_article(name) == f"a {name}"


def test_a_cut_shows_within_the_quotes() -> None:
    assert (quote("abc", 3), quote("abcd", 3)) == ("'abc'", "'abc…'")
