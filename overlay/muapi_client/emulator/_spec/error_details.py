"""A JSON Schema error in the words of the server's 422.

Lives here: the table from schema keyword to problem type and message, as pydantic 2 (the server's
validator) words them in strict mode; which errors of an ``anyOf`` count; one problem a place. Does not
live here: validating.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from muapi_client.emulator._messages.messages import build_problem, not_an_object_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from jsonschema_rs import ValidationError

Loc: TypeAlias = tuple[str | int, ...]
Tags: TypeAlias = tuple[tuple[int, str], ...]  # at which depth of a place which member of a union is named

_TYPES: Final = {
    "string": ("string_type", "Input should be a valid string"),
    "integer": ("int_type", "Input should be a valid integer"),
    "number": ("float_type", "Input should be a valid number"),
    "boolean": ("bool_type", "Input should be a valid boolean"),
    "array": ("list_type", "Input should be a valid list"),
    "object": ("dict_type", "Input should be a valid dictionary"),
    "null": ("none_required", "Input should be None"),
}
_TAGS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict"}

# Of several errors at one place pydantic tells the first it meets: a wrong choice before a wrong type, both before
# bounds; an unparsable link before its length.
_RANK: Final = {"const": 0, "enum": 0, "type": 1, "format": 2}


def build_problems(errors: Iterable[ValidationError], root: Loc, fields: Sequence[str]) -> list[dict[str, Any]]:
    """The problems of one value, one a place, in the order of its fields.

    Args:
        errors: What jsonschema-rs found.
        root: Where the value stands: ``("body",)`` or ``("query", name)``.
        fields: The names of the value's fields in the document's order.
    """
    found: dict[Loc, tuple[int, dict[str, Any]]] = {}
    for error, place_in_value in _leaves(errors, ()):
        entry = _problem(error, (*root, *place_in_value))
        place, rank = tuple(entry["loc"]), _RANK.get(error.kind.name, 3)
        if place not in found or rank < found[place][0]:
            found[place] = rank, entry
    order = {name: number for number, name in enumerate(fields)}
    return sorted((entry for _, entry in found.values()), key=lambda entry: _order(entry["loc"], root, order))


def _order(loc: list[str | int], root: Loc, order: Mapping[str, int]) -> int:
    first = loc[len(root)] if len(loc) > len(root) else ""
    return order.get(first, -1) if isinstance(first, str) else first


def _leaves(errors: Iterable[ValidationError], tags: Tags) -> Iterator[tuple[ValidationError, Loc]]:
    """Each error that says something, and its place with the union members pydantic names in it."""
    for error in errors:
        if error.kind.name != "anyOf":
            yield error, _place(error.instance_path, tags)
            continue
        members = [branch for branch in error.kind.as_dict()["context"] if not _is_null(branch, error)]
        depth = len(error.instance_path)
        for member in members:
            own = () if len(members) == 1 else ((depth, _tag(member, depth)),)
            yield from _leaves(member, (*tags, *own))


def _place(path: Sequence[str | int], tags: Tags) -> Loc:
    place = list(path)
    for depth, tag in reversed(tags):
        place.insert(depth, tag)
    return tuple(place)


def _is_null(branch: Sequence[ValidationError], union: ValidationError) -> bool:
    """Return whether ``branch`` is the ``null`` of a nullable field, which pydantic does not mention."""
    return any(
        error.kind.name == "type"
        and error.kind.as_dict()["types"] == ["null"]
        and error.instance_path == union.instance_path
        for error in branch
    )


def _tag(branch: Sequence[ValidationError], depth: int) -> str:
    """Return what pydantic calls a member of a union, told from what it found wrong; ``depth`` is the union's."""
    error = branch[0]
    expected = error.kind.as_dict()["types"][0] if error.kind.name == "type" else "string"
    if expected == "array" or len(error.instance_path) > depth:
        return "list[str]"  # the document's unions hold no other list
    return "url" if error.kind.name == "format" else _TAGS[expected]


def _problem(error: ValidationError, loc: Loc) -> dict[str, Any]:
    facts = error.kind.as_dict()
    word = _WORDS.get(error.kind.name)
    return word(error, facts, loc) if word else build_problem("value_error", loc, error.message)


def _type(error: ValidationError, facts: Mapping[str, Any], loc: Loc) -> dict[str, Any]:
    expected = facts["types"][0]
    if expected == "object" and _names_a_model(error):
        return not_an_object_problem(*loc)
    if expected == "integer" and isinstance(error.instance, float):
        message = "Input should be a valid integer, got a number with a fractional part"
        return build_problem("int_from_float", loc, message)
    kind, message = _TYPES[expected]
    return build_problem(kind, loc, message)


def _names_a_model(error: ValidationError) -> bool:
    """Return whether the object asked for is the body itself or a named schema, not a free-form mapping."""
    path = error.schema_path
    return path == ["type"] or (path[:2] == ["components", "schemas"] and len(path) == 4)  # noqa: PLR2004 - …/name/type


def _missing(_error: ValidationError, facts: Mapping[str, Any], loc: Loc) -> dict[str, Any]:
    return build_problem("missing", (*loc, facts["property"]), "Field required")


def _choice(options: Sequence[Any], loc: Loc) -> dict[str, Any]:
    words = [repr(option) for option in options]
    expected = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return build_problem("literal_error", loc, f"Input should be {expected}", expected=expected)


def _link(error: ValidationError, facts: Mapping[str, Any], loc: Loc) -> dict[str, Any]:
    if facts["format"] != "uri":
        message = f"Input should be a valid {facts['format']}"
        return build_problem(f"{facts['format'].replace('-', '_')}_parsing", loc, message)
    scheme, colon, _ = str(error.instance).partition(":")
    if colon and scheme.isalpha() and scheme.lower() not in {"http", "https"}:
        expected = "'http' or 'https'"
        message = f"URL scheme should be {expected}"
        return build_problem("url_scheme", loc, message, expected_schemes=expected)
    why = "relative URL without a base" if error.instance else "input is empty"
    return build_problem("url_parsing", loc, f"Input should be a valid URL, {why}", error=why)


def _bound(kind: str, key: str, words: str) -> Callable[[ValidationError, Mapping[str, Any], Loc], dict[str, Any]]:
    def tell(_error: ValidationError, facts: Mapping[str, Any], loc: Loc) -> dict[str, Any]:
        limit = facts.get("limit", facts.get("multiple_of"))
        # The document writes some integer bounds as floats (4294967295.0).
        limit = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        return build_problem(kind, loc, f"Input should be {words} {limit}", **{key: limit})

    return tell


def _length(kind: str, key: str, word: str) -> Callable[[ValidationError, Mapping[str, Any], Loc], dict[str, Any]]:
    def tell(error: ValidationError, facts: Mapping[str, Any], loc: Loc) -> dict[str, Any]:
        limit = facts["limit"]
        if isinstance(error.instance, list):
            actual = len(error.instance)
            message = f"List should have at {word} {_several(limit, 'item')} after validation, not {actual}"
            ctx = {"field_type": "List", key: limit, "actual_length": actual}
            return build_problem(f"too_{kind}", loc, message, **ctx)
        message = f"String should have at {word} {_several(limit, 'character')}"
        return build_problem(f"string_too_{kind}", loc, message, **{key: limit})

    return tell


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_WORDS: Final[Mapping[str, Callable[[ValidationError, Mapping[str, Any], Loc], dict[str, Any]]]] = {
    "type": _type,
    "required": _missing,
    "enum": lambda _error, facts, loc: _choice(facts["options"], loc),
    "const": lambda _error, facts, loc: _choice([facts["expected_value"]], loc),
    "format": _link,
    "minimum": _bound("greater_than_equal", "ge", "greater than or equal to"),
    "maximum": _bound("less_than_equal", "le", "less than or equal to"),
    "exclusiveMinimum": _bound("greater_than", "gt", "greater than"),
    "exclusiveMaximum": _bound("less_than", "lt", "less than"),
    "multipleOf": _bound("multiple_of", "multiple_of", "a multiple of"),
    "minLength": _length("short", "min_length", "least"),
    "maxLength": _length("long", "max_length", "most"),
    "minItems": _length("short", "min_length", "least"),
    "maxItems": _length("long", "max_length", "most"),
    "pattern": lambda _error, facts, loc: build_problem(
        "string_pattern_mismatch",
        loc,
        f"String should match pattern '{facts['pattern']}'",
        pattern=facts["pattern"],
    ),
}
