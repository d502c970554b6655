"""A value that fits a schema of the pinned document, for tests that call every operation of whichever is pinned.

Lives here: ``make_fitting``, which reads all that MuAPI writes into a schema, or may write there next. Does not live
here: values beside a schema, which a test draws itself; which models there are (``by_kind``).
"""

from __future__ import annotations

import math
import re
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # private, and of every Python that we run on
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "https://example.com/a"


def make_fitting(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one return a type
    """Make a small value that fits: an object with the fields it must have, a list with an item where it may be.

    Args:
        schema: What it fits.
        schemas: The components that it may refer to, by name.
    """
    if "$ref" in schema:
        return make_fitting(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return make_fitting(schema["anyOf"][0], schemas)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: make_fitting(schema["properties"][name], schemas) for name in schema.get("required", ())}
        case "array":
            return [make_fitting(schema["items"], schemas)] * max(schema.get("minItems", 0), 1)
        case "string":
            return _make_text(schema)
        case "integer" | "number" as number:
            return _make_number(schema, whole=number == "integer")
        case "boolean":
            return False
    return None


def _make_text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "uri":
        return ADDRESS
    return _match(schema["pattern"]) if "pattern" in schema else "x" * max(schema.get("minLength", 0), 1)


@cache
def _match(pattern: str) -> str:
    """A short text that a pattern takes."""
    text = "".join(map(_spell, _parser.parse(pattern)))
    assert re.search(pattern, text), f"a text that {pattern!r} takes is more than this can make: let it"
    return text


def _spell(part: tuple[Any, Any]) -> str:  # noqa: PLR0911 - one return a kind of part
    """The first text that a part of a pattern takes."""
    kind, what = str(part[0]), part[1]
    match kind:
        case "LITERAL":
            return chr(what)
        case "RANGE":
            return chr(what[0])
        case "IN":
            return _spell(what[0])
        case "CATEGORY":
            return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " "}.get(str(what), "a")
        case "MAX_REPEAT" | "MIN_REPEAT":
            return "".join(map(_spell, what[2])) * what[0]
        case "SUBPATTERN":
            return "".join(map(_spell, what[3]))
        case "BRANCH":
            return "".join(map(_spell, what[1][0]))
    return "a" if kind in ("ANY", "NOT_LITERAL") else ""  # or an end of the text


def _make_number(schema: Mapping[str, Any], *, whole: bool) -> float:
    """The least number that a schema takes; 1, where it has no least one."""
    step = schema.get("multipleOf", 1 if whole else 0)
    least = schema.get("minimum", min(1, schema.get("maximum", 1)))
    if "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + (1 if whole else 0.01)
    return math.ceil(least / step) * step if step else least
