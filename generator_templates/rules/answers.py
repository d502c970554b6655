"""Answers: what a call is answered with, where that is a class, and how the client finds what reads it.

A class and a list of one go by their name, ``Item`` or ``list[Item]``. What may be one of several things has a reader
of its own, laid out by ``templates/readers.py.jinja``, which goes by the function: ``readers.get_pets``.

Lives here: name, type and reader of an operation's answer. Does not live here: those of its parts (``readings``), which
of several answers counts (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from .annotations import Imports
from .readings import make_reading, name_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .components import Component
    from .operations import Operation
    from .values import Value

_READERS = "readers"  # the module that has them
_MODELS = "_models"  # what that calls the package of the classes, as their own modules do


@frozen
class Answer:
    """What a call is answered with.

    Attributes:
        name: By which the client finds what reads it; empty where the JSON stays as it came.
        annotation: The type it then has.
    """

    name: str
    annotation: str

    @property
    def has_reader(self) -> bool:
        """Whether it has a reader of its own."""
        return self.name.startswith(f"{_READERS}.")


def make_answer(operation: Operation, classes: Mapping[str, Component], imports: Imports) -> Answer:
    """Make the answer of an operation.

    Args:
        operation: The operation.
        classes: The classes that come back, by name.
        imports: Takes the names that the annotation needs.
    """
    if operation.answer is None:
        imports.add("Any")
        return Answer("", "Any")
    annotation = make_reading(operation.answer, classes, imports).annotation
    if annotation == "Any":
        return Answer("", annotation)
    return Answer(_find_class(operation.answer) or f"{_READERS}.{operation.function}", annotation)


def _find_class(value: Value) -> str:
    """Find the class that a value is of, or ``list[…]`` of it; empty where it may be anything else."""
    if len(value.shapes) != 1 or value.nullable:
        return ""
    (shape,) = value.shapes
    items = shape.item.shapes if shape.item and not (shape.item.nullable or shape.prefix) else ()
    return shape.model or (f"list[{items[0].model}]" if len(items) == 1 and items[0].model else "")


def make_readers(operations: Iterable[Operation], classes: Mapping[str, Component]) -> dict[str, Any]:
    """Make what the template of ``readers.py`` lays out; empty where no answer needs a reader of its own."""
    imports = Imports(_MODELS)
    imports.add_from("answers", "Reader")
    imports.add_from("answers", "expect")
    readers = [
        (operation.function, _make_reader(operation.answer, classes, imports))
        for operation in operations
        if operation.answer is not None and make_answer(operation, classes, Imports()).has_reader
    ]
    names = ", ".join(imports.names("answers"))
    return {"readers": readers, "models": imports.has_models, "reader_names": names} if readers else {}


def _make_reader(value: Value, classes: Mapping[str, Component], imports: Imports) -> str:
    """Write the expression that reads a body, which is of one of the kinds of JSON that the document knows."""
    kinds = [*(name_type(shape) for shape in value.shapes), *(["None"] if value.nullable else [])]
    reader = make_reading(value, classes, imports).reader
    return f"expect({', '.join(['body', *dict.fromkeys(kinds), *([f'read={reader}'] if reader else [])])})"
