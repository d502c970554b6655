"""Prompts made from a picture or a page.

Lives here: the three ``generate_…_prompt`` operations. Does not live here: models that make prompts for a price
(ordinary jobs).

Two of them take no key: there is no account to charge, so they are free, answer at once, and leave no job behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client.emulator._handlers.submissions import submit
from muapi_client.emulator._messages.messages import FREE, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.world import World


def write_video_prompt(_world: World, checked: CheckedRequest) -> Reply:
    """``POST generate_video_prompt``: one for a film of what stands at a URL."""
    return _answer(f"A slow pan over {checked.need('url')}, framed {checked.body.get('aspect_ratio', '9:16')}.")


def write_wan_video_prompt(_world: World, checked: CheckedRequest) -> Reply:
    """``POST generate_wan_video_prompt``: one that applies an effect to a picture."""
    effect, picture = checked.need("name"), checked.need("image_url")
    return _answer(f"{effect} on {picture}: {checked.body.get('prompt') or 'as it comes'}.")


def write_scene_prompts(world: World, checked: CheckedRequest) -> Reply:
    """``POST generate_video_scene_prompts``: a text job like any other, at the price of its kind."""
    return submit(world, checked)


def _answer(prompt: str) -> Reply:
    body: dict[str, Any] = {"status": "completed", "prompt": prompt, "outputs": [prompt], "cost": FREE.body()}
    return Reply(body)
