"""What an answer says of a job. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from muapi_client._protocol.cost_headers import balance_from_headers, read_cost
from muapi_client._protocol.response import BY_STATUS, OK, REFUSED, peek
from muapi_client._types.outputs import LINKS, has_output, read_outputs
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import JobState, meaning
from muapi_client._types.words import read_error, writable

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Reply


TRANSPORTS: Final = frozenset({*BY_STATUS, 408, 425})  # there {"status": "error"} is an envelope's word


def read_prediction(reply: Reply, *, request_id: str | None) -> Prediction | None:
    """What an answer says of a job, or None where it is about something else than this job.

    A failed job mostly arrives as HTTP 400 whose ``detail`` is the result (observed): a job's end, no transport
    error. So a 4xx is read as a prediction when its ``detail`` names the job or tells a status that ends one.
    """
    body = peek(reply)
    if reply.status in OK and isinstance(body, Mapping):
        answer = _unwrap(body)
        return _prediction(reply, answer, request_id) if _speaks_of_a_job(answer) or read_outputs(answer) else None
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


def _is_output(answer: Mapping[str, Any]) -> bool:
    """Whether an object is one of a job's outputs, which may have ids of their own, rather than the job."""
    return "status" not in answer and any(isinstance(answer.get(name), str) for name in LINKS)


def _speaks_of_a_job(answer: Any) -> bool:
    if not isinstance(answer, Mapping):
        return False
    words = (read_id(answer), answer.get("status"), read_error(answer))
    return any(words) or any(has_output(answer.get(place)) for place in ("outputs", "output", "images"))


def _ends_a_job(detail: Mapping[str, Any], request_id: str | None, *, named_only: bool) -> bool:
    named = read_id(detail)
    if named_only and named is None:
        return False
    names_it = named is not None and named == request_id
    return meaning(detail.get("status")) is not JobState.RUNNING or (names_it and bool(read_error(detail)))


def _prediction(reply: Reply, answer: Mapping[str, Any], request_id: str | None) -> Prediction:
    cost, dispute = read_cost(reply.headers, answer)
    named = read_id(answer)
    warnings = [dispute] if dispute else []
    outputs = read_outputs(answer)
    status = answer.get("status")
    word = status if isinstance(status, str) else ""
    if meaning(word) is JobState.DONE and not outputs:
        warnings.append("the job completed without outputs")
    return Prediction(
        id=request_id or named,
        status=word or ("completed" if outputs else ""),
        outputs=outputs,
        cost=cost,
        error=read_error(answer),
        balance=balance_from_headers(reply.headers),
        warnings=tuple(warnings),
        raw=answer,
        status_code=reply.status,
    )


def is_final(prediction: Prediction) -> bool:
    """Whether a submit's answer is the result. A bare "success" with an id may only mean: accepted."""
    return prediction.state in (JobState.FAILED, JobState.CANCELLED) or (prediction.done and bool(prediction.outputs))


def names_another(prediction: Prediction) -> bool:
    """Whether an answer is about a job other than the one asked for."""
    named = read_id(prediction.raw) if isinstance(prediction.raw, Mapping) else None
    return named is not None and prediction.id is not None and named != prediction.id


def read_id(answer: Mapping[str, Any]) -> str | None:
    """The request id, under the names it has been seen by; ``request_id`` is the documented one."""
    for name in ("request_id", "id"):
        value = answer.get(name)
        if isinstance(value, str) and value and writable(value) == value:  # half a character names nothing
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None
