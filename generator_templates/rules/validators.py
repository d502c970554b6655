"""Validators: the call of ``checks`` that checks a field of a request model.

Lives here: a shape as a line of Python. Does not live here: what the checks do (``templates/checks.py.jinja``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .patterns import can_check
from .values import Shape, Value

if TYPE_CHECKING:
    from .annotations import Imports
    from .literal_aliases import Aliases
    from .values import Field

_FACTORIES = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "choice": "one_of",
    "list": "sequence",
    "object": "mapping",
    "model": "body",
    "file": "file",
}
URL_LIMITS = (("min_length", 1), ("max_length", 2083))  # of every media input: ``uri=True`` implies them


def make_check(value: Value, aliases: Aliases, imports: Imports) -> str:
    """Write the expression that makes the check of a value."""
    nullable = ["nullable=True"] if value.nullable else []
    if len(value.shapes) > 1:
        checks = [*dict.fromkeys(_make_call(shape, aliases, imports, []) for shape in value.shapes)]
        return f"checks.either({', '.join([*checks, *nullable])})"
    return _make_call(value.shapes[0], aliases, imports, nullable)


def make_parameter_check(field: Field, aliases: Aliases, imports: Imports) -> str:
    """Write the expression that checks what is sent as text; empty where any text will do."""
    if any(_takes_any_text(shape) for shape in field.value.shapes):
        return ""
    check = make_check(field.value, aliases, imports)
    if all(shape.kind in ("text", "choice") for shape in field.value.shapes) and not field.separator:
        return check if _is_text(field.value) else f"checks.written({check})"
    return f"checks.written({check}{f', {field.separator!r}' if field.separator else ''})"


def _is_text(value: Value) -> bool:
    return all(isinstance(choice, str) for shape in value.shapes for choice in shape.choices)


def _takes_any_text(shape: Shape) -> bool:
    if shape.kind == "list":
        items = shape.item.shapes if shape.item and not shape.prefix else ()
        return not shape.limits and any(map(_takes_any_text, items))
    return shape.kind == "any" or (shape.kind == "text" and not _list_limits(shape))


def _make_call(shape: Shape, aliases: Aliases, imports: Imports, nullable: list[str]) -> str:
    if shape.kind not in _FACTORIES:
        return "checks.anything()"
    prefix = [make_check(part, aliases, imports) for part in shape.prefix]
    first = [f"prefix=({', '.join(prefix)}{',' * (len(prefix) == 1)})"] if prefix else []
    arguments = [*_list_first_arguments(shape, aliases, imports), *first, *_list_limits(shape), *nullable]
    return f"checks.{_FACTORIES[shape.kind]}({', '.join(arguments)})"


def _list_first_arguments(shape: Shape, aliases: Aliases, imports: Imports) -> list[str]:
    if shape.kind == "choice":
        name = aliases.find(shape.choices)
        if name is None:
            return [repr(choice) for choice in shape.choices]
        imports.add_from("choices", name)
        imports.add("get_args")
        return [f"get_args({name})"]
    if shape.kind == "list":
        return [make_check(shape.item or Value((Shape("any"),)), aliases, imports)]
    if shape.values is not None:
        return [make_check(shape.values, aliases, imports)]
    return [repr(shape.model)] if shape.kind == "model" else []


def _list_limits(shape: Shape) -> list[str]:
    if shape.is_url and shape.limits == URL_LIMITS:
        return ["uri=True"]
    limits = [f"{name}={limit!r}" for name, limit in shape.limits]
    if shape.pattern is not None and can_check(shape.pattern):
        limits.append(f"pattern={shape.pattern!r}")
    return [*limits, *(["uri=True"] if shape.is_url else [])]
