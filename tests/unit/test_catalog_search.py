"""Questions asked of the catalogue in plain words, and what comes first."""

from __future__ import annotations

import gc
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client._catalog.index import Index
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTIONS = [
    (question["ask"], question["slug"])
    for name in ("plain", "roundabout")
    for question in tomllib.loads((Path(__file__).parents[1] / f"questions/{name}.toml").read_text("utf-8"))["question"]
]
FIRST = 5  # among which a right model has to be
ANSWERED = 54  # of 60 questions; the others are told
WORDS = sorted({word for ask, _ in QUESTIONS for word in re.findall(r"\w+", ask)})


def slugs(*words: str, **narrowed: Any) -> list[str]:
    return [model.slug for model in catalog.find(*words, **narrowed)]


def test_plain_questions_find_a_right_model_among_the_first_five() -> None:
    answers = {ask: slugs(ask, limit=FIRST) for ask, _ in QUESTIONS}
    missed = [ask for ask, right in QUESTIONS if not any(re.search(right, slug) for slug in answers[ask])]
    assert len(QUESTIONS) == 60
    assert len(missed) <= len(QUESTIONS) - ANSWERED, {ask: answers[ask] for ask in missed}


def test_every_slug_comes_first_when_it_is_asked_for() -> None:
    for model in catalog.all():
        assert slugs(model.slug, limit=1) == [model.slug]


def test_words_in_one_text_are_words_in_any_case() -> None:
    assert slugs("Flux dev", " kontext ") == slugs("flux", "DEV", "kontext") != []
    assert slugs("flux dev") != slugs("flux")
    assert IMAGE.slug in slugs(*re.split("[-_]", IMAGE.slug), kind="image")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("upscael a vidoe", "upscale a video"),
        ("text to speach", "text to speech"),
        ("remove the backgruond", "remove the background"),
        ("sedance", "seedance"),
    ],
)
def test_a_typing_error_finds_what_was_meant(wrong: str, right: str) -> None:
    assert slugs(wrong) == slugs(right) != []


def test_a_part_of_a_name_finds_the_name() -> None:
    assert {*slugs("kontex")} == {*slugs("kontext")} != set()
    assert {*slugs("flu")} >= {*slugs("flux")}


@pytest.mark.parametrize(
    ("one", "other"),
    [("kling v2.1", "kling 2.1"), ("wan v2.1", "wan2.1"), ("veo 3", "veo3"), ("claude opus 4.5", "claude-opus-4-5")],
)
def test_a_version_is_found_however_it_is_written(one: str, other: str) -> None:
    first = slugs(other, limit=1)
    assert first
    assert first[0] in slugs(one, limit=8)


def test_endings_do_not_count_and_likeness_of_stems_is_no_likeness() -> None:
    assert slugs("upscaler") == slugs("upscaling") == slugs("upscalers") != []
    assert not [slug for slug in slugs("animate", limit=3) if "anime" in slug]


def test_what_is_sorted_by_price_has_most_of_what_was_asked_for() -> None:
    asked = "image to video 1080p"
    by_price = catalog.find(asked, takes="last_frame", sort="price")
    assert {*by_price} <= {*catalog.find(asked, takes="last_frame")}
    for model in by_price:
        assert "1080p" in f"{model.slug} {[field.choices for field in model.fields]}".lower()
    prices = [model.price.known_usd for model in by_price if model.price and model.price.known_usd]
    assert prices == sorted(prices)
    assert slugs(asked, sort="name") == sorted(slugs(asked, sort="name"))


def test_what_nobody_has_finds_nothing() -> None:
    assert slugs("xyzzyx") == slugs("???") == []
    assert slugs("flux", group="audio") == []


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=6))
@settings(deadline=None)
def test_any_question_has_an_answer_of_models_each_once(words: list[str]) -> None:
    found = slugs(*words)
    assert len(found) == len({*found})
    assert found == slugs(*words)


def test_a_question_of_thousands_of_words_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(MuAPIError, match="has 100 words at most, and this one has 5,000: ask for what"):
        catalog.find(*["image"] * 5000)
    with pytest.raises(MuAPIError, match="101"):
        catalog.find("flux, " * 101)
    assert catalog.find("flux, " * 100)


def test_threads_may_ask_at_once() -> None:
    asked = [ask for ask, _ in QUESTIONS] * 2
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(slugs, asked)) == [slugs(ask) for ask in asked]


FORKING = """
import os, threading
from muapi_client import catalog

going = True
def ask():
    while going:
        catalog.find("text to speach")

threads = [threading.Thread(target=ask) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(10):
    child = os.fork()
    if not child:
        os._exit(not catalog.find("upscale a picture"))
    assert os.waitpid(child, 0)[1] == 0
going = False
for thread in threads:
    thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_that_is_forked_while_threads_ask_asks_as_well() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=120)


@pytest.fixture
def without_full_text(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Python whose SQLite was compiled without FTS5, and that has asked nothing yet."""

    class Connection:
        def execute(self, statement: str) -> None:
            raise sqlite3.OperationalError(f"no such module: {'fts5' if 'fts5' in statement else statement}")

        def close(self) -> None:
            pass

    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: Connection())
    catalog._search.cache_clear()
    yield
    catalog._search.cache_clear()


@pytest.mark.usefixtures("without_full_text")
def test_a_python_without_a_full_text_index_is_told_what_works() -> None:
    with pytest.raises(MuAPIError, match=r"no full-text index, FTS5 \(no such module: fts5\); catalog\.get\(slug\)"):
        catalog.find("flux")
    assert catalog.find(kind="image", sort="price")
    assert catalog.get(IMAGE.slug)


def test_an_index_that_is_dropped_leaves_no_database_open() -> None:
    index = Index({"fox": "a red fox"})
    assert index.find("fox")
    table = index._table
    del index
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        table.execute("SELECT 1")


def test_what_searches_loads_with_the_first_question() -> None:
    code = (
        "import sys\nfrom muapi_client import catalog\ncatalog.find(kind='image', takes='image')\n"
        "late = {'sqlite3', 'muapi_client._catalog.search'}\n"
        "assert not late & sys.modules.keys()\ncatalog.find('flux')\nassert late <= sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
