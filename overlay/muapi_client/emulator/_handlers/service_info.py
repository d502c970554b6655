"""Service information for everybody: skills for agents, changes, workflow templates.

Lives here: the four operations and what they tell; the words are the emulator's own. None takes a key.
Does not live here: the price list (``models``), the OpenAPI document (``_spec/published``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.messages import Refusal, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.world import World

_SKILLS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "generate-media",
        "description": "Make pictures, videos and sounds: submit a job, then poll for its result.",
        "content": "# Generate media\n\nPOST /api/v1/{slug}, then GET /api/v1/predictions/{request_id}/result.\n",
    },
    {
        "name": "manage-account",
        "description": "See the balance, top up, make and delete keys.",
        "content": "# Manage the account\n\nGET /api/v1/account/balance, POST /api/v1/account/topup, /api/v1/keys.\n",
    },
)
_CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {"date": "2026-01-03", "title": "Drafts", "description": "Some video models make a cheap draft first."},
    {"date": "2026-01-02", "title": "Test keys", "description": "A key made with is_test costs nothing."},
    {"date": "2026-01-01", "title": "Cost headers", "description": "Every answer tells what the request cost."},
)
_WORKFLOWS: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": 1,
        "name": "Picture to film",
        "description": "A picture from words, then a film from the picture.",
        "nodes": [{"id": "picture", "model": "flux-dev"}, {"id": "film", "model": "kling-v2.1-standard-i2v"}],
        "edges": [{"from": "picture", "to": "film"}],
    },
)


def list_skills(_world: World, _checked: CheckedRequest) -> Reply:
    """``GET agent-skills``: name and description of each."""
    return Reply({"skills": [{name: skill[name] for name in ("name", "description")} for skill in _SKILLS]})


def get_skill(_world: World, checked: CheckedRequest) -> Reply:
    """``GET agent-skills/{name}``: with its content."""
    for found in _SKILLS:
        if found["name"] == checked.parameters["name"]:
            return Reply(found)
    raise Refusal(404, "Not Found")


def list_changes(_world: World, checked: CheckedRequest) -> Reply:
    """``GET changelog``: newest first."""
    limit = checked.query.get("limit", len(_CHANGES))
    return Reply({"changelog": list(_CHANGES[:limit])})


def list_template_workflows(_world: World, _checked: CheckedRequest) -> Reply:
    """``GET get-template-workflows``."""
    return Reply({"workflows": list(_WORKFLOWS)})
