"""Cloned voices.

Lives here: the five operations on them. Does not live here: cloning, which is an ordinary job
(``suno-voice-clone``): a voice is such a job of a live key, and its id is the job's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.messages import Refusal, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.records import Record
    from muapi_client.emulator._state.world import World

_CLONING: Final = "suno-voice-clone"
_TABLE: Final = "voices"  # what happened to a voice after its job: confirmed, refreshed, deleted


def list_voices(world: World, checked: CheckedRequest) -> Reply:
    """``GET suno-voices``: newest first."""
    found = [
        job for job in world.jobs.newest() if job.operation.slug == _CLONING and not _find_record(world, job)["deleted"]
    ]
    return Reply({"voices": [_describe(world, job, checked.now) for job in found]})


def check_voice(world: World, checked: CheckedRequest) -> Reply:
    """``POST suno-voices/{voice_db_id}/check``: whether it can be sung with."""
    voice = _describe(world, _find_voice(world, checked.parameters["voice_db_id"]), checked.now)
    return Reply({**voice, "available": voice["status"] == "ready"})


def refresh_voice(world: World, checked: CheckedRequest) -> Reply:
    """``POST suno-voices/{voice_db_id}/refresh``: the same voice, renewed."""
    job = _find_voice(world, checked.parameters["voice_db_id"])
    _update_record(world, job, refreshed_at=world.timestamp)
    return Reply(_describe(world, job, checked.now))


def delete_voice(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE suno-voices/{voice_db_id}``."""
    job = _find_voice(world, checked.parameters["voice_db_id"])
    _update_record(world, job, deleted=True)
    return Reply({"id": job.id, "deleted": True})


def confirm_voice(world: World, checked: CheckedRequest) -> Reply:
    """``POST suno-voice-clone/{request_id}/confirm``: the recording that proves whose voice it is."""
    job = _find_voice(world, checked.parameters["request_id"])
    if not job.completed(checked.now):
        raise Refusal(400, f"The voice is {job.status(checked.now)}: it can be confirmed once its cloning is completed")
    _update_record(world, job, audio_url=checked.need("audio_url"))
    return Reply({"request_id": job.id, **_describe(world, job, checked.now)})


def _find_voice(world: World, request_id: str) -> Job:
    job = world.jobs.get(request_id)
    if job is None or job.is_test or job.operation.slug != _CLONING or _find_record(world, job)["deleted"]:
        raise Refusal(404, "Not Found")
    return job


def _find_record(world: World, job: Job) -> Record:
    found = world.records.where(_TABLE, request_id=job.id)
    return found[0] if found else {"deleted": False, "audio_url": None, "refreshed_at": None}


def _update_record(world: World, job: Job, **facts: Any) -> None:
    later = _find_record(world, job)
    if "id" not in later:
        later = world.records.add(_TABLE, request_id=job.id, **later)
    later.update(facts)


def _describe(world: World, job: Job, now: float) -> dict[str, Any]:
    later = _find_record(world, job)
    return {
        "id": job.id,
        "voice_id": f"voice-{job.id[:8]}",
        "name": job.body.get("voice_name") or "Unnamed",
        "status": _status(job, later, now),
        "created_at": job.created_at,
        "refreshed_at": later["refreshed_at"],
    }


def _status(job: Job, later: Record, now: float) -> str:
    if not job.ended(now):
        return "processing"
    if not job.completed(now):
        return "failed"
    return "ready" if later["audio_url"] else "awaiting_confirmation"
