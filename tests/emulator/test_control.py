"""Steering a served emulator over HTTP, as a program in any language does: the routes under ``/emulator/``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import pytest
from by_kind import IMAGE, OTHER_IMAGE, make_image, make_other_image

from muapi_client import MuAPI, errors
from muapi_client._runtime.clock import SystemClock
from muapi_client.emulator import Emulator, Fault, Faults, Outcome, Request
from muapi_client.emulator._http.control_schemas import ANSWERS, BODIES, OUTCOMES, build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client import Prediction

KEY = {"x-api-key": "sk-live"}


class Steering:
    """A served emulator, as another program steers it; every answer is held against its schema."""

    def __init__(self, emulator: Emulator, url: str) -> None:
        self.emulator = emulator
        self.url = url

    def ask(self, method: str, name: str, body: Any = None, **headers: str) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        answer = httpx.request(method, f"{self.url}/emulator/{name}", content=content, headers=headers)
        if answer.status_code == 200:
            schema = ANSWERS[f"{method} /emulator/{name.partition('?')[0]}"]
            jsonschema_rs.Draft202012Validator(schema).validate(answer.json())
        return answer

    def post(self, name: str, /, **body: Any) -> Any:
        answer = self.ask("POST", name, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, call: Any = None) -> Prediction:
        with MuAPI("sk-live", self.url) as mu:
            return mu.run(make_image(prompt="x") if call is None else call)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(job_seconds=0)


@pytest.fixture
def steering(emulator: Emulator) -> Iterator[Steering]:
    with emulator.serve() as url:
        yield Steering(emulator, url)


# ---- What becomes of jobs --------------------------------------------------------------------------------------------


def test_it_is_ready_when_health_says_so(steering: Steering) -> None:
    assert steering.ask("GET", "health").json()["status"] == "ok"
    asked = httpx.head(f"{steering.url}/emulator/health")  # as `wget --spider` does
    assert (asked.status_code, asked.content) == (200, b"")


@pytest.mark.parametrize(
    ("body", "kind", "charged"),
    [
        ({"outcome": "failed"}, errors.JobFailedError, False),
        ({"outcome": "failed", "refunded": False, "error": "no luck"}, errors.JobFailedError, True),
        ({"outcome": "failed", "shape": {"failure": "http_200"}}, errors.JobFailedError, False),
        ({"outcome": "moderated", "error": {"message": "no"}}, errors.JobFailedError, False),
        ({"outcome": "cancelled"}, errors.JobCancelledError, False),
    ],
)
def test_the_next_job_comes_to_what_was_chosen(
    steering: Steering, body: Any, kind: type[errors.JobFailedError], charged: bool
) -> None:
    steering.post("next", **body)
    with pytest.raises(kind) as caught:
        steering.run()
    if "error" in body:
        words = body["error"]
        assert (words["message"] if isinstance(words, dict) else words) in str(caught.value)
    assert (steering.emulator.charged_usd > 0) is charged
    assert steering.run().done


def test_a_charge_is_given_back_of_a_job_that_completes(steering: Steering) -> None:
    steering.post("next", outcome="refunded")
    done = steering.run()
    assert done.cost is not None
    assert (done.cost.refunded, done.cost.charged_usd, steering.emulator.charged_usd) == (True, 0, 0)


def test_a_slow_job_is_waited_for_by_moving_the_clock(steering: Steering) -> None:
    steering.post("next", outcome="slow")
    with MuAPI("sk-live", steering.url) as mu:
        job: Any = mu.submit(make_image(prompt="x"))
        assert not mu.look(job).done
        before = steering.ask("GET", "state").json()["now"]
        assert steering.post("clock", advance=1800)["now"] >= before + 1800
        assert mu.look(job).done


def test_a_submit_answers_with_the_result_itself(steering: Steering) -> None:
    steering.post("next", outcome="inline", outputs=["https://example.com/a.png"], price_usd="0.123456")
    answer = httpx.post(f"{steering.url}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers=KEY)
    assert answer.json()["outputs"] == ["https://example.com/a.png"]
    assert answer.headers["x-muapi-cost-usd"] == "0.123456"


def test_no_answer_tells_a_cost_where_that_was_chosen(steering: Steering) -> None:
    steering.post("next", outcome="without_cost")
    assert steering.run().cost is None
    assert steering.emulator.charged_usd > 0


def test_so_many_jobs_of_one_model_come_to_it_and_no_others(steering: Steering) -> None:
    steering.post("next", outcome="failed", model=IMAGE.slug, times=2)
    assert steering.run(make_other_image(prompt="x")).done
    for _ in range(2):
        with pytest.raises(errors.JobFailedError):
            steering.run()
    assert steering.run().done


def test_a_whole_number_may_be_written_with_a_point(steering: Steering) -> None:
    steering.post("next", outcome="completed", times=2.0, bonus_credits=3.0)
    done = steering.run()
    assert done.cost is not None
    assert done.cost.bonus_credits_used == 3


def test_what_was_chosen_for_a_model_comes_before_what_was_for_all(steering: Steering) -> None:
    steering.post("next", outcome="cancelled")
    steering.post("next", outcome="failed", model=IMAGE.slug)
    with pytest.raises(errors.JobFailedError):
        steering.run()
    with pytest.raises(errors.JobCancelledError):
        steering.run()


def test_a_chance_strikes_such_a_share_of_a_models_jobs_until_a_reset(steering: Steering) -> None:
    steering.post("next", outcome="failed", refunded=False, chance=0.5, model=IMAGE.slug)

    def count(slug: str) -> int:
        ids = [client.post(slug, json={"prompt": "x"}).json()["request_id"] for _ in range(40)]
        return sum(client.get(f"predictions/{each}/result").status_code == 400 for each in ids)

    with httpx.Client(base_url=f"{steering.url}/api/v1", headers=KEY) as client:  # one of its own a request takes 0.1 s
        assert 8 < count(IMAGE.slug) < 32
        assert count(OTHER_IMAGE.slug) == 0
        steering.post("reset")
        assert count(IMAGE.slug) == 0


def test_a_chance_said_again_is_another_share_and_none_takes_it_back(steering: Steering) -> None:
    steering.post("next", outcome="failed", chance=1)
    with pytest.raises(errors.JobFailedError):
        steering.run()
    steering.post("next", outcome="failed", chance=0)
    assert steering.run().done
    for _ in range(100):
        steering.post("next", outcome="failed", chance=0.5)
    assert steering.emulator.save().count("Generation failed") == 2  # of the job, and of one chance


def test_more_outcomes_than_anybody_waits_for_are_refused_until_there_is_room(steering: Steering) -> None:
    many = {"outcome": "failed", "times": 10_000}
    for _ in range(10):
        steering.post("next", **many)
    for body in (many, {"outcome": "failed"}, {"outcome": "failed", "model": IMAGE.slug}):
        refused = steering.ask("POST", "next", body)
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("100,000 outcomes are waiting for jobs, and at most 100,000 may: ")
    with pytest.raises(errors.JobFailedError):
        steering.run()
    steering.post("next", outcome="failed")
    steering.post("reset")
    steering.post("next", **many)


def test_more_chances_and_faults_than_anybody_means_are_refused() -> None:
    emulator = Emulator()
    for number in range(1000):
        emulator.sometimes(Outcome.failed(str(number)), 0.001)
    with pytest.raises(ValueError, match="there are 1,000 chances already"):
        emulator.sometimes(Outcome.failed("another"), 0.001)
    emulator.sometimes(Outcome.failed("7"), 0.5)
    emulator.sometimes(Outcome.failed("8"), 0)
    emulator.sometimes(Outcome.failed("another"), 0.001)
    emulator.next_fault(*[None] * 100_000)
    with pytest.raises(ValueError, match="100,000 faults are waiting for requests"):
        emulator.next_fault(Fault.HTML)
    emulator.set_faults(Faults())
    emulator.next_fault(Fault.HTML)


def test_more_faults_than_may_wait_change_nothing(steering: Steering) -> None:
    steering.post("faults", next=["html"])
    refused = steering.ask("POST", "faults", {"next": [None] * 100_001})
    assert refused.status_code == 422
    assert len(refused.text) < 200
    assert httpx.get(f"{steering.url}/api/v1/models").status_code == 502


# ---- Faults, money, and beginning anew -------------------------------------------------------------------------------


def test_faults_strike_in_order_and_by_chance(steering: Steering) -> None:
    steering.post("faults", next=["too_many", None, "html"], retry_after=7)
    url = f"{steering.url}/api/v1/account/balance"
    answers = [httpx.get(url, headers=KEY) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 200, 502, 200]
    assert answers[0].headers["retry-after"] == "7"
    steering.post("faults", rates={"server_error": 1})
    assert httpx.get(url, headers=KEY).status_code == 500
    steering.post("faults", chaos=1, seed=3)
    assert steering.emulator.requests[-1].fault is Fault.SERVER_ERROR
    steering.post("faults")
    assert httpx.get(url, headers=KEY).status_code == 200


def test_faults_take_the_place_of_those_that_wait(steering: Steering) -> None:
    steering.post("faults", next=["too_many", "html"])
    steering.post("faults", next=["server_error"])
    url = f"{steering.url}/api/v1/account/balance"
    assert [httpx.get(url, headers=KEY).status_code for _ in range(2)] == [500, 200]


def test_the_books_are_exact(steering: Steering) -> None:
    steering.post("next", outcome="completed", price_usd="0.000001")
    done = steering.run()
    state = steering.post("deposit", usd="0.000002")
    assert Decimal(state["charged_usd"]) == Decimal("0.000001")
    assert Decimal(state["balance_usd"]) == Decimal("100.000001")
    assert (state["accepted"], state["jobs"][0]["id"], state["jobs"][0]["model"]) == (1, done.id, IMAGE.slug)
    assert Decimal(state["jobs"][0]["cost_usd"]) == Decimal("0.000001")
    assert steering.ask("GET", "state?limit=0").json()["jobs"] == []


@pytest.mark.parametrize("outcome", ["completed", "inline", "refunded", "failed"])
def test_no_charge_is_finer_than_a_micro_dollar(steering: Steering, outcome: str) -> None:
    steering.post("next", outcome=outcome, price_usd="0.0000016")
    httpx.post(f"{steering.url}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers=KEY)
    assert steering.ask("GET", "state").json()["jobs"][0]["cost_usd"] == "0.000002"


def test_a_reset_begins_anew_with_the_options_it_was_made_with() -> None:
    emulator = Emulator(("sk-mine",), balance=5, job_seconds=3, seed=9)
    first = emulator.handle(submitted("sk-mine"))
    emulator.next_fault(Fault.HTML)
    emulator.reset()
    assert (emulator.accepted, emulator.balance, emulator.requests, emulator.webhooks) == (0, 5, (), ())
    assert json.loads(emulator.handle(submitted("sk-mine")).body) == json.loads(first.body)


@pytest.mark.parametrize("kept", [False, True])
def test_a_reset_gives_no_id_of_before_where_each_seed_is_another(kept: bool) -> None:
    seeds = iter(range(9))
    options: dict[str, Any] = {"seed": lambda: next(seeds)}
    emulator = Emulator.load(Emulator().save(), **options) if kept else Emulator(**options)
    ids = set()
    for _ in range(3):
        ids.add(json.loads(emulator.handle(submitted("sk-live")).body)["request_id"])
        emulator.reset()
    assert len(ids) == 3


def test_a_reset_of_a_loaded_one_goes_back_to_what_was_loaded() -> None:
    saved = Emulator(balance=5)
    saved.handle(submitted("sk-live"))
    loaded = Emulator.load(saved.save())
    loaded.handle(submitted("sk-live"))
    loaded.reset()
    assert (loaded.accepted, loaded.balance) == (1, saved.balance)


def submitted(key: str) -> Request:
    headers = {"x-api-key": key, "content-type": "application/json"}
    return Request("POST", f"/api/v1/{IMAGE.slug}", headers=headers, body=b'{"prompt": "x"}')


def test_requests_are_told_without_keys(steering: Steering) -> None:
    steering.run()
    url = f"{steering.url}/api/v1/{IMAGE.slug}"
    httpx.post(f"{url}?webhook=http://127.0.0.1:9/a", content=b"\xff{", headers={**KEY, "authorization": "Bearer x"})
    told = steering.ask("GET", "requests?limit=1").json()["requests"]
    assert [(one["method"], one["status"], one["body"]) for one in told] == [
        ("POST", 400, "\N{REPLACEMENT CHARACTER}{")
    ]
    assert "sk-live" not in steering.ask("GET", "requests").text
    assert told[0]["headers"]["x-api-key"] == told[0]["headers"]["authorization"] == "***"
    assert told[0]["query"] == {"webhook": "http://127.0.0.1:9/a"}
    httpx.delete(f"{steering.url}/api/v1/keys/sk-live", headers=KEY)
    assert "sk-live" not in steering.ask("GET", "requests").text


def test_steering_is_no_request_to_the_api(steering: Steering) -> None:
    steering.post("deposit", usd=1)
    assert steering.ask("GET", "state").json()["requests"] == len(steering.emulator.requests) == 0


# ---- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("next", {}, "outcome"),
        ("next", {"outcome": "exploded"}, "exploded"),
        ("next", {"outcome": "exploded"}, ", ".join(f'"{each}"' for each in OUTCOMES)),
        ("next", {"outcome": "failed", "model": "no-such-model"}, "no model 'no-such-model'"),
        ("next", {"outcome": "failed", "times": 0}, "times"),
        ("next", {"outcome": "failed", "chance": 2}, "chance"),
        ("next", {"outcome": "failed", "chance": 0.5, "times": 2}, "Either `times` or `chance`"),
        ("next", {"outcome": "failed", "typo": 1}, "typo"),
        ("next", {"outcome": "cancelled", "error": "x"}, "error"),
        ("next", {"outcome": "completed", "shape": {"submit": "x"}}, "shape.submit"),
        ("next", {"outcome": "completed", "price_usd": "-1"}, "price_usd: '-1' is no amount"),
        ("next", {"outcome": "completed", "price_usd": "much"}, "no amount"),
        ("faults", {"next": ["typo"]}, "next.0"),
        ("faults", {"next": ["typo"]}, ", ".join(f'"{fault.value}"' for fault in Fault)),
        ("faults", {"rates": {"html": 0.7, "delay": 0.7}}, "add up to 1.4"),
        ("faults", {"rates": {}, "chaos": 0.1}, "Either"),
        ("next", {"outcome": "failed", "model": "upload_file"}, "no model 'upload_file'"),
        ("next", {"outcome": "failed", "price_usd": "1e30"}, "no amount"),
        ("next", {"outcome": "slow", "seconds": 1e308}, "seconds"),
        ("clock", {"advance": -1}, "advance"),
        ("clock", {"advance": 1e12}, "maximum"),
        ("deposit", {"usd": "1e30"}, "no amount"),
        ("deposit", {"usd": "12345678901234567890.123456789"}, "no amount"),
        ("clock", [], "the body"),
        ("deposit", {"usd": True}, "usd"),
        ("reset", {"x": 1}, "x"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    steering: Steering, name: str, body: Any, words: str
) -> None:
    answer = steering.ask("POST", name, body)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    assert steering.run().done


UNSPEAKABLE = [b"NaN", b"[1e400]", rb'"\ud800"', b"[" * 300 + b"]" * 300]  # JSON to some, which cannot be kept


@pytest.mark.parametrize("value", UNSPEAKABLE)
def test_what_could_not_be_saved_or_told_is_not_taken_in(steering: Steering, value: bytes) -> None:
    body = b'{"outcome": "completed", "outputs": [' + value + b"]}"
    assert httpx.post(f"{steering.url}/emulator/next", content=body).status_code == 422
    submit = b'{"prompt": "x", "extra": ' + value + b"}"
    headers = {**KEY, "content-type": "application/json"}
    assert httpx.post(f"{steering.url}/api/v1/{IMAGE.slug}", content=submit, headers=headers).status_code != 200
    (told,) = steering.ask("GET", "requests").json()["requests"]
    assert told["body"] == submit.decode()
    assert steering.run().done
    Emulator.load(steering.emulator.save())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 10_000])
def test_what_is_no_json_is_refused(steering: Steering, content: bytes) -> None:
    answer = httpx.post(f"{steering.url}/emulator/next", content=content)
    assert (answer.status_code, "no JSON" in answer.json()["detail"]) == (422, True)


def test_other_paths_and_methods_are_refused(steering: Steering) -> None:
    assert "GET /emulator/health" in steering.ask("GET", "nothing").json()["detail"]
    wrong = steering.ask("GET", "reset")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json()["detail"] == "/emulator/reset takes POST, not GET"
    for limit in ("x", "", "-1", "9" * 25, "9" * 5000):
        assert [steering.ask("GET", f"{name}?limit={limit}").status_code for name in ("state", "requests")] == [
            422,
            422,
        ]


def test_a_clock_that_goes_by_itself_is_not_moved() -> None:
    emulator = Emulator(clock=SystemClock())
    with emulator.serve() as url:
        assert Steering(emulator, url).ask("POST", "clock", {"advance": 1}).status_code == 409


def test_it_is_switched_off(emulator: Emulator) -> None:
    with emulator.serve(control=False) as url:
        assert Steering(emulator, url).ask("POST", "reset").status_code != 200
        assert Steering(emulator, url).ask("GET", "health").status_code != 200


def test_a_token_is_asked_for_and_never_told(emulator: Emulator) -> None:
    with emulator.serve(control="a-secret") as url:
        steering = Steering(emulator, url)
        assert steering.ask("GET", "health").status_code == 200
        for headers in ({}, {"x-emulator-token": "wrong"}, {"x-emulator-token": "a-secret "[:-2]}):
            answer = steering.ask("GET", "state", **headers)
            assert (answer.status_code, "a-secret" in answer.text) == (401, False)
        assert steering.ask("GET", "state", **{"x-emulator-token": "a-secret"}).status_code == 200


@pytest.mark.parametrize("token", ["", " ", "two words", "schl\u00fcssel", "a\n", "\udc80"])
def test_a_token_that_is_none_or_that_nobody_could_show_is_refused(emulator: Emulator, token: str) -> None:
    with pytest.raises(ValueError, match="control token"):
        emulator.serve(control=token)


def test_another_machine_needs_a_token(emulator: Emulator) -> None:
    from muapi_client.emulator._http.control import Control

    def ask(control: Control, **headers: str) -> int:
        return control.answer(Request("GET", "/emulator/state", headers=headers, peer="10.0.0.7")).status

    assert ask(Control(emulator)) == 403
    assert ask(Control(emulator, "t")) == 401
    assert ask(Control(emulator, "t"), **{"x-emulator-token": "t"}) == 200


def test_a_strangers_page_cannot_steer_though_it_may_send_plain_posts(steering: Steering) -> None:
    steering.run()
    page = {"origin": "https://evil.example", "content-type": "text/plain"}
    assert steering.ask("POST", "reset", None, **page).status_code == 403
    assert steering.emulator.accepted == 1
    assert steering.ask("POST", "reset", None, origin="http://localhost:3000").status_code == 200


def test_the_published_schemas_are_those_it_judges_by(steering: Steering) -> None:
    told = steering.ask("GET", "schema").json()
    assert told == json.loads(json.dumps(build_schema()))
    for schema in (*BODIES.values(), *ANSWERS.values()):
        jsonschema_rs.meta.validate({"$schema": told["$schema"], **schema})
