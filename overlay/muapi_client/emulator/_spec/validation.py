"""Checks of body, path and query against the pinned document, judged by jsonschema-rs and told as the server's 422.

Lives here: validators (compiled on first use, kept), and turning values of the query into JSON. Does not
live here: the wording of a problem (``error_details``), nor anything of the client's own check, which this one
must be able to contradict.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.messages import build_problem, invalid_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema_rs import Draft202012Validator, ValidationError

    from muapi_client.emulator._spec.operations import Operation

# The server takes links it can fetch, nothing else: data: URIs and local paths are refused.
_LINK = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]{1,4300}")  # the server's Python reads no longer ones
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})

_validators: Final[dict[int, tuple[Mapping[str, Any], Draft202012Validator]]] = {}


def check_body(operation: Operation, body: Any) -> None:
    """Raise Refusal (422) unless ``body`` fits the operation's schema."""
    schema = operation.body
    if schema is None:
        return
    validator = _validator(schema)
    if not validator.is_valid(body):
        raise invalid_error(*_problems(validator.iter_errors(body), ("body",), operation.fields))


def check_path(operation: Operation, parameters: Mapping[str, str]) -> None:
    """Raise Refusal (422) unless the path's parameters are of their types."""
    found = [name for name, text in parameters.items() if not _is_of(operation.path_types[name], text)]
    if found:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise invalid_error(*(build_problem("int_parsing", ("path", name), message) for name in found))


def check_query(operation: Operation, query: Mapping[str, str]) -> dict[str, Any]:
    """The declared query parameters that were sent, as JSON values.

    Raises:
        Refusal: 422 if one does not fit.
    """
    values: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for name, schema in operation.query.items():
        if name not in query:
            if name in operation.needed:
                found.append(build_problem("missing", ("query", name), "Field required"))
            continue
        values[name] = _typed(query[name], schema)
        validator = _validator(schema)
        if not validator.is_valid(values[name]):
            found += _problems(validator.iter_errors(values[name]), ("query", name), ())
    if found:
        raise invalid_error(*found)
    return values


def _problems(
    errors: Iterable[ValidationError], root: tuple[str, ...], fields: tuple[str, ...]
) -> list[dict[str, Any]]:
    from muapi_client.emulator._spec.error_details import build_problems  # noqa: PLC0415 - most bodies fit

    return build_problems(errors, root, fields)


def _is_of(kind: str, text: str) -> bool:
    return kind != "integer" or _INTEGER.fullmatch(text) is not None


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """``text`` as the type the schema asks for, or unchanged where it cannot be that."""
    types = {schema.get("type"), *(branch.get("type") for branch in schema.get("anyOf", ()))}
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "boolean" in types and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    return text


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """The compiled schema, kept with its source so that no other schema gets the same identity."""
    known = _validators.get(id(schema))
    if known is None:
        from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - an extra, and 60 ms

        validator = Draft202012Validator(dict(schema), validate_formats=True, formats={"uri": _is_link})
        known = _validators[id(schema)] = (schema, validator)
    return known[1]


def _is_link(text: str) -> bool:
    return _LINK.fullmatch(text) is not None
