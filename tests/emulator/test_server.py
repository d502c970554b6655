"""The emulator over HTTP: what any client on this machine may do to a served one."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import socket
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, STREAM, make_image, make_video

from muapi_client import MuAPI
from muapi_client._runtime.clock import SystemClock, VirtualClock
from muapi_client.emulator import Emulator, Fault, Faults, LogEntry
from muapi_client.emulator._http.reader import BODY_MAXIMUM
from muapi_client.emulator._http.served_clock import RunningClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muapi_client.emulator._http.server import Served

KEY = {"x-api-key": "sk-live"}
BALANCE = b"GET /api/v1/account/balance HTTP/1.1\r\nhost: localhost\r\nx-api-key: sk-live\r\n\r\n"


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(job_seconds=0, faults=Faults(seconds=0.05))


@pytest.fixture
def logged() -> list[Any]:
    return []


@pytest.fixture
def url(emulator: Emulator, logged: list[Any]) -> Iterator[Served]:
    with emulator.serve(log=logged.append) as served:
        yield served


@pytest.fixture
def line(url: Served) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", url.port), timeout=60) as connection:
        yield connection


def everything(line: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    told = b""
    while piece := line.recv(65536):
        told += piece
    return told


def answers(line: socket.socket, number: int) -> list[tuple[int, dict[str, str], bytes]]:
    """Some answers with a content-length, one after another on one connection."""
    stream, found = line.makefile("rb"), []
    for _ in range(number):
        status = int(stream.readline().split()[1])
        headers = {}
        while (field := stream.readline().strip()) != b"":
            name, _, value = field.decode().partition(": ")
            headers[name.lower()] = value
        found.append((status, headers, stream.read(int(headers.get("content-length", "0")))))
    return found


def test_it_is_a_url_that_a_client_takes(emulator: Emulator, url: Served) -> None:
    assert url.startswith("http://127.0.0.1:")
    assert url == f"http://127.0.0.1:{url.port}"
    with MuAPI("sk-live", url) as mu:
        done = mu.run(make_image(prompt="a fox"))
        assert done.done
        assert mu.spend.total_usd == emulator.charged_usd > 0


def test_a_copy_is_a_url_alone(url: Served) -> None:
    for each in (copy.copy(url), copy.deepcopy(url), pickle.loads(pickle.dumps(url))):
        assert (each, type(each)) == (str(url), str)


def test_time_runs_faster_than_the_wall_clock() -> None:
    emulator = Emulator(job_seconds=90)
    with emulator.serve(speed=9000) as url, MuAPI("sk-live", url) as mu:
        assert mu.run(make_video(prompt="waves")).done
    assert emulator.clock.now() > 90


def test_it_stops_when_it_is_closed(emulator: Emulator, listening_ports: Callable[[], set[int]]) -> None:
    with emulator.serve() as url:
        assert url.port in listening_ports()
        idle = socket.create_connection(("127.0.0.1", url.port), timeout=60)
        idle.sendall(BALANCE)
        assert answers(idle, 1)[0][0] == 200
    assert everything_or_reset(idle) == b""
    idle.close()
    assert url.port not in listening_ports()
    url.close()
    assert f"muapi emulator {url.port}" not in [thread.name for thread in threading.enumerate()]


def everything_or_reset(line: socket.socket) -> bytes:
    try:
        return everything(line)
    except ConnectionResetError:
        return b""


def test_two_servers_of_one_emulator(emulator: Emulator, url: Served) -> None:
    with emulator.serve() as other:
        for each in (url, other):
            httpx.post(f"{each}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers=KEY)
    assert emulator.accepted == 2


def test_a_port_that_is_taken_is_told(emulator: Emulator, url: Served) -> None:
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {url.port}: .*port 0 picks a free one"):
        emulator.serve(url.port)


def test_a_connection_is_kept(line: socket.socket) -> None:
    for _ in range(3):
        line.sendall(BALANCE)
        ((status, headers, body),) = answers(line, 1)
        assert (status, json.loads(body)["balance"]) == (200, 100.0)
        assert headers["x-account-balance"] == "100.0000"


def test_requests_sent_ahead_are_answered_in_order(emulator: Emulator, line: socket.socket) -> None:
    paths = ["account/balance", "nonsense", "keys", "account/balance"]
    line.sendall(b"".join(BALANCE.replace(b"account/balance", path.encode()) for path in paths))
    assert [status for status, *_ in answers(line, 4)] == [200, 404, 200, 200]
    assert [exchange.slug for exchange in emulator.requests] == paths


def test_requests_sent_ahead_wait_for_a_late_answer(emulator: Emulator, line: socket.socket) -> None:
    emulator.next_fault(Fault.DELAY)
    line.sendall(BALANCE * 2)
    assert [status for status, *_ in answers(line, 2)] == [200, 200]


def test_a_request_may_come_byte_by_byte(line: socket.socket) -> None:
    for byte in BALANCE:
        line.sendall(bytes([byte]))
    assert answers(line, 1)[0][0] == 200


def test_a_body_may_come_in_chunks(emulator: Emulator, url: Served) -> None:
    pieces = (piece for piece in (b'{"prompt"', b': "a fox"}'))
    headers = {**KEY, "content-type": "application/json"}
    assert httpx.post(f"{url}/api/v1/{IMAGE.slug}", content=pieces, headers=headers).status_code == 200
    assert emulator.requests[-1].json == {"prompt": "a fox"}


def test_a_client_that_waits_is_told_to_go_on(line: socket.socket) -> None:
    head = BALANCE.replace(b"GET /api/v1/account/balance", f"POST /api/v1/{IMAGE.slug}".encode())[:-2]
    line.sendall(head + b"content-type: application/json\r\ncontent-length: 15\r\nexpect: 100-continue\r\n\r\n")
    assert line.recv(100).startswith(b"HTTP/1.1 100 ")
    line.sendall(b'{"prompt": "x"}')
    assert answers(line, 1)[0][0] == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_before_it_has_come(
    emulator: Emulator, line: socket.socket, *, chunked: bool
) -> None:
    head = b"POST /api/v1/upload_file HTTP/1.1\r\nhost: localhost\r\n"
    if chunked:
        line.sendall(head + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % (2 * BODY_MAXIMUM))
        with pytest.raises(OSError, match=r"reset|pipe|aborted"):
            line.sendall(bytes(2 * BODY_MAXIMUM))
    else:
        line.sendall(head + b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % (BODY_MAXIMUM + 1))
        told = everything(line)
        assert told.startswith(b"HTTP/1.1 413 ")
        assert b"The body is too large" in told
    assert emulator.requests == ()


def test_head_is_answered_without_a_body(line: socket.socket) -> None:
    line.sendall(BALANCE.replace(b"GET", b"HEAD") + BALANCE)
    stream = line.makefile("rb")
    assert stream.readline().startswith(b"HTTP/1.1 ")
    while stream.readline().strip():
        pass
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"x" * 100_000])
def test_what_is_no_http_is_refused_and_hung_up_on(emulator: Emulator, line: socket.socket, nonsense: bytes) -> None:
    line.sendall(nonsense)
    told = everything(line)
    assert told.startswith(b"HTTP/1.1 4")
    assert b"no HTTP/1.1" in told
    assert emulator.requests == ()


def test_a_client_that_speaks_http_2_at_once_is_told_so(line: socket.socket) -> None:
    line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert b"the client speaks HTTP/2 without asking first (prior knowledge)" in everything(line)


def test_a_client_that_speaks_tls_is_told_so(url: Served, logged: list[Any]) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(url.replace("http:", "https:"))
    assert "the client speaks TLS" in logged[-1].refusal


@pytest.mark.parametrize(
    ("sent", "status", "named", "why"),
    [
        (b"\xff\r\n\r\n", 400, " ", "Invalid method"),
        (BALANCE + b"nonsense\r\n\r\n", 400, " ", "Invalid method"),
        (b"GET /api/v1/keys/sk-1?key=sk-2 HTTP/1.1\r\n\r\n", 400, "GET /api/v1/keys/sk-***", "0 Host headers"),
        (b"GET http://me:word@h/a HTTP/1.1\r\nhost: h\r\nx-api-key : sk-1\r\n\r\n", 400, "GET /a", "Invalid"),
        (b"PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % 10**9, 413, "PUT /a", "too large"),
        (b"GET /%s" % (b"a" * 400_000), 431, f"GET /{'a' * 999}", "its head passes 65536 bytes"),
    ],
)
def test_the_log_tells_what_is_refused_before_it_is_read_whole(
    line: socket.socket, logged: list[Any], *, sent: bytes, status: int, named: str, why: str
) -> None:
    for start in range(0, len(sent), 1000):
        line.sendall(sent[start : start + 1000])
    everything(line)
    told = logged[-1]
    assert (told.status, f"{told.method} {told.path}") == (status, named)
    assert why in told.refusal
    assert not {"sk-1", "sk-2", "word"} & set(re.findall(r"[\w-]+", repr(logged)))


def test_a_client_that_is_refused_while_it_sends_can_still_read_why(line: socket.socket) -> None:
    """What it goes on sending is read and dropped: closing on it would reset the connection, and the answer be lost."""
    line.sendall(b"GET / HTTP/9\r\n\r\n")
    line.sendall(b"x" * 500_000)
    assert b"no HTTP/1.1" in everything(line)


@pytest.mark.parametrize("wish", [b"connection: close\r\n", b""])
def test_a_connection_is_closed_on_wish(line: socket.socket, wish: bytes) -> None:
    version = b"HTTP/1.1" if wish else b"HTTP/1.0"
    line.sendall(BALANCE.replace(b"HTTP/1.1", version)[:-2] + wish + b"\r\n")
    told = everything(line)
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in told.lower()


@pytest.mark.parametrize("fault", [None, Fault.DELAY])
def test_the_half_that_a_client_closed_does_not_lose_its_answers(
    emulator: Emulator, line: socket.socket, fault: Fault | None
) -> None:
    emulator.next_fault(fault)
    line.sendall(BALANCE * 2)
    line.shutdown(socket.SHUT_WR)
    assert everything(line).count(b"HTTP/1.1 200 OK") == 2


def test_a_request_that_ends_in_its_middle_is_told(line: socket.socket) -> None:
    line.sendall(BALANCE + BALANCE[:-2])
    line.shutdown(socket.SHUT_WR)
    told = everything(line)
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert b"it ends in its middle" in told


def test_more_requests_sent_ahead_than_wait_here_are_all_answered(emulator: Emulator, line: socket.socket) -> None:
    emulator.next_fault(Fault.DELAY)
    for _ in range(10):
        line.sendall(BALANCE * 50)
    assert [status for status, *_ in answers(line, 500)] == [200] * 500


def test_a_client_that_sends_ahead_lets_others_have_their_turn(emulator: Emulator) -> None:
    """The other's request is sent while the first of many is being answered, so that it waits already."""
    order: list[str] = []

    def log(entry: Any) -> None:
        if not order:
            other.sendall(BALANCE.replace(b"account/balance", b"models"))
        order.append(entry.path)

    with (
        emulator.serve(log=log) as url,
        socket.create_connection(("127.0.0.1", url.port), timeout=60) as other,
        socket.create_connection(("127.0.0.1", url.port), timeout=60) as line,
    ):
        line.sendall(BALANCE * 300)
        assert [status for status, *_ in answers(line, 300)] == [200] * 300
        assert answers(other, 1)[0][0] == 200
    assert order.index("/api/v1/models") < 100


def test_a_client_that_reads_no_answer_is_answered_no_further(
    emulator: Emulator, url: Served, line: socket.socket
) -> None:
    """Each answer is some megabytes: more than a socket's buffers hold is written as it is read."""
    line.sendall(BALANCE.replace(b"/api/v1/account/balance", b"/openapi.json") * 100)
    line.shutdown(socket.SHUT_WR)
    assert httpx.get(f"{url}/api/v1/account/balance", headers=KEY).status_code == 200
    assert emulator.requests_seen < 50
    assert [status for status, *_ in answers(line, 100)] == [200] * 100
    assert emulator.requests_seen == 101
    assert line.recv(1) == b""


def test_the_emulator_is_shown_what_was_addressed(emulator: Emulator, url: Served, line: socket.socket) -> None:
    httpx.get(f"{url}/api/v1/history?limit=2&cursor=a%20b", headers=KEY)
    seen = emulator.requests[-1].request
    assert (seen.host, dict(seen.query)) == (f"127.0.0.1:{url.port}", {"limit": "2", "cursor": "a b"})
    assert seen.path == "/api/v1/history"
    line.sendall(BALANCE.replace(b"GET /", b"GET http://api.muapi.ai/"))
    assert answers(line, 1)[0][0] == 200
    assert emulator.requests[-1].request.host == "api.muapi.ai"


def test_a_stream_comes_in_chunks_and_the_connection_is_kept(emulator: Emulator, url: Served) -> None:
    asked: dict[str, Any] = {"url": f"{url}/api/v1/{STREAM.slug}", "json": {"prompt": "hello"}, "headers": KEY}
    with httpx.Client() as client:
        with client.stream("POST", **asked) as whole:
            assert whole.headers["transfer-encoding"] == "chunked"
            assert whole.headers["content-type"].startswith("text/event-stream")
            assert "".join(whole.iter_text()).endswith("data: [DONE]\n\n")
        emulator.next_fault(Fault.SLOW_BODY, Fault.CUT_BODY)
        assert client.post(**asked).text.endswith("data: [DONE]\n\n")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            client.post(**asked)
        assert client.get(f"{url}/api/v1/account/balance", headers=KEY).status_code == 200
    assert emulator.accepted == 3


def test_the_log_tells_each_request_and_no_key(emulator: Emulator, url: Served, logged: list[Any]) -> None:
    emulator.next_fault(None, Fault.HTML)
    with httpx.Client(headers=KEY) as client:
        accepted = client.post(f"{url}/api/v1/{IMAGE.slug}?webhook=", json={"prompt": "x"}).json()
        client.get(f"{url}/api/v1/account/balance")
        client.delete(f"{url}/api/v1/keys/sk-live-1234")
    submit, balance, deleted = logged
    assert isinstance(submit, LogEntry)
    assert (submit.method, submit.path, submit.status) == ("POST", f"/api/v1/{IMAGE.slug}", 200)
    assert (submit.cost_usd, submit.request_id) == ("0.015000", accepted["request_id"])
    assert submit.seconds > 0
    assert (balance.status, balance.fault) == (502, Fault.HTML)
    assert deleted.path == "/api/v1/keys/sk-***"
    assert "sk-live" not in repr(logged)


def test_a_fault_of_the_test_itself_is_an_answer(caplog: pytest.LogCaptureFixture, logged: list[Any]) -> None:
    def outcomes(_slug: str, _body: Any) -> None:
        raise ZeroDivisionError("a bug in a test's script")

    with Emulator(outcomes=outcomes).serve(log=logged.append) as url:
        told = httpx.post(f"{url}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers=KEY)
    assert told.status_code == 500
    assert "ZeroDivisionError: a bug in a test's script" in told.json()["detail"]
    assert "ZeroDivisionError" in caplog.text
    assert [(entry.path, entry.status) for entry in logged] == [(f"/api/v1/{IMAGE.slug}", 500)]


def test_many_connections_lose_no_cent() -> None:
    emulator = Emulator()
    with emulator.serve() as url:

        def work() -> None:
            connection = HTTPConnection("127.0.0.1", url.port, timeout=60)
            for _ in range(25):
                body = json.dumps({"prompt": "x"})
                connection.request("POST", f"/api/v1/{IMAGE.slug}", body, {**KEY, "content-type": "application/json"})
                assert json.load(connection.getresponse())["status"] == "queued"
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert emulator.accepted == len(emulator.requests) == 200
    assert emulator.balance + emulator.charged_usd == 100


def test_a_clock_goes_on_from_where_it_was_put(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1000.0]
    monkeypatch.setattr("muapi_client.emulator._http.served_clock.monotonic", lambda: wall[0])
    clock = VirtualClock(5.0)
    now = RunningClock(clock, 60).now
    assert now() == 5.0
    wall[0] += 0.5
    assert now() == 35.0
    clock.sleep(100)
    wall[0] += 1
    assert now() == clock.now() == 195.0


def test_a_clock_of_its_own_goes_by_itself() -> None:
    emulator = Emulator(clock=SystemClock())
    with pytest.raises(ValueError, match="goes by itself"):
        emulator.serve(speed=2)
    with emulator.serve() as url:
        assert httpx.get(f"{url}/api/v1/account/balance", headers=KEY).status_code == 200


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="60 lets a minute pass in a second"):
        Emulator().serve(speed=speed)


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="the system has no IPv6")  # noqa: PTH110
def test_another_address_is_listened_on() -> None:
    with Emulator().serve(host="::1") as url:
        assert url == f"http://[::1]:{url.port}"
        assert httpx.get(f"{url}/api/v1/account/balance", headers=KEY).status_code == 200
