"""Values: what differs between two schemas, wherever they are used. Pure.

A schema is compared once, however many operations share it; what it leads to is an edge and no recursion, so that a
schema that contains itself ends, and a diamond of references costs what it holds and no more.

Lives here: alternatives paired, fields paired, the walk over both. Does not live here: one facet (``constraints``),
judging (``impacts``).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from muapi_client.pinning._diff.constraints import compare_constraints
from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.findings import Finding, join_field
from muapi_client.pinning._diff.renames import find_renamed_fields
from muapi_client.pinning._diff.schemas import MISSING, Schemas, Value, follow
from muapi_client.pinning._document.reader import Node, is_same
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._diff.equivalence import Equivalence
    from muapi_client.pinning._diff.schemas import Alternative
    from muapi_client.pinning._document.reader import Document

_PLACES: Final = 16  # of one schema in one operation that are told; else a document could be made endless
_CLASHES: Final = {("integer", "number"): "wider_number", ("number", "integer"): "narrowed"}


Key = tuple[int, str, int, str]  # two schemas, each by identity and place


@frozen
class Edge:
    """A pair of schemas inside another pair."""

    name: str  # a field, "[]" or "{}"
    old: Node
    new: Node
    required: bool = False  # always sent, so that its default never counts


@frozen
class SchemaDiff:
    """The differences of one pair of schemas."""

    findings: tuple[Finding, ...]
    edges: tuple[Edge, ...]


class Comparison:
    """The comparison of the schemas of two documents; remembers what it has compared."""

    def __init__(self, old: Document, new: Document, equivalence: Equivalence) -> None:
        self.schemas = Schemas(old), Schemas(new)
        self.equivalence = equivalence
        self._compared: dict[Key, SchemaDiff] = {}
        self._kept: list[Any] = []  # what an id in `_compared` belongs to must not go

    def findings(self, old: Node, new: Node, *, required: bool = False) -> Iterator[Finding]:
        """Every difference between two schemas and all that they lead to, each field under its path.

        Args:
            required: Whether the value is always sent.
        """
        paths: dict[Key, list[str]] = {}
        waiting = deque([("", Edge("", old, new, required))])
        while waiting:
            path, edge = waiting.popleft()
            place = join_field(path, edge.name) if edge.name else path
            key, inside = self._difference(edge.old, edge.new)
            seen = paths.setdefault(key, [])
            if len(seen) == _PLACES or any(_is_within(place, before) for before in seen):
                continue  # said often enough; or a schema inside itself, and said further out
            seen.append(place)
            for finding in inside.findings:
                yield evolve(finding, field=_join_inner(place, finding.field), effect=_effect_at(place, finding, edge))
            waiting.extend((place, inner) for inner in inside.edges)

    def _difference(self, old: Node, new: Node) -> tuple[Key, SchemaDiff]:
        old, new = follow(self.schemas[0].document, old), follow(self.schemas[1].document, new)
        key = (id(old.value), old.pointer, id(new.value), new.pointer)
        if key not in self._compared:
            self._kept += [old.value, new.value]
            self._compared[key] = self._compare(old, new)
        return key, self._compared[key]

    def _compare(self, old: Node, new: Node) -> SchemaDiff:
        if old.pointer == new.pointer and self.equivalence.is_same(
            old.value, new.value
        ):  # else its class has another name
            return SchemaDiff((), ())
        was, now = self.schemas[0].read(old), self.schemas[1].read(new)
        found = [*_compare_notes(was, now, new.pointer)]
        if was.nullable != now.nullable:
            effect = "widened" if now.nullable else "narrowed"
            found.append(Finding("nullable", effect, was.nullable, now.nullable, new.pointer))
        pairs, alone = _pair(was, now)
        effect = _type_effect(pairs, *alone)
        if effect:
            found.append(Finding("type", effect, was.label, now.label, new.pointer))
        edges: list[Edge] = []
        for before, after in pairs:
            found += compare_constraints(before, after, self.equivalence)
            inside, further = _compare_inside(before, after)
            found += inside
            edges += further
        return SchemaDiff(tuple(found), tuple(edges))


def _effect_at(place: str, finding: Finding, edge: Edge) -> str:
    """Choose the effect of a finding where its schema is used."""
    if finding.kind == "default" and edge.required and not finding.field:
        return "unused"
    return "outermost" if finding.kind == "class" and not place else finding.effect


def _is_within(place: str, outer: str) -> bool:
    return not outer or place == outer or (place.startswith(outer) and place[len(outer)] in ".[{")


def _join_inner(place: str, field: str) -> str:
    return f"{place}.{field}" if place and field else place or field


def _compare_notes(was: Value, now: Value, pointer: str) -> Iterator[Finding]:
    before, after = was.notes.get("default"), now.notes.get("default")
    turned = was.has_default != now.has_default or (was.has_default and not is_same(before, after))
    if turned:
        effect = "added" if not was.has_default else "removed" if not now.has_default else "changed"
        yield Finding("default", effect, before, after, pointer)
    if now.contradicts_itself and not was.contradicts_itself:
        choices = [choice for alternative in now.alternatives for choice in alternative.choices]
        yield Finding("contradiction", "added", None, {"default": after, "allowed": choices}, pointer)
    for word in TEXTS:
        if not is_same(was.notes.get(word), now.notes.get(word)):
            yield Finding("text", "changed", {word: was.notes.get(word)}, {word: now.notes.get(word)}, pointer)
    for word, kind in (("deprecated", "deprecated"), ("readOnly", "read_only"), ("writeOnly", "write_only")):
        flags = was.notes.get(word) is True, now.notes.get(word) is True
        if flags[0] != flags[1]:
            yield Finding(kind, "added" if flags[1] else "removed", *flags, pointer)


Pairs = list[tuple["Alternative", "Alternative"]]


def _pair(was: Value, now: Value) -> tuple[Pairs, tuple[list[Alternative], list[Alternative]]]:
    """Which alternative became which: the same class first, then the same text, then the same kind."""
    olds, news = [*was.alternatives], [*now.alternatives]
    pairs: Pairs = []
    for alike in (_same_class, _same_text, _same_kind, _both_numbers):
        for old in [*olds]:
            new = next((candidate for candidate in news if alike(old, candidate)), None)
            if new is not None:
                olds.remove(old)
                news.remove(new)
                pairs.append((old, new))
    return pairs, (olds, news)


def _same_class(old: Alternative, new: Alternative) -> bool:
    return bool(old.model) and old.model == new.model


def _same_text(old: Alternative, new: Alternative) -> bool:
    return (
        old.kind == new.kind and is_same(dict(old.rules), dict(new.rules)) and is_same([*old.choices], [*new.choices])
    )


def _same_kind(old: Alternative, new: Alternative) -> bool:
    return old.kind == new.kind


def _both_numbers(old: Alternative, new: Alternative) -> bool:
    return (old.kind, new.kind) in _CLASHES


def _type_effect(pairs: Pairs, gone: list[Alternative], come: list[Alternative]) -> str:
    """How the types differ as a whole; empty where they do not."""
    effects = {_CLASHES[before.kind, after.kind] for before, after in pairs if (before.kind, after.kind) in _CLASHES}
    if gone or come:
        free = "any" in {alternative.kind for alternative in gone}, "any" in {alternative.kind for alternative in come}
        narrower = bool(gone) and not free[1]
        wider = bool(come) and not free[0]
        effects |= {"narrowed"} if narrower else set()
        effects |= {"widened"} if wider else set()
    if len(effects) <= 1:
        return next(iter(effects), "")
    return "widened" if effects == {"widened", "wider_number"} else "changed"


def _compare_inside(old: Alternative, new: Alternative) -> tuple[list[Finding], list[Edge]]:
    """Compare what lies right inside two alternatives, and list the pairs that lie further in."""
    found: list[Finding] = []
    if old.model != new.model and _has_fields(old) and _has_fields(new):
        effect = "renamed" if old.model else "added"
        found.append(Finding("class", effect, old.model or None, new.model or None, new.pointer))
    here, edges = _compare_fields(old, new)
    found += here
    if "items" in old.rules or "items" in new.rules:
        edges.append(Edge("[]", _node_at(old, "items"), _node_at(new, "items")))
    before, after = _extra_fields_of(old), _extra_fields_of(new)
    if isinstance(before, dict) and isinstance(after, dict):
        edges.append(Edge("{}", _node_at(old, "additionalProperties"), _node_at(new, "additionalProperties")))
    elif not is_same(before, after):
        narrower = before is True or after is False
        effect = "narrowed" if narrower else "widened"
        found.append(Finding("extra_fields", effect, before, after, new.pointer))
    return found, edges


def _extra_fields_of(alternative: Alternative) -> Any:
    """The rule for fields that have no name in it: a schema that says nothing allows all, as ``true`` does."""
    rule: Any = alternative.rules.get("additionalProperties", True)
    fields = as_object(rule)
    return rule if fields is None or fields.keys() - {*TEXTS} else True


def _has_fields(alternative: Alternative) -> bool:
    return bool(alternative.rules.get("properties")) or bool(alternative.model)


def _node_at(alternative: Alternative, word: str) -> Node:
    return Node(alternative.rules.get(word, MISSING), f"{alternative.pointer}/{word}")


def _compare_fields(old: Alternative, new: Alternative) -> tuple[list[Finding], list[Edge]]:
    was, now = Node(old.rules, old.pointer).at("properties"), Node(new.rules, new.pointer).at("properties")
    need, needed = _required_fields(old), _required_fields(new)
    gone = [name for name in was.fields if name not in now.fields]
    come = [name for name in now.fields if name not in was.fields]
    found: list[Finding] = []
    renamed = find_renamed_fields({name: was.fields[name] for name in gone}, {name: now.fields[name] for name in come})
    for before, after in renamed.items():
        found.append(Finding("field", "renamed", before, after, now.at(after).pointer, join_field("", before)))
    found += [
        Finding("field", "removed", was.fields[name], None, was.at(name).pointer, join_field("", name))
        for name in gone
        if name not in renamed
    ]
    found += [
        Finding(
            "field", "needed" if name in needed else "added", None, now.fields[name], now.at(name).pointer,
            join_field("", name),
        )
        for name in come
        if name not in renamed.values()
    ]  # fmt: skip
    both = [(name, name) for name in was.fields if name in now.fields] + [*renamed.items()]
    for before, after in both:
        if (before in need) != (after in needed):
            flags = before in need, after in needed
            effect = "narrowed" if flags[1] else "widened"
            found.append(Finding("required", effect, *flags, now.at(after).pointer, join_field("", after)))
    always = need & needed
    return found, [Edge(after, was.at(before), now.at(after), required=before in always) for before, after in both]


def _required_fields(alternative: Alternative) -> set[str]:
    return {name for name in as_list(alternative.rules.get("required")) or () if isinstance(name, str)}
