"""The same jobs, spoken of as fal's queue does, so that fal-client can be counted under the same faults. Pure."""

from __future__ import annotations

from typing import Final

from truth import Answer, Job, ServerRecord

ROOT: Final = "/fal/"  # a submit is POST /fal/<app>, a look GET /fal/requests/<id>[/status]


def submitted(job: Job, url: str) -> Answer:
    """What a submit is answered."""
    here = f"{url}{ROOT}requests/{job.id}"
    return Answer(
        200,
        {
            "request_id": job.id,
            "response_url": here,
            "status_url": f"{here}/status",
            "cancel_url": f"{here}/cancel",
            "status": "IN_QUEUE",
            "queue_position": 0,
        },
    )


def subject(path: str) -> str:
    """The job a look is about."""
    return path.removeprefix(f"{ROOT}requests/").split("/")[0].split("?")[0]


def look(truth: ServerRecord, path: str) -> Answer:
    """What a look at the status, or at the result, is answered."""
    told = truth.look(subject(path))
    if told.status == 404:
        return told
    running = told.status == 200 and told.body["status"] == "processing"
    if path.endswith("/status"):
        return Answer(200, {"status": "IN_PROGRESS" if running else "COMPLETED", "logs": None, "metrics": {}})
    if told.status == 200 and told.body["status"] == "completed":
        return Answer(200, {"images": [{"url": told.body["outputs"][0]}]})
    return Answer(422, {"detail": [{"loc": ["body"], "msg": "the model gave up", "type": "failed"}]})
