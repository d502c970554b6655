"""The ten lines of the README, as a program on a bad network that is killed twice: no call is lost or paid twice.

``MUAPI_PROMPTS`` says how many calls: 60 in the suite, 500 in ``nox -s ten_lines``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from by_kind import OTHER_IMAGE

from muapi_client import Journal
from muapi_client.emulator import Emulator, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parents[2] / "README.md"
COUNT = int(os.environ.get("MUAPI_PROMPTS", "60"))
PATIENCE = 300.0  # seconds for a program to get somewhere


@pytest.fixture
def emulator() -> Emulator:
    """A MuAPI of which every fifth request meets a fault."""
    return Emulator(faults=Faults.chaos(0.2, seed=11), job_seconds=5)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The README's block on many calls, with more prompts."""
    block = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)[1]
    block, replaced = re.subn(
        r"^prompts = .*$", f'prompts = [f"fox {{n}}" for n in range({COUNT})]', block, flags=re.MULTILINE
    )
    assert replaced == 1
    path = tmp_path / "animals.py"
    path.write_text(block.replace("flux_dev_image", OTHER_IMAGE.function), encoding="utf-8")
    return path


@pytest.fixture
def url(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as served:
        yield str(served)


def start(program: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-u", program.name),
        cwd=program.parent,
        env={**os.environ, "MUAPI_BASE_URL": url, "MUAPI_API_KEY": "sk-live"},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_at(process: subprocess.Popen[str], emulator: Emulator, accepted: int) -> None:
    """Kill a program once so many jobs were accepted."""
    ends = time.monotonic() + PATIENCE
    while emulator.accepted < accepted and process.poll() is None:
        assert time.monotonic() < ends, "the program stands still"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def read_outcomes(process: subprocess.Popen[str]) -> dict[str, str]:
    """What a program told of each key, once it has ended."""
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    pairs = [line.split(" ", 1) for line in told.splitlines()]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def test_after_two_kills_on_a_bad_network_every_call_is_finished_failed_or_in_doubt(
    program: Path, url: str, emulator: Emulator
) -> None:
    for share in (1 / 3, 2 / 3):
        kill_at(start(program, url), emulator, int(COUNT * share))
    outcomes = read_outcomes(start(program, url))

    assert set(outcomes) == {str(place) for place in range(COUNT)}
    with closing(Journal(program.parent / "jobs.db")) as journal:
        states = {entry.run_key: entry.state for entry in journal.entries(run="animals")}
    finished = {key for key, told in outcomes.items() if told.startswith("[")}
    doubtful = {key for key in outcomes if states.get(key) in ("unknown", "intent")}
    assert {states[key] for key in finished} == {"completed"}
    assert all("may have been accepted and charged" in outcomes[key] for key in doubtful)
    accepted = emulator.accepted
    assert accepted <= COUNT, "none was submitted twice"
    saved = {path.name.partition("-")[0] for path in (program.parent / "out").iterdir()}
    assert finished <= saved, "and one more may be there whose download failed this time"

    program.write_text(
        program.read_text("utf-8").replace('run="animals"', 'run="animals", retry_unknown=True'), "utf-8"
    )
    again = read_outcomes(start(program, url))
    assert [key for key, told in again.items() if not told.startswith("[")] == []
    assert len(again) == COUNT
    assert emulator.accepted >= COUNT
