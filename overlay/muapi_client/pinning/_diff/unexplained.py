"""Overlooked: what two operations say differently where no difference was understood. Pure.

Reading a schema away from how it is written could lose something. So where nothing at all is told of an operation
that is not the same, the facts of both are listed without understanding them: which word says what of which field. A
fact that only one side has is told.

Lives here: that last net. Does not live here: telling what a difference is (``values``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.findings import Finding, Located
from muapi_client.pinning._document.reader import Node, key_of
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._diff.equivalence import Equivalence
    from muapi_client.pinning._diff.findings import Pair, Side
    from muapi_client.pinning._document.reader import Document, Operation

# Words that are written in one way only; null, bounds and formats are written in several.
_PLAIN: Final = ("maxLength", "maxItems", "maxProperties", "pattern", "multipleOf")
_SPARE: Final = ("minLength", "minItems", "minProperties", "uniqueItems", "readOnly", "writeOnly")  # zero is none
_SIDES: Final[tuple[tuple[Side, str], ...]] = (("request", "operation"), ("answer", "answer"))

Fact = tuple[str, str, str]  # a field, a word and what it says, as JSON


def find_unexplained(pair: Pair, equivalence: Equivalence) -> Iterator[Located]:
    """Find the facts that only one of two operations states of its input or answers; none where they mean the same."""
    if equivalence.is_same(
        *([operation.node.value, *_list_parameters(operation)] for operation in (pair.old, pair.new))
    ):
        return
    for side, place in _SIDES:
        old, new = _part_of(pair.old, side), _part_of(pair.new, side)
        if equivalence.is_same(old, new):
            continue
        before, after = _collect_facts(pair.old_document, old), _collect_facts(pair.new_document, new)
        if before != after:
            facts = _list_facts(before - after), _list_facts(after - before)
            yield Located(side, place, Finding("rule", "changed", *facts, pair.new.node.pointer))


def _part_of(operation: Operation, side: Side) -> Any:
    if side == "answer":
        return operation.node.fields.get("responses")
    return [operation.node.fields.get("requestBody"), *_list_parameters(operation)]


def _list_parameters(operation: Operation) -> list[Any]:
    return [parameter.value for _, parameter in sorted(operation.parameters.items())]


def _list_facts(facts: set[Fact]) -> list[str] | None:
    return [" ".join(filter(None, fact)) for fact in sorted(facts)] or None


def _collect_facts(document: Document, part: Any) -> set[Fact]:
    found: set[Fact] = set()
    waiting: list[tuple[str, Any]] = [("", part)]
    followed: set[tuple[str, str]] = set()
    while waiting:
        name, node = waiting.pop()
        fields = as_object(node)
        if fields is None:
            waiting += [(name, item) for item in as_list(node) or ()]
            continue
        found |= {(name, word, key_of(value)) for word, value in _iter_facts(fields)}
        reference = fields.get("$ref")
        if isinstance(reference, str) and (name, reference) not in followed:
            followed.add((name, reference))
            waiting.append((name, document.find_target(reference).value))
        properties = Node(fields, "").at("properties").fields
        found |= {(name, "properties", name_inside) for name_inside in properties}
        waiting += properties.items()
        waiting += [(name, value) for word, value in fields.items() if word not in ("properties", "default", "enum")]
    return found


def _iter_facts(fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """List the facts of a schema that need no understanding."""
    choices = [fields["const"]] if "const" in fields else as_list(fields.get("enum"))
    if choices is None:
        kinds = as_list(fields.get("type")) or [fields.get("type")]
        yield from (("type", kind) for kind in kinds if isinstance(kind, str) and kind != "null")
    yield from (("enum", choice) for choice in choices or () if choice is not None)
    yield from (("required", field) for field in as_list(fields.get("required")) or ())
    yield from ((word, fields[word]) for word in (*_PLAIN, "default") if fields.get(word) is not None)
    yield from ((word, fields[word]) for word in _SPARE if fields.get(word))
    if fields.get("additionalProperties") is False:
        yield "additionalProperties", False
