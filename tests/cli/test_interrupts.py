"""Many jobs at Ctrl-C: what the JSON says of each, and of money, beside what the emulator accepted in truth."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE

from muapi_client.cli._record import Record
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to another process")
PROGRAM = (sys.executable, "-m", "muapi_client.cli")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foxes.csv").write_text("prompt\n" + "".join(f"fox {n}\n" for n in range(6)))
    return tmp_path


@contextmanager
def serving(emulator: Emulator) -> Iterator[dict[str, str]]:
    """The environment of a program that talks to an emulator over HTTP."""
    with emulator.serve() as served:
        yield {**os.environ, "MUAPI_API_KEY": "sk-live", "MUAPI_BASE_URL": str(served)}


def interrupt(environment: dict[str, str], *words: str, once: Callable[[], bool]) -> tuple[dict[str, Any], list[Any]]:
    """Press Ctrl-C once something is so; answers the JSON, and the lines of standard error."""
    with subprocess.Popen(
        (*PROGRAM, *words, "--output=json"),
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        while not once():
            assert running.poll() is None
            threading.Event().wait(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    return json.loads(out), [json.loads(line) for line in err.splitlines()]


def ids(told: dict[str, Any], state: str) -> set[str]:
    return {row["request_id"] for row in told["rows"] if row["state"] == state}


def sum_of_states(told: dict[str, Any]) -> int:
    states = ("finished", "failed", "doubtful", "not_begun", "running", "not_saved", "refused", "not_sent")
    return sum(int(told[state]) for state in states)


def test_a_job_that_lives_on_never_passes_for_one_that_was_not_begun() -> None:
    emulator = Emulator(live_keys=("sk-live",), job_seconds=math.inf)
    words = ("batch", "foxes.csv", IMAGE.slug)
    with serving(emulator) as environment:
        told, said = interrupt(environment, *words, "--concurrency", "3", once=lambda: emulator.accepted == 3)
        assert ids(told, "running") == {job["id"] for job in emulator.jobs()}
        assert (told["running"], told["not_begun"], sum_of_states(told)) == (3, 3, told["jobs"])
        assert (told["charged_usd"], told["charged_before_usd"]) == (float(emulator.charged_usd), 0.0)
        assert said[-1]["charged_usd"] == float(emulator.charged_usd)
        assert all(row["charged_usd"] == 0.015 and not row["in_doubt"] for row in told["rows"])

        looked = len(emulator.requests)  # again, and only the first row is reached
        again, said = interrupt(environment, *words, "--concurrency", "1", once=lambda: len(emulator.requests) > looked)
    assert ids(again, "running") == {job["id"] for job in emulator.jobs()}
    assert (again["running"], again["not_begun"], emulator.accepted) == (3, 3, 3)
    assert (again["charged_usd"], again["charged_before_usd"]) == (0.0, float(emulator.charged_usd))
    assert said[-1]["charged_usd"] == 0.0


def test_without_a_journal_the_json_alone_knows_what_lives_on() -> None:
    emulator = Emulator(live_keys=("sk-live",), job_seconds=math.inf)
    words = ("run", IMAGE.slug, "prompt=x", "-n", "5", "--no-journal")
    with serving(emulator) as environment:
        told, _ = interrupt(environment, *words, once=lambda: emulator.accepted == 5)
    assert ids(told, "running") == {job["id"] for job in emulator.jobs()}
    assert (told["running"], told["not_begun"], told["charged_usd"]) == (5, 0, float(emulator.charged_usd))


def test_jobs_of_an_earlier_run_that_are_not_reached_are_told_and_those_of_other_rows_are_not(here: Path) -> None:
    emulator = Emulator(live_keys=("sk-live",), job_seconds=math.inf)
    words = ("batch", "rows.csv", IMAGE.slug, "--key", "name")
    with serving(emulator) as environment:
        (here / "rows.csv").write_text("name,prompt\nb,owl\nc,fox\nd,elk\n")
        interrupt(environment, *words, once=lambda: emulator.accepted == 3)
        (here / "rows.csv").write_text("name,prompt\na,asp\nb,owl\nc,another\nd,elk\ne,emu\n")
        done = subprocess.run(
            (*PROGRAM, *words, "--concurrency=1", "--max-spend=0.01", "--output=json"),
            env=environment, text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    told = json.loads(done.stdout)
    assert {row["key"]: row["state"] for row in told["rows"]} == {"a": "not_sent", "b": "running", "d": "running"}
    assert (told["not_sent"], told["running"], told["not_begun"], sum_of_states(told)) == (1, 2, 2, 5)
    assert (told["charged_usd"], told["charged_before_usd"], done.returncode) == (0.0, 0.03, 7)


class Silent(httpx.BaseTransport):
    """Takes submits and answers none; of the second one Ctrl-C is pressed, and once more when that has been heard.

    Args:
        tells_when_sent: Whether it says of none that it has left, as of one that is just about to.
    """

    def __init__(self, *, tells_when_sent: bool = False) -> None:
        self.tells_when_sent = tells_when_sent
        self.over = threading.Event()
        self._came = 0
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self._came += 1
            is_second = self._came == 2
        if is_second:
            handler = signal.getsignal(signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            while signal.getsignal(signal.SIGINT) is handler:
                threading.Event().wait(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        self.over.wait()
        raise httpx.ReadError("nobody answers", request=request)


@pytest.mark.parametrize("is_about_to_leave", [False, True])
@pytest.mark.parametrize("place", ["--journal=jobs.db", "--no-journal"])
def test_what_nobody_knows_of_is_in_doubt_and_never_passes_for_what_was_not_begun(
    call: Callable[..., Any], place: str, is_about_to_leave: bool
) -> None:
    silent = Silent(tells_when_sent=is_about_to_leave)
    try:
        said = call("run", IMAGE.slug, "prompt=x", "num_images=2", "-n", "2", place, "--output=json", transport=silent)
    finally:
        silent.over.set()
    told = said.json
    assert said.code == 130
    assert (told["doubtful"], told["not_begun"], told["charged_usd"]) == (2, 0, 0.0)
    assert told["in_doubt_usd"] == 4 * float(IMAGE.price.cost_usd)
    assert [(row["state"], row["in_doubt"], row["request_id"]) for row in told["rows"]] == [
        ("doubtful", True, None),
        ("doubtful", True, None),
    ]
    assert said.events[-1]["in_doubt"]


def test_one_more_ctrl_c_while_it_is_gathered_takes_no_job_out_of_what_is_told(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def complete(record: Record, work: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        completing(record, work)

    completing = Record.complete
    silent = Silent()
    monkeypatch.setattr(Record, "complete", complete)
    try:
        said = call("run", IMAGE.slug, "prompt=x", "-n", "2", "--output=json", transport=silent)
    finally:
        silent.over.set()
    assert said.code == 130
    assert (said.json["doubtful"], said.events[-1]["in_doubt"]) == (2, True)
