"""Sums of money: exact, each request once, and nothing set aside twice or for ever."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal, Inexact, localcontext
from typing import TYPE_CHECKING, Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Cost, raw_call
from muapi_client._protocol.job_answer import cost_from_body
from muapi_client._runtime.delivery import Delivery
from muapi_client._state.ledger import Ledger
from muapi_client._state.memory import Memory, Record

if TYPE_CHECKING:
    from types import FrameType

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=6)
COSTS = st.builds(Cost, AMOUNTS, refunded=st.booleans())
EVENTS = st.lists(st.tuples(st.sampled_from("abcde"), st.none() | COSTS))
LISTED = Decimal("0.25")


def new_ledger() -> Ledger:
    return Ledger(Memory(), lambda _: LISTED)


def submission(ledger: Ledger, slug: str = "new/model") -> Record:
    record = Record(raw_call(slug, {}), datetime.now(UTC))
    ledger._memory.intend(record)
    return record


@given(EVENTS)
def test_the_last_word_for_each_request_counts(events: list[tuple[str, Cost | None]]) -> None:
    ledger, last = new_ledger(), dict[str, Cost | None]()
    for name, cost in events:
        ledger.record(name, cost)
        before = last.get(name)
        kept = cost and before and before.refunded and evolve(cost, refunded=True)  # a refund is never taken back
        last[name] = kept or cost or before
    spend, known = ledger.spend, [cost for cost in last.values() if cost is not None]
    assert spend.total_usd == sum((cost.charged_usd for cost in known), Decimal(0))
    assert spend.refunded_usd == sum((cost.amount_usd for cost in known if cost.refunded), Decimal(0))
    assert (spend.requests, spend.unpriced) == (len(last), len(last) - len(known))


@given(st.dictionaries(st.text(min_size=1), COSTS), st.randoms(use_true_random=False))
def test_the_order_of_requests_does_not_matter(costs: dict[str, Cost], random: Any) -> None:
    names = list(costs)
    forward, shuffled = new_ledger(), new_ledger()
    for name in names:
        forward.record(name, costs[name])
    random.shuffle(names)
    for name in names:
        shuffled.record(name, costs[name])
    assert forward.spend.total_usd == shuffled.spend.total_usd
    assert forward.spend.refunded_usd == shuffled.spend.refunded_usd


@given(st.lists(st.floats(min_value=0, max_value=999) | st.text("0123456789.eE+-", max_size=12)))
def test_sums_are_exact_whatever_the_server_writes(values: list[Any]) -> None:
    ledger, exact = new_ledger(), 0
    for index, value in enumerate(values):
        cost = cost_from_body({"cost": {"amount_usd": value}})
        if cost is not None and cost.amount_usd < 10**3:
            ledger.record(str(index), cost)
            exact += int(cost.amount_usd.scaleb(30))
    with localcontext() as context:
        context.prec = 100
        assert ledger.spend.total_usd.scaleb(30) == exact


def test_the_callers_decimal_context_does_not_matter() -> None:
    ledger = new_ledger()
    with localcontext() as context:
        context.prec = 3
        context.traps[Inexact] = True
        for index in range(1000):
            ledger.record(str(index), Cost(Decimal("1.000001")))
        assert ledger.reserve("k", Decimal("0.0001"), Decimal(2000))
        ledger.release("k")
    assert ledger.spend.total_usd == Decimal("1000.001")
    assert ledger.spend.reserved_usd == 0


def test_silence_does_not_forget_a_cost() -> None:
    ledger = new_ledger()
    ledger.record("a", Cost(Decimal(1)))
    ledger.record("a", None)
    assert (ledger.spend.total_usd, ledger.spend.unpriced) == (Decimal(1), 0)


def test_the_repr_of_a_spend_tells_the_sums_and_the_doubt() -> None:
    ledger = new_ledger()
    ledger.record("a", Cost(Decimal("0.5")))
    ledger.record("b", None)
    record = submission(ledger)
    record.delivery = Delivery()
    record.delivery.started = True
    assert repr(ledger.spend) == ("Spend(total_usd=0.5, in_doubt_usd=0.25, reserved_usd=0.25, requests=2, unpriced=1)")


@given(st.lists(AMOUNTS), st.decimals(min_value=1, max_value=10**6, places=6))
def test_reservations_never_pass_the_limit(amounts: list[Decimal], limit: Decimal) -> None:
    ledger, granted = new_ledger(), dict[str, Decimal]()
    for number, amount in enumerate(amounts):
        if ledger.reserve(str(number), amount, limit):
            granted[str(number)] = amount
    assert sum(granted.values()) <= limit
    for key in granted:
        ledger.release(key)
    assert ledger.reserve("all", limit, limit), "what was given back can be had again"


def test_where_the_limit_is_reached_not_even_what_is_free_may_go() -> None:
    assert not new_ledger().reserve("k", Decimal(0), Decimal(0))


def test_what_is_set_aside_is_given_back_once_the_cost_is_told() -> None:
    ledger = new_ledger()
    record = submission(ledger)
    assert ledger.reserve(record.key, Decimal(1), Decimal(1))
    record.accept("a", None)
    ledger.accept(record)
    assert not ledger.reserve("other", Decimal("0.9"), Decimal(1))
    ledger.record("a", Cost(Decimal("0.25")))
    assert ledger.reserve("other", Decimal("0.75"), Decimal(1))
    assert not ledger.reserve("third", Decimal("0.01"), Decimal(1))


def test_however_often_it_is_said_a_reservation_is_given_back_once() -> None:
    ledger = new_ledger()
    assert ledger.reserve("a", Decimal(1), Decimal(3))
    assert ledger.reserve("b", Decimal(1), Decimal(3))
    for _ in range(3):
        ledger.release("a")
    assert ledger.spend.reserved_usd == 1


def test_a_finished_answer_without_id_and_cost_keeps_its_reservation_in_doubt() -> None:
    ledger = new_ledger()
    record = submission(ledger)
    assert ledger.reserve(record.key, Decimal("0.5"), Decimal(1))
    record.accept(None, None)
    ledger.accept(record)
    assert (ledger.spend.in_doubt_usd, ledger.spend.reserved_usd) == (Decimal("0.5"), Decimal("0.5"))
    assert (ledger.spend.requests, ledger.spend.unpriced) == (1, 1)


def test_a_job_that_costs_more_than_was_set_aside_raises_what_the_next_one_sets_aside() -> None:
    ledger = new_ledger()
    record = submission(ledger, "veo")
    assert ledger.reserve(record.key, Decimal("0.1"), Decimal(9))
    record.accept("a", Cost(Decimal("0.4")))
    ledger.accept(record)
    assert ledger.highest_charge("veo") == Decimal("0.4")
    (overrun,) = ledger.overruns
    assert (overrun.slug, overrun.set_aside_usd, overrun.charged_usd) == ("veo", Decimal("0.1"), Decimal("0.4"))


def test_threads_may_share_it() -> None:
    ledger = new_ledger()

    def record(thread: int) -> None:
        for index in range(500):
            ledger.record(f"{thread}-{index % 100}", Cost(Decimal("0.001")))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ledger.spend.requests, ledger.spend.total_usd) == (800, Decimal("0.8"))


def test_an_interrupt_at_any_line_leaves_no_wrong_sum() -> None:
    class InterruptError(Exception): ...

    def book(ledger: Ledger) -> None:
        for number in range(2):
            record = submission(ledger)
            record.accept(f"r{number}", Cost(Decimal("0.25")))
            ledger.reserve(record.key, Decimal(1), Decimal(9))
            ledger.accept(record)
            ledger.record(f"r{number}", Cost(Decimal("0.25"), refunded=True))

    for line in range(400):
        left = line

        def count(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if not frame.f_code.co_filename.endswith("ledger.py") or "muapi_client" not in frame.f_code.co_filename:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    sys.settrace(None)
                    raise InterruptError
            return count

        ledger = new_ledger()
        before = sys.gettrace()
        sys.settrace(count)
        try:
            book(ledger)
        except InterruptError:
            pass
        finally:
            sys.settrace(before)
        costs = [cost for cost in ledger._costs.values() if cost is not None]
        assert ledger.spend.total_usd == sum((cost.charged_usd for cost in costs), Decimal(0))
        assert ledger._reserved == sum(ledger._aside.values(), Decimal(0))
        if left >= 0:
            assert line > 30, "the sweep saw the lines"
            return
    raise AssertionError("the sweep came to no end")
