"""Every error tells what is known, and travels whole."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from muapi_client import AsyncJob, AsyncMuAPI, Cost, Job, MuAPI, Prediction, SandboxVerdict, errors, raw_call
from muapi_generated.types import UNSET

CALL = raw_call("any/model", {"prompt": "a fox", "nested": [1, {"a": None}]})
COST = Cost(Decimal("0.004200"), 1, 2, refunded=True)
PREDICTION = Prediction("abc", "failed", cost=COST, error="oom", raw={"status": "failed"})
KNOWN: dict[str, Any] = {"request_id": "abc", "status_code": 400, "cost": COST, "balance": Decimal("1.5")}
EXTRA: dict[str, dict[str, Any]] = {
    "APIConnectionError": {"sent": False},
    "APIStatusError": {"detail": {"why": ["x", None]}},
    "ResponseError": {"body": b"<html>\xff"},
    "SubmitOutcomeUnknownError": {"call": CALL, "body": b"oops", "started_at": 1.7e9},
    "JobError": {
        "job": Job("abc", CALL, COST, datetime(2026, 1, 1, tzinfo=UTC)),
        "prediction": PREDICTION,
        "text": "Hel",
    },
    "SandboxMismatchError": {
        "verdict": SandboxVerdict(True, ("a sample",)),
        "job": Job("abc", CALL, COST),
        "prediction": PREDICTION,
        "text": "Hello",
    },
    "SpecPinError": {"runs_on": "a" * 64, "pinned": "b" * 64},
    "ValidationError": {"errors": [{"loc": ["body", "x"], "msg": "no", "type": "missing"}]},
}
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
KINDS = [getattr(errors, name) for name in errors.__all__]


def pickled(protocol: int, error: errors.MuAPIError) -> Any:
    return pickle.loads(pickle.dumps(error, protocol))


def make(kind: type[errors.MuAPIError]) -> errors.MuAPIError:
    extra = {name: value for base in kind.__mro__ for name, value in EXTRA.get(base.__name__, {}).items()}
    return kind("what happened: ünïcode\nand a second line", **KNOWN, **extra)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "travel",
    [copy.copy, copy.deepcopy, *(partial(pickled, protocol) for protocol in PROTOCOLS)],
    ids=["copy", "deepcopy", *(f"pickle{protocol}" for protocol in PROTOCOLS)],
)
def test_it_travels_whole(kind: type[errors.MuAPIError], travel: Any) -> None:
    error = make(kind)
    error.add_note("noted")
    again = travel(error)
    assert type(again) is kind
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
    assert again.__notes__ == ["noted"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_can_be_made_of_nothing(kind: type[errors.MuAPIError]) -> None:
    error = kind()
    assert (error.request_id, error.status_code, error.cost, error.balance) == (None, None, None, None)
    assert pickle.loads(pickle.dumps(error)).args == ("",)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_its_message_is_its_text(kind: type[errors.MuAPIError]) -> None:
    assert str(make(kind)) == "what happened: ünïcode\nand a second line"


@pytest.mark.parametrize(("job", "client"), [(Job, MuAPI), (AsyncJob, AsyncMuAPI)], ids=["sync", "async"])
def test_a_job_leaves_its_client_behind(job: type[Job], client: Any) -> None:
    error = errors.WaitTimeoutError("late", job=job("abc", CALL, client=client("sk-secret")))
    for data in (pickle.dumps(error), pickle.dumps(error.job)):
        assert b"sk-secret" not in data
    again = pickle.loads(pickle.dumps(error))
    assert (type(again.job), again.job) == (job, error.job)
    assert copy.deepcopy(error).job == error.job


def test_a_validation_error_keeps_copies() -> None:
    problem = {"loc": ["body", "x"], "msg": "no", "type": "missing"}
    error = errors.ValidationError("no", errors=[problem])
    problem["msg"] = "changed"
    assert error.errors[0]["msg"] == "no"


def test_a_timeout_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        raise errors.WaitTimeoutError("late")
    assert not isinstance(errors.WaitTimeoutError("late"), errors.APIStatusError)


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (errors.AuthenticationError, errors.APIStatusError),
        (errors.InsufficientCreditError, errors.APIStatusError),
        (errors.NotFoundError, errors.APIStatusError),
        (errors.ValidationError, errors.APIStatusError),
        (errors.RateLimitError, errors.APIStatusError),
        (errors.ServerError, errors.APIStatusError),
        (errors.JobFailedError, errors.JobError),
        (errors.JobCancelledError, errors.JobError),
        (errors.WaitTimeoutError, errors.JobError),
    ],
)
def test_the_tree(kind: type, parent: type) -> None:
    assert issubclass(kind, parent)


def test_unset_stays_one_on_the_way() -> None:
    assert pickle.loads(pickle.dumps(UNSET)) is copy.deepcopy(UNSET) is UNSET
