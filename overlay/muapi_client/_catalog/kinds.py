"""Under which kinds a model is found: that of its group, and those of what it makes, or else works on.

Some groups are named by what is done and not by what comes of it: the document's upscalers are one group, of images and
of video alike. There what a model takes tells which it is about.

Lives here: that rule. Does not live here: the kind of a group (rendered), what an input means (``inputs``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client._catalog.inputs import find_meanings

if TYPE_CHECKING:
    from collections.abc import Mapping

THINGS: Final = frozenset({"image", "video", "audio", "3d", "text", "data"})  # kinds that say what is made
_MADE: Final = re.compile(r"-to-(image|video|audio|3d|text)\b")  # in a slug: reference-to-image, of a group of video


def find_kinds(slug: str, kind: str, fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The kinds that a model is found under, its group's among them.

    Args:
        slug: The model.
        kind: That of its group.
        fields: What the document says of each field, by its name, in JSON Schema's words.
    """
    found = {kind, *_MADE.findall(slug)}
    if not found & THINGS:
        found |= find_meanings(slug, fields) & THINGS or {kind.removesuffix("_edit")} & THINGS
    return frozenset(found)
