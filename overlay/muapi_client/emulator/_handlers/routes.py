"""Which operation is answered by what.

Lives here: the table. Does not live here: finding the operation a request means (``_spec/operations``).

A room is imported when it is first asked for: most emulators never see a storyboard.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from muapi_client.emulator._handlers.submissions import submit
from muapi_client.emulator._messages.messages import Refusal, live_only

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import Handler, Visit
    from muapi_client.emulator._messages.messages import Reply
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.world import World

_ROOMS: Final[dict[str, dict[tuple[str, str], str]]] = {
    "account": {
        ("GET", "account/balance"): "balance",
        ("GET", "keys"): "list_keys",
        ("POST", "keys"): "create_key",
        ("DELETE", "keys/{key_id}"): "delete_key",
    },
    "service_info": {
        ("GET", "agent-skills"): "skills",
        ("GET", "agent-skills/{name}"): "skill",
        ("GET", "changelog"): "changelog",
        ("GET", "get-template-workflows"): "template_workflows",
    },
    "models": {
        ("GET", "models"): "list_models",
        ("GET", "models/{name}"): "get_model",
        ("POST", "models/{name}/estimate-cost"): "estimate_cost",
    },
    "predictions": {
        ("GET", "get-usage-log-id/{request_id}"): "usage_log",
        ("GET", "history"): "history",
        ("DELETE", "predictions/{id}/media"): "delete_media",
        ("GET", "predictions/{id}/result"): "look",
    },
    "prompts": {
        ("POST", "generate_video_prompt"): "video_prompt",
        ("POST", "generate_video_scene_prompts"): "scene_prompts",
        ("POST", "generate_wan_video_prompt"): "wan_video_prompt",
    },
    "social": {
        ("GET", "social/ext/accounts"): "accounts",
        ("PATCH", "social/ext/accounts/{account_id}"): "change",
        ("DELETE", "social/ext/accounts/{account_id}"): "forget",
        ("POST", "social/ext/accounts/{account_id}/disconnect"): "disconnect",
        ("POST", "social/facebook/connect-url"): "connect_url",
        ("POST", "social/instagram/connect-url"): "connect_url",
        ("POST", "social/tiktok/connect-url"): "connect_url",
        ("POST", "social/youtube/connect-url"): "connect_url",
    },
    "storyboard_jobs": {
        ("POST", "storyboard-characters/{character_id}/regenerate"): "regenerate_character",
        ("POST", "storyboard-episodes/add"): "add_episode",
        ("POST", "storyboard-projects/generate"): "generate_project",
        ("POST", "storyboard-projects/{id}/generate-library"): "generate_library",
        ("POST", "storyboard-projects/{id}/generate-pdf"): "generate_pdf",
        ("POST", "storyboard-projects/{id}/generate-scripts"): "generate_scripts",
        ("POST", "storyboard-projects/{id}/generate-shots"): "generate_shots",
        ("POST", "storyboard-scenes/add"): "add_scene",
        ("POST", "storyboard-shots/add"): "add_shot",
        ("POST", "storyboard-shots/{shot_id}/regenerate"): "regenerate_shot",
    },
    "storyboards": {
        ("DELETE", "storyboard-episodes/{episode_id}"): "delete_episode",
        ("GET", "storyboard-projects"): "projects",
        ("POST", "storyboard-projects"): "create",
        ("GET", "storyboard-projects/{id}"): "project",
        ("DELETE", "storyboard-projects/{id}"): "delete_project",
        ("GET", "storyboard-projects/{id}/library"): "library",
        ("GET", "storyboard-projects/{id}/pdf"): "pdf",
        ("GET", "storyboard-projects/{id}/scripts"): "scripts",
        ("GET", "storyboard-projects/{id}/shots"): "shots",
        ("DELETE", "storyboard-scenes/{scene_id}"): "delete_scene",
        ("DELETE", "storyboard-shots/{shot_id}"): "delete_shot",
    },
    "streams": {
        ("POST", "stream"): "stream",  # every model's
    },
    "topups": {
        ("GET", "account/auto-topup"): "auto_top_up",
        ("PUT", "account/auto-topup"): "change_auto_top_up",
        ("POST", "account/auto-topup/setup"): "set_up",
        ("GET", "account/auto-topup/verify"): "verify",
        ("POST", "account/topup"): "top_up",
    },
    "uploads": {
        ("GET", "get_upload_url"): "upload_form",
        ("POST", "upload_file"): "upload",
    },
    "voices": {
        ("POST", "suno-voice-clone/{request_id}/confirm"): "confirm",
        ("GET", "suno-voices"): "voices",
        ("DELETE", "suno-voices/{voice_db_id}"): "delete",
        ("POST", "suno-voices/{voice_db_id}/check"): "check",
        ("POST", "suno-voices/{voice_db_id}/refresh"): "refresh",
    },
}

# What changes the account, and a test key therefore may not do. Jobs, uploads and storyboards it may: they leave the
# account as it was.
_LIVE_ONLY: Final = frozenset(
    {
        ("PUT", "account/auto-topup"),
        ("POST", "account/auto-topup/setup"),
        ("POST", "keys"),
        ("DELETE", "keys/{key_id}"),
        ("PATCH", "social/ext/accounts/{account_id}"),
        ("DELETE", "social/ext/accounts/{account_id}"),
        ("POST", "social/ext/accounts/{account_id}/disconnect"),
        ("POST", "social/facebook/connect-url"),
        ("POST", "social/instagram/connect-url"),
        ("POST", "social/tiktok/connect-url"),
        ("POST", "social/youtube/connect-url"),
        ("POST", "suno-voice-clone/{request_id}/confirm"),
        ("DELETE", "suno-voices/{voice_db_id}"),
        ("POST", "suno-voices/{voice_db_id}/refresh"),
    }
)


def handler_of(operation: Operation) -> Handler:
    """What answers ``operation``."""
    if operation.is_job:
        return submit
    return _handlers(operation.method, "stream" if operation.slug.endswith("/stream") else operation.slug)


@cache
def _handlers(method: str, slug: str) -> Handler:
    for room, names in _ROOMS.items():
        if (method, slug) in names:
            handler: Handler = getattr(import_module(f"muapi_client.emulator._handlers.{room}"), names[method, slug])
            return _guarded(handler) if (method, slug) in _LIVE_ONLY else handler
    return _unanswered


def _unanswered(_world: World, visit: Visit) -> Reply:
    """An operation the document has and the emulator has not; saying so beats an invented answer."""
    operation = visit.operation
    raise Refusal(501, f"The emulator does not answer {operation.method} {operation.path}; the real API does")


def _guarded(handler: Handler) -> Handler:
    def answer(world: World, visit: Visit) -> Reply:
        if visit.is_test:
            raise live_only()
        return handler(world, visit)

    return answer
