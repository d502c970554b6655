"""Every layout of an answer that public clients have met, on demand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, CLIP, IMAGE

from muapi_client.emulator import Emulator, Outcome, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}
COST = {"amount_usd": 0.015, "amount_credits": 2, "bonus_credits_used": 0, "refunded": False}


@pytest.fixture
def ask(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Submit one job of this outcome and look at it at its end: both answers."""

    def submit_and_look(outcome: Any, slug: str = IMAGE.slug) -> tuple[str, Any, Any]:
        emulator = Emulator(outcomes=[outcome])
        send = connect(emulator)
        submitted = send("POST", slug, json=FOX)
        emulator.clock.sleep(1000)
        (item,) = send("GET", "history").json()["items"]
        return item["id"], submitted, send("GET", f"predictions/{item['id']}/result")

    return submit_and_look


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("request_id", {"request_id": "ID", "status": "queued", "cost": COST}),
        ("bare", {"request_id": "ID"}),
        ("id", {"id": "ID", "status": "queued", "cost": COST}),
        ("data", {"data": {"request_id": "ID", "status": "queued", "cost": COST}}),
    ],
)
def test_forms_of_a_submit(ask: Callable[..., Any], form: Any, expected: Any) -> None:
    request_id, submitted, _ = ask(Outcome.completed(shape=Shape(submit=form)))
    assert _named(submitted.json(), request_id) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("strings", ["https://x.example/1", "https://x.example/2"]),
        ("objects", [{"url": "https://x.example/1"}, {"url": "https://x.example/2"}]),
        ("typed_objects", [{"image_url": "https://x.example/1"}, {"image_url": "https://x.example/2"}]),
        ("string", "https://x.example/1"),
        ("object", {"url": "https://x.example/1"}),
    ],
)
@pytest.mark.parametrize("under", ["outputs", "output", "data", "images"])
def test_forms_of_outputs(ask: Callable[..., Any], form: Any, under: Any, expected: Any) -> None:
    outputs = ["https://x.example/1", "https://x.example/2"]
    _, _, looked = ask(Outcome.completed(outputs, shape=Shape(outputs=form, under=under)))
    answer = looked.json()
    assert answer[under] == expected
    assert not {"outputs", "output", "data", "images"} - {under} & answer.keys()


def test_text_in_objects_stands_under_value(ask: Callable[..., Any]) -> None:
    _, _, looked = ask(Outcome.completed(["hello"], shape=Shape(outputs="objects")), CHAT.slug)
    assert looked.json()["outputs"] == [{"value": "hello"}]


def test_typed_objects_of_a_video(ask: Callable[..., Any]) -> None:
    outcome = Outcome.completed(["https://x.example/1"], shape=Shape(outputs="typed_objects"))
    _, _, looked = ask(outcome, CLIP.slug)
    assert looked.json()["outputs"] == [{"video_url": "https://x.example/1"}]


@pytest.mark.parametrize("error", ["no memory", {"message": "no memory"}, None])
def test_a_failed_job_is_http_400_unless_asked_otherwise(ask: Callable[..., Any], error: Any) -> None:
    request_id, _, looked = ask(Outcome.failed(error))
    assert looked.status_code == 400
    assert looked.json() == {"detail": {"id": request_id, "status": "failed", "error": error}}
    assert looked.headers["x-muapi-cost-refunded"] == "true"

    request_id, _, looked = ask(Outcome.failed(error, shape=Shape(failure="http_200")))
    assert looked.status_code == 200
    assert looked.json() == {
        "id": request_id,
        "status": "failed",
        "outputs": [],
        "error": error,
        "cost": {**COST, "refunded": True},
    }


def test_a_failure_that_is_not_refunded(ask: Callable[..., Any]) -> None:
    _, _, looked = ask(Outcome.failed(refunded=False))
    assert "x-muapi-cost-refunded" not in looked.headers


@pytest.mark.parametrize("status", ["cancelled", "canceled"])
def test_a_cancelled_job(ask: Callable[..., Any], status: str) -> None:
    _, _, looked = ask(Outcome.cancelled(status=status))
    assert looked.status_code == 200
    assert (looked.json()["status"], looked.json()["outputs"]) == (status, [])


@pytest.mark.parametrize("status", ["moderated", "content_moderated", "rejected", "completed", "processing"])
def test_a_moderated_job_has_an_error_and_any_status(ask: Callable[..., Any], status: str) -> None:
    _, _, looked = ask(Outcome.moderated("nudity", status=status))
    answer = looked.json()
    assert looked.status_code == 200
    assert (answer["status"], answer["error"], answer["outputs"]) == (status, "nudity", [])


@pytest.mark.parametrize("word", ["succeeded", "success"])
def test_other_words_for_completed(ask: Callable[..., Any], word: str) -> None:
    assert ask(Outcome.completed(shape=Shape(done=word)))[2].json()["status"] == word
    assert ask(Outcome.completed(status=word))[2].json()["status"] == word


def test_other_words_on_the_way(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10, shape=Shape(running=("pending", "running", "rendering")))
    send = connect(emulator)
    request_id = send("POST", IMAGE.slug, json=FOX).json()["request_id"]
    seen = []
    for _ in range(11):
        seen.append(send("GET", f"predictions/{request_id}/result").json()["status"])
        emulator.clock.sleep(1)
    assert seen == ["pending", *["running"] * 5, *["rendering"] * 4, "completed"]


def test_one_word_on_the_way(connect: Callable[..., Any]) -> None:
    emulator = Emulator(shape=Shape(running=("warming up",)))
    send = connect(emulator)
    submitted = send("POST", IMAGE.slug, json=FOX).json()
    emulator.clock.sleep(3.9)
    looked = send("GET", f"predictions/{submitted['request_id']}/result").json()
    assert submitted["status"] == looked["status"] == "warming up"


@pytest.mark.parametrize("costs", ["both", "headers", "body", "none"])
@pytest.mark.parametrize("outcome", [Outcome.completed, Outcome.failed])
def test_where_cost_is_told(ask: Callable[..., Any], costs: Any, outcome: Any) -> None:
    _, submitted, looked = ask(outcome(shape=Shape(costs=costs)))
    for answer in (submitted, looked):
        in_headers = {"x-muapi-cost-usd", "x-muapi-cost-credits", "x-account-balance"} & answer.headers.keys()
        assert len(in_headers) == (3 if costs in {"both", "headers"} else 0)
        if answer.status_code == 200:
            assert ("cost" in answer.json()) == (costs in {"both", "body"})


def test_extras_of_a_result(ask: Callable[..., Any]) -> None:
    request_id, _, looked = ask(Outcome.completed(seconds=12.5, shape=Shape(extras=True)))
    answer = looked.json()
    assert answer["urls"] == {"get": f"https://api.muapi.ai/api/v1/predictions/{request_id}/result"}
    assert answer["has_nsfw_contents"] == [False]
    assert datetime.fromisoformat(answer["created_at"]).tzinfo is UTC
    assert (answer["executionTime"], answer["timings"]) == (12500, {"inference": 12.5})


@pytest.mark.parametrize("inline_id", [True, False])
def test_sync_bodies_are_answered_at_once(connect: Callable[..., Any], inline_id: bool) -> None:
    emulator = Emulator(shape=Shape(inline_id=inline_id))
    send = connect(emulator)
    answer = send("POST", IMAGE.slug, json={**FOX, "sync": True})
    assert answer.status_code == 200
    assert (answer.json()["status"], len(answer.json()["outputs"])) == ("completed", 1)
    assert answer.json()["cost"] == COST
    assert ({"id", "request_id"} <= answer.json().keys()) is inline_id
    assert ({"id", "request_id"} & answer.json().keys() == set()) is not inline_id
    assert emulator.charged_usd == Decimal("0.015")


def test_a_model_without_sync_ignores_it(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("POST", CLIP.slug, json={**FOX, "sync": True})
    assert answer.json()["status"] == "queued"


def test_an_inline_answer_in_other_forms(connect: Callable[..., Any]) -> None:
    emulator = Emulator(
        outcomes=[
            Outcome.completed(inline=True, shape=Shape(submit="id")),
            Outcome.completed(inline=True, shape=Shape(submit="data")),
            Outcome.failed("no memory", inline=True),
        ]
    )
    send = connect(emulator)
    by_id, nested, failed = (send("POST", IMAGE.slug, json=FOX) for _ in range(3))
    assert by_id.json().keys() == {"id", "status", "outputs", "cost"}
    assert nested.json()["data"]["status"] == "completed"
    assert failed.status_code == 400
    assert failed.json()["detail"]["error"] == "no memory"
    assert failed.headers["x-muapi-cost-refunded"] == "true"
    assert emulator.charged_usd == 2 * Decimal("0.015")


def _named(value: Any, request_id: str) -> Any:
    if isinstance(value, dict):
        return {name: _named(item, request_id) for name, item in value.items()}
    return "ID" if value == request_id else value
