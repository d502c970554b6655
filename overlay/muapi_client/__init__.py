"""A typed client of MuAPI: some 780 generative models behind submit-then-poll.

    from muapi_client import MuAPI
    from muapi_client.models import flux_dev_image

    with MuAPI() as mu:
        done = mu.run(flux_dev_image(prompt="a red fox in snow", width=1024))
        print(done.outputs[0].url, done.cost)

The public surface and nothing else; each name loads when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client._version import __version__

if TYPE_CHECKING:
    from muapi_client import catalog as catalog
    from muapi_client import errors as errors
    from muapi_client import models as models
    from muapi_client import webhooks as webhooks
    from muapi_client._async_client import AsyncMuAPI
    from muapi_client._client import MuAPI
    from muapi_client._cost import Cost, Spend
    from muapi_client._deltas import StreamEvent
    from muapi_client._entry import Entry
    from muapi_client._estimates import Estimate
    from muapi_client._journal import Journal
    from muapi_client._polling import Polling
    from muapi_client._predictions import AsyncJob, Job, Output, Prediction
    from muapi_client._raw import raw_call
    from muapi_client._retry import Retry
    from muapi_client._sandbox import SandboxVerdict
    from muapi_client._standing import SandboxWarning
    from muapi_client.errors import MuAPIError
    from muapi_generated.types import UNSET, Call
else:
    _HOME = {
        "AsyncJob": "muapi_client._predictions",
        "AsyncMuAPI": "muapi_client._async_client",
        "Call": "muapi_generated.types",
        "Cost": "muapi_client._cost",
        "Entry": "muapi_client._entry",
        "Estimate": "muapi_client._estimates",
        "Job": "muapi_client._predictions",
        "MuAPI": "muapi_client._client",
        "Journal": "muapi_client._journal",
        "MuAPIError": "muapi_client.errors",
        "Output": "muapi_client._predictions",
        "Polling": "muapi_client._polling",
        "Prediction": "muapi_client._predictions",
        "Retry": "muapi_client._retry",
        "SandboxVerdict": "muapi_client._sandbox",
        "SandboxWarning": "muapi_client._standing",
        "Spend": "muapi_client._cost",
        "StreamEvent": "muapi_client._deltas",
        "UNSET": "muapi_generated.types",
        "catalog": None,
        "errors": None,
        "models": None,
        "raw_call": "muapi_client._raw",
        "webhooks": None,
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOME[name]
        found = getattr(import_module(home), name) if home else import_module(f"{__name__}.{name}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "UNSET",
    "AsyncJob",
    "AsyncMuAPI",
    "Call",
    "Cost",
    "Entry",
    "Estimate",
    "Job",
    "Journal",
    "MuAPI",
    "MuAPIError",
    "Output",
    "Polling",
    "Prediction",
    "Retry",
    "SandboxVerdict",
    "SandboxWarning",
    "Spend",
    "StreamEvent",
    "__version__",
    "catalog",
    "errors",
    "models",
    "raw_call",
    "webhooks",
]
