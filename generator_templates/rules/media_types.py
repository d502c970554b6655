"""Media types, as far as they tell how a body is written.

Lives here: which of them are JSON, a form or text, with whatever parameters, and which is chosen for bytes. Does not
live here: what a body holds (``operations``), whether its operation is a job (``jobs``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

JSON_FORM = r"(?ai:application/(?:[\w.+-]+\+)?json(?:\s*;[ -~]*)?)"  # media types of JSON
JSON = re.compile(JSON_FORM)
PLAIN_JSON = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE)  # with its charset, of which JSON has but one
MULTIPART = re.compile(r"multipart/form-data\s*(?:;.*)?", re.IGNORECASE)
URL_ENCODED = re.compile(r"application/x-www-form-urlencoded\s*(?:;.*)?", re.IGNORECASE)
# Whatever a header can hold: documents have more parts than RFC 9110 allows; a form's boundary nobody else writes.
RAW_FORM = r"(?ai:(?!multipart/)[\w!#$&^.+*-]+(?:/[\w!#$&^.+*-]+)+(?:\s*;[ -~]*)?)"
RAW = re.compile(RAW_FORM)
TEXT = re.compile(
    r"(?ai:(?:text/[\w.+-]+|application/(?:(?:[\w.+-]+\+)?(?:xml|yaml)|x-yaml|(?:x-)?ndjson|jsonl|graphql|sql))(?:\s*;.*)?)"
)
_ANY_BYTES = re.compile(r"application/octet-stream", re.IGNORECASE)
FORMS = {MULTIPART: "multipart/form-data", URL_ENCODED: "application/x-www-form-urlencoded"}  # as an operation has them


def find_media_type(declared: Iterable[str], *forms: re.Pattern[str]) -> str:
    """Find the media type of the first form that any has; empty where none has."""
    known = [*declared]
    return next((media_type for form in forms for media_type in known if form.fullmatch(media_type)), "")


def find_raw_media_type(declared: Iterable[str]) -> str:
    """Find what a body is sent as that is neither JSON nor a form: text before bytes; empty where there is no such.

    Several sorts of one kind are a range, ``image/*``, and of a range a file's own media type is sent.
    """
    known = [media_type for media_type in declared if RAW.fullmatch(media_type)]
    chosen = find_media_type(known, TEXT, _ANY_BYTES) or next(iter(known), "")
    kinds = {media_type.partition("/")[0].lower() for media_type in known}
    several = len(known) > 1 and len(kinds) == 1 and not TEXT.fullmatch(chosen) and not _ANY_BYTES.fullmatch(chosen)
    return f"{kinds.pop()}/*" if several else chosen
