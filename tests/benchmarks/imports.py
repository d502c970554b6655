"""What importing loads and costs at the least; what it costs beside others is in the table."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import timing

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = "import sys; before = set(sys.modules); {source}; print(len(set(sys.modules) - before))"


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """The floor, and a count."""
    httpx, attrs = timing.of_programs("import httpx", "import attrs")
    yield "import attrs / import httpx (the floor of ours)", attrs / httpx, None, "x"
    source = "import muapi_generated.api.text_to_image.flux_dev_image"
    told = subprocess.run([sys.executable, "-c", MODULES.format(source=source)], capture_output=True, check=True)
    yield "modules loaded by importing one endpoint module", float(told.stdout), 100, ""
