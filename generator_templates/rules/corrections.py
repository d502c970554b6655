"""Corrections: spec/corrections.yaml, an OpenAPI Overlay, applied to the pinned document.

Lives here: the few rules of Overlay 1.0 and 1.1 that we use (``update``, ``remove``) and one of our own: an action that
matches nothing is an error, for then the document has moved on and the correction's reason is gone.
Does not live here: JSONPath, which jsonpath-rfc9535 knows (README.md says why not oas-patch); where a target that
matches nothing goes astray (``targets``).
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import jsonpath_rfc9535
from attrs import frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from . import unmatched_targets as targets
from .errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = re.compile(r"1\.[01]\.\d+")
_KEYS = {"target", "description", "update", "remove"}


@frozen
class Action:
    """One correction: where, what, and why."""

    number: int
    target: str
    description: str
    update: Any = None
    remove: bool = False

    def __str__(self) -> str:
        return f"correction {self.number} ({self.target})"


def read(text: str) -> list[Action]:
    """Read an Overlay document; every action states its reason."""
    try:
        overlay = YAML(typ="safe").load(text)
    except YAMLError as problem:
        raise RefusalError(f"The corrections are no YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(overlay, dict) or not _VERSION.fullmatch(str(overlay.get("overlay"))):
        raise RefusalError("The corrections are no OpenAPI Overlay document of version 1.0 or 1.1.")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise RefusalError("The corrections hold no actions.")
    return [_action(number, one) for number, one in enumerate(actions, 1)]


def _action(number: int, one: Any) -> Action:
    where = f"correction {number}"
    if not isinstance(one, dict) or not isinstance(one.get("target"), str):
        raise RefusalError(f"{where} has no target.")
    strange = sorted(key for key in one if key not in _KEYS and not str(key).startswith("x-"))
    if strange:
        raise RefusalError(f"{where} ({one['target']}) has keys nobody here knows: {', '.join(strange)}.")
    if not str(one.get("description") or "").strip():
        raise RefusalError(f"{where} ({one['target']}) gives no reason: a description says why and on what evidence.")
    if ("update" in one) is (one.get("remove") is True):
        raise RefusalError(f"{where} ({one['target']}) has to either update or remove.")
    return Action(number, one["target"], one["description"], one.get("update"), one.get("remove") is True)


def corrected(document: Mapping[str, Any], actions: list[Action]) -> dict[str, Any]:
    """A corrected copy of a document; actions apply in their order, each to what the ones before it left."""
    result, idle = corrected_where_it_applies(document, actions)
    if idle:
        raise RefusalError(_astray(result, idle))
    return result


def corrected_where_it_applies(
    document: Mapping[str, Any], actions: list[Action]
) -> tuple[dict[str, Any], list[Action]]:
    """A corrected copy of another document than the pinned one, and the actions that found nothing in it.

    An older document legitimately lacks what was corrected since: there the actions are told, and are no error.
    """
    result = copy.deepcopy(dict(document))
    return result, [action for action in actions if not _applied(result, action)]


def _astray(document: dict[str, Any], idle: list[Action]) -> str:
    """What to do about actions that match nothing, in a line."""
    each = " ".join(
        f"{one} matches nothing: {targets.near(one.target, document)}. It was made because: {_reason(one)}"
        for one in idle
    )
    return (
        f"{each} The document has moved on: see whether it still gets this wrong, then retarget the action in the "
        "corrections, or remove it."
    )


def _reason(action: Action) -> str:
    said = " ".join(action.description.split())
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _applied(document: dict[str, Any], action: Action) -> bool:
    """Whether the action found something to do; then it is done."""
    try:
        places = [node.location for node in jsonpath_rfc9535.find(action.target, document)]
    except jsonpath_rfc9535.JSONPathError as problem:
        raise RefusalError(f"{action} is no JSONPath: {' '.join(str(problem).split())}") from None
    for place in reversed(places):  # from the end: removing an item moves those behind it
        if not place:
            _root(document, action)
            continue
        parent: Any = document
        for step in place[:-1]:
            parent = parent[step]
        if action.remove:
            del parent[place[-1]]
        else:
            parent[place[-1]] = _merged(parent[place[-1]], action.update)
    return bool(places)


def _root(document: dict[str, Any], action: Action) -> None:
    if action.remove or not isinstance(action.update, dict):
        raise RefusalError(f"{action} would replace the whole document.")
    document.update(_merged(document, action.update))


def _merged(old: Any, new: Any) -> Any:
    """Overlay's update: objects merge key by key, lists grow, everything else is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            **old,
            **{key: _merged(old[key], one) if key in old else copy.deepcopy(one) for key, one in new.items()},
        }
    if isinstance(old, list):
        return [*old, *copy.deepcopy(new if isinstance(new, list) else [new])]
    return copy.deepcopy(new)
