"""The body of a call that is a form, as bytes: with files, or as a URL's query is written.

Lives here: how fields and files are written. Does not live here: reading the files (``_files/form_files``), an upload
on its way from the disk (``_transport/multipart``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from attrs import evolve, field, frozen

from muapi_client._spec.validation import refusal_error
from muapi_client._types.words import with_article
from muapi_generated.types import FORM, MULTIPART

if TYPE_CHECKING:
    from muapi_generated.types import Call

QUOTED: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # in a name (HTML, "multipart/form-data")
BOUNDARY_LENGTH: Final = 32  # characters; made of what it stands between, so that nothing in there can hold it


@frozen
class Part:
    """A file of a form, read.

    Attributes:
        name: The file name it is sent under.
        media_type: What its bytes are.
        origin: What the caller gave.
    """

    name: str
    media_type: str
    content: bytes = field(repr=False)
    origin: Any = None


class _Piece(NamedTuple):
    """What stands between two boundaries."""

    head: bytes
    content: bytes


def write_form(call: Call[Any]) -> tuple[str, bytes]:
    """The media type and the bytes of a call's form; what is null is left out, for a form cannot say so.

    Raises:
        ValidationError: A value has no form there.
    """
    try:
        return _write(call)
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    # Behind the handler, so that no error leads to frames whose locals hold a secret of the call.
    raise refusal_error(call, (), f"the input cannot be written as a form: {problem}", kind="value_error")


def _write(call: Call[Any]) -> tuple[str, bytes]:
    fields = {} if call.body is None else call.body
    if not isinstance(fields, Mapping):
        raise TypeError(f"its body is {with_article(type(fields).__name__)}")
    if call.operation.media_type == FORM and not call.files:
        pairs = [(name, text) for name, value in fields.items() for text, _ in _spell(value)]
        return FORM, urlencode(pairs).encode()
    return _join([*_list_pieces(fields), *_list_files(call.files)])


def _list_pieces(fields: Mapping[str, Any]) -> Iterator[_Piece]:
    for name, value in fields.items():
        for text, is_json in _spell(value):
            yield _Piece(_write_head(name, media_type="application/json" if is_json else ""), text.encode())


def _spell(value: Any) -> Iterator[tuple[str, bool]]:
    """A value's texts, of a list one an item, and whether each is JSON."""
    if isinstance(value, str):
        yield value, False
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, list | tuple):
                yield _encode(item), True
            else:
                yield from _spell(item)
    elif value is not None:
        yield _encode(value), isinstance(value, Mapping)


def _encode(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _list_files(files: Mapping[str, Any]) -> Iterator[_Piece]:
    for name, value in files.items():
        for part in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(part, Part):
                raise TypeError(f"{name} is {with_article(type(part).__name__)}, and no file")
            yield _Piece(_write_head(name, media_type=part.media_type, filename=part.name), part.content)


def _write_head(name: str, *, media_type: str, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name.translate(QUOTED)}"'
    if filename is not None:
        disposition += f'; filename="{filename.translate(QUOTED)}"'
    labelled = f"\r\nContent-Type: {media_type}" if media_type else ""
    return f"Content-Disposition: {disposition}{labelled}\r\n\r\n".encode()


def _join(pieces: list[_Piece]) -> tuple[str, bytes]:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece.head)
        digest.update(piece.content)
    boundary = digest.hexdigest()[:BOUNDARY_LENGTH]
    line = f"--{boundary}\r\n".encode()
    body = [part for piece in pieces for part in (line, piece.head, piece.content, b"\r\n")]
    return f"{MULTIPART}; boundary={boundary}", b"".join([*body, f"--{boundary}--\r\n".encode()])


def with_origins(call: Call[Any]) -> Call[Any]:
    """The call with its files as the caller gave them."""
    return _replace_files(call, lambda value: value.origin if isinstance(value, Part) else value)


def with_empty_files(call: Call[Any]) -> Call[Any]:
    """The call with an empty file in the place of each, for who asks about it and sends none."""
    return _replace_files(call, lambda value: Part("file", "application/octet-stream", b"", value))


def _replace_files(call: Call[Any], replace: Callable[[Any], Any]) -> Call[Any]:
    replaced = {
        name: [replace(item) for item in value] if isinstance(value, list | tuple) else replace(value)
        for name, value in call.files.items()
    }
    return evolve(call, files=replaced)
