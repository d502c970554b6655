"""Corrections: spec/corrections.yaml, an OpenAPI Overlay, applied to the pinned document.

Lives here: the few rules of Overlay 1.0 and 1.1 that we use (``update``, ``remove``) and our own on their time: an
action that matches nothing, changes nothing, or finds something else than it was written against is an error, for then
the document has moved on and the correction's reason is gone. What an action was written against it says itself:
``x-found`` is the value at its target, ``x-adds: true`` says that the names it sets were not there. The message says
how far a target gets and what stands there, as the document was when the action's turn came. Only where every operation
an action is about is gone, those its target names or its ``x-operations``, is it passed over, and told; and
``x-keeps: true`` puts back those of its operations that are gone, because our own code stands on them.
Does not live here: JSONPath, which jsonpath-rfc9535 knows (``README.md`` says why not oas-patch).
"""

from __future__ import annotations

import copy
import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import jsonpath_rfc9535
from attrs import frozen
from jsonpath_rfc9535.segments import JSONPathChildSegment
from jsonpath_rfc9535.selectors import NameSelector
from ruamel.yaml.error import YAMLError

from .document_checks import METHODS
from .document_text import load_yaml, unfold_yaml
from .errors import CorrectionError, GenerationError, quote
from .jobs import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonpath_rfc9535.segments import JSONPathSegment

_VERSION = re.compile(r"1\.[01]\.\d+")
_KEYS = {"target", "description", "update", "remove"}
_UNKNOWN = object()  # an action does not say what it was written against
_OPERATION = re.compile(r"[A-Z]+ /\S*")
_NAME = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")  # a name selector in the library's normalised text of a segment
_DEPTH_OF_PATHS = 2  # $.paths and a path below it
_ITEMS = {("paths",), ("components", "pathItems")}  # what holds the operations of a path, by its name
_MOST_SHOWN = 3  # near names, or names at all
_LONGEST_VALUE = 200  # characters of a value in a message


@frozen
class Action:
    """One correction: where, what, and why."""

    number: int
    target: str
    description: str
    update: Any = None
    remove: bool = False
    found: Any = _UNKNOWN  # the value at the target that it was written against
    adds: bool = False  # the names it sets were not there
    keeps: bool = False  # it sets only operations that are not there
    operations: tuple[str, ...] = ()  # ``METHOD /path``: those it is about, where its target does not name them
    file: str = ""  # where it stands, if that is no file of ours

    def __str__(self) -> str:
        return f"correction {self.number}{f' of {self.file}' if self.file else ''} ({self.target})"


@frozen
class Miss:
    """An action that found nothing to do, or at some place something else than it was written against.

    Attributes:
        action: The action.
        reason: With the action before it, half a sentence.
        stops: Whether the pinned document has to be looked at: not where only an operation is gone.
        matches: Whether its target is there.
    """

    action: Action
    reason: str
    stops: bool = True
    matches: bool = True

    @property
    def sentence(self) -> str:
        """What happened."""
        return f"{self.action} {self.reason}."


def read_actions(text: str, file: str = "") -> list[Action]:
    """Read an Overlay document; every action states its reason.

    Args:
        text: The document.
        file: What messages call it.

    Raises:
        GenerationError: It is no Overlay document, or an action lacks something.
    """
    name = file or "The file of corrections"
    try:
        overlay = load_yaml(text)
    except (YAMLError, ValueError, TypeError) as problem:
        raise GenerationError(f"{name} is no YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise GenerationError(f"{name} is nested too deeply.") from None
    if not isinstance(overlay, dict) or not _VERSION.fullmatch(str(overlay.get("overlay"))):
        raise GenerationError(
            f"{name} is no OpenAPI Overlay document of version 1.0 or 1.1: it begins with `overlay: 1.1.0`, has an "
            "`info` with a title and a version, and its corrections under `actions`."
        )
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise GenerationError(
            f"{name} holds no actions: they are a list under `actions`, each with a target, a description, "
            "and update or remove."
        )
    return [_read_action(number, action, file) for number, action in enumerate(actions, 1)]


def _read_action(number: int, action: Any, file: str) -> Action:
    where = f"correction {number}{f' of {file}' if file else ''}"
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        raise GenerationError(f"{where} has no target.")
    where = f"{where} ({action['target']})"
    try:
        action = unfold_yaml(action)
    except (ValueError, TypeError) as problem:
        raise CorrectionError(f"{where} holds what no JSON can say: {' '.join(str(problem).split())}.") from None
    except RecursionError:
        raise CorrectionError(f"{where} is nested too deeply.") from None
    unknown = sorted(key for key in action if key not in _KEYS and not str(key).startswith("x-"))
    if unknown:
        raise GenerationError(f"{where} has keys nobody here knows: {', '.join(unknown)}.")
    if not str(action.get("description") or "").strip():
        raise GenerationError(f"{where} gives no reason: a description says why and on what evidence.")
    removes = action.get("remove") is True
    if ("update" in action) is removes:
        raise GenerationError(f"{where} has to either update or remove.")
    adds, found = action.get("x-adds", False), action.get("x-found", _UNKNOWN)
    if adds is not False and not (adds is True and isinstance(action.get("update"), dict) and found is _UNKNOWN):
        raise GenerationError(f"{where}: x-adds is true on an update by names, and does not stand beside x-found.")
    return Action(
        number,
        action["target"],
        action["description"],
        action.get("update"),
        removes,
        found,
        adds,
        _read_keeps(action, where),
        _read_operations(action, where),
        file,
    )


def _read_keeps(action: dict[str, Any], where: str) -> bool:
    keeps, update = action.get("x-keeps", False), action.get("update")
    if keeps is False:
        return False
    is_paths = isinstance(update, dict) and all(isinstance(item, dict) for item in update.values())
    if keeps is not True or action["target"] != "$.paths" or not is_paths or {"x-adds", "x-found"} & action.keys():
        raise GenerationError(
            f"{where}: x-keeps is true on an update of $.paths by paths and methods, and stands alone."
        )
    return True


def _read_operations(action: dict[str, Any], where: str) -> tuple[str, ...]:
    named = action.get("x-operations", [])
    if not isinstance(named, list) or not all(isinstance(one, str) and _OPERATION.fullmatch(one) for one in named):
        raise GenerationError(f"{where}: x-operations is a list of operations, such as POST /api/v1/flux-dev-image.")
    return tuple(named)


def check_misses(misses: list[Miss]) -> None:
    """Refuse a document that is there for actions to fit, and that some do not fit.

    Raises:
        GenerationError: An action matches or changes nothing though an operation it is about is there, or finds
            something else than it was written against.
    """
    stopping = [miss for miss in misses if miss.stops]
    if stopping:
        raise _missed_error(stopping)


def apply_fitting_actions(document: Mapping[str, Any], actions: list[Action]) -> tuple[dict[str, Any], list[Miss]]:
    """Return a corrected copy of another document than the pinned one, and where actions did not fit it.

    An older document legitimately lacks what was corrected since, and a newer one may say itself what a correction
    says: what it says stands, and the miss is listed.
    """
    result = copy.deepcopy(dict(document))
    return result, [miss for action in actions for miss in _apply(result, action)]


def list_removals(document: Mapping[str, Any], actions: list[Action]) -> dict[tuple[str, ...], str]:
    """List what actions take out of a document, by the steps to its place there, each with the action's reason."""
    found: dict[tuple[str, ...], str] = {}
    for action in (action for action in actions if action.remove):
        for node in jsonpath_rfc9535.find(action.target, dict(document)):
            found.setdefault(tuple(map(str, node.location)), " ".join(action.description.split()))
    return found


def _apply(document: dict[str, Any], action: Action) -> list[Miss]:
    """Carry out an action wherever its target matches and it fits; say where it does not."""
    if action.keeps:
        kept = _keep(document, action)
        return [Miss(action, f"keeps {', '.join(kept)}: the document no longer has it", stops=False)] if kept else []
    try:
        places = {node.location for node in jsonpath_rfc9535.find(action.target, document)}  # a target may repeat one
    except jsonpath_rfc9535.JSONPathError as problem:
        raise GenerationError(f"{action} is no JSONPath: {' '.join(str(problem).split())}") from None
    if not places:
        reason = f"matches nothing: {explain_no_match(action.target, document)}"
        return [Miss(action, reason, stops=not _is_about_gone(action, document), matches=False)]
    unfit: list[tuple[str, str]] = []
    changes = False
    # From the end, and what is within before what holds it: removing an item moves those behind it.
    for place in sorted(places, reverse=True):
        parent, key = _find_parent(document, place)
        old = document if parent is None else parent[key]
        surprise, update = _compare_found(action, old)
        unfit += [(_write_path(place), surprise)] if surprise else []
        if surprise and update is None:
            continue
        _check_paths_stay(action, place, update)
        _check_marks(action, place, update)
        if action.remove and parent is not None:
            del parent[key]
            changes = True
            continue
        new = _merge(old, update) if parent is not None else _merge_root(document, action, update)
        changes = changes or not _is_same(old, new)
        if parent is None:
            document.update(new)
        else:
            parent[key] = new
    if unfit:
        return [Miss(action, _describe_surprises(unfit))]
    return [] if changes else [Miss(action, "changes nothing: the document says all of it itself")]


def _check_paths_stay(action: Action, place: tuple[int | str, ...], update: Any) -> None:
    """Refuse to make something else of the paths, or of one, than an object: all that follows looks into them."""
    if place == ("paths",) and action.remove:
        raise CorrectionError(f"{action} would leave no paths; one that removes $.paths.* leaves them empty.")
    is_path = place[:1] == ("paths",) and len(place) <= _DEPTH_OF_PATHS and not str(place[-1]).startswith("x-")
    if is_path and not action.remove and not isinstance(update, dict):
        raise CorrectionError(
            f"{action} makes {_write_path(place)} {_show(update)}, where an object belongs; remove takes it away."
        )


def _check_marks(action: Action, place: tuple[int | str, ...], update: Any) -> None:
    """Refuse our own word where nobody reads it, as on a field: what it was to do would be left undone in silence."""
    for *holder, _ in _find_marks(place, update):
        if not (tuple(holder[:-2]) in _ITEMS and holder[-1] in METHODS):
            raise CorrectionError(
                f"{action} gives {_write_path(tuple(holder))} the word {MARK}, which is read on an operation alone "
                "($.paths['/…'].post), as {job: true} or {job: false}: take it away there."
            )


def _find_marks(place: tuple[int | str, ...], update: Any) -> Iterator[tuple[int | str, ...]]:
    if isinstance(update, dict):
        for key, value in update.items():
            if key == MARK and place[-1:] != ("properties",):  # there it is a field's name
                yield (*place, key)
            else:
                yield from _find_marks((*place, key), value)
    elif isinstance(update, list):
        for number, item in enumerate(update):
            yield from _find_marks((*place, number), item)


def _keep(document: dict[str, Any], action: Action) -> list[str]:
    """Put back the operations of an action that are not there; name them."""
    paths = document.get("paths")
    if not isinstance(paths, dict):
        raise _no_object_error(action, "$.paths", paths)
    kept: list[str] = []
    for path, item in action.update.items():
        there = paths.setdefault(path, {})
        if not isinstance(there, dict):
            raise _no_object_error(action, _write_path(("paths", path)), there)
        gone = [method for method in item if method not in there]
        there.update({method: copy.deepcopy(item[method]) for method in gone})
        kept += [f"{method.upper()} {path}" for method in gone]
    return kept


def _no_object_error(action: Action, place: str, found: Any) -> GenerationError:
    return CorrectionError(
        f"{action} keeps operations in {place}, which is {_show(found)} where an object belongs: see which correction "
        "before it, or the document, makes it so."
    )


def _is_about_gone(action: Action, document: dict[str, Any]) -> bool:
    """Return whether an action is about certain operations, of which the document has none."""
    about = [*_list_targets(action.target), *(name.partition(" ")[::2] for name in action.operations)]
    paths = _as_object(document.get("paths"))
    return bool(about) and not any(
        path in paths and (not method or method.lower() in _as_object(paths[path])) for method, path in about
    )


def _as_object(value: Any) -> dict[str, Any]:
    """Return what should be an object; a correction may have made it something else, which is told later."""
    return value if isinstance(value, dict) else {}


def _list_targets(target: str) -> list[tuple[str, str]]:
    """List the operations a target names, as method and path; the method is empty where it names none."""
    names = [_list_names(segment) for segment in jsonpath_rfc9535.compile(target).segments[:3]]
    if len(names) < 2 or names[0] != ["paths"]:  # noqa: PLR2004 - $.paths and a path below it
        return []
    methods = [name for name in (names[2] if len(names) > 2 else []) if name in METHODS]  # noqa: PLR2004 - as above
    return [(method, path) for path in names[1] for method in methods or [""]]


def _list_names(segment: JSONPathSegment) -> list[str]:
    """List the names a segment selects, if it selects by nothing else."""
    names = [selector.name for selector in segment.selectors if isinstance(selector, NameSelector)]
    is_plain = isinstance(segment, JSONPathChildSegment) and len(names) == len(segment.selectors)
    return names if is_plain else []


def _find_parent(document: dict[str, Any], place: tuple[int | str, ...]) -> tuple[Any, Any]:
    """Find what holds a place, and the key it is under there; nothing holds the document."""
    if not place:
        return None, None
    parent: Any = document
    for step in place[:-1]:
        parent = parent[step]
    return parent, place[-1]


def _compare_found(action: Action, found: Any) -> tuple[str, Any]:
    """Hold what an action was written against beside what it finds.

    Returns:
        How the two differ, empty where they do not; and what of the update fits all the same, None for nothing.
    """
    if action.found is not _UNKNOWN and not _is_same(action.found, found):
        does = "removes it" if action.remove else f"makes it {_show(action.update)}"
        return f"was written against {_show(action.found)}, finds {_show(found)}, and {does}", None
    there = [name for name in action.update if name in found] if action.adds and isinstance(found, dict) else []
    if there:
        both = "; ".join(f"{name} is {_show(found[name])}, not {_show(action.update[name])}" for name in there)
        return f"adds what is there already: {both}", {
            name: value for name, value in action.update.items() if name not in there
        }
    return "", action.update


def _describe_surprises(unfit: list[tuple[str, str]]) -> str:
    """Say how an action does not fit, at the first place of each kind."""
    first: dict[str, list[str]] = {}
    for path, surprise in reversed(unfit):
        first.setdefault(surprise, []).append(path)
    return "; it ".join(
        f"{surprise}, at {paths[0]}{f' and {len(paths) - 1} more places' if paths[1:] else ''}"
        for surprise, paths in first.items()
    )


def _write_path(place: tuple[int | str, ...]) -> str:
    return _shorten_path("$" + "".join(f"[{step!r}]" for step in place))


def _is_same(first: Any, second: Any) -> bool:
    """Return whether two values are one in JSON, where true is not 1."""
    return json.dumps(first, sort_keys=True, default=str) == json.dumps(second, sort_keys=True, default=str)


def _show(value: Any) -> str:
    """Write a value of a document into a message: as JSON, escaped, and cut where it is long."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _merge_root(document: dict[str, Any], action: Action, update: Any) -> Any:
    if action.remove or not isinstance(action.update, dict):
        raise GenerationError(f"{action} would replace the whole document.")
    return _merge(document, update)


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


def _missed_error(misses: list[Miss]) -> GenerationError:
    """Say in a line what to do about actions that do not fit the document any more."""
    sentences = " ".join(
        f"{miss.sentence} It was made because: {_end_with_stop(miss.action.description)}" for miss in misses
    )
    return GenerationError(
        f"{sentences} The document has moved on: see whether it still gets this wrong, then retarget the action in the "
        "corrections, or remove it; one that still holds is written against what it finds now (x-found)."
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
