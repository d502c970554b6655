"""The jobs of a storyboard: what fills a project, and what it costs.

Lives here: the operations that begin a job, their prices, and what each leaves in the project. Does not live here:
reading the project (``storyboards``), the job's life (``submissions``, ``_state/jobs``).

No price of these is known; each piece costs what the emulator takes for one of its kind (``_prices.DEFAULTS``):
a text a script, a picture a character or shot, a text a PDF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._handlers.outputs import files
from muapi_client.emulator._handlers.result_bodies import build_inline_result
from muapi_client.emulator._handlers.storyboards import (
    CHARACTERS,
    EPISODES,
    PROJECTS,
    SCENES,
    SHOTS,
    add_episode_record,
    add_project_record,
    delete_record,
    find_record,
    is_there,
    list_project_shots,
    list_scenes,
    visible_records,
)
from muapi_client.emulator._handlers.submissions import begin_job
from muapi_client.emulator._messages.addresses import SAMPLES
from muapi_client.emulator._messages.messages import Refusal, Reply
from muapi_client.emulator._spec.prices import DEFAULTS

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.jobs import Job
    from muapi_client.emulator._state.records import Record, Records
    from muapi_client.emulator._state.world import World

_CAST: Final = ("The hero", "The friend")  # the characters of every library
_SCENES: Final = 2  # an episode, when scripts are generated
_SAMPLE_PDF: Final = (f"{SAMPLES}/webassets/storyboards/sample.pdf",)
_TITLE: Final = 60  # characters of a prompt that become the title of a project without one


# ---- A whole project -------------------------------------------------------------------------------------------------


def generate_project(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects/generate``: a project with library, scripts and shots, in one job."""
    title = str(checked.need("prompt"))[:_TITLE]
    episodes = int(checked.body.get("num_episodes", 1))  # JSON may write 1 as 1.0
    job = _begin_pictures(world, checked, len(_CAST) + episodes * _SCENES, texts=episodes)
    project = add_project_record(world, checked, title)
    records = visible_records(world, checked)
    project["tasks"] = dict.fromkeys(("library", "scripts", "shots"), job.id)
    _fill_library(records, project, job)
    _fill_scripts(records, project, job)
    _fill_shots(records, list_scenes(records, project), job, first=len(_CAST))
    return _answer_project(world, checked, job, project)


def generate_library(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects/{id}/generate-library``: the characters, anew."""
    project = _find_project(world, checked)
    job = _begin_pictures(world, checked, len(_CAST))
    _clear(visible_records(world, checked), CHARACTERS, project_id=project["id"])
    _fill_library(visible_records(world, checked), project, job)
    return _answer_task(world, checked, job, project, "library")


def generate_scripts(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects/{id}/generate-scripts``: a script and scenes for each episode, in place of others."""
    project, records = _find_project(world, checked), visible_records(world, checked)
    job = _begin_texts(world, checked, len(records.where(EPISODES, project_id=project["id"])))
    for scene in list_scenes(records, project):
        delete_record(records, SCENES, scene)
    _fill_scripts(records, project, job)
    return _answer_task(world, checked, job, project, "scripts")


def generate_shots(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects/{id}/generate-shots``: one for each scene, in place of others."""
    project, records = _find_project(world, checked), visible_records(world, checked)
    scenes = [scene for scene in list_scenes(records, project) if is_there(world, scene, checked.now)]
    if not scenes:
        raise Refusal(400, "The project has no scenes: generate its scripts first, and wait for them")
    job = _begin_pictures(world, checked, len(scenes))
    for shot in list_project_shots(records, project):
        records.delete(SHOTS, shot)
    _fill_shots(records, scenes, job)
    return _answer_task(world, checked, job, project, "shots")


def generate_pdf(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-projects/{id}/generate-pdf``."""
    project = _find_project(world, checked)
    job = begin_job(
        world, checked, usd=DEFAULTS["text"], make=lambda request_id: files(request_id, 1, "pdf"), sample=_SAMPLE_PDF
    )
    return _answer_task(world, checked, job, project, "pdf")


# ---- One piece -------------------------------------------------------------------------------------------------------


def add_episode(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-episodes/add``: with a script."""
    body = checked.body
    project = find_record(world, checked, PROJECTS, checked.need("project_id"))
    index = checked.need("episode_index")
    job = _begin_texts(world, checked, 1)
    seconds = body.get("target_duration", 5.0)
    episode = add_episode_record(
        visible_records(world, checked), project, index, seconds, description=body.get("description")
    )
    episode |= {"request_id": job.id, "script": _write_script(episode)}
    return _answer_piece(checked, job, "Episode added", episode_id=episode["id"], project_id=project["id"])


def add_scene(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-scenes/add``: to an episode by its id, or by its project and index."""
    body, records = checked.body, visible_records(world, checked)
    episode, index = _find_episode(world, checked), checked.need("scene_index")
    job = _begin_texts(world, checked, 1)
    scene = _add_scene(records, episode, index, job, body.get("description"))
    return _answer_piece(checked, job, "Scene added", scene_id=scene["id"], episode_id=episode["id"])


def add_shot(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-shots/add``: to a scene by its id, or by project, episode index and scene index."""
    body, records = checked.body, visible_records(world, checked)
    if body.get("scene_id") is not None:
        scene = find_record(world, checked, SCENES, body["scene_id"])
    else:
        episode = _find_episode(world, checked)
        scene = _take_first(records.where(SCENES, episode_id=episode["id"], scene_index=body.get("scene_index")))
    index = checked.need("shot_index")
    job = _begin_pictures(world, checked, 1)
    shot = _add_shot(records, scene, job, index=index, description=body.get("description"))
    return _answer_piece(checked, job, "Shot added", shot_id=shot["id"], scene_id=scene["id"])


def regenerate_shot(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-shots/{shot_id}/regenerate``: another picture, and another description if one is given."""
    shot = find_record(world, checked, SHOTS, checked.parameters["shot_id"])
    job = _begin_pictures(world, checked, 1)
    shot |= {"picture_id": job.id, "piece": 0, "description": checked.body.get("description") or shot["description"]}
    return _answer_piece(checked, job, "Shot regeneration started", shot_id=shot["id"], scene_id=shot["scene_id"])


def regenerate_character(world: World, checked: CheckedRequest) -> Reply:
    """``POST storyboard-characters/{character_id}/regenerate``: another picture, to another description."""
    character = find_record(world, checked, CHARACTERS, checked.parameters["character_id"])
    description = checked.need("description")
    job = _begin_pictures(world, checked, 1)
    character |= {"picture_id": job.id, "piece": 0, "description": description}
    return _answer_piece(checked, job, "Character regeneration started", character_id=character["id"])


# ---- Jobs ------------------------------------------------------------------------------------------------------------


def _begin_pictures(world: World, checked: CheckedRequest, pieces: int, texts: int = 0) -> Job:
    usd = DEFAULTS["image"] * pieces + DEFAULTS["text"] * texts
    sample = tuple(f"{SAMPLES}/webassets/storyboards/{number}.png" for number in range(1, pieces + 1))
    return begin_job(world, checked, usd=usd, make=lambda request_id: files(request_id, pieces, "png"), sample=sample)


def _begin_texts(world: World, checked: CheckedRequest, pieces: int) -> Job:
    made = tuple(f"Script {number}" for number in range(1, pieces + 1))
    return begin_job(world, checked, usd=DEFAULTS["text"] * pieces, make=lambda _id: made, sample=made)


def _answer_task(world: World, checked: CheckedRequest, job: Job, project: Record, task: str) -> Reply:
    project["tasks"][task] = job.id
    return _answer_project(world, checked, job, project)


def _answer_project(world: World, checked: CheckedRequest, job: Job, project: Record) -> Reply:
    """The declared answer, or with ``sync`` the finished result with the project's ids beside it."""
    ids = {"storyboard_id": project["id"], "project_id": project["id"], "request_id": job.id}
    if job.inline and not job.is_test:
        finished = build_inline_result(job, checked.now)
        return Reply({**finished.body, **ids} if finished.status == 200 else finished.body, job.cost, finished.status)  # noqa: PLR2004 - HTTP's own
    world.settle(checked.now)
    return Reply({**ids, "status": job.status(checked.now), "cost": job.cost.body()}, job.cost)


def _answer_piece(checked: CheckedRequest, job: Job, message: str, **ids: int) -> Reply:
    body = {"request_id": job.id, **ids, "status": job.status(checked.now), "message": message, "cost": job.cost.body()}
    return Reply(body, job.cost)


# ---- What they leave -------------------------------------------------------------------------------------------------


def _fill_library(records: Records, project: Record, job: Job) -> None:
    for piece, name in enumerate(_CAST):
        described = f"{name} of {project['title']}"
        records.add(
            CHARACTERS, project_id=project["id"], name=name, description=described, **_picture_fields(job, piece)
        )


def _fill_scripts(records: Records, project: Record, job: Job) -> None:
    for episode in records.where(EPISODES, project_id=project["id"]):
        episode |= {"request_id": job.id, "script": _write_script(episode)}
        for index in range(1, _SCENES + 1):
            _add_scene(records, episode, index, job, None)


def _fill_shots(records: Records, scenes: list[Record], job: Job, first: int = 0) -> None:
    for piece, scene in enumerate(scenes, first):
        _add_shot(records, scene, job, piece=piece)


def _add_scene(records: Records, episode: Record, index: int, job: Job, description: str | None) -> Record:
    description = description or f"Scene {index} of episode {episode['episode_index']}"
    return records.add(SCENES, episode_id=episode["id"], scene_index=index, description=description, request_id=job.id)


def _add_shot(
    records: Records, scene: Record, job: Job, *, index: int = 1, piece: int = 0, description: str | None = None
) -> Record:
    description = description or f"Shot {index} of scene {scene['scene_index']}"
    return records.add(
        SHOTS, scene_id=scene["id"], shot_index=index, description=description, **_picture_fields(job, piece)
    )


def _picture_fields(job: Job, piece: int) -> dict[str, Any]:
    return {"request_id": job.id, "picture_id": job.id, "piece": piece}


def _write_script(episode: Record) -> str:
    return f"Episode {episode['episode_index']}, {episode['target_duration']:g} s."


def _clear(records: Records, table: str, **facts: Any) -> None:
    for record in records.where(table, **facts):
        records.delete(table, record)


# ---- Which one is meant ----------------------------------------------------------------------------------------------


def _find_project(world: World, checked: CheckedRequest) -> Record:
    return find_record(world, checked, PROJECTS, checked.parameters["id"])


def _find_episode(world: World, checked: CheckedRequest) -> Record:
    body = checked.body
    if body.get("episode_id") is not None:
        return find_record(world, checked, EPISODES, body["episode_id"])
    project = find_record(world, checked, PROJECTS, body.get("project_id"))
    index = body.get("episode_index")
    return _take_first(visible_records(world, checked).where(EPISODES, project_id=project["id"], episode_index=index))


def _take_first(records: list[Record]) -> Record:
    if not records:
        raise Refusal(404, "Not Found")
    return records[0]
