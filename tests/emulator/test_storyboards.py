"""Storyboards: projects that fill up, piece by piece, for a price."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import needs_bodies

from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FILM = {"title": "Fox", "prompt": "a fox in snow", "num_episodes": 2}
pytestmark = needs_bodies(
    {
        "storyboard-projects": FILM,
        "storyboard-projects/generate": {"prompt": "a fox", "sync": True, "num_episodes": 1.0},
        "storyboard-projects/{id}/generate-library": {},
        "storyboard-projects/{id}/generate-scripts": {},
        "storyboard-projects/{id}/generate-shots": {},
        "storyboard-projects/{id}/generate-pdf": {},
        "storyboard-episodes/add": {"project_id": 1, "episode_index": 3},
        "storyboard-scenes/add": {"project_id": 1, "episode_index": 3, "scene_index": 1},
        "storyboard-shots/add": {
            "project_id": 1, "episode_index": 3, "scene_index": 1, "shot_index": 1, "description": "snow",
        },
        "storyboard-characters/{character_id}/regenerate": {"description": "older"},
        "storyboard-shots/{shot_id}/regenerate": {"description": "ice"},
    }
)  # fmt: skip


def project(send: Callable[..., Any]) -> str:
    return f"storyboard-projects/{send('POST', 'storyboard-projects', json=FILM).json()['id']}"


def fill(emulator: Emulator, send: Callable[..., Any], path: str, *tasks: str) -> list[str]:
    """Generate these, one after the other; the request ids."""
    ids = []
    for task in tasks:
        answer = send("POST", f"{path}/generate-{task}", json={})
        assert answer.status_code == 200, answer.text
        ids.append(answer.json()["request_id"])
        emulator.clock.sleep(100)
    return ids


def test_a_project_from_nothing_to_a_pdf(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    path = project(send)
    assert send("GET", path).json()["status"] == "draft"
    assert emulator.charged_usd == 0
    fill(emulator, send, path, "library", "scripts", "shots", "pdf")
    characters = send("GET", f"{path}/library").json()["characters"]
    episodes = send("GET", f"{path}/scripts").json()["episodes"]
    shots = send("GET", f"{path}/shots").json()["shots"]
    pdf = send("GET", f"{path}/pdf").json()
    assert (len(characters), len(episodes), len(shots)) == (2, 2, 4)
    assert [len(episode["scenes"]) for episode in episodes] == [2, 2]
    assert all(episode["script"] for episode in episodes)
    assert {shot["scene_id"] for shot in shots} == {scene["id"] for one in episodes for scene in one["scenes"]}
    for url in [*(one["image_url"] for one in [*characters, *shots]), pdf["pdf_url"]]:
        assert send("GET", url).status_code == 200
    assert send("GET", path).json()["status"] == "completed"
    assert [one["status"] for one in send("GET", "storyboard-projects").json()] == ["completed"]
    # two pictures, two scripts, four pictures, one PDF
    assert emulator.charged_usd == 6 * Decimal("0.03") + 3 * Decimal("0.002")
    assert emulator.accepted == 4


def test_what_is_under_way_is_not_there_yet(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10)
    send = connect(emulator)
    path = project(send)
    request_id = send("POST", f"{path}/generate-library", json={}).json()["request_id"]
    assert send("GET", f"{path}/library").json() == {"project_id": 1, "status": "processing", "characters": []}
    assert send("POST", f"{path}/generate-shots", json={}).status_code == 400
    assert emulator.accepted == 1
    emulator.clock.sleep(10)
    assert send("GET", f"predictions/{request_id}/result").json()["status"] == "completed"
    assert len(send("GET", f"{path}/library").json()["characters"]) == 2


def test_a_failed_task_leaves_nothing_and_is_refunded(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.failed("no ideas")])
    send = connect(emulator)
    path = project(send)
    fill(emulator, send, path, "library")
    assert send("GET", f"{path}/library").json() == {"project_id": 1, "status": "failed", "characters": []}
    assert emulator.charged_usd == 0


def test_a_whole_project_at_once_and_in_time(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    done = send("POST", "storyboard-projects/generate", json={"prompt": "a fox", "sync": True}).json()
    assert (done["status"], len(done["outputs"])) == ("completed", 4)
    assert len(send("GET", f"storyboard-projects/{done['project_id']}/shots").json()["shots"]) == 2
    later = send("POST", "storyboard-projects/generate", json={"prompt": "a bear"}).json()
    assert later["status"] == "queued"
    assert send("GET", f"storyboard-projects/{later['project_id']}").json()["status"] == "processing"
    emulator.clock.sleep(100)
    assert send("GET", f"storyboard-projects/{later['project_id']}").json()["status"] == "completed"


def test_pieces_are_added_regenerated_and_deleted(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    path = project(send)
    fill(emulator, send, path, "library", "scripts", "shots")
    episode = send("POST", "storyboard-episodes/add", json={"project_id": 1, "episode_index": 3}).json()
    by_index = {"project_id": 1, "episode_index": 3, "scene_index": 1}
    scene = send("POST", "storyboard-scenes/add", json=by_index).json()
    shot = send("POST", "storyboard-shots/add", json={**by_index, "shot_index": 1, "description": "snow"}).json()
    assert (scene["episode_id"], shot["scene_id"]) == (episode["episode_id"], scene["scene_id"])
    emulator.clock.sleep(100)
    (added,) = [one for one in send("GET", f"{path}/shots").json()["shots"] if one["id"] == shot["shot_id"]]
    assert added["description"] == "snow"
    again = send("POST", f"storyboard-shots/{added['id']}/regenerate", json={"description": "ice"}).json()
    emulator.clock.sleep(100)
    (renewed,) = [one for one in send("GET", f"{path}/shots").json()["shots"] if one["id"] == added["id"]]
    assert (renewed["description"], renewed["image_url"] == added["image_url"]) == ("ice", False)
    assert again["request_id"] in renewed["image_url"]
    deleted = send("DELETE", f"storyboard-scenes/{scene['scene_id']}").json()
    assert deleted == {
        "success": True,
        "message": "Scene deleted",
        "deleted_id": scene["scene_id"],
        "entity_type": "scene",
    }
    assert send("DELETE", f"storyboard-shots/{added['id']}").status_code == 404
    assert send("DELETE", path).status_code == 200
    assert send("GET", path).status_code == 404
    assert send("DELETE", f"storyboard-episodes/{episode['episode_id']}").status_code == 404


def test_a_character_is_regenerated(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    path = project(send)
    fill(emulator, send, path, "library")
    one = send("GET", f"{path}/library").json()["characters"][0]
    send("POST", f"storyboard-characters/{one['id']}/regenerate", json={"description": "older"})
    during = send("GET", f"{path}/library").json()["characters"][0]
    assert (during["description"], during["image_url"]) == ("older", None)
    emulator.clock.sleep(100)
    after = send("GET", f"{path}/library").json()["characters"][0]
    assert after["image_url"] not in {None, one["image_url"]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "storyboard-projects/7", None),
        ("GET", "storyboard-projects/7/pdf", None),
        ("POST", "storyboard-projects/7/generate-pdf", {}),
        ("DELETE", "storyboard-shots/7", None),
        ("POST", "storyboard-characters/7/regenerate", {"description": "x"}),
        ("POST", "storyboard-episodes/add", {"project_id": 7, "episode_index": 1}),
        ("POST", "storyboard-scenes/add", {"scene_index": 1}),
        ("POST", "storyboard-shots/add", {"shot_index": 1}),
    ],
)
def test_what_is_not_there_is_not_found_and_not_charged(
    method: str, path: str, body: Any, connect: Callable[..., Any]
) -> None:
    emulator = Emulator()
    assert connect(emulator)(method, path, json=body).status_code == 404
    assert emulator.accepted == 0


def test_an_empty_account_cannot_fill_a_project(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=0)
    send = connect(emulator)
    assert send("POST", f"{project(send)}/generate-library", json={}).status_code == 402
    assert send("GET", "storyboard-projects/1/library").json()["status"] == "not_started"


def test_a_test_key_has_storyboards_of_its_own(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send, live = connect(emulator, "sk-test"), connect(emulator)
    path = project(send)
    for task in ("library", "scripts", "shots"):
        assert send("POST", f"{path}/generate-{task}", json={}).json()["status"] == "completed"
    url = send("GET", f"{path}/shots").json()["shots"][0]["image_url"]
    assert url.startswith("https://d3adwkbyhxyrtq.cloudfront.net/webassets/")
    assert send("GET", url).status_code == 200
    assert live("GET", "storyboard-projects").json() == []
    assert (emulator.accepted, emulator.charged_usd) == (0, 0)


def test_a_number_of_episodes_may_be_written_as_json_likes(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    assert send("POST", "storyboard-projects", json={**FILM, "num_episodes": 2.0}).json()["num_episodes"] == 2
    assert send("POST", "storyboard-projects/generate", json={"prompt": "a fox", "num_episodes": 1.0}).is_success
