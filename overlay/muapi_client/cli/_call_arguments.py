"""A user's words into a request, checked against the pinned document. Nothing is sent here.

Lives here: which model is meant, and gathering its input from words and files. Does not live here: reading one value
(``_field_values``), the checks themselves (``muapi_client._spec.validation``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from muapi_client import catalog
from muapi_client._spec.raw_call import raw_call
from muapi_client._spec.validation import check
from muapi_client.cli._field_values import read_fields
from muapi_client.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    import argparse

    from muapi_generated.types import Call


def read_call(options: argparse.Namespace) -> Call[Any]:
    """The request that ``run``'s words ask for; words on the command line win over the file's.

    Raises:
        NotFoundError: The pinned document has no such model.
        ValidationError: The input does not fit it.
    """
    given = read_object(options.json_file) if options.json_file else {}
    if options.raw:
        return raw_call(options.slug, given | read_fields(options.fields, {}, about=options.slug))
    model = find_model(options.slug)
    schemas = {field.name: field.schema for field in model.fields}
    call = model.call(**(given | read_fields(options.fields, schemas, about=model.slug)))
    check(call)
    return call


def find_model(name: str) -> catalog.Model:
    """The model of a slug, function or catalogue name.

    Raises:
        NotFoundError: There is none; the message tells the nearest, and what to do on the command line.
    """
    try:
        return catalog.get(name)
    except NotFoundError as error:
        advice = "On the command line: muapi-client models WORD searches, run --raw sends to any slug"
        raise NotFoundError(f"{error}. {advice}") from None


def read_object(place: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input where ``place`` is ``-``.

    Raises:
        ValidationError: It is no JSON object.
        OSError: The file cannot be read.
    """
    name = "standard input" if place == "-" else place
    try:
        content = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
        value = json.loads(content)
    except (ValueError, RecursionError) as error:  # undecodable bytes are a ValueError, too
        raise ValidationError(f"{name} holds no JSON: {error} (nothing was sent)") from None
    if not isinstance(value, dict):
        raise ValidationError(f"{name} holds a JSON {type(value).__name__}, not an object (nothing was sent)")
    return cast("dict[str, Any]", value)
