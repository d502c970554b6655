"""Annotations: what an editor and a type checker see of a value that is sent.

Lives here: a shape as an annotation, and the names that annotations need. Does not live here: run-time checks
(``validators``), what comes back (``readings``). Everything from the document that reaches code here goes through
``repr``.

Annotations are read at run time, too, by whatever makes tools of functions. So a module imports every name they use,
and has a class by its package, ``models.Submission``: that loads it when it is asked for, and not before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from .names import MODELS
from .values import join_values

if TYPE_CHECKING:
    from .literal_aliases import Aliases
    from .values import Shape, Value

_SIMPLE = {"text": "str", "integer": "int", "number": "float", "boolean": "bool"}
_HOMES = {
    "Any": "typing",
    "Literal": "typing",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "get_args": "typing",
    "datetime": "datetime",
    "Decimal": "decimal",
}
_STANDARD = ("collections.abc", "datetime", "decimal", "typing")


class Imports:
    """The names a module imports, by where they come from.

    Attributes:
        models: What the module calls the package of the classes.
        has_models: Whether it needs that package.
    """

    def __init__(self, models: str = MODELS) -> None:
        self._names: dict[str, set[str]] = defaultdict(set)
        self.models = models
        self.has_models = False

    def add(self, *names: str) -> None:
        """Add names of the standard library."""
        for name in names:
            self._names[_HOMES[name]].add(name)

    def add_from(self, home: str, name: str) -> None:
        """Add a name of a generated module: ``answers``, ``choices`` or ``types``."""
        self._names[home].add(name)

    def names(self, home: str) -> list[str]:
        """List the names of one home, in the order isort keeps: constants, classes, functions."""
        return sorted(self._names[home], key=lambda name: (not name.isupper(), not name[:1].isupper(), name))

    def standard_lines(self) -> list[str]:
        """Write the import lines of the standard library."""
        return [f"from {home} import {', '.join(self.names(home))}" for home in _STANDARD if self._names[home]]

    def refer_to_model(self, name: str) -> str:
        """Write a model as annotations have it, by the package that loads it when it is asked for."""
        self.has_models = True
        return f"{self.models}.{name}"


def annotate_input(value: Value, aliases: Aliases, imports: Imports, *, text: str = "str") -> str:
    """Annotate a value the caller gives: a parameter, or a field of a request model.

    Args:
        text: The annotation of a text; ``Media`` of the generated ``types`` where a local file will do, too.
    """
    if text != "str":
        imports.add_from("types", text)
    alternatives: list[str] = []
    for shape in value.shapes:
        for alternative in _annotate_input_shape(shape, aliases, imports, text):
            if alternative not in alternatives:
                alternatives.append(alternative)
    if alternatives == ["Any"]:
        return "Any"
    return " | ".join([*alternatives, *(["None"] if value.nullable else [])])


def _annotate_input_shape(shape: Shape, aliases: Aliases, imports: Imports, text: str) -> list[str]:
    if shape.kind in _SIMPLE:
        return [text if shape.kind == "text" else _SIMPLE[shape.kind]]
    if shape.kind == "choice":
        return [_annotate_choice(shape, aliases, imports)]
    if shape.parts:
        return [_annotate_container(shape, aliases, imports, text)]
    if shape.kind == "model" and shape.model:
        imports.add_from("types", "Fields")
        return [imports.refer_to_model(shape.model), "Fields"]
    if shape.kind == "file":
        imports.add_from("types", "Upload")
        return ["Upload"]
    is_object = shape.kind in ("object", "model")
    imports.add("Any", *(["Mapping"] if is_object else []))
    return ["Mapping[str, Any]" if is_object else "Any"]


def _annotate_container(shape: Shape, aliases: Aliases, imports: Imports, text: str) -> str:
    """Annotate a list or an object by what it holds; where each place has its own kind, by all of them."""
    name = "Sequence" if shape.kind == "list" else "Mapping"
    imports.add(name)
    inner = annotate_input(join_values(shape.possible_parts), aliases, imports, text=text)
    return f"{name}[{inner}]" if name == "Sequence" else f"{name}[str, {inner}]"


def _annotate_choice(shape: Shape, aliases: Aliases, imports: Imports) -> str:
    if any(type(choice) is float for choice in shape.choices):
        return "float"  # Literal takes no floats; the check still knows the list
    name = aliases.find(shape.choices)
    if name is not None:
        imports.add_from("choices", name)
        return name
    imports.add("Literal")
    return f"Literal[{', '.join(map(repr, shape.choices))}]"
