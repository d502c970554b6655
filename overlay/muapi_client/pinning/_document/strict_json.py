"""JSON, read strictly: what two readers could understand differently is an error. Pure.

Lives here: from bytes to Python values, and narrowing those to what they are. Does not live here: what a
document has to say (``canonical``, ``price_list``).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

from muapi_client.pinning._document.errors import PinError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 200  # of objects and arrays within each other; MuAPI's reach some 20, and later readers recurse


def parsed(content: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object strictly: a repeated key, a NaN or half a document is an error.

    Args:
        content: JSON in UTF-8.
        what: What an error message calls it.

    Raises:
        PinError: With the place where reading stopped.
    """
    try:
        value = _value(content.decode("utf-8-sig"), what)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be written again
    except UnicodeError as error:
        raise PinError(f"{what} is not text in UTF-8: {error}") from None
    except ValueError as error:
        raise PinError(f"{what} is not strict JSON: {error}") from None
    except RecursionError:
        raise PinError(f"{what} is nested too deeply to be MuAPI's") from None
    _check_depth(value, what)
    found = as_object(value)
    if found is None:
        raise PinError(f"{what} is JSON, but a {type(value).__name__} where an object belongs")
    return found


def _value(text: str, what: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise PinError(_not_json(text, error, what)) from None


def _check_depth(value: object, what: str) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for node in level for item in _items(node)]
    if level:
        raise PinError(f"{what} is nested more than {MAX_DEPTH} deep, which is none of MuAPI's")


def _items(node: object) -> Iterable[Any]:
    fields = as_object(node)
    return fields.values() if fields is not None else as_list(node) or ()


def as_object(value: object) -> dict[str, Any] | None:
    """The value if it is a JSON object, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """The value if it is a JSON array, else None."""
    return cast("list[object]", value) if isinstance(value, list) else None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(twice)} stands twice in one object, and only one of the two can be meant")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise ValueError(f"the number {quoted(literal)} is beyond what a float holds")
    return number


def _not_json(text: str, error: json.JSONDecodeError, what: str) -> str:
    start = text.lstrip()
    if not start:
        return f"{what} is empty"
    if start.startswith("<"):
        return f"{what} is a web page, not JSON (it begins {quoted(start)}): is the address right?"
    if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
        return f"{what} breaks off after {len(text)} characters: half of it is missing, fetch again"
    return f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
