"""``looks_per_second``: all waits of a client together look no oftener than that, and what is due first looks first."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Journal, MuAPIError, Polling
from muapi_client.errors import WaitTimeoutError

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Face, Twin

ACCEPTED = {"request_id": "abc", "status": "processing"}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": []}
OFTEN = Polling(minimum=1, maximum=1, jitter=0)


def looks(face: Face) -> list[float]:
    return [
        at - 1000
        for at, request in zip(face.server.times, face.server.requests, strict=True)
        if request.method == "GET"
    ]


def test_looks_keep_the_distance_they_are_told(twin: Twin) -> None:
    face = twin(RUNNING, RUNNING, RUNNING, DONE, polling=OFTEN, looks_per_second=0.1)
    face.wait("abc")
    assert looks(face) == [0, 10, 20, 30]


def test_without_it_they_come_when_they_are_due(twin: Twin) -> None:
    face = twin(RUNNING, RUNNING, RUNNING, DONE, polling=OFTEN)
    face.wait("abc")
    assert looks(face) == [0, 1, 2, 3]


def test_what_with_options_makes_shares_it(twin: Twin) -> None:
    face = twin(DONE, polling=OFTEN, looks_per_second=0.1)
    for other in (face, face.sharing(tag="portraits"), face.sharing(timeout=5).sharing(tag="x")):
        other.wait("abc")
    assert looks(face) == [0, 10, 20]


def test_with_options_may_set_and_lift_it(twin: Twin) -> None:
    face = twin(DONE, looks_per_second=0.1)
    free, slow = face.sharing(looks_per_second=None), face.sharing(looks_per_second=0.01)
    for other in (face, free, free, slow, slow):
        other.wait("abc")
    assert looks(face) == [0, 0, 0, 0, 100]


def test_no_submit_and_no_look_of_ones_own_waits_for_it(twin: Twin) -> None:
    face = twin(ACCEPTED, looks_per_second=0.001)
    face.submit(twin.call)
    face.server.steps = [DONE]
    face.wait("abc")
    face.server.steps = [ACCEPTED]
    face.submit(twin.call)
    face.server.steps = [DONE]
    face.look("abc")
    assert face.server.times == [1000.0] * 4


def test_a_deadline_holds_while_a_look_waits_for_its_turn(twin: Twin) -> None:
    face = twin(RUNNING, polling=OFTEN, looks_per_second=0.01)
    with pytest.raises(WaitTimeoutError, match="looks_per_second left none for it before the deadline") as caught:
        face.wait("abc", timeout=250)
    assert looks(face) == [0, 100, 200]
    assert face.clock.now() == 1250
    assert caught.value.job.id == "abc"


def test_a_wait_that_gives_up_leaves_its_turn_to_the_next(twin: Twin) -> None:
    face = twin(RUNNING, polling=OFTEN, looks_per_second=0.01)
    with pytest.raises(WaitTimeoutError):
        face.wait("abc", timeout=50)
    face.server.steps = [DONE]
    face.wait("abc")
    assert looks(face) == [0, 100]


def test_a_hint_takes_its_turn_like_any_look(twin: Twin) -> None:
    def hinted(_: Any) -> Any:
        face.mu.wake("abc")
        return RUNNING

    face = twin(hinted, DONE, polling=Polling(minimum=100, maximum=100), looks_per_second=0.1)
    face.wait("abc")
    assert looks(face) == [0, 10]


def test_who_waits_for_a_turn_is_known_to_wait(twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another process takes up a job after five minutes, although this one is about to look."""
    face = twin(RUNNING, DONE, journal=tmp_path / "jobs.db", polling=OFTEN, looks_per_second=1 / 1000)
    written: list[float] = []
    begin = Journal.begin_wait

    def note(journal: Journal, *given: Any) -> Any:
        written.append(face.clock.now() - 1000)
        return begin(journal, *given)

    monkeypatch.setattr(Journal, "begin_wait", note)
    face.wait("abc")
    assert looks(face) == [0, 1000]
    assert max(later - earlier for earlier, later in pairwise(written)) <= 121


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), "10", True])
def test_what_is_no_rate_is_refused(twin: Twin, given: Any) -> None:
    words = re.escape("looks_per_second must be a positive number of looks a second, not ")
    with pytest.raises(MuAPIError, match=words):
        twin(DONE, looks_per_second=given)
    with pytest.raises(MuAPIError, match=words):
        twin(DONE).sharing(looks_per_second=given)
