"""The body of a call that is sent as it is: a text, or the bytes of a file.

Lives here: its bytes, and the media type that is told of them. Does not live here: reading the file
(``_files/form_files``), JSON (``request``), forms (``forms``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client._protocol.forms import Part
from muapi_client._spec.validation import refusal_error
from muapi_client._types.words import with_article

if TYPE_CHECKING:
    from muapi_generated.types import Call

NAME: Final = "body"  # of the file among those of a call
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([\w.:+-]+)", re.ASCII | re.IGNORECASE)
_RANGE: Final = re.compile(r"[^;]*/\*\s*(?:;.*)?")


def write_raw_body(call: Call[Any]) -> tuple[str, bytes]:
    """The media type and the bytes of a call's body; of a range of media types the file's own is told.

    Raises:
        ValidationError: The call has no body that can be sent as it is.
    """
    try:
        return _write(call)
    except (TypeError, ValueError, LookupError) as error:
        problem = str(error)
    # Behind the handler, so that no error leads to frames whose locals hold a secret of the call.
    raise refusal_error(call, (), f"the body cannot be sent as it is: {problem}", kind="value_error")


def _write(call: Call[Any]) -> tuple[str, bytes]:
    media_type = call.operation.media_type
    told, content = _read_file(call) if call.files else _encode(call.body, media_type)
    return told if _RANGE.fullmatch(media_type) else media_type, content


def _read_file(call: Call[Any]) -> tuple[str, bytes]:
    part = call.files.get(NAME)
    if call.body is not None or call.files.keys() != {NAME} or not isinstance(part, Part):
        raise TypeError("it is the one file that is named body")
    return part.media_type, part.content


def _encode(body: Any, media_type: str) -> tuple[str, bytes]:
    if isinstance(body, str):
        charset = _CHARSET.search(media_type)
        return "text/plain; charset=utf-8", body.encode(charset[1] if charset else "utf-8")
    if isinstance(body, bytes | bytearray | memoryview):
        return "application/octet-stream", bytes(body)
    raise TypeError(f"it is {with_article(type(body).__name__)}, and neither text nor bytes")
