"""The catalog: the contents of catalog.json, for finding, listing and pricing models without imports.

Lives here: endpoints and request fields as JSON. Does not live here: how the file is written (``build``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .groups import GROUPS
from .values import BOUNDS, COUNTS, LENGTHS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .components import Component
    from .operations import Operation
    from .price_list import PriceList
    from .values import Field, Shape, Value

_TYPES = {"text": "string", "list": "array", "model": "object", "file": "string", "choice": "string"}
_SCHEMA_KEYS = {ours: theirs for theirs, ours in {**BOUNDS, **LENGTHS, **COUNTS}.items()}


def make_catalog(
    operations: Iterable[Operation], sent: Iterable[Component], prices: PriceList, sha256: str
) -> dict[str, Any]:
    """Make the whole catalog: the endpoints that take a model's input, and the fields of every body."""
    models = sorted((item for item in operations if item.job != "plain"), key=lambda item: item.slug)
    return {
        "sha256": sha256,
        "prices_as_of": prices.as_of,
        "models": [_describe_model(item, prices) for item in models],
        "requests": {item.name: {field.wire: _describe_field(field) for field in item.fields} for item in sent},
    }


def _describe_model(operation: Operation, prices: PriceList) -> dict[str, Any]:
    name, tier = prices.find_name_and_tier(operation.slug, operation.summary)
    streams = operation.job == "stream"
    return {
        "slug": operation.slug,
        "function": operation.function,
        "group": operation.group,
        "name": None if streams else name,
        "tier": None if streams else tier,
        "kind": GROUPS[operation.group].kind,
        "streams": streams,
        "request": operation.body.request,
        "price": None if streams else prices.to_json(name),
    }


def _describe_field(field: Field) -> dict[str, Any]:
    """Describe a field in the keywords of JSON Schema."""
    facts: dict[str, Any] = {
        "required": field.required,
        "nullable": field.value.nullable,
        **_describe_value(field.value),
    }
    if field.has_default:
        facts["default"] = field.default
    if field.description:
        facts["description"] = " ".join(field.description.split())
    return facts


def _describe_value(value: Value) -> dict[str, Any]:
    shapes = [_describe_shape(shape) for shape in value.shapes]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _describe_shape(shape: Shape) -> dict[str, Any]:
    facts: dict[str, Any] = {} if shape.kind == "any" else {"type": _TYPES.get(shape.kind, shape.kind)}
    if shape.kind == "choice":
        facts = {"type": _name_type(shape.choices), "enum": list(shape.choices)}
    if shape.model:
        facts["request"] = shape.model
    facts.update({_SCHEMA_KEYS[name]: limit for name, limit in shape.limits})
    facts.update({key: value for key in ("pattern", "format") if (value := getattr(shape, key))})
    if shape.prefix:
        facts["prefixItems"] = [_describe_value(part) for part in shape.prefix]
    for key, part in (("items", shape.item), ("additionalProperties", shape.values)):
        if part is not None:
            facts[key] = _describe_value(part)
    return facts


def _name_type(choices: tuple[Any, ...]) -> str | list[str]:
    names: dict[frozenset[type], str | list[str]] = {
        frozenset({bool}): "boolean",
        frozenset({int}): "integer",
        frozenset({str}): "string",
        frozenset({int, str}): ["integer", "string"],
    }
    return names.get(frozenset(type(choice) for choice in choices), "number")
