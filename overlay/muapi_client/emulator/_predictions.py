"""Jobs looked at: one result, the history, deletion.

Lives here: the operations on jobs that were submitted earlier. Does not live here: how a result is laid out.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._answers import result, result_body, stamp
from muapi_client.emulator._exchanges import Refusal, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._jobs import Job
    from muapi_client.emulator._world import Visit, World

_PAGE: Final = 30  # the document's default of `limit`


def look(world: World, visit: Visit) -> Reply:
    """``GET predictions/{id}/result``."""
    return result(_job(world, visit), visit.now)


def delete_media(world: World, visit: Visit) -> Reply:
    """``DELETE predictions/{id}/media``: the outputs go, with ``delete_record=true`` the whole record."""
    job = _job(world, visit)
    job.outputs = ()
    if visit.query.get("delete_record", False):
        world.jobs.delete(job)
    return Reply({"id": job.id, "deleted": True})


def history(world: World, visit: Visit) -> Reply:
    """``GET history``: live jobs, newest first; a cursor keeps its place while new jobs come in."""
    limit = visit.query.get("limit", _PAGE)
    jobs = list(islice(world.jobs.newest(_before(visit.query.get("cursor"))), limit + 1))
    page, more = jobs[:limit], len(jobs) > limit
    cursor = str(page[-1].number) if more else None
    return Reply({"items": [_item(job, visit.now) for job in page], "next_cursor": cursor})


def _job(world: World, visit: Visit) -> Job:
    job = world.jobs.get(visit.parameters["id"])
    if job is None:
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
        "model": job.operation.name,
        "endpoint": job.operation.slug,
        "created_at": stamp(job.accepted_at),
    }
