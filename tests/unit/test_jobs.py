"""A job turns into a token and back, without its client and without a key."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from by_kind import make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import AsyncJob, Cost, Entry, Job, MuAPI, MuAPIError, Output, Prediction, StreamEvent, raw_call
from muapi_client._types.status import JobState
from muapi_generated.types import Call, Operation

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
CALLS = st.builds(lambda body: raw_call("any/model", body), st.dictionaries(TEXT, PLAIN))
COSTS = st.builds(
    Cost, st.decimals(min_value=0, max_value=10**9, places=6), st.integers(0, 10**9), st.integers(0, 9), st.booleans()
)
JOBS = st.builds(
    Job,
    TEXT.filter(bool),
    st.none() | CALLS,
    st.none() | COSTS,
    st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(JOBS)
def test_a_token_is_the_whole_job(job: Job) -> None:
    again = Job.from_json(job.to_json())
    assert again == job
    assert again.to_json() == job.to_json()
    assert pickle.loads(pickle.dumps(job)) == job


@given(JOBS)
def test_an_async_job_reads_the_same_token(job: Job) -> None:
    again = AsyncJob.from_json(job.to_json())
    assert type(again) is AsyncJob
    assert (again.id, again.call, again.cost, again.submitted_at) == (job.id, job.call, job.cost, job.submitted_at)


def test_a_typed_call_keeps_its_operation() -> None:
    job = Job("abc", make_image(prompt="a fox", model_id=[{"model": "x", "scale": 1}]))
    again = Job.from_json(job.to_json())
    assert again.call == job.call
    assert again.call is not None
    assert again.call.operation.is_job


JUNK: list[Any] = [
    None,
    7,
    "",
    "null",
    "7",
    "[]",
    "{}",
    '"x"',
    "{",
    '{"muapi_job": 1}',
    '{"muapi_job": 2, "id": "a"}',
    "\ud800",
    "[" * 100_000,
    '{"muapi_job": 1, "id": "a", "call": ' + '{"a":' * 100_000,
]
FIELDS: list[dict[str, Any]] = [
    {"id": None},
    {"id": ""},
    {"id": []},
    {"call": 7},
    {"call": {}},
    {"call": {"operation": 5}},
    {"call": "x"},
    {"cost": "x"},
    {"cost": {"amount_usd": "much"}},
    {"cost": {"amount_usd": None}},
    {"cost": {"unknown": 1}},
    {"submitted_at": 7},
    {"submitted_at": "yesterday"},
    {"muapi_job": None},
]


@pytest.mark.parametrize("text", JUNK, ids=lambda value: repr(value)[:40])
def test_junk_is_no_token(text: Any) -> None:
    with pytest.raises(MuAPIError, match=r"not a job token .*mu\.wait\(id\)"):
        Job.from_json(text)


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_token_of_wrong_parts_is_no_token(fields: dict[str, Any]) -> None:
    token = json.loads(Job("abc", raw_call("any/model")).to_json())
    with pytest.raises(MuAPIError, match=r"not a job token .*mu\.wait\(id\)"):
        Job.from_json(json.dumps({**token, **fields}))


@given(st.dictionaries(st.sampled_from(["muapi_job", "id", "call", "cost", "submitted_at"]), PLAIN | st.just(1)))
def test_no_junk_is_more_than_an_error_of_ours(said: dict[str, Any]) -> None:
    try:
        job = Job.from_json(json.dumps(said))
    except MuAPIError:
        return
    assert job.id


def test_a_call_with_files_has_no_token() -> None:
    call: Call[Any] = Call(Operation("", "POST", "/api/v1/upload_file"), files={"file": b"x"})
    with pytest.raises(MuAPIError, match=r"files.*mu\.upload\(file\)"):
        Job("abc", call).to_json()
    with pytest.raises(MuAPIError, match=r"mu\.upload\(file\)"):
        Job("abc", raw_call("any/model", {"image_url": Path("a.png")})).to_json()


LOST = [Job("abc"), Job.from_json(Job("abc").to_json()), pickle.loads(pickle.dumps(Job("abc")))]


@pytest.mark.parametrize("job", LOST)
def test_without_a_client_it_says_what_to_do(job: Job) -> None:
    for method in (job.look, job.wait):
        with pytest.raises(MuAPIError, match=r"mu\.wait\(job\)"):
            method()


def test_a_token_may_be_given_a_client() -> None:
    mu = MuAPI("sk-secret")
    job = Job.from_json(Job("abc").to_json(), client=mu)
    assert "sk-secret" not in repr(job)
    assert job == Job("abc"), "which client it has is no part of what it is"


def test_times_are_kept_with_their_zone() -> None:
    moment = datetime(2026, 11, 22, 13, 0, 0, 123456, tzinfo=UTC)
    assert Job.from_json(Job("abc", submitted_at=moment).to_json()).submitted_at == moment


def test_money_is_kept_to_the_digit() -> None:
    again = Job.from_json(Job("abc", cost=Cost(Decimal("0.004200"))).to_json())
    assert again.cost is not None
    assert str(again.cost.amount_usd) == "0.004200"


def test_jobs_and_what_became_of_them_are_keys_of_a_dictionary() -> None:
    call, now = make_image(prompt="a fox"), datetime.now(UTC)
    output = Output(data={"tags": ["fox"]})
    for make in (
        lambda: Job("abc", call, Cost(Decimal("0.015")), now),
        lambda: AsyncJob("abc", call),
        lambda: output,
        lambda: Prediction("abc", "completed", (output,), raw={"id": "abc"}, call=call),
        lambda: Entry(
            key="k", state="completed", slug="x", call=call, intended_at=now, changed_at=now, outputs=(output,)
        ),
        lambda: StreamEvent(text="fox", data={"text": "fox"}),
    ):
        assert {make(): "a fox"}[make()] == "a fox"


def test_a_prediction_travels() -> None:
    said = Prediction("abc", "completed", cost=Cost(Decimal(1)), raw={"a": [1]})
    assert pickle.loads(pickle.dumps(said)) == said
    assert (said.done, said.state) == (True, JobState.DONE)
