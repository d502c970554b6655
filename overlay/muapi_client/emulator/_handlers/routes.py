"""The table of handlers.

Lives here: the table. Does not live here: finding the operation a request means (``_spec/operations``).

A room is imported when it is first asked for: most emulators never see a storyboard.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from muapi_client.emulator._messages.messages import Refusal, live_key_error

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest, Handler
    from muapi_client.emulator._messages.messages import Reply
    from muapi_client.emulator._spec.operations import Operation, Table
    from muapi_client.emulator._state.world import World

_JOB: Final = ""  # stands for every operation that submits a job
_MODULES: Final[dict[str, dict[tuple[str, str], str]]] = {
    "account": {
        ("GET", "account/balance"): "get_balance",
        ("GET", "keys"): "list_keys",
        ("POST", "keys"): "create_key",
        ("DELETE", "keys/{key_id}"): "delete_key",
    },
    "service_info": {
        ("GET", "agent-skills"): "list_skills",
        ("GET", "agent-skills/{name}"): "get_skill",
        ("GET", "changelog"): "list_changes",
        ("GET", "get-template-workflows"): "list_template_workflows",
    },
    "models": {
        ("GET", "models"): "list_models",
        ("GET", "models/{name}"): "get_model",
        ("POST", "models/{name}/estimate-cost"): "estimate_cost",
    },
    "predictions": {
        ("GET", "get-usage-log-id/{request_id}"): "get_usage_log",
        ("GET", "history"): "list_history",
        ("DELETE", "predictions/{id}/media"): "delete_media",
        ("GET", "predictions/{id}/result"): "get_result",
    },
    "prompts": {
        ("POST", "generate_video_prompt"): "write_video_prompt",
        ("POST", "generate_video_scene_prompts"): "write_scene_prompts",
        ("POST", "generate_wan_video_prompt"): "write_wan_video_prompt",
    },
    "social": {
        ("GET", "social/ext/accounts"): "list_accounts",
        ("PATCH", "social/ext/accounts/{account_id}"): "change_account",
        ("DELETE", "social/ext/accounts/{account_id}"): "delete_account",
        ("POST", "social/ext/accounts/{account_id}/disconnect"): "disconnect_account",
        ("POST", "social/facebook/connect-url"): "create_connect_url",
        ("POST", "social/instagram/connect-url"): "create_connect_url",
        ("POST", "social/tiktok/connect-url"): "create_connect_url",
        ("POST", "social/youtube/connect-url"): "create_connect_url",
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
        ("GET", "storyboard-projects"): "list_projects",
        ("POST", "storyboard-projects"): "create_project",
        ("GET", "storyboard-projects/{id}"): "get_project",
        ("DELETE", "storyboard-projects/{id}"): "delete_project",
        ("GET", "storyboard-projects/{id}/library"): "get_library",
        ("GET", "storyboard-projects/{id}/pdf"): "get_pdf",
        ("GET", "storyboard-projects/{id}/scripts"): "list_scripts",
        ("GET", "storyboard-projects/{id}/shots"): "list_shots",
        ("DELETE", "storyboard-scenes/{scene_id}"): "delete_scene",
        ("DELETE", "storyboard-shots/{shot_id}"): "delete_shot",
    },
    "streams": {
        ("POST", "stream"): "stream_answer",  # every model's
    },
    "submissions": {
        ("POST", _JOB): "submit",
    },
    "topups": {
        ("GET", "account/auto-topup"): "get_auto_top_up",
        ("PUT", "account/auto-topup"): "change_auto_top_up",
        ("POST", "account/auto-topup/setup"): "set_up_auto_top_up",
        ("GET", "account/auto-topup/verify"): "verify_setup",
        ("POST", "account/topup"): "create_checkout",
    },
    "uploads": {
        ("GET", "get_upload_url"): "create_upload_form",
        ("POST", "upload_file"): "upload_file",
    },
    "voices": {
        ("POST", "suno-voice-clone/{request_id}/confirm"): "confirm_voice",
        ("GET", "suno-voices"): "list_voices",
        ("DELETE", "suno-voices/{voice_db_id}"): "delete_voice",
        ("POST", "suno-voices/{voice_db_id}/check"): "check_voice",
        ("POST", "suno-voices/{voice_db_id}/refresh"): "refresh_voice",
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


def find_handler(operations: Table, operation: Operation) -> Handler:
    """Find the handler of ``operation``."""
    if operation.takes_webhook:
        return _load_handler("POST", _JOB)
    handler = _load_handler(operation.method, "stream" if operation.slug.endswith("/stream") else operation.slug)
    # What else is a job takes reading the whole document: last.
    return _load_handler("POST", _JOB) if handler is _refuse and operations.submits_job(operation) else handler


def submits_job(operations: Table, operation: Operation) -> bool:
    """Return whether an outcome can be chosen for ``operation``: it submits a job, or streams the answer of one."""
    handler = find_handler(operations, operation)
    return handler.__module__.rpartition(".")[2] in {"submissions", "streams", "storyboard_jobs"}


@cache
def _load_handler(method: str, slug: str) -> Handler:
    for room, names in _MODULES.items():
        if (method, slug) in names:
            handler: Handler = getattr(import_module(f"muapi_client.emulator._handlers.{room}"), names[method, slug])
            return _refuse_test_keys(handler) if (method, slug) in _LIVE_ONLY else handler
    return _refuse


def _refuse(_world: World, checked: CheckedRequest) -> Reply:
    """An operation the document has and the emulator has not; saying so beats an invented answer."""
    operation = checked.operation
    raise Refusal(501, f"The emulator does not answer {operation.method} {operation.path}; the real API does")


def _refuse_test_keys(handler: Handler) -> Handler:
    def answer(world: World, checked: CheckedRequest) -> Reply:
        if checked.is_test:
            raise live_key_error()
        return handler(world, checked)

    return answer
