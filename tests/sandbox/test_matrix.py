"""No live answer is called sandbox, nor a sandbox one live; what nothing settles is None."""

from __future__ import annotations

import pytest
from matrix import ANSWERS, ECHOES, FATES, VIEWS, Judged, judged, table


@pytest.fixture(scope="module")
def found() -> list[Judged]:
    return judged()


def of(found: list[Judged], truth: str, *cases: str) -> list[Judged]:
    return [one for one in found if one.truth == truth and (not cases or one.case in cases)]


def test_half_of_the_answers_are_live(found: list[Judged]) -> None:
    assert (len(found), len(of(found, "live"))) == (ANSWERS, ANSWERS // 2)
    assert {one.case for one in of(found, "live")} == {*FATES, *ECHOES}
    assert {one.case for one in of(found, "sandbox")} >= {"media", "text and data"}


@pytest.mark.parametrize("view", VIEWS)
def test_no_live_answer_is_called_sandbox(found: list[Judged], view: str) -> None:
    assert [one for one in of(found, "live") if one.verdicts[view] is True] == []


@pytest.mark.parametrize("view", VIEWS)
def test_no_sandbox_answer_is_called_live(found: list[Judged], view: str) -> None:
    assert [one for one in of(found, "sandbox") if one.verdicts[view] is False] == []


@pytest.mark.parametrize(("view", "share"), [("client", 0.99), ("listed", 1.0)])
def test_sandbox_answers_are_called_sandbox(found: list[Judged], view: str, share: float) -> None:
    answers = of(found, "sandbox")
    assert sum(one.verdicts[view] is True for one in answers) >= share * len(answers), table(found)


def test_a_sample_is_told_by_itself(found: list[Judged]) -> None:
    samples = of(found, "sandbox", "media")
    assert len(samples) > ANSWERS // 4
    assert all(one.verdicts["alone"] is True for one in samples)


def test_text_by_itself_is_never_guessed_at(found: list[Judged]) -> None:
    assert {one.verdicts["alone"] for one in of(found, "sandbox", "text and data")} == {None}


def test_no_verdict_without_evidence(found: list[Judged]) -> None:
    assert all(one.evidence for one in found)
