"""The small endpoints: each a typed call, the same on both clients."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client import MuAPIError
from muapi_client.errors import NotFoundError, ResponseError, SubmitOutcomeUnknownError, ValidationError
from muapi_generated import models

if TYPE_CHECKING:
    import httpx
    from twins.conftest import Face, Twin


def sent(face: Face) -> tuple[str, str, bytes]:
    request = face.server.requests[-1]
    return request.method, request.url.path, request.content


def items(face: Face, limit: int | None = None) -> list[Any]:
    async def awaiting() -> list[Any]:
        return [item async for item in face.mu.history(limit=limit)]

    return face.go(awaiting()) if hasattr(face.mu, "__aenter__") else list(face.mu.history(limit=limit))


def test_the_balance(twin: Twin) -> None:
    face = twin({"balance": 9.5, "currency": "usd", "email": "a@example.com", "new": 1})
    said = face.go(face.mu.account.balance())
    assert (said.balance, said.currency, said.additional) == (9.5, "usd", {"new": 1})
    assert sent(face) == ("GET", "/api/v1/account/balance", b"")


@pytest.mark.parametrize(
    "written", ["9.5", "9", "0.1", "-0.3", "123456789012.123456", "0.12345678901234567890", "1e-7", '"18.723400"']
)
def test_the_balance_is_exact_and_subtracts_from_the_spend(twin: Twin, written: str) -> None:
    cost = {"amount_usd": 0.1, "amount_credits": 1}
    face = twin(
        {"id": "abc", "status": "completed", "outputs": ["a"], "cost": cost}, (200, f'{{"balance": {written}}}')
    )
    face.run(twin.call)
    balance = face.go(face.mu.account.balance()).balance
    assert balance == Decimal(written.strip('"'))
    assert balance - face.spend.total_usd == Decimal(written.strip('"')) - Decimal("0.1")


@pytest.mark.parametrize("written", ["null", '"n/a"', "true", "[1]", "{}", "NaN", "9" * 5000])
def test_a_balance_that_is_no_amount_stays_as_it_came(twin: Twin, written: str) -> None:
    try:
        face = twin((200, f'{{"balance": {written}}}'))
        balance = face.go(face.mu.account.balance())
    except MuAPIError:
        return  # 5,000 digits are no JSON that Python reads
    assert repr(balance.balance) == repr(json.loads(written))


def test_prices_and_the_costs_of_the_history_are_decimal(twin: Twin) -> None:
    face = twin({"models": [{"name": IMAGE.name, "cost": 0.015}], "total": 1})
    (card,) = face.go(face.mu.models.list()).models
    assert (type(card.cost), card.cost) == (Decimal, Decimal("0.015"))
    found = [
        {"id": 1, "cost": 0.015, "seconds": 1.5},
        {"id": 2, "cost": {"amount_usd": 0.1, "amount_credits": 10}},
        {"id": 3, "cost": None, "amount_usd": "0.25"},
    ]
    said = items(twin({"items": found, "next_cursor": None}))
    assert said == [
        {"id": 1, "cost": Decimal("0.015"), "seconds": 1.5},
        {"id": 2, "cost": {"amount_usd": Decimal("0.1"), "amount_credits": 10}},
        {"id": 3, "cost": None, "amount_usd": Decimal("0.25")},
    ]


def test_a_topup_is_never_sent_twice(twin: Twin) -> None:
    face = twin({"checkout_url": "https://pay.example/1"})
    assert face.go(face.mu.account.topup(20)).checkout_url == "https://pay.example/1"
    assert b'"amount":20' in sent(face)[2]
    face = twin(TimeoutError("timed out"))
    with pytest.raises(SubmitOutcomeUnknownError):
        face.go(face.mu.account.topup(20))
    assert face.server.posts == 1


@pytest.mark.parametrize("amount", [0, -5, 2.5, True])
def test_an_impossible_topup_is_refused_here(twin: Twin, amount: Any) -> None:
    face = twin({})
    with pytest.raises(ValidationError):
        face.go(face.mu.account.topup(amount))
    assert face.server.requests == []


def test_keys(twin: Twin) -> None:
    face = twin([{"id": 1, "name": "app", "is_active": True, "created_at": "2026-01-01T00:00:00"}])
    (key,) = face.go(face.mu.keys.list())
    assert (key.id, key.name, key.is_active) == (1, "app", True)
    face.server.steps = [{"id": 2, "name": "test", "api_key": "sk-once"}]
    assert face.go(face.mu.keys.create("test", is_test=True)).api_key == "sk-once"
    assert sent(face) == ("POST", "/api/v1/keys", b'{"name":"test","is_test":true}')


@pytest.mark.parametrize("answer", [{}, (200, "null"), (204, "")], ids=str)
def test_a_key_is_deleted(twin: Twin, answer: Any) -> None:
    face = twin(answer)
    assert face.go(face.mu.keys.delete(7)) is None
    assert sent(face) == ("DELETE", "/api/v1/keys/7", b"")


def test_models(twin: Twin) -> None:
    face = twin({"models": [{"name": IMAGE.name, "cost": 0.015}], "total": 1, "currency": "usd"})
    assert face.go(face.mu.models.list()).total == 1
    face.server.steps = [{"name": IMAGE.name, "cost": 0.015}]
    assert face.go(face.mu.models.get(IMAGE.name)).name == IMAGE.name
    assert sent(face)[1] == f"/api/v1/models/{IMAGE.name}"
    face.server.steps = [(404, {"detail": "Not Found"})]
    with pytest.raises(NotFoundError):
        face.go(face.mu.models.get("no such"))


class TestHistory:
    def test_it_walks_page_after_page(self, twin: Twin) -> None:
        def page(request: httpx.Request) -> Any:
            start = int(request.url.params.get("cursor", 0))
            return {
                "items": [{"id": start + n} for n in range(3)],
                "next_cursor": str(start + 3) if start < 6 else None,
            }

        face = twin(page)
        assert [item["id"] for item in items(face)] == list(range(9))
        assert len(face.server.requests) == 3

    def test_it_stops_at_the_limit(self, twin: Twin) -> None:
        face = twin(lambda _: {"items": [{"id": n} for n in range(100)], "next_cursor": "more"})
        assert len(items(face, 150)) == 150
        assert [request.url.params["limit"] for request in face.server.requests] == ["100", "50"]

    def test_a_cursor_that_leads_in_circles_is_left(self, twin: Twin) -> None:
        def page(_: httpx.Request) -> Any:
            assert len(face.server.requests) < 50, "it never ends"
            return {"items": [{"id": 1}], "next_cursor": "same"}

        face = twin(page)
        assert items(face)

    @pytest.mark.parametrize(
        "body", [{}, {"items": []}, {"items": None, "next_cursor": "x"}, {"next_cursor": 7}], ids=str
    )
    def test_an_empty_page_ends_it(self, twin: Twin, body: dict[str, Any]) -> None:
        assert items(twin(body)) == []


@pytest.mark.parametrize("body", [[], "no", None, 3])
def test_a_history_that_is_no_page_is_told(twin: Twin, body: Any) -> None:
    with pytest.raises(ResponseError, match="expected a page of the history, got"):
        items(twin((200, json.dumps(body))))


def test_the_history_does_not_depend_on_the_class_of_its_page(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document may declare the items one day: then the class has them, and not what is additional to it."""
    monkeypatch.setattr(
        models.HistoryPage, "from_dict", lambda page: models.HistoryPage(next_cursor=page["next_cursor"])
    )
    face = twin({"items": [{"id": 1}], "next_cursor": "2"}, {"items": [{"id": 2}], "next_cursor": None})
    assert items(face) == [{"id": 1}, {"id": 2}]
