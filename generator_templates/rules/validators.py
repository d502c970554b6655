"""Validators: the call of ``checks`` that checks a field of a request model.

Lives here: a shape as a line of Python. Does not live here: what the checks do (``templates/checks.py.jinja``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .patterns import can_check
from .schemas import Shape, Value

if TYPE_CHECKING:
    from .annotations import Imports
    from .literal_aliases import Aliases

_FACTORIES = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "choice": "one_of",
    "list": "sequence",
    "object": "mapping",
    "model": "body",
}
URL_LIMITS = (("min_length", 1), ("max_length", 2083))  # of every media input: ``uri=True`` implies them


def make_check(value: Value, aliases: Aliases, imports: Imports) -> str:
    """Write the expression that makes the check of a value."""
    nullable = ["nullable=True"] if value.nullable else []
    if len(value.shapes) > 1:
        checks = [_make_call(shape, aliases, imports, []) for shape in value.shapes]
        return f"checks.either({', '.join([*checks, *nullable])})"
    return _make_call(value.shapes[0], aliases, imports, nullable)


def _make_call(shape: Shape, aliases: Aliases, imports: Imports, nullable: list[str]) -> str:
    if shape.kind not in _FACTORIES:
        return "checks.anything()"
    arguments = [*_list_first_arguments(shape, aliases, imports), *_list_limits(shape), *nullable]
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
    return [repr(shape.model)] if shape.kind == "model" else []


def _list_limits(shape: Shape) -> list[str]:
    if shape.is_url and shape.limits == URL_LIMITS:
        return ["uri=True"]
    limits = [f"{name}={limit!r}" for name, limit in shape.limits]
    if shape.pattern is not None and can_check(shape.pattern):
        limits.append(f"pattern={shape.pattern!r}")
    return [*limits, *(["uri=True"] if shape.is_url else [])]
