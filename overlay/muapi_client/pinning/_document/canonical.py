"""A served OpenAPI document in the one form in which it is pinned. Pure.

Lives here: what makes a document ours to pin, its scope, its order, its bytes.
Does not live here: where documents come from (``source``), which schema a reference reaches
(``references``), what the document gets wrong about the API (``spec/corrections.yaml``).

The form: paths under ``/api/v1`` only and sorted; component schemas that those reach only and sorted; every
other object in the order in which it was served; one line a value, so that a diff shows facts.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.references import find_reached_schemas, find_target
from muapi_client.pinning._document.strict_json import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = (
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
)  # OpenAPI 3.1, Path Item Object
SCOPE = "/api/v1"  # the routes an API key may use; the rest of the document is for sessions (FastAPI's own pages)


def restrict_to_scope(document: dict[str, Any], scope: str = SCOPE, *, may_dangle: bool = False) -> dict[str, Any]:
    """Keep what an API key may use, paths and schemas sorted, every other object as it was.

    Args:
        document: The document.
        scope: What the paths to keep begin with, without a slash at its end; empty for all of them.
        may_dangle: Whether a reference may lead nowhere, for whoever reads the document to judge.

    Raises:
        PinError: This is no document we could pin.
    """
    _check_version(document.get("openapi"), document.get("swagger"))
    kept = {**document, "paths": dict(sorted(_select_paths(document, scope).items()))}
    components = as_object(document.get("components", {}))
    schemas = None if components is None else as_object(components.get("schemas", {}))
    if components is None or schemas is None:
        raise PinError("components.schemas of the document is no object of schemas: not an OpenAPI document")
    reached = find_reached_schemas(kept, schemas, may_dangle=may_dangle)
    if schemas:
        kept["components"] = {**components, "schemas": {name: schemas[name] for name in sorted(reached)}}
    return kept


def serialize(document: dict[str, Any]) -> bytes:
    """A document's bytes: one line a value, UTF-8, a newline at the end."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def iter_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of a document: its method in capitals, its path, its object."""
    for path, item in document["paths"].items():
        for method, operation in _find_path_item(item, document).items():
            if method in METHODS:
                yield method.upper(), path, operation


def _find_path_item(item: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Find what a path has: where it stands, which counts, and where that refers to."""
    found, seen = dict(item), set[str]()
    while isinstance(reference := found.pop("$ref", None), str) and reference not in seen:
        seen.add(reference)
        found = {**(as_object(find_target(reference, document)) or {}), **found}
    return found


def count_schemas(document: dict[str, Any]) -> int:
    """How many component schemas a document has."""
    return len(document.get("components", {}).get("schemas", {}))


def _check_version(openapi: object, swagger: object) -> None:
    if isinstance(openapi, str) and re.fullmatch(r"3\.[01]\.\d+\S*", openapi):
        return
    if openapi is None and swagger is None:
        raise PinError("the document names no OpenAPI version, so it is something else: check the address")
    version = f"OpenAPI {quote(openapi)}" if openapi is not None else f"Swagger {quote(swagger)}"
    raise PinError(
        f"the document is {version}; only OpenAPI 3.0 and 3.1 can be rendered, named in full, as by the text '3.1.0'"
    )


def _select_paths(document: dict[str, Any], scope: str) -> dict[str, dict[str, Any]]:
    """The paths in scope, each with its operations, checked to be objects."""
    paths = as_object(document.get("paths"))
    if paths is None:
        raise PinError("the document has no object of paths: half a document, or none of an API")
    inside: dict[str, dict[str, Any]] = {}
    for path in (path for path in paths if path == scope or path.startswith(f"{scope}/")):
        item = as_object(paths[path])
        if item is None or any(as_object(item[method]) is None for method in METHODS if method in item):
            raise PinError(f"paths[{quote(path)}] of the document is no object of operations: not OpenAPI")
        refers_to_path = str(item.get("$ref", "")).startswith("#/paths/")  # which may be out of scope
        inside[path] = _find_path_item(item, document) if refers_to_path else item
    if not any(iter_operations({**document, "paths": inside})):
        raise PinError(
            f"the document has no operation under {scope or '/'} ({len(paths)} paths elsewhere)"
            + (": not MuAPI's; `spec build --scope` takes others" if scope == SCOPE else "")
        )
    return inside
