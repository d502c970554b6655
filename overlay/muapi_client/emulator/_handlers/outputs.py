"""The outputs of a job.

Lives here: plausible outputs by kind, for live and for test keys, and their file types. Does not live here: how an
answer lays them out, the files' bytes (``_media/files``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.addresses import CDN, SAMPLES
from muapi_client.emulator._spec.kinds import FILE_TYPES
from muapi_client.emulator._spec.prices import count_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._spec.kinds import Kind
    from muapi_client.emulator._spec.operations import Operation

_ASKED: Final = ("prompt", "query", "text", "keyword", "messages")  # fields that say what was asked, likeliest first
_FORMATS: Final = ("output_format", "format")  # fields that say which type of file to make, where they name one
_SUFFIXES: Final[dict[str, str]] = {  # a file type by what such a field calls it, as far as the emulator can make it
    "png": "png",
    "jpg": "jpg",
    "jpeg": "jpg",
    "webp": "webp",
    "mp4": "mp4",
    "mp3": "mp3",
    "wav": "wav",
    "glb": "glb",
}
_OWN: Final[dict[str, str]] = {"suno-convert-to-wav": "wav"}  # models whose name says what they make


def make_outputs(request_id: str, operation: Operation, body: Mapping[str, Any]) -> tuple[Any, ...]:
    """New outputs: one URL a piece, the text itself for language models, one object for data tools."""
    kind = operation.kind
    if kind == "text":
        return (f"{operation.name} answers: {_asked(body)}",)
    if kind == "data":
        return ({"query": _asked(body), "results": [{"rank": 1, "title": operation.name, "id": request_id}]},)
    return files(request_id, count_pieces(body), _suffix(kind, operation, body))


def make_sample_outputs(operation: Operation) -> tuple[Any, ...]:
    """The model's example: the same whatever was asked."""
    kind = operation.kind
    if kind == "text":
        return ("This is a sample answer.",)
    if kind == "data":
        return ({"query": "sample", "results": []},)
    return (f"{SAMPLES}/webassets/{kind}models/{operation.slug.replace('/', '-')}.{FILE_TYPES[kind]}",)


def files(request_id: str, pieces: int, suffix: str) -> tuple[str, ...]:
    """Where so many files of a job stand."""
    names = [request_id, *(f"{request_id}-{number}" for number in range(2, pieces + 1))]
    return tuple(f"{CDN}/outputs/{name}.{suffix}" for name in names)


def _suffix(kind: Kind, operation: Operation, body: Mapping[str, Any]) -> str:
    """The file type that the body asks for, or the document's default, or what is usual for the kind."""
    for name in _FORMATS:
        wanted = body.get(name, operation.default(name))
        if isinstance(wanted, str) and wanted in _SUFFIXES:
            return _SUFFIXES[wanted]
    return _OWN.get(operation.slug, FILE_TYPES[kind])


def _asked(body: Mapping[str, Any]) -> str:
    return next((str(body[name]) for name in _ASKED if body.get(name)), "nothing in particular")
