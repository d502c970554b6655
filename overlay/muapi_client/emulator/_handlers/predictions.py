"""Jobs looked at: one result, the history, deletion.

Lives here: the operations on jobs that were submitted earlier. Does not live here: how a result is laid out.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._handlers.result_bodies import result, result_body
from muapi_client.emulator._messages.messages import Refusal, Reply, live_only

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import Visit
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.world import World

_FIRST_LOG_ID: Final = 1_000_001
_PAGE: Final = 30  # the document's default of `limit`


def look(world: World, visit: Visit) -> Reply:
    """``GET predictions/{id}/result``."""
    return result(_job(world, visit), visit.now)


def delete_media(world: World, visit: Visit) -> Reply:
    """``DELETE predictions/{id}/media``: the outputs go, with ``delete_record=true`` the whole record."""
    job = _job(world, visit)
    if visit.is_test and not job.is_test:
        raise live_only()
    world.jobs.delete_media(job)
    if visit.query.get("delete_record", False):
        world.jobs.delete(job)
    return Reply({"id": job.id, "deleted": True})


def usage_log(world: World, visit: Visit) -> Reply:
    """``GET get-usage-log-id/{request_id}``: every live job has one, and keeps it when its result expires."""
    job = world.jobs.get(visit.parameters["request_id"])
    if job is None or job.is_test:
        raise Refusal(404, "Not Found")
    return Reply({"usage_log_id": usage_log_id(job), "request_id": job.id, "status": job.status(visit.now)})


def usage_log_id(job: Job) -> str:
    """The id of a live job in the account's usage log."""
    return str(_FIRST_LOG_ID + job.number)


def history(world: World, visit: Visit) -> Reply:
    """``GET history``: live jobs, newest first; a cursor keeps its place while new jobs come in."""
    limit = visit.query.get("limit", _PAGE)
    jobs = list(islice(world.jobs.newest(_before(visit.query.get("cursor"))), limit + 1))
    page, more = jobs[:limit], len(jobs) > limit
    cursor = str(page[-1].number) if more else None
    return Reply({"items": [_item(job, visit.now) for job in page], "next_cursor": cursor})


def _job(world: World, visit: Visit) -> Job:
    job = world.jobs.get(visit.parameters["id"])
    if job is None or job.expired(visit.now):
        raise Refusal(404, "Not Found")
    return job


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit()):
        raise Refusal(400, "Invalid cursor: pass a next_cursor as it was given")
    return int(cursor)


def _item(job: Job, now: float) -> dict[str, Any]:
    return {
        **result_body(job, now),
        "usage_log_id": usage_log_id(job),
        "model": job.operation.name,
        "endpoint": job.operation.slug,
        "created_at": job.created_at,
    }
