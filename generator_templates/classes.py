"""Classes: each component schema as the facts of one attrs class, ready to be laid out by model.py.jinja.

Lives here: which schemas are sent and which come back, and what their classes say.
Does not live here: layout, how a value is read (answers.py.jinja) or checked (checks.py.jinja).
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import naming
from annotating import Imports, given_back, taken
from attrs import frozen
from checking import check
from describing import about, sentence, wrapped
from refusal import RefusalError
from spelling import is_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aliases import Aliases
    from operations import Operation
    from shapes import Field, Schemas, Value

_ONE_LINE = 100  # columns of a one-line docstring between its quotes, indented by four


@frozen
class Component:
    """A component schema that becomes a class."""

    schema: str
    name: str
    description: str
    fields: tuple[Field, ...]
    is_open: bool = False  # says that it takes fields beyond those it names


def components(schemas: Schemas) -> list[Component]:
    """Every schema that becomes a class, by name."""
    found = [
        Component(
            schema,
            naming.class_name(schema),
            str(about_it.get("description") or ""),
            tuple(schemas.fields(about_it)),
            is_open(about_it),
        )
        for schema, about_it in schemas.models().items()
    ]
    naming.unique([(naming.loose(one.name), one.schema) for one in found], "Schemas")
    return sorted(found, key=lambda one: one.name)


def roles(every: Iterable[Component], operations: Iterable[Operation]) -> dict[str, str]:
    """Whether each class is sent (``request``) or comes back (``answer``); no class can be both.

    What no operation mentions is read rather than sent: errors are.
    """
    parts = {one.name: {name for field in one.fields for name in models_in(field.value)} for one in every}
    sent = _reached({one.request for one in operations} | _in_parameters(operations), parts)
    back = _reached({one.answer.removeprefix("list[").removesuffix("]") for one in operations}, parts)
    if sent & back:
        raise RefusalError(
            f"Schemas both sent and answered with: {', '.join(sorted(sent & back))}. A correction must give the answer "
            "a schema of its own, for requests are checked and answers are not."
        )
    return {name: "request" if name in sent else "answer" for name in parts}


def _in_parameters(operations: Iterable[Operation]) -> set[str]:
    fields = (field for one in operations for field in (*one.query, *one.places, *(one.fields or ())))
    return {name for field in fields for name in models_in(field.value)}


def models_in(value: Value) -> set[str]:
    """The classes a value may be made of."""
    found = {shape.model for shape in value.shapes if shape.model}
    inner = (models_in(shape.item) for shape in value.shapes if shape.item)
    return found.union(*inner)


def _reached(start: set[str], parts: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [name for name in start if name in parts]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(parts[name] & parts.keys())
    return seen


def users(every: Iterable[Component], operations: Iterable[Operation]) -> dict[str, list[str]]:
    """Who sends each class: slugs, or the classes it is a part of."""
    found: dict[str, list[str]] = defaultdict(list)
    for operation in operations:
        found[operation.request].append(operation.slug)
    for one in every:
        for name in sorted({name for field in one.fields for name in models_in(field.value)}):
            found[name].append(one.name)
    return found


def request_facts(one: Component, used_by: list[str], aliases: Aliases, *, nested: bool) -> dict[str, Any]:
    """A class to send: typed and checked; its fields are told where the functions are, or here if none tells."""
    _each_its_name(one, answer=False)
    imports = Imports()
    fields = []
    for field in one.fields:
        name = naming.field_name(field.wire)
        wire = "" if name == field.wire else f", wire={field.wire!r}"
        maker = "required" if field.required else "optional"
        made = f"checks.{maker}({check(field.value, aliases, imports)}{wire})"
        fields.append(f"{name}: {taken(field.value, aliases, imports)} = {made}")
    return {
        "answer": False,
        "name": one.name,
        "doc": wrapped(sentence(one.description) or _sent_by(used_by, nested=nested), 4),
        "told": _told(one, aliases) if nested else [],
        "fields": fields,
        "standard": imports.standard(),
        "models": imports.models(".", but=one.name),
        "choices": ", ".join(imports.names("choices")),
    }


def answer_facts(one: Component, aliases: Aliases) -> dict[str, Any]:
    """A class that comes back: everything optional, nothing refused."""
    _each_its_name(one, answer=True)
    imports = Imports()
    imports.need("Any", "Mapping")
    fields, readers = [], []
    for field in one.fields:
        name = naming.field_name(field.wire, answer=True)
        renamed = f"attrs.field(default=None, metadata={{'wire': {field.wire!r}}})"
        fields.append(f"{name}: {given_back(field.value, imports)} = {'None' if name == field.wire else renamed}")
        reader = _reader(field.value)
        if reader:
            readers.append(f"{name}={reader}")
    return {
        "answer": True,
        "name": one.name,
        "doc": wrapped(sentence(one.description) or f"What the server says: a ``{one.schema}``.", 4),
        "told": _told(one, aliases, answer=True),
        "fields": fields,
        "standard": imports.standard(),
        "models": imports.models(".", but=one.name),
        "readers": readers,
        "helpers": ", ".join(name for name in ("amount", "instant", "many", "one", "read") if _uses(name, readers)),
    }


def _each_its_name(one: Component, *, answer: bool) -> None:
    """Refuse a class of which one attribute would hide another."""
    named = [(naming.field_name(field.wire, answer=answer), f"{field.wire} of {one.schema}") for field in one.fields]
    naming.unique(named, "Fields")


def _uses(helper: str, readers: list[str]) -> bool:
    return helper == "read" or any(helper in re.findall(r"\w+", line.partition("=")[2]) for line in readers)


def _reader(value: Value) -> str:
    """The expression that makes the reader of a value, where it is more than plain JSON."""
    if len(value.shapes) != 1:
        return ""
    only = value.shapes[0]
    if only.model:
        return f"one({only.model}.from_dict)"
    if only.format == "date-time":
        return "instant"
    if only.kind == "number" and only.format == "decimal":
        return "amount"
    inner = _reader(only.item) if only.item else ""
    return f"many({inner})" if inner else ""


def _sent_by(used_by: list[str], *, nested: bool) -> str:
    """Who uses a class, in a line: as many names as there is room for."""
    beginning = "Part of" if nested else "The body of"
    for shown in range(len(used_by), 0, -1):
        names = [f"``{one}``" for one in used_by[:shown]]
        names += [f"{len(used_by) - shown} more"] if shown < len(used_by) else []
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        if len(f"{beginning} {listed}.") <= _ONE_LINE:
            return f"{beginning} {listed}."
    return f"{beginning} {len(used_by)} requests."


def _told(one: Component, aliases: Aliases, *, answer: bool = False) -> list[str]:
    told = [(naming.field_name(field.wire, answer=answer), about(field, aliases)) for field in one.fields]
    return [wrapped(f"{name}: {text}", 8, 4) for name, text in told]
