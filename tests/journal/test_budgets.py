"""A budget holds over every client and process that shares a journal, restarts included."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image, make_video
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muapi_client import AsyncMuAPI, Budget, Cost, Journal, MuAPI, MuAPIError, Prediction, errors, raw_call
from muapi_client._runtime.clock import VirtualClock
from muapi_client._state.journal.limits import Limit, scope_of
from muapi_client._types.budget import PERIODS
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from places import Place

    from muapi_client._types.entry import Account

FOX = make_image(prompt="a fox")
PRICE = Decimal("0.015")  # of FOX, as the tests' emulator has it
NOON = datetime(2026, 8, 20, 12, tzinfo=UTC).timestamp()  # no midnight comes between two calls, here or in Tokyo


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(job_seconds=5, clock=VirtualClock(epoch=NOON))


@pytest.fixture
def open_client(emulator: Emulator, place: Place) -> Iterator[Callable[..., MuAPI]]:
    """``open_client(**options)``: a new client on one journal, as another process would have it."""
    opened: list[MuAPI] = []

    def open_one(**options: Any) -> MuAPI:
        opened.append(MuAPI("sk-live", transport=emulator.transport(), journal=place.location, **options))
        return opened[-1]

    yield open_one
    for mu in opened:
        mu.close()


def test_it_holds_over_all_clients_of_a_journal(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    budget = Budget(3 * PRICE)
    for _ in range(3):
        open_client(budget=budget).run(FOX)
    with pytest.raises(errors.SpendLimitError, match=r"0\.045000 USD, past the budget of 0\.045 USD;") as caught:
        open_client(budget=budget).run(FOX)
    assert (caught.value.budget, caught.value.needed_usd, caught.value.opens_at) == (budget, PRICE, None)
    assert "nothing was sent" in str(caught.value)
    assert emulator.accepted == 3


async def refused_once(mu: AsyncMuAPI) -> int:
    await mu.run(FOX)
    with pytest.raises(errors.SpendLimitError):
        await mu.run(FOX)
    return len([entry async for entry in mu.jobs()])


def test_the_awaiting_client_keeps_to_it(emulator: Emulator, place: Place) -> None:
    import asyncio

    async def main() -> int:
        options: dict[str, Any] = {"journal": place.location, "budget": Budget(PRICE)}
        async with AsyncMuAPI("sk-live", transport=emulator.transport(), **options) as mu:
            return await refused_once(mu)

    assert asyncio.run(main()) == 1


def test_what_was_spent_before_it_was_set_counts(open_client: Callable[..., MuAPI]) -> None:
    open_client().run(FOX)
    with pytest.raises(errors.SpendLimitError):
        open_client(budget=Budget(PRICE)).run(FOX)


def test_what_is_under_way_counts_as_its_estimate(open_client: Callable[..., MuAPI]) -> None:
    budget = Budget(2 * PRICE)
    open_client(budget=budget).submit(FOX)
    open_client(budget=budget).submit(FOX)
    with pytest.raises(errors.SpendLimitError):
        open_client(budget=budget).submit(FOX)


def test_what_may_have_been_charged_counts_until_it_is_settled(
    open_client: Callable[..., MuAPI], emulator: Emulator
) -> None:
    budget = Budget(PRICE)
    mu = open_client(budget=budget)
    emulator.next_fault(None, Fault.RESET_BEFORE_ACCEPT)  # the estimate passes
    with pytest.raises(errors.SubmitOutcomeUnknownError) as lost:
        mu.run(FOX)
    with pytest.raises(errors.SpendLimitError):
        open_client(budget=budget).run(FOX)
    mu.settle(lost.value, None)
    assert open_client(budget=budget).run(FOX).done


def test_a_refund_gives_its_money_back(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    mu = open_client(budget=Budget(PRICE))
    emulator.next(Outcome.failed("no", refunded=True))
    with pytest.raises(errors.JobFailedError):
        mu.run(FOX)
    assert mu.run(FOX).done


def test_a_job_that_cost_more_counts_as_what_it_cost(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    mu = open_client(budget=Budget(10 * PRICE))
    emulator.next(Outcome(price=12 * PRICE))
    mu.run(FOX)
    with pytest.raises(errors.SpendLimitError):
        mu.run(FOX)


def test_a_refused_submit_costs_nothing(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    mu = open_client(budget=Budget(PRICE))
    emulator.next_fault(None, *[Fault.TOO_MANY] * 5)
    with pytest.raises(errors.RateLimitError):
        mu.run(FOX)
    assert mu.run(FOX).done


def test_a_day_opens_it_again(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    mu = open_client(budget=Budget(PRICE, per="day"))
    mu.run(FOX)
    with pytest.raises(errors.SpendLimitError) as caught:
        mu.run(FOX)
    opens_at = caught.value.opens_at
    assert opens_at is not None
    assert f"it opens again at {opens_at.isoformat()}" in str(caught.value)
    wall_time = emulator.clock.wall_time()  # type: ignore[attr-defined]
    emulator.clock.sleep(opens_at.timestamp() - wall_time + 1)
    assert mu.run(FOX).done


def test_a_day_of_ones_own_opens_it_at_ones_own_midnight(open_client: Callable[..., MuAPI]) -> None:
    mu = open_client(budget=Budget(PRICE, per="day", timezone="Asia/Tokyo"))
    mu.run(FOX)
    with pytest.raises(
        errors.SpendLimitError, match=r"opens again at \d{4}-\d\d-\d\dT00:00:00\+09:00; nothing"
    ) as caught:
        mu.run(FOX)
    assert caught.value.opens_at is not None
    assert (caught.value.opens_at.hour, caught.value.opens_at.tzinfo) == (15, UTC), "the attribute is in UTC"


def test_no_day_opens_it_for_a_job_that_costs_more_than_all_of_it(open_client: Callable[..., MuAPI]) -> None:
    with open_client(budget=Budget(PRICE / 2, per="day")) as mu, pytest.raises(errors.SpendLimitError) as caught:
        mu.submit(FOX)
    assert caught.value.opens_at is None
    assert "which never has room for it; nothing was sent" in str(caught.value)


def test_several_hold_together(open_client: Callable[..., MuAPI]) -> None:
    mu = open_client(budget=[Budget(10 * PRICE, per="month"), Budget(PRICE, per="day")])
    mu.run(FOX)
    with pytest.raises(errors.SpendLimitError) as caught:
        mu.run(FOX)
    assert caught.value.budget == Budget(PRICE, per="day")


def test_one_of_a_tag_counts_and_holds_back_that_tag_alone(open_client: Callable[..., MuAPI]) -> None:
    mu = open_client(budget=Budget(PRICE, tag="portraits"), tag="portraits")
    mu.run(FOX)
    assert mu.with_options(tag="landscapes").run(FOX).done
    with pytest.raises(errors.SpendLimitError):
        mu.run(FOX)


def test_one_of_a_run_begins_anew_with_each_run(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    mu = open_client(budget=Budget(2 * PRICE, per="run"))
    for run in ("one", "two"):
        outcomes = list(mu.map([FOX] * 5, run=run, concurrency=1))
        assert [type(outcome.error) for outcome in outcomes] == [type(None)] * 2 + [errors.SpendLimitError]
    assert emulator.accepted == 4
    with pytest.raises(errors.SpendLimitError, match="USD a run is for the jobs of runs, and this one is of none"):
        mu.run(FOX)


def test_it_counts_one_account_alone(open_client: Callable[..., MuAPI], emulator: Emulator, place: Place) -> None:
    open_client(budget=Budget(PRICE)).run(FOX)
    other = Emulator()
    options: dict[str, Any] = {"journal": place.location, "budget": Budget(PRICE)}
    with MuAPI("sk-live", "https://other.example", transport=other.transport(), **options) as mu:
        assert mu.run(FOX).done


def test_a_job_that_nobody_can_price_is_refused(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    call = raw_call("brand-new-model", {"prompt": "a fox"})
    with pytest.raises(errors.SpendLimitError, match=r"nobody tells what brand-new-model costs, so the budget of "):
        open_client(budget=Budget(5)).run(call)
    assert [exchange.path for exchange in emulator.requests if exchange.path == call.operation.path] == []
    with pytest.raises(errors.SpendLimitError, match="at about 6 USD would take"):
        open_client(budget=Budget(5), unpriced=Decimal(6)).run(call)


def test_nothing_is_sent_with_a_budget_of_nothing(open_client: Callable[..., MuAPI], emulator: Emulator) -> None:
    with pytest.raises(errors.SpendLimitError):
        open_client(budget=Budget(0)).run(make_video(prompt="a fox"))
    assert emulator.accepted == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Budget(-1), "a budget is an amount in USD"),
        (lambda: Budget("much"), "a budget is an amount in USD"),  # type: ignore[arg-type]
        (lambda: Budget(1, per="week"), "per must be one of run, day, month, ever, not 'week'"),  # type: ignore[arg-type]
        (lambda: Budget(1, tag=3), "tag must be text"),  # type: ignore[arg-type]
        (lambda: Budget(1, timezone="Mars/Olympus"), "timezone must be a name like 'Europe/Berlin'"),
        (lambda: Budget(1, timezone="../../etc/passwd"), "timezone must be a name like"),
        (lambda: Budget(1, timezone=None), "timezone must be a name like"),  # type: ignore[arg-type]
        (lambda: MuAPI("sk", budget=Budget(1)), "budget= is kept in the journal"),
        (lambda: MuAPI("sk").with_options(budget=Budget(1)), "budget= is kept in the journal"),
        (lambda: MuAPI("sk", budget=5), "budget must be a Budget"),  # type: ignore[arg-type]
        (lambda: MuAPI("sk", budget=[5]), "budget must be a Budget"),  # type: ignore[list-item]
    ],
)
def test_what_cannot_be_right_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(MuAPIError, match=message):
        make()


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"])


@given(st.integers(0, 2**31), st.sampled_from(PERIODS), ZONES)
def test_every_moment_is_in_one_period(seconds: int, per: Any, zone: str) -> None:
    budget, moment = Budget(1, per=per, timezone=zone), datetime.fromtimestamp(seconds, UTC)
    starts, ends = budget.period(moment)
    if starts is None or ends is None:
        assert per in ("run", "ever")
        return
    assert starts <= moment < ends
    assert budget.period(ends).starts == ends
    assert budget.period(starts) == (starts, ends)
    assert timedelta(hours=22) < ends - starts < timedelta(days=32)


WAYS = ("intend", "accept", "finish", "refund", "fail", "unknown", "withdraw", "settle")


def change(journal: Journal, account: Account, job: int, way: str, now: datetime) -> None:
    """Change one entry in one of the ways that a client does; one that is not there stays away."""
    key, cost = f"job-{job}", Cost(Decimal(job + 1) / 1000)
    end = Prediction(f"id-{job}", "completed", cost=Cost(cost.amount_usd, refunded=way == "refund"))
    tag, earlier = "odd" if job % 2 else None, now - timedelta(hours=job)
    ways: dict[str, Callable[[], object]] = {
        "intend": lambda: journal.intend(
            key, FOX, account, intended_at=earlier, set_aside_usd=Decimal(job) / 7, tag=tag
        ),
        "accept": lambda: journal.accept(key, f"id-{job}", cost),
        "finish": lambda: journal.finish(end, key=key),
        "refund": lambda: journal.finish(end, key=key),
        "fail": lambda: journal.fail(key, cost, "no"),
        "unknown": lambda: journal.mark_unknown(key, "lost"),
        "withdraw": lambda: journal.withdraw(key),
        "settle": lambda: journal.settle(key, f"id-{job}"),
    }
    with suppress(errors.JournalError):  # no such entry
        ways[way]()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(WAYS)), max_size=30), st.integers(0, 30))
def test_the_sum_is_what_a_recount_would_find(place: Place, changes: list[tuple[int, str]], begun_after: int) -> None:
    journal, now = place.anew().open(), datetime.now(UTC)
    account = journal.account("https://api.example", "sk")
    limits = [Limit(Decimal(100)), Limit(Decimal(100), tag="odd"), Limit(Decimal(100), now - timedelta(days=1), now)]
    for job, way in changes[:begun_after]:
        change(journal, account, job, way, now)
    journal.intend("other", FOX, account, intended_at=now, set_aside_usd=PRICE, limits=limits)
    for job, way in changes[begun_after:]:
        change(journal, account, job, way, now)
    kept = read_sums(journal)
    journal._run(lambda db: db.execute("DELETE FROM budget"))
    for limit in limits:
        journal._run(lambda db, limit=limit: journal._store.begin_budget(db, limit, account))  # type: ignore[misc]
    assert kept == read_sums(journal)
    assert kept.keys() == {scope_of(limit, account) for limit in limits}
    journal.close()


def read_sums(journal: Journal) -> dict[str, int]:
    return {row["scope"]: row["spent"] for row in journal._rows("SELECT scope, spent FROM budget", {})}


PROGRAM = """
import sys
from decimal import Decimal
from by_kind import make_image
from muapi_client import Budget, MuAPI, Polling
url, journal = sys.argv[1:3]
options = {"journal": journal, "budget": Budget("0.30"), "polling": Polling(minimum=0.05, maximum=0.2)}
with MuAPI("sk-live", url, **options) as mu:
    outcomes = list(mu.map([make_image(prompt=f"fox {n}") for n in range(30)], concurrency=8))
    print(sum(outcome.error is None for outcome in outcomes))
"""


def test_processes_that_compete_never_pass_it(place: Place) -> None:
    emulator = Emulator(job_seconds=0.2)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with emulator.serve() as url:
        command = [sys.executable, "-c", PROGRAM, url, str(place.location)]
        programs = [
            subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(4)
        ]
        told = [program.communicate(timeout=120) for program in programs]
    assert sum(int(out) for out, _ in told) == emulator.accepted == 20, told
    assert emulator.charged_usd == Decimal("0.30")


def test_a_version_without_budgets_is_counted_all_the_same(open_client: Callable[..., MuAPI], place: Place) -> None:
    """Triggers are the file's: whoever writes into it, the sums follow."""
    mu = open_client(budget=Budget(2 * PRICE))
    mu.run(FOX)
    place.change(
        "INSERT INTO job (key, state, slug, intended_at, changed_at, owner, cost) VALUES ('k', 'completed', 'm',"
        " '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 'o', '{\"amount_usd\": \"0.015\"}')"
    )
    with pytest.raises(errors.SpendLimitError):
        mu.run(FOX)


def test_a_sum_that_was_rolled_back_with_its_write_is_begun_anew(place: Place) -> None:
    journal = place.open()
    account, now, limits = journal.account("https://api.example", "sk"), datetime.now(UTC), [Limit(PRICE)]
    known: dict[str, Any] = {"intended_at": now, "set_aside_usd": PRICE}
    journal.intend("a", FOX, account, intended_at=now, run="r", run_key="k")
    taken = partial(journal.intend, "b", FOX, account, run="r", run_key="k", limits=limits, **known)
    write, other = (journal.commits.make_write(work) for work in (taken, partial(journal.withdraw, "x")))
    journal.commits.carry_out(write, other)
    with pytest.raises(errors.JournalError):
        write.answer()
    assert journal.intend("c", FOX, account, limits=limits, **known) is None
    assert journal.intend("d", FOX, account, limits=limits, **known) is not None
    journal.close()


def test_a_sum_that_is_gone_is_begun_anew(open_client: Callable[..., MuAPI], place: Place) -> None:
    mu = open_client(budget=Budget(2 * PRICE))
    mu.run(FOX)
    place.change("DELETE FROM budget")
    mu.run(FOX)
    with pytest.raises(errors.SpendLimitError):
        mu.run(FOX)
