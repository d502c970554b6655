"""What a job made, out of every shape an answer has been seen to carry it in. Pure.

Lives here: finding outputs, and what each is. Does not live here: fetching them (``_files``), the rest of an answer
(``_protocol/job_answer``).
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from muapi_client._types.prediction import Output

PLACES: Final = ("outputs", "output", "images", "data")  # API reference: outputs; the rest observed
LINKS: Final = ("url", "video_url", "image_url", "audio_url", "model_url")  # observed, in objects
TEXTS: Final = ("text", "value", "content")

MEDIA_TYPES: Final[Mapping[str, str]] = {  # by the URL's ending; IANA names
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "obj": "model/obj",
    "stl": "model/stl",
    "json": "application/json",
    "txt": "text/plain",
    "pdf": "application/pdf",
    "zip": "application/zip",
}

# RFC 2397, with a media type or an encoding: "data:," alone may as well begin a sentence. Only the head is looked at.
DATA_URL: Final = re.compile(r"data:(?=[^,]{1,200},)([a-z]+/[a-z0-9.+-]+)?((?:;[^,;\s]+)*),", re.IGNORECASE)
BROKEN_UP: Final = re.compile(r"[^\S ]")  # by a line's end or a tab, say
# Addresses that nobody fetches: taken for text, they would be saved in place of what was paid for.
UNFETCHED: Final = re.compile(r"(?:file|ftps?|sftp|s3|gs)://[^\s/]*/\S+", re.IGNORECASE)


def read_outputs(answer: Mapping[str, Any]) -> tuple[Output, ...]:
    """The outputs of an answer, in its order; empty where it has none."""
    for place in PLACES:
        found = answer.get(place)
        if has_output(found):
            listed = found if isinstance(found, list) else [found]
            return tuple(_output(item) for item in listed if item not in (None, "", [], {}))
    return ()


def has_output(found: object) -> bool:
    """Whether a place for outputs holds any: a text, a list or an object with something in it."""
    return isinstance(found, (str, list, dict)) and len(found) > 0


def _output(item: Any) -> Output:
    if isinstance(item, str):
        return _from_string(item)
    if isinstance(item, dict):
        for name in LINKS:
            if isinstance(item.get(name), str) and item[name]:
                url = item[name].strip()
                return Output(url=url or item[name], data=item, media_type=media_type(url))
        for name in TEXTS:
            if isinstance(item.get(name), str) and item[name]:
                found = _from_string(item[name])
                return Output(found.url, found.text, item, found.media_type)
    return Output(data=item)


def _from_string(text: str) -> Output:
    """A string is a URL, blanks around it or not, or for language and transcription models the text itself."""
    url = text.strip()
    return Output(url=url, media_type=media_type(url)) if _is_url(url) else Output(text=text)


def _is_url(text: str) -> bool:
    if DATA_URL.match(text) or UNFETCHED.fullmatch(text):
        return True
    if not text.startswith(("https://", "http://")) or BROKEN_UP.search(text):
        return False
    # A file's name may hold spaces. A sentence that begins with a URL does not end as a file's name does.
    host, _, path = text.partition("://")[2].partition("/")
    return " " not in text or (" " not in host and "://" not in path and media_type(text) is not None)


def media_type(url: str) -> str | None:
    """The media type that a data URL tells, or that the ending of a URL's path suggests, or None."""
    if data := DATA_URL.match(url):
        return (data[1] or "text/plain").lower()
    try:
        path = urlsplit(url).path
    except ValueError:  # malformed IPv6 host
        return None
    name = path.rsplit("/", 1)[-1]
    return MEDIA_TYPES.get(name.rsplit(".", 1)[-1].lower()) if "." in name else None
