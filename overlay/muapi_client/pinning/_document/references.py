"""Which component schemas a document's operations reach. Pure.

Lives here: where a reference may stand in an OpenAPI document, and where it leads.
Does not live here: what is done with the schemas that nothing reaches (``canonical``).

A ``$ref`` inside a literal (an example, a default, an enum) is data and no reference; a property that happens
to be called ``default`` is no literal. So the walk knows which objects map free names to things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

# Objects whose keys are names chosen by the author, not words of OpenAPI or JSON Schema (OpenAPI 3.1, fixed
# fields).
NAMED = frozenset({
    "$defs", "callbacks", "content", "definitions", "dependentSchemas", "encoding", "examples", "headers",
    "links", "parameters", "pathItems", "paths", "patternProperties", "properties", "requestBodies",
    "responses", "schemas", "securitySchemes", "variables", "webhooks",
})  # fmt: skip
LITERAL = frozenset({"const", "default", "enum", "example", "value"})  # what these hold is the API's data
SCHEMAS = "#/components/schemas/"
_NOWHERE = object()  # what a reference leads to that leads nowhere; null is something


def find_reached_schemas(document: dict[str, Any], schemas: dict[str, Any], *, may_dangle: bool = False) -> set[str]:
    """Name the component schemas that anything outside of them reaches, directly or through each other.

    Args:
        document: An OpenAPI document whose paths are already those to keep.
        schemas: Its component schemas, by name.
        may_dangle: Whether a reference may lead nowhere, or out of the document.

    Raises:
        PinError: A reference does, and may not.
    """
    components = as_object(document.get("components")) or {}
    outside = {**document, "components": {key: part for key, part in components.items() if key != "schemas"}}
    reached: set[str] = set()
    waiting: list[tuple[str, Any]] = [("", outside)]
    while waiting:
        home, part = waiting.pop()
        for reference in _find_references(part):
            name = _schema_name(reference)
            if _follow(reference, document) is _NOWHERE and not may_dangle:
                raise _dangling_error(reference, home)
            if name in schemas and name not in reached:
                reached.add(name)
                waiting.append((f"components.schemas[{quote(name)}]", schemas[name]))
    return reached


def _find_references(part: Any) -> Iterator[str]:
    """Every reference in a part of a document, mappings of a discriminator included."""
    waiting: list[tuple[Any, bool]] = [(part, False)]
    while waiting:
        node, named = waiting.pop()
        waiting.extend((item, False) for item in as_list(node) or () if _may_refer(item))
        fields = as_object(node) or {}
        if not named:
            yield from _find_own_references(fields)
        waiting.extend((value, key in NAMED and not named) for key, value in _children(fields, named))


def _may_refer(value: object) -> bool:
    """Tell whether a value can hold a reference at all: most of a document's are texts and numbers."""
    return isinstance(value, dict | list)


def _children(node: dict[str, Any], named: bool) -> Iterator[tuple[str, Any]]:
    """Find the parts of an object that may hold further references."""
    for key, value in node.items():
        literal = key in LITERAL or key.startswith("x-") or (key == "examples" and as_list(value) is not None)
        if _may_refer(value) and (named or not literal):
            yield key, value


def _find_own_references(node: dict[str, Any]) -> Iterator[str]:
    if isinstance(node.get("$ref"), str):
        yield node["$ref"]
    discriminator = as_object(node.get("discriminator")) or {}
    for target in (as_object(discriminator.get("mapping")) or {}).values():
        # OpenAPI 3.1, Discriminator Object: a value is a schema's bare name or a reference to it.
        if isinstance(target, str):
            yield f"{SCHEMAS}{target}" if re.fullmatch(r"[\w.-]+", target) else target


def _split_pointer(reference: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901) in a URI fragment, unescaped."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:]]


def _schema_name(reference: str) -> str:
    return _split_pointer(reference)[2] if reference.startswith(SCHEMAS) else ""


def find_target(reference: str, document: dict[str, Any]) -> Any:
    """Find the target of a reference; None where it leads nowhere, or out of the document."""
    node = _follow(reference, document)
    return None if node is _NOWHERE else node


def _follow(reference: str, document: dict[str, Any]) -> Any:
    if reference != "#" and not reference.startswith("#/"):
        return _NOWHERE
    node: Any = document
    for step in _split_pointer(reference):
        fields, items = as_object(node), as_list(node)
        if fields is not None and step in fields:
            node = fields[step]
        elif items is not None and step.isdecimal() and int(step) < len(items):
            node = items[int(step)]
        else:
            return _NOWHERE
    return node


def _dangling_error(reference: str, home: str) -> PinError:
    place = f" in {home}" if home else ""
    return PinError(f"the document refers to {quote(reference)}{place} and does not hold it: half or broken")
