"""Whether this program traces with OpenTelemetry. Cheap to import, and to ask where it does not.

Lives here: that question, and what makes spans then. Does not live here: the spans (``spans``).
"""

from __future__ import annotations

from functools import cache
from sys import modules
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.forks import forks

if TYPE_CHECKING:
    from types import ModuleType

OTEL: Final = "opentelemetry.trace"  # imported by every program that sets up what takes spans, and by some others


def is_traced() -> bool:
    """Whether anything takes spans. Where a submit is on its way, ask whether ``OTEL`` is in ``sys.modules`` before."""
    return OTEL in modules and bool(load_spans().has_provider())


@cache
def load_spans() -> ModuleType:
    """The module that makes spans; ask whether the program traces before."""
    with forks.kept_waiting:
        from muapi_client._protocol import spans  # noqa: PLC0415 - most programs trace nothing

    return spans
