"""A lost submit is looked for by the server's clock, and an empty answer says whether it means anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CLIP

import muapi_client
from muapi_client import AsyncJob, Job, Reconciliation
from muapi_client._runtime.clock import VirtualClock
from muapi_client.errors import AuthenticationError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Face, Twin

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)  # on the server
PAUSE = timedelta(minutes=3)  # until a gateway, too, will have given up
LATER = NOW + PAUSE
ANOTHER = CLIP.slug  # a model of the catalogue


class Calendar(VirtualClock):
    """A clock whose calendar is some way off the server's."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        super().__init__(1000.0)
        self.ahead = ahead

    def wall_time(self) -> float:
        """Seconds since the epoch."""
        return (NOW + self.ahead).timestamp() + self.now() - 1000.0


def dated(page: Any, at: datetime = LATER) -> Any:
    return (200, page, {"date": format_datetime(at, usegmt=True)})


def item(name: str, at: Any = NOW, model: str = "new/model") -> dict[str, Any]:
    return {"request_id": name, "model": model, "created_at": at.isoformat() if isinstance(at, datetime) else at}


def lost(face: Face, twin: Twin) -> SubmitOutcomeUnknownError:
    face.server.steps.insert(0, httpx.ReadError("reset"))
    with pytest.raises(SubmitOutcomeUnknownError) as caught:
        face.submit(twin.call)
    return caught.value


def found(face: Face, twin: Twin) -> tuple[list[str], bool]:
    error = lost(face, twin)
    face.mu._clock.sleep(PAUSE.total_seconds())
    result = face.reconcile(error)
    assert face.server.posts == 1, "nothing is submitted"
    return [job.id for job in result.candidates], result.complete


@pytest.mark.parametrize("ahead", [0, 180, 300, 3600, -180, -3600, 86400 * 300])
def test_a_clock_that_is_off_hides_no_job(twin: Twin, ahead: int) -> None:
    page = {"items": [item("mine"), item("older", NOW - timedelta(minutes=5))], "next_cursor": None}
    face = twin(dated(page), clock=Calendar(timedelta(seconds=ahead)))
    assert found(face, twin) == (["mine"], True)


def test_the_jobs_are_this_client_s_and_can_be_waited_for(twin: Twin) -> None:
    done = {"id": "mine", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"]}
    face = twin(dated({"items": [item("mine")]}, NOW), done, clock=Calendar())
    result = face.reconcile(lost(face, twin))
    assert isinstance(result, Reconciliation)
    assert type(result).__module__ == muapi_client.__name__
    (job,) = result
    assert type(job) is (AsyncJob if twin.awaits else Job)
    assert face.go(job.wait()).done


def test_an_empty_history_that_is_whole_means_never_accepted(twin: Twin) -> None:
    assert found(twin(dated({"items": [], "next_cursor": None}), clock=Calendar()), twin) == ([], True)


@pytest.mark.parametrize(
    "step",
    [
        (200, {"items": [], "next_cursor": None}),  # no Date: whose clock is off cannot be told
        (200, {"items": [], "next_cursor": None}, {"date": "soon"}),
        (
            200,
            {"items": [], "next_cursor": None},
            {"date": format_datetime(LATER, usegmt=True), "age": "900"},
        ),  # a cache's
        dated({}),
        dated({"items": None, "next_cursor": None}),
        dated({"items": [], "next_cursor": "more"}),
        dated({"items": [{"status": "completed"}], "next_cursor": None}),
    ],
    ids=repr,
)
def test_an_answer_that_proves_nothing_does_not_read_as_never_accepted(twin: Twin, step: Any) -> None:
    assert found(twin(step, clock=Calendar()), twin) == ([], False)


@pytest.mark.parametrize("odd", ["10000-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99", "", None, 10**400, [], "soon"])
def test_a_time_that_cannot_be_read_breaks_nothing_and_is_offered(twin: Twin, odd: Any) -> None:
    face = twin(dated({"items": [item("odd", odd)], "next_cursor": None}), clock=Calendar())
    assert found(face, twin) == (["odd"], False)


def test_local_times_are_tolerated(twin: Twin) -> None:
    local = (NOW - timedelta(hours=7)).replace(tzinfo=None)
    face = twin((200, {"items": [item("mine", local)], "next_cursor": None}), clock=Calendar())
    assert found(face, twin) == (["mine"], False)


def test_a_job_of_later_is_none_of_it(twin: Twin) -> None:
    face = twin(clock=Calendar())
    later = NOW + timedelta(hours=1)
    error = lost(face, twin)
    face.mu._clock.sleep(3600.0)
    page = {"items": [item("later", later), item("mine", NOW + timedelta(seconds=59))], "next_cursor": None}
    face.server.steps = [dated(page, later)]
    assert [job.id for job in face.reconcile(error)] == ["mine"]


def test_known_jobs_are_none_of_it(twin: Twin, tmp_path: Path) -> None:
    face = twin({"request_id": "known", "status": "processing"}, clock=Calendar(), journal=tmp_path / "jobs.db")
    face.submit(twin.call)
    face.server.steps = [dated({"items": [item("known"), item("mine")], "next_cursor": None})]
    error = SubmitOutcomeUnknownError("lost", call=twin.call, started_at=NOW.timestamp())
    assert [job.id for job in face.reconcile(error)] == ["mine"]


@pytest.mark.parametrize(
    ("model", "is_offered"), [("new/model", True), (ANOTHER, False), ("a-name-of-its-own", True), ("", True)]
)
def test_only_another_model_s_name_rules_a_job_out(twin: Twin, model: str, is_offered: bool) -> None:
    face = twin(dated({"items": [item("r-1", NOW, model)], "next_cursor": None}), clock=Calendar())
    assert found(face, twin) == (["r-1"] if is_offered else [], True)


def test_a_submit_given_up_just_now_may_still_be_accepted(twin: Twin) -> None:
    face = twin(dated({"items": [], "next_cursor": None}, NOW), clock=Calendar())
    result = face.reconcile(lost(face, twin))
    assert (list(result.candidates), result.complete) == ([], False)


def test_a_calendar_that_is_set_does_not_make_it_long_ago(twin: Twin) -> None:
    calendar = Calendar()
    face = twin(dated({"items": [], "next_cursor": None}, NOW), clock=calendar)
    error = lost(face, twin)
    calendar.ahead = timedelta(hours=3)
    assert not face.reconcile(error).complete
    calendar.sleep(PAUSE.total_seconds())
    assert face.reconcile(error).complete


def test_another_process_s_lost_submit_is_looked_for_within_an_hour(twin: Twin, tmp_path: Path) -> None:
    lost(twin(clock=Calendar(), journal=tmp_path / "jobs.db"), twin)
    ages = {"an hour off": timedelta(minutes=55), "of long ago": timedelta(hours=2)}
    page = {"items": [item(name, NOW - age) for name, age in ages.items()], "next_cursor": None}
    face = twin(dated(page, NOW), clock=Calendar(), journal=tmp_path / "jobs.db")
    assert [job.id for job in face.reconcile(face.unknown()[0])] == ["an hour off"]


class TestPages:
    def pages(self, spacing: timedelta) -> Any:
        """A history without end: a hundred items a page, each ``spacing`` older than the one before."""

        def page(request: httpx.Request) -> Any:
            start = int(request.url.params.get("cursor", 0))
            items = [item(str(n), NOW - n * spacing, ANOTHER) for n in range(start, start + 100)]
            return dated({"items": items, "next_cursor": str(start + 100)})

        return page

    def test_it_goes_back_until_before_the_submit(self, twin: Twin) -> None:
        face = twin(self.pages(timedelta(seconds=1)), clock=Calendar())
        assert found(face, twin) == ([], True)
        assert face.server.gets == 3, "120 s of tolerance are two pages, and the third is older"

    def test_it_goes_no_further_than_a_thousand_items(self, twin: Twin) -> None:
        face = twin(self.pages(timedelta(0)), clock=Calendar())
        assert found(face, twin) == ([], False)
        assert face.server.gets == 10

    def test_a_page_longer_than_was_asked_for_hides_no_job(self, twin: Twin) -> None:
        items = [item(str(n), NOW, ANOTHER) for n in range(1000)]
        face = twin(dated({"items": [*items, item("mine")], "next_cursor": None}), clock=Calendar())
        assert found(face, twin) == (["mine"], True)

    def test_a_cursor_that_leads_in_circles_is_left(self, twin: Twin) -> None:
        face = twin(dated({"items": [item("other", NOW, ANOTHER)], "next_cursor": "same"}), clock=Calendar())
        assert found(face, twin) == ([], False)
        assert face.server.gets == 2

    def test_a_page_that_fails_for_a_moment_is_asked_for_again(self, twin: Twin) -> None:
        face = twin((503, ""), (200, "<html>"), dated({"items": [item("mine")]}), clock=Calendar())
        assert found(face, twin) == (["mine"], True)

    def test_a_refusal_is_told(self, twin: Twin) -> None:
        face = twin((401, {"detail": "no"}), clock=Calendar())
        with pytest.raises(AuthenticationError):
            face.reconcile(lost(face, twin))
