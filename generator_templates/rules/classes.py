"""Classes: each component schema as the facts of an attrs class, ready to be laid out by ``templates/model.py.jinja``.

What is sent is checked and what comes back is not, so a schema of which both happens becomes two classes: ``Item``,
which is sent, and ``ItemAnswer``.

Lives here: which schemas are sent and which come back, and what their classes say.
Does not live here: layout, how a value is read (``templates/answers.py.jinja``) or checked
(``templates/checks.py.jinja``).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from .annotations import Imports, annotate_input
from .docstrings import describe_field, to_sentence, wrap
from .errors import GenerationError
from .jobs import JOB_RESPONSE
from .names import check_unique, file_key, name_class, name_field
from .readings import make_reading
from .schema_syntax import is_open
from .schemas import find_models, rename_models
from .validators import make_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .literal_aliases import Aliases
    from .operations import Operation
    from .schemas import Field, Schemas

_MODELS = "_models"  # what a class's module calls the package of all of them: a field may be named ``models``
_ONE_LINE = 100  # columns of a one-line docstring between its quotes, indented by four


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
    """Read every schema that becomes a class, by name."""
    found: dict[str, Component] = {}
    while unread := {name: schema for name, schema in schemas.list_models().items() if name not in found}:
        # reading fields may come upon schemas inside others, which become components, too
        found.update((name, _read_component(name, definition, schemas)) for name, definition in unread.items())
    check_unique([(file_key(component.name), component.schema) for component in found.values()], "Schemas")
    return sorted(found.values(), key=lambda component: component.name)


def _read_component(schema: str, definition: Mapping[str, Any], schemas: Schemas) -> Component:
    return Component(
        schema,
        name_class(schema),
        str(definition.get("description") or ""),
        tuple(schemas.read_fields(definition)),
        is_open(definition),
    )


def make_classes(components: Iterable[Component], operations: Iterable[Operation]) -> Classes:
    """Make a class of each component for being sent and one for coming back, where either happens.

    What no operation mentions is read rather than sent: errors are.

    Raises:
        GenerationError: Two classes would need one file, or what jobs answer with is sent, too.
    """
    found = {component.name: component for component in components}
    parts = {name: set[str]().union(*map(_find_models_of, item.fields)) for name, item in found.items()}
    sent = _find_reachable({item.request for item in operations} | _find_models_in_parameters(operations), parts)
    in_answers = {name for item in operations if item.answer for name in find_models(item.answer)}
    answered = _find_reachable(in_answers | (parts.keys() - sent), parts)
    if JOB_RESPONSE in sent & answered and any(item.job == "job" for item in operations):
        raise GenerationError(
            f"{JOB_RESPONSE} is both sent and answered with, and by this name a client knows what jobs answer: a "
            "correction must give the request a schema of its own."
        )
    answer_names = {name: f"{name}Answer" for name in sent & answered}
    classes = Classes(
        tuple(found[name] for name in sorted(sent)),
        tuple(_rename(found[name], answer_names) for name in sorted(answered)),
        answer_names,
    )
    check_unique([(file_key(component.name), _tell(component)) for component in classes.list_all()], "Schemas")
    return classes


def _rename(component: Component, names: Mapping[str, str]) -> Component:
    """Give a class, and those that it holds, the names under which they come back."""
    fields = tuple(evolve(field, value=rename_models(field.value, names)) for field in component.fields)
    return evolve(component, name=names.get(component.name, component.name), fields=fields)


def _tell(component: Component) -> str:
    """Tell what a class is made of, for a message."""
    is_renamed = component.name != name_class(component.schema)
    return f"{component.schema} as an answer" if is_renamed else component.schema


def _find_models_of(field: Field) -> set[str]:
    return find_models(field.value)


def _find_models_in_parameters(operations: Iterable[Operation]) -> set[str]:
    fields = (
        field
        for operation in operations
        for field in (*operation.query, *operation.path_fields, *(operation.fields or ()))
    )
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


def find_users(components: Iterable[Component], operations: Iterable[Operation]) -> dict[str, list[str]]:
    """List what sends each class: slugs, or the classes it is a part of."""
    found: dict[str, list[str]] = defaultdict(list)
    for operation in operations:
        found[operation.request].append(operation.slug)
    for component in components:
        for name in sorted({name for field in component.fields for name in find_models(field.value)}):
            found[name].append(component.name)
    return found


def make_request_facts(component: Component, used_by: list[str], aliases: Aliases, *, nested: bool) -> dict[str, Any]:
    """Describe a class to send: typed and checked; its fields are documented by the functions, or here if by none."""
    _check_field_names(component, answer=False)
    imports = Imports(_MODELS)
    fields = []
    for field in component.fields:
        name = name_field(field.wire)
        wire = "" if name == field.wire else f", wire={field.wire!r}"
        maker = "required" if field.required else "optional"
        made = f"checks.{maker}({make_check(field.value, aliases, imports)}{wire})"
        fields.append(f"{name}: {annotate_input(field.value, aliases, imports)} = {made}")
    return {
        "answer": False,
        "name": component.name,
        "doc": wrap(to_sentence(component.description) or _list_senders(used_by, nested=nested), 4),
        "attributes": _describe_attributes(component, aliases) if nested else [],
        "fields": fields,
        "standard": imports.standard_lines(),
        "models": imports.has_models,
        "choices": ", ".join(imports.names("choices")),
        "types": ", ".join(imports.names("types")),
    }


def make_answer_facts(component: Component, classes: Mapping[str, Component], aliases: Aliases) -> dict[str, Any]:
    """Describe a class that comes back: everything optional, nothing refused."""
    _check_field_names(component, answer=True)
    imports = Imports(_MODELS)
    imports.add_from("answers", "answer")
    imports.add_from("answers", "read")
    imports.add("Any", "Mapping")
    fields, readers = [], []
    for field in component.fields:
        name = name_field(field.wire, answer=True)
        renamed = f"attrs.field(default=None, metadata={{'wire': {field.wire!r}}})"
        reading = make_reading(field.value, classes, imports)
        fields.append(f"{name}: {reading.optional_annotation} = {'None' if name == field.wire else renamed}")
        if reading.reader:
            readers.append(f"{name}={reading.reader}")
    return {
        "answer": True,
        "name": component.name,
        "doc": wrap(to_sentence(component.description) or f"What the server says: a ``{component.schema}``.", 4),
        "attributes": _describe_attributes(component, aliases, answer=True),
        "fields": fields,
        "standard": imports.standard_lines(),
        "models": imports.has_models,
        "readers": readers,
        "reader_names": ", ".join(imports.names("answers")),
    }


def _check_field_names(component: Component, *, answer: bool) -> None:
    """Refuse a class of which one attribute would hide another."""
    pairs = [
        (name_field(field.wire, answer=answer), f"{field.wire} of {component.schema}") for field in component.fields
    ]
    check_unique(pairs, "Fields")


def _list_senders(used_by: list[str], *, nested: bool) -> str:
    """List in a line who uses a class: as many names as there is room for."""
    beginning = "Part of" if nested else "The body of"
    for shown in range(len(used_by), 0, -1):
        names = [f"``{user}``" for user in used_by[:shown]]
        names += [f"{len(used_by) - shown} more"] if shown < len(used_by) else []
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        if len(f"{beginning} {listed}.") <= _ONE_LINE:
            return f"{beginning} {listed}."
    return f"{beginning} {len(used_by)} requests."


def _describe_attributes(component: Component, aliases: Aliases, *, answer: bool = False) -> list[str]:
    descriptions = [
        (name_field(field.wire, answer=answer), describe_field(field, aliases)) for field in component.fields
    ]
    return [wrap(f"{name}: {text}", 8, 4) for name, text in descriptions]
