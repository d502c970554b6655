"""What a job yields.

Lives here: plausible outputs by kind, for live and for test keys. Does not live here: how an answer lays
them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._kinds import FILE_TYPES
from muapi_client.emulator._prices import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._document import Operation

CDN: Final = "https://cdn.muapi.ai"  # where real outputs and uploads stand
_SAMPLES: Final = "https://d3adwkbyhxyrtq.cloudfront.net/webassets"  # a host the samples of test keys were seen on
_ASKED: Final = ("prompt", "query", "text", "keyword", "messages")  # fields that say what was asked, likeliest first


def live_outputs(request_id: str, operation: Operation, body: Mapping[str, Any]) -> tuple[Any, ...]:
    """New outputs: one URL a piece, the text itself for language models, one object for data tools."""
    kind = operation.kind
    if kind == "text":
        return (f"{operation.name} answers: {_asked(body)}",)
    if kind == "data":
        return ({"query": _asked(body), "results": [{"rank": 1, "title": operation.name, "id": request_id}]},)
    names = [request_id, *(f"{request_id}-{number}" for number in range(2, count(body) + 1))]
    return tuple(f"{CDN}/outputs/{name}.{FILE_TYPES[kind]}" for name in names)


def sample_outputs(operation: Operation) -> tuple[Any, ...]:
    """The model's example: the same whatever was asked."""
    kind = operation.kind
    if kind == "text":
        return ("This is a sample answer.",)
    if kind == "data":
        return ({"query": "sample", "results": []},)
    return (f"{_SAMPLES}/{kind}models/{operation.slug.replace('/', '-')}.{FILE_TYPES[kind]}",)


def _asked(body: Mapping[str, Any]) -> str:
    return next((str(body[name]) for name in _ASKED if body.get(name)), "nothing in particular")
