"""Files handed out: what jobs made, what was uploaded, samples. None of them takes a key.

Lives here: which file stands where, and handing out a part of it. Does not live here: making their bytes
(``_media/files``), taking uploads in (``uploads``).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from attrs import frozen

from muapi_client.emulator._messages.addresses import SAMPLES
from muapi_client.emulator._messages.messages import Response

if TYPE_CHECKING:
    from muapi_client.emulator._messages.addresses import Place
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._state.world import World

_RANGE = re.compile(r"bytes=(\d+)?-(\d+)?", re.IGNORECASE | re.ASCII)
_DIGITS: Final = 18  # of a place in a file that are read: one that has more lies behind the end of any
_SAMPLE_HOST: Final = SAMPLES.removeprefix("https://")
_SAMPLE_PATH: Final = "/webassets/"


@frozen(eq=False)
class File:
    """A file as it is handed out."""

    content: bytes
    content_type: str


def serve_file(world: World, request: Request, place: Place, now: float) -> Response:
    """The answer to a request for a file: 200, 206 for a part, 404, 405 or 416."""
    if request.method not in {"GET", "HEAD"}:
        return Response(405, {"allow": "GET, HEAD", "content-type": "text/plain"}, b"Method Not Allowed")
    found = _find_file(world, place.host, unquote(place.path), now)
    if found is None:
        return Response(404, {"content-type": "text/plain"}, b"Not Found")
    response = _cut_range(found, request)
    if request.method == "GET":
        return response
    return Response(response.status, {**response.headers, "content-length": str(len(response.body))}, b"")


def _find_file(world: World, host: str, path: str, now: float) -> File | None:
    if host == _SAMPLE_HOST:
        return _make_file(path) if path.startswith(_SAMPLE_PATH) and not path.endswith("/") else None
    stored = world.files.get(path)
    if stored is not None:
        return File(stored.content, stored.content_type)
    return _make_file(path) if world.jobs.at(path, now) else None


def _make_file(path: str) -> File:
    from muapi_client.emulator._media.files import media_of  # noqa: PLC0415 - most emulators are never asked for files

    made = media_of(path, seed=path)
    return File(made.content, made.content_type)


def _cut_range(file: File, request: Request) -> Response:
    """All of ``file``, or the one range of bytes that the request asks for (RFC 9110, 14)."""
    etag = f'"{hashlib.md5(file.content, usedforsecurity=False).hexdigest()}"'
    headers = {"content-type": file.content_type, "accept-ranges": "bytes", "etag": etag}
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    size = len(file.content)
    if asked is None or not any(asked.groups()) or request.headers.get("if-range", etag) != etag:
        return Response(200, headers, file.content)
    first, last = _find_bounds(asked[1], asked[2], size)
    if first > last:
        return Response(416, {**headers, "content-range": f"bytes */{size}"}, b"")
    headers["content-range"] = f"bytes {first}-{last}/{size}"
    return Response(206, headers, file.content[first : last + 1])


def _find_bounds(first: str | None, last: str | None, size: int) -> tuple[int, int]:
    """The first and the last byte that are meant; the first lies behind the last where there are none."""
    if first is None:
        return max(size - _read_position(last or "0"), 0), size - 1
    return _read_position(first), min(_read_position(last), size - 1) if last is not None else size - 1


def _read_position(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or 0)
