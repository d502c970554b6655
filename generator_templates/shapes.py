"""Shapes: what a value may be, read away from the many spellings JSON Schema has for it.

Lives here: reading a schema once, so that annotations, checks and sentences agree by construction.
Does not live here: Python text of any kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen
from naming import class_name
from refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "integer", "number", "boolean", "choice", "list", "object", "model", "file", "any"]
_KINDS: dict[Any, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
}
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
_MEDIA = frozenset({"image_url", "video_url", "audio_url"})
_NO_MEDIA = re.compile(r"webhook|callback|linkedin|lora|^path$|^link$")
_BYTES = "application/octet-stream"  # how FastAPI says "a file" since it writes OpenAPI 3.1
_DEPTH = 20  # references inlined one inside the other before a schema counts as circular


@frozen
class Shape:
    """One alternative of what a value may be."""

    kind: Kind
    choices: tuple[Any, ...] = ()
    limits: tuple[tuple[str, Any], ...] = ()  # ge, gt, le, lt, multiple_of, min_length, …, in this order
    pattern: str | None = None
    format: str | None = None
    item: Value | None = None
    model: str | None = None

    @property
    def is_url(self) -> bool:
        """Whether this is the address of media on the web."""
        return self.kind == "text" and self.format == "uri"


@frozen
class Value:
    """What a value may be: any of its shapes, or null where it is nullable."""

    shapes: tuple[Shape, ...]
    nullable: bool = False


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

    @property
    def is_media(self) -> bool:
        """Whether the field takes the address of media, so that a local file can be uploaded in its place."""
        items = [shape.item.shapes for shape in self.value.shapes if shape.item]
        addresses = any(shape.is_url for shapes in (self.value.shapes, *items) for shape in shapes)
        return (addresses or self.wire in _MEDIA) and not _NO_MEDIA.search(self.wire)


class Schemas:
    """The component schemas of a document: which are models, and what a schema found anywhere means."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        components = document.get("components", {})
        self._schemas: dict[str, Mapping[str, Any]] = dict(components.get("schemas", {}))
        self._parameters: Mapping[str, Mapping[str, Any]] = components.get("parameters", {})

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The components that become models: objects with named fields."""
        return {name: schema for name, schema in self._schemas.items() if is_model(schema)}

    def adopt(self, name: str, schema: Mapping[str, Any]) -> str:
        """Make a component of a schema found inside an operation; a name already taken is refused."""
        if name in self._schemas:
            raise RefusalError(f"A body without a name would be called {name!r}, as a schema already is.")
        self._schemas[name] = schema
        return name

    def parameter(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        """A parameter itself, where the document only refers to it."""
        name = _last(one["$ref"]) if "$ref" in one else ""
        if name and name not in self._parameters:
            raise RefusalError(f"The document refers to {one['$ref']!r}, which it does not hold.")
        return self._parameters[name] if name else one

    def resolve(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """The component a ``$ref`` means, with its name."""
        name = _last(reference)
        if not reference.startswith("#/components/schemas/") or name not in self._schemas:
            raise RefusalError(f"The document refers to {reference!r}, which it does not hold.")
        return name, self._schemas[name]

    def value(self, schema: Mapping[str, Any], depth: int = 0) -> Value:
        """What a value of this schema may be."""
        shapes: list[Shape] = []
        nullable = bool(schema.get("nullable"))
        for one in self._alternatives(schema, depth):
            if one is None:
                nullable = True
            elif one not in shapes:
                shapes.append(one)
        return Value(_without_weaker(shapes), nullable)

    def _alternatives(self, schema: Mapping[str, Any], depth: int) -> list[Shape | None]:
        """Every shape of a schema; ``None`` stands for null."""
        if depth > _DEPTH:
            return [Shape("any")]
        inner = self._inner(schema)
        if inner is not None:
            return [shape for one in inner for shape in self._alternatives(one, depth + 1)]
        if "$ref" in schema:
            return [Shape("model", model=class_name(_last(schema["$ref"])))]
        if "const" in schema or schema.get("enum"):
            listed = schema["enum"] if schema.get("enum") else [schema["const"]]
            named = [Shape("choice", choices=chosen)] if (chosen := _distinct(listed)) else []
            return [*named, *([None] if None in listed else [])]
        return [None] if schema.get("type") == "null" else [self._plain(schema, depth)]

    def _inner(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
        """The schemas this one only stands for, or ``None`` where it speaks for itself."""
        if "$ref" in schema:
            _, target = self.resolve(schema["$ref"])
            return None if is_model(target) else [target]
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return list(schema[key])
        if len(schema.get("allOf", ())) == 1:
            return list(schema["allOf"])
        types = schema.get("type")
        return [{**schema, "type": one} for one in types] if isinstance(types, list) else None

    def _plain(self, schema: Mapping[str, Any], depth: int) -> Shape:
        kind = _KINDS.get(schema.get("type"), "any")
        if kind == "text" and (schema.get("format") == "binary" or schema.get("contentMediaType") == _BYTES):
            return Shape("file")
        item = self.value(schema.get("items") or {}, depth + 1) if kind == "list" else None
        names = {"text": LENGTHS, "list": COUNTS, "integer": BOUNDS, "number": BOUNDS}.get(kind, {})
        limits = tuple(
            (ours, whole(schema[theirs])) for theirs, ours in names.items() if _is_number(schema.get(theirs))
        )
        pattern = schema.get("pattern") if kind == "text" else None
        return Shape(kind, limits=limits, pattern=pattern, format=schema.get("format"), item=item)

    def fields(self, schema: Mapping[str, Any]) -> list[Field]:
        """The fields of an object, in the document's order."""
        properties: dict[str, Any] = {}
        required: set[str] = set()
        for part in [*(self._parts(schema)), schema]:
            properties.update(part.get("properties", {}))
            required.update(part.get("required", ()))
        return [self.field(wire, about, required=wire in required) for wire, about in properties.items()]

    def _parts(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [self.resolve(one["$ref"])[1] if "$ref" in one else one for one in schema.get("allOf", ())]

    def field(self, wire: str, schema: Mapping[str, Any], *, required: bool) -> Field:
        """One field; a default that contradicts its own enum or type is none, for the server cannot mean it."""
        value = self.value(schema)
        plain = Field(wire, value, required, str(schema.get("title") or ""), str(schema.get("description") or ""))
        if "default" not in schema or not agrees(value, schema["default"]):
            return plain
        return evolve(plain, default=schema["default"], has_default=True)


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")


def is_model(schema: Mapping[str, Any]) -> bool:
    """Whether a component becomes a class: an object whose fields have names."""
    return (
        bool(schema.get("properties"))
        or len(schema.get("allOf", ())) > 1
        or (schema.get("type") == "object" and "additionalProperties" not in schema)
    )


def agrees(value: Value, default: Any) -> bool:
    """Whether a default is one of the values its own field may have."""
    if default is None:
        return value.nullable
    return any(_agrees(shape, default) for shape in value.shapes)


def _agrees(shape: Shape, default: Any) -> bool:
    types: dict[str, Any] = {"text": str, "boolean": bool, "list": list, "object": dict, "model": dict}
    if shape.kind == "choice":
        return any(type(one) is type(default) and one == default for one in shape.choices)
    if shape.kind == "integer":
        return _is_number(default) and whole(default) == int(default)
    if shape.kind == "number":
        return _is_number(default)
    return isinstance(default, types.get(shape.kind, object))


def whole(number: float) -> float:
    """A bound as it was meant: 4294967295.0 is 4294967295."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != float("inf")


def _distinct(choices: list[Any]) -> tuple[Any, ...]:
    """The choices once each, in order, without null; 1 and true are two."""
    seen = {(type(one), one): one for one in choices if isinstance(one, str | int | float)}
    return tuple(seen.values())


def _without_weaker(shapes: list[Shape]) -> tuple[Shape, ...]:
    """Leave out what another alternative allows anyway: beside any text, a URL says nothing."""
    free = {shape.kind for shape in shapes if shape == Shape(shape.kind)}
    if "any" in free or not shapes:
        return (Shape("any"),)
    kept = [shape for shape in shapes if shape.kind not in free or shape == Shape(shape.kind)]
    return tuple(kept)
