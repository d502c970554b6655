"""The files that jobs make and uploads stand beside: small, real, and told apart by their seed.

Lives here: which suffix is which media type, and who makes it. Does not live here: the formats themselves
(``images``, ``audio``, ``video``, ``meshes``, ``documents``), nor the paths files stand under (``_handlers/outputs``).

Everything is made with the standard library on demand: nothing is read from disk, no codec is needed. Two seeds never
give equal bytes, one seed and path always do, because each file carries their SHA-256 where its format has room for
notes; pictures, meshes and sounds show it in colour and pitch too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client.emulator._media import audio, documents, images, meshes, video

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN: Final = "application/octet-stream"

_MAKERS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {  # suffix: IANA media type (or the usual), maker
    "png": ("image/png", images.png),
    "jpg": ("image/jpeg", images.jpeg),
    "jpeg": ("image/jpeg", images.jpeg),
    "webp": ("image/webp", images.webp),
    "gif": ("image/gif", images.gif),
    "mp4": ("video/mp4", video.mp4),
    "webm": ("video/webm", video.webm),
    "mp3": ("audio/mpeg", audio.mp3),
    "wav": ("audio/wav", audio.wav),
    "glb": ("model/gltf-binary", meshes.glb),
    "safetensors": ("application/vnd.safetensors", documents.safetensors),
    "json": ("application/json", documents.json_text),
    "txt": ("text/plain", documents.plain_text),
    "srt": ("application/x-subrip", documents.subtitles),
    "pdf": ("application/pdf", documents.pdf),
    "zip": ("application/zip", documents.archive),
}


@frozen
class MediaFile:
    """A file's bytes and its media type."""

    content: bytes
    content_type: str


def media_of(path: str, *, seed: str) -> MediaFile:
    """The file that stands under ``path``: a real one of the type its suffix says, a few kilobytes at most.

    Args:
        path: Where it stands; the part after the last dot decides, in any case. An unknown or absent suffix gives
            ``application/octet-stream``.
        seed: With ``path`` the only thing the bytes depend on.
    """
    mark = hashlib.sha256(f"{seed}\0{path}".encode("utf-8", "surrogatepass")).digest()
    suffix = path.rpartition("/")[2].rpartition(".")[2].lower()
    content_type, make = _MAKERS.get(suffix, (_UNKNOWN, documents.unknown))
    return MediaFile(make(mark), content_type)
