"""A submit repeated under one idempotency key: answered as before, charged once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import COMPANY, rows

from muapi_client import MuAPI, catalog
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

SLUG = COMPANY.slug
SEARCH = {"domain": "example.com", "idempotency_key": "order-1"}


def undated(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize("outcome", [Outcome.completed(), Outcome.completed(inline=True), Outcome.failed(inline=True)])
def test_a_repeated_submit_gets_the_same_answer_and_is_charged_once(
    connect: Callable[..., Any], outcome: Outcome
) -> None:
    emulator = Emulator(outcomes=[outcome, Outcome.completed(price=50)])
    send = connect(emulator)
    first, second = send("POST", SLUG, json=SEARCH), send("POST", SLUG, json=dict(reversed(SEARCH.items())))
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert undated(second) == undated(first)
    assert (emulator.accepted, len(send("GET", "history").json()["items"])) == (1, 1)


def test_a_client_that_sends_again_after_a_lost_answer_pays_once() -> None:
    emulator = Emulator()
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
        assert mu.run(catalog.get(SLUG).call(domain="example.com")).done
        assert mu.spend.total_usd == emulator.charged_usd > 0
    assert emulator.accepted == 1


def test_all_keys_of_the_account_mean_the_same_by_an_idempotency_key(connect: Callable[..., Any]) -> None:
    emulator = Emulator(live_keys=("sk-1", "sk-2"))
    first, second = (connect(emulator, key)("POST", SLUG, json=SEARCH).json() for key in ("sk-1", "sk-2"))
    assert first == second
    assert emulator.accepted == 1


def test_a_test_key_is_not_answered_with_a_job_that_was_paid_for(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    live, test = connect(emulator), connect(emulator, "sk-test")
    paid = live("POST", SLUG, json=SEARCH).json()
    samples = [test("POST", SLUG, json=SEARCH).json() for _ in range(2)]
    assert samples[0] == samples[1] != paid
    assert emulator.accepted == 1


@pytest.mark.parametrize("key", [None, "order-2"])
def test_without_the_same_key_it_is_another_submit(connect: Callable[..., Any], key: str | None) -> None:
    emulator = Emulator()
    send = connect(emulator)
    plain = {"domain": SEARCH["domain"]}
    bodies = [SEARCH, *[{**SEARCH, "idempotency_key": key} if key else plain] * 2]
    answers = [send("POST", SLUG, json=body).json() for body in bodies]
    assert len({answer["request_id"] for answer in answers}) == (2 if key else 3) == emulator.accepted


@pytest.mark.parametrize(
    ("slug", "body"),
    [
        (SLUG, {**SEARCH, "domain": "example.org"}),
        (SLUG, {**SEARCH, "webhook_url": "https://example.com/hook"}),
        *rows(("email-verify", {"email": "a@example.com", "idempotency_key": "order-1"})),
    ],
)
def test_a_key_of_another_request_is_refused_and_nothing_is_charged(
    connect: Callable[..., Any], slug: str, body: Any
) -> None:
    emulator = Emulator()
    send = connect(emulator)
    send("POST", SLUG, json=SEARCH)
    charged = emulator.charged_usd
    refused = send("POST", slug, json=body)
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["body", "idempotency_key"]
    assert "was used for another request" in problem["msg"]
    assert (emulator.accepted, emulator.charged_usd) == (1, charged)
    assert send("POST", SLUG, json=SEARCH).status_code == 200


def test_a_refused_submit_does_not_use_its_key_up(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=0)
    send = connect(emulator)
    assert send("POST", SLUG, json=SEARCH).status_code == 402
    emulator.deposit(10)
    assert send("POST", SLUG, json=SEARCH).status_code == 200
    assert emulator.accepted == 1


def test_the_key_of_a_job_that_failed_begins_no_other(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.failed("out of memory")])
    send = connect(emulator)
    first = send("POST", SLUG, json=SEARCH).json()
    emulator.clock.sleep(1000)
    assert send("POST", SLUG, json=SEARCH).json() == first
    assert send("GET", f"predictions/{first['request_id']}/result").status_code == 400
    assert (emulator.accepted, emulator.charged_usd) == (1, 0)


def test_the_key_of_a_deleted_job_begins_no_other(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    first = send("POST", SLUG, json=SEARCH).json()
    path = f"predictions/{first['request_id']}/media"
    assert send("DELETE", path, params={"delete_record": True}).status_code == 200
    assert send("POST", SLUG, json=SEARCH).json() == first
    assert emulator.accepted == 1


def test_the_end_of_a_job_that_was_submitted_twice_is_told_once(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    for _ in range(2):
        send("POST", SLUG, json=SEARCH, params={"webhook": "https://shop.example/hook"})
    emulator.clock.sleep(1000)
    assert len(emulator.webhooks) == 1


def test_a_loaded_emulator_knows_the_keys_that_were_used(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.completed(inline=True, bonus_credits=1)])
    first = connect(emulator)("POST", SLUG, json=SEARCH)
    loaded = Emulator.load(emulator.save())
    assert loaded.save() == emulator.save()
    send = connect(loaded)
    second = send("POST", SLUG, json=SEARCH)
    assert (second.content, undated(second)) == (first.content, undated(first))
    assert send("POST", SLUG, json={**SEARCH, "query": "boots"}).status_code == 422
    assert loaded.accepted == 1
