"""Named Literals: a list of more than 20 choices gets a name in ``choices.py``, so that signatures stay readable.

The rule: a list that several fields share is named after the field, in PascalCase: ``Location``. A list of one field,
and one of several that would share a name, bears the alphabetically first schema in front: ``AICaptionsLanguage``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from .names import check_unique, name_class, to_pascal_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .values import Field, Value

MOST_INLINE = 20  # choices; above, a hover is no longer read


class Aliases:
    """The named lists of choices of one document."""

    def __init__(self, schemas: Mapping[str, Iterable[Field]]) -> None:
        places: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
        for schema in sorted(schemas):
            for field in schemas[schema]:
                for choices in _find_long_choices(field.value):
                    places[choices].append((schema, field.wire))
        shared = Counter(to_pascal_case(fields[0][1]) for fields in places.values() if len(fields) > 1)
        self._names = {
            choices: name_class(to_pascal_case(wire))
            if len(fields) > 1 and shared[to_pascal_case(wire)] == 1
            else _name_after_schema(schema, wire)
            for choices, fields in places.items()
            for schema, wire in fields[:1]
        }
        check_unique(
            [(name, f"{places[key][0][0]}.{places[key][0][1]}") for key, name in self._names.items()], "Choices"
        )

    def find(self, choices: tuple[Any, ...]) -> str | None:
        """Find the name of a list of choices; ``None`` where it is short enough to stand for itself."""
        return self._names.get(choices)

    def list_all(self) -> list[tuple[str, tuple[Any, ...]]]:
        """List every name with its choices, by name."""
        return sorted((name, choices) for choices, name in self._names.items())


def _name_after_schema(schema: str, wire: str) -> str:
    return name_class(re.sub(r"Request$", "", name_class(schema)) + to_pascal_case(wire))


def _find_long_choices(value: Value) -> Iterator[tuple[Any, ...]]:
    for shape in value.shapes:
        if (
            shape.kind == "choice"
            and len(shape.choices) > MOST_INLINE
            and not any(type(choice) is float for choice in shape.choices)
        ):
            yield shape.choices
        for part in shape.parts:
            yield from _find_long_choices(part)
