"""The emulator's streams, as a client and as plain HTTP see them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from by_kind import STREAM, STREAMED, make_stream
from fitting import make_fitting
from httpx_sse import EventSource

from muapi_client import Cost, MuAPI, catalog, errors
from muapi_client.emulator import Emulator, Fault, Faults, Outcome, Shape

CALL = make_stream(prompt="Say hello")
ANSWER = f"{STREAMED.slug} answers: Say hello"
PRICE = Decimal("0.01")


def client(emulator: Emulator, key: str = "sk-live", **options: Any) -> MuAPI:
    return MuAPI(key, transport=emulator.transport(), **options)


def text_of(mu: MuAPI) -> tuple[str, Any]:
    events = list(mu.stream(CALL))
    return "".join(event.text for event in events), events[-1]


@pytest.mark.parametrize("stream", ["deltas", "texts", "ndjson"])
@pytest.mark.parametrize("costs", ["both", "headers", "body", "none"])
def test_a_stream_is_charged_once_and_stands_in_the_history(stream: Any, costs: Any) -> None:
    emulator = Emulator(outcomes=[Outcome.completed(price=PRICE)], shape=Shape(stream=stream, costs=costs))
    with client(emulator) as mu:
        text, last = text_of(mu)
        assert text == ANSWER
        assert last.cost == (None if costs == "none" else Cost(PRICE, 1))
        assert last.balance == (Decimal("99.99") if costs in ("both", "headers") else None)
        assert mu.look(last.request_id).done
        assert mu.spend.requests == 1
        assert [item["id"] for item in mu.history()] == [last.request_id]
    assert (emulator.accepted, emulator.charged_usd) == (1, PRICE)


def test_a_foreign_reader_of_event_streams_reads_it() -> None:
    emulator = Emulator()
    with httpx.Client(transport=emulator.transport(), headers={"x-api-key": "sk-live"}) as http:
        url = f"https://api.muapi.ai/api/v1/{STREAM.slug}"
        with http.stream("POST", url, json={"prompt": "Say hello"}) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert Decimal(response.headers["x-muapi-cost-usd"]) == emulator.charged_usd
            said = [event.data for event in EventSource(response).iter_sse()]
    assert said.pop() == "[DONE]"
    chunks = [json.loads(data) for data in said]
    assert chunks[-1]["status"] == "completed"
    words = [choice["delta"].get("content", "") for chunk in chunks[:-1] for choice in chunk["choices"]]
    assert "".join(words) == ANSWER
    assert len(words) > 4


@pytest.mark.parametrize("stream", ["deltas", "texts", "ndjson"])
@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.failed("out of memory"), errors.JobFailedError),
        (Outcome.moderated(), errors.JobFailedError),
        (Outcome.cancelled(), errors.JobCancelledError),
    ],
)
def test_one_that_fails_does_so_in_the_middle_and_is_refunded(stream: Any, outcome: Outcome, kind: type) -> None:
    emulator = Emulator(outcomes=[outcome], shape=Shape(stream=stream))
    with client(emulator) as mu:
        with pytest.raises(kind) as caught:
            text_of(mu)
        error: Any = caught.value
        assert error.text
        assert ANSWER.startswith(error.text)
        assert error.cost.refunded
        assert mu.spend.total_usd == 0
    assert emulator.charged_usd == 0


@pytest.mark.parametrize("stream", ["deltas", "texts", "ndjson"])
def test_a_test_key_gets_a_sample_for_nothing(stream: Any) -> None:
    emulator = Emulator(shape=Shape(stream=stream))
    with client(emulator, "sk-test") as mu:
        text, last = text_of(mu)
        assert text == "This is a sample answer."
        assert last.cost == Cost(Decimal(0))
        assert last.sandbox.verdict is not False
    assert (emulator.accepted, emulator.charged_usd) == (0, Decimal(0))


@pytest.mark.parametrize("stream", ["deltas", "texts", "ndjson"])
def test_one_that_is_cut_never_passes_for_whole(stream: Any) -> None:
    faults = Faults(sequence=[Fault.CUT_BODY])
    emulator = Emulator(outcomes=[Outcome.completed(price=PRICE)], faults=faults, shape=Shape(stream=stream))
    with client(emulator) as mu:
        with pytest.raises(errors.StreamBrokenError) as caught:
            text_of(mu)
        assert mu.spend.total_usd == emulator.charged_usd == PRICE
    assert ANSWER.startswith(caught.value.text)


def test_refusals_are_those_of_a_submit() -> None:
    emulator = Emulator(balance=0, outcomes=[Outcome.completed(price=PRICE)])
    with client(emulator, strict=False) as mu:
        with pytest.raises(errors.InsufficientCreditError):
            text_of(mu)
        with pytest.raises(errors.ValidationError, match="prompt"):
            next(mu.stream(type(CALL)(CALL.operation, {})))
    with client(emulator, "sk-nobody") as mu, pytest.raises(errors.AuthenticationError):
        text_of(mu)
    assert emulator.accepted == 0


def test_a_budget_holds() -> None:
    emulator = Emulator(outcomes=[Outcome.completed(price=PRICE)] * 2)
    with client(emulator, max_spend=PRICE) as mu:
        text_of(mu)
        with pytest.raises(errors.SpendLimitError):
            text_of(mu.with_options(max_spend=PRICE / 2))
    assert emulator.accepted == 1


def test_every_stream_of_the_document_answers() -> None:
    emulator = Emulator()
    streams = [model for model in catalog.all() if model.streams]
    with client(emulator) as mu:
        for model in streams:
            needed = [field for field in model.fields if field.required or field.name == "prompt"]
            call = model.call(**{field.name: make_fitting(field.schema, {}) for field in needed})
            events = list(mu.stream(call))
            assert events[-1].done, model.slug
            prompt = call.body["prompt"] or "nothing in particular"  # where a later document has no text for it
            assert "".join(event.text for event in events).endswith(f"answers: {prompt}"), model.slug
    assert emulator.accepted == len(streams) > 20
