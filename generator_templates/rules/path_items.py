"""Path items: where the operations of a path stand, which may be elsewhere than at the path.

A path item may be a reference with others beside it, and what it refers to may be one, too. What stands at the path
counts before what that refers to.

Lives here: following them in a document as it is. Does not live here: one that leads nowhere (``schemas`` refuses it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .schema_syntax import follow_pointer, split_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .problems import Place


def find_path_item(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Find all that a path has; nothing where the document has no such path."""
    found: dict[str, Any] = {}
    for place in reversed(list_homes(document, path)):
        found |= follow_pointer(document, place)
    found.pop("$ref", None)
    return found


def list_parameters(item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List what an operation takes beside its body as the document has it, what counts most at the end."""
    return [*item.get("parameters", ()), *operation.get("parameters", ())]


def list_homes(document: Mapping[str, Any], path: str) -> list[Place]:
    """List the objects that a path's operations may stand in: its own, and one behind the other what that refers to."""
    places: list[Place] = []
    place: Place = ("paths", path)
    while place not in places and isinstance(item := follow_pointer(document, place), dict):
        places.append(place)
        place = split_reference(str(item.get("$ref", "")))
        if not place:
            break
    return places
