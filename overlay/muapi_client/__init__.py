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

from muapi_client._runtime import logs  # noqa: F401 - has MUAPI_LOG heard, and nothing printed otherwise
from muapi_client._runtime.forks import held
from muapi_client._version import __version__

if TYPE_CHECKING:
    from muapi_client import catalog as catalog
    from muapi_client import errors as errors
    from muapi_client import models as models
    from muapi_client import webhooks as webhooks
    from muapi_client._client.async_client import AsyncMuAPI
    from muapi_client._client.client import MuAPI
    from muapi_client._settings.polling import Polling
    from muapi_client._settings.retry import Retry
    from muapi_client._spec.raw_call import raw_call
    from muapi_client._state.journal.postgres import PostgresJournal
    from muapi_client._state.journal.sqlite import Journal
    from muapi_client._state.ledger import Spend
    from muapi_client._types.budget import Budget
    from muapi_client._types.cost import Cost, SpendWarning
    from muapi_client._types.entry import Entry
    from muapi_client._types.estimate import Estimate
    from muapi_client._types.job import AsyncJob, Job
    from muapi_client._types.job_event import JobEvent
    from muapi_client._types.outcome import Outcome, Outcomes, Progress
    from muapi_client._types.prediction import AsyncOutput, AsyncPrediction, Output, Prediction
    from muapi_client._types.reconciliation import Reconciliation
    from muapi_client._types.sandbox import SandboxVerdict, SandboxWarning
    from muapi_client._types.status import JobState
    from muapi_client._types.stream_event import StreamEvent
    from muapi_client.errors import MuAPIError
    from muapi_generated.types import UNSET, Call
else:
    _HOME = {
        "AsyncJob": "muapi_client._types.job",
        "AsyncMuAPI": "muapi_client._client.async_client",
        "AsyncOutput": "muapi_client._types.prediction",
        "AsyncPrediction": "muapi_client._types.prediction",
        "Budget": "muapi_client._types.budget",
        "Call": "muapi_generated.types",
        "Cost": "muapi_client._types.cost",
        "Entry": "muapi_client._types.entry",
        "Estimate": "muapi_client._types.estimate",
        "Job": "muapi_client._types.job",
        "JobEvent": "muapi_client._types.job_event",
        "JobState": "muapi_client._types.status",
        "MuAPI": "muapi_client._client.client",
        "Journal": "muapi_client._state.journal.sqlite",
        "MuAPIError": "muapi_client.errors",
        "Outcome": "muapi_client._types.outcome",
        "Outcomes": "muapi_client._types.outcome",
        "Output": "muapi_client._types.prediction",
        "Polling": "muapi_client._settings.polling",
        "PostgresJournal": "muapi_client._state.journal.postgres",
        "Prediction": "muapi_client._types.prediction",
        "Progress": "muapi_client._types.outcome",
        "Reconciliation": "muapi_client._types.reconciliation",
        "Retry": "muapi_client._settings.retry",
        "SandboxVerdict": "muapi_client._types.sandbox",
        "SandboxWarning": "muapi_client._types.sandbox",
        "Spend": "muapi_client._state.ledger",
        "SpendWarning": "muapi_client._types.cost",
        "StreamEvent": "muapi_client._types.stream_event",
        "UNSET": "muapi_generated.types",
        "catalog": None,
        "errors": None,
        "models": None,
        "raw_call": "muapi_client._spec.raw_call",
        "webhooks": None,
    }

    @held
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
    "AsyncOutput",
    "AsyncPrediction",
    "Budget",
    "Call",
    "Cost",
    "Entry",
    "Estimate",
    "Job",
    "JobEvent",
    "JobState",
    "Journal",
    "MuAPI",
    "MuAPIError",
    "Outcome",
    "Outcomes",
    "Output",
    "Polling",
    "PostgresJournal",
    "Prediction",
    "Progress",
    "Reconciliation",
    "Retry",
    "SandboxVerdict",
    "SandboxWarning",
    "Spend",
    "SpendWarning",
    "StreamEvent",
    "__version__",
    "catalog",
    "errors",
    "models",
    "raw_call",
    "webhooks",
]
