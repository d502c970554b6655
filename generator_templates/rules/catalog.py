"""The catalogue: what catalog.json says of every model endpoint, for finding, listing and pricing without imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .groups import GROUPS
from .schemas import BOUNDS, COUNTS, LENGTHS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .classes import Component
    from .operations import Operation
    from .price_list import PriceList
    from .schemas import Field, Shape, Value

_TYPES = {"text": "string", "list": "array", "model": "object", "file": "string", "choice": "string"}
_WORDS = {ours: theirs for theirs, ours in {**BOUNDS, **LENGTHS, **COUNTS}.items()}


def catalogue(every: Iterable[Operation], sent: Iterable[Component], prices: PriceList, sha256: str) -> dict[str, Any]:
    """The whole catalogue: the endpoints that take a model's input, and the fields of every body."""
    offered = sorted((one for one in every if one.job != "plain"), key=lambda one: one.slug)
    return {
        "sha256": sha256,
        "prices_as_of": prices.as_of,
        "models": [_entry(one, prices) for one in offered],
        "requests": {one.name: {field.wire: _field(field) for field in one.fields} for one in sent},
    }


def _entry(one: Operation, prices: PriceList) -> dict[str, Any]:
    name, tier = prices.name_and_tier(one.slug, one.summary)
    streams = one.job == "stream"
    return {
        "slug": one.slug,
        "function": one.function,
        "group": one.group,
        "name": None if streams else name,
        "tier": None if streams else tier,
        "kind": GROUPS[one.group].kind,
        "streams": streams,
        "request": one.request,
        "price": None if streams else prices.entry(name),
    }


def _field(field: Field) -> dict[str, Any]:
    """A field in the words of JSON Schema."""
    told: dict[str, Any] = {"required": field.required, "nullable": field.value.nullable, **_value(field.value)}
    if field.has_default:
        told["default"] = field.default
    if field.description:
        told["description"] = " ".join(field.description.split())
    return told


def _value(value: Value) -> dict[str, Any]:
    shapes = [_shape(shape) for shape in value.shapes]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _shape(shape: Shape) -> dict[str, Any]:
    told: dict[str, Any] = {} if shape.kind == "any" else {"type": _TYPES.get(shape.kind, shape.kind)}
    if shape.kind == "choice":
        told = {"type": _type_of(shape.choices), "enum": list(shape.choices)}
    if shape.model:
        told["request"] = shape.model
    told.update({_WORDS[name]: limit for name, limit in shape.limits})
    told.update({key: value for key in ("pattern", "format") if (value := getattr(shape, key))})
    if shape.item is not None:
        told["items"] = _value(shape.item)
    return told


def _type_of(choices: tuple[Any, ...]) -> str | list[str]:
    names: dict[frozenset[type], str | list[str]] = {
        frozenset({bool}): "boolean",
        frozenset({int}): "integer",
        frozenset({str}): "string",
        frozenset({int, str}): ["integer", "string"],
    }
    return names.get(frozenset(type(choice) for choice in choices), "number")
