"""JSON, read strictly: what two readers could understand differently is an error. Pure.

Lives here: from bytes to Python values, and narrowing those to what they are. Does not live here: what a
document has to say (``canonical``, ``price_list``).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

from muapi_client.pinning._document.errors import PinError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 200  # of objects and arrays within each other; MuAPI's reach some 20, and later readers recurse


def parse(content: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object strictly: a repeated key, a NaN or half a document is an error.

    Args:
        content: JSON in UTF-8.
        what: What an error message calls it.

    Raises:
        PinError: With the place where reading stopped.
    """
    try:
        value = _load(content.decode("utf-8-sig"), what)
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
        raise PinError(f"{what} is JSON, but of the type {type(value).__name__} where an object belongs")
    return found


def _load(text: str, what: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_refuse_repeated_keys, parse_constant=_refuse_constant, parse_float=_read_float
        )
    except json.JSONDecodeError as error:
        raise _not_json_error(text, error, what) from None


def _check_depth(value: object, what: str) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for node in level for item in _children(node)]
    if level:
        raise PinError(f"{what} is nested more than {MAX_DEPTH} deep, which is none of MuAPI's")


def _children(node: object) -> Iterable[Any]:
    fields = as_object(node)
    return fields.values() if fields is not None else as_list(node) or ()


def as_object(value: object) -> dict[str, Any] | None:
    """The value if it is a JSON object, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """The value if it is a JSON array, else None."""
    return cast("list[object]", value) if isinstance(value, list) else None


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quote(twice)} stands twice in one object, and only one of the two can be meant")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _read_float(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise ValueError(f"the number {quote(literal)} is beyond what a float holds")
    return number


def _not_json_error(text: str, error: json.JSONDecodeError, what: str) -> PinError:
    start = text.lstrip()
    if not start:
        return PinError(f"{what} is empty")
    if start.startswith("<"):
        return PinError(f"{what} is a web page, not JSON (it begins {quote(start)}): is the address right?")
    if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
        return PinError(f"{what} breaks off after {len(text)} characters: half of it is missing, fetch again")
    return PinError(f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
