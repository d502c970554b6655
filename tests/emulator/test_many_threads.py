"""Many threads on one emulator at once: nothing is lost, every charge counts once, and a reset is all or nothing."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from by_kind import IMAGE

from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from muapi_client.emulator._http.server import Served

THREADS = 32
EACH = 5  # jobs of a thread


class Accepted(NamedTuple):
    """A job as its submit told of it."""

    id: str
    usd: Decimal


class Client:
    """One connection of one thread, until the end of its ``with`` block."""

    def __init__(self, url: Served, key: str = "sk-live") -> None:
        self.line = HTTPConnection("127.0.0.1", url.port, timeout=60)
        self.headers = {"x-api-key": key, "content-type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        self.line.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self.line.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers

    def submit(self) -> tuple[int, Accepted | None]:
        status, body, headers = self.ask("POST", f"/api/v1/{IMAGE.slug}?webhook=http://127.0.0.1:9/", {"prompt": "x"})
        return status, Accepted(body["request_id"], Decimal(headers["x-muapi-cost-usd"])) if status == 200 else None

    def look(self, job: Accepted) -> int:
        return self.ask("GET", f"/api/v1/predictions/{job.id}/result")[0]


def test_what_many_threads_submit_to_two_servers_of_one_emulator_is_all_there_and_charged_once() -> None:
    emulator = Emulator(job_seconds=0, failure_rate=0.2, refund_rate=0.5)

    def work(url: Served) -> list[Accepted]:
        jobs = []
        with Client(url) as client:
            for _ in range(EACH):
                status, job = client.submit()
                assert status == 200
                assert job is not None
                assert client.look(job) in {200, 400}
                jobs.append(job)
        return jobs

    with emulator.serve() as one, emulator.serve() as other, ThreadPoolExecutor(THREADS) as threads:
        accepted = [job for jobs in threads.map(work, [one, other] * (THREADS // 2)) for job in jobs]
    known = {job["id"]: job for job in emulator.jobs()}
    assert len(accepted) == len(known) == emulator.accepted == THREADS * EACH
    assert {job.id for job in accepted} == set(known)
    kept = [job.usd for job in accepted if not known[job.id]["refunded"]]
    assert 0 < len(kept) < len(accepted)
    assert emulator.charged_usd == sum(kept)
    assert emulator.balance + emulator.charged_usd == 100
    assert emulator.requests_seen == 2 * THREADS * EACH


def submit_once(url: Served, key: str) -> int:
    with Client(url, key) as client:
        return client.submit()[0]


def test_two_emulators_of_one_process_share_nothing() -> None:
    one, other = Emulator(seed=1), Emulator(live_keys=["sk-other"], seed=1)
    with one.serve() as url, other.serve(speed=1) as other_url:
        asked = [(url, "sk-live"), (url, "sk-other"), (other_url, "sk-other"), (other_url, "sk-live")]
        assert [submit_once(at, key) for at, key in asked] == [200, 403, 200, 403]
    assert (one.accepted, other.accepted) == (1, 1)


def test_a_reset_under_load_leaves_nothing_of_what_was_before() -> None:
    emulator = Emulator(job_seconds=0)
    stop = threading.Event()

    def load(url: Served) -> int:
        done = 0
        with Client(url) as client:
            while not stop.is_set():
                status, job = client.submit()
                assert status == 200
                assert job is not None
                assert client.look(job) in {200, 404}  # a reset may have come between
                done += 1
        return done

    with emulator.serve() as url, ThreadPoolExecutor(8) as threads:
        loads = [threads.submit(load, url) for _ in range(8)]
        try:
            with Client(url) as steering:
                for number in range(30):
                    if number % 2:
                        emulator.reset()
                        continue
                    status, state, _ = steering.ask("POST", "/emulator/reset")
                    assert (status, state["accepted"], Decimal(state["charged_usd"]), state["jobs"]) == (200, 0, 0, [])
        finally:
            stop.set()
        assert all(each.result() for each in loads)
        jobs = emulator.jobs()
        assert emulator.accepted == len(jobs)
        assert emulator.charged_usd == sum(Decimal(job["cost_usd"]) for job in jobs)
        assert {told.id for told in emulator.webhooks} <= {job["id"] for job in jobs}
        emulator.reset()
        assert (emulator.accepted, emulator.charged_usd, emulator.jobs(), emulator.requests) == (0, 0, (), ())
        assert emulator.webhooks == ()
