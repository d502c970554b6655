"""Checks of a document before anything reads it: objects where objects belong, names where names do.

Lives here: the one walk over the parts that are read later, so that no reader has to doubt them. A message
names the place of what is wrong. Does not live here: what the parts mean (``operations``, ``schemas``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import GenerationError, quote
from .problems import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")  # OpenAPI 3.1, Path Item Object
# Segments of which none is empty, or dots alone, plain or as the %-codes that a proxy decodes (RFC 3986).
PATH_FORM = (
    r"/|(?:/(?!(?:\.|%20)+(?:[/;]|%3[Bb]|$))",
    r"(?:[^/\\?#%\s]|%(?![01]|25|2[EeFf]|5[Cc]|7[Ff])[0-9A-Fa-f]{2})+)+/?",
)
_OTHER_PATH_KEYS = ("$ref", "summary", "description", "servers", "parameters")  # of the same object
_FIXED_QUERY = re.compile(r"[^{}\\\s]*")  # no placeholder stands there
_VERSION = re.compile(r"3\.[01]\.\d+\S*")
_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")  # of schemas by name
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")  # of schemas
_SCHEMA_KEYS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
Section = Literal[
    "schemas", "parameters", "requestBodies", "responses", "pathItems", "securitySchemes"
]  # of components


def check_frame(document: Mapping[str, Any]) -> None:
    """Check that a document is one of operations by path, whatever those are.

    Raises:
        GenerationError: It is of another version, holds no operation, or something of the wrong sort around them.
    """
    version = document.get("openapi")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        found = f"OpenAPI {quote(version)}" if "openapi" in document else f"Swagger {quote(document.get('swagger'))}"
        raise GenerationError(
            f"The document is {found}; only OpenAPI 3.0 and 3.1 can be rendered, named in full, as by the text '3.1.0'."
        )
    _require_object(document.get("info", {}), "info")
    paths = _require_object(document.get("paths"), "paths")
    for path, item in paths.items():
        if not path.startswith("x-"):
            _require_object(item, f"paths[{quote(path)}]")
    components = _require_object(document.get("components", {}), "components")
    for section in get_args(Section):
        _require_object(components.get(section, {}), f"components.{section}")
    if not any(True for path in paths.values() for method in METHODS if method in path or "$ref" in path):
        raise GenerationError("The document holds no operation, so there is nothing to render.")


def check_document(document: Mapping[str, Any]) -> None:
    """Check that a document has the form OpenAPI gives it, as far as it is read here.

    Raises:
        GenerationError: It is no document of operations.
        UnsayableError: Something of the wrong sort stands at a place of it; all such places are told.
    """
    check_frame(document)
    _check_security(document.get("security"), "security")
    problems = Collector()
    for path, item in document["paths"].items():
        if not path.startswith("x-"):
            with problems.about("paths", path):
                _check_path(path, item, problems)
    for section in get_args(Section):
        for name, component in document.get("components", {}).get(section, {}).items():
            with problems.about("components", section, name):
                check_component(section, component, f"components.{section}[{quote(name)}]")
    problems.stop()


def check_component(section: Section, component: Any, where: str) -> None:
    """Check that something has the form of what a section of the components holds, wherever it stands.

    Raises:
        GenerationError: Something of it is of the wrong sort.
    """
    checks: dict[Section, Callable[[Any, str], None]] = {
        "schemas": _check_schema,
        "parameters": _check_parameter,
        "requestBodies": _check_body,
        "responses": _check_response,
        "pathItems": _check_whole_item,
        "securitySchemes": _check_security_scheme,
    }
    checks[section](component, where)


def split_path(path: str) -> tuple[str, str]:
    """Split what documents list as a path into the path that is sent, and the query that always goes with it.

    Behind ``#`` they say which of several uses of one path they mean.
    """
    sent, _, query = path.partition("#")[0].partition("?")
    return sent, query


def is_stream(path: str) -> bool:
    """Return whether what is sent to a path is answered by a stream of events."""
    return split_path(path)[0].endswith("/stream")


def _check_path(path: str, item: Any, problems: Collector) -> None:
    where = f"paths[{quote(path)}]"
    if not path.startswith("/"):
        raise GenerationError(f"{where}: a path begins with a slash.")
    sent, query = split_path(path)
    if not path.isprintable() or not re.fullmatch("".join(PATH_FORM), sent) or not _FIXED_QUERY.fullmatch(query):
        raise GenerationError(
            f"{where}: a path holds no backslash, space, empty or dot segment, no %-code of such, and no placeholder "
            "in its query."
        )
    item = _check_item(item, where)
    for method in METHODS:
        if method in item:
            with problems.about("paths", path, method):
                _check_operation(item[method], f"{where}.{method}")


def _check_whole_item(item: Any, where: str) -> None:
    item = _check_item(item, where)
    for method in METHODS:
        if method in item:
            _check_operation(item[method], f"{where}.{method}")


def _check_item(item: Any, where: str) -> dict[str, Any]:
    """Check what a path says of all its operations."""
    item = _require_object(item, where)
    _check_reference(item, where)
    unknown = [key for key in item if key not in (*METHODS, *_OTHER_PATH_KEYS) and not key.startswith("x-")]
    if unknown:  # a method written in another way would be an operation that nobody renders
        raise GenerationError(
            f"{where} holds {', '.join(map(quote, unknown))}, which is no method and no word of a path."
        )
    _check_parameters(item.get("parameters", []), where)
    return item


def _check_operation(operation: Any, where: str) -> None:
    operation = _require_object(operation, where)
    _check_parameters(operation.get("parameters", []), where)
    for index, tag in enumerate(_require_list(operation.get("tags") or [], f"{where}.tags")):
        _require_text(tag, f"{where}.tags[{index}]")
    _require_texts(operation, ("summary", "description"), where)
    _check_security(operation.get("security"), f"{where}.security")
    if operation.get("requestBody") is not None:
        _check_body(operation["requestBody"], f"{where}.requestBody")
    for code, response in _require_object(operation.get("responses", {}), f"{where}.responses").items():
        if not code.startswith("x-"):
            _check_response(response, f"{where}.responses[{quote(code)}]")


def _check_parameters(parameters: Any, where: str) -> None:
    for index, parameter in enumerate(_require_list(parameters, f"{where}.parameters")):
        _check_parameter(parameter, f"{where}.parameters[{index}]")


def _check_parameter(parameter: Any, where: str) -> None:
    parameter = _require_object(parameter, where)
    _check_reference(parameter, where)
    if "$ref" not in parameter:
        for key in ("name", "in"):
            _require_text(parameter.get(key), f"{where}.{key}")
        _require_texts(parameter, ("description",), where)
        _check_schema(parameter.get("schema", {}), f"{where}.schema")


def _check_body(body: Any, where: str) -> None:
    body = _require_object(body, where)
    _check_reference(body, where)
    for kind, media in _require_object(body.get("content", {}), f"{where}.content").items():
        media_where = f"{where}.content[{quote(kind)}]"
        _check_schema(_require_object(media, media_where).get("schema", {}), f"{media_where}.schema")


def _check_security(ways: Any, where: str) -> None:
    """Check the ways to be let in, each the scopes by the names of schemes; null says nothing of it."""
    for index, way in enumerate(_require_list([] if ways is None else ways, where)):
        for name, scopes in _require_object(way, f"{where}[{index}]").items():
            place = f"{where}[{index}][{quote(name)}]"
            for number, scope in enumerate(_require_list(scopes, place)):
                _require_text(scope, f"{place}[{number}]")


def _check_security_scheme(scheme: Any, where: str) -> None:
    _check_reference(_require_object(scheme, where), where)


_check_response = _check_body  # a response has its content in the same form


def _check_schema(schema: Any, where: str) -> None:
    """Check a schema and all within it, but not the API's own data in it (enum, default, example)."""
    pending = [(schema, where)]
    while pending:
        current, place = pending.pop()
        if not isinstance(current, bool):
            _check_schema_keys(_require_object(current, place), place)
            pending += _list_subschemas(current, place)


def _check_schema_keys(schema: Mapping[str, Any], where: str) -> None:
    _check_reference(schema, where)
    _require_texts(schema, ("title", "description", "format", "pattern", "contentMediaType"), where)
    kinds = schema.get("type", "object")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        _require_text(kind, f"{where}.type")
    for name in _require_list(schema.get("required", []), f"{where}.required"):
        _require_text(name, f"{where}.required")
    _require_list(schema.get("enum", []), f"{where}.enum")


def _list_subschemas(schema: Mapping[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    for key in _SCHEMA_MAPS:
        for name, subschema in _require_object(schema.get(key, {}), f"{where}.{key}").items():
            yield subschema, f"{where}.{key}[{quote(name)}]"
    for key in _SCHEMA_LISTS:
        for index, subschema in enumerate(_require_list(schema.get(key, []), f"{where}.{key}")):
            yield subschema, f"{where}.{key}[{index}]"
    for key in _SCHEMA_KEYS:
        if key in schema:
            yield schema[key], f"{where}.{key}"


def _check_reference(owner: Mapping[str, Any], where: str) -> None:
    if "$ref" in owner:
        _require_text(owner["$ref"], f"{where}.$ref")


def _require_texts(owner: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if owner.get(key) is not None:
            _require_text(owner[key], f"{where}.{key}")


def _require_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type_error(value, "an object", where)
    return value


def _require_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong_type_error(value, "a list", where)
    return value


def _require_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type_error(value, "a text", where)
    return value


def _wrong_type_error(value: Any, wanted: str, where: str) -> GenerationError:
    return GenerationError(f"{where} of the document is {quote(value)} where {wanted} belongs.")
