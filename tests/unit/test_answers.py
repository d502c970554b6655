"""Whatever arrives, what comes out is a value or a ``MuAPIError``."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muapi_client import MuAPIError, errors, raw_call
from muapi_client._protocol.job_answer import TRANSPORTS, is_final, read_id, read_prediction
from muapi_client._protocol.response import BY_STATUS, decode, parse_typed, status_error
from muapi_client._protocol.steps import Reply
from muapi_client._sandbox.guard import add_verdict
from muapi_client._types.status import STATES, JobState
from muapi_client._types.words import read_error
from muapi_generated import models

NAMES = st.sampled_from(
    [
        "id",
        "request_id",
        "status",
        "outputs",
        "output",
        "images",
        "data",
        "error",
        "detail",
        "cost",
        "message",
        "url",
        "loc",
        "msg",
    ]
)
WORDS = st.sampled_from([*STATES, "new", "https://cdn.muapi.ai/outputs/1.png", "abc", "\ud800", ""])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)
STATUS = st.sampled_from([200, 201, 204, 301, 400, 401, 402, 403, 404, 422, 429, 500, 503, 999])
HEADERS = st.dictionaries(
    st.sampled_from(["x-muapi-cost-usd", "x-account-balance", "x-muapi-cost-refunded", "retry-after"]),
    st.text(max_size=8),
)
ANSWERS = ["", *(name for name in dir(models) if hasattr(getattr(models, name, None), "from_dict"))]


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, headers or {}, content, 0.0)


@given(JSON, STATUS, HEADERS, st.none() | WORDS)
def test_a_prediction_or_none(body: Any, status: int, headers: dict[str, str], name: str | None) -> None:
    said = read_prediction(reply(body, status, headers), request_id=name)
    if said is not None:
        assert isinstance(said.state, JobState)
        assert isinstance(said.status, str)
        assert all(isinstance(warning, str) for warning in said.warnings)
        assert said.id is None or isinstance(said.id, str)
        assert said.error is None or said.error.strip()
        assert add_verdict(said).sandbox.verdict in (True, False, None)
        assert status < 500
        repr(said)


@given(st.binary() | st.text().map(str.encode), STATUS)
def test_no_bytes_are_too_odd(content: bytes, status: int) -> None:
    read_prediction(reply(content, status), request_id="abc")
    assert isinstance(status_error(reply(content, status)), errors.APIStatusError)
    try:
        decode(reply(content, status))
    except errors.ResponseError as error:
        assert (error.body, error.status_code) == (content, status)  # noqa: PT017 - one of two outcomes


HALF = re.compile("[\ud800-\udfff]")  # of a character


@given(JSON, STATUS, HEADERS)
@example([{"msg": "x", "loc": [None, 1]}], 422, {})
@example({"detail": [{"msg": {}, "loc": "body"}]}, 422, {})
def test_any_refusal_has_an_error(body: Any, status: int, headers: dict[str, str]) -> None:
    error = status_error(reply(body, status, headers), request_id="abc")
    assert error.status_code == status
    assert error.request_id == "abc"
    assert str(status) in str(error)
    again = json.loads(HALF.sub("\ufffd", json.dumps(json.loads(reply(body).content), ensure_ascii=False)))
    detail = again.get("detail", again) if isinstance(again, dict) else again
    assert json.dumps(error.detail) == json.dumps(detail)
    if isinstance(error, errors.ValidationError):
        assert all(isinstance(problem, dict) for problem in error.errors)


@pytest.mark.parametrize("shape", ['{{"detail": {0}}}', '{{"id": "abc", "error": {0}}}', '{{"cost": {0}}}', "{0}"])
def test_no_depth_is_too_deep(shape: str) -> None:
    """Bodies about as deep as the interpreter's stack decode, and must not overflow it later on."""
    for depth in range(100, 3000, 7):
        answer = reply(shape.format("[" * depth + "]" * depth).encode(), 400)
        status_error(answer)
        read_prediction(answer, request_id="abc")
        read_prediction(Reply(200, {}, answer.content, 0.0), request_id="abc")


@pytest.mark.parametrize("answer", ANSWERS)
@settings(max_examples=25)
@given(body=JSON)
def test_a_typed_answer_or_an_error_of_ours(answer: str, body: Any) -> None:
    for name in (answer, f"list[{answer}]") if answer else ("",):
        try:
            said = parse_typed(name, body)
        except MuAPIError as error:
            assert isinstance(error, errors.ResponseError)  # noqa: PT017 - one of two outcomes
        else:
            assert not name.startswith("list") or isinstance(said, list)


def test_an_unexpected_answer_with_a_number_of_many_digits_is_told() -> None:
    body = decode(reply(b"[0.12345678901234567890]"), exact=True)
    with pytest.raises(errors.ResponseError, match="expected AccountBalance, got list"):
        parse_typed("AccountBalance", body)


def test_an_answer_that_another_version_reads_is_left_as_it_came() -> None:
    for answer in ("readers.get_pets", "GoneClass", "list[GoneClass]"):
        assert parse_typed(answer, [{"a": 1}]) == [{"a": 1}]


def test_no_declared_answer_is_any_json() -> None:
    assert parse_typed("", [1, {"a": None}]) == [1, {"a": None}]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (False, None),
        (0, None),
        ({}, None),
        ([], None),
        ({"message": None}, None),
        ({"message": ""}, None),
        ("None", None),
        (" null\n", None),
        ("No error.", None),
        ("false", None),
        ({"message": "None"}, None),
        ({"code": 0, "message": "success"}, None),
        ({"detail": "null"}, None),
        ({"code": 500, "message": "None"}, '{"code": 500, "message": "None"}'),
        ({"message": "null", "detail": "NSFW"}, "NSFW"),
        ({"code": "None", "message": "None"}, None),
        (["None"], None),
        ([None, ""], None),
        ("None of the frames could be read", "None of the frames could be read"),
        ("NSFW", "NSFW"),
        ({"message": "NSFW"}, "NSFW"),
        ({"message": {"why": "NSFW"}}, '{"why": "NSFW"}'),
        ({"detail": "NSFW"}, "NSFW"),
        ({"code": 7}, '{"code": 7}'),
        (["a", "b"], '["a", "b"]'),
        (True, "true"),
        ([{"msg": "too big", "loc": ["body", "width"]}], "width: too big"),
    ],
)
def test_the_error_in_the_servers_words(error: Any, expected: str | None) -> None:
    assert read_error({"error": error}) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"request_id": "a", "id": "b"}, "a"),
        ({"request_id": None, "id": "b"}, "b"),
        ({"id": 0}, "0"),
        ({"id": True}, None),
        ({"id": 1.5}, None),
        ({"id": ["a"]}, None),
        ({}, None),
    ],
)
def test_the_id_under_either_name(said: dict[str, Any], expected: str | None) -> None:
    assert read_id(said) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"id": "abc", "status": "completed", "data": {"id": "img-1", "url": "https://cdn.muapi.ai/outputs/1.png"}},
        {"status": "completed", "data": {"id": "img-1", "url": "https://cdn.muapi.ai/outputs/1.png"}},
        {"data": {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"]}},
        {"status": "ok", "data": {"id": "abc", "status": "completed", "output": "https://cdn.muapi.ai/outputs/1.png"}},
    ],
)
def test_an_output_under_data_is_told_from_an_answer_under_data(body: dict[str, Any]) -> None:
    said = read_prediction(reply(body), request_id="abc")
    assert said is not None
    assert (said.id, said.done, said.warnings) == ("abc", True, ())
    assert [output.url for output in said.outputs] == ["https://cdn.muapi.ai/outputs/1.png"]


def test_partial_outputs_in_an_envelope_do_not_end_a_job() -> None:
    body = {"status": "processing", "data": {"outputs": ["https://cdn.muapi.ai/outputs/draft.png"]}}
    said = read_prediction(reply(body), request_id="abc")
    assert said is not None
    assert said.state is JobState.RUNNING


def test_a_status_with_an_error_of_its_own_is_no_word_about_a_job() -> None:
    assert BY_STATUS.keys() <= TRANSPORTS


VIDEO = "https://cdn.muapi.ai/outputs/1.mp4"
PHOTO = "https://example.com/fox.png"
ANIMATE = raw_call("animate", {"image_url": PHOTO})


def test_an_address_in_the_answers_own_fields_is_an_output_of_a_job_that_is_done() -> None:
    body = {"id": "abc", "status": "completed", "image_url": PHOTO, "video_url": VIDEO, "webhook_url": f"{PHOTO}?w"}
    known = read_prediction(reply(body), request_id="abc", call=ANIMATE)
    assert known is not None
    assert ([output.url for output in known.outputs], known.warnings) == ([VIDEO], ())
    unknown = read_prediction(reply(body), request_id="abc")
    assert unknown is not None
    assert [output.url for output in unknown.outputs] == [PHOTO, VIDEO]
    assert "image_url, video_url" in unknown.warnings[0]
    assert "what it sent" in unknown.warnings[0]


@pytest.mark.parametrize("status", ["processing", "queued", "new", "failed", "cancelled", "error"])
def test_an_address_ends_no_job_and_hides_no_failure(status: str) -> None:
    said = read_prediction(reply({"id": "abc", "status": status, "video_url": VIDEO}), request_id="abc", call=ANIMATE)
    assert said is not None
    assert (said.outputs, said.done) == ((), False)
    body = {"id": "abc", "status": "completed", "error": "NSFW", "image_url": VIDEO}
    refused = read_prediction(reply(body), request_id="abc", call=ANIMATE)
    assert refused is not None
    assert refused.state is JobState.FAILED


def test_a_documented_place_wins_over_an_address() -> None:
    body = {"id": "abc", "status": "completed", "outputs": [VIDEO], "url": f"{VIDEO}?other"}
    said = read_prediction(reply(body), request_id="abc", call=ANIMATE)
    assert said is not None
    assert [output.url for output in said.outputs] == [VIDEO]


def test_an_answer_to_a_submit_that_is_only_an_address_is_the_result() -> None:
    said = read_prediction(reply({"audio_url": VIDEO}), request_id=None, call=ANIMATE)
    assert said is not None
    assert (said.done, is_final(said), [output.url for output in said.outputs]) == (True, True, [VIDEO])
    for body in ({"docs_url": VIDEO}, {"url": PHOTO}, {"audio_url": VIDEO, "error": "no"}, {"checkout_url": VIDEO}):
        odd = read_prediction(reply(body), request_id=None, call=ANIMATE)
        assert odd is None or not odd.done
    assert read_prediction(reply({"audio_url": VIDEO}), request_id="abc", call=ANIMATE) is None, "of a look"


def test_a_bare_success_with_an_address_may_only_mean_accepted() -> None:
    body = {"request_id": "abc", "status": "success", "url": VIDEO}
    said = read_prediction(reply(body), request_id=None, call=ANIMATE)
    assert said is not None
    assert not is_final(said)
    done = read_prediction(reply({**body, "status": "completed"}), request_id=None, call=ANIMATE)
    assert done is not None
    assert is_final(done)
    page = {**body, "status": "completed", "url": "https://muapi.ai/jobs/abc"}
    shown = read_prediction(reply(page), request_id=None, call=ANIMATE)
    assert shown is not None
    assert not is_final(shown), "a page about the job is not what it made"
    listed = read_prediction(reply({**body, "outputs": [VIDEO]}), request_id=None, call=ANIMATE)
    assert listed is not None
    assert is_final(listed)


def test_completed_without_outputs_is_told() -> None:
    body = {"id": "abc", "status": "completed", "outputs": [], "status_url": VIDEO}
    said = read_prediction(reply(body), request_id="abc", call=ANIMATE)
    assert said is not None
    assert (said.done, said.warnings) == (True, ("the job completed without outputs",))
