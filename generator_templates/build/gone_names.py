"""Gone names: models that hand-written texts name, and that the package about to be replaced is the last to have.

A text that names one stops nothing: its examples are wrong until somebody names another model of the kind, and says so
once, when the package changes.

Lives here: finding the names, in the two packages' catalogues and in the texts. Does not live here: names that code
needs, without which it would not start (``overlay_usage``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_WORD = re.compile(r"\w[\w./-]*")


def note_gone_names(texts: Iterable[Path], old: Path, fresh: Path) -> Iterator[str]:
    """Say which texts name a model that is gone, and one of its group that is left.

    Args:
        texts: Files that people read.
        old: The package in place; where there is none, nothing is gone.
        fresh: The one that is to replace it.
    """
    before, after = _read_models(old), _read_models(fresh)
    gone = {name: group for name, group in before.items() if name not in after}
    left = {group: name for name, group in reversed(after.items())}
    for text in texts if gone else ():
        found = _WORD.findall(text.read_text("utf-8", errors="replace"))
        words = {word.rstrip("./-").removeprefix("api/v1/") for word in found}
        for name in sorted(words & gone.keys()):
            other = f", such as {left[gone[name]]}" if gone[name] in left else ""
            yield f"{text.name} names {name}, which is gone from the document: name another model there{other}."


def _read_models(package: Path) -> dict[str, str]:
    """Return the group of each model, by slug and by function."""
    catalogue = package / "catalog.json"
    if not catalogue.is_file():
        return {}
    models = json.loads(catalogue.read_text(encoding="utf-8"))["models"]
    return {name: one["group"] for one in models for name in (one["slug"], one["function"])}
