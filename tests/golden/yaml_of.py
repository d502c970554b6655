"""Documents of tests, read by a reader of the tests' own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> Any:
    """A document as it is written."""
    return json.loads(path.read_text()) if path.suffix == ".json" else YAML(typ="safe").load(path)
