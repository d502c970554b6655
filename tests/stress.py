"""The suite, again and again, while every core is kept busy: ``python tests/stress.py``.

A test that waits for time rather than for an event passes on an idle machine and fails here. Prints a line a round, and
at the end each test that failed with how often it did; exits with 1 if any did. Does not live here: what is tested.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

# It ends with its parent, however that ends: a loop that outlives a killed run would slow down everything after it.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))\n"
FAILED = ("failure", "error")


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def busy_cores(number: int) -> Iterator[None]:
    """Keep this many cores busy meanwhile."""
    loops = [subprocess.Popen((sys.executable, "-c", BUSY)) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_suite(paths: list[str], workers: str, report: Path) -> tuple[int, str]:
    """Run pytest once, with its report as JUnit's XML; returns its exit status and what it printed."""
    command = (sys.executable, "-m", "pytest", "-q", "-n", workers, f"--junitxml={report}", *paths)
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def failures_of(report: Path) -> list[str]:
    """The tests that failed, by the report."""
    cases = ET.parse(report).iter("testcase")
    return [f"{case.get('classname')}::{case.get('name')}" for case in cases if any(map(case.findall, FAILED))]


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", action="append", default=[], metavar="PATH", help="of tests; may be given again")
    parser.add_argument("--loops", type=int, default=os.cpu_count() or 1, help="that keep a core busy each")
    parser.add_argument("--workers", default="auto", help="of pytest-xdist")
    options = parser.parse_args()
    failed: Counter[str] = Counter()
    green = 0
    with busy_cores(options.loops), tempfile.TemporaryDirectory() as folder:
        for number in range(1, options.rounds + 1):
            report = Path(folder, f"{number}.xml")
            began = time.monotonic()
            status, printed = run_suite(options.only, options.workers, report)
            last = printed.strip().rpartition("\n")[2].strip("= ")
            say(f"round {number} of {options.rounds}: {last or 'nothing printed'}; {time.monotonic() - began:.0f} s")
            green += status == 0
            if status:
                say(printed[printed.find("= FAILURES =") :] if "= FAILURES =" in printed else printed)
                failed.update(failures_of(report) if report.exists() else ["(pytest itself)"])
    for name, times in failed.most_common():
        say(f"failed {times} of {options.rounds}: {name}")
    python = f"Python {sys.version.split()[0]}"
    say(f"{green} of {options.rounds} rounds green on {python} beside {options.loops} busy loops")
    return int(green < options.rounds)


if __name__ == "__main__":
    sys.exit(main())
