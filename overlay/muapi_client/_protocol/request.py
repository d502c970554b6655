"""A call as the request that carries it: checked, keyed, its path quoted, its body encoded. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from attrs import evolve

from muapi_client._protocol.steps import Send
from muapi_client._spec.validation import check, declares, refusal

if TYPE_CHECKING:
    from muapi_client._state.context import Terms
    from muapi_generated.types import Call


STREAM: Final = "/stream"  # how the slugs of streaming language models end
IDEMPOTENCY_KEY: Final = "idempotency_key"  # OpenAPI document: a body field of data tools, of no generation model


def keyed(call: Call[Any], new_key: str) -> Call[Any]:
    """The call with an idempotency key, where the document declares the field (data tools do) and it has none yet.

    Such a call may be sent again whatever happened to it: the server answers a repetition with the first outcome.
    """
    body = call.body
    if body is None or body.get(IDEMPOTENCY_KEY) is not None or not declares(call, IDEMPOTENCY_KEY):
        return call
    return evolve(call, body={**body, IDEMPOTENCY_KEY: new_key})


def prepare(call: Call[Any], terms: Terms) -> Send:
    """Turn a call into the exchange that carries it.

    Raises:
        ValidationError: The input does not fit the pinned document, or cannot be written as JSON.
    """
    if terms.strict:
        check(call)
    query = dict(call.query)
    if call.operation.is_job and terms.webhook:
        query.setdefault("webhook", terms.webhook)
    if terms.team_id is not None:
        query.setdefault("team_id", terms.team_id)
    for name, value in query.items():
        if not _has_bytes(str(value)):
            raise refusal(call, (name,), f"{name} holds a lone surrogate: {value!r}", kind="string_unicode")
    return Send(call.operation.method, _path(call), query, _content(call), terms.timeout)


def refuse_stream(call: Call[Any]) -> None:
    """Refuse a call whose answer is a stream where a whole answer is wanted.

    Raises:
        ValidationError: It is one.
    """
    if call.operation.slug.endswith(STREAM):
        plain = call.operation.slug.removesuffix(STREAM)
        message = f"it answers with a stream of events: use mu.stream(call), or use {plain} for the whole at once"
        raise refusal(call, (), message, kind="stream")


def _path(call: Call[Any]) -> str:
    """The path of a call with its parameters quoted in, so that no value can reach another path."""
    path = call.operation.path
    for name, value in call.path.items():
        text = str(value)
        if not text.strip(". ") or not _has_bytes(text):  # "", ".", "..": a proxy would resolve them to another path
            raise refusal(call, (name,), f"{name} must name something, not {text!r}", kind="value_error")
        path = path.replace("{" + name + "}", quote(text, safe=""))
    if "{" in path:
        raise refusal(call, (), f"the path {path} lacks a parameter", kind="missing")
    return path


def _has_bytes(text: str) -> bool:
    """Whether a text can be sent at all: a lone surrogate cannot."""
    return text == text.encode("utf-8", "replace").decode()


def _content(call: Call[Any]) -> bytes | None:
    if call.body is None:
        return None
    try:
        return json.dumps(call.body, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise refusal(call, (), f"the input cannot be written as JSON: {error}", kind="json_type") from None
