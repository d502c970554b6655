"""The list of peers' defects names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent / "faults"
NAMED = re.findall(r"`([\w./]+\.py)(?:::(\w+))?`", (HERE / "README.md").read_text())


def test_every_named_test_exists() -> None:
    assert len(NAMED) > 15
    for file, test in NAMED:
        assert f"def {test}" in (HERE / file).read_text(), (file, test)
