"""Schema syntax: the many ways JSON Schema and the versions of OpenAPI have to say one thing, brought to one.

Lives here: single schemas and references, looked at alone. Does not live here: what a value may be (``schemas``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema: TypeAlias = "Mapping[str, Any] | bool"
# Keys that say nothing of what a value may be: an ``allOf`` of one schema and these is that schema.
_ANNOTATION_KEYS = frozenset(
    {"title", "description", "default", "deprecated", "example", "examples", "readOnly", "writeOnly"}
)


def split_reference(reference: str) -> tuple[str, ...]:
    """Split a reference into the steps of its JSON pointer (RFC 6901), unescaped."""
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:])


def name_last(reference: str) -> str:
    """Return the last name of a reference, or a mere name, which a discriminator may have in its place."""
    return (split_reference(reference) or (reference,))[-1]


def read_discriminator(schema: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """Read which field tells alternatives apart, and the reference of each of its texts, as far as these are given.

    One of another form, such as Swagger's mere name, tells none.
    """
    discriminator = schema.get("discriminator")
    if not isinstance(discriminator, dict) or not isinstance(discriminator.get("propertyName"), str):
        return "", {}
    mapping = discriminator.get("mapping")
    pairs = mapping.items() if isinstance(mapping, dict) else ()
    return discriminator["propertyName"], {text: target for text, target in pairs if isinstance(target, str)}


def follow_pointer(document: Mapping[str, Any], steps: tuple[str, ...]) -> Any:
    """Find what stands at the end of a JSON pointer; ``None`` where it leads nowhere."""
    node: Any = document
    for step in steps:
        if isinstance(node, list):
            node = node[int(step)] if re.fullmatch(r"[0-9]{1,9}", step) and int(step) < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def as_object(schema: Schema) -> Mapping[str, Any]:
    """Return a schema as an object: ``true`` allows everything, as ``{}`` does; of ``false`` no value can be made."""
    return {} if isinstance(schema, bool) else schema


def with_reference_as_part(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a reference with keywords beside it, which both count (OpenAPI 3.1), as an ``allOf`` of the reference."""
    if "$ref" not in schema or is_alias(schema):
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**beside, "allOf": [{"$ref": schema["$ref"]}, *schema.get("allOf", ())]}


def without_keys_beside_reference(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what stands beside a reference, which OpenAPI 3.0 ignores, but for what is said to people."""
    return {key: value for key, value in schema.items() if key in _ANNOTATION_KEYS | {"$ref"} or "$ref" not in schema}


def is_alias(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema is but another name of the one it refers to."""
    return "$ref" in schema and not schema.keys() - _ANNOTATION_KEYS - {"$ref"}


def first_list(schema: Mapping[str, Any], *keys: str) -> list[Schema]:
    """Return the schemas under the first of some keys that holds any."""
    return next((list(schema[key]) for key in keys if schema.get(key)), [])


def single_part(schema: Mapping[str, Any]) -> list[Schema]:
    """Return the one schema an ``allOf`` stands for, beside annotations."""
    parts: list[Schema] = [part for part in schema.get("allOf", ()) if as_object(part).keys() - _ANNOTATION_KEYS]
    return parts if len(parts) == 1 else []


def with_numeric_bounds(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write the exclusive bounds of OpenAPI 3.0, a flag beside the bound, as 3.1 does."""
    result = dict(schema)
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if result.get(exclusive) is True and bound in result:
            result[exclusive] = result.pop(bound)
    return result


def is_open(schema: Mapping[str, Any]) -> bool:
    """Return whether an object says that it takes fields beyond those it names."""
    return bool(schema.get("properties")) and schema.get("additionalProperties", False) is not False


def is_model(schema: Schema) -> bool:
    """Return whether a component becomes a class: an object whose fields have names.

    One that asks for fields of the schema it is made of is a class of its own: the other does not ask for them.
    """
    schema = as_object(schema)
    return (
        bool(schema.get("properties"))
        or len(schema.get("allOf", ())) > 1
        or bool(schema.get("allOf") and schema.get("required"))
        or (schema.get("type") == "object" and "additionalProperties" not in schema)
    )


def integral(number: float) -> float:
    """Return a bound as it was meant: 4294967295.0 is 4294967295."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def is_number(value: object) -> bool:
    """Return whether a value can be a bound."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != float("inf")
