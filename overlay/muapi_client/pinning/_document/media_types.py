"""Media types, as far as they tell how a body is written. Pure.

Lives here: which of them are JSON, a form or neither, with whatever parameters: the rule of the rendering
(``generator_templates/rules/media_types.py``) said once more; a test holds the two together. Does not live here: what a
body holds (``reader``), what its change does (``_diff``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

JSON: Final = re.compile(r"(?ai:application/(?:[\w.+-]+\+)?json(?:\s*;[ -~]*)?)")
PLAIN_JSON: Final = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE)  # with its charset: JSON has but one
MULTIPART: Final = re.compile(r"multipart/form-data\s*(?:;.*)?", re.IGNORECASE)
URL_ENCODED: Final = re.compile(r"application/x-www-form-urlencoded\s*(?:;.*)?", re.IGNORECASE)
RAW: Final = re.compile(r"(?ai:(?!multipart/)[\w!#$&^.+*-]+(?:/[\w!#$&^.+*-]+)+(?:\s*;[ -~]*)?)")
FORM: Final = "application/x-www-form-urlencoded"
BODIES: Final = (PLAIN_JSON, JSON, MULTIPART, URL_ENCODED, RAW)  # that a function can make, the better first
ANSWERS: Final = (PLAIN_JSON, JSON)  # that a function reads, the better first


def find_media_type(declared: Iterable[str], forms: Iterable[re.Pattern[str]]) -> str:
    """Find the media type of the first form that any has; empty where none has."""
    known = [*declared]
    return next((media_type for form in forms for media_type in known if form.fullmatch(media_type)), "")


def name_kind(media_type: str) -> str:
    """The kind of content that a media type means: the same for those that are sent and read alike."""
    kinds = {"application/json": PLAIN_JSON, "multipart/form-data": MULTIPART, FORM: URL_ENCODED}
    return next((kind for kind, form in kinds.items() if form.fullmatch(media_type)), media_type)
