"""Jobs: which operations of a document submit one, and which merely look like it. Pure.

Lives here: the judgement of the rendering (``generator_templates/rules/jobs.py``, which has the signs in words) said
once more, on a document that is not corrected; a test holds the two together. Does not live here: how an operation is
read (``reader``), what follows for its function (``naming``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client.pinning._document.naming import PREFIX, group_of_tag, sent_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muapi_client.pinning._document.naming import Job

SUBMIT_FIELDS: Final = frozenset({"request_id", "id", "status", "cost", "outputs", "error"})  # what submits answer
FEWEST_NEIGHBOURS: Final = 2
NO_MODELS: Final = frozenset({"platform", "other", "account", "keys", "files", "predictions", ""})  # groups
# POSTs that look like models and are none: spec/corrections.yaml says so of them.
DECIDED_PLAIN: Final = frozenset({
    "/api/v1/generate_video_prompt", "/api/v1/generate_video_scene_prompts", "/api/v1/generate_wan_video_prompt",
    "/api/v1/social/facebook/connect-url", "/api/v1/social/instagram/connect-url", "/api/v1/social/tiktok/connect-url",
    "/api/v1/social/youtube/connect-url", "/api/v1/storyboard-episodes/add", "/api/v1/storyboard-projects/generate",
    "/api/v1/storyboard-scenes/add", "/api/v1/storyboard-shots/add",
    "/api/v1/storyboard-characters/{character_id}/regenerate",
    "/api/v1/storyboard-projects",
    "/api/v1/storyboard-projects/{id}/generate-library",
    "/api/v1/storyboard-projects/{id}/generate-pdf",
    "/api/v1/storyboard-projects/{id}/generate-scripts",
    "/api/v1/storyboard-projects/{id}/generate-shots",
    "/api/v1/storyboard-shots/{shot_id}/regenerate",
    "/api/v1/suno-voice-clone/{request_id}/confirm",
})  # fmt: skip


@frozen
class Signs:
    """What of an operation tells whether it submits a job."""

    method: str
    path: str
    tag: str
    takes_webhook: bool
    takes_json: bool
    names_webhook: bool  # a query parameter or a field of its body is called as webhooks are
    answer: frozenset[str]  # the names of its fields; none where the document says nothing of it

    @property
    def has_form(self) -> bool:
        """True of a POST of JSON to a path of its own, as every model is."""
        plain_path = (
            self.path.startswith(PREFIX) and "{" not in self.path and not sent_path(self.path).endswith("/stream")
        )
        return self.method == "POST" and plain_path and self.takes_json

    @property
    def hints(self) -> bool:
        """True of what a person should look at, whatever its form: it may submit a job."""
        is_request = self.method in {"POST", "PUT"} and not sent_path(self.path).endswith("/stream")
        return is_request and ("request_id" in self.answer or self.names_webhook)

    @property
    def is_job(self) -> bool | None:
        """What the operation's own signs say; None where they say nothing."""
        if self.takes_webhook:
            return True
        if self.method == "POST" and self.path in DECIDED_PLAIN:
            return False
        if self.has_form and "request_id" in self.answer and self.answer <= SUBMIT_FIELDS:
            return True
        return None if self.hints or (self.has_form and not self.answer) else False

    @property
    def beside(self) -> tuple[str, str]:
        """What those that stand beside each other have in common."""
        return self.tag, self.path.rpartition("/")[0]


def find_jobs(operations: Iterable[Signs]) -> dict[Signs, Job | None]:
    """Judge every operation: it submits a job, streams or is a plain request; None where it only looks like a job."""
    signs = [*operations]
    neighbours: dict[tuple[str, str], list[bool]] = {}
    for one in signs:
        if one.has_form and one.is_job is not None:
            neighbours.setdefault(one.beside, []).append(one.is_job)
    any_job = any(one.is_job for one in signs)
    return {one: _judge(one, neighbours.get(one.beside, []), any_job=any_job) for one in signs}


def _judge(signs: Signs, neighbours: list[bool], *, any_job: bool) -> Job | None:
    if signs.is_job is False:
        return "stream" if sent_path(signs.path).endswith("/stream") else "plain"
    group = group_of_tag(signs.tag)
    is_among_models = signs.has_form and not signs.answer and group not in NO_MODELS
    if signs.is_job or (is_among_models and len(neighbours) >= FEWEST_NEIGHBOURS and all(neighbours)):
        return "job"
    return None if any_job or group or signs.hints else "plain"
