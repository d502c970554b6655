"""Schemas: what a value may be, whichever way JSON Schema has it written.

Lives here: reading a schema once, so that annotations, checks and sentences agree by construction.
Does not live here: what is asked of what was read (``values``), Python text of any kind.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from attrs import evolve

from .document_checks import check_component
from .errors import GenerationError, quote
from .media_types import JSON, PLAIN_JSON, find_media_type
from .names import name_class, to_pascal_case
from .schema_syntax import (
    Schema,
    as_object,
    first_list,
    follow_pointer,
    integral,
    is_alias,
    is_model,
    is_number,
    name_last,
    read_discriminator,
    single_part,
    split_reference,
    with_numeric_bounds,
    with_reference_as_part,
    without_keys_beside_reference,
)
from .values import BINARY, BOUNDS, COUNTS, LENGTHS, Field, Shape, Tag, Value, accepts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .document_checks import Section
    from .problems import Place
    from .values import Kind

_KINDS: dict[Any, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
}
_LIMITS: dict[Kind, Mapping[str, str]] = {"text": LENGTHS, "list": COUNTS, "integer": BOUNDS, "number": BOUNDS}
_SCHEMAS = ("components", "schemas")  # the steps to a component that is a schema
_MOST_REFERENCES = 100_000  # ways to come by a schema; the pinned document has a few dozen
_COMPONENT_STEPS = 3  # of the pointer to a component
_INNER_STEPS = frozenset(  # of a pointer to a schema that stands elsewhere: those that name nothing
    {"components", "schemas", "paths", "$defs", "definitions", "properties", "content", "schema"}
)
_SCALARS: frozenset[Kind] = frozenset({"text", "integer", "number", "boolean", "choice"})
_MOST_NESTED = 50  # schemas within each other: on the way to a value, or that an object is made of
_LARGEST = 10_000  # shapes that a value is made of; whatever walks through it visits each
_BINARY_MEDIA_TYPE = "application/octet-stream"  # how FastAPI says so since it writes OpenAPI 3.1
_BASE64 = "byte"  # the format of bytes in base64; OpenAPI 3.1 has ``contentEncoding``


class Schemas:
    """The component schemas of a document: which are models, and what a schema found anywhere means."""

    def __init__(self, document: Mapping[str, Any], unsayable: Mapping[Place, str] | None = None) -> None:
        """Read a document.

        Args:
            document: The document.
            unsayable: The components that cannot be said, each with the reason, raised for each reference to it.
        """
        components = document.get("components", {})
        self._unsayable = dict(unsayable or {})
        self._schemas: dict[str, Schema] = dict(components.get("schemas", {}))
        self._document = document
        self._inner: dict[tuple[str, ...], str] = {}  # components made of schemas that stand inside others, by pointer
        self._ignores_keys_beside_references = str(document.get("openapi")).startswith("3.0")
        self._known: dict[tuple[str, frozenset[str]], list[Shape | None]] = {}

    def list_names(self) -> list[str]:
        """List the components that can be said, as far as is known, by name."""
        return [name for name in self._schemas if (*_SCHEMAS, name) not in self._unsayable]

    def find_model(self, name: str) -> Mapping[str, Any] | None:
        """Find the component of this name that becomes a model: an object with named fields; None if it does not."""
        schema = self._open(self._schemas[name])
        return schema if self.is_model(schema, frozenset({name})) else None

    def is_model(self, schema: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> bool:
        """Return whether a schema becomes a class; one made of several texts or numbers is one of these itself."""
        return is_model(schema) and not self._is_made_of_scalars(schema, seen)

    def _is_made_of_scalars(self, schema: Mapping[str, Any], seen: frozenset[str]) -> bool:
        parts = [self._open(part) for part in schema.get("allOf", ())]
        if not parts or any("properties" in part or part.get("type") == "object" for part in (schema, *parts)):
            return False
        kinds = {shape.kind for part in parts for shape in self.read_value(part, seen).shapes}
        return bool(kinds & _SCALARS) and kinds <= {*_SCALARS, "any"}

    def refuse(self, name: str, reason: str) -> None:
        """Refuse every later reference to a component, with this reason."""
        self._unsayable[*_SCHEMAS, name] = reason
        self._known.clear()

    def _check_sayable(self, *place: str) -> None:
        if place in self._unsayable:
            raise GenerationError(self._unsayable[place])

    def add_component(self, name: str, schema: Mapping[str, Any]) -> str:
        """Make a component of a schema found elsewhere; a name already taken is refused."""
        self._check_sayable(*_SCHEMAS, name)
        if name in self._schemas:
            raise GenerationError(f"A schema without a name would be called {name!r}, as another one already is.")
        self._schemas[name] = schema
        return name

    def find_path_item(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Find what a path has: where it stands, which counts, and where that refers to."""
        found, seen = dict(item), set[str]()
        while (reference := found.pop("$ref", None)) is not None:
            found = {**self._find("pathItems", reference, seen), **found}
        return found

    def find_component(self, section: Section, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """Find a parameter, body or response itself, where the document only refers to it."""
        seen: set[str] = set()
        while "$ref" in entry:
            entry = self._find(section, entry["$ref"], seen)
        return entry

    def find_answer(self, responses: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        """Find what the first success may be by media type, and which of those is JSON; plain JSON first."""
        code = next((code for code in sorted(responses) if code.startswith("2")), "")
        content = self.find_component("responses", responses.get(code, {})).get("content", {})
        return content, find_media_type(content, PLAIN_JSON, JSON)

    def _find(self, section: Section, reference: str, seen: set[str]) -> Mapping[str, Any]:
        """Find what a reference leads to, anywhere in the document; in a circle it leads nowhere."""
        found = follow_pointer(self._document, split_reference(reference)) if reference.startswith("#/") else None
        if found is None or reference in seen:
            raise GenerationError(f"The document refers to {quote(reference)}, which it does not hold.")
        seen.add(reference)
        self._check_sayable(*split_reference(reference))
        check_component(section, found, reference)
        return as_object(found)

    def resolve(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """Find the schema a ``$ref`` means, behind all that is but another name of it, with its last name."""
        seen: set[str] = set()
        while True:
            name = self._name_target(reference)
            self._check_sayable(*_SCHEMAS, name)
            schema = self._open(self._schemas[name]) if name not in seen else {}  # in a circle nothing is said
            if not is_alias(schema):
                return name, schema
            seen.add(name)
            reference = schema["$ref"]

    def _name_target(self, reference: str) -> str:
        """Name the component a reference means; a schema within another, or within an operation, becomes one."""
        steps = split_reference(reference)
        if (
            reference.startswith("#/components/schemas/")
            and len(steps) == _COMPONENT_STEPS
            and steps[-1] in self._schemas
        ):
            return steps[-1]
        if steps not in self._inner:
            schema = self._find("schemas", reference, set())
            name = "".join(to_pascal_case(step) for step in steps if step not in _INNER_STEPS)
            self._inner[steps] = self.add_component(name, schema)
        return self._inner[steps]

    def _open(self, schema: Schema) -> Mapping[str, Any]:
        """Return a schema as an object in which whatever counts beside a reference is found as beside an ``allOf``."""
        schema = as_object(schema)
        if self._ignores_keys_beside_references:
            return without_keys_beside_reference(schema)
        return with_reference_as_part(schema)

    def read_body(self, schema: Schema) -> tuple[str, Mapping[str, Any]]:
        """Find a body's schema behind its references, with the name of the last; beside null the other one counts."""
        schema, name, seen = self._open(schema), "", set[str]()
        while True:
            alternatives = [
                alternative
                for alternative in first_list(schema, "anyOf", "oneOf")
                if as_object(alternative).get("type") != "null"
            ]
            inner = alternatives if len(alternatives) == 1 else single_part(schema)
            if "$ref" in schema and schema["$ref"] not in seen:
                seen.add(schema["$ref"])
                name, schema = self.resolve(schema["$ref"])
            elif len(inner) == 1 and not self.is_model(schema):
                name, schema = "", self._open(inner[0])
            else:
                return name, schema

    def read_value(self, schema: Schema, seen: frozenset[str] = frozenset()) -> Value:
        """Read what a value of this schema may be; within a schema that holds itself, anything from there on."""
        alternatives = self._read_alternatives(self._open(schema), seen)
        shapes = [shape for shape in alternatives if shape is not None]
        value = Value(_drop_weaker(shapes), nullable=None in alternatives)
        if value.size > _LARGEST:
            raise GenerationError(f"A value is made of more than {_LARGEST} others ({quote(schema)}).")
        return value

    def _read_alternatives(self, schema: Mapping[str, Any], seen: frozenset[str]) -> list[Shape | None]:
        """List the shapes of a schema; ``None`` stands for null, which OpenAPI 3.0 allows by a keyword of its own."""
        shapes = [*self._read_keywords(schema, seen), *([None] if schema.get("nullable") else [])]
        return [*dict.fromkeys(shapes)]

    def _read_keywords(self, schema: Mapping[str, Any], seen: frozenset[str]) -> list[Shape | None]:
        if "$ref" in schema:
            return self._follow_reference(schema["$ref"], seen)
        if "const" in schema or schema.get("enum"):
            values = schema["enum"] if schema.get("enum") else [schema["const"]]
            shapes = [Shape("choice", choices=choices)] if (choices := _distinct_choices(values)) else []
            return [*shapes, *([None] if None in values else [])]
        if len(schema.get("allOf", ())) > 1 and self._is_made_of_scalars(schema, seen):
            return self._read_scalars(schema, seen)
        inner = self._unwrap(schema)
        if inner is not None:
            shapes_within = (
                shape and _with_tag(shape, schema, part)
                for part in inner
                for shape in self._read_alternatives(self._open(part), seen)
            )
            return [shape and self._narrow(shape, schema, seen) for shape in shapes_within]
        return [None] if schema.get("type") == "null" else [self._read_shape(schema, seen)]

    def _read_scalars(self, schema: Mapping[str, Any], seen: frozenset[str]) -> list[Shape | None]:
        """Read what several schemas say of one text or number: a choice before its kind, narrowed by all of them."""
        parts = [self._open(part) for part in schema["allOf"]]
        opened = [self.resolve(part["$ref"])[1] if "$ref" in part else part for part in parts]
        read = [self._read_alternatives(part, seen) for part in parts]
        told = [shapes for shapes in read if any(shape and shape.kind != "any" for shape in shapes)]
        chosen = [shapes for shapes in told if all(shape is None or shape.kind == "choice" for shape in shapes)]
        shapes = (chosen or told)[0]
        for part in (*opened, schema):
            shapes = [shape and self._narrow(shape, part, seen) for shape in shapes]
        return shapes

    def _follow_reference(self, reference: str, seen: frozenset[str]) -> list[Shape | None]:
        """Read the shapes behind a reference: a model's name, or what the schema says; each is worked out once."""
        name, target = self.resolve(reference)
        if is_model(target) and (name in seen or not target.get("allOf")):
            return [Shape("model", model=name_class(name))]
        if name in seen:
            return [Shape("any")]
        if len(seen) > _MOST_NESTED:
            raise GenerationError(f"The schema {quote(name)} is within more than {_MOST_NESTED} others.")
        if len(self._known) > _MOST_REFERENCES:
            raise GenerationError(
                f"The schemas around {quote(name)} refer to each other in more ways than can be read."
            )
        if (name, seen) not in self._known:
            within = seen | {name}
            self._known[name, seen] = (
                [Shape("model", model=name_class(name))]
                if self.is_model(target, within)
                else self._read_alternatives(target, within)
            )
        return self._known[name, seen]

    def _unwrap(self, schema: Mapping[str, Any]) -> list[Schema] | None:
        """Return the schemas this one only stands for, or ``None`` where it stands for itself."""
        inner = first_list(schema, "anyOf", "oneOf") or single_part(schema)
        if inner:
            return inner
        types = schema.get("type")
        return [{**schema, "type": name} for name in types] if isinstance(types, list) and types else None

    def _read_shape(self, schema: Mapping[str, Any], seen: frozenset[str]) -> Shape:
        kind = _KINDS.get(schema.get("type") or "", "any")
        pattern = schema.get("pattern") if kind == "text" else None
        prefix = tuple(self.read_value(part, seen) for part in first_list(schema, "prefixItems"))
        limits = _read_limits(kind, schema)
        if kind == "list" and schema.get("items") is False:
            limits["max_items"] = min(len(prefix), limits.get("max_items", len(prefix)))
        return Shape(
            kind,
            limits=tuple(limits.items()),
            pattern=pattern,
            format=_read_format(schema) if kind == "text" else schema.get("format"),
            item=self.read_value(schema.get("items") or {}, seen) if kind == "list" else None,
            prefix=prefix if kind == "list" else (),
            values=self._read_map(schema, seen) if kind == "object" else None,
        )

    def _read_map(self, schema: Mapping[str, Any], seen: frozenset[str]) -> Value | None:
        """Read what the values of an object without names may be; ``None`` where they may be anything."""
        values = self.read_value(schema.get("additionalProperties") or {}, seen)
        return None if any(shape.kind == "any" for shape in values.shapes) else values

    def _narrow(self, shape: Shape, schema: Mapping[str, Any], seen: frozenset[str]) -> Shape:
        """Narrow a shape by what its schema says beside the alternatives it is one of: both count.

        Of two patterns the inner one is checked here, and both by the server.
        """
        if shape.kind == "any" and isinstance(schema.get("type"), str):
            return self._read_shape(schema, seen)
        limits = dict(shape.limits)
        for name, limit in _read_limits(shape.kind, schema).items():
            limits[name] = _STRICTER[name](limits[name], limit) if name in limits else limit
        pattern = schema.get("pattern") if shape.kind == "text" else None
        ordered = tuple((name, limits[name]) for name in _LIMITS.get(shape.kind, {}).values() if name in limits)
        return evolve(shape, limits=ordered, pattern=shape.pattern or pattern)

    def read_fields(self, schema: Mapping[str, Any]) -> list[Field]:
        """Read the fields of an object, in the document's order."""
        properties: dict[str, Any] = {}
        required: set[str] = set()
        for part in self._collect_parts(schema, set()):
            properties.update(part.get("properties", {}))
            required.update(part.get("required", ()))
        asked_for = dict.fromkeys(sorted(required - properties.keys()), True)  # of which nothing else is known
        return [
            self.read_field(wire, property_schema, required=wire in required)
            for wire, property_schema in {**properties, **asked_for}.items()
        ]

    def _collect_parts(self, schema: Mapping[str, Any], seen: set[str], depth: int = 0) -> list[Mapping[str, Any]]:
        """Collect an object and all it is made of (``allOf``, within each other), what counts most at the end."""
        if depth > _MOST_NESTED:
            raise GenerationError(f"An object is made of more than {_MOST_NESTED} within each other ({quote(schema)}).")
        parts: list[Mapping[str, Any]] = []
        for subschema in schema.get("allOf", ()):
            part = self._open(subschema)
            if "$ref" in part:
                name, part = self.resolve(part["$ref"])
                if name in seen:
                    continue
                seen.add(name)
            if first_list(part, "anyOf", "oneOf"):
                raise GenerationError(
                    f"An object is made of alternatives ({quote(part)}): no class can say so; a correction has to "
                    "name its fields."
                )
            parts += self._collect_parts(part, seen, depth + 1)
        return [*parts, schema]

    def read_field(self, wire: str, schema: Schema, *, required: bool) -> Field:
        """Read one field; a default that contradicts its own enum or type is none, for the server cannot mean it."""
        schema = as_object(schema)
        value = self.read_value(schema)
        without_default = Field(
            wire,
            value,
            required,
            str(schema.get("title") or ""),
            str(schema.get("description") or ""),
            read_only=self._is_read_only(schema),
        )
        if "default" not in schema or not accepts(value, schema["default"]):
            return without_default
        return evolve(without_default, default=schema["default"], has_default=True)

    def _is_read_only(self, schema: Mapping[str, Any]) -> bool:
        """Return whether the server alone gives a value: its schema says so, or the one that it is another name of."""
        seen: set[str] = set()
        while not schema.get("readOnly"):
            schema = self._open(schema)
            (inner,) = single_part(schema) or [schema]
            reference = as_object(inner).get("$ref")
            if reference is None or reference in seen:
                return bool(as_object(inner).get("readOnly"))
            seen.add(reference)
            _, schema = self.resolve(reference)
        return True


def _read_format(schema: Mapping[str, Any]) -> str | None:
    """Read the format of a text; of bytes by either way of saying so."""
    encoding = schema.get("contentEncoding")
    if isinstance(encoding, str) and encoding.lower() in ("base64", "base64url"):
        return _BASE64
    if encoding is None and schema.get("contentMediaType") == _BINARY_MEDIA_TYPE:
        return BINARY
    return schema.get("format")


def _read_limits(kind: Kind, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read the bounds of a number, or the length of a text or a list.

    Raises:
        GenerationError: A bound is beyond what a float holds, or a step is not above zero.
    """
    bounds = with_numeric_bounds(schema)
    read = {theirs: bounds[theirs] for theirs in _LIMITS.get(kind, {}) if is_number(bounds.get(theirs))}
    for theirs, limit in read.items():
        if abs(limit) > sys.float_info.max:
            rest = {key: value for key, value in schema.items() if key not in read}
            raise GenerationError(
                f"A schema ({quote(rest)}) has a {theirs} beyond what a float holds: a correction has to remove it, or "
                "say the bound."
            )
        if theirs == "multipleOf" and limit <= 0:
            raise GenerationError(
                f"A schema ({quote(schema)}) has a multipleOf of {limit!r}, which is no step: a correction has to "
                "remove it, or say the step."
            )
    return {_LIMITS[kind][theirs]: integral(limit) for theirs, limit in read.items()}


def _with_tag(shape: Shape, schema: Mapping[str, Any], part: Schema) -> Shape:
    """Return an alternative with what tells it from the others of its schema; one that has a tag already keeps it."""
    wire, mapping = read_discriminator(schema)
    if not wire or shape.model is None or shape.tag is not None:
        return shape
    name = name_last(as_object(part).get("$ref", ""))
    return evolve(shape, tag=Tag(wire, tuple(text for text, target in mapping.items() if name_last(target) == name)))


def _step_of_both(inner: float, outer: float) -> float:
    """Return the step of numbers that are multiples of two; of fractions the inner one, and the server holds both."""
    return math.lcm(inner, outer) if isinstance(inner, int) and isinstance(outer, int) else inner


_STRICTER: dict[str, Callable[[Any, Any], Any]] = {  # of two limits of one name
    **dict.fromkeys(("ge", "gt", "min_length", "min_items"), max),
    **dict.fromkeys(("le", "lt", "max_length", "max_items"), min),
    "multiple_of": _step_of_both,
}


def _distinct_choices(choices: list[Any]) -> tuple[Any, ...]:
    """List the choices once each, in order, without null; 1 and true are two."""
    seen = {(type(choice), choice): choice for choice in choices if isinstance(choice, str | int | float)}
    return tuple(seen.values())


def _drop_weaker(shapes: list[Shape]) -> tuple[Shape, ...]:
    """Leave out what another alternative allows anyway: beside any text, a URL says nothing."""
    unlimited = {shape.kind for shape in shapes if shape == Shape(shape.kind)}
    if "any" in unlimited or not shapes:
        return (Shape("any"),)
    kept = [
        shape
        for shape in shapes
        if shape.kind not in unlimited or shape == Shape(shape.kind) or shape.is_binary  # in a form, a file is no text
    ]
    return tuple(kept)
