"""Where a secret may come to light, and whether it does: in whatever spelling, in whatever place.

Lives here: the places, and the search. Does not live here: ways to fail (``ways``), what is expected (``test_matrix``).
"""

from __future__ import annotations

import html
import pickle
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    import logging

TESTS = ("/tests/", "/_pytest/", "/pluggy/")  # whose own frames hold what a test hands in
DEPTH = 6  # levels of a value that crash reporters show


def unescaped(text: str) -> str:
    """A text with the escapes of JSON, URLs and HTML undone, once and again."""
    for _ in range(2):
        if "\\" in text:
            text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
        text = html.unescape(unquote(text)).replace("\0", "")
    return text


def shown(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """A local as crash reporters show it: mappings and sequences item by item, bytes as text, all else by its repr."""
    if isinstance(value, bytes | bytearray):
        yield bytes(value).decode("utf-8", "replace")
    elif depth and isinstance(value, Mapping):
        for name, item in list(value.items()):
            yield from shown(name, depth - 1)
            yield from shown(item, depth - 1)
    elif depth and isinstance(value, Sequence | AbstractSet) and not isinstance(value, str):
        for item in value:
            yield from shown(item, depth - 1)
    else:
        yield f"{value}" if isinstance(value, str) else repr(value)


def origins(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all it was made of."""
    seen: set[int] = set()
    ahead = [error]
    while ahead:
        origin = ahead.pop()
        if origin is not None and id(origin) not in seen:
            seen.add(id(origin))
            yield origin
            ahead += [origin.__cause__, origin.__context__, *getattr(origin, "exceptions", ())]


def frames(error: BaseException) -> Iterator[tuple[str, str]]:
    """Every local of every frame that is not a test's, as a crash reporter's event has it."""
    for origin in origins(error):
        for frame, _ in traceback.walk_tb(origin.__traceback__):
            if any(place in frame.f_code.co_filename for place in TESTS):
                continue
            for name, value in list(frame.f_locals.items()):
                for text in shown(value):
                    yield f"local {name} of {frame.f_code.co_filename}:{frame.f_code.co_name}", text


def words(error: BaseException) -> Iterator[tuple[str, str]]:
    """What an error says: its text, its notes, its attributes and its traceback as it is printed."""
    for origin in origins(error):
        yield "repr of an error", repr(origin)
        yield "text of an error", str(origin)
        for name, value in vars(origin).items():
            for text in (*shown(value), repr(value)):
                yield f"attribute {name} of {type(origin).__name__}", text
    yield "traceback", "".join(traceback.format_exception(error))


def pickled(value: Any) -> str:
    """A value's pickle as text, or nothing where it has none."""
    try:
        return pickle.dumps(value, protocol=0).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError):
        return ""


def records(logged: list[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """What a log handler may write of each record."""
    for record in logged:
        yield f"log of {record.name}", record.getMessage()
        for text in shown(record.__dict__):
            yield f"log of {record.name}", text


def find(secrets: Mapping[str, str], places: Iterator[tuple[str, str]]) -> set[str]:
    """Where which secret stands."""
    found: dict[str, set[str]] = {}  # many a text stands in many places
    for place, text in places:
        found.setdefault(text, set()).add(place)
    return {
        f"{name} in {place}"
        for text, where in found.items()
        for plain in [unescaped(text)]
        for name, secret in secrets.items()
        if secret in plain
        for place in where
    }
