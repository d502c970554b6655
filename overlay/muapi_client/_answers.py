"""Raw answers, judged: a typed value, or the error it stands for. Pure.

Every shape an answer has been seen in is read here, and only here; the generated parsers see nothing that has not
been judged. Whatever arrives, what comes out is a value or a ``MuAPIError``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._outputs import LINKS, read_outputs, tells
from muapi_client._spec.packages import INSTALLED, part
from muapi_client._types.cost import balance_from_headers, cost_from_body, cost_from_headers, settle
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import Verdict, meaning

if TYPE_CHECKING:
    from muapi_client._flow import Reply

OK: Final = range(200, 300)
REFUSED: Final = range(400, 500)
EXCERPT: Final = 300  # characters of an unreadable body shown in a message; the whole body is on the error

BY_STATUS: Final[Mapping[int, type[errors.APIStatusError]]] = {
    401: errors.AuthenticationError,
    402: errors.InsufficientCreditError,
    403: errors.AuthenticationError,
    404: errors.NotFoundError,
    422: errors.ValidationError,
    429: errors.RateLimitError,
}
NOT_FOUND: Final = 404
TRANSPORTS: Final = frozenset({*BY_STATUS, 408, 425})  # there {"status": "error"} is an envelope's word
ADVICE: Final[Mapping[int, str]] = {
    401: "check the API key (MUAPI_API_KEY)",
    402: "top up with mu.account.topup(amount); nothing was charged",
    403: "this key may not do that",
    404: "slugs are not catalogue names: muapi_client.catalog.find() finds a model's slug",
    422: "nothing was charged",
    429: "the request was refused unprocessed; send fewer at a time or wait",
}


def decode(reply: Reply) -> Any:
    """The JSON of an answer.

    Raises:
        ResponseError: The body is no JSON; it is kept on the error.
    """
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        raise errors.ResponseError(
            f"HTTP {reply.status} with a body that is no JSON: {excerpt(reply.content)}",
            body=reply.content,
            **known(reply),
        ) from None


def status_error(reply: Reply, *, request_id: str | None = None) -> errors.APIStatusError:
    """The error an answer of 300 and above stands for, in the server's own words, whole."""
    body = _peek(reply)
    detail = body.get("detail", body) if isinstance(body, Mapping) else body
    kind = BY_STATUS.get(reply.status, errors.ServerError if reply.status >= REFUSED.stop else errors.APIStatusError)
    about = f" for request {request_id}" if request_id else ""
    about_the_slug = reply.status == NOT_FOUND and request_id is None  # else it is the job that is not known
    advice = f" ({ADVICE[reply.status]})" if about_the_slug or reply.status in ADVICE.keys() - {NOT_FOUND} else ""
    message = f"HTTP {reply.status}{about}: {_words(detail) or excerpt(reply.content)}{advice}"
    extra: dict[str, Any] = {**known(reply), "request_id": request_id, "detail": detail}
    if kind is errors.ValidationError:
        extra["errors"] = [e for e in detail if isinstance(e, Mapping)] if isinstance(detail, list) else []
    return kind(message, **extra)


def read_prediction(reply: Reply, *, request_id: str | None) -> Prediction | None:
    """What an answer says of a job, or None where it is about something else than this job.

    A failed job mostly arrives as HTTP 400 whose ``detail`` is the result (observed): a job's end, no transport
    error. So a 4xx is read as a prediction when its ``detail`` names the job or tells a status that ends one.
    """
    body = _peek(reply)
    if reply.status in OK and isinstance(body, Mapping):
        said = _unwrap(body)
        return _prediction(reply, said, request_id) if _speaks_of_a_job(said) or read_outputs(said) else None
    if reply.status in REFUSED and isinstance(body, Mapping):
        detail = body.get("detail", body)
        if isinstance(detail, Mapping) and _ends_a_job(detail, request_id, named_only=reply.status in TRANSPORTS):
            return _prediction(reply, detail, request_id)
    return None


def _unwrap(body: Any) -> Any:
    """Older routes nest the whole answer under ``data`` (observed), perhaps beside a status of the envelope's own.

    What is told of the job inside counts; the envelope adds what is missing there, such as the cost or the status.
    """
    inner = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(inner, Mapping) or read_id(body) or not _speaks_of_a_job(inner) or _is_output(inner):
        return body
    return {**{name: value for name, value in body.items() if name != "data"}, **inner}


def _is_output(said: Mapping[str, Any]) -> bool:
    """Whether an object is one of a job's outputs, which may have ids of their own, rather than the job."""
    return "status" not in said and any(isinstance(said.get(name), str) for name in LINKS)


def _speaks_of_a_job(said: Any) -> bool:
    if not isinstance(said, Mapping):
        return False
    words = (read_id(said), said.get("status"), read_error(said))
    return any(words) or any(tells(said.get(place)) for place in ("outputs", "output", "images"))


def _ends_a_job(detail: Mapping[str, Any], request_id: str | None, *, named_only: bool) -> bool:
    named = read_id(detail)
    if named_only and named is None:
        return False
    names_it = named is not None and named == request_id
    return meaning(detail.get("status")) is not Verdict.RUNNING or (names_it and bool(read_error(detail)))


def _prediction(reply: Reply, said: Mapping[str, Any], request_id: str | None) -> Prediction:
    cost, dispute = settle(cost_from_headers(reply.headers), cost_from_body(said))
    named = read_id(said)
    warnings = [dispute] if dispute else []
    outputs = read_outputs(said)
    status = said.get("status")
    word = status if isinstance(status, str) else ""
    if meaning(word) is Verdict.DONE and not outputs:
        warnings.append("the job completed without outputs")
    return Prediction(
        id=request_id or named,
        status=word or ("completed" if outputs else ""),
        outputs=outputs,
        cost=cost,
        error=read_error(said),
        balance=balance_from_headers(reply.headers),
        warnings=tuple(warnings),
        raw=said,
        status_code=reply.status,
    )


def is_final(said: Prediction) -> bool:
    """Whether a submit's answer is the result. A bare "success" with an id may only mean: accepted."""
    return said.verdict in (Verdict.FAILED, Verdict.CANCELLED) or (said.done and bool(said.outputs))


def names_another(prediction: Prediction) -> bool:
    """Whether an answer is about a job other than the one asked for."""
    named = read_id(prediction.raw) if isinstance(prediction.raw, Mapping) else None
    return named is not None and prediction.id is not None and named != prediction.id


def read_id(said: Mapping[str, Any]) -> str | None:
    """The request id, under the names it has been seen by; ``request_id`` is the documented one."""
    for name in ("request_id", "id"):
        value = said.get(name)
        if isinstance(value, str) and value and _writable(value) == value:  # half a character names nothing
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def read_error(said: Mapping[str, Any]) -> str | None:
    """The failure in the server's words, whole: a string, ``{message}`` or null (observed)."""
    error = said.get("error")
    if isinstance(error, Mapping):
        message = error.get("message") or error.get("detail")
        if message or not any(error.values()):
            return _words(message) or None
    return _words(error).strip() or None if error else None


def typed(answer: str, body: Any, package: str = INSTALLED) -> Any:
    """Turn a body into the answer class of the generated models, or leave it as it is where none is known.

    Args:
        answer: A name such as ``AccountBalance`` or ``list[ApiKey]``; empty for any JSON.
        body: The decoded body.
        package: The generated package the class is of.

    Raises:
        ResponseError: The body is no object, or no list, where one is declared.
    """
    if not answer:
        return body
    models = part(package, "models")
    name = answer.removeprefix("list[").removesuffix("]")
    if name not in models.__all__:  # of a token from another version: what was paid for arrives all the same
        return body
    if answer.startswith("list["):
        item = getattr(models, name)
        if isinstance(body, list):
            return [item.from_dict(each) if isinstance(each, Mapping) else each for each in body]
    elif isinstance(body, Mapping):
        return getattr(models, answer).from_dict(body)
    raise errors.ResponseError(f"expected {answer}, got {type(body).__name__}", body=json.dumps(body).encode())


def _peek(reply: Reply) -> Any:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        return None


def known(reply: Reply) -> dict[str, Any]:
    """What any error about an answer tells."""
    return {
        "status_code": reply.status,
        "cost": cost_from_headers(reply.headers),
        "balance": balance_from_headers(reply.headers),
    }


def _words(detail: Any) -> str:
    """A ``detail`` or ``error`` as a person reads it: a string, FastAPI's list, or anything else as JSON."""
    if detail is None or detail in ("", [], {}):
        return ""
    if isinstance(detail, str):
        return _writable(detail)
    if isinstance(detail, list) and all(isinstance(entry, Mapping) and "msg" in entry for entry in detail):
        return "; ".join(f"{_where(entry.get('loc'))}{entry['msg']}" for entry in detail)
    try:
        return _writable(json.dumps(detail, ensure_ascii=False, default=str))
    except RecursionError:
        return "(nested too deeply to be shown)"


def _writable(text: str) -> str:
    """A text that can be written anywhere: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _where(loc: Any) -> str:
    if not isinstance(loc, Sequence) or isinstance(loc, str) or not loc:
        return ""
    return ".".join(str(part) for part in loc if part != "body") + ": "


def excerpt(content: bytes) -> str:
    """The beginning of a body, on one line and quoted, for a message."""
    text = content[: 4 * EXCERPT].decode("utf-8", "replace").strip()
    shown = " ".join(text.split())[:EXCERPT]
    return repr(shown) if shown else "(empty)"
