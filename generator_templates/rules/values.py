"""Values: what a value may be, as one thing that annotations, checks, readers and sentences are made of.

Lives here: shapes, values and fields, and what is asked of them. Does not live here: how a document says it
(``schemas``), Python text of any kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen

from .schema_syntax import integral, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Kind = Literal["text", "integer", "number", "boolean", "choice", "list", "object", "model", "file", "any"]
BOUNDS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
LENGTHS = {"minLength": "min_length", "maxLength": "max_length"}
COUNTS = {"minItems": "min_items", "maxItems": "max_items"}
# A few schemas leave the format of these out; and these addresses are of pages, services and weights.
_MEDIA_NAMES = frozenset({"image_url", "video_url", "audio_url"})
_NOT_MEDIA = re.compile(r"webhook|callback|linkedin|lora|^path$|^link$")
BINARY = "binary"  # the format of bytes as they are


@frozen
class Tag:
    """What tells one alternative from the others (``discriminator``): a field, and the texts it then has."""

    wire: str
    texts: tuple[str, ...]  # none where the document lists none of this alternative


@frozen(cache_hash=True)
class Shape:
    """One alternative of what a value may be."""

    kind: Kind
    choices: tuple[Any, ...] = ()
    limits: tuple[tuple[str, Any], ...] = ()  # ge, gt, le, lt, multiple_of, min_length, …, in this order
    pattern: str | None = None
    format: str | None = None
    item: Value | None = None  # of a list, behind those of ``prefix``
    prefix: tuple[Value, ...] = ()  # of a list: its first items, each by its place
    values: Value | None = None  # of an object that maps any names to values of one sort
    model: str | None = None
    tag: Tag | None = field(default=None, eq=False)  # of where the model stands, and not of what it is
    size: int = field(init=False, eq=False, repr=False)  # in shapes, those of its parts included

    @size.default
    def _measure(self) -> int:
        return 1 + sum(part.size for part in self.parts)

    @property
    def parts(self) -> tuple[Value, ...]:
        """Return what a list or an object is made of."""
        return (*self.prefix, *(part for part in (self.item, self.values) if part))

    @property
    def possible_parts(self) -> tuple[Value, ...]:
        """Return the parts it may have: of a list that ends with its places, these alone."""
        most = dict(self.limits).get("max_items")
        return self.prefix if self.prefix and most is not None and most <= len(self.prefix) else self.parts

    @property
    def is_binary(self) -> bool:
        """Return whether this is the bytes of a file: one in a form, and a text of them in JSON."""
        return self.kind == "text" and self.format == BINARY

    @property
    def is_url(self) -> bool:
        """Return whether this is the address of media on the web."""
        return self.kind == "text" and self.format == "uri"


@frozen(cache_hash=True)
class Value:
    """The values allowed: any of these shapes, or null where it is nullable."""

    shapes: tuple[Shape, ...]
    nullable: bool = False
    size: int = field(init=False, eq=False, repr=False)  # in shapes, however deep

    @size.default
    def _measure(self) -> int:
        return sum(shape.size for shape in self.shapes)


@frozen
class Field:
    """A field of a body or a parameter, as the document describes it."""

    wire: str
    value: Value
    required: bool = False
    title: str = ""
    description: str = ""
    default: Any = field(default=None)
    has_default: bool = False
    read_only: bool = False  # answered, and not sent
    separator: str = ""  # of a list in a path or a query, written as one text; in a query it is repeated without

    @property
    def is_media(self) -> bool:
        """Return whether the field takes the address of media, so that a local file can be uploaded in its place."""
        items = [shape.item.shapes for shape in self.value.shapes if shape.item]
        addresses = any(shape.is_url for shapes in (self.value.shapes, *items) for shape in shapes)
        return (addresses or self.wire in _MEDIA_NAMES) and not _NOT_MEDIA.search(self.wire)


def as_part_of_form(field: Field) -> Field:
    """Return a field as a multipart form has it: where JSON has a text of bytes, a file, or a list of files."""
    return evolve(field, value=_as_files(field.value))


def _as_files(value: Value) -> Value:
    shapes = (
        Shape("file") if shape.is_binary else evolve(shape, item=_as_files(shape.item)) if shape.item else shape
        for shape in value.shapes
    )
    return evolve(value, shapes=tuple(dict.fromkeys(shapes)))


def holds_file(field: Field) -> bool:
    """Return whether a field of a form is a file, or a list of files."""
    items = [shape.item.shapes for shape in field.value.shapes if shape.item]
    return any(shape.kind == "file" for shapes in (field.value.shapes, *items) for shape in shapes)


def join_values(values: Iterable[Value]) -> Value:
    """Return what is any of some values."""
    joined = list(values)
    shapes = dict.fromkeys(shape for value in joined for shape in value.shapes)
    is_unknown = not shapes or any(shape.kind == "any" for shape in shapes)
    return Value((Shape("any"),) if is_unknown else tuple(shapes), any(value.nullable for value in joined))


def find_patterns(value: Value) -> Iterator[str]:
    """List the patterns that texts of a value have, in lists, too."""
    for shape in value.shapes:
        if shape.pattern is not None:
            yield shape.pattern
        for part in shape.parts:
            yield from find_patterns(part)


def find_models(value: Value) -> set[str]:
    """List the classes a value may be made of."""
    found = {shape.model for shape in value.shapes if shape.model}
    inner = (find_models(part) for shape in value.shapes for part in shape.parts)
    return found.union(*inner)


def rename_models(value: Value, names: Mapping[str, str]) -> Value:
    """Return a value that is made of classes of other names, where these are given."""
    return evolve(value, shapes=tuple(_rename_models_of_shape(shape, names) for shape in value.shapes))


def _rename_models_of_shape(shape: Shape, names: Mapping[str, str]) -> Shape:
    return evolve(
        shape,
        model=shape.model and names.get(shape.model, shape.model),
        item=shape.item and rename_models(shape.item, names),
        prefix=tuple(rename_models(part, names) for part in shape.prefix),
        values=shape.values and rename_models(shape.values, names),
    )


def accepts(value: Value, default: Any) -> bool:
    """Return whether a default is one of the values its own field may have."""
    if default is None:
        return value.nullable
    return any(_shape_accepts(shape, default) for shape in value.shapes)


def _shape_accepts(shape: Shape, default: Any) -> bool:
    types: dict[str, Any] = {"text": str, "boolean": bool, "list": list, "object": dict, "model": dict}
    if shape.kind == "choice":
        return any(type(choice) is type(default) and choice == default for choice in shape.choices)
    if shape.kind == "integer":
        return is_number(default) and integral(default) == int(default)
    if shape.kind == "number":
        return is_number(default)
    return isinstance(default, types.get(shape.kind, object))
