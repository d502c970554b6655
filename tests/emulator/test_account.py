"""Keys, balance, top-up, uploads, and the price list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client.emulator import Emulator, Shape
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}


def test_balance(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(balance="18.7234"))
    assert send("GET", "account/balance").json() == {
        "balance": 18.7234,
        "currency": "USD",
        "email": "emulator@example.com",
    }


def test_a_top_up_gives_a_link_and_a_deposit_pays_it(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=1)
    send = connect(emulator)
    link = send("POST", "account/topup", json={"amount": 20, "currency": "usd"}).json()["checkout_url"]
    assert link.startswith("https://")
    assert emulator.balance == 1
    emulator.deposit(20)
    assert send("GET", "account/balance").json()["balance"] == 21


@pytest.mark.parametrize("body", [{}, {"amount": 0}, {"amount": 2.5}, {"amount": "some"}])
def test_a_top_up_of_nothing(connect: Callable[..., Any], body: Any) -> None:
    answer = connect(Emulator())("POST", "account/topup", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "amount"]


@pytest.mark.parametrize("is_test", [True, False])
def test_a_key_works_from_its_making_to_its_deletion(connect: Callable[..., Any], is_test: bool) -> None:
    emulator = Emulator()
    send = connect(emulator)
    made = send("POST", "keys", json={"name": "my-app", "is_test": is_test}).json()
    theirs = connect(emulator, made["api_key"])
    answer = theirs("POST", IMAGE.slug, json=FOX)
    assert (answer.json()["status"] == "completed") is is_test
    listed = {key["id"]: key for key in send("GET", "keys").json()}
    assert len(listed) == 3
    assert listed[made["id"]]["name"] == "my-app"
    assert listed[made["id"]]["is_test"] is is_test
    assert listed[made["id"]]["last_used_at"] is not None
    never = send("POST", "keys", json={"name": "new", "is_test": is_test}).json()["id"]
    assert "last_used_at" not in next(key for key in send("GET", "keys").json() if key["id"] == never)
    assert made["api_key"] not in send("GET", "keys").text
    assert send("DELETE", f"keys/{made['id']}").status_code == 200
    assert theirs("GET", "account/balance").status_code == 403
    assert send("DELETE", f"keys/{made['id']}").status_code == 404


def test_a_key_list_that_does_not_tell_test_keys_from_live_ones(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(shape=Shape(is_test_listed=False)))
    assert [key.keys() & {"name", "is_test"} for key in send("GET", "keys").json()] == [{"name"}, {"name"}]


def test_a_key_needs_a_name(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("POST", "keys", json={"is_test": True})
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"], problem["msg"]) == ("missing", ["body", "name"], "Field required")


def test_no_key_at_all_is_an_emulator_one_can_still_ask_for_models(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(live_keys=(), test_keys=()), None)
    listed = send("GET", "models").json()
    assert listed["total"] == len(listed["models"]) == len(pinned().models["models"])
    assert listed["currency"] == "USD"


def test_one_model_and_some_models(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), None)
    one = send("GET", f"models/{IMAGE.name}").json()
    assert (one["cost"], one["cost_currency"]) == (0.015, "USD")
    fixed = next(entry["name"] for entry in pinned().models["models"] if not entry["dynamic_pricing"])
    assert send("GET", f"models/{fixed}").json()["estimate_endpoint"] is None
    assert one["estimate_endpoint"] == f"/api/v1/models/{IMAGE.name}/estimate-cost"
    some = send("GET", "models", params={"category": one["category"], "family": one["family"]}).json()
    assert one in some["models"]
    assert {card["category"] for card in some["models"]} == {one["category"]}
    assert send("GET", "models", params={"category": "none"}).json()["total"] == 0
    assert send("POST", "models/none/estimate-cost", json={}).status_code == 404


def test_an_estimate_needs_no_key_and_a_payload(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), None)
    assert send("POST", f"models/{IMAGE.name}/estimate-cost", json={}).json()["cost"] == 0.015
    assert send("POST", f"models/{IMAGE.name}/estimate-cost", json=[]).status_code == 422


def test_an_upload_answers_with_a_link_and_costs_nothing(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    answer = connect(emulator)("POST", "upload_file", files={"file": ("fox.png", b"\x89PNG", "image/png")})
    assert answer.json()["url"].startswith("https://cdn.muapi.ai/uploads/")
    assert answer.json()["url"].endswith("/fox.png")
    assert emulator.charged_usd == 0


def test_an_upload_needs_a_balance_a_file_and_a_size(connect: Callable[..., Any]) -> None:
    fox = {"file": ("fox.png", b"\x89PNG", "image/png")}
    assert connect(Emulator(balance=0))("POST", "upload_file", files=fox).status_code == 402
    send = connect(Emulator())
    wrong = send("POST", "upload_file", files={"image": fox["file"]})
    (problem,) = wrong.json()["detail"]
    assert (problem["type"], problem["loc"], problem["input"]) == ("missing", ["body", "file"], None)
    assert send("POST", "upload_file").status_code == 422
    big = b"0" * (10 * 1024 * 1024 + 1)
    assert send("POST", "upload_file", files={"file": ("a.png", big, "image/png")}).status_code == 413
    assert send("POST", "upload_file", files={"file": ("a.mp4", big, "video/mp4")}).status_code == 200
