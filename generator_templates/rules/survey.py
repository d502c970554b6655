"""Survey: a whole document planned, with all of it told that cannot be said, and the corrections that leave that out.

A stage of the plan ends with all the problems it found. What they are about is then set aside, and what is left is
planned again, until it can be: each round finds what the ones before it hid. So a schema that cannot be said is told
once, with every operation that needs it.

Lives here: those rounds, and what can be done about each problem. Does not live here: finding one (whoever reads a
part of the document), how a plan is made (``plan``), files of corrections (``corrections``, ``build/left_out``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from .document_checks import METHODS, check_document
from .errors import quote, show_name
from .path_items import find_path_item, list_homes
from .problems import UnsayableError
from .schema_syntax import follow_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .plan import Plan
    from .problems import Place, Problem


@frozen
class Fault:
    """One reason, and all of the document that cannot be said for it.

    Attributes:
        reason: The sentence.
        operations: The operations, each as the steps to it from the document's root.
        paths: The paths of which no operation can be said, whatever it is.
        components: The components: those that are at fault, and those that hold them.
    """

    reason: str
    operations: list[Place] = field(factory=list)
    paths: list[Place] = field(factory=list)
    components: list[Place] = field(factory=list)


def survey(
    document: Mapping[str, Any], make: Callable[[Mapping[str, Any], Mapping[Place, str]], Plan]
) -> tuple[Plan | None, list[Fault]]:
    """Plan a document as far as it can be said, and list what cannot.

    Args:
        document: The corrected document.
        make: Plans a document, given the components that are known to be no Python, each with the reason.

    Returns:
        The plan of what can be said, None where nothing can; and the faults.

    Raises:
        GenerationError: The document as a whole is none that can be planned.
    """
    faults: dict[str, Fault] = {}
    unsayable: dict[Place, str] = {}
    while True:
        try:
            check_document(document)
            return make(document, unsayable), list(faults.values())
        except UnsayableError as found:
            rest = document
            known = len(unsayable)
            for problem in found.problems:
                rest = _set_aside(problem, rest, faults, unsayable)
            if rest is document and len(unsayable) == known:
                raise  # what it is about is set aside already, and it still stops the plan
            document = rest
            if not any(list_operations(document)):
                return None, list(faults.values())


def _set_aside(
    problem: Problem, document: Mapping[str, Any], faults: dict[str, Fault], unsayable: dict[Place, str]
) -> Mapping[str, Any]:
    """Take a problem down, and what it is about out of what is planned next."""
    fault = faults.setdefault(problem.reason, Fault(problem.reason))
    section, name, *method = problem.place
    if section == "components":
        if problem.place not in unsayable:
            unsayable[problem.place] = problem.reason
            fault.components.append(problem.place)
        return _empty(document, problem.place)
    operations = [place for place in list_operations(document) if place[: len(problem.place)] == problem.place]
    fault.operations.extend(operations)
    if name not in document["paths"] or (method and not operations):
        return document  # set aside for another reason already
    paths = {path: item for path, item in document["paths"].items() if path != name}
    if not method:
        fault.paths.append(problem.place)
    else:
        paths[name] = {key: value for key, value in find_path_item(document, name).items() if key not in method}
    return {**document, "paths": paths}


def _empty(document: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    """Leave of a component its name alone; one that was made of a schema elsewhere has no place to be emptied."""
    components, section, name = place
    if not document.get(components, {}).get(section, {}).get(name):
        return document
    sections = document[components]
    return {**document, components: {**sections, section: {**sections[section], name: {}}}}


def list_operations(document: Mapping[str, Any]) -> Iterator[Place]:
    """List the operations of a document, one of a path that refers elsewhere under that path."""
    for path in document["paths"]:
        if not path.startswith("x-"):
            item = find_path_item(document, path)
            yield from (("paths", path, method) for method in METHODS if method in item)


def show_operation(place: Place) -> str:
    """Write an operation as a person does: ``POST /api/v1/song``."""
    return f"{place[-1].upper()} {show_name(place[1])}"


def locate(document: Mapping[str, Any], operation: Place) -> Place:
    """Find where an operation stands, which is elsewhere than at its path if that refers to another."""
    _, path, method = operation
    homes = (place for place in list_homes(document, path) if method in follow_pointer(document, place))
    return (*next(homes, ("paths", path)), method)


def make_actions(faults: list[Fault], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Make the Overlay actions that leave out all that cannot be said.

    Args:
        faults: What cannot be said.
        document: The document that the actions are for.
    """
    actions: dict[Place, dict[str, Any]] = {}
    for fault in faults:
        components = [place for place in fault.components if follow_pointer(document, place) is not None]
        operations = [locate(document, one) for one in fault.operations if one[:2] not in fault.paths]
        for place in (*fault.paths, *operations, *components):
            actions.setdefault(place, {"target": write_target(place), "description": fault.reason, "remove": True})
    return list(actions.values())


def write_target(place: Place) -> str:
    """Write a place as a JSONPath (RFC 9535)."""
    return "$" + "".join(
        f".{step}" if step.isascii() and step.isidentifier() else f"[{_quote(step)}]" for step in place
    )


def _quote(step: str) -> str:
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in escaped) + "'"


def describe(faults: list[Fault], document: Mapping[str, Any]) -> str:
    """Tell all that cannot be said: each reason once, with what it concerns and what can be done about it."""
    return "\n".join(line for number, fault in enumerate(faults, 1) for line in _describe(number, fault, document))


def _describe(number: int, fault: Fault, document: Mapping[str, Any]) -> Iterator[str]:
    yield f"{number}. {fault.reason}"
    names = ", ".join(quote(place[-1]) for place in fault.components)
    if names:
        yield f"   Concerns the {'components' if fault.components[1:] else 'component'} {names}."
    if fault.operations and not fault.reason.startswith(show_operation(fault.operations[0])):
        yield f"   Concerns {', '.join(map(show_operation, fault.operations))}."
    yield "   To leave it out:"
    for action in make_actions([fault], document):
        yield f"   - {json.dumps(action, ensure_ascii=False)}"


def find_left_out(
    document: Mapping[str, Any], corrected: Mapping[str, Any], reasons: Mapping[Place, str]
) -> list[tuple[str, str]]:
    """List the operations that corrections took away, as a person writes them, each with the reason.

    Args:
        document: The document as it came.
        corrected: What the corrections left of it.
        reasons: Why something was taken away, by its place in the document as it came.
    """
    kept = set(list_operations(corrected))
    gone = [place for place in list_operations(document) if place not in kept]
    named = [(show_operation(place), _find_reason(locate(document, place), place, reasons)) for place in gone]
    return [(operation, reason.removeprefix(operation).lstrip(": ")) for operation, reason in named]


def _find_reason(home: Place, place: Place, reasons: Mapping[Place, str]) -> str:
    candidates = (home, home[:-1], place, place[:2])
    return next((reasons[one] for one in candidates if one in reasons), "What its path refers to was taken away.")
