"""Sameness: which parts of two documents are the same all the way down, so that nobody need compare them. Pure.

Most of a later document is the earlier one. Two parts are the same if their text is, and that of everything they lead
to; they mean the same if they differ in nothing but words for people, extensions, and what goes without saying.

Lives here: that judgement. Does not live here: finding what differs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._document.reader import is_same
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client.pinning._document.reader import Document

TEXTS: Final = ("title", "description", "summary", "example", "examples", "externalDocs", "$comment", "xml")
_UNSAID: Final[dict[str, Any]] = {  # what a word says where it is left out
    **dict.fromkeys(("nullable", "deprecated", "readOnly", "writeOnly", "uniqueItems"), False),
    "additionalProperties": True,
    "required": [],
}
_COMPONENTS: Final = "#/components/"
_BY_NAME: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")  # names, no words
_DATA: Final = ("enum", "const", "default")  # values, whose fields are no words either


class Equivalence:
    """The equal parts of two documents."""

    def __init__(self, old: Document, new: Document) -> None:
        self._parts = _index_parts(old), _index_parts(new)
        self._changed = _find_changed(*self._parts)

    def is_same(self, old: Any, new: Any) -> bool:
        """Tell whether two parts of the documents are the same all the way down."""
        return is_same(old, new) and (
            not _may_refer(old) or self._changed.isdisjoint(map(_part_of, find_references(old)))
        )

    def means_same(self, old: Any, new: Any) -> bool:
        """Tell whether two parts differ, all the way down, in what says nothing of values at most."""
        return is_same(_drop_texts(old), _drop_texts(new)) and self._changed_in_meaning.isdisjoint(
            map(_part_of, find_references(old))
        )

    @cached_property
    def _changed_in_meaning(self) -> frozenset[str]:
        old, new = ({name: _drop_texts(part) for name, part in parts.items()} for parts in self._parts)
        return _find_changed(old, new)


def find_references(part: Any) -> Iterator[str]:
    """Every reference in a part of a document, and what merely looks like one."""
    waiting: list[Any] = [part]
    while waiting:
        node = waiting.pop()
        fields = as_object(node) or {}
        if isinstance(fields.get("$ref"), str):
            yield fields["$ref"]
        inside = (*fields.values(), *(as_list(node) or ()))
        waiting.extend(value for value in inside if _may_refer(value))


def _may_refer(value: object) -> bool:
    """Tell whether a value can hold a reference at all: most of a document's are texts and numbers."""
    return isinstance(value, dict | list)


def _part_of(reference: str) -> str:
    """The part to look at for a reference: the component it leads to or into, or else just its target."""
    return "/".join(reference.split("/")[:4]) if reference.startswith(_COMPONENTS) else reference


def _index_parts(document: Document) -> dict[str, Any]:
    """Everything a reference leads to; what is in neither document is as much the same as its name."""
    nodes = {
        name: document.find_target(name) for name in dict.fromkeys(map(_part_of, find_references(document.root.value)))
    }
    return {name: node.value for name, node in nodes.items() if node.value is not None}


def _drop_texts(part: Any, *, named: bool = False) -> Any:
    """A part of a document without its words.

    Args:
        named: Whether its keys are names, of fields or schemas, and no words of OpenAPI.
    """
    fields, items = as_object(part), as_list(part)
    if fields is None:
        return part if items is None else [_drop_texts(item) for item in items]
    return {
        key: value if key in _DATA and not named else _drop_texts(value, named=key in _BY_NAME and not named)
        for key, value in fields.items()
        if named or not _says_nothing(key, value)
    }


def _says_nothing(word: str, value: Any) -> bool:
    """Tell whether a word of a schema is for people alone, or might as well be left out."""
    if word in TEXTS or word.startswith("x-"):
        return True
    return word in _UNSAID and is_same(value, _UNSAID[word])


def _find_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> frozenset[str]:
    """The parts that differ or lead to one that does; one that only one document has differs, too."""
    users: dict[str, set[str]] = {}
    for parts in (old, new):
        for name, part in parts.items():
            for reference in find_references(part):
                users.setdefault(_part_of(reference), set()).add(name)
    ahead = [name for name in old.keys() | new.keys() if not is_same(old.get(name), new.get(name))]
    changed: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in changed:
            changed.add(name)
            ahead.extend(users.get(name, ()))
    return frozenset(changed)
