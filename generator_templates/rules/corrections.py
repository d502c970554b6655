"""Corrections: spec/corrections.yaml, an OpenAPI Overlay, applied to the pinned document.

Lives here: the few rules of Overlay 1.0 and 1.1 that we use (``update``, ``remove``) and one of our own: an action that
matches nothing is an error, for then the document has moved on and the correction's reason is gone. The message says
how far its target gets and what stands there, so that a person can retarget it.
Does not live here: JSONPath, which jsonpath-rfc9535 knows (``README.md`` says why not oas-patch).
"""

from __future__ import annotations

import copy
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import jsonpath_rfc9535
from attrs import frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .errors import GenerationError, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = re.compile(r"1\.[01]\.\d+")
_KEYS = {"target", "description", "update", "remove"}
_NAME = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")  # a name selector in the library's normalised text of a segment
_MOST_SHOWN = 3  # near names, or names at all


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


def read_actions(text: str) -> list[Action]:
    """Read an Overlay document; every action states its reason.

    Raises:
        GenerationError: It is no Overlay document, or an action lacks something.
    """
    try:
        overlay = YAML(typ="safe").load(text)
    except YAMLError as problem:
        raise GenerationError(f"The corrections are no YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(overlay, dict) or not _VERSION.fullmatch(str(overlay.get("overlay"))):
        raise GenerationError("The corrections are no OpenAPI Overlay document of version 1.0 or 1.1.")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise GenerationError("The corrections hold no actions.")
    return [_read_action(number, action) for number, action in enumerate(actions, 1)]


def _read_action(number: int, action: Any) -> Action:
    where = f"correction {number}"
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        raise GenerationError(f"{where} has no target.")
    where = f"{where} ({action['target']})"
    unknown = sorted(key for key in action if key not in _KEYS and not str(key).startswith("x-"))
    if unknown:
        raise GenerationError(f"{where} has keys nobody here knows: {', '.join(unknown)}.")
    if not str(action.get("description") or "").strip():
        raise GenerationError(f"{where} gives no reason: a description says why and on what evidence.")
    removes = action.get("remove") is True
    if ("update" in action) is removes:
        raise GenerationError(f"{where} has to either update or remove.")
    return Action(number, action["target"], action["description"], action.get("update"), removes)


def apply_actions(document: Mapping[str, Any], actions: list[Action]) -> dict[str, Any]:
    """Return a corrected copy of a document; actions apply in their order, each to what the ones before it left.

    Raises:
        GenerationError: An action matches nothing; the message says how far its target gets.
    """
    result, unmatched = apply_matching_actions(document, actions)
    if unmatched:
        raise _unmatched_error(result, unmatched)
    return result


def apply_matching_actions(document: Mapping[str, Any], actions: list[Action]) -> tuple[dict[str, Any], list[Action]]:
    """Return a corrected copy of another document than the pinned one, and the actions that found nothing in it.

    An older document legitimately lacks what was corrected since: there the actions are listed, and are no error.
    """
    result = copy.deepcopy(dict(document))
    return result, [action for action in actions if not _apply(result, action)]


def _apply(document: dict[str, Any], action: Action) -> bool:
    """Carry out an action wherever its target matches; whether that was anywhere."""
    try:
        places = [node.location for node in jsonpath_rfc9535.find(action.target, document)]
    except jsonpath_rfc9535.JSONPathError as problem:
        raise GenerationError(f"{action} is no JSONPath: {' '.join(str(problem).split())}") from None
    for place in reversed(places):  # from the end: removing an item moves those behind it
        if not place:
            _update_root(document, action)
            continue
        parent: Any = document
        for step in place[:-1]:
            parent = parent[step]
        if action.remove:
            del parent[place[-1]]
        else:
            parent[place[-1]] = _merge(parent[place[-1]], action.update)
    return bool(places)


def _update_root(document: dict[str, Any], action: Action) -> None:
    if action.remove or not isinstance(action.update, dict):
        raise GenerationError(f"{action} would replace the whole document.")
    document.update(_merge(document, action.update))


def _merge(old: Any, new: Any) -> Any:
    """Overlay's update: objects merge key by key, lists grow, everything else is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            **old,
            **{key: _merge(old[key], value) if key in old else copy.deepcopy(value) for key, value in new.items()},
        }
    if isinstance(old, list):
        return [*old, *copy.deepcopy(new if isinstance(new, list) else [new])]
    return copy.deepcopy(new)


def _unmatched_error(document: dict[str, Any], unmatched: list[Action]) -> GenerationError:
    """Say in a line what to do about actions that match nothing."""
    sentences = " ".join(
        f"{action} matches nothing: {explain_no_match(action.target, document)}. "
        f"It was made because: {_end_with_stop(action.description)}"
        for action in unmatched
    )
    return GenerationError(
        f"{sentences} The document has moved on: see whether it still gets this wrong, then retarget the action in the "
        "corrections, or remove it."
    )


def _end_with_stop(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def explain_no_match(target: str, document: dict[str, Any]) -> str:
    """Say where a target that matches nothing stops matching, with the nearest names there.

    Args:
        target: A JSONPath that is well formed and matches nothing.
        document: Where it is looked for.
    """
    segments = [str(segment) for segment in jsonpath_rfc9535.compile(target).segments]
    path = "$"
    values: list[Any] = [document]
    for segment in segments:
        matches = [node.value for node in jsonpath_rfc9535.find(f"{path}{segment}", document)]
        if not matches:
            return f"{_shorten_path(path)} is there, {_describe_missing(segment, values)}"
        path, values = f"{path}{segment}", matches
    return f"{_shorten_path(path)} is empty"


def _describe_missing(segment: str, values: list[Any]) -> str:
    """Say what a segment looks for among the values before it, and what there is."""
    names = list(dict.fromkeys(name for value in values if isinstance(value, dict) for name in value))
    wanted = [re.sub(r"\\(.)", r"\1", name) for name in _NAME.findall(segment)] if "?" not in segment else []
    if not wanted:
        several = f"{len(values)} values" if len(values) > 1 else "what is there"
        return f"but {quote(segment)} fits nothing in {several}"
    near = [match for name in wanted for match in get_close_matches(name, names, n=_MOST_SHOWN, cutoff=0.6)]
    missing = " and ".join(map(quote, wanted))
    if near:
        return f"{missing} is not; near it: {', '.join(map(quote, near))}"
    more = ", …" if len(names) > _MOST_SHOWN else ""
    listed = f"{', '.join(map(quote, names[:_MOST_SHOWN]))}{more}" if names else "no names"
    return f"{missing} is not; there: {listed}"


def _shorten_path(path: str) -> str:
    """Write a path in the short form people use."""
    return re.sub(r"\['([A-Za-z_]\w*)'\]", r".\1", path).replace("[*]", ".*")
