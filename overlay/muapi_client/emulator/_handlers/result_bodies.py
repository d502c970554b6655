"""How a job's answers look, documented or observed: pure functions of a job, its shape and the time.

Lives here: the body of a submit and of a result, and which HTTP status carries them. Does not live here:
deciding anything about the job.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.addresses import API, rewrite_urls
from muapi_client.emulator._messages.messages import Reply

if TYPE_CHECKING:
    from muapi_client.emulator._spec.kinds import Kind
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.outcomes import Shape

_URL_FIELDS: Final[dict[Kind, str]] = {"image": "image_url", "video": "video_url"}


def build_acceptance(job: Job) -> Reply:
    """The answer to the submit of a job that has only begun."""
    cost = _cost_fields(job)
    if job.shape.submit == "bare":
        return _build_reply(job, {"request_id": job.id})
    name = "id" if job.shape.submit == "id" else "request_id"
    body = {name: job.id, "status": job.shape.running[0], **cost}
    return _build_reply(job, {"data": body} if job.shape.submit == "data" else body)


def build_inline_result(job: Job, now: float) -> Reply:
    """The answer to the submit of a job that is finished already."""
    body = build_result_body(job, now)
    if not job.shape.inline_id:
        del body["id"]
    elif job.shape.submit != "id":
        body = {"request_id": job.id, **body}
    if _is_failure(job):
        return _build_failure(job, body)
    return _build_reply(job, {"data": body} if job.shape.submit == "data" else body)


def build_result(job: Job, now: float) -> Reply:
    """The answer to a look."""
    body = build_result_body(job, now)
    return _build_failure(job, body) if job.ended(now) and _is_failure(job) else _build_reply(job, body)


def build_result_body(job: Job, now: float) -> dict[str, Any]:
    """The result payload at ``now``: ``{id, status, outputs, cost, …}``, addressed as the submitter was."""
    ended = job.ended(now)
    outputs = job.outputs if ended and not job.expired(now) else ()
    body: dict[str, Any] = {"id": job.id, "status": job.status(now)}
    body[job.shape.under] = lay_out(outputs, job.shape, job.operation.kind)
    if ended and (job.outcome.end == "failed" or job.outcome.error is not None):  # the documented answers have none
        body["error"] = job.outcome.error
    body = {**body, **_cost_fields(job), **(_extra_fields(job, ended=ended) if job.shape.extras else {})}
    if not job.base:
        return body
    there: dict[str, Any] = json.loads(rewrite_urls(json.dumps(body).encode(), job.base))
    return there


def lay_out(outputs: tuple[Any, ...], shape: Shape, kind: Kind) -> Any:
    """``outputs`` in the form that ``shape`` asks for."""
    if shape.outputs in {"objects", "object"}:
        outputs = tuple(_wrap_output(output, "url") for output in outputs)
    elif shape.outputs == "typed_objects":
        outputs = tuple(_wrap_output(output, _URL_FIELDS.get(kind, "url")) for output in outputs)
    if shape.outputs in {"string", "object"}:
        return outputs[0] if outputs else None
    return list(outputs)


def _wrap_output(output: Any, url_field: str) -> Any:
    if not isinstance(output, str):
        return output
    return {url_field if output.startswith("https://") else "value": output}


def _is_failure(job: Job) -> bool:
    return job.outcome.end == "failed" and job.shape.failure == "http_400"


def _build_failure(job: Job, body: dict[str, Any]) -> Reply:
    """A failed job as a permanent HTTP 400; the cost is then told by the headers alone."""
    detail = {name: body[name] for name in ("id", "status", "error") if name in body}
    return _build_reply(job, {"detail": detail}, status=400)


def _build_reply(job: Job, body: Any, *, status: int = 200) -> Reply:
    return Reply(body, job.cost if job.shape.costs in {"both", "headers"} else None, status)


def _cost_fields(job: Job) -> dict[str, Any]:
    return {"cost": job.cost.body()} if job.shape.costs in {"both", "body"} else {}


def _extra_fields(job: Job, *, ended: bool) -> dict[str, Any]:
    extras: dict[str, Any] = {
        "urls": {"get": f"{API}/api/v1/predictions/{job.id}/result"},
        "created_at": job.created_at,
        "has_nsfw_contents": [False for _ in job.outputs] if ended else [],
    }
    if ended:
        extras["executionTime"] = round(job.seconds * 1000)
        extras["timings"] = {"inference": job.seconds}
    return extras
