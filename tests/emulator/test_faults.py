"""Faults: which request meets which, what a client sees of it, and what is true of the job."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import AsyncMuAPI, MuAPI
from muapi_client.emulator import Emulator, Fault, Faults, Outcome
from muapi_client.errors import SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOX = {"prompt": "a red fox in snow"}
BASE = "https://api.muapi.ai/api/v1/"
KEY = {"x-api-key": "sk-live"}
PATIENCE = httpx.Timeout(30.0)

# What a client sees in process and over HTTP: an exception, or the status of an answer.
SEEN: dict[Fault, tuple[Any, Any]] = {
    Fault.REFUSE: (httpx.ConnectError, httpx.ReadError),
    Fault.RESET_BEFORE_ACCEPT: (httpx.ReadError, httpx.ReadError),
    Fault.RESET_AFTER_ACCEPT: (httpx.ReadError, httpx.ReadError),
    Fault.DELAY: (200, 200),
    Fault.TOO_MANY: (429, 429),
    Fault.SERVER_ERROR: (500, 500),
    Fault.HTML: (502, 502),
    Fault.TRUNCATED_JSON: (200, 200),
    Fault.CUT_BODY: (httpx.RemoteProtocolError, httpx.RemoteProtocolError),
    Fault.SLOW_BODY: (200, 200),
}


@pytest.fixture(params=["sync", "async", "http"])
def send(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """``send(emulator, method, path)``: what one request on this way comes to, a response or an exception."""
    served: list[Any] = []

    def by(emulator: Emulator, method: str = "POST", path: str = IMAGE.slug, **how: Any) -> Any:
        how = {"json": FOX, **how} if method == "POST" else how
        how = {"headers": KEY, "timeout": PATIENCE, **how}
        try:
            if request.param == "async":
                return asyncio.run(_awaited(emulator, method, BASE + path, how))
            if request.param == "http":
                served.append(emulator.serve())
                with httpx.Client() as client:
                    return client.request(method, f"{served[-1]}/api/v1/{path}", **how)
            with httpx.Client(transport=emulator.transport()) as client:
                return client.request(method, BASE + path, **how)
        except httpx.HTTPError as error:
            return error

    yield by
    for url in served:
        url.close()


async def _awaited(emulator: Emulator, method: str, url: str, how: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(transport=emulator.transport()) as client:
        return await client.request(method, url, **how)


@pytest.mark.parametrize("fault", list(Fault))
def test_what_a_client_sees_and_what_is_true(
    send: Callable[..., Any], fault: Fault, request: pytest.FixtureRequest
) -> None:
    emulator = Emulator(faults=Faults(seconds=0.02))
    emulator.next_fault(fault)
    seen = send(emulator)
    expected = SEEN[fault][request.node.callspec.params["send"] == "http"]
    assert seen.status_code == expected if isinstance(expected, int) else isinstance(seen, expected)
    assert emulator.accepted == fault.accepts
    assert (emulator.charged_usd > 0) == fault.accepts
    assert [exchange.fault for exchange in emulator.requests] == [fault]
    assert send(emulator).status_code == 200
    assert emulator.requests[-1].fault is None


def test_what_the_answers_look_like(send: Callable[..., Any]) -> None:
    emulator = Emulator(faults=Faults(retry_after=7, seconds=0.02))
    emulator.next_fault(Fault.TOO_MANY, Fault.HTML, Fault.TRUNCATED_JSON, Fault.SLOW_BODY, Fault.DELAY)
    too_many, html, truncated, slow, late = (send(emulator) for _ in range(5))
    assert too_many.headers["retry-after"] == "7"
    assert html.text.startswith("<!doctype html>")
    assert truncated.text.startswith('{"request_id": ')
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        truncated.json()
    assert slow.json()["status"] == late.json()["status"] == "queued"


def test_the_status_of_a_lost_answer_is_kept(send: Callable[..., Any]) -> None:
    emulator = Emulator()
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT, Fault.RESET_BEFORE_ACCEPT, Fault.TOO_MANY)
    for _ in range(3):
        send(emulator)
    assert [exchange.status for exchange in emulator.requests] == [200, None, 429]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.SLOW_BODY])
def test_time_passes_virtually_and_the_client_loses_patience(fault: Fault, *, asynchronous: bool) -> None:
    emulator = Emulator(faults=Faults.script([fault], seconds=900))
    start = emulator.clock.now()
    how = {"json": FOX, "headers": KEY, "timeout": httpx.Timeout(5.0)}

    def send() -> httpx.Response:
        if asynchronous:
            return asyncio.run(_awaited(emulator, "POST", f"{BASE}{IMAGE.slug}", how))
        return httpx.Client(transport=emulator.transport()).post(f"{BASE}{IMAGE.slug}", **how)

    with pytest.raises(httpx.ReadTimeout):
        send()
    assert emulator.clock.now() - start == 5.0
    assert emulator.accepted == 1


@pytest.mark.parametrize("client", [MuAPI, AsyncMuAPI])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in {Fault.REFUSE, Fault.TOO_MANY}])
def test_our_clients_never_pay_twice(client: type, fault: Fault) -> None:
    emulator = Emulator(faults=Faults.script([fault], seconds=90))
    mu = client("sk-live", transport=emulator.transport())
    done: Any = None
    try:
        done = mu.run(make_image(prompt="a fox"))
        done = asyncio.run(done) if asyncio.iscoroutine(done) else done
    except SubmitOutcomeUnknownError:
        assert emulator.accepted == fault.accepts
    else:
        assert done.done
        assert emulator.accepted == 1
    assert sum(exchange.request.method == "POST" for exchange in emulator.requests) == 1


def test_what_provably_had_no_effect_is_sent_again() -> None:
    script = [Fault.REFUSE, Fault.TOO_MANY, None, Fault.RESET_AFTER_ACCEPT, Fault.HTML]
    emulator = Emulator(faults=Faults.script(script))
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        assert mu.run(make_image(prompt="a fox")).done
    assert emulator.accepted == 1
    assert [exchange.fault for exchange in emulator.requests][: len(script)] == script


def test_chaos_can_be_repeated() -> None:
    def run(seed: int) -> list[tuple[Fault | None, int | None]]:
        emulator = Emulator(faults=Faults.chaos(0.5, seed=seed, seconds=1))
        for _ in range(40):
            with httpx.Client(transport=emulator.transport()) as client, suppress(httpx.HTTPError):
                client.post(f"{BASE}{IMAGE.slug}", json=FOX, headers=KEY)
        return [(exchange.fault, exchange.status) for exchange in emulator.requests]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_each_fault_strikes_as_often_as_asked() -> None:
    struck = Counter(Faults(refuse=0.1, html=0.3).strike(number) for number in range(10_000))
    assert struck.keys() == {None, Fault.REFUSE, Fault.HTML}
    assert struck[Fault.REFUSE] == pytest.approx(1000, rel=0.1)
    assert struck[Fault.HTML] == pytest.approx(3000, rel=0.1)


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.floats(0, 1))
def test_a_strike_follows_from_seed_and_number(seed: int, number: int, rate: float) -> None:
    faults = Faults.chaos(rate, seed=seed)
    assert faults.strike(number) == Faults.chaos(rate, seed=seed).strike(number)
    assert rate > 0 or faults.strike(number) is None


def test_files_are_spared_unless_asked() -> None:
    spared, struck = Emulator(faults=Faults(refuse=1)), Emulator(faults=Faults(refuse=1, cdn=True))
    for emulator, reached in ((spared, True), (struck, False)):
        with httpx.Client(transport=emulator.transport()) as client:
            if reached:
                client.get("https://cdn.muapi.ai/outputs/none.png")
            else:
                with pytest.raises(httpx.ConnectError):
                    client.get("https://cdn.muapi.ai/outputs/none.png")
            with pytest.raises(httpx.ConnectError):
                client.get(f"{BASE}account/balance", headers=KEY)


@pytest.mark.parametrize(
    ("wrong", "taught"),
    [
        (lambda: Faults(html=5), "html=5 is no probability: 0.05 means one request in twenty"),
        (lambda: Faults(html=True), "no probability"),
        (lambda: Faults(html=float("nan")), "no probability"),
        (lambda: Faults(html=0.6, refuse=0.6), r"add up to 1\.2"),
        (lambda: Faults(seconds=-1), "seconds=-1 is no time"),
        (lambda: Faults.chaos(20), "one request in five"),
        (lambda: Faults.script(["reset"]), r"'reset'.*Fault\.RESET_AFTER_ACCEPT"),
        (lambda: Emulator().next_fault("reset"), "next_fault was given 'reset'"),  # type: ignore[arg-type]
        (lambda: Emulator().next("failed"), "'failed' is no outcome"),  # type: ignore[arg-type]
        (lambda: Emulator().next(Outcome.failed), "is no outcome"),  # type: ignore[arg-type]
        (lambda: Emulator().sometimes("failed", 0.5), "'failed' is no outcome"),  # type: ignore[arg-type]
        (lambda: Emulator().sometimes(Outcome.failed(), True), "True is no share"),
        (lambda: Emulator().sometimes(Outcome.failed(), None), "None is no share"),  # type: ignore[arg-type]
        (lambda: Emulator().sometimes(Outcome.failed(), float("nan")), "no share"),
        (lambda: Emulator().set_faults({"html": 1}), "are no faults"),  # type: ignore[arg-type]
        (lambda: Emulator().set_faults(None), "are no faults"),  # type: ignore[arg-type]
        (lambda: Emulator().next(Outcome.failed(), model="keys"), "no model 'keys'"),
        (lambda: Emulator().deposit(float("nan")), "'nan' is no amount"),
        (lambda: Emulator().deposit("1e30"), "'1e30' is no amount"),
        (lambda: Emulator().deposit(-1), "'-1' is no amount"),
        (lambda: Emulator(balance="much"), "'much' is no amount"),
        (lambda: Outcome(price=float("inf")), "'inf' is no amount"),  # type: ignore[arg-type]
    ],
)
def test_errors_teach(wrong: Callable[[], object], taught: str) -> None:
    with pytest.raises(ValueError, match=taught):
        wrong()


def test_a_long_wait_is_asked_for_in_digits() -> None:
    emulator = Emulator(faults=Faults.script([Fault.TOO_MANY], retry_after=1234567))
    answer = httpx.Client(transport=emulator.transport(), headers=KEY).get(f"{BASE}account/balance")
    assert answer.headers["retry-after"] == "1234567"


def test_ten_tenths_are_one() -> None:
    assert Faults.chaos(1).strike(0) is not None
