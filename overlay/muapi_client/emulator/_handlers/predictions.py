"""Jobs looked at: one result, the history, deletion.

Lives here: the operations on jobs that were submitted earlier. Does not live here: how a result is laid out.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._handlers.result_bodies import build_result, build_result_body
from muapi_client.emulator._messages.messages import Refusal, Reply, live_key_error

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.world import World

_FIRST_LOG_ID: Final = 1_000_001
_PAGE: Final = 30  # the document's default of `limit`
_CURSOR_DIGITS: Final = 18


def get_result(world: World, checked: CheckedRequest) -> Reply:
    """``GET predictions/{id}/result``."""
    return build_result(_find_job(world, checked), checked.now)


def delete_media(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE predictions/{id}/media``: the outputs go, with ``delete_record=true`` the whole record."""
    job = _find_job(world, checked)
    if checked.is_test and not job.is_test:
        raise live_key_error()
    world.jobs.delete_media(job)
    if checked.query.get("delete_record", False):
        world.jobs.delete(job)
    return Reply({"id": job.id, "deleted": True})


def get_usage_log(world: World, checked: CheckedRequest) -> Reply:
    """``GET get-usage-log-id/{request_id}``: every live job has one, and keeps it when its result expires."""
    job = world.jobs.get(checked.parameters["request_id"])
    if job is None or job.is_test:
        raise Refusal(404, "Not Found")
    return Reply({"usage_log_id": usage_log_id(job), "request_id": job.id, "status": job.status(checked.now)})


def usage_log_id(job: Job) -> str:
    """The id of a live job in the account's usage log."""
    return str(_FIRST_LOG_ID + job.number)


def list_history(world: World, checked: CheckedRequest) -> Reply:
    """``GET history``: live jobs, newest first; a cursor keeps its place while new jobs come in."""
    limit = checked.query.get("limit", _PAGE)
    jobs = list(islice(world.jobs.newest(_read_cursor(checked.query.get("cursor"))), limit + 1))
    page, more = jobs[:limit], len(jobs) > limit
    cursor = str(page[-1].number) if more else None
    return Reply({"items": [_build_item(job, checked.now) for job in page], "next_cursor": cursor})


def _find_job(world: World, checked: CheckedRequest) -> Job:
    job = world.jobs.get(checked.parameters["id"])
    if job is None or job.expired(checked.now):
        raise Refusal(404, "Not Found")
    return job


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_DIGITS):
        raise Refusal(400, "Invalid cursor: pass a next_cursor as it was given")
    return int(cursor)


def _build_item(job: Job, now: float) -> dict[str, Any]:
    return {
        **build_result_body(job, now),
        "usage_log_id": usage_log_id(job),
        "model": job.operation.name,
        "endpoint": job.operation.slug,
        "created_at": job.created_at,
    }
