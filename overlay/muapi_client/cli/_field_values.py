"""``field=value`` words into JSON values, by the types the pinned document gives the fields. Pure.

Lives here: reading what a person typed, and JSON that stands in a file. Does not live here: bounds, lengths, required
and unknown fields, which are checked on the whole request as they are for any other caller
(``muapi_client._spec.validation``).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

WHOLE: Final = re.compile(r"[+-]?[0-9]+")
DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
SWITCH: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
SHOWN: Final = 12  # choices named in a message; the longest list in the document has 200


class Unfit(ValueError):  # noqa: N818 - a finding on its way into a ValidationError
    """A word that cannot be read as its field's type."""


def read_fields(words: Iterable[str], schemas: Mapping[str, Mapping[str, Any]], *, about: str) -> dict[str, Any]:
    """Read ``field=value`` words; a field the document lacks is read as :func:`read_loosely` does.

    Args:
        words: The words, each with a ``=``; a repeated field gathers its values.
        schemas: What the document says of each field, as in ``catalog.Field.schema``.
        about: The model's name, for the message.

    Raises:
        ValidationError: Some value is not of its field's type; nothing was sent.
    """
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        name, _, text = word.partition("=")
        texts[name].append(text)
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, given in texts.items():
        try:
            values[name] = read_value(given, schemas.get(name, {}))
        except Unfit as problem:
            problems[name] = str(problem)
    if problems:
        raise unfit_error(problems, about)
    return values


def unfit_error(problems: Mapping[str, str], about: str) -> ValidationError:
    """The error of values that do not fit their fields."""
    listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    return ValidationError(
        f"{about}: {listed} (refused here; nothing was sent)",
        errors=[{"loc": ["body", name], "msg": problem, "type": "value_error"} for name, problem in problems.items()],
    )


def read_value(texts: Sequence[str], schema: Mapping[str, Any]) -> Any:
    """Read all that was given for one field.

    Raises:
        Unfit: It is not what the field takes.
    """
    if schema.get("nullable") and list(texts) == ["null"] and "null" not in schema.get("enum", ()):
        return None
    shapes: Sequence[Mapping[str, Any]] = schema.get("anyOf") or (schema,)
    lists = [shape for shape in shapes if shape.get("type") == "array"]
    singles = [shape for shape in shapes if shape.get("type") != "array"]
    if lists and (len(texts) > 1 or not singles or _read_json_list(texts[0]) is not None):
        return _read_list(texts, lists[0])
    if len(texts) > 1:
        if schema:
            raise Unfit(f"is given {len(texts)} times and takes one value")
        return [read_loosely(text) for text in texts]
    return _read_any_of(texts[0], singles)


def read_loosely(text: str) -> Any:
    """A value of unknown type: what it says where it is JSON, the text itself otherwise."""
    try:
        return _read_json(text)
    except ValueError:
        return text


def _read_list(texts: Sequence[str], shape: Mapping[str, Any]) -> list[Any]:
    """Items given one by one, or all of them as one JSON array."""
    if len(texts) == 1 and (whole := _read_json_list(texts[0])) is not None:
        return whole
    return [read_value([text], shape.get("items", {})) for text in texts]


def _read_any_of(text: str, shapes: Sequence[Mapping[str, Any]]) -> Any:
    first: Unfit | None = None
    for shape in shapes:
        try:
            return _read_single(text, shape)
        except Unfit as problem:
            first = first or problem
    raise first or Unfit("takes no value")


def _read_single(text: str, shape: Mapping[str, Any]) -> Any:
    if choices := shape.get("enum"):
        return _read_choice(text, choices)
    return READERS.get(shape.get("type", ""), read_loosely)(text)


def _read_choice(text: str, choices: Sequence[Any]) -> Any:
    spelled = {choice if isinstance(choice, str) else json.dumps(choice): choice for choice in choices}
    if text in spelled:
        return spelled[text]
    number = read_loosely(text)
    if type(number) in (int, float):
        for choice in choices:
            if type(choice) in (int, float) and choice == number:
                return choice
    near = get_close_matches(text, spelled, n=3)
    if near:
        raise Unfit(f"{text!r} is none of its {len(choices)} choices; did you mean {' or '.join(map(repr, near))}?")
    more = f" and {len(choices) - SHOWN} more" if len(choices) > SHOWN else ""
    raise Unfit(f"{text!r} is none of its choices: {', '.join(map(repr, choices[:SHOWN]))}{more}")


def _read_integer(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise Unfit(f"{text!r} is no whole number")
    try:
        return int(text)
    except ValueError:  # Python's limit on digits
        raise Unfit(f"a number of {len(text)} digits is too long") from None


def _read_number(text: str) -> float:
    if WHOLE.fullmatch(text):
        return _read_integer(text)
    if not DECIMAL.fullmatch(text) or not isfinite(float(text)):
        raise Unfit(f"{text!r} is no number")
    return float(text)


def _read_boolean(text: str) -> bool:
    value = SWITCH.get(text.lower())
    if value is None:
        raise Unfit(f"{text!r} is neither true nor false")
    return value


def _read_object(text: str) -> dict[str, Any]:
    try:
        value = _read_json(text)
    except ValueError as error:
        raise Unfit(f"takes a JSON object, and {text!r} is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unfit(f'takes a JSON object such as {{"name": 1}}, not {text!r}')
    return cast("dict[str, Any]", value)


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
    "object": _read_object,
}


def _read_json_list(text: str) -> list[Any] | None:
    value: list[Any] | str | None = read_loosely(text) if text.lstrip().startswith("[") else None
    return None if isinstance(value, str) else value


def read_whole_json(text: str | bytes) -> Any:
    """Parse a file of JSON, or a line of one; what could be read in two ways is refused, too.

    Raises:
        ValueError: It is no JSON, or a name stands in an object twice.
    """
    return _read_json(text, object_pairs_hook=_refuse_twice)


def _read_json(text: str | bytes, **how: Any) -> Any:
    """Parse JSON as the API does: without NaN and Infinity.

    Args:
        how: Options of ``json.loads``.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, **how)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, none of whose names stands in it twice: JSON takes the last without a word."""
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return value
