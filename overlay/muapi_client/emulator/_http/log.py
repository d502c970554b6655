"""Log entries: one request that a served emulator answered, or refused.

Lives here: the entry, and finding its words in an answer. No key enters it: headers and query are left out, and what
looks like a key in a path is masked. Does not live here: printing it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from attrs import frozen

from muapi_client.emulator._messages.messages import hide_keys, split_target

if TYPE_CHECKING:
    from muapi_client.emulator._http.faults import Fault, FaultedResponse
    from muapi_client.emulator._http.reader import Refused
    from muapi_client.emulator._messages.messages import Request, Response


_SHOWN: Final = 1000  # characters of a refused path


@frozen
class LogEntry:
    """One request a served emulator saw, or refused before it could be read whole.

    Args:
        method: In capitals; empty where a refused request has none.
        path: Without the query, keys masked; at most 1000 characters of a refused one, as far as it was read.
        status: What it was answered with; None where the connection was broken off instead.
        seconds: How long the answer took to make.
        cost_usd: What the answer says it cost, in US dollars; None where it says nothing.
        request_id: The job it is about, where the answer tells one.
        fault: What was made to go wrong.
        refusal: Why the server refused it, so that ``Emulator.requests`` does not have it; None where it did not.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    cost_usd: str | None = None
    request_id: str | None = None
    fault: Fault | None = None
    refusal: str | None = None


def build_refusal_entry(refused: Refused) -> LogEntry:
    """The log entry of a request that was not read whole."""
    path = split_target(refused.target)[1].partition("?")[0] if refused.target else ""
    return LogEntry(refused.method, hide_keys(path)[:_SHOWN], refused.status, 0.0, refusal=hide_keys(refused.why))


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
