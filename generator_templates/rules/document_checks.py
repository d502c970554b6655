"""Structure: what a document has to be before anything reads it: objects where objects belong, names where names do.

Lives here: the one walk over the parts that are read later, so that no reader has to doubt them. What is wrong is told
by its place. Does not live here: what the parts mean (``operations``, ``shapes``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .errors import RefusalError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")  # OpenAPI 3.1, Path Item Object
_BESIDE_METHODS = ("$ref", "summary", "description", "servers", "parameters")  # likewise
_VERSION = re.compile(r"3\.[01]\.\d+\S*")
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")  # of schemas by name
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")  # of schemas
_ONES = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_SECTIONS = ("parameters", "requestBodies", "responses", "pathItems")


def check(document: Mapping[str, Any]) -> None:
    """Hold a document against the form OpenAPI gives it, as far as it is read here.

    Raises:
        RefusalError: It is of another version, holds no operation, or something of the wrong sort at a place.
    """
    version = document.get("openapi")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        told = f"OpenAPI {quoted(version)}" if "openapi" in document else f"Swagger {quoted(document.get('swagger'))}"
        raise RefusalError(f"The document is {told}; only OpenAPI 3.0 and 3.1 can be rendered.")
    _object(document.get("info", {}), "info")
    paths = _object(document.get("paths"), "paths")
    for path, item in paths.items():
        if not path.startswith("x-"):
            _path(path, item)
    components = _object(document.get("components", {}), "components")
    for name, schema in _object(components.get("schemas", {}), "components.schemas").items():
        _schema(schema, f"components.schemas[{quoted(name)}]")
    readers: dict[str, Callable[[Any, str], None]] = dict(
        zip(_SECTIONS, (_parameter, _body, _response, _item), strict=True)
    )
    for section, reader in readers.items():
        for name, one in _object(components.get(section, {}), f"components.{section}").items():
            reader(one, f"components.{section}[{quoted(name)}]")
    if not any(True for path in paths.values() for method in METHODS if method in path or "$ref" in path):
        raise RefusalError("The document holds no operation, so there is nothing to render.")


def _path(path: str, item: Any) -> None:
    where = f"paths[{quoted(path)}]"
    if not path.startswith("/"):
        raise RefusalError(f"{where}: a path begins with a slash.")
    _item(item, where)


def _item(item: Any, where: str) -> None:
    item = _object(item, where)
    _reference(item, where)
    strange = [key for key in item if key not in (*METHODS, *_BESIDE_METHODS) and not key.startswith("x-")]
    if strange:  # a method written in another way would be an operation that nobody renders
        raise RefusalError(
            f"{where} holds {', '.join(map(quoted, strange))}, which is no method and no word of a path."
        )
    _parameters(item.get("parameters", []), where)
    for method in METHODS:
        if method in item:
            _operation(item[method], f"{where}.{method}")


def _operation(operation: Any, where: str) -> None:
    operation = _object(operation, where)
    _parameters(operation.get("parameters", []), where)
    for index, tag in enumerate(_list(operation.get("tags") or [], f"{where}.tags")):
        _text(tag, f"{where}.tags[{index}]")
    _texts(operation, ("summary", "description"), where)
    if operation.get("requestBody") is not None:
        _body(operation["requestBody"], f"{where}.requestBody")
    for code, one in _object(operation.get("responses", {}), f"{where}.responses").items():
        if not code.startswith("x-"):
            _response(one, f"{where}.responses[{quoted(code)}]")


def _parameters(every: Any, where: str) -> None:
    for index, one in enumerate(_list(every, f"{where}.parameters")):
        _parameter(one, f"{where}.parameters[{index}]")


def _parameter(one: Any, where: str) -> None:
    one = _object(one, where)
    _reference(one, where)
    if "$ref" not in one:
        for key in ("name", "in"):
            _text(one.get(key), f"{where}.{key}")
        _texts(one, ("description",), where)
        _schema(one.get("schema", {}), f"{where}.schema")


def _body(body: Any, where: str) -> None:
    body = _object(body, where)
    _reference(body, where)
    for kind, media in _object(body.get("content", {}), f"{where}.content").items():
        place = f"{where}.content[{quoted(kind)}]"
        _schema(_object(media, place).get("schema", {}), f"{place}.schema")


_response = _body  # a response has its content in the same form


def _schema(schema: Any, where: str) -> None:
    """A schema and all within it; what it holds of the API's own data (enum, default, example) is not looked into."""
    ahead = [(schema, where)]
    while ahead:
        one, place = ahead.pop()
        if not isinstance(one, bool):
            _words(_object(one, place), place)
            ahead += _inner(one, place)


def _words(schema: Mapping[str, Any], where: str) -> None:
    _reference(schema, where)
    _texts(schema, ("title", "description", "format", "pattern", "contentMediaType"), where)
    kinds = schema.get("type", "object")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        _text(kind, f"{where}.type")
    for name in _list(schema.get("required", []), f"{where}.required"):
        _text(name, f"{where}.required")
    _list(schema.get("enum", []), f"{where}.enum")


def _inner(schema: Mapping[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    for key in _MAPS:
        for name, one in _object(schema.get(key, {}), f"{where}.{key}").items():
            yield one, f"{where}.{key}[{quoted(name)}]"
    for key in _LISTS:
        for index, one in enumerate(_list(schema.get(key, []), f"{where}.{key}")):
            yield one, f"{where}.{key}[{index}]"
    for key in _ONES:
        if key in schema:
            yield schema[key], f"{where}.{key}"


def _reference(one: Mapping[str, Any], where: str) -> None:
    if "$ref" in one:
        _text(one["$ref"], f"{where}.$ref")


def _texts(one: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if one.get(key) is not None:
            _text(one[key], f"{where}.{key}")


def _object(value: Any, where: str) -> dict[str, Any]:
    return value if isinstance(value, dict) else _strange(value, "an object", where)


def _list(value: Any, where: str) -> list[Any]:
    return value if isinstance(value, list) else _strange(value, "a list", where)


def _text(value: Any, where: str) -> str:
    return value if isinstance(value, str) else _strange(value, "a text", where)


def _strange(value: Any, wanted: str, where: str) -> Any:
    raise RefusalError(f"{where} of the document is {quoted(value)} where {wanted} belongs.")
