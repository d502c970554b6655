"""Named Literals: a list of more than 20 choices gets a name in ``choices.py``, so that signatures stay readable.

The rule: a list that several fields share is named after the field, in PascalCase: ``Location``. A list of one field,
and one of several that would share a name, bears the alphabetically first schema in front: ``AICaptionsLanguage``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from .names import class_name, pascal, unique

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .schemas import Field, Value

LONG = 20  # choices; above, a hover is no longer read


class Aliases:
    """The named lists of choices of one document."""

    def __init__(self, schemas: Mapping[str, Iterable[Field]]) -> None:
        homes: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
        for schema in sorted(schemas):
            for field in schemas[schema]:
                for choices in _long(field.value):
                    homes[choices].append((schema, field.wire))
        shared = Counter(pascal(places[0][1]) for places in homes.values() if len(places) > 1)
        self._names = {
            choices: class_name(pascal(wire)) if len(places) > 1 and shared[pascal(wire)] == 1 else _own(schema, wire)
            for choices, places in homes.items()
            for schema, wire in places[:1]
        }
        unique([(name, f"{homes[key][0][0]}.{homes[key][0][1]}") for key, name in self._names.items()], "Choices")

    def of(self, choices: tuple[Any, ...]) -> str | None:
        """The name of a list of choices, or ``None`` where it is short enough to stand for itself."""
        return self._names.get(choices)

    def all(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Every name with its choices, by name."""
        return sorted((name, choices) for choices, name in self._names.items())


def _own(schema: str, wire: str) -> str:
    return class_name(re.sub(r"Request$", "", class_name(schema)) + pascal(wire))


def _long(value: Value) -> Iterator[tuple[Any, ...]]:
    for shape in value.shapes:
        if (
            shape.kind == "choice"
            and len(shape.choices) > LONG
            and not any(type(one) is float for one in shape.choices)
        ):
            yield shape.choices
        if shape.item is not None:
            yield from _long(shape.item)
