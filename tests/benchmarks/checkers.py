"""Type checking the generated package, beside the stock generator's for the same document."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import rendering
import timing

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Ratios of time, cold."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        subprocess.run(rendering.stock(rendering.DOCUMENT, folder / "stock"), check=True, capture_output=True)
        ours, stock = str(rendering.ROOT / "generated/muapi_generated"), str(folder / "stock")
        mypy = [str(BIN / "mypy"), "--strict", "--cache-dir", "/dev/null", "--config-file", "/dev/null"]
        mine, theirs = (_seconds([*mypy, package]) for package in (ours, stock))
        yield "mypy strict, cold, over generated / over stock", mine / theirs, 0.4, "x"
        mine, theirs = (_seconds([str(BIN / "pyright"), package]) for package in (ours, stock))
        yield "pyright over generated / over stock", mine / theirs, 0.3, "x"


def _seconds(command: list[str]) -> float:
    """Seconds of a checker; stock has errors, so the exit code is not looked at here (``nox -s types`` does)."""
    (seconds,) = timing.of_commands([["sh", "-c", f"{' '.join(command)} || true"]])
    return seconds
