"""Submits in doubt: what an earlier try may have done is not forgotten over what a later one says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import STREAMED, make_company, make_stream

from muapi_client import Cost, Journal, errors, raw_call

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Twin

ACCEPTED = {"request_id": "r1", "status": "processing"}
DONE = {"id": "r1", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/a.png"]}
LATE, REFUSED = httpx.ReadTimeout("late"), ("unsent", httpx.ConnectError("refused"))
ENVELOPE = {"status": "error", "message": "no"}


@pytest.mark.parametrize(
    "tries",
    [(LATE, REFUSED), (LATE, (429, {})), ((502, ""), (402, {})), ((502, ""), (409, {})), ((502, ""), (401, {}))],
    ids=str,
)
def test_a_refusal_after_a_try_in_doubt_is_an_unknown_outcome(twin: Twin, tmp_path: Path, tries: Any) -> None:
    face = twin(*tries, journal=tmp_path / "jobs.db")
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="idempotency key") as caught:
        face.submit(make_company(domain="example.com"))
    (entry,) = face.unknown()
    assert entry.call == caught.value.call
    assert caught.value.call.body["idempotency_key"]


def test_a_try_in_doubt_that_is_answered_in_the_end_is_one_job(twin: Twin) -> None:
    face = twin(LATE, (502, ""), ACCEPTED)
    assert face.submit(make_company(domain="example.com")).id == "r1"
    keys = {request.content for request in face.server.requests}
    assert len(keys) == 1


@pytest.mark.parametrize("status", [408, 425, 429])
def test_an_envelope_s_error_word_on_a_passing_status_does_not_end_a_job(twin: Twin, status: int) -> None:
    assert twin(ACCEPTED, (status, ENVELOPE), DONE).run(twin.call).done


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.AuthenticationError), (402, errors.InsufficientCreditError), (422, errors.ValidationError)],
)
def test_an_envelope_s_error_word_on_a_refused_submit_is_no_job(twin: Twin, status: int, kind: type) -> None:
    face = twin((status, ENVELOPE))
    with pytest.raises(kind):
        face.submit(twin.call)
    assert face.spend.requests == 0


@pytest.mark.parametrize("way", ["run", "submit", "send"])
def test_a_stream_is_refused_before_anything_is_sent(twin: Twin, way: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(errors.ValidationError, match=rf"mu.stream\(call\), or use {STREAMED.slug}"):
        getattr(face, way)(make_stream(prompt="x"))
    assert face.server.requests == []


def test_a_nameless_result_is_an_intent_until_it_is_finished(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(Journal, "finish", die)
    face = twin({"status": "completed", "outputs": ["a word"]}, journal=tmp_path / "jobs.db")
    with pytest.raises(SystemExit):
        face.submit(twin.call)
    (entry,) = Journal(tmp_path / "jobs.db").entries()
    assert entry.state == "intent"


def test_a_journal_that_fails_after_the_charge_keeps_the_limit(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise errors.JournalError("full")

    monkeypatch.setattr(Journal, "accept", fail)
    price = {"cost": 1.0, "currency": "USD"}
    face = twin(price, ACCEPTED, price, max_spend=Decimal(1), journal=tmp_path / "jobs.db")
    call = make_company(domain="example.com")
    with pytest.raises(errors.JournalError, match="r1 was accepted"):
        face.submit(call)
    with pytest.raises(errors.SpendLimitError):
        face.submit(call)


def test_an_unknown_job_is_not_told_about_slugs(twin: Twin) -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        twin((404, {"detail": "Not Found"})).look("nope")
    assert "slug" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "   ", "\t\n"])
def test_a_blank_idempotency_key_is_refused(twin: Twin, key: str) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(errors.ValidationError, match="idempotency_key is blank"):
        face.submit(make_company(domain="example.com", idempotency_key=key))
    assert face.server.requests == []


def test_a_keyed_submit_in_doubt_is_told_though_the_client_is_closed_meanwhile(twin: Twin) -> None:
    face = twin(LATE)
    closing = face.mu

    def close(*_: Any) -> Any:
        closing._connections._closed = True  # what close() does first, on another thread
        return LATE

    face.server.steps[:] = [close]
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="this client is closed"):
        face.submit(make_company(domain="example.com"))
    assert face.server.posts == 1
    assert len(face.mu._context.memory.unknown()) == 1


CHARGED = {**ACCEPTED, "cost": {"amount_usd": 0.015}}
SAMPLE = {**DONE, "cost": {"amount_usd": 0}}


@pytest.mark.parametrize("second", [CHARGED, {**DONE, "cost": {"amount_usd": 0.015}}, ACCEPTED], ids=str)
def test_an_id_that_is_that_of_another_call_s_job_is_logged(
    twin: Twin, tmp_path: Path, second: Any, caplog: pytest.LogCaptureFixture
) -> None:
    face = twin(CHARGED, second, journal=tmp_path / "jobs.db")
    assert face.submit(twin.call).id == "r1"
    assert face.submit(raw_call("new/model", {"prompt": "a grey wolf"})).id == "r1"
    (record,) = caplog.records
    assert record.getMessage().startswith("new/model was answered with the request id r1, which is that of another")
    assert (record.name, record.levelname) == ("muapi_client.money", "WARNING")


def test_equal_calls_may_be_answered_with_one_job(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    face = twin(CHARGED)
    assert [face.submit(twin.call).id for _ in range(2)] == ["r1", "r1"]
    assert not caplog.records


def test_a_sample_that_is_free_may_have_one_id_for_all(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    face = twin(SAMPLE)
    calls = [twin.call, raw_call("new/model", {"prompt": "a grey wolf"})]
    assert [face.run(call).id for call in calls] == ["r1", "r1"]
    assert not caplog.records


def test_what_a_cache_answers_to_a_submit_is_no_acceptance(twin: Twin) -> None:
    face = twin((200, CHARGED, {"age": "300"}))
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="an earlier request, which a cache has kept for 300 s"):
        face.run(twin.call)
    assert (face.server.posts, face.server.gets, len(face.unknown())) == (1, 0, 1)


def test_an_answer_of_no_age_is_the_server_s(twin: Twin) -> None:
    assert twin((200, CHARGED, {"age": "0"})).submit(twin.call).id == "r1"


def test_caches_are_asked_to_keep_out_of_it(twin: Twin) -> None:
    face = twin(CHARGED, DONE)
    face.run(twin.call)
    assert {request.headers["cache-control"] for request in face.server.requests} == {"no-cache"}


def test_a_wait_says_that_a_cache_answered_its_looks(twin: Twin) -> None:
    face = twin(CHARGED, (200, ACCEPTED, {"age": "40"}))
    with pytest.raises(errors.WaitTimeoutError, match="a cache on the way answered the latest look"):
        face.run(twin.call)


def test_a_cache_s_word_that_there_is_no_such_job_ends_no_wait(twin: Twin, tmp_path: Path) -> None:
    face = twin(CHARGED, journal=tmp_path / "jobs.db", reuse=True)
    face.submit(twin.call)
    face.clock.sleep(60.0)
    face.server.steps[:] = [(404, {"detail": "Not Found"}, {"age": "60"}), DONE]
    assert face.run(twin.call).reused
    assert face.server.posts == 1


@pytest.mark.parametrize("error", ["upstream is busy", {"message": "rate limited", "code": 429}], ids=str)
def test_an_error_that_names_neither_a_job_nor_a_status_ends_no_job(twin: Twin, error: Any) -> None:
    assert twin(CHARGED, {"error": error}, DONE).run(twin.call).done


def test_a_gateway_s_error_has_reuse_pay_for_no_second_job(twin: Twin, tmp_path: Path) -> None:
    face = twin(CHARGED, {"error": "upstream is busy"}, DONE, journal=tmp_path / "jobs.db", reuse=True)
    face.submit(twin.call)
    assert face.run(twin.call).reused
    assert face.server.posts == 1


def test_an_end_that_is_silent_about_money_costs_what_the_submit_told(twin: Twin) -> None:
    assert twin(CHARGED, DONE).run(twin.call).cost == Cost(Decimal("0.015"))
    with pytest.raises(errors.JobFailedError, match=r"charged 0\.015 USD") as caught:
        twin(CHARGED, {"id": "r1", "status": "failed", "error": "oom"}).run(twin.call)
    assert caught.value.cost == Cost(Decimal("0.015"))


def test_a_refund_that_was_told_is_not_taken_back_by_the_end(twin: Twin) -> None:
    told = {"amount_usd": 0.015, "refunded": True}
    face = twin({**CHARGED, "cost": told}, {**DONE, "cost": {**told, "refunded": False}})
    done = face.run(twin.call)
    assert done.cost.charged_usd == face.spend.total_usd == 0


@pytest.mark.parametrize("body", [{"message": "no Route matched"}, "404 page not found"], ids=str)
def test_a_gateway_s_404_has_reuse_pay_for_no_second_job(twin: Twin, tmp_path: Path, body: Any) -> None:
    face = twin(CHARGED, journal=tmp_path / "jobs.db", reuse=True)
    face.submit(twin.call)
    face.clock.sleep(60.0)
    face.server.steps[:] = [(404, body)]
    with pytest.raises(errors.NotFoundError, match="MuAPI does not answer so"):
        face.run(twin.call)
    assert face.server.posts == 1


@pytest.mark.parametrize(
    "body",
    [
        *({place: [{"request_id": "r1", "status": "queued"}]} for place in ("data", "images", "outputs")),
        {"output": {"id": "r1", "status": "processing"}},
        {"output": "processing"},
        {"data": ["queued"]},
    ],
    ids=str,
)
def test_a_running_job_in_the_place_of_outputs_is_no_output(twin: Twin, body: Any) -> None:
    face = twin(body)
    with pytest.raises(errors.SubmitOutcomeUnknownError, match="neither a request id nor a result"):
        face.run(twin.call)
    assert len(face.unknown()) == 1


def test_a_word_that_a_finished_job_made_is_its_output(twin: Twin) -> None:
    assert twin({"status": "completed", "outputs": ["pending"]}).run(twin.call).outputs[0].text == "pending"
