"""The measure itself: the counting finds what is wrong, and the fault server would catch a client that resends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import Known, count
from by_kind import IMAGE
from doors import PATIENCE, LeapingClock
from plans import Dice, strike
from wire import KINDS

from muapi_client import MuAPI, errors, raw_call
from muapi_client._protocol import exchange
from muapi_client._protocol.steps import NoReply

if TYPE_CHECKING:
    from server import FaultServer


def _job(marker: str, time: int = 1, *, end: str = "completed", micro_usd: int = 7, refunded: bool = False) -> Any:
    net = 0 if refunded else micro_usd
    return {"id": f"{marker}.{time}", "marker": marker, "end": end, "micro_usd": micro_usd, "net": net}


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (Known("a", "completed", "a.1", 7), {}),
        (Known("a", "unknown"), {"perhaps": 1, "perhaps_charged": 1}),
        (Known("a", "intent"), {"perhaps": 1, "perhaps_charged": 1}),
        (Known("a", "not accepted: RateLimitError"), {"lost": 1}),
        (Known("b", "completed", None, 7), {"lost": 1}),
        (Known("a", "accepted", "a.1", 7), {"unfinished": 1}),
        (Known("a", "failed", "a.1", 7), {"wrong_ends": 1}),
        (Known("a", "completed", "a.1", 8), {"wrong_sums": 1}),
        (Known("a", "completed", "a.1", None), {"wrong_sums": 1}),
        (Known("a", "completed", "x.1", 7), {"lost": 1, "wrong_ends": 1}),
    ],
)
def test_one_job_is_counted_for_what_it_is(known: Known, found: dict[str, int]) -> None:
    result = count([_job("a")], [known], jobs=1)

    fields = ("twice", "lost", "perhaps", "perhaps_charged", "unfinished", "wrong_ends", "wrong_sums")
    assert {field: value for field in fields if (value := getattr(result, field))} == found
    assert bool(result.troubles) == bool(found.keys() & {"lost", "wrong_ends", "wrong_sums"})


def test_what_was_accepted_twice_is_counted_with_its_price() -> None:
    result = count([_job("a"), _job("a", 2)], [Known("a", "completed", "a.2", 7)], jobs=1)

    assert (result.twice, result.twice_micro_usd, result.lost) == (1, 7, 1)


def test_a_refund_counts_as_no_cost() -> None:
    truth = [_job("a", end="failed_400", refunded=True)]

    assert count(truth, [Known("a", "failed", "a.1", 0)], jobs=1).wrong_sums == 0
    assert count(truth, [Known("a", "failed", "a.1", 7)], jobs=1).wrong_sums == 1


def test_a_client_that_sent_a_lost_submit_again_would_be_caught(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "may_resubmit", lambda outcome: isinstance(outcome, NoReply))
    faults.plan.queues["submit"].append(strike("reset_after_reading", accepts=True))

    with MuAPI("k", faults.url, timeout=PATIENCE, clock=LeapingClock()) as mu:
        mu.submit(raw_call(IMAGE.slug, {"prompt": "completed-1"}))

    assert faults.truth.accepted["completed-1"] == 2


def test_the_dice_strike_with_every_kind_and_the_same_way_each_time() -> None:
    struck = [Dice(seed=1, rate=0.5).request("submit", f"job-{number}") for number in range(4000)]
    again = [Dice(seed=1, rate=0.5).request("submit", f"job-{number}") for number in range(4000)]

    assert struck == again
    assert {one.kind.name for one in struck if one} >= KINDS.keys() - {"reset_on_accept", "huge", "huge_junk"}
    assert 0.45 < sum(one is not None for one in struck) / 4000 < 0.55


def test_reconcile_finds_the_job_of_a_lost_answer_and_submits_nothing(faults: FaultServer) -> None:
    faults.plan.queues["submit"].append(strike("cut_length"))
    with MuAPI("k", faults.url, clock=LeapingClock()) as mu:
        with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
            mu.submit(raw_call(IMAGE.slug, {"prompt": "completed-1"}))

        (found,) = mu.reconcile(caught.value).candidates

        assert mu.wait(found).done
    assert found.id == "completed-1.1"
    assert faults.truth.posts.total() == 1
