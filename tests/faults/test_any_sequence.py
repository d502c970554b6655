"""A submit and a wait through any sequence of outcomes: what is promised holds for those nobody thought of."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import httpx
from by_kind import IMAGE
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Job, MuAPI, Polling, Prediction, Retry, errors, raw_call
from muapi_client._runtime.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ID = "job-1"
WORDS = st.sampled_from([ID, "other", "completed", "failed", "cancelled", "processing", "moderated", "", "…"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
NAMES = st.sampled_from(["request_id", "id", "status", "outputs", "output", "data", "error", "cost", "detail", "url"])
SOUP = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)
BODIES = SOUP.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=20) | st.just(b"<html>")
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "x-muapi-cost-usd", "x-account-balance", "x-muapi-cost-refunded"]),
    st.integers().map(str) | st.floats().map(str) | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
)
STATUS = st.sampled_from([200, 201, 204, 301, 302, 400, 401, 402, 404, 408, 422, 425, 429, 500, 503, 522, 599])
UNSENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
FAULTS = [*UNSENT, httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.DecodingError]
OUTCOMES = st.lists(st.sampled_from(FAULTS) | st.tuples(STATUS, HEADERS, BODIES), min_size=1, max_size=12)


class OutcomeServer(httpx.BaseTransport):
    """Serves the outcomes in order, the last of them for ever, in virtual time; tells of what is sent, as httpcore."""

    tells_when_sent = True

    def __init__(self, outcomes: list[Any], took: float) -> None:
        self.clock = VirtualClock()
        self.at: list[float] = []  # when each request arrived
        self.served: list[Any] = []
        self._left: Iterator[Any] = iter(outcomes)
        self._last = outcomes[-1]
        self._took = took

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.at.append(self.clock.now())
        self.clock.sleep(self._took)
        outcome = next(self._left, self._last)
        self.served.append(outcome)
        if outcome not in UNSENT:
            request.extensions["trace"]("outcomes.send_request_headers.started", {"request": request})
        if isinstance(outcome, type):
            raise outcome("no answer", request=request)
        status, headers, body = outcome
        return httpx.Response(status, headers=headers, content=body, request=request)


def _may_follow(outcome: Any) -> bool:
    """Whether a submit may be sent after this one."""
    return outcome in UNSENT if isinstance(outcome, type) else outcome[0] == 429


def _end_of(work: Callable[[], Any]) -> Any:
    """What it answered, or the error of ours it raised, once that has proved to travel."""
    try:
        return work()
    except errors.MuAPIError as error:
        _travels(error)
        return error


def _travels(error: errors.MuAPIError) -> None:
    for one in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(one) is type(error)
        assert str(one) == str(error)
        assert (one.request_id, one.status_code, one.cost, one.balance) == (
            error.request_id,
            error.status_code,
            error.cost,
            error.balance,
        )


@given(OUTCOMES, st.integers(1, 6))
def test_no_submit_follows_one_that_may_have_been_accepted(outcomes: list[Any], attempts: int) -> None:
    server = OutcomeServer(outcomes, took=0.1)
    call = raw_call(IMAGE.slug, {"prompt": "a fox"})
    with MuAPI("k", "http://127.0.0.1:9", transport=server, retry=Retry(attempts=attempts)) as mu:
        ended = _end_of(lambda: mu.submit(call))

    assert isinstance(ended, Job | Prediction | errors.MuAPIError)
    if isinstance(ended, Job | Prediction):
        assert mu.spend.requests == 1
    elif isinstance(ended, errors.SubmitOutcomeUnknownError):
        assert ended.call == call
        assert not _may_follow(server.served[-1])
    assert len(server.served) <= attempts
    assert all(_may_follow(outcome) for outcome in server.served[:-1])


@given(
    OUTCOMES,
    st.floats(0.01, 5.0),
    st.floats(0.1, 300.0),
    st.builds(Polling, share=st.floats(0, 1), minimum=st.floats(0.05, 5), maximum=st.floats(0.05, 20)),
)
def test_a_wait_begins_no_look_after_its_deadline_and_ends_in_time(
    outcomes: list[Any], took: float, timeout: float, polling: Polling
) -> None:
    server = OutcomeServer(outcomes, took)
    with MuAPI("k", "http://127.0.0.1:9", transport=server, polling=polling) as mu:
        ended = _end_of(lambda: mu.wait(ID, timeout=timeout))

    if isinstance(ended, errors.WaitTimeoutError):
        assert ended.job == Job(ID)
        assert server.clock.now() >= timeout - 1.0 - 1e-6
    elif isinstance(ended, errors.MuAPIError):
        assert ended.request_id == ID
    else:
        assert ended.done
        assert ended.id == ID
    pauses = [later - earlier - took for earlier, later in zip(server.at, server.at[1:], strict=False)]
    assert all(pause > -1e-6 for pause in pauses)
    assert all(at < timeout for at in server.at)
    assert server.clock.now() <= timeout + took
    assert len(server.at) >= 1
