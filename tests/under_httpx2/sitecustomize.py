"""Put on ``PYTHONPATH``, this lets every Python that starts take httpx2 for httpx: the session ``httpx2`` does so.

Not before somebody imports httpx: what a program loads, and when, is tested there as well.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class Alias(MetaPathFinder):
    """Calls ``alias_httpx`` for the first import of httpx or httpcore, and finds what that finds."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in ("httpx", "httpcore"):
            return None
        sys.meta_path.remove(self)
        import httpx2

        httpx2.alias_httpx()
        return next(filter(None, (finder.find_spec(fullname, path, target) for finder in sys.meta_path)))


sys.meta_path.insert(0, Alias())
