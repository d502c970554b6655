"""The OpenAPI document as MuAPI publishes it, without a key, and as it was some time ago.

Lives here: the two paths it stands under, its form on the wire, and what an earlier version had otherwise. Does not
live here: reading the pin (``pinning``), nor what the emulator itself does with the document (``operations``).

What is published is the pinned part alone, everything under ``/api/v1``, or the document that the emulator was given.
The earlier version is for trying what tells versions apart, such as ``nox -s fetch`` and drift checks: it is made from
the document by rule, so that it stays an earlier version of whatever is pinned.
"""

from __future__ import annotations

import copy
import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.messages import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muapi_client.emulator._messages.messages import Request

NEWEST: Final = "/openapi.json"
AGED: Final = "/aged/openapi.json"

_STEP: Final = 40  # of the models, every fortieth is newer than the aged document
_RETIRED: Final = "-retired"  # how the path of a model ends that only the aged document has


def answer_document_request(request: Request, read_document: Callable[[], dict[str, Any]]) -> Response | None:
    """The answer to a request for the document, which ``read_document`` reads; None for any other path."""
    if request.path not in {NEWEST, AGED}:
        return None
    if request.method not in {"GET", "HEAD"}:
        headers = {"content-type": "application/json", "allow": "GET, HEAD"}
        return Response(405, headers, b'{"detail":"Method Not Allowed"}')
    content, etag = _wire(request.path, read_document)
    headers = {"content-type": "application/json", "etag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(304, headers, b"")
    if request.method == "HEAD":
        return Response(200, {**headers, "content-length": str(len(content))}, b"")
    return Response(200, headers, content)


@lru_cache(maxsize=4)
def _wire(path: str, read_document: Callable[[], dict[str, Any]]) -> tuple[bytes, str]:
    """The document as bytes, one line as FastAPI writes it, and its ETag."""
    document = read_document()
    shown = make_older_document(document) if path == AGED else document
    content = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def make_older_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """An earlier version of ``document``; the same one every time, and ``document`` stays as it is.

    Every fortieth model is missing from it, and it has one model that is gone since. Where the document has them, one
    field each had another name, another default, one value less to choose from, a lower maximum, and was not yet
    required.
    """
    older = copy.deepcopy(dict(document))
    paths: dict[str, Any] = older["paths"]
    models = [path for path, item in sorted(paths.items()) if _is_model(item)]
    for path in models[_STEP - 1 :: _STEP]:
        del paths[path]
    if models:
        retired = copy.deepcopy(document["paths"][models[0]])
        retired["post"]["operationId"] += "_retired"
        paths[f"{models[0]}{_RETIRED}"] = retired
    schemas = older.get("components", {}).get("schemas", {})
    untouched = [schemas[name] for name in sorted(schemas) if "properties" in schemas[name]]
    for change in (_rename, _change_default, _take_choice, _lower_maximum, _make_optional):
        changed = next((schema for schema in untouched if any(change(schema, name) for name in _fields(schema))), None)
        untouched = [schema for schema in untouched if schema is not changed]
    return older


def _is_model(item: Mapping[str, Any]) -> bool:
    return "webhook" in (parameter.get("name") for parameter in item.get("post", {}).get("parameters", ()))


def _fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(schema["properties"])


def _rename(schema: dict[str, Any], name: str) -> bool:
    if name in schema.get("required", ()):
        return False
    properties = schema["properties"]
    # Old names keep their places, as the order of fields is part of the document.
    schema["properties"] = {f"old_{key}" if key == name else key: value for key, value in properties.items()}
    return True


def _change_default(schema: dict[str, Any], name: str) -> bool:
    field = schema["properties"][name]
    if type(field.get("default")) is not bool or "const" in field:
        return False
    field["default"] = not field["default"]
    return True


def _take_choice(schema: dict[str, Any], name: str) -> bool:
    field = schema["properties"][name]
    choices = field.get("enum", [])
    if len(choices) < 2 or choices[-1] == field.get("default"):  # noqa: PLR2004 - one has to stay
        return False
    field["enum"] = choices[:-1]
    return True


def _lower_maximum(schema: dict[str, Any], name: str) -> bool:
    field = schema["properties"][name]
    if field.get("type") != "integer" or "maximum" not in field:
        return False
    highest = field["maximum"]
    if highest <= max(field.get("minimum", 0), field.get("default") or 0):
        return False
    field["maximum"] = highest - 1
    return True


def _make_optional(schema: dict[str, Any], name: str) -> bool:
    if name not in schema.get("required", ()):
        return False
    schema["required"].remove(name)
    if not schema["required"]:
        del schema["required"]
    return True
