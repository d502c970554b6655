"""Media types, as far as they tell how a body is written.

Lives here: which of them are JSON or a form, with whatever parameters. Does not live here: what a body holds
(``operations``), whether its operation is a job (``jobs``).
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
FORMS = {MULTIPART: "multipart/form-data", URL_ENCODED: "application/x-www-form-urlencoded"}  # as an operation has them


def find_media_type(declared: Iterable[str], *forms: re.Pattern[str]) -> str:
    """Find the media type of the first form that any has; empty where none has."""
    known = [*declared]
    return next((media_type for form in forms for media_type in known if form.fullmatch(media_type)), "")
