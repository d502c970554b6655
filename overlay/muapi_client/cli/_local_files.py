r"""What a person types that stands in a file, or on standard input; and which values are files to upload.

``@prompt.txt`` is the file's text, ``-`` all of standard input; ``\@fox`` and ``\-`` are the words themselves. Where
the document wants media, ``fox.png`` and ``@fox.png`` are the file itself. A value that is no word of a person's, as in
JSON and in the rows of a batch, means a file only there: whoever wrote the rows reads no other file by them.

Lives here: finding and reading them. Does not live here: what a text means to its field (``_field_values``), uploading.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, cast

from muapi_client._spec.media_fields import find_kind, is_address, says_address
from muapi_client._types.words import quote
from muapi_client.cli._config import read_path
from muapi_client.cli._field_values import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHOWN: Final = 200  # letters of a value that a message shows
ADDRESSES: Final = ("http://", "https://", "data:")


def takes_media(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether a field takes files by their addresses: by its format, and where that is not told, by its name."""
    if "webhook" in name:
        return False
    return says_address(schema) or is_address(name) or (not schema and find_kind([name]) is not None)


def read_word(name: str, text: str, schema: Mapping[str, Any]) -> str:
    """The text that a word stands for; of a field of media the word itself.

    Raises:
        Unfit: There is no such file, or it holds no text.
    """
    if text == "-":
        return read_standard_input()
    bare = text.lstrip("\\")
    if bare != text and (bare == "-" or bare.startswith("@")):
        return text[1:]
    if not text.startswith("@") or takes_media(name, schema):
        return text
    file = read_path(text[1:])
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Unfit(f"{file} cannot be read: {error.strerror or error}; \\{text[:20]} is the text itself") from None
    except ValueError:
        raise Unfit(f"{file} holds no text in UTF-8, and this field takes no file") from None
    return _without_last_break(content)


def read_standard_input() -> str:
    """All of standard input, as text.

    Raises:
        Unfit: It is closed, was read before, or holds no text.
    """
    try:
        return _without_last_break(take_standard_input().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unfit("standard input holds no text in UTF-8") from None


def take_standard_input() -> bytes:
    """All of standard input, which is closed then: a second ``-`` would find nothing, and pass for an empty text.

    Raises:
        Unfit: It is closed, or was read before.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise Unfit("- is standard input, which is read once, and there is no more")
    content = sys.stdin.buffer.read()
    sys.stdin.close()
    return content


def find_files(name: str, value: Any, schema: Mapping[str, Any], folder: Path, *, stays_inside: bool = False) -> Any:
    """The value with a path in the place of each text that names a file, where the field takes media.

    Args:
        folder: What a relative path is meant from.
        stays_inside: Whether a file has to be in that folder, or below it: whoever wrote a table of prompts shall not
            have other files of its reader uploaded.

    Raises:
        Unfit: A text is no address, and no file either.
    """
    if not takes_media(name, schema):
        return value
    if isinstance(value, list | tuple):
        return [find_files(name, each, schema, folder, stays_inside=stays_inside) for each in cast("list[Any]", value)]
    if not isinstance(value, str) or value.lower().startswith(ADDRESSES):
        return value
    file = folder / read_path(value.removeprefix("@"))
    shown = quote(value, SHOWN)
    try:
        is_file, is_folder = file.is_file(), file.is_dir()
    except OSError as error:  # a name that is too long, a folder that is closed to this user
        raise Unfit(f"{shown} is no URL, and as a file: {error.strerror or error}") from None
    if is_file:
        if stays_inside and not file.resolve().is_relative_to(folder.resolve()):
            raise Unfit(f"{shown} is not in {folder}, where the files of rows are: --files DIR names another folder")
        return file
    if not schema and not value.startswith("@"):  # of a raw call nothing is known of its fields
        return value
    why = "is a folder" if is_folder else "no such file"
    raise Unfit(f"{shown}: {why}, and no URL (looked for {file})")


def _without_last_break(text: str) -> str:
    """A text as an editor shows it: its last line has an end, and is not followed by another."""
    return text.removesuffix("\n").removesuffix("\r")
