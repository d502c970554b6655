"""Docstrings: what people read about a model, a field, a price.

Lives here: sentences, and how they are wrapped and escaped. Does not live here: parameters (``signatures``).
The facts are the document's. Where it says nothing the field's own title stands alone; nothing is made up.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .validators import URL_LIMITS

if TYPE_CHECKING:
    from .literal_aliases import Aliases
    from .values import Field, Shape

WIDTH = 110  # columns, the line length of this project
_LONG_NUMBER = 100_000  # from here on digits are grouped, as Python does
_LONG_DEFAULT = 80  # characters; of a longer default only the length is given
_SENTENCE_END = re.compile(r"[.!?…:][\"')\]]*$")


def escape(text: str) -> str:
    """Escape text of the document so that it can stand inside a docstring: one line, and unable to leave it."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(plain.split()).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def to_sentence(text: str) -> str:
    """Make a sentence of a text: begun with a capital, ended with a stop."""
    plain = " ".join(text.split())
    if not plain:
        return ""
    first = plain.split(maxsplit=1)[0]
    if first.isalpha() and first.islower():
        plain = plain[0].upper() + plain[1:]
    return plain if _SENTENCE_END.search(plain) else f"{plain}."


def wrap(text: str, indent: int, hanging: int = 0) -> str:
    """Escape a text and fill it to the line length.

    Args:
        text: What to fill, not yet escaped.
        indent: Columns in front of every line; the first line's are left to the template.
        hanging: More columns in front of every line but the first.
    """
    lines = textwrap.wrap(
        escape(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).lstrip(" ")


def describe_field(field: Field, aliases: Aliases) -> str:
    """Give meaning, bounds and server default of a field, in a few sentences."""
    meaning = to_sentence(field.description or _read_title(field))
    bounds = _describe_bounds(field, aliases)
    if bounds.startswith("one of") and not field.description:
        meaning = to_sentence(bounds)
    elif bounds and meaning.endswith(".") and not re.search(r"[.:;] ", meaning) and not _mentions(bounds, meaning):
        meaning = f"{meaning[:-1]}, {bounds}."
    elif bounds and not _mentions(bounds, meaning):
        meaning = f"{meaning} Bounds: {bounds}."
    return f"{meaning} {_describe_default(field)}".strip()


def _read_title(field: Field) -> str:
    words = (field.title or field.wire).replace("_", " ").split()
    return " ".join([words[0], *(word.lower() if word.istitle() else word for word in words[1:])]) if words else ""


def _mentions(bounds: str, meaning: str) -> bool:
    """Return whether a description gives the numbers already."""
    numbers = re.findall(r"\d+(?:\.\d+)?", bounds)
    return bool(numbers) and all(
        re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", meaning) for number in numbers
    )


def _describe_bounds(field: Field, aliases: Aliases) -> str:
    bounds = [bounds for shape in field.value.shapes if (bounds := _describe_shape_bounds(shape, aliases))]
    return ", or ".join(bounds)


def _describe_shape_bounds(shape: Shape, aliases: Aliases) -> str:
    limits = dict(shape.limits)
    if shape.kind in ("integer", "number"):
        return _format_range(limits)
    if shape.kind == "list":
        return _format_span(limits.get("min_items", 0), limits.get("max_items"), "item")
    if shape.kind == "choice" and (name := aliases.find(shape.choices)):
        return f"one of the {len(shape.choices)} in ``choices.{name}``"
    if shape.kind == "text" and not (shape.is_url and shape.limits == URL_LIMITS):
        length = _format_span(limits.get("min_length", 0), limits.get("max_length"), "character")
        pattern = f"matching ``{shape.pattern}``" if shape.pattern else ""
        encoding = "in base64" if shape.format == "byte" else ""
        return ", ".join(part for part in (length, pattern, encoding) if part)
    return ""


def _format_range(limits: dict[str, Any]) -> str:
    low = limits.get("ge")
    high = limits.get("le")
    parts = []
    if low is not None and high is not None:
        parts.append(f"{_format_number(low)} to {_format_number(high)}")
    else:
        words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
        parts += [f"{word} {_format_number(limits[name])}" for name, word in words.items() if name in limits]
    if "multiple_of" in limits:
        parts.append(f"in steps of {_format_number(limits['multiple_of'])}")
    return " ".join(parts) if low is not None and high is not None else ", ".join(parts)


def _format_number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= _LONG_NUMBER else str(value)
    return format(Decimal(repr(value)), "f")


def _format_span(low: int, high: int | None, unit: str) -> str:
    if high is None:
        return f"at least {low} {unit}{'s' * (low != 1)}" if low else ""
    if not low:
        count = f"up to {_format_number(high)}"
    else:
        count = f"exactly {low}" if low == high else f"{low} to {_format_number(high)}"
    return f"{count} {unit}{'s' * (high != 1)}"


def _describe_default(field: Field) -> str:
    if not field.has_default or field.required:
        return ""
    if isinstance(field.default, str) and len(field.default) > _LONG_DEFAULT:
        return f"Server default: a text of {len(field.default)} characters."
    return f"Server default: {format_literal(field.default)}."


def format_literal(value: Any) -> str:
    """Write a value as Python does, text in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(format_literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{format_literal(name)}: {format_literal(item)}" for name, item in value.items()) + "}"
    return repr(value)
