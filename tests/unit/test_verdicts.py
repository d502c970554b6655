"""What a status word means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._types.status import STATES, JobState, job_state, meaning

RUNNING = ["queued", "pending", "processing", "running", "", " ", "starting", "some new word", "complete?"]
DONE = ["completed", "succeeded", "success", "Completed", " COMPLETED "]
FAILED = ["failed", "error", "rejected", "moderated", "content_moderated", "Failed\n"]
CANCELLED = ["cancelled", "canceled", "CANCELED"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (RUNNING, JobState.RUNNING),
        (DONE, JobState.DONE),
        (FAILED, JobState.FAILED),
        (CANCELLED, JobState.CANCELLED),
    ],
    ids=lambda value: str(value)[:20],
)
def test_every_word(words: list[str], expected: JobState) -> None:
    assert {job_state(word, has_outputs=False, has_error=False) for word in words} == {expected}
    assert {job_state(word, has_outputs=True, has_error=False) for word in words} == {expected}


@pytest.mark.parametrize("word", [None, *RUNNING, *DONE])
def test_an_error_without_outputs_is_a_failure(word: str | None) -> None:
    assert job_state(word, has_outputs=False, has_error=True) is JobState.FAILED


@pytest.mark.parametrize("word", DONE)
def test_outputs_outweigh_an_error(word: str) -> None:
    assert job_state(word, has_outputs=True, has_error=True) is JobState.DONE


@pytest.mark.parametrize("word", CANCELLED)
def test_a_cancelled_job_is_not_failed(word: str) -> None:
    assert job_state(word, has_outputs=False, has_error=True) is JobState.CANCELLED


def test_an_empty_error_is_none() -> None:
    assert job_state("processing", has_outputs=False, has_error=False) is JobState.RUNNING


def test_the_documented_words_are_all_there() -> None:
    assert {"queued", "pending", "processing", "completed", "failed", "cancelled"} <= STATES.keys()
    assert all(word == word.strip().lower() for word in STATES)


@given(st.text())
def test_an_unknown_word_never_ends_a_job(word: str) -> None:
    if word.strip().lower() not in STATES:
        assert job_state(word, has_outputs=True, has_error=True) is JobState.RUNNING


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text()) | st.text())
def test_meaning_takes_whatever_comes(status: object) -> None:
    assert isinstance(meaning(status), JobState)
