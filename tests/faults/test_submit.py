"""A submit under every fault: sent at most once unless refused unprocessed, and told truly what became of it."""

from __future__ import annotations

import copy
import pickle
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, make_company
from doors import PATIENCE, SHORT, SOON, Door
from plans import CONNECTION_KINDS, strike
from wire import KINDS, SLOW, Kind, Known

from muapi_client import Job, Prediction, Retry, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import LeapingClock
    from server import FaultServer, InThread

WANTED = "completed-1"
CALL = raw_call(IMAGE.slug, {"prompt": WANTED})
OPTIONS = {"retry": Retry(attempts=3)}


def _variants() -> list[Any]:
    """Every kind at a request, once for each thing the server may have done before."""
    return [
        pytest.param(kind, accepts, id=f"{kind.name}-{'accepted' if accepts else 'not-accepted'}")
        for kind in KINDS.values()
        if kind.name not in CONNECTION_KINDS
        for accepts in ([True, False] if kind.accepts is None else [kind.accepts])
    ]


def _submit(door: Door, call: Any = CALL) -> tuple[Known, Any]:
    """What the client tells of a submit, and what it tells it with."""
    try:
        outcome = door.submit(call)
    except errors.SubmitOutcomeUnknownError as error:
        return Known.UNKNOWN, error
    except errors.APIConnectionError as error:
        return (Known.UNKNOWN if error.sent else Known.NOT_SENT), error
    except errors.APIStatusError as error:
        return Known.REFUSED, error
    assert isinstance(outcome, Job)
    return Known.ACCEPTED, outcome


@pytest.mark.parametrize(("fault", "accepts"), _variants())
def test_whatever_goes_wrong_a_submit_is_accepted_once_at_most_and_told_truly(
    fault: Kind, accepts: bool, faults: FaultServer, open_door: Callable[..., Door]
) -> None:
    faults.plan.always["submit"] = strike(fault.name, accepts=accepts)
    door = open_door(**OPTIONS, timeout=SHORT if fault.name in SLOW else PATIENCE)

    before = time.monotonic()
    known, outcome = _submit(door)

    assert known is fault.known
    assert faults.truth.accepted[WANTED] == accepts
    assert faults.truth.posts[WANTED] == (3 if fault.again else 1)
    assert faults.elsewhere == []
    if fault.name in SLOW:
        assert time.monotonic() - before < SOON
    if known is Known.ACCEPTED:
        assert outcome.id == f"{WANTED}.1"
        assert door.spend.total_usd == Decimal(faults.truth.charged).scaleb(-6)
    if known is Known.UNKNOWN:
        assert outcome.call == CALL


@pytest.mark.parametrize("name", [kind.name for kind in KINDS.values() if kind.again])
def test_a_submit_refused_unprocessed_is_sent_again_until_accepted(
    name: str, faults: FaultServer, door: Door, clock: LeapingClock
) -> None:
    faults.plan.queues["submit"].extend([strike(name), strike(name)])

    known, _ = _submit(door)

    assert known is Known.ACCEPTED
    assert faults.truth.posts[WANTED] == 3
    assert faults.truth.accepted[WANTED] == 1
    assert len(clock.slept) == 2
    assert max(clock.slept) <= Retry().retry_after_maximum


def test_a_connection_reset_as_it_is_accepted_is_never_worth_a_second_post(faults: FaultServer, door: Door) -> None:
    faults.plan.queues["connection"].append(strike("reset_on_accept"))

    known, _ = _submit(door)

    # The reset may be seen while connecting, when sending again is safe, or once the request was written.
    assert (known, faults.truth.posts[WANTED]) in [(Known.UNKNOWN, 0), (Known.ACCEPTED, 1)]


def test_where_nothing_listens_nothing_was_sent(
    in_thread: InThread, faults: FaultServer, door: Door, clock: LeapingClock
) -> None:
    in_thread.do(faults.shut())

    known, error = _submit(door)

    assert known is Known.NOT_SENT
    assert "was not sent" in str(error)
    assert len(clock.slept) == 2
    assert faults.truth.posts.total() == 0


def test_a_submit_that_was_never_sent_is_sent_again_once_somebody_listens(
    in_thread: InThread, faults: FaultServer, door: Door, clock: LeapingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_thread.do(faults.shut())
    monkeypatch.setattr(clock, "sleep", lambda _seconds: in_thread.do(faults.open()))

    async def asleep(_seconds: float) -> None:
        in_thread.do(faults.open())

    monkeypatch.setattr(clock, "asleep", asleep)

    known, _ = _submit(door)

    assert known is Known.ACCEPTED
    assert faults.truth.accepted[WANTED] == faults.truth.posts[WANTED] == 1


def test_a_failed_tls_handshake_sent_nothing(faults: FaultServer, kind: str, clock: LeapingClock) -> None:
    door = Door(kind, faults.url.replace("http:", "https:"), **OPTIONS, timeout=SHORT, clock=clock)
    try:
        known, _ = _submit(door)
    finally:
        door.shut()

    assert known is Known.NOT_SENT
    assert faults.truth.posts.total() == 0


def test_a_connection_the_server_gave_up_while_idle_costs_no_submit(faults: FaultServer, door: Door) -> None:
    faults.plan.queues["look"].append(strike("closes_idle"))
    job = door.submit(CALL)
    door.look(job)
    while faults.connections:  # the server's end is closed in a later turn of its loop
        time.sleep(0.001)

    known, _ = _submit(door, raw_call(IMAGE.slug, {"prompt": "completed-2"}))

    assert known is Known.ACCEPTED
    assert faults.truth.posts["completed-2"] == 1


@pytest.mark.parametrize("name", ["reset_after_reading", "500", "html_200", "half_json", "hang"])
def test_an_unknown_outcome_carries_what_is_known_and_survives_travel(
    name: str, faults: FaultServer, open_door: Callable[..., Door]
) -> None:
    faults.plan.always["submit"] = strike(name, accepts=True)
    before = time.time()
    known, error = _submit(open_door(timeout=SHORT if name in SLOW else PATIENCE))

    assert known is Known.UNKNOWN
    for one in (error, pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(one) is errors.SubmitOutcomeUnknownError
        assert (one.call, str(one), one.status_code) == (CALL, str(error), error.status_code)
        assert before <= one.started_at <= time.time()
    assert "sk-test" not in f"{error!r} {error.__dict__}"


@pytest.mark.parametrize(
    ("marker", "done"), [("at_once-1", True), ("legacy-1", False)], ids=["answered-at-once", "id-nested-and-no-cost"]
)
def test_the_other_good_answers_are_no_faults(marker: str, done: bool, faults: FaultServer, door: Door) -> None:
    outcome = door.submit(raw_call(IMAGE.slug, {"prompt": marker}))

    assert isinstance(outcome, Prediction if done else Job)
    assert outcome.id == f"{marker}.1"
    assert (outcome.cost is None) == (not done)  # missing is not zero


@pytest.mark.parametrize("name", ["reset_after_reading", "500", "html_200", "hang", "cut_length"])
def test_where_the_document_knows_an_idempotency_key_a_resend_is_safe_and_happens(
    name: str, faults: FaultServer, open_door: Callable[..., Door]
) -> None:
    faults.plan.queues["submit"].extend([strike(name, accepts=True)] * 2)
    door = open_door(**OPTIONS, timeout=SHORT if name in SLOW else PATIENCE)

    known, job = _submit(door, make_company(domain=WANTED))

    assert known is Known.ACCEPTED
    assert job.id == f"{WANTED}.1"
    assert faults.truth.posts[WANTED] == 3
    assert faults.truth.accepted[WANTED] == 1


def test_run_sends_one_post_however_long_the_looks_fail(faults: FaultServer, door: Door) -> None:
    faults.plan.queues["look"].extend(strike(name) for name in ("503", "reset_after_reading", "html_502", "garbage"))

    done = door.run(CALL)

    assert done.done
    assert faults.truth.posts[WANTED] == faults.truth.accepted[WANTED] == 1
    assert door.spend.total_usd == done.cost.charged_usd == Decimal(faults.truth.charged).scaleb(-6)
