"""Run the tests and compare what fails with ``broken.toml`` beside this file: ``nox -s newest [-- pytest arguments]``.

A test that fails and is not listed is new, and fails the session. So does a listed one that passes, or is no more: the
list is what the newest versions break, and nothing else.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("broken.toml")


class Outcomes:
    """What pytest reports, by a test's id, or a file's where it cannot be read."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def compare(outcomes: Outcomes, known: dict[str, str], *, whole: bool) -> list[str]:
    """Return what the list does not have right, a line each.

    Args:
        outcomes: What was reported.
        known: The list: why, by a test's id.
        whole: Whether every test was run, so that a listed one that was not is no more.
    """
    passed = outcomes.passed - outcomes.failed
    lines = [f"fails, and is not listed: {test}" for test in sorted(outcomes.failed - known.keys())]
    lines += [f"passes, and is listed: {test}" for test in sorted(passed & known.keys())]
    gone = known.keys() - outcomes.failed - passed
    return lines + [f"is listed, and was not run: {test}" for test in sorted(gone) if whole]


def main(words: list[str]) -> int:
    outcomes = Outcomes()
    code = pytest.main(["-n", "auto", "--continue-on-collection-errors", *words], plugins=[outcomes])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return int(code)
    known = tomllib.loads(LIST.read_text(encoding="utf-8"))["broken"]
    wrong = compare(outcomes, known, whole=not words)
    sys.stdout.write("\n".join([*wrong, f"{LIST.name}: {len(known)} listed, {len(wrong)} wrong\n"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
