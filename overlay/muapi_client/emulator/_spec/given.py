"""A document that an emulator is given, in the form in which the pinned one stands.

An OpenAPI document may say by a reference what FastAPI writes out: a path, a parameter, a body, part of a schema. It
may say once for a path what holds for all of its operations, and may be of OpenAPI 3.0. ``operations`` reads the pinned
form alone, so that starting on the pin costs nothing of this.

Lives here: following such references, schemas in the words of JSON Schema (draft 2020-12) with every reference to a
component by a plain name, and telling what cannot be answered before anybody asks. Does not live here: which paths are
ours (``pinning``), what they mean (``operations``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._spec.operations import Table, compile_path, identify_document
from muapi_client.emulator._spec.price_list import index_prices, read_price_list
from muapi_client.emulator._spec.validation import find_schema_errors
from muapi_client.pinning import PinError
from muapi_client.pinning._document.canonical import METHODS, restrict_to_scope, serialize
from muapi_client.pinning._document.media_types import JSON, PLAIN_JSON, find_media_type
from muapi_client.pinning._document.references import LITERAL, NAMED, SCHEMAS, find_target
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN: Final = re.compile(r"[\w.-]+", re.ASCII)
_MEMBERS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})  # lists of schemas
_INNER: Final = frozenset({"items", "not", "if", "then", "else", "contains"})  # a schema each
_BOUNDS: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def make_operations(document: Mapping[str, Any], prices: Mapping[str, Any] | None = None) -> Table:
    """The operations of another document than the pinned one.

    Args:
        document: An OpenAPI document of MuAPI's, as parsed JSON; what is not under ``/api/v1`` is left out.
        prices: A price list as ``GET /api/v1/models`` answers it; the pinned one by default.

    Raises:
        ValueError: It is none, or has operations that cannot be answered: each is told, with the reason.
    """
    try:
        inside = restrict_to_scope(dict(document))
    except PinError as error:
        raise ValueError(str(error)) from None
    listed = read_price_list() if prices is None else index_prices(prices)
    given, paths, problems = GivenDocument(inside), dict[str, Any](), list[str]()
    table = Table(paths, given.schemas, listed, lambda: inside, lambda: _identify(inside))
    for path in inside["paths"]:  # what cannot be answered is told now, not by each request
        try:
            paths[path] = given.read_path(path)
            compile_path(path)
            table.at(path)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError, re.error) as error:
            paths.pop(path, None)
            problems.append(_tell_unanswerable(path, error))
    problems += _find_unanswerable(table)
    if problems:
        raise ValueError("\n".join(problems))
    return table


def _identify(document: dict[str, Any]) -> str:
    info = as_object(document.get("info")) or {}
    title, version = (str(info.get(name, ""))[:80] for name in ("title", "version"))
    return identify_document(f"{title!r} {version}", serialize(document))


def _find_unanswerable(table: Table) -> Iterator[str]:
    for operation in table.all():
        for error in find_schema_errors(operation):
            yield _tell_unanswerable(f"{operation.method} {operation.path}", error)


def _tell_unanswerable(which: str, error: Exception) -> str:
    why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return f"{which} of the document cannot be answered: {why}"


class GivenDocument:
    """A given document.

    Args:
        document: The document, whose references all lead somewhere.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = dict(document)
        self._old = str(document["openapi"]).startswith("3.0")  # other words for null and for bounds
        self._names: dict[str, str] = {}  # by reference
        self.schemas: dict[str, Any] = {}
        """The schemas that the paths read by now refer to, by name."""

    def read_path(self, path: str) -> dict[str, Any]:
        """The operations of a path by their methods, with nothing in them that stands elsewhere but named schemas.

        Raises:
            ValueError: A reference leads only to itself, or something stands where a schema belongs.
            AttributeError: Something is not what OpenAPI has there; or one of ``LookupError`` and ``TypeError``.
        """
        item = self._follow(self._document["paths"][path])
        shared = item.get("parameters", ())
        return {
            method: self._read_operation(operation, shared) for method, operation in item.items() if method in METHODS
        }

    def _read_operation(self, operation: Mapping[str, Any], shared: Any) -> dict[str, Any]:
        read = dict(operation)
        both = [self._follow(parameter) for parameter in (*shared, *operation.get("parameters", ()))]
        # One of the operation's own stands in place of its path's.
        last = {(parameter["in"], parameter["name"]): parameter for parameter in both}
        read["parameters"] = [{**one, "schema": self._read_parameter(one)} for one in last.values()]
        if "requestBody" in operation:
            read["requestBody"] = self._read_body(self._follow(operation["requestBody"]))
        return read

    def _read_parameter(self, parameter: Mapping[str, Any]) -> dict[str, Any]:
        """What a parameter must be: what is told of its type stands with it, since that is asked for before a value."""
        schema = self._read_schema(parameter.get("schema", {}))
        seen = set[str]()
        while "$ref" in schema and schema["$ref"] not in seen:
            seen.add(schema["$ref"])
            schema = self.schemas[schema["$ref"].removeprefix(SCHEMAS)]
        return schema

    def _read_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        content = body.get("content", {})
        name = find_media_type(content, (PLAIN_JSON, JSON))
        if not name:
            return dict(body)
        return {**body, "content": {"application/json": {"schema": self._read_schema(content[name].get("schema", {}))}}}

    def _follow(self, part: dict[str, Any]) -> dict[str, Any]:
        """``part``, or what it refers to; what stands beside a reference counts before that."""
        seen = set[str]()
        while isinstance(reference := part.get("$ref"), str):
            if reference in seen:
                raise ValueError(f"{reference} leads only to itself")
            seen.add(reference)
            part = {**find_target(reference, self._document), **{k: v for k, v in part.items() if k != "$ref"}}
        return part

    def _read_schema(self, schema: Any) -> dict[str, Any]:
        """A schema as an object, what is in it too."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        words = as_object(schema)
        if words is None:
            raise ValueError(f"{str(schema)[:40]} stands where a schema belongs")
        read = {word: self._read_word(word, value) for word, value in words.items()}
        if isinstance(reference := read.get("$ref"), str):
            read["$ref"] = f"{SCHEMAS}{self._name(reference)}"
        return _modernize(read) if self._old else read

    def _read_word(self, word: str, value: Any) -> Any:
        if word in LITERAL or word.startswith("x-"):
            return value
        if word in NAMED and (parts := as_object(value)) is not None:
            return {name: self._read_schema(part) for name, part in parts.items()}
        if word in _MEMBERS and (members := as_list(value)) is not None:
            return [self._read_schema(member) for member in members]
        return self._read_schema(value) if word in _INNER or isinstance(value, dict) else value

    def _name(self, reference: str) -> str:
        """The name of the schema that ``reference`` means; one that stands nowhere as a component is given one."""
        if reference not in self._names:
            own = reference.removeprefix(SCHEMAS)
            name = own if reference.startswith(SCHEMAS) and _PLAIN.fullmatch(own) else self._invent_name(reference)
            self._names[reference] = name  # before it is read: a schema may refer to itself
            self.schemas[name] = {}
            self.schemas[name] = self._read_schema(find_target(reference, self._document))
        return self._names[reference]

    def _invent_name(self, reference: str) -> str:
        taken = self._document.get("components", {}).get("schemas", {})
        stem = re.sub(r"[^\w.-]+", "_", reference, flags=re.ASCII).strip("_")
        known = {*taken, *self._names.values()}
        return next(name for number in range(len(known) + 1) if (name := f"{stem}_{number}") not in known)


def _modernize(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of OpenAPI 3.0 in the words of 3.1: null is a type, and a bound that is excluded a number."""
    read = dict(schema)
    for word, bound in _BOUNDS.items():
        if isinstance(excluded := read.get(word), bool):
            del read[word]
            if excluded and bound in read:
                read[word] = read.pop(bound)
    if read.pop("nullable", False) is True and "$ref" not in read:
        if isinstance(read.get("type"), str):
            read["type"] = [read["type"], "null"]
        if isinstance(read.get("enum"), list) and None not in read["enum"]:
            read["enum"] = [*read["enum"], None]
    return read
