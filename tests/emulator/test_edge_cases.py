"""What goes wrong around a served emulator: callables that raise, URLs nobody can read, forks, other machines."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
from queue import Queue
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_image

from muapi_client import MuAPI
from muapi_client.emulator import Delivery, Emulator, LogEntry
from muapi_client.emulator._http.request_log import BODIES, Exchange, RequestLog
from muapi_client.emulator._messages.messages import Request

if TYPE_CHECKING:
    from collections.abc import Callable


KEY = {"x-api-key": "sk-live"}
CALL = make_image(prompt="a fox")
NOBODY = "http://127.0.0.1:1/nobody"
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def submit(url: str, hook: str = "", **how: Any) -> httpx.Response:
    query = {"webhook": hook} if hook else {}
    how.setdefault("headers", KEY)
    return httpx.post(f"{url}/api/v1/{IMAGE.slug}", params=query, json={"prompt": "x"}, **how)


def webhooks_only(*told: Callable[[Any], object]) -> Callable[[Any], None]:
    """A log that tells each of ``told`` of every try to deliver a webhook."""

    def log(entry: LogEntry | Delivery) -> None:
        for each in told if isinstance(entry, Delivery) else ():
            each(entry)

    return log


def deliveries(queue: Queue[Delivery], number: int) -> list[Delivery]:
    return [queue.get(timeout=60) for _ in range(number)]


# ---- Webhooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ("http://127.0.0.1:99999/", "OverflowError"),
        ("http://127.0.0.1:80:80/", "InvalidURL"),
        ("http://xn--\x80.localhost/", "InvalidURL"),
        ("http://[", "not posted"),
        ("ftp://localhost/", "UnsupportedProtocol"),
    ],
)
def test_a_url_that_nobody_can_post_to_hurts_that_webhook_alone(hook: str, why: str) -> None:
    told: Queue[Delivery] = Queue()
    emulator = Emulator(job_seconds=0)
    with emulator.serve(speed=10_000, log=webhooks_only(told.put)) as url:
        submit(url, hook)
        (first,) = deliveries(told, 1)
        submit(url, NOBODY)
        while (later := deliveries(told, 1)[0]).url == hook:
            pass
    assert (first.url, first.status) == (hook, None)
    assert first.error
    assert why in first.error
    assert later.url == NOBODY


def test_a_log_that_fails_at_webhooks_is_told_and_stops_none(caplog: pytest.LogCaptureFixture) -> None:
    seen: Queue[Delivery] = Queue()
    log = webhooks_only(seen.put, lambda _entry: 1 / 0)

    emulator = Emulator(job_seconds=0)
    with emulator.serve(speed=10_000, log=log) as url:
        for _ in range(2):
            submit(url, NOBODY)
        deliveries(seen, 6)
    assert len(emulator.webhooks) == 6
    assert "ZeroDivisionError" in caplog.text


def test_a_log_that_fails_does_not_cost_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    def log(_entry: LogEntry | Delivery) -> None:
        raise RuntimeError("the log's own fault")

    emulator = Emulator()
    with emulator.serve(log=log) as url, MuAPI("sk-live", url) as mu:
        assert mu.submit(CALL)
        assert mu.spend.total_usd == emulator.charged_usd > 0
    assert emulator.accepted == 1
    assert "the log's own fault" in caplog.text


def test_a_callable_that_delivers_may_ask_the_emulator_that_calls_it() -> None:
    """It runs beside the server's loop, not in it."""
    answered: Queue[Any] = Queue()

    def deliver(delivery: Delivery) -> int:
        path = f"{at[0]}/api/v1/predictions/{delivery.id}/result"
        answered.put(httpx.get(path, headers=KEY, timeout=60).json()["status"])
        return 204

    at: list[str] = []
    emulator = Emulator(job_seconds=0, deliver=deliver)
    with emulator.serve() as url:
        at.append(url)
        submit(url, "https://shop.example/hook")
        assert answered.get(timeout=60) == "completed"
    assert [(told.status, told.error) for told in emulator.webhooks] == [(204, None)]


def test_a_callable_that_delivers_and_fails_is_told_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    called: Queue[str] = Queue()

    def deliver(delivery: Delivery) -> int:
        called.put(delivery.url)
        if delivery.attempt == 1:
            raise AssertionError("the test's own opinion")
        return 200

    emulator = Emulator(job_seconds=0, deliver=deliver)
    with emulator.serve(speed=10_000) as url:
        submit(url, NOBODY)
        assert [called.get(timeout=60) for _ in range(2)] == [NOBODY] * 2
        submit(url, NOBODY)
        assert [called.get(timeout=60) for _ in range(2)] == [NOBODY] * 2
    assert [told.status for told in emulator.webhooks] == [None, 200] * 2
    assert "the test's own opinion" in caplog.text


def test_other_machines_cannot_have_this_one_post_to_itself() -> None:
    told: Queue[Delivery] = Queue()
    emulator = Emulator(job_seconds=0)
    with emulator.serve(host="0.0.0.0", speed=10_000, log=webhooks_only(told.put)) as url:
        submit(url, NOBODY)
        (tried,) = deliveries(told, 1)
    assert tried.status is None
    assert "lets other machines in" in str(tried.error)
    assert "webhooks='anywhere'" in str(tried.error)


# ---- Time ------------------------------------------------------------------------------------------------------------


def test_two_servers_let_time_pass_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1000.0]
    monkeypatch.setattr("muapi_client.emulator._http.served_clock.monotonic", lambda: wall[0])
    emulator = Emulator()

    def ask(url: str) -> None:
        assert httpx.get(f"{url}/api/v1/account/balance", headers=KEY).status_code == 200

    with emulator.serve() as one, emulator.serve() as two:
        wall[0] += 1
        ask(one)
        ask(two)
        assert emulator.clock.now() == 60
        with pytest.raises(ValueError, match="speed=60"):
            emulator.serve(speed=1)
        with pytest.raises(OSError, match="cannot listen"):
            emulator.serve(one.port)
    wall[0] += 100
    with emulator.serve(speed=2) as url:
        wall[0] += 1
        ask(url)
    assert emulator.clock.now() == 62


# ---- Other machines --------------------------------------------------------------------------------------------------


def test_what_listens_everywhere_is_reached_here() -> None:
    with Emulator(job_seconds=0).serve(host="0.0.0.0") as url:
        assert url == f"http://127.0.0.1:{url.port}"
        with MuAPI("sk-live", url) as mu:
            assert mu.run(CALL).done


@pytest.mark.parametrize("host", ["emulator:8000", "EMULATOR", "10.0.0.7:80", "[fe80::1]:80"])
def test_a_client_is_given_addresses_where_it_reaches_the_emulator(host: str) -> None:
    with Emulator().serve(allowed_hosts=["emulator"]) as url:
        (output,) = submit(url, headers={"x-api-key": "sk-test", "host": host}).json()["outputs"]
        assert output.startswith(f"http://{host}/d3adwkbyhxyrtq.cloudfront.net/")
        path = output.removeprefix(f"http://{host}")
        assert httpx.get(f"{url}{path}", headers={"host": host}).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("host", ["api.muapi.ai", "api.muapi.ai:443", "API.muapi.ai", ""])
def test_a_real_host_or_none_stands_for_the_real_ones(host: str) -> None:
    with Emulator().serve() as url:
        (output,) = submit(url, headers={"x-api-key": "sk-test", "host": host}).json()["outputs"]
    assert output.startswith("https://d3adwkbyhxyrtq.cloudfront.net/")


def test_in_process_the_real_hosts_are_at_hand_whatever_the_base() -> None:
    with httpx.Client(transport=Emulator().transport()) as client:
        answer = client.post(
            f"https://muapi.test/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers={"x-api-key": "sk-test"}
        )
        (output,) = answer.json()["outputs"]
        assert output.startswith("https://d3adwkbyhxyrtq.cloudfront.net/")
        assert client.get(output).status_code == 200


# ---- Forks -----------------------------------------------------------------------------------------------------------


FORKED = f"""
    import os, signal, threading
    from muapi_client import MuAPI
    from muapi_client._runtime import forks
    from muapi_client.emulator import Emulator
    from muapi_client.models import {IMAGE.function}

    forks.PATIENCE = 0.2  # seconds: the thread waits for the one that forks
    held, go_on = threading.Event(), threading.Event()

    def slow(_kind):
        held.set()
        go_on.wait(60)
        return 1.0

    emulator = Emulator(job_seconds=slow)
    transport = emulator.transport()
    submit = lambda: MuAPI("sk-live", transport=transport).submit({IMAGE.function}(prompt="x"))
    thread = threading.Thread(target=submit)
    thread.start()
    held.wait(60)
    process = os.fork()
    if process == 0:
        signal.alarm(60)
        go_on.set()
        submit()
        os._exit(0)
    print(os.waitpid(process, 0)[1], end=" ")
    go_on.set()
    thread.join()
    print(emulator.accepted)
"""


@POSIX
def test_a_child_forked_in_the_middle_of_a_request_can_go_on() -> None:
    told = subprocess.run([sys.executable, "-c", dedent(FORKED)], capture_output=True, text=True, check=True)
    assert told.stdout == "0 1\n"


LISTENING = """
    url = Emulator().serve()
    inherited = url.port in listening_ports()
    process = os.fork()
    if process == 0:
        print("child", inherited, url.port in listening_ports(), flush=True)
        os._exit(0)
    os.waitpid(process, 0)
    url.close()
    print("parent", url.port in listening_ports())
"""


@POSIX
def test_a_forked_child_does_not_keep_the_port(listening_ports: Callable[[], set[int]]) -> None:
    imports = "import os, socket\nfrom muapi_client.emulator import Emulator"
    script = "\n".join((imports, inspect.getsource(listening_ports), dedent(LISTENING)))
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["child", "True", "False", "parent", "False"]


# ---- What is remembered, and what is told of it ----------------------------------------------------------------------


def test_no_key_in_what_a_failing_assertion_shows() -> None:
    emulator = Emulator(live_keys=("sk-secret",))
    with httpx.Client(transport=emulator.transport()) as client:
        client.get("https://api.muapi.ai/api/v1/account/balance", headers={"X-API-Key": "sk-secret"})
        client.get("https://api.muapi.ai/api/v1/account/balance", headers={"authorization": "Bearer sk-secret"})
    assert "sk-secret" not in repr(emulator.requests)
    assert "'x-api-key': '***'" in repr(emulator.requests)
    assert emulator.requests[0].request.headers["x-api-key"] == "sk-secret"
    assert pickle.loads(pickle.dumps(emulator.requests)) == emulator.requests


def test_bodies_are_kept_up_to_a_limit_and_the_newest_always() -> None:
    seen = RequestLog()
    size = BODIES // 3
    for number in range(5):
        seen.add(Exchange(Request("POST", f"/api/v1/{number}", body=b'"' + b"x" * (size - 2) + b'"'), 200))
    assert [each.slug for each in seen.all()] == ["0", "1", "2", "3", "4"]
    assert [len(each.request.body) for each in seen.all()] == [0, 0, size, size, size]
    assert [each.whole for each in seen.all()] == [False, False, True, True, True]
    assert len(seen.all()[-1].json) == size - 2
    with pytest.raises(ValueError, match="no longer kept"):
        _ = seen.all()[0].json
    seen.add(Exchange(Request("GET", "/api/v1/models"), 200))
    seen.add(Exchange(Request("POST", "/api/v1/large", body=bytes(2 * BODIES)), 200))
    assert sum(len(each.request.body) for each in seen.all()) == 2 * BODIES
    assert [each.whole for each in seen.all()] == [False] * 5 + [True] * 2
    assert seen.all()[5].json is None


def test_the_oldest_exchanges_go_first() -> None:
    seen = RequestLog(limit=3)
    for number in range(5):
        seen.add(Exchange(Request("POST", f"/api/v1/{number}", body=bytes(BODIES // 2)), 200))
    assert [each.slug for each in seen.all()] == ["2", "3", "4"]


def test_a_saved_state_tells_no_webhook() -> None:
    emulator = Emulator(job_seconds=0)
    hook = "https://shop.example/?token=SECRET"
    with httpx.Client(transport=emulator.transport(), headers=KEY) as client:
        url = f"https://api.muapi.ai/api/v1/{IMAGE.slug}"
        assert client.post(url, json={"prompt": "x", "webhook_url": hook}).status_code == 200
        assert client.post(url, json={"prompt": "x"}, params={"webhook": hook}).status_code == 200
    assert len(emulator.webhooks) == 2
    assert "SECRET" not in emulator.save()
    assert Emulator.load(emulator.save()).accepted == 2


# ---- Money -----------------------------------------------------------------------------------------------------------


def _raising(_kind: str) -> float:
    raise KeyError("no such kind")


@pytest.mark.parametrize(
    ("job_seconds", "taught"),
    [
        (_raising, "no such kind"),
        (lambda _kind: None, "job_seconds gave None for a job of kind 'image'"),
        (lambda _kind: "soon", "job_seconds gave 'soon'"),
        (lambda _kind: -1.0, "job_seconds gave -1.0"),
        (lambda _kind: float("nan"), "job_seconds gave nan"),
    ],
)
@pytest.mark.parametrize("serial", [False, True])
def test_a_job_whose_time_cannot_be_told_is_neither_accepted_nor_charged(
    job_seconds: Any, taught: str, *, serial: bool
) -> None:
    emulator = Emulator(job_seconds=job_seconds, serial=serial)
    client = httpx.Client(transport=emulator.transport(), headers=KEY)
    with client, pytest.raises((ValueError, KeyError), match=taught):
        client.post(f"https://api.muapi.ai/api/v1/{IMAGE.slug}", json={"prompt": "x"})
    assert (emulator.accepted, emulator.charged_usd, emulator.balance) == (0, 0, 100)


@pytest.mark.parametrize("job_seconds", [-1, float("nan"), {"image": None}, {"video": -2}])
def test_a_time_that_is_none_is_refused_at_the_start(job_seconds: Any) -> None:
    with pytest.raises(ValueError, match="a job takes seconds, such as 30"):
        Emulator(job_seconds=job_seconds)
