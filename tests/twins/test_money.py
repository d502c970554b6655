"""What was charged is counted once, exactly; what nobody told is not zero; ``max_spend`` holds before the sending."""

from __future__ import annotations

import asyncio
import threading
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_image

from muapi_client import MuAPIError, SpendWarning
from muapi_client._protocol import request as request_module
from muapi_client.errors import (
    InsufficientCreditError,
    JobFailedError,
    NotFoundError,
    ResponseError,
    SpendLimitError,
    SubmitOutcomeUnknownError,
    ValidationError,
)

if TYPE_CHECKING:
    from twins.conftest import Face, Twin

PICTURE = "https://cdn.muapi.ai/outputs/1.png"
FOX = make_image(prompt="a red fox")


def cost(usd: float, *, refunded: bool = False) -> dict[str, Any]:
    return {"amount_usd": usd, "amount_credits": 1, "bonus_credits_used": 0, "refunded": refunded}


def accepted(name: str = "abc", **fields: Any) -> dict[str, Any]:
    return {"request_id": name, "status": "processing", **fields}


def done(name: str = "abc", **fields: Any) -> dict[str, Any]:
    return {"id": name, "status": "completed", "outputs": [PICTURE], **fields}


def estimate(usd: Any, **fields: Any) -> dict[str, Any]:
    return {"model": IMAGE.name, "cost": usd, "currency": "usd", "dynamic_pricing": True, **fields}


HEADERS = {
    "x-muapi-cost-usd": "0.004200",
    "x-muapi-cost-credits": "1",
    "x-muapi-cost-bonus-credits": "2",
    "x-account-balance": "18.7234",
}


class TestReading:
    def test_from_headers_alone(self, twin: Twin) -> None:
        said = twin((200, done(), HEADERS)).wait("abc")
        assert said.cost.amount_usd == Decimal("0.0042")
        assert (said.cost.amount_credits, said.cost.bonus_credits_used, said.cost.refunded) == (1, 2, False)
        assert (said.balance, said.warnings) == (Decimal("18.7234"), ())

    def test_from_the_body_alone(self, twin: Twin) -> None:
        said = twin(done(cost=cost(0.0042))).wait("abc")
        assert said.cost.amount_usd == Decimal("0.0042")
        assert (said.balance, said.warnings) == (None, ())

    def test_both_agreeing(self, twin: Twin) -> None:
        assert twin((200, done(cost=cost(0.0042)), HEADERS)).wait("abc").warnings == ()

    def test_both_disagreeing(self, twin: Twin) -> None:
        said = twin((200, done(cost=cost(0.5)), HEADERS)).wait("abc")
        assert said.cost.amount_usd == Decimal("0.5")
        assert len(said.warnings) == 1
        assert "0.004200" in said.warnings[0]
        assert "0.5" in said.warnings[0]

    def test_a_header_told_twice_is_told(self, twin: Twin) -> None:
        twice = [("X-MuAPI-Cost-USD", "0.5"), ("X-MuAPI-Cost-USD", "0.5"), ("X-Account-Balance", "3")] * 2
        said = twin(lambda _: (200, done(), twice)).wait("abc")
        assert said.cost is not None
        assert (said.cost.amount_usd, said.balance) == (Decimal("0.5"), Decimal(3))

    @pytest.mark.parametrize(
        ("fields", "headers"),
        [
            ({}, {}),
            ({"cost": None}, {}),
            ({"cost": "free"}, {}),
            ({"cost": {}}, {}),
            ({"cost": {"amount_usd": None}}, {}),
            ({"cost": {"amount_usd": "nan"}}, {}),
            ({"cost": {"amount_usd": True}}, {}),
            ({"cost": {"amount_usd": "1e9999999"}}, {}),
            ({}, {"x-muapi-cost-usd": ""}),
            ({}, {"x-muapi-cost-usd": "Infinity"}),
            ({}, {"x-muapi-cost-usd": "1e9999999"}),
            ({}, {"x-muapi-cost-credits": "5"}),
        ],
        ids=str,
    )
    def test_missing_is_not_zero(self, twin: Twin, fields: dict[str, Any], headers: dict[str, str]) -> None:
        face = twin((200, done(**fields), headers))
        assert face.wait("abc").cost is None
        assert (face.spend.total_usd, face.spend.requests, face.spend.unpriced) == (0, 1, 1)

    def test_zero_is_zero(self, twin: Twin) -> None:
        face = twin(done(cost=cost(0)))
        assert face.wait("abc").cost.charged_usd == 0
        assert face.spend.unpriced == 0

    def test_the_cost_beside_a_nested_answer(self, twin: Twin) -> None:
        job = twin({"data": {"request_id": "abc", "status": "queued"}, "cost": cost(0.5)}).submit(twin.call)
        assert job.cost is not None
        assert job.cost.amount_usd == Decimal("0.5")


class TestRefunds:
    """Money that was given back does not count as spent, however the server says so."""

    @pytest.mark.parametrize("told", [True, "true", "True", "1", "yes", 1], ids=repr)
    def test_in_the_body_in_any_form(self, twin: Twin, told: Any) -> None:
        failed = {"detail": {"id": "abc", "status": "failed", "cost": {"amount_usd": "0.5", "refunded": told}}}
        face = twin(accepted(cost=cost(0.5)), (400, failed))
        with pytest.raises(JobFailedError) as caught:
            face.run(twin.call)
        assert (caught.value.cost.charged_usd, face.spend.total_usd) == (0, 0)
        assert face.spend.refunded_usd == Decimal("0.5")

    @pytest.mark.parametrize("amounts", [{"x-muapi-cost-usd": "0.5"}, {}], ids=["with the amount", "alone"])
    def test_in_the_header_while_the_body_is_silent(self, twin: Twin, amounts: dict[str, str]) -> None:
        failed = {"detail": {"id": "abc", "status": "failed", "cost": {"amount_usd": 0.5}}}
        face = twin(accepted(cost=cost(0.5)), (400, failed, {"x-muapi-cost-refunded": "true", **amounts}))
        with pytest.raises(JobFailedError) as caught:
            face.run(twin.call)
        assert (face.spend.total_usd, caught.value.prediction.warnings) == (0, ())

    def test_alone_where_only_the_submit_told_the_amount(self, twin: Twin) -> None:
        failed = {"detail": {"id": "abc", "status": "failed"}}
        face = twin(accepted(cost=cost(0.5)), (400, failed, {"x-muapi-cost-refunded": "true"}))
        with pytest.raises(JobFailedError):
            face.run(twin.call)
        assert (face.spend.total_usd, face.spend.refunded_usd) == (0, Decimal("0.5"))

    def test_a_contradiction_counts_as_refunded_and_is_a_warning(self, twin: Twin) -> None:
        headers = {"x-muapi-cost-usd": "0.5", "x-muapi-cost-refunded": "false"}
        said = twin((200, done(cost=cost(0.5, refunded=True)), headers)).wait("abc")
        assert said.cost.refunded
        assert len(said.warnings) == 1
        assert "refunded by the body, not by the headers" in said.warnings[0]


class TestChargedRefusals:
    """A refusal that tells a charge tells it on its error."""

    @pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 422])
    @pytest.mark.parametrize("place", ["headers", "body", "detail"])
    def test_the_error_of_a_submit(self, twin: Twin, status: int, place: str) -> None:
        headers = {"x-muapi-cost-usd": "0.500000"} if place == "headers" else {}
        inner = {"reason": "content policy"}
        body: dict[str, Any] = {"detail": {**inner, **({"cost": cost(0.5)} if place == "detail" else {})}}
        face = twin((status, {**body, **({"cost": cost(0.5)} if place == "body" else {})}, headers))
        with pytest.raises(MuAPIError, match=r"charge of 0\.50*0* USD") as caught:
            face.submit(twin.call)
        assert caught.value.cost.charged_usd == Decimal("0.5")
        assert "nothing was charged" not in str(caught.value)

    def test_a_refusal_that_tells_none_says_nothing_of_one(self, twin: Twin) -> None:
        with pytest.raises(ValidationError, match="nothing was charged") as caught:
            twin((422, {"detail": "no"}, {"x-muapi-cost-usd": "0"})).submit(twin.call)
        assert caught.value.cost.charged_usd == 0


class TestSpend:
    def test_submit_and_result_tell_one_charge(self, twin: Twin) -> None:
        face = twin(accepted(cost=cost(0.1)), done(cost=cost(0.1)))
        face.run(twin.call)
        face.wait("abc")
        assert (face.spend.total_usd, face.spend.requests) == (Decimal("0.1"), 1)

    def test_many_jobs_sum_exactly(self, twin: Twin) -> None:
        names = iter(range(30))
        face = twin(lambda _: accepted(f"job-{next(names)}", cost=cost(0.1)))
        for _ in range(30):
            face.submit(twin.call)
        assert face.spend.total_usd == Decimal("3.0")

    def test_a_refund_is_taken_off(self, twin: Twin) -> None:
        failed = {"id": "abc", "status": "failed", "error": "oom", "cost": cost(0.1, refunded=True)}
        face = twin(accepted(cost=cost(0.1)), (400, {"detail": failed}))
        with pytest.raises(JobFailedError, match="refunded") as caught:
            face.run(twin.call)
        assert (caught.value.cost.amount_usd, caught.value.cost.charged_usd) == (Decimal("0.1"), 0)
        assert (face.spend.total_usd, face.spend.refunded_usd, face.spend.requests) == (0, Decimal("0.1"), 1)

    def test_a_refund_told_by_headers_alone(self, twin: Twin) -> None:
        headers = {"x-muapi-cost-usd": "0.100000", "x-muapi-cost-refunded": "true"}
        face = twin(accepted(cost=cost(0.1)), (400, {"detail": {"id": "abc", "status": "failed"}}, headers))
        with pytest.raises(JobFailedError):
            face.run(twin.call)
        assert face.spend.total_usd == 0

    def test_silence_about_cost_changes_nothing(self, twin: Twin) -> None:
        face = twin(accepted(cost=cost(0.1)), {"id": "abc", "status": "processing"}, done())
        face.run(twin.call)
        assert face.spend.total_usd == Decimal("0.1")

    def test_answers_without_an_id_are_each_a_request(self, twin: Twin) -> None:
        face = twin({"status": "completed", "outputs": [PICTURE], "cost": cost(0.1)})
        face.run(twin.call)
        face.run(twin.call)
        assert (face.spend.total_usd, face.spend.requests) == (Decimal("0.2"), 2)

    def test_a_job_sent_by_send_counts_too(self, twin: Twin) -> None:
        face = twin(accepted(cost=cost(0.1)))
        assert face.send(FOX).request_id == "abc"
        assert (face.spend.total_usd, face.spend.requests) == (Decimal("0.1"), 1)

    def test_a_refusal_is_no_request(self, twin: Twin) -> None:
        face = twin((402, {"detail": "Insufficient credit balance"}, {"x-account-balance": "0.0010"}))
        with pytest.raises(InsufficientCreditError) as caught:
            face.submit(twin.call)
        assert (face.spend.requests, face.spend.total_usd) == (0, 0)
        assert caught.value.balance == face.account_balance == Decimal("0.0010")

    def test_the_balance_is_the_last_one_told(self, twin: Twin) -> None:
        face = twin((200, accepted(), {"x-account-balance": "9"}), (200, done(), {"x-account-balance": "8.5"}), done())
        assert face.account_balance is None
        face.run(twin.call)
        assert face.account_balance == Decimal("8.5")
        face.wait("abc")
        assert face.account_balance == Decimal("8.5")

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_any_answer_tells_the_balance(self, twin: Twin, status: int) -> None:
        face = twin((status, {"balance": 9}, {"x-account-balance": "9.25"}))
        try:
            face.go(face.mu.account.balance())
        except MuAPIError:
            assert status != 200
        assert face.account_balance == Decimal("9.25")

    def test_an_unknown_outcome_still_tells_the_balance(self, twin: Twin) -> None:
        face = twin((500, "oops", {"x-account-balance": "9.25"}))
        with pytest.raises(SubmitOutcomeUnknownError) as caught:
            face.submit(twin.call)
        assert caught.value.balance == face.account_balance == Decimal("9.25")


class TestEstimate:
    def test_it_asks_by_the_catalogue_name(self, twin: Twin) -> None:
        face = twin(estimate(0.0125, cost_strategy=IMAGE.name))
        said = face.estimate(FOX)
        assert (said.model, said.cost_usd, said.dynamic, said.strategy) == (
            IMAGE.name,
            Decimal("0.0125"),
            True,
            IMAGE.name,
        )
        request = face.server.requests[0]
        assert (request.method, request.url.path) == ("POST", f"/api/v1/models/{IMAGE.name}/estimate-cost")
        assert request.content == b'{"prompt":"a red fox"}'
        assert face.spend.requests == 0

    def test_it_reads_and_so_is_sent_again(self, twin: Twin) -> None:
        face = twin(httpx.ReadTimeout("timed out"), (503, ""), estimate(1))
        assert face.estimate(FOX).cost_usd == 1

    @pytest.mark.parametrize("body", [{}, [], None, {"cost": None}, {"cost": "free"}, {"cost": "1e9999999"}], ids=str)
    def test_an_answer_without_a_price(self, twin: Twin, body: Any) -> None:
        with pytest.raises(ResponseError):
            twin((200, body)).estimate(FOX)

    def test_a_model_nobody_knows(self, twin: Twin) -> None:
        face = twin(estimate(1))
        with pytest.raises(NotFoundError, match=r"price list has no model 'new/model'.*nobody can price it.*unpriced="):
            face.estimate(twin.call)
        assert face.server.requests == []

    def test_what_would_be_refused_has_no_price(self, twin: Twin) -> None:
        odd = type(FOX)(FOX.operation, {**(FOX.body or {}), "num_image": 4})
        face = twin(estimate(0.6), estimate(0.6))
        with pytest.raises(ValidationError, match="num_image: Unknown field; did you mean 'num_images'"):
            face.estimate(odd)
        assert face.server.requests == []
        assert face.sharing(strict=False).estimate(odd).cost_usd == Decimal("0.6")

    def test_a_model_that_the_price_list_lacks(self, twin: Twin) -> None:
        face = twin((404, {"detail": "Not Found"}))
        with pytest.raises(
            NotFoundError, match=rf"price list has no model '{IMAGE.name}'.*nobody can price.*unpriced="
        ) as no:
            face.estimate(FOX)
        assert (no.value.status_code, no.value.detail, no.value.request_id) == (404, "Not Found", None)


class TestLimit:
    def test_the_estimate_decides_before_the_sending(self, twin: Twin) -> None:
        face = twin(estimate(0.6), accepted(cost=cost(0.6)), estimate(0.6), max_spend=Decimal(1))
        face.submit(FOX)
        with pytest.raises(SpendLimitError, match=r"0\.6") as caught:
            face.submit(FOX)
        assert "max_spend=1" in str(caught.value)
        assert [request.url.path for request in face.server.requests].count(f"/api/v1/{IMAGE.slug}") == 1

    def test_the_limit_itself_may_be_spent(self, twin: Twin) -> None:
        face = twin(estimate(0.5), accepted("a", cost=cost(0.5)), estimate(0.5), accepted("b"), max_spend=Decimal(1))
        face.submit(FOX)
        assert face.submit(FOX).id == "b"

    @pytest.mark.parametrize("answer", [(404, {"detail": "Not Found"}), (500, ""), (402, ""), {"cost": None}], ids=str)
    def test_the_listed_price_counts_where_no_estimate_can_be_had(self, twin: Twin, answer: Any) -> None:
        assert IMAGE.price is not None
        assert IMAGE.price.cost_usd is not None
        face = twin(answer, max_spend=IMAGE.price.cost_usd - Decimal("0.000001"))
        with pytest.raises(SpendLimitError):
            face.submit(FOX)
        assert all(request.url.path.endswith("/estimate-cost") for request in face.server.requests)

    def test_what_was_refunded_may_be_spent_again(self, twin: Twin) -> None:
        failed = {"id": "abc", "status": "failed", "cost": cost(0.6, refunded=True)}
        face = twin(
            estimate(0.6),
            accepted(cost=cost(0.6)),
            (400, {"detail": failed}),
            estimate(0.6),
            accepted("b"),
            max_spend=1,
        )
        with pytest.raises(JobFailedError):
            face.run(FOX)
        assert face.submit(FOX).id == "b"

    def test_a_refused_submit_gives_its_reservation_back(self, twin: Twin) -> None:
        face = twin(estimate(0.6), (422, {"detail": "no"}), estimate(0.6), accepted("b"), max_spend=Decimal(1))
        with pytest.raises(ValidationError):
            face.submit(FOX)
        assert face.submit(FOX).id == "b"

    def test_what_may_have_been_charged_counts_against_the_limit(self, twin: Twin) -> None:
        face = twin(estimate(0.6), httpx.ReadTimeout("timed out"), estimate(0.6), max_spend=Decimal(1))
        with pytest.raises(SubmitOutcomeUnknownError):
            face.submit(FOX)
        with pytest.raises(SpendLimitError):
            face.submit(FOX)

    def test_an_accepted_job_nobody_priced_counts_at_its_estimate(self, twin: Twin) -> None:
        face = twin(estimate(0.6), accepted(), estimate(0.6), accepted("b"), max_spend=Decimal(1))
        face.submit(FOX)
        with pytest.raises(SpendLimitError):
            face.submit(FOX)

    def test_a_negative_estimate_buys_nothing(self, twin: Twin) -> None:
        face = twin(accepted("a", cost=cost(1)), estimate(-100), accepted("b"))
        face.submit(FOX)
        with pytest.raises(SpendLimitError):
            face.sharing(max_spend=Decimal("0.5")).submit(FOX)

    def test_input_is_checked_before_a_price_is_asked(self, twin: Twin) -> None:
        face = twin(estimate(0.1), max_spend=Decimal(1))
        with pytest.raises(ValidationError):
            face.submit(make_image(num_images=9))  # type: ignore[arg-type]
        assert face.server.requests == []

    def test_send_keeps_to_the_limit(self, twin: Twin) -> None:
        face = twin(estimate(0.6), accepted(cost=cost(0.6)), max_spend=Decimal("0.5"))
        with pytest.raises(SpendLimitError):
            face.send(FOX)

    def test_submits_side_by_side_keep_to_the_limit(self, twin: Twin) -> None:
        face, count = twin(estimate(0.3), max_spend=Decimal(1)), 8
        together = threading.Barrier(count)
        names = iter(range(count))

        def answer(request: httpx.Request) -> Any:
            if request.url.path.endswith("/estimate-cost"):
                if not twin.awaits:
                    together.wait(timeout=60)
                return estimate(0.3)
            return accepted(f"job-{next(names)}", cost=cost(0.3))

        face.server.steps = [answer]
        outcomes = gather(face, count) if twin.awaits else crowd(face, count)
        assert [type(outcome).__name__ for outcome in outcomes].count("SpendLimitError") == count - 3
        assert face.spend.total_usd == Decimal("0.9")

    @pytest.mark.parametrize("limit", [-1, "much", float("nan"), True, "inf"])
    def test_an_impossible_limit_is_refused(self, twin: Twin, limit: Any) -> None:
        with pytest.raises(MuAPIError, match="max_spend must be"):
            twin({}, max_spend=limit)


def crowd(face: Face, count: int) -> list[Any]:
    """Submit from threads at once."""
    outcomes: list[Any] = []

    def submit() -> None:
        try:
            outcomes.append(face.submit(FOX))
        except MuAPIError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=submit) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def gather(face: Face, count: int) -> list[Any]:
    """Submit from tasks at once."""

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(face.mu.submit(FOX) for _ in range(count)), return_exceptions=True)

    return asyncio.run(all_of_them())


class TestUnpriced:
    """What nobody can price."""

    def test_it_is_refused_under_a_limit(self, twin: Twin) -> None:
        face = twin({"request_id": "abc", "cost": cost(0.2)}, max_spend=Decimal(1))
        with pytest.raises(SpendLimitError, match=r"nobody tells what new/model costs.*unpriced="):
            face.submit(twin.call)
        assert (face.server.requests, face.jobs(), face.spend.reserved_usd) == ([], [], 0)

    def test_unpriced_says_what_to_set_aside(self, twin: Twin) -> None:
        answers = ({"request_id": f"r-{number}"} for number in range(9))
        face = twin(lambda _: next(answers), max_spend=Decimal(1), unpriced=Decimal("0.40"))
        face.submit(twin.call)
        face.submit(twin.call)
        assert (face.spend.reserved_usd, face.spend.in_doubt_usd) == (Decimal("0.80"), 0)
        with pytest.raises(SpendLimitError, match=r"new/model at about 0\.40 USD"):
            face.submit(twin.call)
        assert face.server.posts == 2

    def test_without_a_limit_it_goes(self, twin: Twin) -> None:
        assert twin({"request_id": "abc"}).submit(twin.call).id == "abc"

    def test_a_limit_of_nothing_sends_nothing(self, twin: Twin) -> None:
        face = twin({"cost": 0.0, "currency": "USD"}, {"request_id": "abc"}, max_spend=Decimal(0))
        with pytest.raises(SpendLimitError, match="max_spend=0"):
            face.submit(FOX)
        assert all("estimate-cost" in request.url.path for request in face.server.requests)

    @pytest.mark.parametrize("amount", [-1, "nan", float("inf"), True])
    def test_an_impossible_amount_is_refused(self, twin: Twin, amount: Any) -> None:
        with pytest.raises(MuAPIError, match="unpriced"):
            twin({}, unpriced=amount)
        with pytest.raises(MuAPIError, match="unpriced"):
            twin({}).mu.with_options(unpriced=amount)


class TestOverruns:
    """A job that costs more than was set aside for it."""

    def test_the_next_one_sets_aside_the_highest_charge_seen(self, twin: Twin) -> None:
        answers = ({"request_id": f"r-{number}", "cost": {"amount_usd": 0.5}} for number in range(9))
        face = twin(lambda _: next(answers), max_spend=Decimal(1), unpriced=Decimal("0.1"))
        with pytest.warns(SpendWarning, match=r"new/model was charged 0\.5 USD where 0\.1 USD had been set aside"):
            face.submit(twin.call)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it is said once a model
            face.submit(twin.call)
        with pytest.raises(SpendLimitError, match=r"at about 0\.5 USD"):
            face.submit(twin.call)
        assert face.spend.total_usd == 1

    def test_a_warning_that_is_an_error_loses_no_job(self, twin: Twin) -> None:
        face = twin({"request_id": "r-1", "cost": {"amount_usd": 0.5}}, max_spend=Decimal(1), unpriced=Decimal("0.1"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(SpendWarning) as caught:
                face.submit(twin.call)
        assert any("r-1" in note for note in caught.value.__notes__)
        assert [job.id for job in face.resume()] == ["r-1"]

    def test_it_is_said_when_only_a_look_tells_the_cost(self, twin: Twin) -> None:
        done = {"id": "r-1", "status": "completed", "outputs": ["w"], "cost": {"amount_usd": 0.5}}
        face = twin({"request_id": "r-1"}, done, max_spend=Decimal(1), unpriced=Decimal("0.1"))
        with pytest.warns(SpendWarning, match=r"0\.5 USD"):
            assert face.run(twin.call).done


class TestOnePreparation:
    """A submit with a limit and an expectation is checked and encoded once."""

    def test_it_is_held_against_the_document_once(self, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
        checked: list[Any] = []
        check = request_module.check
        monkeypatch.setattr(request_module, "check", lambda call: (checked.append(call), check(call)))
        face = twin(
            [{"id": 1, "name": "k", "is_active": True, "is_test": False}],
            {"cost": 0.2, "currency": "USD"},
            {"request_id": "r-1", "cost": cost(0.2)},
            expect="live",
            max_spend=Decimal(1),
        )
        call = FOX
        assert face.submit(call).id == "r-1"
        assert [seen for seen in checked if seen == call] == [call]
        assert face.server.requests[1].content == face.server.requests[2].content
