"""The account's money: exact, in headers, bodies and the emulator's own count."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, takes
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}
PRICE = Decimal("0.015")  # flux-dev in the pinned price list


def money(answer: httpx.Response) -> dict[str, str]:
    names = ("cost-usd", "cost-credits", "cost-bonus-credits", "cost-refunded")
    found = {name: answer.headers.get(f"x-muapi-{name}") for name in names}
    return {
        **{k: v for k, v in found.items() if v is not None},
        "balance": answer.headers["x-account-balance"],
    }


def test_a_submit_is_charged_at_once_and_a_look_costs_nothing_more(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=Decimal(1))
    send = connect(emulator)
    submitted = send("POST", IMAGE.slug, json=FOX)
    assert money(submitted) == {"cost-usd": "0.015000", "cost-credits": "2", "balance": "0.9850"}
    looked = send("GET", f"predictions/{submitted.json()['request_id']}/result")
    assert money(looked) == money(submitted)
    assert (emulator.balance, emulator.charged_usd, emulator.accepted) == (Decimal("0.985"), PRICE, 1)


def test_a_refund_comes_when_the_job_ends_not_before(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=1, outcomes=[Outcome.failed(seconds=10)])
    send = connect(emulator)
    path = f"predictions/{send('POST', IMAGE.slug, json=FOX).json()['request_id']}/result"
    emulator.clock.sleep(9)
    assert money(send("GET", path)) == {"cost-usd": "0.015000", "cost-credits": "2", "balance": "0.9850"}
    emulator.clock.sleep(1)
    assert emulator.balance == 1
    assert money(send("GET", path)) == {
        "cost-usd": "0.015000",
        "cost-credits": "2",
        "cost-refunded": "true",
        "balance": "1.0000",
    }
    assert (emulator.charged_usd, emulator.accepted) == (0, 1)


@pytest.mark.parametrize(("price", "status"), [("0.01", 200), ("0.02", 402)])
def test_a_price_by_chance_is_the_only_one_that_has_to_be_covered(
    connect: Callable[..., Any], price: str, status: int
) -> None:
    emulator = Emulator(balance="0.012")  # less than the list's price
    emulator.sometimes(Outcome.completed(price=Decimal(price)), 1)
    assert connect(emulator)("POST", IMAGE.slug, json=FOX).status_code == status
    assert emulator.charged_usd == (Decimal(price) if status == 200 else 0)


def test_a_price_by_chance_tops_the_account_up_once(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance="0.02")
    send = connect(emulator)
    send("PUT", "account/auto-topup", json={"enabled": True, "threshold": 0.01, "amount": 5})
    connect(emulator, None)("GET", send("POST", "account/auto-topup/setup").json()["setup_url"])
    emulator.sometimes(Outcome.completed(price=Decimal("5.01")), 1)
    assert send("POST", IMAGE.slug, json=FOX).status_code == 200
    assert emulator.balance == Decimal("0.01")


def test_bonus_credits_are_told_only_when_there_are_some(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.completed(price=Decimal("0.0042"), bonus_credits=3)])
    answer = connect(emulator)("POST", IMAGE.slug, json=FOX)
    assert money(answer)["cost-bonus-credits"] == "3"
    assert answer.json()["cost"] == {
        "amount_usd": 0.0042,
        "amount_credits": 1,
        "bonus_credits_used": 3,
        "refunded": False,
    }


def test_every_answer_to_a_key_tells_cost_and_balance(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    for method, path, body in (
        ("GET", "account/balance", None),
        ("GET", "keys", None),
        ("GET", "history", None),
        ("POST", "account/topup", {"amount": 20}),
    ):
        answer = send(method, path, json=body)
        assert money(answer) == {"cost-usd": "0.000000", "cost-credits": "0", "balance": "100.0000"}


def test_too_small_a_balance_is_refused_and_not_charged(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance="0.0149", job_seconds=10, outcomes=[Outcome.completed(["https://x.example/1"])])
    send = connect(emulator)
    refused = send("POST", IMAGE.slug, json=FOX)
    assert refused.status_code == 402
    assert refused.json()["detail"].startswith("Insufficient credit balance")
    assert "x-muapi-cost-usd" not in refused.headers
    assert (emulator.accepted, emulator.charged_usd, emulator.balance) == (0, 0, Decimal("0.0149"))
    emulator.deposit("0.0001")
    accepted = send("POST", IMAGE.slug, json=FOX)
    assert accepted.status_code == 200
    assert emulator.balance == 0
    emulator.clock.sleep(10)
    looked = send("GET", f"predictions/{accepted.json()['request_id']}/result")
    assert looked.json()["outputs"] == ["https://x.example/1"]


def test_each_piece_is_charged_and_an_estimate_says_the_same(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    body = {**FOX, "num_images": 4}
    estimate = send("POST", f"models/{IMAGE.name}/estimate-cost", json=body).json()
    charged = send("POST", IMAGE.slug, json=body).json()["cost"]["amount_usd"]
    assert estimate == {
        "model": IMAGE.name,
        "cost": 0.06,
        "currency": "USD",
        "dynamic_pricing": True,
        "cost_strategy": estimate["cost_strategy"],
    }
    assert charged == estimate["cost"]
    assert emulator.charged_usd == 4 * PRICE


def test_a_model_without_a_price_costs_its_kinds_default(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    unpriced = next(
        one
        for one in catalog.find(group="text_to_image")
        if one.price is None and one.name in (None, one.slug) and takes(one, FOX)  # under no older name either
    )
    assert send("GET", f"models/{unpriced.name or unpriced.slug}").status_code == 404
    answer = send("POST", unpriced.slug, json=FOX)
    assert answer.json()["cost"]["amount_usd"] == 0.03


SECONDS = st.integers(0, 200)
PRICES = st.decimals(0, 40, places=6)
OUTCOMES = st.one_of(
    st.builds(lambda price, s: Outcome.completed(price=price, seconds=s), PRICES, SECONDS),
    st.builds(
        lambda price, s, refunded: Outcome.failed(price=price, seconds=s, refunded=refunded),
        PRICES,
        SECONDS,
        st.booleans(),
    ),
    st.builds(lambda price, s: Outcome.cancelled(price=price, seconds=s), PRICES, SECONDS),
    st.builds(lambda price: Outcome.moderated(price=price, inline=True), PRICES),
)
STEPS = st.lists(st.one_of(OUTCOMES, st.floats(0, 100), st.none()), max_size=12)


@settings(deadline=None)
@given(STEPS)
def test_balance_and_charges_are_exact_whatever_happens(steps: list[Any]) -> None:
    """A step is a submit of that fate, seconds that pass, or a refused submit."""
    emulator = Emulator(balance=100)
    clock = emulator.clock
    paid_in = Decimal(100)
    accepted: list[tuple[Outcome, float]] = []  # with the reading of the clock at its end
    base, key = "https://api.muapi.ai/api/v1/", {"x-api-key": "sk-live"}
    with httpx.Client(transport=emulator.transport(), base_url=base, headers=key) as client:
        for step in steps:
            if step is None:
                assert client.post(IMAGE.slug, json={"prompt": 1}).status_code == 422
            elif isinstance(step, float):
                clock.sleep(step)
            else:
                emulator.next(step)
                if step.price > emulator.balance:
                    assert client.post(IMAGE.slug, json=FOX).status_code == 402
                    emulator.deposit(100)
                    paid_in += 100
                client.post(IMAGE.slug, json=FOX)
                accepted.append((step, clock.now() + (0 if step.inline else step.seconds)))
        told = Decimal(client.get("account/balance").headers["x-account-balance"])
    owed = sum((fate.price for fate, end in accepted if not (fate.refunded and end <= clock.now())), Decimal(0))
    assert emulator.charged_usd == owed
    assert emulator.balance == paid_in - owed
    assert abs(told - emulator.balance) <= Decimal("0.00005")
    assert emulator.accepted == len(accepted)


@pytest.mark.parametrize("balance", [5, "5", 5.0, Decimal(5)])
def test_a_balance_in_any_notation(balance: Any) -> None:
    assert Emulator(balance=balance).balance == Decimal(5)
