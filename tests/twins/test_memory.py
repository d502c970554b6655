"""What a client remembers of its paid jobs, with a journal and without, and what its user may tell it of them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Job, Journal, errors, raw_call

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Twin

COST = {"amount_usd": 0.2, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "r-1", "status": "processing", "cost": COST}
DONE = {"id": "r-1", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": COST}
LOST = (502, "<html>")


@pytest.fixture(params=["journal", "without"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """A journal's path, or None."""
    return tmp_path / "jobs.db" if request.param == "journal" else None


def lose(face: Any, twin: Twin) -> errors.SubmitOutcomeUnknownError:
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        face.submit(twin.call)
    return caught.value


def test_a_finished_job_stays_readable(twin: Twin, journal: Path | None) -> None:
    face = twin(ACCEPTED, DONE, journal=journal, tag="portraits")
    face.run(twin.call)
    (entry,) = face.jobs()
    assert (entry.state, entry.request_id, entry.slug, entry.call) == ("completed", "r-1", "new/model", twin.call)
    assert (entry.cost.charged_usd, entry.tag, entry.origin) == (Decimal("0.2"), "portraits", "https://api.muapi.ai")
    assert [output.url for output in entry.outputs] == ["https://cdn.muapi.ai/outputs/1.png"]
    assert (face.resume(), face.unknown()) == ([], [])


def test_jobs_can_be_narrowed(twin: Twin, journal: Path | None) -> None:
    face = twin(ACCEPTED, {**ACCEPTED, "request_id": "r-2"}, LOST, journal=journal, tag="a")
    face.submit(twin.call)
    face.sharing(tag="b").submit(raw_call("other/model", {}))
    lose(face, twin)
    now = datetime.now(UTC)
    assert [entry.request_id for entry in face.jobs()] == ["r-1", "r-2", None]
    assert [entry.request_id for entry in face.jobs(state="accepted")] == ["r-1", "r-2"]
    assert [entry.request_id for entry in face.jobs(slug="other/model")] == ["r-2"]
    assert [entry.request_id for entry in face.jobs(tag="a")] == ["r-1", None]
    assert len(face.jobs(since=now - timedelta(hours=1))) == 3
    assert face.jobs(since=now + timedelta(hours=1)) == []
    with pytest.raises(errors.MuAPIError, match="state must be one of"):
        face.jobs(state="done")
    with pytest.raises(errors.MuAPIError, match="time zone"):
        face.jobs(since=now.replace(tzinfo=None))


def test_an_accepted_job_can_be_taken_up_again(twin: Twin, journal: Path | None) -> None:
    face = twin(ACCEPTED, DONE, journal=journal)
    face.submit(twin.call)
    (job,) = face.resume()
    assert (job.id, job.call) == ("r-1", twin.call)
    assert face.wait(job).done
    assert face.resume() == []


def test_a_submit_that_is_under_way_is_not_told_as_lost(twin: Twin, journal: Path | None) -> None:
    seen: list[int] = []

    def look_around(_: Any) -> Any:
        seen.append(len(face.server.requests) and len(list(_unknown(face))))
        return ACCEPTED

    face = twin(look_around, journal=journal)
    face.submit(twin.call)
    assert seen == [0]


def _unknown(face: Any) -> list[Any]:
    """The client's unknown submits, asked for while it is in the middle of one: on another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(face.unknown).result()  # type: ignore[no-any-return]


def test_the_user_may_say_that_a_lost_submit_was_never_accepted(twin: Twin, journal: Path | None) -> None:
    face = twin(LOST, journal=journal, max_spend=Decimal(1), unpriced=Decimal("0.75"))
    error = lose(face, twin)
    assert face.spend.in_doubt_usd == Decimal("0.75")
    with pytest.raises(errors.SpendLimitError, match=r"0\.75 USD set aside"):
        face.submit(twin.call)
    face.settle(error, None)
    assert (face.unknown(), face.jobs(), face.spend.reserved_usd) == ([], [], 0)
    if journal is not None:
        assert Journal(journal).entries() == []
    lose(face, twin)  # there is room for it again


@pytest.mark.parametrize("as_job", [True, False])
def test_the_user_may_say_which_job_a_lost_submit_is(twin: Twin, journal: Path | None, as_job: bool) -> None:
    face = twin(LOST, DONE, journal=journal, max_spend=Decimal(1), unpriced=Decimal("0.75"))
    lose(face, twin)
    (entry,) = face.unknown()
    face.settle(entry, Job("r-1") if as_job else "r-1")
    assert [job.id for job in face.resume()] == ["r-1"]
    assert (face.spend.in_doubt_usd, face.spend.reserved_usd) == (0, Decimal("0.75"))
    assert face.wait("r-1").done
    assert (face.spend.total_usd, face.spend.reserved_usd, face.spend.requests) == (Decimal("0.2"), 0, 1)
    with pytest.raises(errors.MuAPIError, match="nothing to settle"):
        face.settle(face.jobs()[0], None)


def test_no_two_submits_are_settled_by_one_job(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    before = twin(LOST, LOST, journal=path)
    lose(before, twin)
    lose(before, twin)
    face = twin(LOST, journal=path)  # which remembers neither
    mine = lose(face, twin)
    first, second, _ = face.unknown()
    face.settle(first, "r-1")
    for other in (second, mine):
        with pytest.raises(errors.MuAPIError, match=r"job r-1 is another submit's"):
            face.settle(other, "r-1")
    assert [job.id for job in face.resume()] == ["r-1"]
    assert len(face.unknown()) == 2


def test_a_lost_submit_of_another_process_can_be_settled_too(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    lose(twin(LOST, journal=path), twin)
    face = twin(DONE, journal=path)
    (entry,) = face.unknown()
    face.settle(entry, "r-1")
    assert [job.id for job in face.resume()] == ["r-1"]
    assert face.unknown() == []


def test_a_lost_submit_clears_by_its_users_word_on_its_only_candidate(twin: Twin, journal: Path | None) -> None:
    def history(_: Any) -> Any:
        now = datetime.now(UTC)
        item = {"request_id": "r-9", "model": "new/model", "created_at": now.isoformat()}
        head = {"date": format_datetime(now + timedelta(minutes=5), usegmt=True)}
        return 200, {"items": [item], "next_cursor": None}, head

    face = twin(LOST, history, {**DONE, "id": "r-9"}, journal=journal)
    error = lose(face, twin)
    face.mu._clock.sleep(300)
    found = face.reconcile(error)
    assert ([job.id for job in found.candidates], found.complete) == (["r-9"], True)
    assert face.wait(found.candidates[0]).done
    assert len(face.unknown()) == 1, "a candidate alone proves nothing, however it ended"
    face.settle(error, found.candidates[0])
    assert face.unknown() == []
    assert face.wait(found.candidates[0]).done
    assert [(entry.state, entry.request_id) for entry in face.jobs()] == [("completed", "r-9")]
    assert (face.spend.requests, face.spend.total_usd) == (1, Decimal("0.2"))


def test_what_another_client_has_settled_is_not_settled_otherwise(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    face = twin(LOST, DONE, journal=path)
    error = lose(face, twin)
    other = twin(DONE, journal=path)
    (entry,) = other.unknown()
    other.settle(entry, "r-1")
    for word in (None, "r-2"):
        with pytest.raises(errors.MuAPIError, match=r"known to be accepted, as job r-1: there is nothing to settle"):
            face.settle(error, word)
    assert (face.unknown(), face.spend.in_doubt_usd, face.spend.requests) == ([], 0, 1)
    assert [(each.state, each.request_id) for each in face.jobs()] == [("accepted", "r-1")]
    assert face.wait("r-1").done
    with pytest.raises(errors.MuAPIError, match="known to be completed, as job r-1"):
        face.settle(error, None)
    assert (face.spend.total_usd, face.spend.requests) == (Decimal("0.2"), 1)


def test_what_another_client_has_withdrawn_can_be_waited_for_all_the_same(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    face = twin(LOST, DONE, journal=path)
    error = lose(face, twin)
    other = twin(DONE, journal=path)
    other.settle(other.unknown()[0], None)
    face.settle(error, "r-1")
    assert face.wait("r-1").done
    assert (face.unknown(), face.spend.total_usd, face.spend.requests) == ([], Decimal("0.2"), 1)


def test_entries_are_this_account_s_unless_all_are_asked_for(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    twin(ACCEPTED, journal=path).submit(twin.call)
    lose(twin(LOST, journal=path, api_key="another-key-0123456789"), twin)
    mine, theirs = twin(ACCEPTED, journal=path), twin(ACCEPTED, journal=path, api_key="another-key-0123456789")
    assert ([job.id for job in mine.resume()], mine.unknown(), len(mine.jobs())) == (["r-1"], [], 1)
    assert (theirs.resume(), len(theirs.unknown()), len(theirs.jobs())) == ([], 1, 1)
    assert len(mine.unknown(all_accounts=True)) == len(theirs.resume(all_accounts=True)) == 1
    assert len(mine.jobs(all_accounts=True)) == 2
    assert twin.key.encode() not in path.read_bytes()


def test_a_history_of_another_key_proves_nothing_of_a_submit(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    lose(twin(LOST, journal=path, api_key="another-key-0123456789"), twin)
    empty = (200, {"items": [], "next_cursor": None}, {"date": format_datetime(datetime.now(UTC), usegmt=True)})
    mine = twin(empty, journal=path)
    mine.mu._clock.sleep(7200)
    (entry,) = mine.unknown(all_accounts=True)
    with pytest.raises(errors.MuAPIError, match="another API key"):
        mine.reconcile(entry)
    assert mine.server.requests == []
    theirs = twin(empty, journal=path, api_key="another-key-0123456789")
    assert theirs.reconcile(entry).candidates == ()


def test_another_clients_error_cannot_be_settled_by_name_alone(twin: Twin) -> None:
    with pytest.raises(errors.MuAPIError, match=r"mu\.unknown\(\) lists"):
        twin(ACCEPTED).settle(errors.SubmitOutcomeUnknownError("lost"), None)


def test_what_the_journal_holds_can_be_forgotten_but_for_the_books(twin: Twin, tmp_path: Path) -> None:
    face = twin(ACCEPTED, DONE, journal=tmp_path / "jobs.db")
    face.run(twin.call)
    later = datetime.now(UTC) + timedelta(seconds=5)
    assert face.forget(before=later, bodies=False) == 1
    assert face.forget(before=later) == 1
    (entry,) = Journal(tmp_path / "jobs.db").entries()
    assert (entry.call, entry.state, entry.cost.charged_usd) == (None, "completed", Decimal("0.2"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_does_not_tell_of_its_parent_s_submits(twin: Twin) -> None:
    face = twin(LOST)
    lose(face, twin)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(len(list(face.mu._context.memory.unknown()))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert (os.read(reading, 9), len(face.unknown())) == (b"0", 1)
    os.close(reading)
    os.close(writing)


def test_where_a_job_s_outputs_were_saved_is_remembered(twin: Twin, journal: Path | None, tmp_path: Path) -> None:
    done = {"id": "r-1", "status": "completed", "outputs": ["a word"], "cost": COST}
    face = twin(ACCEPTED, done, journal=journal)
    prediction = face.run(twin.call)
    assert face.jobs()[0].files == ()
    (saved,) = face.download(prediction, tmp_path / "out")
    (entry,) = face.jobs()
    assert (entry.files, saved.read_text()) == ((saved,), "a word")


def test_the_journal_notes_the_kind_of_key_once_it_is_settled(twin: Twin, tmp_path: Path) -> None:
    face = twin(ACCEPTED, DONE, journal=tmp_path / "jobs.db")
    face.run(twin.call)
    face.run(twin.call)
    assert [entry.key_kind for entry in Journal(tmp_path / "jobs.db").entries()][-1] == "live"


class TestOddAnswers:
    """Answers that fit no row, and words that come twice."""

    def test_a_429_that_tells_of_a_job_is_not_sent_again(self, twin: Twin) -> None:
        failed = {"detail": {"request_id": "r-1", "status": "failed", "error": "upstream rate limit", "cost": COST}}
        face = twin((429, failed), ACCEPTED)
        with pytest.raises(errors.JobFailedError):
            face.submit(twin.call)
        assert (face.server.posts, face.spend.total_usd) == (1, Decimal("0.2"))

    def test_a_429_that_tells_a_charge_is_not_sent_again(self, twin: Twin) -> None:
        face = twin((429, {"detail": "busy"}, {"x-muapi-cost-usd": "0.2"}), ACCEPTED)
        with pytest.raises(errors.RateLimitError):
            face.submit(twin.call)
        assert (face.server.posts, face.spend.total_usd) == (1, Decimal("0.2"))

    @pytest.mark.parametrize("by_id", [True, False])
    def test_a_refund_told_alone_is_of_the_charge_the_submit_told(self, twin: Twin, by_id: bool) -> None:
        refunded = ({"request_id": "r-1", "status": "failed", "error": "no"}, {"x-muapi-cost-refunded": "true"})
        face = twin(ACCEPTED, (200, *refunded))
        job = face.submit(twin.call)
        with pytest.raises(errors.JobFailedError):
            face.wait(job.id if by_id else job)
        assert face.spend.total_usd == 0

    def test_a_doubt_outlives_any_number_of_ended_jobs(self, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("muapi_client._state.memory.KEPT_ENDED", 2)
        answers = iter([{"outputs": ["w"]}, *({**DONE, "id": f"r-{number}"} for number in range(5))])
        face = twin(lambda _: next(answers), max_spend=Decimal(9), unpriced=Decimal("0.3"))
        for _ in range(6):
            face.run(twin.call)
        assert face.spend.in_doubt_usd == face.spend.reserved_usd == Decimal("0.3")
        assert len(face.jobs()) == 3

    def test_one_request_answered_to_two_submits_is_one(self, twin: Twin, journal: Path | None) -> None:
        started = {"request_id": "r-1", "status": "processing"}
        face = twin(started, started, DONE, journal=journal, max_spend=Decimal(9), unpriced=Decimal("0.5"))
        face.submit(twin.call)
        face.submit(twin.call)
        assert face.wait("r-1").done
        assert (face.spend.requests, face.spend.reserved_usd, face.resume()) == (1, 0, [])

    @pytest.mark.parametrize("by", ["error", "entry"])
    @pytest.mark.parametrize("first", ["r-1", None])
    def test_what_is_settled_is_not_settled_again(
        self, twin: Twin, journal: Path | None, by: str, first: str | None
    ) -> None:
        face = twin(LOST, journal=journal)
        error = lose(face, twin)
        lost = error if by == "error" else face.unknown()[0]
        face.settle(lost, first)
        with pytest.raises(errors.MuAPIError, match=r"nothing to settle|settled already"):
            face.settle(lost, None)
        assert [job.id for job in face.resume()] == ([first] if first else [])

    @pytest.mark.parametrize("word", ["", "  ", 5, object(), b"r-1"])
    def test_a_word_that_names_no_job_settles_nothing(self, twin: Twin, word: Any) -> None:
        face = twin(LOST)
        error = lose(face, twin)
        with pytest.raises(errors.MuAPIError, match="settle takes a job"):
            face.settle(error, word)
        assert len(face.unknown()) == 1
