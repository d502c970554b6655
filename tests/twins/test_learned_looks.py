"""A client learns how long a model's jobs take, of its own and its journal, and looks where they are likely to end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Journal, MuAPIError, Polling, Prediction, raw_call
from muapi_client.errors import JobFailedError, JournalError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx
    from twins.conftest import Face, Twin

PICTURE = "https://cdn.muapi.ai/outputs/1.png"
COST = {"amount_usd": 0.0042, "amount_credits": 1}
LONG = 300.0  # seconds


class Jobs:
    """A server whose jobs take as long as told, one after another; the last length repeats.

    Attributes:
        face: The client that asks, whose clock is the server's.
        ending: What the answer to a look at a job that has ended holds beside its id.
        headers: Those of every look's answer.
        silence: From when to when no look at a job is answered, in seconds since its acceptance.
    """

    def __init__(self, twin: Twin, *lengths: float, **options: Any) -> None:
        self.face: Face = twin(self._answer, **options)
        self.lengths = list(lengths)
        self.ends: list[float] = []
        self.looks: list[list[float]] = []  # of each job, in seconds since its acceptance
        self.ending: dict[str, Any] = {"status": "completed", "outputs": [PICTURE]}
        self.headers: dict[str, str] = {}
        self.silence = (0.0, 0.0)

    def run(self, count: int, call: Any, **options: Any) -> list[list[float]]:
        """Run jobs one after another; returns their looks."""
        for _ in range(count):
            self.face.run(call, **options)
        return self.looks[-count:]

    def _answer(self, request: httpx.Request) -> Any:
        now = self.face.clock.now()
        if request.method == "POST":
            self.accepted_at = now
            self.ends.append(now + (self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]))
            self.looks.append([])
            return {"request_id": f"job-{len(self.ends) - 1}", "status": "processing", "cost": COST}
        name = request.url.path.split("/")[-2]
        number = int(name.removeprefix("job-"))
        if self.silence[0] <= now - self.accepted_at < self.silence[1]:
            return 503, ""
        self.looks[number].append(now - self.accepted_at)
        told = self.ending if now >= self.ends[number] else {"status": "processing"}
        return 200, {"id": name, "cost": COST, **told}, self.headers


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    journal = Journal(tmp_path / "jobs.db")
    yield journal
    journal.close()


def write_jobs(journal: Journal, call: Any, *, seconds: float, count: int, key: str = "") -> None:
    """Write down jobs that end now, each of them submitted so long ago."""
    account = journal.account("https://api.muapi.ai", key) if key else None
    for number in range(count):
        begun = datetime.now(UTC) - timedelta(seconds=seconds)
        name = f"{call.operation.slug}-{seconds}-{number}"
        journal.intend(name, call, account, intended_at=begun)
        journal.accept(name, name, None)
        journal.finish(Prediction(name, "completed"), key=name)


def early(looks: list[float], length: float = LONG) -> int:
    """How many looks came before half of a job's length."""
    return sum(look < length / 2 for look in looks)


def test_looks_are_few_before_a_job_is_likely_done_and_many_then(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    first, *_, last = jobs.run(12, twin.call)
    assert len(first) > 60
    assert len(last) <= 25
    assert last[0] > 5.0, "nobody looks at once at a job that takes minutes"
    assert early(first) > 40
    assert early(last) <= 9
    assert last[-1] - LONG < 2.0


def test_three_jobs_are_enough_to_begin_with(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    looks = [len(one) for one in jobs.run(4, twin.call)]
    assert min(looks[:3]) > 60
    assert looks[3] <= 30


def test_jobs_that_grow_faster_are_soon_found_faster(twin: Twin) -> None:
    jobs = Jobs(twin, *[LONG] * 10, 10.0)
    jobs.run(10, twin.call)
    late = [looks[-1] - 10.0 for looks in jobs.run(20, twin.call)]
    assert max(late) < 60
    assert max(late[-5:]) < 4


@pytest.mark.parametrize("polling", [Polling(), Polling(learn=False, maximum=20.0)], ids=repr)
def test_a_polling_of_ones_own_is_kept_to(twin: Twin, polling: Polling) -> None:
    jobs = Jobs(twin, LONG, polling=polling)
    for looks in jobs.run(6, twin.call):
        assert looks[0] == polling.minimum
        assert early(looks) > 40
        for earlier, later in pairwise(looks):
            longest = min(max(polling.share * earlier, polling.minimum), polling.maximum)
            assert (1 - polling.jitter) * longest - 1e-6 <= later - earlier <= longest + 1e-6


def test_a_polling_that_learns_keeps_its_bounds(twin: Twin) -> None:
    jobs = Jobs(twin, LONG, polling=Polling(learn=True, minimum=4.0, maximum=15.0, jitter=0.0))
    *_, last = jobs.run(8, twin.call)
    gaps = [later - earlier for earlier, later in pairwise([0.0, *last])]
    assert min(gaps) >= 4.0 - 1e-6
    assert max(gaps) <= 15.0 + 1e-6


@pytest.mark.parametrize("learn", [None, 1, "yes"])
def test_learn_is_true_or_false(learn: Any) -> None:
    with pytest.raises(MuAPIError, match="learn of Polling must be True or False"):
        Polling(learn=learn)


def test_a_polling_tells_the_bound_it_has() -> None:
    assert Polling().maximum == 10.0
    assert Polling(learn=True).maximum == 60.0
    assert Polling(learn=True, maximum=7).maximum == 7.0


def test_the_server_may_ask_for_more_patience_than_was_learned(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(6, twin.call)
    jobs.headers = {"retry-after": "45"}
    (looks,) = jobs.run(1, twin.call)
    assert all(later - earlier >= 45 for earlier, later in pairwise(looks))


def test_other_options_share_what_was_learned(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(6, twin.call)
    jobs.face = jobs.face.sharing(wait_timeout=900.0)
    (looks,) = jobs.run(1, twin.call)
    assert early(looks) <= 9


def test_another_model_is_not_known(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(6, twin.call)
    (looks,) = jobs.run(1, raw_call("another/model", {"prompt": "a red fox"}))
    assert early(looks) > 40


def test_the_length_of_a_video_is_learned_apart(twin: Twin) -> None:
    short, long = (raw_call("new/video", {"prompt": "a red fox", "duration": seconds}) for seconds in (5, 10))
    jobs = Jobs(twin, *[LONG, 2 * LONG] * 12)
    for _ in range(11):
        jobs.run(1, short)
        jobs.run(1, long)
    (looks,) = jobs.run(1, short)
    assert looks[-1] - LONG < 2.0
    (looks,) = jobs.run(1, long)
    assert sum(LONG - 20 < look < LONG + 60 for look in looks) <= 4, "no short one's end is awaited"
    assert looks[-1] - 2 * LONG < 3.0


def test_jobs_that_fail_early_teach_when_to_look_for_the_next_that_does(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(10, twin.call)
    jobs.lengths, jobs.ending = [5.0], {"status": "failed", "error": "NSFW"}
    for _ in range(8):
        with pytest.raises(JobFailedError):
            jobs.face.run(twin.call)
    assert jobs.looks[-1][-1] < 12.0
    jobs.lengths, jobs.ending = [LONG], {"status": "completed", "outputs": [PICTURE]}
    (looks,) = jobs.run(1, twin.call)
    assert len(looks) <= 40, "half of the jobs end early, so that a long one may cost more"
    assert looks[-1] - LONG < 5.0


def test_a_job_that_fails_at_once_is_told_long_before_its_kind_would_end(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(10, twin.call)
    jobs.lengths, jobs.ending = [3.0], {"status": "failed", "error": "NSFW"}
    with pytest.raises(JobFailedError):
        jobs.face.run(twin.call)
    assert jobs.looks[-1][-1] <= 60


def test_a_job_that_is_submitted_and_waited_for_apart_teaches_and_is_looked_at_alike(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    for _ in range(8):
        jobs.face.wait(jobs.face.submit(twin.call))
    assert jobs.looks[-1][0] == 0.0, "who asks for a wait is told how it stands"
    assert early(jobs.looks[-1]) <= 10


@pytest.mark.parametrize("seconds", [40.0, 3000.0])
def test_a_job_that_was_done_before_anyone_looked_teaches_nothing(twin: Twin, seconds: float) -> None:
    jobs = Jobs(twin, 10.0)
    for _ in range(6):
        job = jobs.face.submit(twin.call)
        jobs.face.clock.sleep(seconds)
        jobs.face.wait(job)
    (looks,) = jobs.run(1, twin.call)
    assert looks[0] == 0.5


def test_an_end_that_a_long_silence_hides_teaches_nothing(twin: Twin) -> None:
    jobs = Jobs(twin, 10.0)
    jobs.silence = (5.0, 1000.0)
    jobs.run(6, twin.call)
    jobs.silence = (0.0, 0.0)
    (looks,) = jobs.run(1, twin.call)
    assert looks[0] == 0.5


def test_a_short_silence_hides_nothing(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.silence = (LONG - 20, LONG - 15)
    jobs.run(6, twin.call)
    (looks,) = jobs.run(1, twin.call)
    assert early(looks) <= 11


def test_a_job_taken_up_late_is_looked_at_by_its_age(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(12, twin.call)
    job = jobs.face.submit(twin.call)
    jobs.face.clock.sleep(LONG - 10)
    jobs.face.wait(job)
    assert jobs.looks[-1][0] == LONG - 10
    assert jobs.looks[-1][-1] - LONG < 5.0


def test_the_deadline_holds_against_a_learned_pause(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.run(12, twin.call)
    for timeout in (0.4, 2.0, 30.0, 100.0):
        begun = jobs.face.clock.now()
        with pytest.raises(WaitTimeoutError):
            jobs.face.run(twin.call, timeout=timeout)
        assert max(0.0, timeout - 1.0) <= jobs.face.clock.now() - begun <= timeout
        assert jobs.looks[-1] or timeout < 1.0, "it is looked at before it is given up"


def test_the_word_of_the_server_is_taken_where_it_lies_between_the_looks(twin: Twin) -> None:
    jobs = Jobs(twin, LONG)
    jobs.ending |= {"executionTime": 1000.0 * LONG}
    *_, last = jobs.run(6, twin.call)
    assert last[-1] - LONG < 1.0
    jobs.ending |= {"executionTime": 20_000.0}  # it ran for 20 s and stood in a queue before
    *_, last = jobs.run(12, twin.call)
    assert last[-1] - LONG < 2.0
    assert sum(look < 60 for look in last) <= 3


def test_a_journal_teaches_a_new_client(twin: Twin, journal: Journal) -> None:
    write_jobs(journal, twin.call, seconds=LONG, count=20, key=twin.key)
    jobs = Jobs(twin, LONG + 1.0, journal=journal)
    (looks,) = jobs.run(1, twin.call)
    assert len(looks) <= 25
    assert early(looks) <= 9
    assert looks[-1] - LONG < 5.0


def test_a_journal_teaches_of_a_wait_as_of_a_run(twin: Twin, journal: Journal) -> None:
    write_jobs(journal, twin.call, seconds=LONG, count=20, key=twin.key)
    jobs = Jobs(twin, LONG, journal=journal)
    jobs.face.wait(jobs.face.submit(twin.call))
    assert early(jobs.looks[-1]) <= 10


def test_another_account_of_the_journal_teaches_nothing(twin: Twin, journal: Journal) -> None:
    write_jobs(journal, twin.call, seconds=LONG, count=20, key="sk-live-another")
    (looks,) = Jobs(twin, LONG, journal=journal).run(1, twin.call)
    assert early(looks) > 40


def test_a_journal_is_asked_once(twin: Twin, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_questions(journal, monkeypatch)
    jobs = Jobs(twin, 10.0, journal=journal)
    jobs.run(4, twin.call)
    jobs.face.wait("job-0")
    assert len(asked) == 1


def test_a_polling_that_learns_nothing_asks_no_journal(
    twin: Twin, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_questions(journal, monkeypatch)
    Jobs(twin, 10.0, journal=journal, polling=Polling()).run(2, twin.call)
    assert asked == []


def test_a_journal_that_cannot_tell_durations_ends_no_wait(
    twin: Twin, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise JournalError("disk I/O error")

    monkeypatch.setattr(journal, "durations", refuse)
    (looks,) = Jobs(twin, 10.0, journal=journal).run(1, twin.call)
    assert looks[0] == 0.5


def count_questions(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the journal is asked of durations, as it is asked."""
    asked: list[Any] = []
    tell: Callable[..., Any] = journal.durations

    def note(*args: Any, **named: Any) -> Any:
        asked.append(json.dumps([str(args), str(named)]))
        return tell(*args, **named)

    monkeypatch.setattr(journal, "durations", note)
    return asked
