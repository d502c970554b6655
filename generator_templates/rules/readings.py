"""Readings: what a value of an answer is read into, its type and the expression of its reader.

JSON tells an object from a text, and no class from another: of several classes one is read where the document has a
field that tells them apart, by a ``discriminator`` or because each has values of its own there (``const``, ``enum``).
Where it has none an object stays as it came, and the type says so.

Lives here: both, so that they agree. Does not live here: what readers do (``templates/answers.py.jinja``), and what is
sent (``annotations``, ``validators``). Everything from the document that reaches code here goes through ``repr``.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from .values import join_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .annotations import Imports
    from .components import Component
    from .values import Shape, Value

    Classes: TypeAlias = Mapping[str, Component]

_TYPES = {
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "list": "list",
    "object": "dict",
    "model": "dict",
}
_GROUPS = {"list": "list", "object": "object", "model": "object"}
_RICHER = {  # what is read into more than JSON, by its format: the kind that may have it, the types, the reader
    "date-time": ("text", ("datetime", "str"), "instant"),
    "decimal": ("number", ("Decimal",), "amount"),
}
_ANY_OBJECT = "dict[str, Any]"


@frozen
class Reading:
    """How a value is read."""

    types: tuple[str, ...]
    readers: tuple[str, ...] = ()  # expressions, of which each leaves alone what is of another kind

    @property
    def annotation(self) -> str:
        """What a type checker sees of the value."""
        return " | ".join(dict.fromkeys(self.types))

    @property
    def optional_annotation(self) -> str:
        """What a type checker sees of a field that may be missing, which then is ``None``."""
        return "Any" if self.types == ("Any",) else " | ".join(dict.fromkeys((*self.types, "None")))

    @property
    def reader(self) -> str:
        """The expression of the reader; empty where the value stays as it came."""
        return f"either({', '.join(self.readers)})" if len(self.readers) > 1 else "".join(self.readers)


def make_reading(value: Value, classes: Classes, imports: Imports) -> Reading:
    """Make the reading of a value: enums are open, for a server that strays from its document is not contradicted.

    Args:
        value: What the document says of it.
        classes: The classes that come back, by name.
        imports: Takes the names the reading needs.
    """
    if any(name_type(shape) == "Any" for shape in value.shapes):
        imports.add("Any")
        return Reading(("Any",))
    groups: dict[Shape | str, list[Shape]] = {}  # of what JSON does not tell apart
    for shape in value.shapes:
        groups.setdefault(_GROUPS.get(shape.kind, shape), []).append(shape)
    readings = [_READERS.get(group[0].kind, _read_plain)(group, classes, imports) for group in groups.values()]
    readers = tuple(dict.fromkeys(chain.from_iterable(reading.readers for reading in readings)))
    if len(readers) > 1:
        imports.add_from("answers", "either")
    types = chain.from_iterable(reading.types for reading in readings)
    return Reading((*dict.fromkeys(types), *(["None"] if value.nullable else [])), readers)


def name_type(shape: Shape) -> str:
    """Name the type of JSON that a shape has; ``Any`` where that is not one."""
    if shape.kind == "choice" and len({type(choice) for choice in shape.choices}) == 1:
        return type(shape.choices[0]).__name__
    return _TYPES.get(shape.kind, "Any")


def _read_plain(shapes: Sequence[Shape], _classes: Classes, imports: Imports) -> Reading:
    (shape,) = shapes
    kind, types, reader = _RICHER.get(shape.format or "", ("", (), ""))
    if shape.kind != kind:
        return Reading((name_type(shape),))
    imports.add(types[0])
    imports.add_from("answers", reader)
    return Reading(types, (reader,))


def _read_lists(lists: Sequence[Shape], classes: Classes, imports: Imports) -> Reading:
    """Read a list item by item; of several lists each item is read as what it may be in any of them."""
    inner = make_reading(join_values(part for shape in lists for part in shape.possible_parts), classes, imports)
    if inner.reader:
        imports.add_from("answers", "many")
    return Reading((f"list[{inner.annotation}]",), (f"many({inner.reader})",) if inner.reader else ())


def _read_objects(objects: Sequence[Shape], classes: Classes, imports: Imports) -> Reading:
    models = [shape.model for shape in objects if shape.model]
    tags = _tell_apart(objects, classes) if len(models) == len(objects) > 1 else None
    if len(models) == len(objects) == 1:
        imports.add_from("answers", "one")
        name = imports.refer_to_model(models[0])
        return Reading((name,), (f"one({name}.from_dict)",))
    if not models and all(shape.values for shape in objects):
        return _read_maps(objects, classes, imports)
    imports.add("Any")
    if tags is None:
        return Reading((_ANY_OBJECT,))
    imports.add_from("answers", "told_by")
    wire, models_by_value = tags
    names = [imports.refer_to_model(model) for model in models]
    readers = (f"{each!r}: {imports.refer_to_model(model)}.from_dict" for each, model in models_by_value.items())
    # a class that is not told yet may come one day, and stays as it came
    return Reading((*names, _ANY_OBJECT), (f"told_by({wire!r}, {{{', '.join(readers)}}})",))


def _read_maps(maps: Sequence[Shape], classes: Classes, imports: Imports) -> Reading:
    inner = make_reading(join_values(shape.values for shape in maps if shape.values), classes, imports)
    if inner.reader:
        imports.add_from("answers", "values")
    return Reading((f"dict[str, {inner.annotation}]",), (f"values({inner.reader})",) if inner.reader else ())


def _tell_apart(shapes: Sequence[Shape], classes: Classes) -> tuple[str, dict[Any, str]] | None:
    """Find the field by whose value each of some classes is known, and the class of each value."""
    declared = [shape.tag.wire for shape in shapes if shape.tag]
    fields = [field.wire for shape in shapes[:1] for field in classes[shape.model or ""].fields]
    for wire in dict.fromkeys([*declared, *fields]):
        values = {shape.model or "": _list_values(shape, wire, classes) for shape in shapes}
        models = {value: model for model, values_of_it in values.items() for value in values_of_it}
        if all(values.values()) and len(models) == sum(map(len, values.values())):
            return wire, models
    return None


def _list_values(shape: Shape, wire: str, classes: Classes) -> tuple[Any, ...]:
    """List the values of a field by which a class is known: the document's own list, then those the field may have."""
    tag = shape.tag if shape.tag and shape.tag.wire == wire else None
    component = classes[shape.model or ""]
    listed = [field.value.shapes for field in component.fields if field.wire == wire]
    choices = [one.choices for shapes in listed if len(shapes) == 1 for one in shapes if one.kind == "choice"]
    if tag and tag.texts:
        return tag.texts
    if choices and not any(isinstance(choice, float) for choice in choices[0]):
        return choices[0]
    return (component.schema,) if tag else ()  # so a discriminator without a mapping has it


_READERS = {"list": _read_lists, "object": _read_objects, "model": _read_objects}
