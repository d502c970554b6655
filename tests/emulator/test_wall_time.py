"""The time of day in answers: the client's own, so that what the history tells can be compared with it."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, STREAM, make_image

from muapi_client import MuAPI
from muapi_client._runtime.clock import SystemClock, VirtualClock
from muapi_client.emulator import Emulator, Fault, Outcome, Shape
from muapi_client.errors import SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}
KEY = {"x-api-key": "sk-live"}
NOON = datetime(2031, 5, 6, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the system's clock tells, in seconds since 1970."""
    told = [NOON]
    monkeypatch.setattr("muapi_client._runtime.clock.time.time", lambda: told[0])
    # A server lets no time pass.
    monkeypatch.setattr("muapi_client.emulator._http.served_clock.monotonic", lambda: 0.0)
    return told


def date_of(answer: httpx.Response) -> float:
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


def created(item: dict[str, Any]) -> float:
    return datetime.fromisoformat(item["created_at"]).timestamp()


def test_a_client_finds_the_job_of_a_lost_answer() -> None:
    emulator = Emulator()
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
        with pytest.raises(SubmitOutcomeUnknownError) as lost:
            mu.run(make_image(prompt="a fox"))
        found: Any = mu.reconcile(lost.value)
        (job,) = mu.history()
    assert [candidate.id for candidate in getattr(found, "candidates", found)] == [job["id"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "account/balance"),
        ("GET", "nothing"),
        ("PUT", "history"),
        ("POST", IMAGE.slug),
        ("POST", STREAM.slug),
        ("GET", "https://api.muapi.ai/openapi.json"),
        ("GET", "https://cdn.muapi.ai/outputs/none.png"),
        ("GET", "https://checkout.stripe.com/c/pay/none"),
        ("POST", "https://muapi-uploads.s3.amazonaws.com/"),
    ],
)
@pytest.mark.parametrize("key", ["sk-live", "sk-test", "sk-nobody", None])
def test_every_answer_tells_the_time(
    connect: Callable[..., Any], wall: list[float], method: str, path: str, key: str | None
) -> None:
    emulator = Emulator()
    body = {"json": FOX} if method == "POST" else {}
    assert date_of(connect(emulator, key)(method, path, **body)) == NOON
    emulator.clock.sleep(90.5)
    assert date_of(connect(emulator, key)(method, path, **body)) == NOON + 90


@pytest.mark.parametrize("fault", [fault for fault in Fault if not fault.breaks and fault is not Fault.CUT_BODY])
def test_an_answer_under_a_fault_tells_it_too(connect: Callable[..., Any], wall: list[float], fault: Fault) -> None:
    emulator = Emulator()
    emulator.next_fault(fault)
    assert date_of(connect(emulator)("POST", IMAGE.slug, json=FOX)) == NOON


def test_what_is_no_http_is_told_the_time_too(wall: list[float]) -> None:
    with Emulator().serve() as url, socket.create_connection(("127.0.0.1", url.port), timeout=60) as line:
        line.sendall(b"GET / HTTP/9\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        assert b"\r\ndate: Tue, 06 May 2031 12:00:00 GMT\r\n" in line.makefile("rb").read()


def test_all_times_are_of_one_clock(connect: Callable[..., Any], wall: list[float]) -> None:
    emulator = Emulator(job_seconds=10, shape=Shape(extras=True))
    send = connect(emulator)
    emulator.clock.sleep(100)
    submitted = send("POST", IMAGE.slug, json=FOX)
    emulator.clock.sleep(50)
    key = send("POST", "keys", json={"name": "app"}).json()
    emulator.clock.sleep(50)
    history = send("GET", "history")
    (item,) = history.json()["items"]
    looked = send("GET", f"predictions/{item['id']}/result").json()
    assert date_of(submitted) == created(item) == created(looked) == NOON + 100
    assert created(next(each for each in send("GET", "keys").json() if each["id"] == key["id"])) == NOON + 150
    assert date_of(history) == NOON + 200


def test_it_never_falls_behind_real_time(connect: Callable[..., Any], wall: list[float]) -> None:
    """The virtual clock stands still while a test works; jobs accepted meanwhile are not the older for it."""
    emulator = Emulator()
    send = connect(emulator)
    emulator.clock.sleep(60)
    wall[0] += 30
    assert date_of(send("GET", "history")) == NOON + 60
    wall[0] += 300
    assert date_of(send("POST", IMAGE.slug, json=FOX)) == NOON + 330
    emulator.clock.sleep(5)
    assert date_of(send("GET", "history")) == NOON + 335
    assert created(send("GET", "history").json()["items"][0]) == NOON + 330


def test_a_reset_puts_the_time_of_day_back_and_lets_the_reading_go_on(wall: list[float]) -> None:
    with Emulator().serve() as url:
        assert date_of(httpx.post(f"{url}/emulator/clock", json={"advance": 1e9})) == NOON + 1e9
        assert date_of(httpx.post(f"{url}/api/v1/{IMAGE.slug}", json=FOX, headers=KEY)) == NOON + 1e9
        wall[0] += 30
        assert httpx.post(f"{url}/emulator/reset").json()["now"] == 1e9
        answer = httpx.post(f"{url}/api/v1/{IMAGE.slug}", json=FOX, headers=KEY)
        (job,) = httpx.get(f"{url}/emulator/state").json()["jobs"]
    assert date_of(answer) == created(job) == NOON + 30


def test_what_passed_while_nobody_asked_is_not_added_to_the_time_of_day_by_a_reset(
    wall: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr("muapi_client.emulator._http.served_clock.monotonic", lambda: passed[0])
    emulator = Emulator()
    with emulator.serve() as url:
        assert date_of(httpx.get(url)) == NOON
        passed[0] += 600
        wall[0] += 600
        emulator.reset()
        assert date_of(httpx.get(url)) == NOON + 600


def test_a_clock_with_a_day_of_its_own_keeps_to_it(connect: Callable[..., Any]) -> None:
    """For tests that compare whole answers."""

    def answers() -> list[Any]:
        emulator = Emulator(clock=VirtualClock(epoch=NOON), outcomes=[Outcome.completed(shape=Shape(extras=True))])
        send, told = connect(emulator), []
        for method, path, body in (("POST", IMAGE.slug, FOX), ("GET", "history", None), ("GET", "keys", None)):
            answer = send(method, path, json=body)
            told.append((answer.content, answer.headers))
            emulator.clock.sleep(1.25)
        return told

    first = answers()
    assert first == answers()
    assert json.loads(first[1][0])["items"][0]["created_at"] == "2031-05-06T12:00:00+00:00"


@pytest.mark.parametrize("options", [{}, {"clock": SystemClock()}])
def test_over_http_it_is_the_time_of_this_machine_however_fast_jobs_run(options: dict[str, Any]) -> None:
    emulator = Emulator(**options)
    how = {} if options else {"speed": 1e6}
    with emulator.serve(**how) as url, httpx.Client(base_url=f"{url}/api/v1/", headers=KEY) as client:
        before = time.time()
        submitted = client.post(IMAGE.slug, json=FOX)
        after = time.time()
        looked = client.get(f"predictions/{submitted.json()['request_id']}/result")
        (item,) = client.get("history").json()["items"]
    assert before - 0.001 <= created(item) <= after + 0.001
    assert before - 1 <= date_of(submitted) <= after
    assert date_of(submitted) <= date_of(looked) <= time.time() + 1


def test_what_is_slept_by_hand_is_the_same_while_it_is_served(wall: list[float]) -> None:
    emulator = Emulator()
    with emulator.serve() as url, httpx.Client(base_url=f"{url}/api/v1/", headers=KEY) as client:
        emulator.clock.sleep(3600)
        assert date_of(client.get("history")) == NOON + 3600


def test_a_loaded_emulator_tells_todays_time_and_leaves_old_jobs_theirs(
    connect: Callable[..., Any], wall: list[float]
) -> None:
    emulator = Emulator()
    connect(emulator)("POST", IMAGE.slug, json=FOX)
    emulator.clock.sleep(20)
    saved = emulator.save()
    wall[0] += 86_400
    send = connect(Emulator.load(saved))
    assert date_of(send("POST", IMAGE.slug, json=FOX)) == NOON + 86_400
    newest, oldest = send("GET", "history").json()["items"]
    assert (created(oldest), created(newest)) == (NOON, NOON + 86_400)


def test_a_time_beyond_all_calendars_stops_nothing(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=0)
    send = connect(emulator)
    emulator.clock.sleep(1e15)
    assert send("POST", IMAGE.slug, json=FOX).headers["date"] == "Fri, 31 Dec 9999 23:59:59 GMT"
    assert send("GET", "history").json()["items"][0]["created_at"].startswith("9999-12-31T23:59:59")
