"""The page of recipes is run, each program more than once, since that is what it promises."""

from __future__ import annotations

import re
import signal
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

import muapi_client
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[1] / "docs/recipes.md").read_text("utf-8")
CHAIN, CRON, SERVICE, REPORT = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """An emulator that takes the place of the network for a client made without arguments."""
    emulator = Emulator()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    for name in ("MuAPI", "AsyncMuAPI"):
        offline = partial(getattr(muapi_client, name), transport=emulator.transport())
        monkeypatch.setattr(muapi_client, name, offline)
    return emulator


@pytest.fixture
def run(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """``run(program)``: what it prints, sorted."""

    def run_one(program: str) -> list[str]:
        exec(compile(program, "recipes.md", "exec"), {"__name__": "__main__"})
        return sorted(capsys.readouterr().out.splitlines())

    return run_one


def test_each_picture_becomes_one_video_however_often_it_is_started(
    run: Callable[..., list[str]], emulator: Emulator
) -> None:
    told = ["fox fox-0.mp4", "owl owl-0.mp4", "wolf wolf-0.mp4"]
    assert run(CHAIN) == run(CHAIN) == told
    assert emulator.accepted == 6


def test_a_picture_that_failed_has_no_video_and_the_others_keep_theirs(
    run: Callable[..., list[str]], emulator: Emulator
) -> None:
    emulator.next(Outcome.failed("out of luck"))
    first = run(CHAIN)
    assert len(first) == 3
    assert sum("has no picture: job" in line for line in first) == 1
    assert run(CHAIN) == first
    assert emulator.accepted == 5


def test_an_order_is_told_once_and_paid_once(run: Callable[..., list[str]], emulator: Emulator) -> None:
    emulator.next(Outcome.failed("out of luck"))
    first = run(CRON)
    assert len(first) == 2
    assert sum("out of luck" in line for line in first) == 1
    assert run(CRON) == [], "what failed, too, was told before"
    assert emulator.accepted == 2


def test_a_service_gives_ids_out_and_says_what_may_have_been_paid_for(emulator: Emulator) -> None:
    emulator.next(Outcome(seconds=0))
    names: dict[str, Any] = {}
    exec(compile(SERVICE, "recipes.md", "exec"), names)
    with TestClient(names["app"]) as browser:
        request_id = browser.post("/pictures", params={"prompt": "a fox"}).json()["id"]
        found = browser.get(f"/pictures/{request_id}").json()
        assert (found["status"], len(found["urls"])) == ("completed", 1)
        assert browser.get("/pictures/nope").status_code == 404
        emulator.next_fault(None, Fault.RESET_AFTER_ACCEPT)  # the price is asked for first
        assert browser.post("/pictures", params={"prompt": "a fox"}).status_code == 502
    assert emulator.accepted == 2


def test_today_is_a_day_of_ones_own(run: Callable[..., list[str]]) -> None:
    run(CRON)
    assert [line.rsplit(" ", 1)[0] for line in run(REPORT)] == ["no tag 2"]


def test_a_copy_by_sqlite_has_every_job_and_the_file_alone_may_not(
    run: Callable[..., list[str]], tmp_path: Path
) -> None:
    run(CRON)
    with muapi_client.MuAPI(journal="jobs.db") as mu:
        mu.submit(muapi_client.raw_call("flux-dev-image", {"prompt": "an owl"}))
        (tmp_path / "alone.db").write_bytes((tmp_path / "jobs.db").read_bytes())
        with closing(sqlite3.connect("jobs.db")) as journal, closing(sqlite3.connect("copy.db")) as copy:
            journal.backup(copy)
    counts = {}
    for name in ("alone.db", "copy.db"):
        with muapi_client.MuAPI(journal=name) as mu:
            counts[name] = len(list(mu.jobs()))
    assert counts == {"alone.db": 2, "copy.db": 3}


def test_a_handler_that_exits_has_submits_seen_to_their_end(emulator: Emulator) -> None:
    (line,) = re.findall(r"`(signal\.signal\(signal\.SIGTERM, .*?143\)\))`", PAGE)
    calls = [muapi_client.raw_call("flux-dev-image", {"prompt": f"fox {number}"}) for number in range(200)]

    def stop(progress: muapi_client.Progress) -> None:
        if progress.submitted > 5:
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    exec(line, {"signal": signal, "sys": sys})
    try:
        with muapi_client.MuAPI(journal="jobs.db") as mu, pytest.raises(SystemExit, match="143"):
            list(mu.map(calls, run="foxes", on_progress=stop))
    finally:
        signal.signal(signal.SIGTERM, before)
    with muapi_client.MuAPI(journal="jobs.db") as mu:
        known = [entry.request_id for entry in mu.jobs()]
        assert mu.unknown() == []
    assert len(known) == emulator.accepted < 200
    assert None not in known
