"""Components: the schemas that become classes, and which of them are sent and which come back.

What is sent is checked and what comes back is not, so a schema of which both happens becomes two classes: ``Item``,
which is sent, and ``ItemAnswer``.

Lives here: which classes there are, and their names. Does not live here: what each says (``classes``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from .jobs import JOB_RESPONSE
from .names import file_key, find_repeated, name_class
from .problems import Collector, Problem, UnsayableError
from .schema_syntax import is_open
from .values import as_part_of_form, find_models, rename_models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .operations import Operation
    from .schemas import Schemas
    from .values import Field


@frozen
class Component:
    """A component schema that becomes a class."""

    schema: str
    name: str
    description: str
    fields: tuple[Field, ...]
    is_open: bool = False  # says that it takes fields beyond those it names


@frozen
class Classes:
    """All classes, by what happens to them.

    Attributes:
        sent: Those that are sent, in the order of their names.
        answered: Those that come back, in the order of their names.
        answer_names: What a class is called where it comes back, of those that are also sent.
    """

    sent: tuple[Component, ...]
    answered: tuple[Component, ...]
    answer_names: Mapping[str, str]

    def list_all(self) -> list[Component]:
        """List both, by name."""
        return sorted((*self.sent, *self.answered), key=lambda component: component.name)


def read_components(schemas: Schemas) -> list[Component]:
    """Read every schema that becomes a class, by name.

    Raises:
        UnsayableError: Some cannot be said, or hold one that cannot; all are read before it ends.
    """
    read: dict[str, Component | None] = {}
    problems = Collector()
    while unread := [name for name in schemas.list_names() if name not in read]:
        # reading fields may come upon schemas inside others, which become components, too
        known = len(problems.problems)
        for name in unread:
            with problems.about("components", "schemas", name):
                read[name] = _read_component(name, schemas)
        for problem in problems.problems[known:]:
            schemas.refuse(problem.place[-1], problem.reason)
            read.clear()  # once more, for others may hold it
    found = [component for component in read.values() if component is not None]
    for schema, reason in find_repeated([(file_key(item.name), item.schema) for item in found], "Schemas"):
        problems.add(("components", "schemas", schema), reason)
    problems.stop()
    return sorted(found, key=lambda component: component.name)


def _read_component(schema: str, schemas: Schemas) -> Component | None:
    """Read a component's class; None where it is of another sort."""
    definition = schemas.find_model(schema)
    return definition and Component(
        schema,
        name_class(schema),
        str(definition.get("description") or ""),
        tuple(schemas.read_fields(definition)),
        is_open(definition),
    )


def make_classes(components: Collection[Component], operations: Iterable[Operation]) -> Classes:
    """Make a class of each component for being sent and one for coming back, where either happens.

    What no operation mentions is read rather than sent: errors are. What the server alone gives is not sent, nor are
    the classes of it.

    Raises:
        UnsayableError: Two classes would need one file, or what jobs answer with is sent, too.
    """
    found = {component.name: component for component in components}
    forms = {operation.body.request for operation in operations if operation.is_form}
    to_send = {component.name: _as_sent(component, forms) for component in components}
    parts = _list_parts(components)
    start = {item.body.request for item in operations} | _find_models_in_parameters(operations)
    sent = _find_reachable(start, _list_parts(to_send.values()))
    in_answers = {name for item in operations if item.answer for name in find_models(item.answer)}
    answered = _find_reachable(in_answers | (parts.keys() - sent), parts)
    if JOB_RESPONSE in sent & answered and any(item.job == "job" for item in operations):
        reason = (
            f"{JOB_RESPONSE} is both sent and answered with, and by this name a client knows what jobs answer: a "
            "correction must give the request a schema of its own."
        )
        raise UnsayableError((Problem(("components", "schemas", found[JOB_RESPONSE].schema), reason),))
    answer_names = {name: f"{name}Answer" for name in sent & answered}
    classes = Classes(
        tuple(to_send[name] for name in sorted(sent)),
        tuple(_rename(found[name], answer_names) for name in sorted(answered)),
        answer_names,
    )
    problems = Collector()
    schema_of = {_name_in_message(component): component.schema for component in classes.list_all()}
    named = [(file_key(component.name), _name_in_message(component)) for component in classes.list_all()]
    for thing, reason in find_repeated(named, "Schemas"):
        problems.add(("components", "schemas", schema_of[thing]), reason)
    problems.stop()
    return classes


def _as_sent(component: Component, forms: Collection[str]) -> Component:
    """Return a class as it is sent: without what the server alone gives; of a form's, texts of bytes are files."""
    fields = tuple(field for field in component.fields if not field.read_only)
    return evolve(component, fields=tuple(map(as_part_of_form, fields)) if component.name in forms else fields)


def _list_parts(components: Iterable[Component]) -> dict[str, set[str]]:
    """List the classes that each class is made of."""
    return {item.name: {name for field in item.fields for name in find_models(field.value)} for item in components}


def _rename(component: Component, names: Mapping[str, str]) -> Component:
    """Give a class, and those that it holds, the names under which they come back."""
    fields = tuple(evolve(field, value=rename_models(field.value, names)) for field in component.fields)
    return evolve(component, name=names.get(component.name, component.name), fields=fields)


def _name_in_message(component: Component) -> str:
    """Tell what a class is made of, for a message."""
    is_renamed = component.name != name_class(component.schema)
    return f"{component.schema} as an answer" if is_renamed else component.schema


def _find_models_in_parameters(operations: Iterable[Operation]) -> set[str]:
    fields = (field for operation in operations for field in (*operation.parameters, *operation.body.all_fields))
    return {name for field in fields for name in find_models(field.value)}


def _find_reachable(start: set[str], parts: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    pending = [name for name in start if name in parts]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(parts[name] & parts.keys())
    return seen
