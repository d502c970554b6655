"""Taking the time of programs and functions."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from pathlib import Path

RUNS = 7


def of_programs(*programs: str) -> list[float]:
    """Median seconds of Python programs in fresh interpreters, taken in turn, less an empty interpreter's.

    Compiled, all of them alike: the first round is not counted, see :func:`compiling`.
    """
    sources = ("pass", *programs)
    taken: list[list[float]] = [[] for _ in sources]
    with compiling() as environment:
        for run in range(RUNS + 1):
            for times, source in zip(taken, sources, strict=True):
                seconds = once([sys.executable, "-c", source], environment)
                if run:
                    times.append(seconds)
    empty, *others = map(median, taken)
    return [seconds - empty for seconds in others]


@contextmanager
def compiling() -> Iterator[dict[str, str]]:
    """An environment in which what a program compiles is kept until the end of this measurement.

    Its first run is slow, as after an installation, and the later ones are not, also where the environment of this
    process keeps Python from writing any bytecode (``PYTHONDONTWRITEBYTECODE``).
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(prefix="muapi-bench-") as compiled:
        yield {**environment, "PYTHONPYCACHEPREFIX": compiled}


def of_commands(commands: Sequence[Sequence[str]], runs: int = 1) -> list[float]:
    """Median seconds of commands, taken in turn."""
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(runs):
        for times, command in zip(taken, commands, strict=True):
            times.append(once(command))
    return [median(times) for times in taken]


def of_functions(*functions: Callable[[], object], repeat: int) -> list[float]:
    """Median seconds of one call each, out of seven times ``repeat``; in turn, since a machine's speed changes."""
    taken: list[list[float]] = [[] for _ in functions]
    for _ in range(RUNS * repeat):
        for times, function in zip(taken, functions, strict=True):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return [median(times) for times in taken]


def once(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    passing: Container[int] = (0,),
) -> float:
    """Seconds of a command, run in a folder.

    Raises:
        SystemExit: Its exit code is not among those that are passing; with what it wrote.
    """
    start = time.perf_counter()
    told = subprocess.run(command, check=False, capture_output=True, env=environment, cwd=folder)
    seconds = time.perf_counter() - start
    if told.returncode not in passing:
        raise SystemExit(f"{command} exited with {told.returncode}: {(told.stdout + told.stderr).decode()}")
    return seconds
