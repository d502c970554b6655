"""Log entries: one request that a served emulator answered.

Lives here: the entry, and finding its words in an answer. No key enters it: headers and query are left out, and what
looks like a key in a path is masked. Does not live here: printing it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import frozen

from muapi_client.emulator._messages.messages import hide_keys

if TYPE_CHECKING:
    from muapi_client.emulator._http.faults import Fault, FaultedResponse
    from muapi_client.emulator._messages.messages import Request, Response


@frozen
class LogEntry:
    """One request a served emulator saw.

    Args:
        method: In capitals.
        path: Without the query, keys masked.
        status: What it was answered with; None where the connection was broken off instead.
        seconds: How long the answer took to make.
        cost_usd: What the answer says it cost, in US dollars; None where it says nothing.
        request_id: The job it is about, where the answer tells one.
        fault: What was made to go wrong.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    cost_usd: str | None = None
    request_id: str | None = None
    fault: Fault | None = None


def build_log_entry(request: Request, faulted: FaultedResponse, seconds: float) -> LogEntry:
    """The log entry of ``request`` and its answer, which took ``seconds`` to make."""
    headers = {name.lower(): value for name, value in faulted.response.headers.items()} if faulted.response else {}
    return LogEntry(
        method=request.method,
        path=hide_keys(request.path),
        status=faulted.response.status if faulted.response else None,
        seconds=seconds,
        cost_usd=headers.get("x-muapi-cost-usd"),
        request_id=_request_id(faulted.response) if faulted.response else None,
        fault=faulted.fault,
    )


def _request_id(response: Response) -> str | None:
    """The job an answer is about, in any of the layouts the emulator knows."""
    try:
        answer: Any = json.loads(response.body)
    except ValueError:
        return None
    places: list[Any] = [answer, *(answer.get(name) for name in ("data", "detail"))] if _is_object(answer) else []
    named: list[Any] = [place.get("request_id") or place.get("id") for place in places if _is_object(place)]
    return next((name for name in named if isinstance(name, str)), None)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
