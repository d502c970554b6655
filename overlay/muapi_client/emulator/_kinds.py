"""Which kind of thing a model makes, and what follows from that alone.

Lives here: the closed set of kinds, the rules that find a slug's kind, usual durations, file types. Does
not live here: prices and outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["image", "video", "audio", "3d", "text", "data", "training"]
Rules: TypeAlias = tuple[tuple[re.Pattern[str], Kind], ...]
JobSeconds: TypeAlias = float | Mapping[str, float] | Callable[[str], float]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SECONDS: Final[dict[Kind, float]] = {
    "image": 4.0,  # "fast image 2-5 s" in public clients
    "video": 90.0,  # "video 1-10 min"
    "audio": 20.0,
    "3d": 60.0,
    "text": 2.0,
    "data": 2.0,
    "training": 600.0,
}

FILE_TYPES: Final[dict[Kind, str]] = {
    "image": "png",
    "video": "mp4",
    "audio": "mp3",
    "3d": "glb",
    "training": "safetensors",
}

# Tags are wrong in bulk (every data tool is tagged "LLM / Multimodal") and so are some categories (LoRA models that
# make pictures count as training): what a slug says outright is heard first, then the catalogue's category, then
# what the slug hints at, then the tag.
_SAID: Final[Rules] = (
    (
        re.compile(
            r"^(ad-library|company|creators|crypto|ecommerce|email|linkedin|market|moderate|news|people|research"
            r"|seo|social)-|-(publish|set-thumbnail|update-metadata|fetch-\w+)$"
        ),
        "data",
    ),
    (re.compile(r"-train(er)?$"), "training"),
    (re.compile(r"-to-image|lora[-_]image"), "image"),
    (re.compile(r"-to-video|\b[tiv]2v\b|-download$"), "video"),
)
_CATEGORIES: Final[Rules] = (
    (re.compile(r"to Image$|^Lora Support$"), "image"),
    (re.compile(r"to Video$"), "video"),
    (re.compile(r"to Audio$"), "audio"),
    (re.compile(r"to 3D$"), "3d"),
    (re.compile(r"to Text$"), "text"),
)
_HINTED: Final[Rules] = (
    (re.compile(r"caption|whisper|recognize-text|story-?board|subtitles"), "text"),
    (re.compile(r"video|extend|motion-control|omni-reference|frame"), "video"),
    (re.compile(r"-tts|speech|music|audio|-voice"), "audio"),
    (re.compile(r"image|lora"), "image"),
)
_TAGS: Final[Rules] = (
    (re.compile(r"^Image"), "image"),
    (re.compile(r"^Video"), "video"),
    (re.compile(r"^Audio"), "audio"),
    (re.compile(r"^3D"), "3d"),
    (re.compile(r"^SEO"), "data"),
)


def kind_of(slug: str, category: str, tag: str) -> Kind:
    """The kind of the model behind ``slug``; a language model's when nothing says otherwise.

    Args:
        slug: The path without ``/api/v1/``.
        category: The catalogue's category, ``""`` for a model the catalogue lacks.
        tag: The operation's first tag.
    """
    for rules, said in ((_SAID, slug), (_CATEGORIES, category), (_HINTED, slug), (_TAGS, tag)):
        for pattern, kind in rules:
            if pattern.search(said):
                return kind
    return "text"


def durations(job_seconds: JobSeconds | None) -> Callable[[Kind], float]:
    """How long a job of a kind takes, in seconds, from what ``Emulator(job_seconds=...)`` was given.

    Raises:
        ValueError: a mapping names a kind that does not exist.
    """
    if job_seconds is None:
        return SECONDS.__getitem__
    if callable(job_seconds):
        return job_seconds
    if isinstance(job_seconds, Mapping):
        unknown = sorted(set(job_seconds) - set(KINDS))
        if unknown:
            raise ValueError(f"job_seconds names {', '.join(unknown)}; the kinds are {', '.join(KINDS)}")
        return lambda kind: job_seconds.get(kind, SECONDS[kind])
    seconds = float(job_seconds)
    return lambda _kind: seconds
