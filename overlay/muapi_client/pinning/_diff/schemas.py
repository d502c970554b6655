"""Shapes: what a schema allows, read away from the many ways to write it. Pure.

``anyOf [T, null]``, ``type: [T, null]`` and ``nullable: true`` are one thing, a ``const`` is an enum of one, and a
reference is what it leads to: so a document that merely changes its manner of writing changes nothing.

Lives here: one schema in one document. Does not live here: comparing two (``values``, ``constraints``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.findings import UNION
from muapi_client.pinning._document.reader import Node, is_same, key_of
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muapi_client.pinning._document.reader import Document

SCHEMAS: Final = "#/components/schemas/"
MISSING: Final[dict[str, Any]] = {}  # a schema that is not there allows everything
EFFECTS: Final = ("default", "deprecated", "readOnly", "writeOnly")  # what a note does, and no word says only
BRANCH: Final = "x-notes"  # what an alternative of a union says of itself, among its rules
NOTES: Final = (*TEXTS, *EFFECTS)  # say nothing about which values are allowed
_ADDED: Final = (*NOTES, "properties", "required")  # adds up, or says nothing about which values are allowed
_UNIONS: Final = ("anyOf", "oneOf")
# A bool is an int to Python, and so comes first.
_KINDS: Final = ((str, "string"), (bool, "boolean"), (int, "integer"), (float, "number"))
_DEPTH: Final = 30  # references and ``allOf`` inside each other; deeper is none of MuAPI's
_BYTES: Final = "application/octet-stream"  # how FastAPI says "a file" since it writes OpenAPI 3.1


@frozen
class Alternative:
    """One alternative of what a value may be."""

    kind: str  # string, integer, number, boolean, array, object, any, nothing, or a word only this document knows
    rules: Mapping[str, Any]  # all the schema says but for its type, choices and notes
    pointer: str
    choices: tuple[Any, ...] = ()  # empty: any value of the kind
    model: str = ""  # the component schema that becomes a class, by name

    @property
    def label(self) -> str:
        """It in a word."""
        return self.model or self.kind


@frozen
class Value:
    """The values a schema allows: any of its alternatives, or null where it is nullable."""

    alternatives: tuple[Alternative, ...]
    nullable: bool
    notes: Mapping[str, Any] = field(factory=dict[str, Any])

    @property
    def label(self) -> str:
        """Its alternatives in words."""
        return UNION.join(dict.fromkeys(alternative.label for alternative in self.alternatives))

    @property
    def has_default(self) -> bool:
        """True where leaving it out means something else than null."""
        return "default" in self.notes and not (self.nullable and self.notes["default"] is None)

    @property
    def contradicts_itself(self) -> bool:
        """True where its default is none of its own choices."""
        listed = [choice for alternative in self.alternatives for choice in alternative.choices]
        free = any(not alternative.choices for alternative in self.alternatives)
        return self.has_default and not free and not any(is_same(self.notes["default"], choice) for choice in listed)


def follow(document: Document, node: Node) -> Node:
    """Where a node leads that is nothing but a reference."""
    for _ in range(_DEPTH):
        target = document.resolve(node)
        if set(node.fields) != {"$ref"} or target is node:
            return node
        node = target
    return node


class Schemas:
    """The schemas of one document, each read once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._values: dict[tuple[int, str], Value] = {}
        # The key holds the id of a value that was perhaps made for this one reading; kept, no other gets its id.
        self._merged: dict[tuple[int, str], tuple[Any, Node]] = {}
        self._joined: dict[Any, Node] = {}  # each list of schemas that all hold, where it is met first
        self._reading: set[int] = set()  # the ids of values whose reading has not ended

    def read(self, node: Node) -> Value:
        """Read a schema; one that is made of itself is anything where it comes round."""
        node = self._find_joined(node)
        key = (id(node.value), node.pointer)
        if key in self._values:
            return self._values[key]
        if id(node.value) in self._reading:  # it comes round; within what was folded its pointer is another each time
            return Value((Alternative("any", {}, node.pointer),), nullable=False)
        self._reading.add(id(node.value))
        try:
            self._values[key] = _read(self, node)
        finally:
            self._reading.discard(id(node.value))
        return self._values[key]

    def merge(self, node: Node) -> Node:
        """Follow a schema's references, fold its ``allOf`` into it, and make null beside one thing a mark on it.

        One that comes round again inside itself is left alone there.
        """
        node = self._find_joined(node)
        key = (id(node.value), node.pointer)
        if key not in self._merged:
            self._merged[key] = (node.value, node)
            self._merged[key] = (node.value, _fold(self, self.document.resolve(node)))
        return self._merged[key][1]

    def _find_joined(self, node: Node) -> Node:
        """The same list of schemas that all hold, should it have been met: fields that inherit from each other repeat.

        Such a list may be made while it is read, deeper and deeper, and then only what it says tells that it is known.
        """
        return self._joined.setdefault(key_of(node.value), node) if set(node.fields) == {"allOf"} else node


def _read(schemas: Schemas, node: Node) -> Value:
    whole = schemas.merge(node)
    found = _read_alternatives(schemas, whole)
    notes: dict[str, Any] = {key: whole.fields[key] for key in NOTES if key in whole.fields}
    alternatives, lifted = _lift_notes([alternative for alternative in found if alternative is not None], notes)
    return Value(_drop_weaker(alternatives), None in found, {**notes, **lifted})


def _lift_notes(found: list[Alternative], notes: Mapping[str, Any]) -> tuple[list[Alternative], dict[str, Any]]:
    """A default and the like that a branch of a union has and the union has not, as the union's own."""
    lifted: dict[str, Any] = {}
    for alternative in found:
        notes_of_it = as_object(alternative.rules.get(BRANCH)) or {}
        lifted = {**{key: notes_of_it[key] for key in EFFECTS if key in notes_of_it and key not in notes}, **lifted}
    if not lifted:
        return found, lifted
    return [evolve(alternative, rules=_drop_notes(alternative.rules, lifted)) for alternative in found], lifted


def _drop_notes(rules: Mapping[str, Any], lifted: Mapping[str, Any]) -> dict[str, Any]:
    notes = as_object(rules.get(BRANCH)) or {}
    left = {key: note for key, note in notes.items() if key not in lifted or not is_same(note, lifted[key])}
    rest = {key: rule for key, rule in rules.items() if key != BRANCH}
    return {**rest, BRANCH: left} if left else rest


def _drop_weaker(found: list[Alternative]) -> tuple[Alternative, ...]:
    """Leave out what another alternative allows anyway: beside any text, an address says nothing."""
    free = {
        alternative.kind: alternative
        for alternative in found
        if not (alternative.choices or alternative.rules or alternative.model)
    }
    if "any" in free:
        return (free["any"],)
    kept = [alternative for alternative in found if free.get(alternative.kind, alternative) is alternative]
    return tuple(
        {
            key_of([alternative.kind, alternative.model, alternative.choices, dict(alternative.rules)]): alternative
            for alternative in kept
        }.values()
    )


def _fold(schemas: Schemas, node: Node) -> Node:
    union = next((key for key in _UNIONS if node.at(key).items), None)
    alone = _find_alone(node.at(union)) if union else None
    if union is not None and alone is not None:
        only = schemas.merge(alone)
        beside = {key: part for key, part in node.fields.items() if key != union}
        null = {"nullable": True} if len(node.at(union).items) > 1 else {}
        node = Node(_combine(only.fields, {**beside, **null}), only.pointer)
    parts = [schemas.merge(node.at("allOf", number)) for number in range(len(node.at("allOf").items))]
    if not parts:
        return node
    whole: dict[str, Any] = {}
    own = {key: part for key, part in node.fields.items() if key != "allOf"}
    for fields in (*(part.fields for part in parts), own):
        whole = _combine(whole, fields)
    if any(
        not is_same(whole.get(key), value)
        for part in parts
        for key, value in part.fields.items()
        if key not in _ADDED and not key.startswith("x-")  # an extension says nothing of which values are allowed
    ):
        whole["allOf"] = node.fields["allOf"]  # two rules of one name: what holds is in none of them alone
    return Node(whole, parts[0].pointer if len(parts) == 1 else node.pointer)


def _find_alone(union: Node) -> Node | None:
    """The one thing of a union that is not null, if there is just one."""
    real = [number for number, schema in enumerate(union.items) if schema != {"type": "null"}]
    return union.at(real[0]) if len(real) == 1 else None


def _combine(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two schemas of which both hold: fields and what is required add up, of anything else the latter speaks.

    A field that both have is what either says of it.
    """
    result = {**first, **second}
    if "properties" in first:
        ours, theirs = as_object(first["properties"]) or {}, as_object(second.get("properties")) or {}
        shared = [key for key in ours if key in theirs and not is_same(ours[key], theirs[key])]
        result["properties"] = {**ours, **theirs, **{key: {"allOf": _join(ours[key], theirs[key])} for key in shared}}
    if "required" in first:
        listed = [*(as_list(first["required"]) or ()), *(as_list(second.get("required")) or ())]
        result["required"] = [*dict.fromkeys(map(str, listed))]
    return result


def _join(*schemas: Any) -> list[Any]:
    """The schemas that all hold, each once, the latest last: of two that lead to each other there is no end of more."""
    parts: dict[Any, Any] = {}
    for schema in schemas:
        fields = as_object(schema) or {}
        for part in as_list(fields["allOf"]) or () if set(fields) == {"allOf"} else [schema]:
            key = key_of(part)
            parts.pop(key, None)
            parts[key] = part
    return [*parts.values()]


def _read_alternatives(schemas: Schemas, node: Node) -> list[Alternative | None]:
    """Every alternative of a merged schema; None stands for null."""
    schema = node.fields
    if not schema:
        return [Alternative("nothing" if node.value is False else "any", {}, node.pointer)]
    null: list[Alternative | None] = [None] if schema.get("nullable") is True else []
    union = next((key for key in _UNIONS if node.at(key).items), None)
    if union is not None:
        return [*_read_union(schemas, node, union), *null]
    types, listed = schema.get("type"), as_list(schema.get("type"))
    if listed:
        each = (Node({**schema, "type": kind}, node.pointer) for kind in listed[:_DEPTH] if isinstance(kind, str))
        return [*(found for schema in each for found in _read_alternatives(schemas, schema)), *null]
    if types == "null":
        return [None]
    return [*_read_plain(node), *null]


def _read_union(schemas: Schemas, node: Node, union: str) -> list[Alternative | None]:
    """The alternatives of a union, each under what the schema says beside it."""
    beside = {key: rule for key, rule in node.fields.items() if key not in (union, "nullable", "type", *NOTES)}
    kind = node.text("type") or "any"
    found: list[Alternative | None] = []
    for number in range(len(node.at(union).items)):
        inner = schemas.read(node.at(union, number))
        notes = {BRANCH: inner.notes} if inner.notes else {}
        found += [
            evolve(
                each, kind=each.kind if each.kind != "any" else kind or "any", rules={**beside, **each.rules, **notes}
            )
            for each in inner.alternatives
        ]
        found += [None] if inner.nullable else []
    return found


def _read_plain(node: Node) -> list[Alternative | None]:
    """A schema that is no union: one alternative, or one for each type among choices whose type nobody says."""
    schema = node.fields
    listed = [schema["const"]] if "const" in schema else node.at("enum").items
    choices = tuple({key_of(choice): choice for choice in listed if choice is not None}.values())
    if listed and not choices:
        return [None]
    kind = schema.get("type")
    kinds = (
        [kind] if isinstance(kind, str) else [*dict.fromkeys(map(_kind_of_choice, choices))] or [_guess_kind(schema)]
    )
    named = _is_model(schema) and node.pointer.startswith(SCHEMAS) and "/" not in node.pointer[len(SCHEMAS) :]
    name = node.pointer[len(SCHEMAS) :].replace("~1", "/").replace("~0", "~") if named else ""
    found = [
        Alternative(
            kind, _select_rules(schema), node.pointer, _choices_of(kind, choices) if len(kinds) > 1 else choices, name
        )
        for kind in kinds
    ]
    return [*found, *([None] if None in listed else [])]


def _select_rules(schema: Mapping[str, Any]) -> dict[str, Any]:
    rules = {key: rule for key, rule in schema.items() if key not in (*NOTES, "type", "enum", "const", "nullable")}
    if rules.get("contentMediaType") != _BYTES:
        return rules
    return {**{key: rule for key, rule in rules.items() if key != "contentMediaType"}, "format": "binary"}


def _choices_of(kind: str, choices: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(choice for choice in choices if _kind_of_choice(choice) == kind)


def _kind_of_choice(choice: Any) -> str:
    return next((word for python_type, word in _KINDS if isinstance(choice, python_type)), "any")


def _guess_kind(schema: Mapping[str, Any]) -> str:
    """The type a schema leaves out, as far as it can be told."""
    return "object" if "properties" in schema else "array" if "items" in schema else "any"


def _is_model(schema: Mapping[str, Any]) -> bool:
    """Tell whether a component becomes a class: an object whose fields have names."""
    return bool(schema.get("properties")) or (schema.get("type") == "object" and "additionalProperties" not in schema)
