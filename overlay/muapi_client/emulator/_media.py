"""The files that jobs make and uploads stand beside: small, real, and told apart by their seed.

Lives here: which suffix is which media type, and who makes it. Does not live here: the formats themselves
(``_pictures``, ``_sounds``, ``_films``, ``_meshes``, ``_papers``), nor the paths files stand under (``_outputs``).

Everything is made with the standard library on demand: nothing is read from disk, no codec is needed. Two seeds never
give equal bytes, one seed and path always do, because each file carries their SHA-256 where its format has room for
notes; pictures, meshes and sounds show it in colour and pitch too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client.emulator import _films, _meshes, _papers, _pictures, _sounds

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN: Final = "application/octet-stream"

_MAKERS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {  # suffix: IANA media type (or the usual), maker
    "png": ("image/png", _pictures.png),
    "jpg": ("image/jpeg", _pictures.jpeg),
    "jpeg": ("image/jpeg", _pictures.jpeg),
    "webp": ("image/webp", _pictures.webp),
    "gif": ("image/gif", _pictures.gif),
    "mp4": ("video/mp4", _films.mp4),
    "webm": ("video/webm", _films.webm),
    "mp3": ("audio/mpeg", _sounds.mp3),
    "wav": ("audio/wav", _sounds.wav),
    "glb": ("model/gltf-binary", _meshes.glb),
    "safetensors": ("application/vnd.safetensors", _papers.safetensors),
    "json": ("application/json", _papers.json_text),
    "txt": ("text/plain", _papers.plain_text),
    "srt": ("application/x-subrip", _papers.subtitles),
    "pdf": ("application/pdf", _papers.pdf),
    "zip": ("application/zip", _papers.archive),
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
    content_type, make = _MAKERS.get(suffix, (_UNKNOWN, _papers.unknown))
    return MediaFile(make(mark), content_type)
