"""Groups: the closed set of groups of endpoints, and the rules that put each endpoint into one.

The document's tags are the first word and not the last: they are wrong in bulk (every SEO, company, people and social
data tool is tagged "LLM / Multimodal"), so rules on the slug come before the tag. An unknown tag goes to ``other``,
and the command says so.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Job = Literal["job", "stream", "plain"]


class Group(NamedTuple):
    """A group: what its models do, and which sort of output they make."""

    template: str  # of a sentence that says what they do; {} is the model
    kind: str  # in the catalog

    @property
    def title(self) -> str:
        """The sentence without a model's name."""
        return self.template.removesuffix(" {}").removesuffix(" with")


GROUPS = {
    "text_to_image": Group("Text to image with {}", "image"),
    "image_edit": Group("Image editing with {}", "image_edit"),
    "image_enhance": Group("Image enhancement with {}", "image_edit"),
    "text_to_video": Group("Text to video with {}", "video"),
    "image_to_video": Group("Image to video with {}", "video"),
    "video_edit": Group("Video editing and effects with {}", "video"),
    "lipsync": Group("Lip sync with {}", "video"),
    "avatars": Group("Avatar video with {}", "video"),
    "storyboard": Group("Storyboard with {}", "video"),
    "audio": Group("Audio with {}", "audio"),
    "three_d": Group("3D generation with {}", "3d"),
    "language": Group("Language model {}", "text"),
    "data": Group("Data tool {}", "data"),
    "social": Group("Social media tool {}", "social"),
    "training": Group("LoRA training with {}", "training"),
    "utilities": Group("Utility {}", "utility"),
    "other": Group("Model {}", "other"),
    "account": Group("Account {}", "platform"),
    "keys": Group("API keys {}", "platform"),
    "files": Group("Files {}", "platform"),
    "predictions": Group("Predictions {}", "platform"),
    "platform": Group("Platform {}", "platform"),
}

TAGS = {
    "Image: Text-to-Image": "text_to_image",
    "Image: Edit & Reference": "image_edit",
    "Image: Enhance": "image_enhance",
    "Video: Text-to-Video": "text_to_video",
    "Video: Image-to-Video": "image_to_video",
    "Video: Edit & Effects": "video_edit",
    "Video: Lipsync": "lipsync",
    "Video: Avatars": "avatars",
    "Video: Storyboard": "storyboard",
    "Audio": "audio",
    "3D Generation": "three_d",
    "LLM / Multimodal": "language",
    "SEO & Web Intelligence": "data",
    "Utilities": "utilities",
    "Account": "account",
    "API Keys": "keys",
    "Files": "files",
    "Predictions": "predictions",
    "API": "platform",
    "Other": "other",
}

_SOCIAL = r"(?:facebook|instagram|linkedin|pinterest|threads|tiktok|twitter|x|youtube)"

# The first rule whose pattern the slug matches wins over the tag.
_SLUG_RULES = tuple(
    (re.compile(pattern), group)
    for pattern, group in (
        (r"(?:seo|company|people|creators|ecommerce|market|crypto|news|research)-", "data"),
        (r"linkedin-(?:company|employees|people)|social-(?:read|search)-|ad-library-|email-verify$", "data"),
        (rf"{_SOCIAL}-(?:publish|fetch|carousel|download|set|update)\b|social/", "social"),
        (r".*(?:-trainer|-train)$", "training"),
        (r"elevenlabs-", "audio"),
    )
)  # fmt: skip

# For jobs whose tag says nothing ("API", "Other"): what the slug says of input and output.
_WORD_RULES = tuple(
    (re.compile(pattern), group)
    for pattern, group in (
        (r"text-to-image", "text_to_image"),
        (r"image-to-image|\bedit-lora|-character$", "image_edit"),
        (r"text-to-video", "text_to_video"),
        (r"image-to-video|reference-to-video", "image_to_video"),
        (r"video-edit", "video_edit"),
        (r"(?:claude|deepseek|gemini|gpt|grok|kimi|glm|llama|qwen)-[a-z0-9]|script$", "language"),
    )
)
VAGUE_GROUPS = ("platform", "other")  # of tags that say nothing of what a model does


def find_group(slug: str, tag: str | None, job: Job) -> tuple[str, bool]:
    """Find the group of an operation, and whether its tag is one we know.

    Args:
        slug: The path below ``/api/v1/``.
        tag: The document's first tag.
        job: Whether it submits a job, streams a language model's answer, or is a plain request.
    """
    is_known = tag in TAGS
    by_tag = TAGS.get(tag or "", "other")
    for pattern, group in _SLUG_RULES:
        if pattern.match(slug):
            return group, is_known
    if job != "plain" and by_tag in VAGUE_GROUPS:
        for pattern, group in _WORD_RULES:
            if pattern.search(slug):
                return group, is_known
        return "other", is_known
    return by_tag, is_known
