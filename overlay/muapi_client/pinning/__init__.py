"""Pinning: fetch MuAPI's OpenAPI document, keep it in one form under a lock, and check that they agree.

Lives here: everything between an address and ``spec/``. Does not live here: rendering the pin into Python
(``generator_templates``), correcting it (``spec/corrections.yaml``). Each name loads when it is asked for: who
only reads the pin does not pay for the network's half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muapi_client.pinning._diff.changes import Change, Diff, Impact
    from muapi_client.pinning._diff.documents import diff
    from muapi_client.pinning._document.errors import PinError
    from muapi_client.pinning._document.lock import Lock
    from muapi_client.pinning._document.pin import Pin, pinned
    from muapi_client.pinning._document.source import Limits
    from muapi_client.pinning._document.verify import verify
    from muapi_client.pinning._locks.drift import Drift, DriftVerdict, drift
    from muapi_client.pinning._locks.fetch import Fetched, fetch
    from muapi_client.pinning._locks.user_lock import LockComparison, Rendering, UserLock, compare_lock, make_lock
    from muapi_client.pinning._usage.usage import Usage, Use, find_usage
else:
    _HOME = {
        "Change": "_diff.changes",
        "Diff": "_diff.changes",
        "Drift": "_locks.drift",
        "DriftVerdict": "_locks.drift",
        "Fetched": "_locks.fetch",
        "Impact": "_diff.changes",
        "Limits": "_document.source",
        "Lock": "_document.lock",
        "LockComparison": "_locks.user_lock",
        "Pin": "_document.pin",
        "PinError": "_document.errors",
        "Rendering": "_locks.user_lock",
        "Usage": "_usage.usage",
        "Use": "_usage.usage",
        "UserLock": "_locks.user_lock",
        "compare_lock": "_locks.user_lock",
        "diff": "_diff.documents",
        "drift": "_locks.drift",
        "fetch": "_locks.fetch",
        "find_usage": "_usage.usage",
        "make_lock": "_locks.user_lock",
        "pinned": "_document.pin",
        "verify": "_document.verify",
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module  # noqa: PLC0415 - importing nothing until asked is its purpose

        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Change",
    "Diff",
    "Drift",
    "DriftVerdict",
    "Fetched",
    "Impact",
    "Limits",
    "Lock",
    "LockComparison",
    "Pin",
    "PinError",
    "Rendering",
    "Usage",
    "Use",
    "UserLock",
    "compare_lock",
    "diff",
    "drift",
    "fetch",
    "find_usage",
    "make_lock",
    "pinned",
    "verify",
]
