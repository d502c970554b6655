"""Checks of path, query and body against the pinned document, as the server's FastAPI makes them.

A body that fits as it stands is judged by jsonschema-rs alone; any other is read as the server reads it (``reading``),
and refused in the server's words where it cannot be.

Lives here: which of the two is asked, validators (compiled on first use, kept), and the problems of a request put
together. Does not live here: the reading, nor anything of the client's own check, which this one must be able to
contradict.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import frozen

from muapi_client.emulator._messages.messages import build_problem, invalid_error, is_writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema_rs import Draft202012Validator

    from muapi_client.emulator._spec.operations import Operation

# A link without anything that a URL parser has to think about.
_PLAIN_LINK = re.compile(r"https?://(?:[a-z0-9-]+\.)+[a-z]+(?:/[!-~]*)?", re.ASCII)

_validators: Final[dict[int, tuple[Mapping[str, Any], Draft202012Validator]]] = {}


@frozen(eq=False, repr=False)
class Inputs:
    """What a request gives its operation: parameters of path and query, and the body, each as the server reads it."""

    parameters: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any


def check_inputs(
    operation: Operation, parameters: Mapping[str, str], query: Mapping[str, str], body: Any, *, strict: bool
) -> Inputs:
    """Read what a request gives its operation.

    Args:
        operation: The one that is meant.
        parameters: Those of its path, as text.
        query: Those of its query, as text; undeclared ones are passed over.
        body: What JSON says there; None where nothing was sent, or null, which FastAPI takes for the same.
        strict: Whether in bodies ``"5"`` is no integer and 1 no boolean, which the server takes for such.

    Raises:
        Refusal: 422 with everything that does not fit.
    """
    problems: list[dict[str, Any]] = []
    # One that stands in a path, and that the document forgets to declare, is text.
    types, numbers = operation.path_types, {"type": "integer"}
    read = {
        name: str(_read(text, numbers, ("path", name), problems)) if types.get(name) == "integer" else text
        for name, text in parameters.items()
    }
    asked = dict(_read_query(operation, query, problems))
    if operation.body is not None:
        body = _read_body(operation, body, problems, strict=strict)
    if problems:
        raise invalid_error(*problems)
    return Inputs(read, asked, body)


def find_schema_errors(operation: Operation) -> Iterator[ValueError]:
    """Tell what an operation asks that is no JSON Schema: a value could not be held against it."""
    from jsonschema_rs import ValidationError  # noqa: PLC0415 - an extra, and 60 ms

    for where, schema in (("body", operation.body), *operation.query.items()):
        if schema is not None:
            try:
                _compile_schema(schema)  # and not kept: most operations of a document are never asked
            except ValidationError as error:
                yield ValueError(f"{'/'.join(map(str, (where, *error.instance_path)))}: {error.message}")


def _read_query(
    operation: Operation, query: Mapping[str, str], problems: list[dict[str, Any]]
) -> Iterator[tuple[str, Any]]:
    for name, schema in operation.query.items():
        if name in query:
            yield name, _read(query[name], schema, ("query", name), problems)
        elif name in operation.needed:
            problems.append(build_problem("missing", ("query", name), "Field required", None))


def _read_body(operation: Operation, body: Any, problems: list[dict[str, Any]], *, strict: bool) -> Any:
    schema = operation.body
    assert schema is not None
    if body is None:
        if operation.needs_body:
            problems.append(build_problem("missing", ("body",), "Field required", None))
        return {}
    found: list[dict[str, Any]] = []
    validator = _validator(schema)
    if not _fits_as_it_is(validator, body, strict=strict):
        body = _read(body, schema, ("body",), found, strict=strict)
        if not found and is_writable(body):
            found += _find_other_problems(validator, body)
    if operation.rule is not None and isinstance(body, dict):
        found = operation.rule.add_problem(cast("dict[str, Any]", body), operation.fields, found)
    problems += found
    return cast("Any", body)


def _read(
    value: Any, schema: Mapping[str, Any], loc: tuple[str, ...], problems: list[dict[str, Any]], *, strict: bool = False
) -> Any:
    """``value`` as the server reads it; unread where it cannot, which is added to ``problems``."""
    from muapi_client.emulator._spec.reading import (  # noqa: PLC0415 - most bodies fit as they are
        Reader,
        UnreadableError,
    )

    schemas = schema.get("components", {}).get("schemas", {})
    try:
        return Reader(schemas, strict).read(value, schema, loc)
    except UnreadableError as error:
        problems += error.problems
        return value


def _fits_as_it_is(validator: Draft202012Validator, body: Any, *, strict: bool) -> bool:
    """Return whether JSON Schema takes ``body`` as the server does: a float may be an integer to the one alone."""
    if not strict and _holds_float(body):
        return False
    try:
        return validator.is_valid(body)
    except UnicodeEncodeError:  # half of a character, as the name of a field
        return False


def _holds_float(body: Any) -> bool:
    values: list[Any] = [body]  # not by recursion: how deep a body is, its sender decides
    while values:
        value = values.pop()
        if isinstance(value, float):
            return True
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
    return False


def _find_other_problems(validator: Draft202012Validator, body: Any) -> Iterator[dict[str, Any]]:
    """What JSON Schema holds against a body that could be read: there are keywords that the reading does not know."""
    for error in validator.iter_errors(body):
        yield build_problem("value_error", ("body", *error.instance_path), error.message, error.instance)


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """The compiled schema, kept with its source so that no other schema gets the same identity."""
    known = _validators.get(id(schema))
    if known is None:
        known = _validators[id(schema)] = (schema, _compile_schema(schema))
    return known[1]


def _compile_schema(schema: Mapping[str, Any]) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - an extra, and 60 ms

    return Draft202012Validator(dict(schema), validate_formats=True, formats={"uri": _is_link})


def _is_link(text: str) -> bool:
    if _PLAIN_LINK.fullmatch(text):
        return True
    from muapi_client.emulator._spec.links import SCHEMES, find_link_error, read_scheme  # noqa: PLC0415 - seldom needed

    return not find_link_error(text) and read_scheme(text) in SCHEMES
