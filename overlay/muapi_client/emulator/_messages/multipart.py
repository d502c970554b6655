"""Reading a multipart form.

Lives here: RFC 7578 as far as clients write it. Does not live here: what a form means (``_handlers/uploads``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from muapi_client.emulator._messages.messages import Request

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_PARAMETER = re.compile(rb'(name|filename)="([^"]*)"')


@frozen(eq=False)
class Part:
    """One field of a form; ``filename`` is ``None`` for one that is no file."""

    filename: str | None
    content_type: str
    content: bytes


def parse_parts(request: Request) -> dict[str, Part]:
    """The fields of the form that ``request`` carries, by name; none when it carries no form."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        return {}
    found: dict[str, Part] = {}
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode()):
        head, _, content = part.partition(b"\r\n\r\n")
        names = {key.decode(): value.decode(errors="replace") for key, value in _PARAMETER.findall(head)}
        if "name" in names:
            found.setdefault(names["name"], Part(names.get("filename"), _content_type(head), content))
    return found


def _content_type(head: bytes) -> str:
    found = re.search(rb"content-type:[ \t]*([^\r\n]+)", head, re.IGNORECASE)
    return found[1].decode(errors="replace").strip() if found else "application/octet-stream"
