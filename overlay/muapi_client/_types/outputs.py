"""What a job made, out of every shape an answer has been seen to carry it in. Pure.

Lives here: finding outputs, and what each is. Does not live here: fetching them (``_files``), the rest of an answer
(``_protocol/job_answer``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import normpath
from typing import Any, Final
from urllib.parse import unquote, unquote_plus, urlsplit

from muapi_client._runtime.loopback import is_loopback
from muapi_client._types.prediction import Output
from muapi_client._types.status import is_running_word

PLACES: Final = ("outputs", "output", "images", "data")  # API reference: outputs; the rest observed
INPUTS: Final = frozenset({"images", "data"})  # the places among them that a call's own fields are named by
LINKS: Final = ("url", "video_url", "image_url", "audio_url", "model_url", "output_url")  # observed, in objects
AUDIO: Final = "audio"  # observed, in objects: a URL, where other APIs have the sound itself
TEXTS: Final = ("text", "value", "content")
# Addresses in an answer's own fields that are no output, by a word of the field's name.
NO_OUTPUTS: Final = frozenset({
    "callback", "cancel", "checkout", "get", "hook", "input", "mask", "poll", "reference", "source", "status",
    "webhook",
})  # fmt: skip
# Addresses of something made beside the output, which stands for it in a list: none was paid for.
PREVIEWS: Final = frozenset({"placeholder", "poster", "preview", "thumb", "thumbnail"})
API_PATH: Final = "api/v1/"  # what is there is the API's, not a job's

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


def read_outputs(answer: Mapping[str, Any], sent: Any = None) -> tuple[Output, ...]:
    """The outputs of an answer, in its order; empty where it has none.

    Args:
        answer: The answer.
        sent: The call's body and query, or None where they are not known. A place that inputs are named by, too, and
            that holds nothing but what was sent, is an echo of the call.
    """
    for place in PLACES:
        found = answer.get(place)
        if has_output(found):
            found = _unfold(found)
            listed = found if isinstance(found, list) else [found]
            outputs = tuple(_output(item) for item in listed if not _is_hollow(item) and not _is_running_job(item))
            if outputs and not (place in INPUTS and sent is not None and _are_sent(outputs, sent)):
                return outputs
    return ()


def _is_hollow(item: Any) -> bool:
    """Whether nothing stands in a value: a place that is kept for an output, such as ``{"url": null}``, is none."""
    inside = [item]  # no recursion: an answer may be nested as deeply as JSON is read
    while inside:
        value = inside.pop()
        if isinstance(value, (dict, list)):
            inside.extend(value.values() if isinstance(value, dict) else value)
        elif value not in (None, ""):
            return False
    return True


def _is_running_job(item: Any) -> bool:
    """Whether an object is about a job that runs, which has taken the place of what the job will have made."""
    if not isinstance(item, dict) or not item.keys().isdisjoint({*LINKS, *TEXTS, AUDIO}):
        return False
    return isinstance(status := item.get("status"), str) and is_running_word(status)


def _are_sent(outputs: Iterable[Output], sent: Any) -> bool:
    known = [_plain(text) for text in find_texts(sent)]
    return all(output.url is not None and _is_sent(output.url, known) for output in outputs)


def leave_out_sent(outputs: Iterable[Output], sent: Any) -> tuple[Output, ...]:
    """Outputs but for those that are what a call sent, which was not known when they were found.

    Args:
        outputs: The outputs.
        sent: The call's body and query.
    """
    known = [_plain(text) for text in find_texts(sent)]
    return tuple(output for output in outputs if output.url is None or not _is_sent(output.url, known))


def _unfold(found: Any) -> Any:
    """The list within ``{"images": [...]}``, where an object in a place for outputs is no more than that (observed)."""
    inner = found.get("images") if isinstance(found, dict) and found.keys().isdisjoint({*LINKS, *TEXTS}) else None
    return inner if has_output(inner) else found


def find_addresses(answer: Mapping[str, Any], sent: Any = None) -> dict[str, Output]:
    """The outputs that an answer tells in fields of its own, ``url`` and whatever ends in ``_url`` (observed).

    These may be anything, so only an address of a file counts: over https, or of this machine, none of the API's own,
    none that the call sent, and none that its name says to be a preview, a webhook or a way to look, cancel or pay.

    Args:
        answer: The answer.
        sent: The call's body and query, or None where they are not known.

    Returns:
        Them by the names of their fields, in the answer's order.
    """
    known = [_plain(text) for text in find_texts(sent)]
    return {
        name: _from_string(value)
        for name, value in answer.items()
        if isinstance(value, str) and _names_output(name) and _is_file(value.strip()) and not _is_sent(value, known)
    }


def find_previews(answer: Mapping[str, Any]) -> list[str]:
    """The names of an answer's own fields that link to a preview of what a job made, in the answer's order."""
    return [
        name
        for name, value in answer.items()
        if isinstance(value, str) and not PREVIEWS.isdisjoint(_words(name)) and _is_file(value.strip())
    ]


def _names_output(name: str) -> bool:
    words = _words(name)
    return words[-1] == "url" and (NO_OUTPUTS | PREVIEWS).isdisjoint(words)


def _words(name: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")


def _is_file(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # malformed IPv6 host
        return False
    is_web = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return bool(host) and is_web and _is_url(url) and not is_of_api(url)


def is_of_api(url: str) -> bool:
    """Whether a URL leads to the API itself, however its path is written."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:  # malformed IPv6 host
        return False
    return f"{normpath(path).lower().lstrip('/')}/".startswith(API_PATH)


def find_texts(value: Any) -> Iterator[str]:
    """Every text in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find_texts(item)


def _is_sent(url: str, known: Iterable[str]) -> bool:
    """Whether a URL stands in what was sent, with or without what follows it there, such as a signature."""
    plain = _plain(url).partition("://")[2]
    return any(plain in text for text in known)


def _plain(text: str) -> str:
    """A URL, or a text that holds one, without what may be written in either of two ways."""
    return unquote_plus(text.strip()).casefold().replace(":443/", "/").replace(":80/", "/")


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
        sound = item.get(AUDIO)
        sound = sound.get("url") if isinstance(sound, dict) else sound
        if isinstance(sound, str) and _is_url(sound.strip()):
            return Output(url=sound.strip(), data=item, media_type=media_type(sound.strip()))
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
