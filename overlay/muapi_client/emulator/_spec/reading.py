"""What the server reads a JSON value as, and what it says of one that it cannot read.

The server is FastAPI, which reads bodies with pydantic in its lax mode: ``"5"`` is 5 where an integer is asked, 1 is
true where a boolean is. Measured on FastAPI 0.104 with pydantic 2.12, whose ways the live API has been seen to answer
in (a public log of April 2026), by ``tests/emulator/differential.py``, which says what still differs.

Lives here: one reader a JSON type, the bounds of each, and the choice among a union's members. Does not live here:
when a value need not be read at all (``validation``), what makes a URL (``links``).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast

from attrs import evolve, frozen

from muapi_client.emulator._messages.messages import build_problem
from muapi_client.emulator._spec.links import SCHEMES, find_link_error, read_scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jsonschema_rs import Draft202012Validator

Loc: TypeAlias = tuple[str | int, ...]
Schema: TypeAlias = "Mapping[str, Any]"

_WHOLE: Final = re.compile(r"[+-]?([0-9]+(?:_[0-9]+)*)(?:\.0+)?", re.ASCII)
_DIGITS: Final = 4300  # of an integer at most
_WORD: Final = 2**63  # what Rust's integers do not hold
_WORDS: Final = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_NO_INTEGER: Final = "Input should be a valid integer"
_NO_NUMBER: Final = "Input should be a valid number"
_NO_BOOLEAN: Final = "Input should be a valid boolean"
_TOO_LARGE: Final = "Unable to parse input string as an integer, exceeded maximum size"


def _is_multiple(value: float, step: float) -> bool:
    rest = value % step
    return rest == 0 if isinstance(value, int) else min(abs(rest), abs(rest - step)) <= abs(value) / 1e9


# In the order in which pydantic looks: of several that do not hold it tells the first.
_BOUNDS: Final[tuple[tuple[str, str, str, str, Callable[[Any, Any], bool]], ...]] = (
    ("multipleOf", "multiple_of", "multiple_of", "a multiple of", _is_multiple),
    ("maximum", "less_than_equal", "le", "less than or equal to", lambda value, limit: value <= limit),
    ("exclusiveMaximum", "less_than", "lt", "less than", lambda value, limit: value < limit),
    ("minimum", "greater_than_equal", "ge", "greater than or equal to", lambda value, limit: value >= limit),
    ("exclusiveMinimum", "greater_than", "gt", "greater than", lambda value, limit: value > limit),
)


class UnreadableError(Exception):
    """A value that the server cannot read; ``problems`` are the entries of its 422."""

    def __init__(self, problems: Sequence[dict[str, Any]]) -> None:
        super().__init__(problems)
        self.problems = problems


@frozen
class Reader:
    """Reads values by the schemas of one body.

    Args:
        schemas: What its references name.
        strict: Whether text stands for no number, and a number for no boolean nor the other way round.
    """

    schemas: Mapping[str, Schema]
    strict: bool = False

    def read(self, value: Any, schema: Schema, loc: Loc) -> Any:
        """``value`` as the server has it.

        Args:
            value: As JSON gave it, or the text of a parameter.
            schema: What is asked.
            loc: Where the value stands.

        Raises:
            UnreadableError: It does not fit.
        """
        schema = self.resolve(schema)
        if "const" in schema:
            return _read_choice(value, [schema["const"]], loc)
        if "enum" in schema:
            return _read_choice(value, schema["enum"], loc)
        if "anyOf" in schema:
            return _read_union(self, value, schema["anyOf"], loc)
        kind: Any = schema.get("type", "")
        if isinstance(kind, list):
            return _read_union(self, value, [{**schema, "type": one} for one in cast("list[str]", kind)], loc)
        read = _READERS.get(kind)
        return value if read is None else read(self, value, schema, loc)

    def resolve(self, schema: Schema) -> Schema:
        """The schema that ``schema`` refers to; itself where it refers to none."""
        seen = set[str]()
        while (reference := schema.get("$ref")) is not None and reference not in seen:
            seen.add(reference)
            schema = self.schemas[reference.rpartition("/")[2]]
        return schema


def _refuse(kind: str, loc: Loc, message: str, value: Any, **ctx: Any) -> NoReturn:
    raise UnreadableError([build_problem(kind, loc, message, value, **ctx)])


def _read_choice(value: Any, options: Sequence[Any], loc: Loc) -> Any:
    """The option that ``value`` is; 1.0 and true are 1, but no text is a number."""
    for option in options:
        if value == option and isinstance(value, str) is isinstance(option, str):
            return option
    if isinstance(value, int) and not -_WORD <= value < _WORD and any(isinstance(option, int) for option in options):
        _refuse("int_parsing_size", loc, _TOO_LARGE, value)
    words = [repr(option) for option in options]
    expected = " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
    _refuse("literal_error", loc, f"Input should be {expected}", value, expected=expected)


def _read_union(reader: Reader, value: Any, members: Sequence[Schema], loc: Loc) -> Any:
    """What the first member reads: of those that take the value as it is, else of those that convert it."""
    others = [member for member in members if member.get("type") != "null"]
    if value is None and len(others) < len(members):
        return None
    if len(others) == 1:  # a nullable field, whose problems are told as if it were not
        return reader.read(value, others[0], loc)
    for strict in (True, reader.strict):
        problems: list[dict[str, Any]] = []
        for member in others:
            try:
                return evolve(reader, strict=strict).read(value, member, (*loc, _name_member(reader, member)))
            except UnreadableError as error:
                problems += error.problems
    raise UnreadableError(problems)


def _read_string(_reader: Reader, value: Any, schema: Schema, loc: Loc) -> str:
    if schema.get("format") == "uri":
        return _read_link(value, schema, loc)
    if not isinstance(value, str):
        _refuse("string_type", loc, "Input should be a valid string", value)
    if _has_bounds(schema) and not _is_unicode(value):
        message = "Input should be a valid string, unable to parse raw data as a unicode string"
        _refuse("string_unicode", loc, message, value)
    if len(value) > (limit := schema.get("maxLength", math.inf)):
        message = f"String should have at most {_count(limit, 'character')}"
        _refuse("string_too_long", loc, message, value, max_length=limit)
    if len(value) < (limit := schema.get("minLength", 0)):
        message = f"String should have at least {_count(limit, 'character')}"
        _refuse("string_too_short", loc, message, value, min_length=limit)
    if (pattern := schema.get("pattern")) is not None and not _matches(pattern, value):
        message = f"String should match pattern '{pattern}'"
        _refuse("string_pattern_mismatch", loc, message, value, pattern=pattern)
    return value


def _read_link(value: Any, schema: Schema, loc: Loc) -> str:
    """A link, kept as it was sent: the server's parser writes it anew, such as with a slash after a bare host."""
    if not isinstance(value, str):
        _refuse("url_type", loc, "URL input should be a string or URL", value)
    if not _is_unicode(value):
        message = "Input should be a valid string, unable to parse raw data as a unicode string"
        _refuse("string_unicode", loc, message, value)
    if len(value.encode()) > (limit := schema.get("maxLength", math.inf)):  # in bytes, as the server counts here
        _refuse("url_too_long", loc, f"URL should have at most {_count(limit, 'character')}", value, max_length=limit)
    if error := find_link_error(value):
        _refuse("url_parsing", loc, f"Input should be a valid URL, {error}", value, error=error)
    if read_scheme(value) not in SCHEMES:
        expected = " or ".join(map(repr, SCHEMES))
        _refuse("url_scheme", loc, f"URL scheme should be {expected}", value, expected_schemes=expected)
    return value


def _read_integer(reader: Reader, value: Any, schema: Schema, loc: Loc) -> int:
    number: int
    if isinstance(value, bool):
        if reader.strict:
            _refuse("int_type", loc, _NO_INTEGER, value)
        number = int(value)
    elif isinstance(value, int):
        number = value
    elif isinstance(value, float):
        number = _read_whole_float(value, loc)
    elif isinstance(value, str) and not reader.strict:
        number = _read_whole_text(value, loc)
    else:
        _refuse("int_type", loc, _NO_INTEGER, value)
    _check_bounds(number, value, schema, loc)
    return number


def _read_whole_float(value: float, loc: Loc) -> int:
    if not math.isfinite(value):
        _refuse("finite_number", loc, "Input should be a finite number", value)
    if not value.is_integer():
        _refuse("int_from_float", loc, f"{_NO_INTEGER}, got a number with a fractional part", value)
    if abs(value) >= _WORD:
        _refuse("int_parsing_size", loc, _TOO_LARGE, value)
    return int(value)


def _read_whole_text(value: str, loc: Loc) -> int:
    text = value.strip()
    match = _WHOLE.fullmatch(text)
    if match is None:
        _refuse("int_parsing", loc, f"{_NO_INTEGER}, unable to parse string as an integer", value)
    if len(match[1].replace("_", "")) > _DIGITS:
        _refuse("int_parsing_size", loc, _TOO_LARGE, value)
    return int(text.partition(".")[0])


def _read_number(reader: Reader, value: Any, schema: Schema, loc: Loc) -> float:
    number: float
    if isinstance(value, str) and not reader.strict:
        number = _read_number_text(value, loc)
    elif isinstance(value, int | float) and not (isinstance(value, bool) and reader.strict):
        try:
            number = float(value)
        except OverflowError:
            _refuse("float_type", loc, _NO_NUMBER, value)
    else:
        _refuse("float_type", loc, _NO_NUMBER, value)
    _check_bounds(number, value, schema, loc)
    return value if isinstance(value, int) and not isinstance(value, bool) else number


def _read_number_text(value: str, loc: Loc) -> float:
    text = value.strip()
    try:
        return float(text if text.isascii() else "")  # Python takes other digits, too
    except ValueError:
        _refuse("float_parsing", loc, f"{_NO_NUMBER}, unable to parse string as a number", value)


def _read_boolean(reader: Reader, value: Any, _schema: Schema, loc: Loc) -> bool:
    if isinstance(value, bool):
        return value
    whole = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WORD else value
    if reader.strict or not isinstance(whole, int | str) or (isinstance(whole, int) and not -_WORD <= whole < _WORD):
        _refuse("bool_type", loc, _NO_BOOLEAN, value)
    word = str(whole).lower()
    if word not in _WORDS:
        _refuse("bool_parsing", loc, f"{_NO_BOOLEAN}, unable to interpret input", value)
    return _WORDS[word]


def _read_array(reader: Reader, value: Any, schema: Schema, loc: Loc) -> list[Any]:
    if not isinstance(value, list):
        _refuse("list_type", loc, "Input should be a valid list", value)
    given: list[Any] = cast("Any", value)
    if len(given) > (limit := schema.get("maxItems", math.inf)):
        _refuse_length("too_long", {"max_length": limit}, f"at most {_count(limit, 'item')}", given, loc)
    read, problems = _read_parts(reader, enumerate(given), schema.get("items", {}), loc)
    if problems:
        raise UnreadableError(problems)
    if len(given) < (limit := schema.get("minItems", 0)):
        _refuse_length("too_short", {"min_length": limit}, f"at least {_count(limit, 'item')}", given, loc)
    return list(read.values())


def _refuse_length(kind: str, limit: Mapping[str, int], wanted: str, value: list[Any], loc: Loc) -> NoReturn:
    message = f"List should have {wanted} after validation, not {len(value)}"
    _refuse(kind, loc, message, value, **{"field_type": "List", **limit, "actual_length": len(value)})


def _read_object(reader: Reader, value: Any, schema: Schema, loc: Loc) -> dict[str, Any]:
    """An object with known fields, whose others the server passes over in silence; or one with any."""
    if "properties" in schema:
        return _read_fields(reader, value, schema, loc)
    if not isinstance(value, dict):
        _refuse("dict_type", loc, "Input should be a valid dictionary", value)
    value = cast("dict[str, Any]", value)
    read, problems = _read_parts(reader, value.items(), _read_others(schema), loc)
    if problems:
        raise UnreadableError(problems)
    return read


def _read_others(schema: Schema) -> Schema:
    """What the values of an object with any names must be; ``True`` stands for anything."""
    others: Schema | bool = schema.get("additionalProperties", True)
    return {} if isinstance(others, bool) else others


def _read_fields(reader: Reader, value: Any, schema: Schema, loc: Loc) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        _refuse("model_attributes_type", loc, message, value)
    value = cast("dict[str, Any]", value)
    read, problems = dict[str, Any](value), list[dict[str, Any]]()
    for name, field in schema["properties"].items():
        if name in value:
            found, wrong = _read_parts(reader, [(name, value[name])], field, loc)
            read.update(found)
            problems += wrong
        elif name in schema.get("required", ()):
            problems.append(build_problem("missing", (*loc, name), "Field required", value))
    if problems:
        raise UnreadableError(problems)
    return read


def _read_parts(
    reader: Reader, parts: Iterable[tuple[Any, Any]], schema: Schema, loc: Loc
) -> tuple[dict[Any, Any], list[dict[str, Any]]]:
    """What the parts of a value are read as, by their place in it, and what is wrong with those that cannot be."""
    read, problems = dict[Any, Any](), list[dict[str, Any]]()
    for place, part in parts:
        try:
            read[place] = reader.read(part, schema, (*loc, place))
        except UnreadableError as error:
            problems += error.problems
    return read, problems


_READERS: Final[Mapping[str, Callable[[Reader, Any, Schema, Loc], Any]]] = {
    "string": _read_string,
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
    "array": _read_array,
    "object": _read_object,
    "null": lambda _reader, value, _schema, loc: (
        None if value is None else _refuse("none_required", loc, "Input should be None", value)
    ),
}


def _check_bounds(number: float, value: Any, schema: Schema, loc: Loc) -> None:
    kind = int if isinstance(number, int) else float  # the document writes some integer bounds as floats
    for keyword, problem, key, words, holds in _BOUNDS:
        if keyword in schema and not holds(number, limit := kind(schema[keyword])):
            _refuse(problem, loc, f"Input should be {words} {_write_number(limit)}", value, **{key: limit})


def _write_number(number: float) -> str:
    """``number`` as the server's Rust writes it: without an exponent, nor a fraction that is none."""
    return str(int(number)) if float(number).is_integer() else format(Decimal(repr(number)), "f")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _has_bounds(schema: Schema) -> bool:
    return not schema.keys().isdisjoint({"minLength", "maxLength", "pattern"})


def _is_unicode(text: str) -> bool:
    """Return whether ``text`` can be written as UTF-8: JSON can spell halves of characters alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _matches(pattern: str, text: str) -> bool:
    return _compile_pattern(pattern).is_valid(text)


@cache
def _compile_pattern(pattern: str) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - an extra, and 60 ms

    return Draft202012Validator({"pattern": pattern})


def _name_member(reader: Reader, schema: Schema) -> str:
    """What pydantic calls a member of a union in the place of a problem."""
    target = reader.resolve(schema)
    if "const" in target or "enum" in target:
        options = [target["const"]] if "const" in target else target["enum"]
        return f"literal[{','.join(map(repr, options))}]"
    match target.get("type"):
        case "string" if target.get("format") == "uri":
            return "function-wrap[wrap_val()]"
        case "array":
            return f"list[{_name_member(reader, target.get('items', {}))}]"
        case "object" if "properties" in target:
            return str(schema.get("$ref", target.get("title", "object"))).rpartition("/")[2]
        case "object":
            return f"dict[str,{_name_member(reader, _read_others(target))}]"
        case kind:
            name = _NAMES.get(str(kind), "any")
            return f"constrained-{name}" if name in _BOUNDED and not schema.keys().isdisjoint(_LIMITS) else name


_NAMES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "none"}
_BOUNDED: Final = frozenset({"str", "int", "float"})
_LIMITS: Final = frozenset({keyword for keyword, *_ in _BOUNDS} | {"minLength", "maxLength", "pattern"})
