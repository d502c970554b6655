"""What a client is told once, changed for a while by ``with_options``, and ended by ``close``."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image

from muapi_client import MuAPIError, Polling, Retry
from muapi_client.errors import WaitTimeoutError

if TYPE_CHECKING:
    from twins.conftest import Twin

ACCEPTED = {"request_id": "abc", "status": "processing", "cost": {"amount_usd": 0.5}}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": [], "cost": ACCEPTED["cost"]}


def test_with_options_leaves_the_first_client_alone(twin: Twin) -> None:
    face = twin(RUNNING)
    other = face.sharing(wait_timeout=5.0)
    with pytest.raises(WaitTimeoutError, match=" 5 s"):
        other.wait("abc")
    with pytest.raises(WaitTimeoutError, match=" 1800 s"):
        face.wait("abc")


def test_with_options_shares_spend_and_connections(twin: Twin) -> None:
    face = twin((200, ACCEPTED, {"x-account-balance": "4"}))
    other = face.sharing(timeout=5)
    other.submit(twin.call)
    assert face.spend is other.spend
    assert (face.spend.total_usd, face.account_balance) == (Decimal("0.5"), Decimal(4))
    assert face.server.requests[0].extensions["timeout"]["read"] == 5.0
    face.close()
    with pytest.raises(MuAPIError, match="closed"):
        other.submit(twin.call)


def test_with_options_of_with_options(twin: Twin) -> None:
    face = twin(RUNNING).sharing(wait_timeout=5.0).sharing(polling=Polling(minimum=2.0, jitter=0.0))
    with pytest.raises(WaitTimeoutError, match=" 5 s"):
        face.wait("abc")
    assert face.server.times[:2] == [1000.0, 1002.0]


def test_with_options_may_lift_the_limit(twin: Twin) -> None:
    face = twin({"cost": 0.6}, max_spend=Decimal("0.5"))
    free = face.sharing(max_spend=None)
    free.server.steps = [ACCEPTED]
    assert free.submit(make_image(prompt="a fox")).id == "abc"


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": "sk-2"},
        {"base_url": "https://x.example"},
        {"transport": None},
        {"clock": None},
        {"tiemout": 5},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"wait_timeout": -1},
        {"wait_timeout": None},
        {"max_spend": "much"},
    ],
    ids=str,
)
def test_with_options_refuses_what_it_cannot_do(twin: Twin, changes: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError, match=next(iter(changes))):
        twin(RUNNING).sharing(**changes)


@pytest.mark.parametrize("changes", [{"retry": None}, {"polling": None}, {"retry": 3}, {"strict": None}], ids=str)
def test_with_options_leaves_a_client_that_works_or_refuses(twin: Twin, changes: dict[str, Any]) -> None:
    try:
        face = twin((503, ""), RUNNING).sharing(**changes)
    except MuAPIError as error:
        assert next(iter(changes)) in str(error)  # noqa: PT017 - refusing is one of two right answers
    else:
        assert face.look("abc").status == "processing"


def test_webhook_and_team_become_query_parameters(twin: Twin) -> None:
    face = twin(ACCEPTED, webhook="https://me.example/hook?token=a&b", team_id=7)
    face.submit(make_image(prompt="a fox"))
    params = face.server.requests[0].url.params
    assert dict(params) == {"webhook": "https://me.example/hook?token=a&b", "team_id": "7"}


def test_the_webhook_is_told_of_jobs_alone(twin: Twin) -> None:
    face = twin(RUNNING, webhook="https://me.example/hook")
    face.look("abc")
    assert "webhook" not in face.server.requests[0].url.params


def test_the_timeout_caps_every_part_of_an_exchange(twin: Twin) -> None:
    face = twin(ACCEPTED, timeout=7)
    face.submit(twin.call)
    assert face.server.requests[0].extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 7.0)


@pytest.mark.parametrize("timeout", [sys.maxsize, 1e308, Decimal(7), Fraction(15, 2)])
def test_a_length_of_time_is_a_number_of_any_size_and_type(twin: Twin, timeout: Any) -> None:
    face = twin(ACCEPTED, DONE, timeout=timeout, wait_timeout=timeout)
    assert face.run(twin.call).done


@pytest.mark.parametrize(
    "options",
    [{"timeout": 0}, {"timeout": None}, {"wait_timeout": "5"}, {"timeout": True}]
    + [{"timeout": odd} for odd in (10**400, float("inf"), float("nan"), Decimal("sNaN"))],
)
def test_impossible_lengths_of_time_are_refused(twin: Twin, options: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError, match="positive number of seconds"):
        twin(RUNNING, **options)


def test_retry_is_obeyed(twin: Twin) -> None:
    face = twin((503, ""), retry=Retry(attempts=2, initial=1.0))
    with pytest.raises(MuAPIError):
        face.look("abc")
    assert face.server.gets == 2


class TestClosed:
    @pytest.mark.parametrize("method", ["run", "submit", "look", "wait", "send", "estimate"])
    def test_it_says_so(self, twin: Twin, method: str) -> None:
        face = twin(ACCEPTED)
        face.close()
        argument = "abc" if method in ("look", "wait") else make_image(prompt="a fox")
        with pytest.raises(MuAPIError, match="closed"):
            getattr(face, method)(argument)
        assert face.server.requests == []

    def test_twice_does_no_harm(self, twin: Twin) -> None:
        face = twin(ACCEPTED)
        face.submit(twin.call)
        face.close()
        face.close()

    def test_unused_does_no_harm(self, twin: Twin) -> None:
        twin(ACCEPTED).close()

    def test_under_a_wait_it_is_an_error_of_ours(self, twin: Twin) -> None:
        """Another thread or task closes the client while this one waits."""
        face = twin(RUNNING)
        with pytest.raises(MuAPIError):
            face.wait("abc", timeout=60, on_look=lambda _: face.mu.close())


def test_a_with_block_closes(twin: Twin) -> None:
    face = twin(ACCEPTED)

    async def awaiting() -> str:
        async with face.mu as mu:
            return str((await mu.submit(twin.call)).id)

    def blocking() -> str:
        with face.mu as mu:
            return str(mu.submit(twin.call).id)

    assert (face.go(awaiting()) if twin.awaits else blocking()) == "abc"
    with pytest.raises(MuAPIError, match="closed"):
        face.submit(twin.call)


def test_an_async_client_serves_one_loop_after_another(twin: Twin) -> None:
    face = twin(ACCEPTED)
    assert [face.submit(twin.call).id for _ in range(3)] == ["abc"] * 3


def test_many_waits_at_once_overlap_in_virtual_time(twin: Twin) -> None:
    if not twin.awaits:
        pytest.skip("threads have no common turn in virtual time")
    face = twin(lambda _: {**RUNNING, "id": None, "status": "completed"} if face.clock.now() > 1060 else RUNNING)

    async def together() -> list[Any]:
        return await asyncio.gather(*(face.mu.wait(name) for name in ["abc"] * 20))

    assert all(said.done for said in asyncio.run(together()))
    assert face.clock.now() < 1075.0
