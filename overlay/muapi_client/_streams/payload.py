"""Where the payloads of streams hold their words, and the words by which they tell an end or a failure. Pure.

Lives here: facts of single payloads. Does not live here: what their words add up to (``text``), and all else they
tell together (``state``).

The pinned document says nothing of what is streamed. So every common shape is read, and what is not known is handed
on in ``data``: OpenAI's ``choices`` and ``response.…`` events, Anthropic's and Gemini's deltas, ``{"text": …}`` and its
like, JSON strings, bare text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from muapi_client._types.status import STATES, JobState, meaning
from muapi_client._types.words import read_error

END: Final = "[DONE]"  # OpenAI: the data of the last event
ENDS: Final = frozenset({"done", "end", "complete", "completed", "finish", "finished", "message_stop"})
INCOMPLETE: Final = "response.incomplete"  # OpenAI: ended by a limit of tokens or a filter
TOLD_ENDS: Final = ENDS | {"response.completed", INCOMPLETE}
FAILURES: Final = frozenset({"error", "exception", "failed"})  # as a name or a type, whole or after its last dot
SILENT: Final = frozenset({"ping", "heartbeat", "keepalive", "keep-alive"})  # events that only hold a connection open
# In an event's name, or in the type of a payload or a part of it: its words are no part of the answer.
ASIDES: Final = ("reasoning", "thinking", "thought", "function", "tool", "_call", "arguments")
STEPS: Final = (*ASIDES, "step", "output_item")  # in a type: a step on the way, whose end or failure is its own
WHOLE: Final = (".done", ".completed", ".incomplete", ".failed")  # OpenAI: types that repeat what was streamed
NOT_OURS: Final = frozenset({"choices", "candidates", "object", "type"})  # beside these "id", "status" are the maker's
CUT: Final = f"the server cut the text short: {INCOMPLETE}"
TEXTLESS: Final = "the stream held no text that is known to this version: each event's data is as it came"
DEPTH: Final = 8  # of the deepest payload seen, choices[0].delta.content[0].text, and some
LISTED: Final = (("choices", "finish_reason"), ("candidates", "finishReason"))  # OpenAI, Gemini: one of n answers

_ASIDE: Final = re.compile("|".join(ASIDES))
_STEP: Final = re.compile("|".join(STEPS))

# Where a payload holds its words, the likeliest place first.
PLACES: Final = (
    "choices",
    "candidates",
    "delta",
    "text",
    "content",
    "parts",
    "outputs",
    "output",
    "response",
    "message",
    "token",
    "answer",
    "completion",
    "generated_text",
    "chunk",
    "value",
)


def read_words(value: Any, depth: int = 0) -> str:
    """The words in a payload; empty where it has none that are known. Of several choices the first one's count."""
    if isinstance(value, str):
        return value
    if depth > DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(read_words(item, depth + 1) for item in value)
    if not isinstance(value, Mapping) or is_aside(value):
        return ""
    return next((words for found in _find_likely(value) if (words := read_words(found, depth + 1))), "")


def _find_likely(value: Mapping[str, Any]) -> list[Any]:
    """Find the places of a payload's words, the likeliest first; beside choices or a delta they are repeated."""
    for place, _ in LISTED:
        if isinstance(value.get(place), list):
            return [_index_choices(value[place]).get(0)]
    if isinstance(value.get("delta"), str | Mapping):
        return [value["delta"]]
    found = [(place, value[place]) for place in PLACES if place in value]
    return [inner for place, inner in found if place != "message" or not isinstance(inner, str)]  # text: about progress


def _index_choices(listed: list[Any]) -> dict[int, Mapping[str, Any]]:
    """The choices of a payload by their index, which is their place where they tell none."""
    found: dict[int, Mapping[str, Any]] = {}
    for place, choice in enumerate(listed):
        if isinstance(choice, Mapping):
            index = choice.get("index")
            found.setdefault(index if isinstance(index, int) else place, choice)
    return found


def read_choices(body: Mapping[str, Any]) -> dict[int, bool]:
    """The answers a payload tells of, and whether it says that their text is complete, though more may be reported."""
    for place, word in LISTED:
        if isinstance(body.get(place), list):
            return {index: bool(choice.get(word)) for index, choice in _index_choices(body[place]).items()}
    delta = body.get("delta")
    return {0: True} if isinstance(delta, Mapping) and delta.get("stop_reason") else {}


def decode(data: str) -> tuple[bool, Any]:
    """Return whether data is JSON, and its value; a line's end or a tab left raw in a text does no harm."""
    try:
        return True, json.loads(data, strict=False)
    except (ValueError, RecursionError):
        return False, None


def read_kind(body: Mapping[str, Any]) -> str:
    """Return what a payload calls itself; empty where it does not."""
    kind = body.get("type")
    return kind if isinstance(kind, str) else ""


def is_ours(body: Mapping[str, Any]) -> bool:
    """Return whether a payload's status, and the id beside it, are the request's, rather than its model's maker's."""
    return "status" in body and not NOT_OURS & body.keys()


def is_running(body: Mapping[str, Any]) -> bool:
    """Return whether a payload tells by a word that is known that the request goes on."""
    status = body.get("status")
    return isinstance(status, str) and STATES.get(status.strip().lower()) is JobState.RUNNING


def is_failure_name(name: str) -> bool:
    """Return whether an event's name, or a payload's type, tells that the whole stream failed."""
    return name.rpartition(".")[2] in FAILURES and _STEP.search(name) is None


def read_failure(body: Mapping[str, Any]) -> str | None:
    """Why the stream failed, where a payload tells that it did; OpenAI's tells it in a ``response`` inside."""
    if _is_step(body):
        return None
    words = next((words for part in (body, _read_inner(body)) if (words := read_error(part))), None)
    if words is None and is_failure_name(read_kind(body)):
        words = read_reason(body) or "the server says no more"
    if words is None and (status := read_status(body)) and meaning(status) in (JobState.FAILED, JobState.CANCELLED):
        words = f"the server says {status!r} and no more"
    return words


def read_status(body: Mapping[str, Any]) -> str:
    """The word by which a payload tells an end of any kind; empty where it tells none."""
    words = [] if _is_step(body) else [body.get("status"), _read_inner(body).get("status")]
    return next((str(word) for word in words if meaning(word) is not JobState.RUNNING), "")


def _read_inner(body: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = body.get("response")
    return inner if isinstance(inner, Mapping) else {}


def _is_step(body: Mapping[str, Any]) -> bool:
    return _STEP.search(f"{body.get('type')} {body.get('object')}") is not None


def read_reason(value: Any) -> str | None:
    """Why a stream failed, out of the payload of an error event."""
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else None
    return read_error(value) or read_error({"error": value.get("detail") or value.get("message")})


def is_aside(value: Any) -> bool:
    """Return whether the words of a payload, or of a part of it, are no part of the answer."""
    return isinstance(value, Mapping) and (value.get("thought") is True or is_aside_name(read_kind(value)))


def is_aside_name(name: str) -> bool:
    return _ASIDE.search(name) is not None


def is_comment(name: str, data: str) -> bool:
    """Return whether an event's data is no part of the text, whatever it is."""
    if name in SILENT or is_failure_name(name) or is_aside_name(name):
        return True
    return name in ENDS and data.strip().lower() in ENDS | {"", "ok", "true", "null"}


def is_payload(value: Any) -> bool:
    """Return whether a JSON value is one that carries words, rather than words that happen to be JSON."""
    return isinstance(value, str | Mapping) or (
        isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
    )


def is_known(value: Any) -> bool:
    """Return whether a payload is more likely one of the protocol than words of the text."""
    return isinstance(value, Mapping) and bool(
        value.keys() & {*PLACES, "error", "cost", "status", "request_id", "usage"}
    )


def is_success(value: Any) -> bool:
    """Return whether a payload says a bare "success", which may stand in every one."""
    return isinstance(value, Mapping) and str(value.get("status")).strip().lower() == "success"


def is_end(body: Mapping[str, Any]) -> bool:
    """Return whether a payload tells the end of the stream."""
    by_status = is_ours(body) and meaning(body.get("status")) is JobState.DONE and not is_success(body)
    return by_status or (body.get("done") is True and not _is_step(body)) or read_kind(body) in TOLD_ENDS


def may_repeat(name: str, value: Any) -> bool:
    """Return whether a payload comes at an end, where some tell the whole once more."""
    return name in ENDS or (isinstance(value, Mapping) and is_end(value))


def repeats(name: str, value: Any) -> bool:
    """Return whether a payload is known to tell the whole, or a whole part, once more."""
    if not isinstance(value, Mapping):
        return False
    ended = meaning(value.get("status")) is not JobState.RUNNING and not is_success(value)
    return (ended and "outputs" in value) or name.endswith(WHOLE) or read_kind(value).endswith(WHOLE)


def is_snapshot(value: Any) -> bool:
    """Return whether a payload holds the whole text so far: a partial output, or that of a running job."""
    if not isinstance(value, Mapping):
        return False
    return isinstance(value.get("partial"), bool) or (is_running(value) and bool(value.keys() & {"output", "outputs"}))
