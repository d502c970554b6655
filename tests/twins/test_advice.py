"""Errors one can act on: which of three reasons a refused key has, an address that is no MuAPI's, a job that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import make_image

from muapi_client import Job, MuAPIError, Prediction, Retry
from muapi_client.emulator import Emulator
from muapi_client.errors import (
    APIConnectionError,
    AuthenticationError,
    JobFailedError,
    NotFoundError,
    ResponseError,
    ServerError,
    SubmitOutcomeUnknownError,
)

if TYPE_CHECKING:
    from twins.conftest import Twin

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": COST}
SAMPLE = "https://d3adwkbyhxyrtq.cloudfront.net/webassets/sample.png"
NO = {"detail": "Not authorized"}
ONCE = Retry(attempts=1)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ((401, NO), "the key is missing or wrong: check MUAPI_API_KEY"),
        ((403, NO), "most likely the key is wrong: check MUAPI_API_KEY"),
        ((403, {"detail": "A test key cannot do this: use a live key"}), "this takes a live key"),
        ((403, {"detail": {"message": "sandbox keys may not"}}), "this takes a live key"),
        ((403, {"detail": "Insufficient credit balance"}), "the account has no money for it: top up"),
        ((403, NO, {"x-account-balance": "0.0000"}), "the account has no money for it: top up"),
        ((403, NO, {"x-account-balance": "12.5"}), "the key is known, and may not do this"),
    ],
)
def test_a_refused_key_is_told_from_a_test_key_and_from_an_empty_account(answer: Any, advice: str, twin: Twin) -> None:
    with pytest.raises(AuthenticationError, match=advice):
        twin(answer).submit(twin.call)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("All connection attempts failed", "nobody took it at https://api.muapi.ai"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "it may be one of http://"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed (_ssl.c:1006)",
            "certificate of what is at https://api.muapi.ai",
        ),
    ],
)
def test_who_is_at_an_address_that_takes_no_connection_is_told_as_far_as_it_is_known(
    reason: str, told: str, twin: Twin
) -> None:
    with pytest.raises(APIConnectionError) as caught:
        twin(*[("unsent", httpx.ConnectError(reason))] * 9, retry=ONCE).submit(twin.call)
    assert told in str(caught.value)
    assert ("nobody" in str(caught.value)) == ("nobody" in told)
    assert caught.value.sent is False


def test_https_to_a_port_of_http_is_told_as_that(twin: Twin) -> None:
    with Emulator().serve() as url:
        face = twin({}, base_url=url.replace("http:", "https:"), transport=None, retry=ONCE)
        with pytest.raises(APIConnectionError, match=r"it was not sent: what is at https://127.*may be one of http://"):
            face.submit(twin.call)


def test_a_key_that_gave_samples_is_called_a_test_key_once_it_is_refused(twin: Twin) -> None:
    free = {"amount_usd": 0, "amount_credits": 0, "bonus_credits_used": 0, "refunded": False}
    sample = {**DONE, "cost": free, "outputs": [SAMPLE]}
    face = twin([], sample, (403, NO), expect="sandbox")
    face.submit(make_image(prompt="a fox"))
    with pytest.raises(AuthenticationError, match="this takes a live key, and the client has a sandbox"):
        face.submit(twin.call)


def test_so_is_a_key_of_an_account_that_lists_test_keys_alone(twin: Twin) -> None:
    face = twin([{"id": "1", "name": "a", "is_active": True, "is_test": True}], (403, NO))
    assert face.sandbox().verdict is True
    with pytest.raises(AuthenticationError, match="this takes a live key"):
        face.submit(twin.call)


def test_a_key_that_was_charged_is_not_called_wrong(twin: Twin) -> None:
    face = twin(ACCEPTED, (403, NO))
    face.submit(twin.call)
    with pytest.raises(AuthenticationError, match="the key is known, and may not do this"):
        face.submit(twin.call)


@pytest.mark.parametrize(
    "answer",
    [
        (404, "<html><h1>404 Not Found</h1><hr>nginx/1.25</html>"),
        (403, "<!doctype html><title>Sign in</title>"),
        (404, {"error": {"message": "Invalid URL"}}),
        (404, "404 page not found"),
        (401, {"error": {"code": "invalid_api_key"}}),
        (405, {"message": "Method Not Allowed"}),
    ],
)
def test_an_address_that_is_no_muapi_s_is_named(answer: Any, twin: Twin) -> None:
    face = twin(answer, base_url="https://api.example.com/v1", retry=ONCE)
    for work in (face.submit, face.send):
        with pytest.raises(MuAPIError) as caught:
            work(twin.call)
        assert "MuAPI does not answer so" in str(caught.value)
        assert "https://api.example.com/v1" in str(caught.value)
        assert "MUAPI_BASE_URL" in str(caught.value)
        assert twin.key not in str(caught.value)


@pytest.mark.parametrize("path", ["history", "balance"])
def test_so_it_is_where_something_is_only_read(path: str, twin: Twin) -> None:
    face = twin("<html>Sign in to the hotel's network</html>", base_url="https://api.example.com", retry=ONCE)
    with pytest.raises(ResponseError, match=r"a web page came from https://api\.example\.com, which is another server"):
        face.go(face.mu.account.balance()) if path == "balance" else face._listed(face.mu.history())


def test_a_page_in_place_of_an_acceptance_stays_in_doubt_and_names_the_address(twin: Twin) -> None:
    face = twin("<html>Sign in</html>", base_url="https://api.example.com")
    with pytest.raises(SubmitOutcomeUnknownError, match=r"came from https://api\.example\.com"):
        face.submit(twin.call)


def test_a_gateway_s_page_after_a_submit_says_where_it_came_from(twin: Twin) -> None:
    face = twin((501, "<html>Unsupported method</html>"), base_url="https://api.example.com", retry=ONCE)
    with pytest.raises(SubmitOutcomeUnknownError, match=r"HTTP 501 with a web page from https://api\.example\.com\)"):
        face.submit(twin.call)


def test_what_asks_after_no_model_is_given_no_advice_on_models(twin: Twin) -> None:
    face = twin((403, NO), (404, {"detail": "Not Found"}), retry=ONCE)
    with pytest.raises(AuthenticationError) as refused:
        face.go(face.mu.account.balance())
    assert "most likely the key is wrong" in str(refused.value)
    assert "models" not in str(refused.value)
    with pytest.raises(NotFoundError) as missing:
        face.go(face.mu.keys.delete(99))
    assert "slug" not in str(missing.value)


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"detail": "Not Found"}),
        (404, {"message": "gone"}, {"x-account-balance": "3"}),
        (422, {"message": "no"}),
        (400, "bad"),
        (502, "<html>Bad Gateway</html>"),
    ],
)
def test_what_muapi_or_a_gateway_before_it_answers_accuses_no_address(answer: Any, twin: Twin) -> None:
    with pytest.raises(MuAPIError) as caught:
        twin(answer, retry=ONCE).submit(twin.call)
    assert "MuAPI does not answer so" not in str(caught.value)


def test_a_server_that_is_down_is_no_stranger_to_what_reads(twin: Twin) -> None:
    with pytest.raises(ServerError) as caught:
        twin((503, "<html>down</html>"), retry=ONCE).look("abc")
    assert "MuAPI does not answer so" not in str(caught.value)


def test_a_wait_takes_whatever_submit_answered(twin: Twin) -> None:
    face = twin(ACCEPTED, DONE)
    job = face.submit(twin.call)
    assert isinstance(job, Job)
    assert face.wait(job).id == "abc"
    face = twin({**DONE, "id": None})
    at_once = face.submit(twin.call)
    assert isinstance(at_once, Prediction)
    assert face.wait(at_once) is at_once
    assert face.server.gets == 0


def test_a_wait_for_a_prediction_of_a_job_that_runs_looks_on(twin: Twin) -> None:
    face = twin({"id": "abc", "status": "processing"}, DONE)
    running = face.look("abc")
    assert face.wait(running).status == "completed"


def test_a_wait_for_a_prediction_of_a_job_that_failed_raises_as_a_wait_does(twin: Twin) -> None:
    face = twin((400, {"detail": {"id": "abc", "status": "failed", "error": "no"}}))
    failed = face.look("abc")
    with pytest.raises(JobFailedError, match="job abc failed: no") as caught:
        face.wait(failed)
    assert caught.value.job is not None
    assert caught.value.job.id == "abc"


def test_an_unknown_job_is_still_told_as_one(twin: Twin) -> None:
    with pytest.raises(NotFoundError) as caught:
        twin((404, {"detail": "Not Found"})).wait("abc")
    assert "MuAPI does not answer so" not in str(caught.value)
    assert caught.value.detail == "Not Found"
