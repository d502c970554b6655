"""The loggers as a program finds them: silent, unless it asks for more, by ``logging`` or by ``MUAPI_LOG``."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from muapi_client._runtime import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import logging, httpx
from muapi_client import MuAPI, raw_call, errors
steps = iter([(429, {}), (200, {"request_id": "abc", "status": "processing"}), (500, {}), (422, {"detail": "no"})])
def answer(_):
    status, body = next(steps)
    return httpx.Response(status, json=body, headers={"retry-after": "0"})
with MuAPI("sk-live-0123456789abcdef", transport=httpx.MockTransport(answer)) as mu:
    mu.submit(raw_call("x", {"prompt": "a fox"}))
    for _ in range(2):
        try:
            mu.submit(raw_call("x", {"prompt": "a fox"}))
        except errors.MuAPIError:
            pass
print(logging.getLogger().handlers, logging.getLogger().level)
"""


def run(program: str, word: str | None = None, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MUAPI_LOG"}
    if word is not None:
        environment["MUAPI_LOG"] = word
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120)


@pytest.fixture
def package() -> Iterator[logging.Logger]:
    logger = logging.getLogger("muapi_client")
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_nothing_is_printed_unless_it_is_asked_for() -> None:
    assert run(PROGRAM).stderr == ""


def test_the_environment_has_records_printed_and_leaves_the_root_alone() -> None:
    ended = run(PROGRAM, "debug")
    assert ended.stdout == "[] 30\n"
    lines = ended.stderr.splitlines()
    assert any("DEBUG muapi_client.jobs: POST /api/v1/x was accepted as job abc" in line for line in lines)
    assert any("INFO muapi_client.http: POST /api/v1/x: HTTP 429" in line for line in lines)
    assert sum("WARNING muapi_client.jobs" in line for line in lines) == 2
    assert len(lines) == len(set(lines))
    assert "a fox" not in ended.stderr
    assert "sk-live" not in ended.stderr


@pytest.mark.parametrize(("word", "levels"), [("INFO", {"INFO", "WARNING"}), (" Warning ", {"WARNING"})])
def test_a_word_names_the_lowest_level(word: str, levels: set[str]) -> None:
    assert {line.split()[2] for line in run(PROGRAM, word).stderr.splitlines()} == levels


def test_a_wrong_word_is_told_and_ends_nothing() -> None:
    lines = run(PROGRAM, "verbose", "-W", "error").stderr.splitlines()
    assert "MUAPI_LOG='verbose' is none of debug, info, warning: it counts as warning" in lines[0]
    assert len(lines) == 3


def test_a_reload_adds_no_second_handler(monkeypatch: pytest.MonkeyPatch, package: logging.Logger) -> None:
    monkeypatch.setenv("MUAPI_LOG", "info")
    before = len(package.handlers)
    for _ in range(3):
        logs.read_environment()
    assert len(package.handlers) == before + 1
    renewed = importlib.util.module_from_spec(importlib.util.find_spec("muapi_client._runtime.logs"))  # type: ignore[arg-type]
    assert renewed.__spec__ is not None
    assert renewed.__spec__.loader is not None
    renewed.__spec__.loader.exec_module(renewed)
    assert len(package.handlers) == before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_prints_each_record_once() -> None:
    program = (
        PROGRAM.replace("print(", "#") + "\nimport os\nfrom muapi_client._runtime import logs\n"
        "pid = os.fork()\nif pid == 0:\n    logs.read_environment()\n"
        "    logs.log(logs.JOBS, logs.WARNING, 'of the child')\n    os._exit(0)\nos.waitpid(pid, 0)\n"
    )
    assert run(program, "warning").stderr.count("of the child") == 1


def test_importing_the_package_loads_no_opentelemetry() -> None:
    ended = run(PROGRAM + "\nimport sys\nprint([name for name in sys.modules if 'opentelemetry' in name])")
    assert ended.stdout.splitlines()[-1] == "[]"


def test_standard_error_that_is_closed_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, package: logging.Logger, tmp_path: object
) -> None:
    with open(os.devnull, "w") as closed:  # noqa: PTH123 - nothing is written
        pass
    monkeypatch.setattr(sys, "stderr", closed)

    def fail(_: logging.LogRecord) -> bool:
        raise ValueError("no")

    package.setLevel(logging.DEBUG)
    logs.JOBS.addFilter(fail)
    try:
        logs.log(logs.JOBS, logs.WARNING, "lost")
    finally:
        logs.JOBS.removeFilter(fail)
