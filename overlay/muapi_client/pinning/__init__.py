"""Pinning: fetch MuAPI's OpenAPI document, keep it in one form under a lock, and check that they agree.

Lives here: everything between an address and ``spec/``. Does not live here: rendering the pin into Python
(``generator_templates``), correcting it (``spec/corrections.yaml``). Each name loads when it is asked for: who
only reads the pin does not pay for the network's half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muapi_client.pinning._comparison import Change, Diff, Usage, diff, used_in
    from muapi_client.pinning._drift import Drift, drift
    from muapi_client.pinning._errors import PinError
    from muapi_client.pinning._fetch import Fetched, fetch
    from muapi_client.pinning._lock import Lock
    from muapi_client.pinning._pin import Pin, pinned
    from muapi_client.pinning._source import Limits
    from muapi_client.pinning._user_lock import Standing, UserLock, locked, standing
    from muapi_client.pinning._verify import verify
else:
    _HOME = {
        "Change": "_comparison._changes",
        "Diff": "_comparison._changes",
        "Drift": "_drift",
        "Fetched": "_fetch",
        "Limits": "_source",
        "Lock": "_lock",
        "Pin": "_pin",
        "PinError": "_errors",
        "Standing": "_user_lock",
        "Usage": "_comparison._usage",
        "UserLock": "_user_lock",
        "diff": "_comparison._document",
        "drift": "_drift",
        "fetch": "_fetch",
        "locked": "_user_lock",
        "pinned": "_pin",
        "standing": "_user_lock",
        "used_in": "_comparison._usage",
        "verify": "_verify",
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
    "Fetched",
    "Limits",
    "Lock",
    "Pin",
    "PinError",
    "Standing",
    "Usage",
    "UserLock",
    "diff",
    "drift",
    "fetch",
    "locked",
    "pinned",
    "standing",
    "used_in",
    "verify",
]
