"""Whether this is a notebook's kernel, and what shows something in its cell.

Lives here: finding it. Does not live here: what is shown (``_html``, ``_client/map_display``).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from muapi_client._runtime.forks import forks

if TYPE_CHECKING:
    from collections.abc import Callable


def find_notebook_display() -> Callable[..., Any] | None:
    """IPython's ``display``, where this is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    if getattr(ipython and ipython.get_ipython(), "kernel", None) is None:
        return None
    with forks.kept_waiting:
        display: Callable[..., Any] = import_module("IPython.display").display
    return display
