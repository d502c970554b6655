"""The ``/stream`` operations of language models: a job that is answered word by word.

Lives here: how its text is cut into events, and how those look. Does not live here: accepting and charging
(``submissions``), sending pieces one by one or cutting them (``_http/httpx_transport``, ``_http/wire``).

The document says nothing of what is streamed, so the emulator chooses: by default server-sent events with OpenAI's
chunks, then one event that tells id, status and cost as a result does, then ``[DONE]``. The cost headers come before
all of it. A stream that fails does so in the middle; what it cost, and that it was refunded, is told by its last event.
It stands in the history like any other job, and costs what its model costs without ``/stream``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._handlers.outputs import make_outputs, make_sample_outputs
from muapi_client.emulator._handlers.submissions import begin_job
from muapi_client.emulator._messages.cost import Cost
from muapi_client.emulator._messages.messages import Reply
from muapi_client.emulator._spec.prices import compute_price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.world import World

SUFFIX: Final = "/stream"
_WORD: Final = re.compile(r"\s*\S+\s*|\s+")
_EVENTS: Final = "text/event-stream; charset=utf-8"
_LINES: Final = "application/x-ndjson"


def stream_answer(world: World, checked: CheckedRequest) -> Reply:
    """Answer a prompt as a stream. Raises Refusal (402) if the balance does not cover it."""
    model = _find_model(world, checked.operation)
    job = begin_job(
        world,
        checked,
        usd=compute_price(model, checked.body),
        make=lambda request_id: make_outputs(request_id, model, checked.body),
        sample=make_sample_outputs(model) if checked.is_test else (),
        at_once=True,
    )
    text = "".join(
        output if isinstance(output, str) else json.dumps(output) for output in _find_outputs(world, job, checked)
    )
    content_type, lay_out = _LAYOUTS[job.shape.stream]
    cost = Cost(job.usd, job.outcome.bonus_credits) if job.shape.costs in {"both", "headers"} else None
    return Reply(
        None, cost, headers={"content-type": content_type}, chunks=tuple(lay_out(job, _split_words(job, text)))
    )


def _find_model(world: World, operation: Operation) -> Operation:
    """The operation that answers the same whole."""
    try:
        return world.operations.at(operation.path.removesuffix(SUFFIX))["POST"]
    except KeyError:  # the document has the stream alone
        return operation


def _find_outputs(world: World, job: Job, checked: CheckedRequest) -> tuple[Any, ...]:
    """The outputs to stream: of a job that fails, those it would have had."""
    return job.outputs or make_outputs(job.id, _find_model(world, checked.operation), checked.body)


def _split_words(job: Job, text: str) -> list[str]:
    """The text in pieces; of a job that does not complete, its first half."""
    words = _WORD.findall(text)
    return words if job.outcome.end == "completed" else words[: (len(words) + 1) // 2]


def _build_end(job: Job) -> dict[str, Any]:
    """The last payload: the result without its outputs."""
    end: dict[str, Any] = {"request_id": job.id, "status": job.status(job.ends_at)}
    if job.outcome.error is not None:
        end["error"] = job.outcome.error
    return {**end, "cost": job.cost.body()} if job.shape.costs in {"both", "body"} else end


def _lay_out_deltas(job: Job, words: Iterable[str]) -> Iterator[bytes]:
    """Server-sent events as OpenAI's API has them."""
    yield _encode_event(_build_chunk(job, {"role": "assistant", "content": ""}))
    for word in words:
        yield _encode_event(_build_chunk(job, {"content": word}))
    if job.outcome.end == "completed":
        yield _encode_event(_build_chunk(job, {}, "stop"))
    yield _encode_event(_build_end(job))
    yield b"data: [DONE]\n\n"


def _build_chunk(job: Job, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": f"chatcmpl-{job.id[:8]}",
        "object": "chat.completion.chunk",
        "model": job.operation.slug.removesuffix(SUFFIX),
        "choices": [choice],
    }


def _lay_out_texts(job: Job, words: Iterable[str]) -> Iterator[bytes]:
    """Server-sent events whose data is the bare text; a line's end in it begins another line of data."""
    for word in words:
        yield "".join(f"data: {line}\n" for line in word.split("\n")).encode() + b"\n"
    yield _encode_event(_build_end(job), "done" if job.outcome.end == "completed" else "error")


def _lay_out_lines(job: Job, words: Iterable[str]) -> Iterator[bytes]:
    """One JSON object a line."""
    for word in words:
        yield _encode_json({"text": word}) + b"\n"
    yield _encode_json(_build_end(job)) + b"\n"


def _encode_event(payload: dict[str, Any], name: str = "") -> bytes:
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + _encode_json(payload) + b"\n\n"


def _encode_json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


_LAYOUTS: Final[dict[str, tuple[str, Callable[[Job, Iterable[str]], Iterator[bytes]]]]] = {
    "deltas": (_EVENTS, _lay_out_deltas),
    "texts": (_EVENTS, _lay_out_texts),
    "ndjson": (_LINES, _lay_out_lines),
}
