"""Webhooks: told of a job's end by the rules, in process on the virtual clock and for real when served."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import AsyncMuAPI, MuAPI, webhooks
from muapi_client.emulator import Delivery, Emulator, LogEntry, Outcome
from muapi_client.emulator._http.webhook_sender import is_own_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOOK = "https://shop.example/hooks/secret"
FOX = {"prompt": "a red fox in snow"}
BASE = "https://api.muapi.ai/api/v1/"
CALL = make_image(prompt="a fox")


def submit(emulator: Emulator, body: dict[str, Any] | None = None, *, key: str = "sk-live", hook: str = "") -> str:
    query = {"webhook": hook} if hook else {}
    with httpx.Client(transport=emulator.transport(), headers={"x-api-key": key}) as client:
        answer = client.post(f"{BASE}{IMAGE.slug}", params=query, json={**FOX, **(body or {})})
    assert answer.status_code == 200
    return str(answer.json()["request_id"])


@pytest.mark.parametrize("client", [MuAPI, AsyncMuAPI])
def test_the_end_of_a_job_is_told_once(client: type) -> None:
    emulator = Emulator()
    mu = client("sk-live", transport=emulator.transport(), webhook=HOOK)
    done: Any = mu.run(CALL)
    done = asyncio.run(done) if asyncio.iscoroutine(done) else done
    (told,) = emulator.webhooks
    assert (told.url, told.id, told.attempt, told.arrived) == (HOOK, done.id, 1, True)
    assert told.payload["status"] == "completed"
    assert told.payload["outputs"] == [output.url for output in done.outputs]
    assert "cost" not in told.payload


def test_nothing_is_told_before_the_end() -> None:
    emulator = Emulator()
    submit(emulator, hook=HOOK)
    assert emulator.webhooks == ()
    emulator.clock.sleep(3600)
    (told,) = emulator.webhooks
    assert 0 < told.at < 3600


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.failed("out of memory"), "failed"),
        (Outcome.cancelled(), "cancelled"),
        (Outcome.moderated(), "moderated"),
        (Outcome.completed(inline=True), "completed"),
    ],
)
def test_every_end_is_told(outcome: Outcome, status: str) -> None:
    emulator = Emulator(outcomes=[outcome])
    submit(emulator, hook=HOOK)
    emulator.clock.sleep(3600)
    assert [told.payload["status"] for told in emulator.webhooks] == [status]


def test_a_job_that_never_ends_is_never_told() -> None:
    emulator = Emulator(outcomes=[Outcome.completed(seconds=float("inf"))])
    submit(emulator, hook=HOOK)
    emulator.clock.sleep(10**9)
    assert emulator.webhooks == ()


def test_the_url_may_stand_in_the_query_or_in_the_body() -> None:
    emulator = Emulator(job_seconds=0)
    submit(emulator, hook="https://query.example/")
    submit(emulator, {"webhook_url": "https://body.example/"})
    submit(emulator, {"webhook_url": "https://body.example/"}, hook="https://query.example/")
    submit(emulator)
    submit(emulator, {"webhook_url": None})
    urls = [told.url for told in emulator.webhooks]
    assert urls == ["https://query.example/", "https://body.example/", "https://query.example/"]


def test_a_test_keys_job_has_no_side_effects() -> None:
    emulator = Emulator(job_seconds=0)
    submit(emulator, key="sk-test", hook=HOOK)
    emulator.clock.sleep(3600)
    assert emulator.webhooks == ()


def test_duplicates_on_request() -> None:
    emulator = Emulator(job_seconds=0, webhook_duplicates=2)
    job = submit(emulator, hook=HOOK)
    assert [told.id for told in emulator.webhooks] == [job] * 3


@given(st.lists(st.sampled_from([200, 204, 302, 404, 500, None]), min_size=3, max_size=3))
def test_up_to_three_tries_further_and_further_apart(statuses: list[int | None]) -> None:
    left = list(statuses)

    def receiver(_delivery: Delivery) -> int:
        status = left.pop(0)
        if status is None:
            raise ConnectionRefusedError("nobody is there")
        return status

    emulator = Emulator(job_seconds=10, deliver=receiver)
    submit(emulator, hook=HOOK)
    emulator.clock.sleep(3600)
    tries = emulator.webhooks
    arrived = next((place for place, status in enumerate(statuses) if status in {200, 204}), 2)
    assert [told.status for told in tries] == statuses[: arrived + 1]
    assert [told.at for told in tries] == [10, 12, 16][: arrived + 1]
    assert [told.attempt for told in tries] == [1, 2, 3][: arrived + 1]
    assert all((told.error is None) == (told.status is not None) for told in tries)
    emulator.clock.sleep(3600)
    assert emulator.webhooks == tries


def test_each_try_is_made_when_its_time_has_come() -> None:
    seen: list[Delivery] = []

    def receiver(delivery: Delivery) -> int:
        seen.append(delivery)
        return 503

    emulator = Emulator(job_seconds=10, deliver=receiver)
    submit(emulator, hook=HOOK)
    for seconds, tries in ((9, 0), (1, 1), (1, 1), (1, 2), (3, 2), (1, 3), (100, 3)):
        emulator.clock.sleep(seconds)
        assert len(emulator.webhooks) == len(seen) == tries


def test_a_result_that_is_no_json_takes_no_other_webhook_with_it() -> None:
    emulator = Emulator(job_seconds=10)
    told = [submit(emulator, hook=HOOK)]
    emulator.next(Outcome.completed([object()]))
    submit(emulator, hook=HOOK)
    told.append(submit(emulator, hook=HOOK))
    emulator.clock.sleep(10)
    with pytest.raises(TypeError, match="JSON"):
        _ = emulator.webhooks
    assert [tried.id for tried in emulator.webhooks] == told


def test_a_reset_forgets_a_webhook_that_is_being_delivered() -> None:
    def receiver(_delivery: Delivery) -> int:
        emulator.reset()
        return 503

    emulator = Emulator(job_seconds=10, deliver=receiver)
    submit(emulator, hook=HOOK)
    submit(emulator, hook=HOOK)
    emulator.clock.sleep(3600)
    assert emulator.webhooks == ()
    emulator.clock.sleep(3600)
    assert emulator.webhooks == ()


def test_a_reset_forgets_a_webhook_that_is_posted_and_its_further_tries(told: Any) -> None:
    arrived, answer_now = threading.Event(), threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.set()
            answer_now.wait(60)
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    log, next_told = told
    hook = f"http://127.0.0.1:{server.server_port}/"
    emulator = Emulator(job_seconds=0)
    with emulator.serve(speed=1000, log=log) as url, httpx.Client(base_url=url, headers={"x-api-key": "sk-live"}) as to:
        to.post(f"/api/v1/{IMAGE.slug}", params={"webhook": hook}, json=FOX)
        assert arrived.wait(60)
        to.post("/emulator/reset")
        answer_now.set()
        assert next_told().status == 503  # the log tells what was done in truth
        to.post("/emulator/clock", json={"advance": 3600})
        to.post(f"/api/v1/{IMAGE.slug}", params={"webhook": "https://shop.example/"}, json=FOX)
        assert "this machine only" in str(next_told().error)  # what came after the reset is the next that is told
        assert [tried.url for tried in emulator.webhooks] == ["https://shop.example/"]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_hook_that_looks_at_its_job_sees_the_end() -> None:
    """The recipe of muapi_client.webhooks: the hint is read, then the result fetched with the key."""
    believed: list[Any] = []

    def hook(delivery: Delivery) -> int:
        hint = webhooks.receive(json.dumps(delivery.payload).encode())
        believed.append(mu.look(hint.id))
        return 200

    emulator = Emulator(deliver=hook)
    mu = MuAPI("sk-live", transport=emulator.transport(), webhook=HOOK)
    done = mu.run(CALL)
    assert [each.id for each in believed] == [done.id]
    assert believed[0].done


def test_what_a_receiver_raises_is_not_hidden() -> None:
    def receiver(_delivery: Delivery) -> int:
        raise AssertionError("the test's own opinion")

    emulator = Emulator(job_seconds=0, deliver=receiver)
    with pytest.raises(AssertionError, match="own opinion"):
        submit(emulator, hook=HOOK)
    (told,) = emulator.webhooks
    assert told.error == "the callable that delivers failed: AssertionError: the test's own opinion"


class Receiver:
    """A hook on this machine; answers what it is told to, then 200."""

    def __init__(self) -> None:
        self.arrived: Queue[tuple[str, dict[str, str], bytes]] = Queue()
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.arrived.put((self.path, dict(self.headers.items()), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def told() -> Iterator[tuple[Callable[[Any], None], Callable[[], Delivery]]]:
    """A log for a server, and the next webhook it tells of."""
    deliveries: Queue[Delivery] = Queue()

    def log(entry: LogEntry | Delivery) -> None:
        if isinstance(entry, Delivery):
            deliveries.put(entry)

    yield log, lambda: deliveries.get(timeout=60)
    assert deliveries.empty()


def test_a_served_emulator_posts(receiver: Receiver, told: Any) -> None:
    log, next_told = told
    emulator = Emulator()
    with emulator.serve(speed=600, log=log) as url, MuAPI("sk-live", url, webhook=receiver.url) as mu:
        job = mu.submit(CALL)
        path, headers, body = receiver.arrived.get(timeout=60)
        hint = webhooks.receive(body, headers)
        assert (path, hint.id) == ("/hooks/secret", job.id)
        assert "sk-live" not in repr(headers)
        prediction = mu.look(hint.id)
        assert [output.url for output in hint.claim.outputs] == [output.url for output in prediction.outputs]
        assert httpx.get(str(hint.claim.outputs[0].url)).content.startswith(b"\x89PNG")
        tried = next_told()
    assert emulator.webhooks == (tried,)
    assert (tried.status, tried.url) == (200, receiver.url)


def test_a_served_emulator_posts_again(receiver: Receiver, told: Any) -> None:
    log, next_told = told
    receiver.answers = [500, 302]
    emulator = Emulator(job_seconds=0)
    with emulator.serve(speed=1000, log=log) as url, MuAPI("sk-live", url, webhook=receiver.url) as mu:
        mu.submit(CALL)
        assert [next_told().status for _ in range(3)] == [500, 302, 200]
        assert receiver.arrived.qsize() == 3


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ("https://shop.example/hooks/secret", "posts webhooks to this machine only"),
        ("http://127.0.0.1:1/nobody", "ConnectError"),
    ],
)
def test_a_webhook_that_does_not_arrive_is_told(told: Any, hook: str, why: str) -> None:
    log, next_told = told
    emulator = Emulator(job_seconds=0)
    with emulator.serve(speed=1000, log=log) as url, MuAPI("sk-live", url, webhook=hook) as mu:
        mu.submit(CALL)
        tries = [next_told() for _ in range(1 if "shop" in hook else 3)]
    assert all(tried.status is None and why in str(tried.error) for tried in tries)


def test_a_receiver_in_process_goes_before_posting(receiver: Receiver) -> None:
    given: Queue[Delivery] = Queue()
    emulator = Emulator(job_seconds=0, deliver=given.put)
    with emulator.serve() as url, MuAPI("sk-live", url, webhook=receiver.url) as mu:
        mu.submit(CALL)
        assert given.get(timeout=60).url == receiver.url
    assert receiver.arrived.empty()


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://127.8.8.8/", True),
        ("http://[::1]:5/", True),
        ("https://localhost/x", True),
        ("http://app.localhost:3/", True),
        ("http://127.0.0.1@evil.example/", False),
        ("http://localhost.evil.example/", False),
        ("http://10.0.0.1/", False),
        ("http://[::ffff:10.0.0.1]/", False),
        ("http://[broken", False),
        ("nonsense", False),
    ],
)
def test_what_this_machine_is(url: str, *, ours: bool) -> None:
    assert is_own_url(url) is ours
