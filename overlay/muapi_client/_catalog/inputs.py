"""What the inputs of a model mean, whatever their fields are called: last_image and end_image_url are one.

Lives here: the meanings, and the rules by which a field has one. Does not live here: which kind of media a field takes
(``_spec/media_fields``), finding models (``catalog``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client._spec.media_fields import find_kind, is_address, list_shapes, says_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEANINGS: Final[Mapping[str, str]] = {
    "image": "a picture, or several",
    "images": "several pictures, in a list",
    "video": "a video, or several",
    "videos": "several videos, in a list",
    "audio": "a sound file, or several",
    "audios": "several sound files, in a list",
    "first_frame": "the picture that a video begins with, where it may also have a last one",
    "last_frame": "the picture that a video ends with",
    "mask": "a picture of what is to be changed",
    "reference": "media that guide the result",
    "lora": "LoRA weights",
    "voice": "whose voice it is",
}
_FIRST: Final = frozenset({"first", "start"})
_LAST: Final = frozenset({"last", "end", "tail"})
_FRAMES: Final = frozenset({"image", "frame"})
# Models that take both frames as one list, in that order, and say so in their slugs alone.
_BOTH_FRAMES: Final = re.compile(r"first-last|start-end")


def find_meanings(slug: str, fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """What a model takes, in the words of ``MEANINGS``.

    Args:
        slug: The model.
        fields: What the document says of each field, by its name, in JSON Schema's words.
    """
    found = {meaning for name, facts in fields.items() for meaning in _read_field(name, facts)}
    if "images" in found and _BOTH_FRAMES.search(slug):
        found |= {"first_frame", "last_frame"}
    if "last_frame" in found and "image" in found:
        found.add("first_frame")
    return frozenset(found)


def _read_field(name: str, facts: Mapping[str, Any]) -> Iterator[str]:
    words = {word.removesuffix("s") for word in re.findall("[a-z]+", name.lower())}
    yield from words & {"lora", "voice"}
    if not _takes_addresses(name, facts):
        return
    kind = find_kind([name])
    if "mask" in words:
        yield "mask"
    elif words & _FRAMES and words & _LAST:
        yield "last_frame"
    elif words & _FRAMES and words & _FIRST:
        yield from ("first_frame", "image")
    elif kind:
        yield kind
        if _is_list(facts):
            yield f"{kind}s"
    if kind and "reference" in words:
        yield "reference"


def _takes_addresses(name: str, facts: Mapping[str, Any]) -> bool:
    """Return whether a field takes media by their addresses: audio_ids and generate_audio do not."""
    is_text = any(shape.get("type") == "string" for shape in list_shapes(facts))
    return says_address(facts) or (is_address(name) and is_text)


def _is_list(facts: Mapping[str, Any]) -> bool:
    return any(shape.get("type") == "array" for shape in (facts, *facts.get("anyOf", ())))
