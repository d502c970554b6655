"""A user's words into a request, checked against the pinned document. Nothing is sent here.

Lives here: which model is meant, gathering its input, having all of it checked. Does not live here: reading one value
(``_field_values``), which words name files (``_local_files``), the checks themselves
(``muapi_client._spec.validation``).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from muapi_client import catalog
from muapi_client._files.attachments import check_around, check_kind, find_attachments
from muapi_client._files.source import check_content, open_source
from muapi_client._spec.raw_call import raw_call
from muapi_client._spec.validation import check
from muapi_client.cli import _local_files
from muapi_client.cli._field_values import Unfit, read_fields, read_whole_json, unfit_error
from muapi_client.errors import UploadError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from muapi_generated.types import Call


def read_call(options: argparse.Namespace) -> Call[Any]:
    """The request that ``run``'s words ask for; words on the command line win over the file's.

    Raises:
        NotFoundError: The pinned document has no such model.
        ValidationError: The input does not fit it, or a file that it names is not there.
    """
    model = None if options.raw else catalog.get(options.slug)
    schemas = list_schemas(model)
    given = read_object(options.json_file) if options.json_file else {}
    texts = read_words(options.fields, schemas, options.slug)
    values = find_files(given | read_fields(texts, schemas, about=options.slug), schemas, options.slug, Path())
    if model is None:
        return raw_call(options.slug, values)
    call = model.call(**values)
    check_whole(call)
    return call


def list_schemas(model: catalog.Model | None) -> dict[str, Mapping[str, Any]]:
    """What the document says of each field; of a raw call nothing."""
    return {field.name: field.schema for field in model.fields} if model else {}


def find_files(
    values: Mapping[str, Any],
    schemas: Mapping[str, Mapping[str, Any]],
    about: str,
    folder: Path,
    *,
    stays_inside: bool = False,
) -> dict[str, Any]:
    """The values with a path in the place of each text that names a file.

    Args:
        folder: What relative paths are meant from.
        stays_inside: Whether files have to be in that folder, or below it.

    Raises:
        ValidationError: A text is no address, and no file either.
    """
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in values.items():
        try:
            found[name] = _local_files.find_files(name, value, schemas.get(name, {}), folder, stays_inside=stays_inside)
        except Unfit as problem:
            problems[name] = str(problem)
    if problems:
        raise unfit_error(problems, about)
    return found


def check_whole(call: Call[Any]) -> None:
    """Hold a call against the document, and its local files, which are opened, against their fields.

    Raises:
        ValidationError: Something does not fit; nothing was sent.
    """
    attached = find_attachments(call.body)
    if not attached:
        check(call)
        return
    check_around(call, [where for where, _ in attached])
    for where, value in attached:
        try:
            open_source(value, check=partial(_check_file, call, where)).close()
        except UploadError as error:
            raise ValidationError(f"{call.operation.name}: {where[0]}: {error} (nothing was sent)") from None


def _check_file(call: Call[Any], where: Any, head: bytes, name: str) -> None:
    check_content(head, name)
    check_kind(call, where, head, name)


def read_words(words: Sequence[str], schemas: Mapping[str, Mapping[str, Any]], about: str) -> list[str]:
    """The words, with what stands in files and on standard input in the place of what names it.

    Raises:
        ValidationError: It cannot be read.
    """
    texts: list[str] = []
    problems: dict[str, str] = {}
    for word in words:
        name, _, text = word.partition("=")
        try:
            texts.append(f"{name}={_local_files.read_word(name, text, schemas.get(name, {}))}")
        except Unfit as problem:
            problems[name] = str(problem)
    if problems:
        raise unfit_error(problems, about)
    return texts


def read_object(place: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input where ``place`` is ``-``.

    Raises:
        ValidationError: It is no JSON object.
        OSError: The file cannot be read.
    """
    name = "standard input" if place == "-" else place
    try:
        content = _local_files.read_standard_input() if place == "-" else Path(place).read_bytes()
        value = read_whole_json(content)
    except ValueError as error:  # undecodable bytes are one, too
        raise ValidationError(f"{name} holds no JSON: {error} (nothing was sent)") from None
    if not isinstance(value, dict):
        raise ValidationError(f"{name} holds a JSON {type(value).__name__}, not an object (nothing was sent)")
    return cast("dict[str, Any]", value)
