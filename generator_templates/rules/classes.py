"""Classes: each component schema as the facts of an attrs class, ready to be laid out by ``templates/model.py.jinja``.

Lives here: what the classes say. Does not live here: which there are (``components``), layout, how a value is read
(``templates/answers.py.jinja``) or checked (``templates/checks.py.jinja``).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .annotations import Imports, annotate_input
from .docstrings import describe_field, to_sentence, wrap
from .names import check_unique, name_field
from .readings import make_reading
from .validators import make_check
from .values import find_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .components import Component
    from .literal_aliases import Aliases
    from .operations import Operation

_MODELS = "_models"  # what a class's module calls the package of all of them: a field may be named ``models``
_ONE_LINE = 100  # columns of a one-line docstring between its quotes, indented by four


def find_users(components: Iterable[Component], operations: Iterable[Operation]) -> dict[str, list[str]]:
    """List what sends each class: slugs, or the classes it is a part of."""
    found: dict[str, list[str]] = defaultdict(list)
    for operation in operations:
        found[operation.body.request].append(operation.slug)
        whole = operation.body.whole
        for name in sorted(find_models(whole.value)) if whole else ():
            found[name].append(operation.slug)
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
