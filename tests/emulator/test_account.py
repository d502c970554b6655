"""Keys, balance, top-up, uploads, and the price list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from muapi_client.emulator import Emulator, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}


def test_balance(open_door: Callable[..., Any]) -> None:
    knock = open_door(Emulator(balance="18.7234"))
    assert knock("GET", "account/balance").json() == {
        "balance": 18.7234,
        "currency": "USD",
        "email": "emulator@example.com",
    }


def test_a_top_up_gives_a_link_and_a_deposit_pays_it(open_door: Callable[..., Any]) -> None:
    emulator = Emulator(balance=1)
    knock = open_door(emulator)
    link = knock("POST", "account/topup", json={"amount": 20, "currency": "usd"}).json()["checkout_url"]
    assert link.startswith("https://")
    assert emulator.balance == 1
    emulator.deposit(20)
    assert knock("GET", "account/balance").json()["balance"] == 21


@pytest.mark.parametrize("body", [{}, {"amount": 0}, {"amount": 2.5}, {"amount": "20"}])
def test_a_top_up_of_nothing(open_door: Callable[..., Any], body: Any) -> None:
    answer = open_door(Emulator())("POST", "account/topup", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "amount"]


@pytest.mark.parametrize("is_test", [True, False])
def test_a_key_works_from_its_making_to_its_deletion(open_door: Callable[..., Any], is_test: bool) -> None:
    emulator = Emulator()
    knock = open_door(emulator)
    made = knock("POST", "keys", json={"name": "my-app", "is_test": is_test}).json()
    theirs = open_door(emulator, made["api_key"])
    answer = theirs("POST", "flux-dev-image", json=FOX)
    assert (answer.json()["status"] == "completed") is is_test
    listed = {key["id"]: key for key in knock("GET", "keys").json()}
    assert len(listed) == 3
    assert listed[made["id"]]["name"] == "my-app"
    assert listed[made["id"]]["is_test"] is is_test
    assert listed[made["id"]]["last_used_at"] is not None
    assert made["api_key"] not in knock("GET", "keys").text
    assert knock("DELETE", f"keys/{made['id']}").status_code == 200
    assert theirs("GET", "account/balance").status_code == 403
    assert knock("DELETE", f"keys/{made['id']}").status_code == 404


def test_a_key_list_that_does_not_tell_test_keys_from_live_ones(open_door: Callable[..., Any]) -> None:
    knock = open_door(Emulator(shape=Shape(is_test_listed=False)))
    assert [key.keys() & {"name", "is_test"} for key in knock("GET", "keys").json()] == [{"name"}, {"name"}]


def test_a_key_needs_a_name(open_door: Callable[..., Any]) -> None:
    answer = open_door(Emulator())("POST", "keys", json={"is_test": True})
    assert answer.json()["detail"] == [{"type": "missing", "loc": ["body", "name"], "msg": "Field required"}]


def test_no_key_at_all_is_an_emulator_one_can_still_ask_for_models(open_door: Callable[..., Any]) -> None:
    knock = open_door(Emulator(live_keys=(), test_keys=()), None)
    listed = knock("GET", "models").json()
    assert listed["total"] == len(listed["models"]) > 600
    assert listed["currency"] == "USD"


def test_one_model_and_some_models(open_door: Callable[..., Any]) -> None:
    knock = open_door(Emulator(), None)
    one = knock("GET", "models/flux-dev").json()
    assert (one["cost"], one["cost_currency"]) == (0.015, "USD")
    assert one["estimate_endpoint"] == "/api/v1/models/flux-dev/estimate-cost"
    some = knock("GET", "models", params={"category": one["category"], "family": one["family"]}).json()
    assert one in some["models"]
    assert {card["category"] for card in some["models"]} == {one["category"]}
    assert knock("GET", "models", params={"category": "none"}).json()["total"] == 0
    assert knock("POST", "models/none/estimate-cost", json={}).status_code == 404


def test_an_estimate_needs_no_key_and_a_payload(open_door: Callable[..., Any]) -> None:
    knock = open_door(Emulator(), None)
    assert knock("POST", "models/flux-dev/estimate-cost", json={}).json()["cost"] == 0.015
    assert knock("POST", "models/flux-dev/estimate-cost", json=[]).status_code == 422


def test_an_upload_answers_with_a_link_and_costs_nothing(open_door: Callable[..., Any]) -> None:
    emulator = Emulator()
    answer = open_door(emulator)("POST", "upload_file", files={"file": ("fox.png", b"\x89PNG", "image/png")})
    assert answer.json()["url"].startswith("https://cdn.muapi.ai/uploads/")
    assert answer.json()["url"].endswith("/fox.png")
    assert emulator.charged_usd == 0


def test_an_upload_needs_a_balance_a_file_and_a_size(open_door: Callable[..., Any]) -> None:
    fox = {"file": ("fox.png", b"\x89PNG", "image/png")}
    assert open_door(Emulator(balance=0))("POST", "upload_file", files=fox).status_code == 402
    knock = open_door(Emulator())
    wrong = knock("POST", "upload_file", files={"image": fox["file"]})
    assert wrong.json()["detail"] == [{"type": "missing", "loc": ["body", "file"], "msg": "Field required"}]
    assert knock("POST", "upload_file").status_code == 422
    big = b"0" * (10 * 1024 * 1024 + 1)
    assert knock("POST", "upload_file", files={"file": ("a.png", big, "image/png")}).status_code == 413
    assert knock("POST", "upload_file", files={"file": ("a.mp4", big, "video/mp4")}).status_code == 200
