"""Which kind of thing a model makes, and what follows from that alone.

Lives here: the closed set of kinds, the rules that find a slug's kind, usual durations, file types. Does
not live here: prices and outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["image", "video", "audio", "3d", "text", "data", "training"]
Rules: TypeAlias = tuple[tuple[str, Kind], ...]  # a pattern, and the kind of what it is found in
JobSeconds: TypeAlias = float | Mapping[str, float] | Callable[[str], float]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# Between how many seconds a job takes: "fast image 2-5 s, image 20-60 s, video 1-10 min" in public clients; the other
# kinds are chosen between those.
SECONDS: Final[dict[Kind, tuple[float, float]]] = {
    "image": (20.0, 60.0),
    "video": (60.0, 600.0),
    "audio": (10.0, 60.0),
    "3d": (60.0, 300.0),
    "text": (1.0, 10.0),
    "data": (1.0, 5.0),
    "training": (600.0, 1800.0),
}
_FAST_SECONDS: Final[dict[Kind, tuple[float, float]]] = {"image": (2.0, 5.0), "video": (60.0, 180.0)}
FAST: Final = r"fast|turbo|schnell|lightning|flash|lite"  # what quick models are called

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
        r"^storyboard-(characters|shots)|^storyboard-projects/(generate$|.*-(library|shots)$)",
        "image",
    ),
    (r"^(storyboard-|generate_(wan_)?video_)", "text"),
    (
        (
            r"^(ad-library|company|creators|crypto|ecommerce|email|linkedin|market|moderate|news|people|research"
            r"|seo|social)-|-(publish|set-thumbnail|update-metadata|fetch-\w+)$"
        ),
        "data",
    ),
    (r"-train(er)?$", "training"),
    (r"-to-image|lora[-_]image", "image"),
    (r"-to-video|\b[tiv]2v\b|-download$", "video"),
)
_CATEGORIES: Final[Rules] = (
    (r"to Image$|^Lora Support$", "image"),
    (r"to Video$", "video"),
    (r"to Audio$", "audio"),
    (r"to 3D$", "3d"),
    (r"to Text$", "text"),
)
_HINTED: Final[Rules] = (
    (r"caption|whisper|recognize-text|story-?board|subtitles", "text"),
    (r"video|extend|motion-control|omni-reference|frame", "video"),
    (r"-tts|speech|music|audio|-voice", "audio"),
    (r"image|lora", "image"),
)
_TAGS: Final[Rules] = (
    (r"^Image", "image"),
    (r"^Video", "video"),
    (r"^Audio", "audio"),
    (r"^3D", "3d"),
    (r"^SEO", "data"),
)


def kind_of(slug: str, category: str, tag: str) -> Kind:
    """The kind of the model behind ``slug``; a language model's when nothing says otherwise.

    Args:
        slug: The path without ``/api/v1/``.
        category: The catalogue's category, ``""`` for a model the catalogue lacks.
        tag: The operation's first tag.
    """
    for rules, text in ((_SAID, slug), (_CATEGORIES, category), (_HINTED, slug), (_TAGS, tag)):
        for pattern, kind in rules:
            if re.search(pattern, text):
                return kind
    return "text"


def usual_seconds(kind: Kind, *, fast: bool) -> tuple[float, float]:
    """Between how many seconds a job of ``kind`` usually takes; ``fast`` for a model that is sold as quick."""
    return _FAST_SECONDS.get(kind, SECONDS[kind]) if fast else SECONDS[kind]
