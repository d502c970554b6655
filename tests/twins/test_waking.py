"""A webhook's hint wakes whoever waits for its job: it causes one look, at once, and nothing else."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio
from by_kind import make_image

from muapi_client import AsyncMuAPI, Job, MuAPI, MuAPIError, Polling, webhooks
from muapi_client._jobs import waiting
from muapi_client._state import waiters
from muapi_client.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twins.conftest import Face, Twin

ACCEPTED = {"request_id": "abc", "status": "processing"}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": []}
SELDOM = Polling(minimum=100, maximum=100, jitter=0)


@pytest.fixture(autouse=True)
def no_hints_of_other_tests() -> Iterator[None]:
    waiters._early.clear()
    waiters._waiters.clear()  # of flows that other tests have left suspended, until they are collected
    yield
    assert waiters._waiters == {}, "every wait that has ended is forgotten"


def hint_of(request_id: str, status: str = "completed") -> webhooks.Hint:
    return webhooks.receive(b'{"id": "%s", "status": "%s"}' % (request_id.encode(), status.encode()))


def hinted(answer: Any, face: list[Face], *, times: int = 1) -> Callable[[Any], Any]:
    """A step of the server: while it is under way, a webhook arrives."""

    def step(_: Any) -> Any:
        for _ in range(times):
            assert face[0].mu.wake("abc"), "somebody waits"
        return answer

    return step


def looks(face: Face) -> list[float]:
    return [
        at - 1000
        for at, request in zip(face.server.times, face.server.requests, strict=True)
        if request.method == "GET"
    ]


def waited(twin: Twin, *steps: Any, **options: Any) -> list[float]:
    """When a wait for a job looks, in seconds since it began; a step may be made of the list that will hold it."""
    held: list[Face] = []
    face = twin(*(step(held) if callable(step) else step for step in steps), **{"polling": SELDOM, **options})
    held.append(face)
    assert face.wait("abc").done
    return looks(face)


def test_without_a_hint_looks_come_at_their_time(twin: Twin) -> None:
    assert waited(twin, RUNNING, DONE) == [0, 100]


def test_a_hint_brings_the_next_look_forward(twin: Twin) -> None:
    assert waited(twin, lambda face: hinted(RUNNING, face), DONE) == [0, 1]


def test_many_hints_of_one_job_cause_one_look_and_then_it_goes_on_as_before(twin: Twin) -> None:
    steps = (lambda face: hinted(RUNNING, face, times=50), RUNNING, RUNNING, DONE)
    assert waited(twin, *steps) == [0, 1, 101, 201]


def test_a_flood_of_hints_causes_a_look_a_second(twin: Twin) -> None:
    flood = [lambda face: hinted(RUNNING, face, times=20)] * 5
    assert waited(twin, *flood, DONE) == [0, 1, 2, 3, 4, 5]


def test_no_hint_makes_a_short_pause_longer(twin: Twin) -> None:
    polling = Polling(minimum=0.5, maximum=0.5, jitter=0)
    assert waited(twin, lambda face: hinted(RUNNING, face), DONE, polling=polling) == [0, 0.5]


def test_retry_after_wins_over_a_hint(twin: Twin) -> None:
    asked = (200, RUNNING, {"retry-after": "30"})
    assert waited(twin, lambda face: hinted(asked, face), DONE) == [0, 30]
    asked = (200, RUNNING, {"retry-after": "300"})  # of which a minute is believed, hint or not
    assert waited(twin, lambda face: hinted(asked, face), DONE) == [0, 60]


@pytest.mark.parametrize("failure", [(429, {}), (503, "<html>"), httpx.ReadError("gone")])
def test_the_pause_after_a_look_that_failed_is_kept(twin: Twin, failure: Any) -> None:
    assert waited(twin, lambda face: hinted(failure, face), DONE) == waited(twin, failure, DONE)


def test_a_hint_that_comes_before_the_first_pause_is_not_lost(twin: Twin) -> None:
    face = twin(ACCEPTED, DONE, polling=SELDOM)
    answers = []
    assert face.run(twin.call, on_accept=lambda job: answers.append(face.mu.wake(job))).done
    assert looks(face) == [0]
    assert answers == [False], "nobody waits yet"


def test_a_hint_that_comes_before_the_jobs_id_is_known_is_not_lost(twin: Twin) -> None:
    def accept(_: Any) -> Any:
        face.mu.wake(hint_of("abc"))
        return ACCEPTED

    face = twin(accept, DONE, polling=SELDOM)
    assert face.run(twin.call).done
    assert looks(face) == [0]


def test_a_hint_of_another_job_changes_nothing(twin: Twin) -> None:
    def step(_: Any) -> Any:
        assert not face.mu.wake("other")
        assert not face.mu.wake(hint_of("ABC"))
        return RUNNING

    face = twin(step, DONE, polling=SELDOM)
    assert face.wait("abc").done
    assert looks(face) == [0, 100]


def test_hints_of_jobs_nobody_waits_for_are_kept_in_bounds(twin: Twin) -> None:
    face = twin(DONE)
    for number in range(3 * waiters.EARLY):
        assert face.mu.wake(f"job-{number}") is False
    assert len(waiters._early) == waiters.EARLY


def test_a_client_of_either_kind_wakes_and_one_of_another_api_does_not(twin: Twin) -> None:
    answers = []

    def step(_: Any) -> Any:
        for base_url in (None, "https://other.example"):
            answers.extend(kind("sk-other", base_url).wake(hint_of("abc")) for kind in (MuAPI, AsyncMuAPI))
        return RUNNING

    face = twin(step, DONE, polling=SELDOM)
    assert face.wait("abc").done
    assert answers == [True, True, False, False]
    assert looks(face) == [0, 1]
    assert face.mu.wake("abc") is False, "the wait has ended"


def test_the_deadline_holds(twin: Twin) -> None:
    held: list[Face] = []
    face = twin(hinted(RUNNING, held), polling=SELDOM, wait_timeout=5)
    held.append(face)
    with pytest.raises(WaitTimeoutError):
        face.wait("abc")
    assert looks(face)[:5] == [0, 1, 2, 3, 4]
    assert looks(face)[-1] < 5


def test_a_forked_child_wakes_nothing_of_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads that wait did not follow it, and a map that went on there would submit twice."""
    called: list[bool] = []
    with waiters.Waiter("https://api.muapi.ai", "abc") as waiter:
        waiter.listen(lambda: called.append(True))
        with monkeypatch.context() as child:
            child.setattr("os.getpid", lambda: -1)
            assert MuAPI("sk-live").wake("abc") is False
        assert (called, waiter.is_woken) == ([], False)
        assert MuAPI("sk-live").wake("abc") is True
        assert (called, waiter.is_woken) == ([True], True)


def test_a_hint_that_a_forked_child_gets_early_is_kept_for_its_own_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with waiters.Waiter("https://api.muapi.ai", "abc"), monkeypatch.context() as child:
        child.setattr("os.getpid", lambda: -1)
        assert MuAPI("sk-live").wake("abc") is False
        with waiters.Waiter("https://api.muapi.ai", "abc") as own:
            assert own.is_woken


def test_of_many_hints_the_first_alone_cuts_a_pause_short() -> None:
    called: list[bool] = []
    with waiters.Waiter("https://api.muapi.ai", "abc") as waiter:
        waiter.listen(lambda: called.append(True))
        assert all(MuAPI("sk-live").wake("abc") for _ in range(100))
        assert called == [True]
        waiter.is_woken = False  # it looks
        waiter.listen(lambda: called.append(False))
        assert MuAPI("sk-live").wake("abc")
        assert called == [True, False]


def test_forged_hints_fill_no_memory() -> None:
    forged = ["x" * 100_000 + str(number) for number in range(20)]
    assert not any(MuAPI("sk-live").wake(name) for name in forged)
    with waiters.Waiter("https://api.muapi.ai", forged[-1]) as waiter:
        assert not waiter.is_woken
        assert MuAPI("sk-live").wake(forged[-1])


@pytest.mark.parametrize("given", [None, 5, b"abc", Job("abc").to_json(), object()])
def test_what_is_no_hint_and_no_job_is_refused(twin: Twin, given: Any) -> None:
    with pytest.raises(MuAPIError, match=r"mu\.wake takes a Job or its id"):
        twin(DONE).mu.wake(given)


class Server(httpx.MockTransport):
    """One job that ends at the first look of all."""

    def __init__(self) -> None:
        super().__init__(
            lambda request: httpx.Response(200, json=ACCEPTED if request.method == "POST" else self.look())
        )
        self.looks = 0

    def look(self) -> Any:
        self.looks += 1
        return DONE


def go_blocking(way: str, server: Server) -> None:
    with MuAPI("sk-live", transport=server, polling=Polling(minimum=20, maximum=20)) as mu:
        if way == "run":
            assert mu.run(make_image(prompt="a fox")).done
        else:
            assert [outcome.error for outcome in mu.map([make_image(prompt="a fox")])] == [None]


async def go_awaiting(way: str, server: Server) -> None:
    async with AsyncMuAPI("sk-live", transport=server, polling=Polling(minimum=20, maximum=20)) as mu:
        if way == "run":
            assert (await mu.run(make_image(prompt="a fox"))).done
        else:
            assert [outcome.error async for outcome in mu.map([make_image(prompt="a fox")])] == [None]


WORLDS: dict[str, Callable[[str, Server], object]] = {
    "threads": go_blocking,
    "asyncio": lambda way, server: asyncio.run(go_awaiting(way, server)),
    "trio": lambda way, server: trio.run(go_awaiting, way, server),
}


@pytest.mark.parametrize("way", ["run", "map"])
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("kind", [MuAPI, AsyncMuAPI])
def test_another_thread_cuts_a_real_pause_short(world: str, way: str, kind: type) -> None:
    server, began = Server(), time.monotonic()

    def receive() -> None:  # as a web server's thread would, which has a client of its own
        while not waiters._waiters:
            time.sleep(0.001)
        time.sleep(0.02)  # by now it sleeps
        assert kind("sk-live").wake(hint_of("abc"))

    receiver = threading.Thread(target=receive, daemon=True)
    receiver.start()
    WORLDS[world](way, server)
    receiver.join(30)
    assert server.looks == 1
    assert time.monotonic() - began < 15


def test_a_task_of_the_same_event_loop_wakes() -> None:
    async def main() -> None:
        server = Server()
        async with AsyncMuAPI("sk-live", transport=server, polling=Polling(minimum=20, maximum=20)) as mu:
            run = asyncio.create_task(mu.run(make_image(prompt="a fox")))
            while not waiters._waiters:  # noqa: ASYNC110 - nothing tells that it sleeps
                await asyncio.sleep(0)
            assert mu.wake("abc")
            assert (await run).done

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 15


def test_a_wait_that_is_asleep_between_two_looks_wakes(monkeypatch: pytest.MonkeyPatch, twin: Twin) -> None:
    monkeypatch.setattr(waiting, "HINTS_APART", 0.01)
    answers, looked, began = iter([RUNNING, DONE]), threading.Event(), time.monotonic()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    mu: Any = twin.kind("sk-live", transport=transport, polling=Polling(minimum=20, maximum=20))

    def receive() -> None:
        looked.wait(30)
        time.sleep(0.02)
        assert MuAPI("sk-live").wake("abc")

    receiver = threading.Thread(target=receive, daemon=True)
    receiver.start()
    wait = mu.wait("abc", on_look=lambda _: looked.set())
    assert (asyncio.run(wait) if twin.awaits else wait).done
    receiver.join(30)
    assert time.monotonic() - began < 15
