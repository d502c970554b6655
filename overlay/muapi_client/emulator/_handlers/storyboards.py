"""Storyboards: projects and what is in them.

Lives here: making, reading and deleting projects, episodes, scenes and shots that are there. Does not live here: the
jobs that fill them (``storyboard_jobs``).

A project holds episodes, they hold scenes, those hold shots; characters belong to the project. What a job makes is
there from its acceptance and can be seen once the job (``request_id``) has completed; a picture is an output
(``piece``) of a job that may be a later one (``picture_id``). A test key sees storyboards of its own, which
are no part of the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.messages import Refusal, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.records import Record, Records
    from muapi_client.emulator._state.world import World

PROJECTS: Final = "storyboard_projects"
CHARACTERS: Final = "storyboard_characters"
EPISODES: Final = "storyboard_episodes"
SCENES: Final = "storyboard_scenes"
SHOTS: Final = "storyboard_shots"
TASKS: Final = ("library", "scripts", "shots", "pdf")  # what can be generated for a project, in this order

_CHILDREN: Final = {  # what hangs on a record of a table, and by which field
    PROJECTS: ((EPISODES, "project_id"), (CHARACTERS, "project_id")),
    EPISODES: ((SCENES, "episode_id"),),
    SCENES: ((SHOTS, "scene_id"),),
}


# ---- What is there ---------------------------------------------------------------------------------------------------


def visible_records(world: World, checked: CheckedRequest) -> Records:
    """The records that this visitor sees."""
    return world.sandbox if checked.is_test else world.records


def find_record(world: World, checked: CheckedRequest, table: str, number: Any) -> Record:
    """The record of this id. Raises Refusal (404) when there is none."""
    record = visible_records(world, checked).get(table, int(number)) if number is not None else None
    if record is None:
        raise Refusal(404, "Not Found")
    return record


def add_project_record(world: World, checked: CheckedRequest, title: str, **facts: Any) -> Record:
    """A new project with its empty episodes."""
    body, records = checked.body, visible_records(world, checked)
    project = records.add(
        PROJECTS,
        title=title,
        prompt=checked.need("prompt"),
        num_episodes=int(body.get("num_episodes", 1)),
        target_duration_per_episode=body.get("target_duration_per_episode", 5.0),
        description=body.get("description"),
        created_at=world.timestamp,
        tasks={},
        **facts,
    )
    for index in range(1, project["num_episodes"] + 1):
        add_episode_record(records, project, index, project["target_duration_per_episode"])
    return project


def add_episode_record(
    records: Records, project: Record, index: int, seconds: float, description: str | None = None
) -> Record:
    """A new episode of ``project``, without a script."""
    facts = {"target_duration": seconds, "description": description, "script": None, "request_id": None}
    return records.add(EPISODES, project_id=project["id"], episode_index=index, **facts)


def list_scenes(records: Records, project: Record) -> list[Record]:
    """The scenes of ``project``, in order."""
    episodes = records.where(EPISODES, project_id=project["id"])
    return [scene for episode in episodes for scene in records.where(SCENES, episode_id=episode["id"])]


def list_project_shots(records: Records, project: Record) -> list[Record]:
    """The shots of ``project``, in order."""
    return [shot for scene in list_scenes(records, project) for shot in records.where(SHOTS, scene_id=scene["id"])]


def delete_record(records: Records, table: str, record: Record) -> None:
    """Forget ``record`` and all that hangs on it."""
    for child_table, by in _CHILDREN.get(table, ()):
        for child in records.where(child_table, **{by: record["id"]}):
            delete_record(records, child_table, child)
    records.delete(table, record)


def is_there(world: World, record: Record, now: float) -> bool:
    """Return whether ``record`` can be seen: the job that makes it has completed, or none does."""
    if record["request_id"] is None:
        return True
    job = world.jobs.get(record["request_id"])
    return job is not None and job.completed(now)


# ---- Answers ---------------------------------------------------------------------------------------------------------


def create_project(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects``: free, for nothing is generated yet."""
    project = add_project_record(world, checked, checked.need("title"), meta_data=checked.body.get("meta_data"))
    return Reply(_summarize(world, project, checked.now))


def list_projects(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects``: newest first."""
    every = visible_records(world, checked).where(PROJECTS)
    return Reply([_summarize(world, project, checked.now) for project in reversed(every)])


def get_project(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects/{id}``: with its episodes, and how far each task is."""
    one = _find_project(world, checked)
    episodes = visible_records(world, checked).where(EPISODES, project_id=one["id"])
    body = {
        **_summarize(world, one, checked.now),
        "meta_data": one.get("meta_data"),
        "tasks": {task: _describe_progress(world, one, task, checked.now) for task in TASKS},
        "episodes": [_describe_episode(world, episode, checked.now) for episode in episodes],
    }
    return Reply(body)


def get_library(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects/{id}/library``: the characters."""
    one = _find_project(world, checked)
    seen = [
        c
        for c in visible_records(world, checked).where(CHARACTERS, project_id=one["id"])
        if is_there(world, c, checked.now)
    ]
    fields = ("id", "name", "description")
    return _build_list(
        world, checked, one, "library", characters=[_describe_with_picture(world, c, fields, checked.now) for c in seen]
    )


def list_scripts(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects/{id}/scripts``: the episodes with their scenes."""
    one, records, episodes = _find_project(world, checked), visible_records(world, checked), list[dict[str, Any]]()
    for episode in records.where(EPISODES, project_id=one["id"]):
        scenes = [s for s in records.where(SCENES, episode_id=episode["id"]) if is_there(world, s, checked.now)]
        fields = ("id", "scene_index", "description")
        shown = [{name: scene[name] for name in fields} for scene in scenes]
        episodes.append({**_describe_episode(world, episode, checked.now), "scenes": shown})
    return _build_list(world, checked, one, "scripts", episodes=episodes)


def list_shots(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects/{id}/shots``: every shot with its picture."""
    one = _find_project(world, checked)
    seen = [
        shot for shot in list_project_shots(visible_records(world, checked), one) if is_there(world, shot, checked.now)
    ]
    fields = ("id", "scene_id", "shot_index", "description")
    return _build_list(
        world, checked, one, "shots", shots=[_describe_with_picture(world, shot, fields, checked.now) for shot in seen]
    )


def get_pdf(world: World, checked: CheckedRequest) -> Reply:
    """``GET storyboard-projects/{id}/pdf``: how far it is, and where."""
    one = _find_project(world, checked)
    job = _find_task(world, one, "pdf")
    url = _find_picture(job, 0, checked.now) if job is not None else None
    return _build_list(world, checked, one, "pdf", pdf_url=url)


def delete_project(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE storyboard-projects/{id}``: with all that is in it; jobs under way go on and stay charged."""
    return _delete(world, checked, PROJECTS, "id", "project")


def delete_episode(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE storyboard-episodes/{episode_id}``: with its scenes."""
    return _delete(world, checked, EPISODES, "episode_id", "episode")


def delete_scene(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE storyboard-scenes/{scene_id}``: with its shots."""
    return _delete(world, checked, SCENES, "scene_id", "scene")


def delete_shot(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE storyboard-shots/{shot_id}``."""
    return _delete(world, checked, SHOTS, "shot_id", "shot")


def _delete(world: World, checked: CheckedRequest, table: str, parameter: str, kind: str) -> Reply:
    record = find_record(world, checked, table, checked.parameters[parameter])
    delete_record(visible_records(world, checked), table, record)
    message = f"{kind.capitalize()} deleted"
    return Reply({"success": True, "message": message, "deleted_id": record["id"], "entity_type": kind})


def _find_project(world: World, checked: CheckedRequest) -> Record:
    return find_record(world, checked, PROJECTS, checked.parameters["id"])


def _summarize(world: World, one: Record, now: float) -> dict[str, Any]:
    fields = ("id", "title", "prompt", "num_episodes", "target_duration_per_episode", "description", "created_at")
    words = [_describe_progress(world, one, task, now) for task in TASKS]
    status = "processing" if "processing" in words else "completed" if "completed" in words else "draft"
    return {**{name: one[name] for name in fields}, "status": status}


def _build_list(world: World, checked: CheckedRequest, one: Record, task: str, **content: Any) -> Reply:
    return Reply({"project_id": one["id"], "status": _describe_progress(world, one, task, checked.now), **content})


def _describe_progress(world: World, one: Record, task: str, now: float) -> str:
    """How far a task is: not_started, processing, completed or failed."""
    job = _find_task(world, one, task)
    if job is None:
        return "not_started"
    return "completed" if job.completed(now) else "failed" if job.ended(now) else "processing"


def _find_task(world: World, one: Record, task: str) -> Job | None:
    return world.jobs.get(one["tasks"].get(task, ""))


def _describe_episode(world: World, episode: Record, now: float) -> dict[str, Any]:
    fields = ("id", "episode_index", "target_duration", "description")
    script = episode["script"] if is_there(world, episode, now) else None
    return {**{name: episode[name] for name in fields}, "script": script}


def _describe_with_picture(world: World, record: Record, fields: tuple[str, ...], now: float) -> dict[str, Any]:
    job = world.jobs.get(record["picture_id"])
    url = _find_picture(job, record["piece"], now) if job is not None else None
    return {**{name: record[name] for name in fields}, "image_url": url}


def _find_picture(job: Job, piece: int, now: float) -> str | None:
    """Where the file of a job stands that a record shows; ``None`` while or once there is none."""
    gone = not job.completed(now) or job.expired(now) or piece >= len(job.outputs)
    return None if gone else str(job.outputs[piece])
