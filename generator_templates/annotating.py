"""Python types: what an editor and a type checker are told about a value.

Lives here: a shape as an annotation, and the names that annotation needs. Does not live here: run-time checks.
Everything from the document that reaches code here goes through ``repr``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from naming import module_name

if TYPE_CHECKING:
    from aliases import Aliases
    from shapes import Shape, Value

_SIMPLE = {"text": "str", "integer": "int", "number": "float", "boolean": "bool"}
_RICHER = {  # what an answer is read into by its format, and the name that needs
    ("text", "date-time"): ("datetime", "datetime | str"),
    ("number", "decimal"): ("Decimal", "Decimal"),
}
_HOMES = {
    "Any": "typing",
    "Literal": "typing",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "Decimal": "decimal",
    "datetime": "datetime",
}
_STANDARD = ("collections.abc", "datetime", "decimal", "typing")


class Imports:
    """The names a module needs, by where they live."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = defaultdict(set)

    def need(self, *names: str) -> None:
        """Note names of the standard library."""
        for name in names:
            self._names[_HOMES[name]].add(name)

    def need_from(self, home: str, name: str) -> None:
        """Note a name of a generated module: ``models``, ``choices`` or ``types``."""
        self._names[home].add(name)

    def names(self, home: str) -> list[str]:
        """The names of one home, in the order isort keeps: constants, classes, functions."""
        return sorted(self._names[home], key=lambda name: (not name.isupper(), not name[:1].isupper(), name))

    def lazily(self) -> bool:
        """Whether annotations need more than ``typing``, and so an import that costs nothing at run time."""
        return any(names for home, names in self._names.items() if home != "typing")

    def standard(self) -> list[str]:
        """The import lines of the standard library."""
        return [f"from {home} import {', '.join(self.names(home))}" for home in _STANDARD if self._names[home]]

    def models(self, prefix: str, *, but: str = "") -> list[str]:
        """The import lines of models, each from its own file: who needs one class loads no other."""
        return sorted(f"from {prefix}{module_name(name)} import {name}" for name in self._names["models"] - {but})


def taken(value: Value, aliases: Aliases, imports: Imports, *, text: str = "str") -> str:
    """The annotation of a value somebody gives us: a parameter, or a field of a request model.

    Args:
        text: What a text is called; ``Media`` of the generated ``types`` where a local file will do, too.
    """
    if text != "str":
        imports.need_from("types", text)
    alternatives: list[str] = []
    for shape in value.shapes:
        for one in _taken(shape, aliases, imports, text):
            if one not in alternatives:
                alternatives.append(one)
    if alternatives == ["Any"]:
        return "Any"
    return " | ".join([*alternatives, *(["None"] if value.nullable else [])])


def _taken(shape: Shape, aliases: Aliases, imports: Imports, text: str) -> list[str]:
    if shape.kind in _SIMPLE:
        return [text if shape.kind == "text" else _SIMPLE[shape.kind]]
    if shape.kind == "choice":
        return [_literal(shape, aliases, imports)]
    if shape.kind == "list" and shape.item is not None:
        imports.need("Sequence")
        return [f"Sequence[{taken(shape.item, aliases, imports, text=text)}]"]
    if shape.kind in ("object", "model"):
        imports.need("Any", "Mapping")
        if shape.model:
            imports.need_from("models", shape.model)
        return [*([shape.model] if shape.model else []), "Mapping[str, Any]"]
    if shape.kind == "file":
        imports.need_from("types", "Upload")
        return ["Upload"]
    imports.need("Any")
    return ["Any"]


def _literal(shape: Shape, aliases: Aliases, imports: Imports) -> str:
    if any(type(choice) is float for choice in shape.choices):
        return "float"  # Literal takes no floats; the check still knows the list
    name = aliases.of(shape.choices)
    if name is not None:
        imports.need_from("choices", name)
        return name
    imports.need("Literal")
    return f"Literal[{', '.join(map(repr, shape.choices))}]"


def given_back(value: Value, imports: Imports) -> str:
    """The annotation of a value the server gives: enums are open, and anything may be missing.

    A server that strays from its document is not contradicted: the value stays as it came.
    """
    alternatives: list[str] = []
    for shape in value.shapes:
        one = _given_back(shape, imports)
        if one not in alternatives:
            alternatives.append(one)
    if "Any" in alternatives:
        return "Any"
    return " | ".join([*alternatives, "None"])


def _given_back(shape: Shape, imports: Imports) -> str:
    if (shape.kind, shape.format) in _RICHER:
        name, annotation = _RICHER[shape.kind, shape.format]
        imports.need(name)
        return annotation
    if shape.kind in _SIMPLE:
        return _SIMPLE[shape.kind]
    if shape.kind == "choice" and len({type(choice) for choice in shape.choices}) == 1:
        return type(shape.choices[0]).__name__
    if shape.kind == "list" and shape.item is not None:
        return f"list[{_item(shape.item, imports)}]"
    if shape.kind == "model" and shape.model:
        imports.need_from("models", shape.model)
        return shape.model
    imports.need("Any")
    return "dict[str, Any]" if shape.kind == "object" else "Any"


def _item(value: Value, imports: Imports) -> str:
    annotation = given_back(value, imports)
    return annotation if value.nullable else annotation.removesuffix(" | None")
