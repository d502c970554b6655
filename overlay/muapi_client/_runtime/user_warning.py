"""Warning a user at the line of his that a warning is about, however deep in this package it is noticed.

Lives here: finding that line. Does not live here: what is warned of (the callers).
"""

from __future__ import annotations

import inspect
import warnings


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn as if from the first frame outside this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("muapi_client."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)
