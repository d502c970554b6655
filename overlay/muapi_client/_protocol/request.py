"""A call, checked and encoded once: what travels on from here is a value.

Lives here: from a call to the bytes that carry it, and what is refused before anything is sent. Does not live here:
sending it (``exchange``), the document's rules (``_spec/validation``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from attrs import evolve, validate

from muapi_client._protocol.steps import SLOWEST, Send
from muapi_client._runtime.forks import forks
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._settings.webhook import NO_ADDRESS, WEBHOOK_NAMES, is_web_address
from muapi_client._spec.validation import body_fields, check, refusal_error
from muapi_client._state.secrets import Found, find_secrets
from muapi_client._types.words import show
from muapi_generated.types import FORM, MULTIPART, is_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muapi_client._state.context import Context
    from muapi_generated.types import Call, Operation

FORMS: Final = (FORM, MULTIPART)
STREAM: Final = "/stream"  # how the slugs of streaming language models end
# Made once: ``json.dumps`` makes one for each text.
JSON: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
_SEPARATORS: Final = re.compile(r"[/\\]")  # of a path's segments, the second by lenient servers
_PLAIN: Final = re.compile(r"[\w-]+", re.ASCII)  # needs no quoting and leads nowhere: most need no more looks
IDEMPOTENCY_KEY: Final = "idempotency_key"  # OpenAPI document: a body field of data tools, of no generation model


class Request(NamedTuple):
    """A call that is ready to be sent.

    Attributes:
        call: What it carries, its idempotency key included.
        send: The exchange that carries it.
        started_at: When it was made ready, in seconds since the epoch, for errors and records.
        reading: The same on the client's clock, in seconds.
        idempotent: Whether it may be sent again whatever happened to it: a repetition is answered with the first
            outcome.
        digest: What the call asks, as a hash, for the journal; or None.
    """

    call: Call[Any]
    send: Send
    started_at: float
    reading: float
    idempotent: bool
    digest: str | None = None


def prepare(
    call: Call[Any], context: Context, *, started_at: float, reading: float = 0.0, new_key: str = ""
) -> Request:
    """Check and encode a call.

    Args:
        started_at: Seconds since the epoch.
        reading: The same on the client's clock.
        new_key: An idempotency key for a call whose body may have one and has none.

    Raises:
        ValidationError: The input does not fit the pinned document, or cannot be written as JSON; nothing was sent.
    """
    call = _with_key(call, new_key)
    send = encode(call, context)
    return Request(
        _without_contents(call) if call.files else call, send, started_at, reading, has_idempotency_key(call)
    )


def encode(call: Call[Any], context: Context, *, secrets: Iterable[str] = ()) -> Send:
    """The exchange that carries a call, once the call is checked.

    Args:
        secrets: Webhooks that its answer may echo, beside its own.

    Raises:
        ValidationError: The input does not fit the pinned document, or cannot be written as JSON; or the call is for
            no path of an API, or has a webhook that is no whole address.
    """
    problem = _find_problem(call.operation)
    if problem is not None:
        raise refusal_error(call, (), problem, kind="value_error")
    if context.strict:
        check_webhooks(call)  # first: what ``check`` finds wrong with a webhook might repeat its secret
        check(call)
    operation = call.operation
    query = _query(call, context)
    is_plain = not (call.files or call.headers or call.cookies or operation.media_type)  # JSON and no more: most are
    if any(isinstance(value, Mapping) for value in query.values()):
        is_plain, query = False, _spread(call, query)
    send = Send(
        operation.method,
        _path(call),
        query,
        _content(call) if is_plain else None,
        context.timeout,
        secrets=secrets,
        route=operation.path,
    )
    send = send if is_plain else _complete(send, call)
    odd = next((name for name in send.query if not _has_bytes(name, send.query[name])), None)
    if odd is not None:
        why = "cannot be written in a URL: it holds a lone surrogate, or has no text"
        raise refusal_error(call, (odd,), why, kind="string_unicode")
    return send


def check_webhooks(call: Call[Any]) -> None:
    """Hold a call's own webhooks, as parameters and as fields, to be whole addresses.

    Raises:
        ValidationError: One is none.
    """
    for given in (call.query, _fields(call), call.headers):
        for name in WEBHOOK_NAMES & given.keys():
            url = given[name]
            if url not in (None, "") and not (isinstance(url, str) and is_web_address(url)):
                raise refusal_error(call, (name,), NO_ADDRESS, kind="url_parsing")


def _query(call: Call[Any], context: Context) -> dict[str, Any]:
    """A call's query, with what the client adds to it."""
    query = dict(call.query)
    if call.operation.is_job and context.webhook:
        query.setdefault("webhook", context.webhook.reveal())
    if context.team_id is not None:
        query.setdefault("team_id", context.team_id)
    return query


def _spread(call: Call[Any], query: Mapping[str, Any]) -> dict[str, Any]:
    """A query in which each field of an object is a parameter, ``made[gt]`` (OpenAPI's style deepObject).

    Raises:
        ValidationError: An object contains itself.
    """
    try:
        return {name: value for key, given in query.items() for name, value in _list_fields(key, given)}
    except RecursionError:
        pass
    raise refusal_error(call, (), "the query contains itself", kind="value_error", place="query")


def _list_fields(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, inner in value.items():
        yield from _list_fields(f"{name}[{key}]", inner)


def _fields(call: Call[Any]) -> Mapping[str, Any]:
    """The fields of a call's body; none where it is no object."""
    body = call.body
    return body if body.__class__ is dict or isinstance(body, Mapping) else {}


def has_idempotency_key(call: Call[Any]) -> bool:
    """Whether a call names an idempotency key that the pinned document knows (data tools do).

    It is a text: of what else may stand there unchecked (``strict=False``) a form may write nothing.
    """
    key = _fields(call).get(IDEMPOTENCY_KEY)
    return isinstance(key, str) and bool(key.strip()) and _knows_key(call)


def _with_key(call: Call[Any], new_key: str) -> Call[Any]:
    """The call with an idempotency key, where the document declares the field and it has none yet.

    Raises:
        ValidationError: Its key is blank: two requests with blank keys would count as one, or be charged twice.
    """
    if call.body is None or not _knows_key(call) or not isinstance(call.body, Mapping):
        return call
    given = call.body.get(IDEMPOTENCY_KEY)
    if isinstance(given, str) and not given.strip():
        message = f"{IDEMPOTENCY_KEY} is blank: leave it out to have one made, or give one of your own"
        raise refusal_error(call, (IDEMPOTENCY_KEY,), message, kind="string_too_short")
    return call if given is not None or not new_key else evolve(call, body={**call.body, IDEMPOTENCY_KEY: new_key})


def _knows_key(call: Call[Any]) -> bool:
    """Whether the document knows an idempotency key of the call's body."""
    return IDEMPOTENCY_KEY in body_fields(call.operation.package, call.operation.request)


@lru_cache(maxsize=1024)
def _find_problem(operation: Operation) -> str | None:
    """Hold a method and a path to the rules once more: whoever made them may have got round the constructor."""
    try:
        validate(operation)
    except ValueError as error:
        return str(error)
    return None


def _path(call: Call[Any]) -> str:
    """The path of a call with its parameters quoted in, so that no value can reach another path."""
    path = call.operation.path
    for name, value in call.path.items():
        if isinstance(value, str) and _PLAIN.fullmatch(value):  # a request id, mostly
            path = path.replace("{" + name + "}", value)
            continue
        text = str(value) if _has_bytes(value) else ""
        # "", ".", "..", "a/../b": a proxy that undoes the quoting would resolve them to another path
        dots = any(part and not part.strip(". ") for part in _SEPARATORS.split(text))
        if dots or not text.strip(". "):
            raise refusal_error(call, (name,), f"{name} must name something, not {show(value)}", kind="value_error")
        path = path.replace("{" + name + "}", quote(text, safe=""))
    if "{" in path:
        raise refusal_error(call, (), f"the path {path} lacks a parameter", kind="missing")
    return path


def _has_bytes(*values: object) -> bool:
    """Whether values can be sent at all: a lone surrogate cannot, nor what has no text, as an int of 5,000 digits."""
    try:
        text = "".join(map(str, values))
    except Exception as error:  # noqa: BLE001 - a class of the caller's may raise anything
        raise_if_from_signal_handler(error)
        return False
    return text == text.encode("utf-8", "replace").decode()


def _complete(send: Send, call: Call[Any]) -> Send:
    """The exchange of a call that has headers, or a body that is no JSON or is labelled in another way."""
    media_type, headers, timeout = call.operation.media_type, send.headers, send.timeout
    content: bytes | None = None
    with forks.kept_waiting:
        if call.headers or call.cookies:
            from muapi_client._protocol.headers import make_headers  # noqa: PLC0415 - of few operations

            headers = make_headers(call)
        if is_json(media_type) and not call.files:
            content = _content(call)
        elif call.files or call.body is not None:
            media_type, content = _write_body(call)
            timeout += len(content) / SLOWEST
    secrets = Found([*send.secrets, *find_secrets(call, None)])
    return evolve(send, content=content, media_type=media_type, headers=headers, timeout=timeout, secrets=secrets)


def _write_body(call: Call[Any]) -> tuple[str, bytes]:
    """The media type and the bytes of a body that is no JSON."""
    media_type = call.operation.media_type
    if media_type in FORMS or is_json(media_type):
        from muapi_client._protocol.forms import write_form  # noqa: PLC0415 - as above

        return write_form(call)
    from muapi_client._protocol.raw_bodies import write_raw_body  # noqa: PLC0415 - as above

    return write_raw_body(call)


def _without_contents(call: Call[Any]) -> Call[Any]:
    """A call as it was given: what was read of its files is in the exchange, and is not kept."""
    with forks.kept_waiting:
        from muapi_client._protocol.forms import with_origins  # noqa: PLC0415 - as above

    return with_origins(call)


def _content(call: Call[Any]) -> bytes | None:
    if call.body is None:
        return None
    try:
        return JSON.encode(call.body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise refusal_error(call, (), f"the input cannot be written as JSON: {error}", kind="json_type") from None
