"""Answers: what differs between what two operations that are one answer. Pure.

What a job answers is read as a submission whatever the document says of it (``spec/corrections.yaml``): the client
needs the job's id from it.

Lives here: answers by status, the class one is read into. Does not live here: schemas (``values``), judging
(``impacts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.content_types import (
    compare_content_types,
    compare_rest,
    drop_repeated,
    pair_contents,
    schema_of,
)
from muapi_client.pinning._diff.findings import Finding, Located, Pair
from muapi_client.pinning._document.media_types import ANSWERS, find_media_type
from muapi_client.pinning._document.reader import Node
from muapi_client.pinning._document.strict_json import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._diff.findings import Side
    from muapi_client.pinning._diff.schemas import Schemas
    from muapi_client.pinning._diff.values import Comparison

# The names a job's id, or what a job made at once, goes under (`muapi_client._answers` reads them), and the envelope's.
_READ: Final = frozenset({"request_id", "id", "outputs", "output", "images", "data"})


def compare_responses(pair: Pair, comparison: Comparison) -> Iterator[Located]:
    """Every difference between what two operations answer."""
    old, new = pair.old.node.at("responses"), pair.new.node.at("responses")
    gone = [code for code in old.fields if code not in new.fields]
    come = [code for code in new.fields if code not in old.fields]
    moved = dict(zip(filter(_is_good, gone), filter(_is_good, come), strict=False))
    for code in gone:
        effect = "renumbered" if code in moved else "removed"
        finding = Finding("answer", effect, code, moved.get(code), old.at(code).pointer)
        yield Located(_side_of(code), f"answer {code}", finding)
    for code in come:
        if code not in moved.values():
            yield Located(
                _side_of(code), f"answer {code}", Finding("answer", "added", None, code, new.at(code).pointer)
            )
    both = [(code, code) for code in old.fields if code in new.fields] + [*moved.items()]
    for before, after in both:
        nodes = pair.old_document.resolve(old.at(before)), pair.new_document.resolve(new.at(after))
        for finding in drop_repeated([*_compare_response(pair, nodes, comparison, good=_is_good(after))]):
            yield Located(_side_of(after), f"answer {after}", finding)


def _is_good(code: str) -> bool:
    return code.startswith("2")


def _side_of(code: str) -> Side:
    return "answer" if _is_good(code) else "error"


def _compare_response(pair: Pair, nodes: tuple[Node, Node], comparison: Comparison, *, good: bool) -> Iterator[Finding]:
    old, new = nodes
    yield from compare_rest(old, new, ("content", "$ref"), comparison.equivalence)
    yield from compare_content_types(old, new, ANSWERS)
    read = [*_compare_readings(pair, nodes, comparison.schemas)] if good else []
    yield from read
    for before, after in pair_contents(old, new, ANSWERS):
        yield from compare_rest(before, after, ("schema",), comparison.equivalence)
        for finding in comparison.findings(schema_of(before), schema_of(after)):
            reported = bool(read) and not finding.field and finding.kind in ("type", "class")
            idle = good and pair.new.job == "job" and finding.kind == "class"  # nobody is given the class
            if not reported and not idle:
                yield finding


def _compare_readings(pair: Pair, nodes: tuple[Node, Node], schemas: tuple[Schemas, Schemas]) -> Iterator[Finding]:
    """Compare how the client reads the whole answer."""
    contents = [node.at("content") for node in nodes]
    old, new = (content.at(find_media_type(content.fields, ANSWERS), "schema") for content in contents)
    if pair.old.job == pair.new.job == "job":
        tells = _names_a_job(schemas[0], old), _names_a_job(schemas[1], new)
        if tells[0] != tells[1]:
            yield Finding("job_answer", "added" if tells[1] else "removed", old.value, new.value, new.pointer)
    if pair.new.job == "plain":
        classes = _class_of(schemas[0], old), _class_of(schemas[1], new)
        if bool(classes[0]) != bool(classes[1]):
            effect = "added" if classes[1] else "removed"
            yield Finding("answer_class", effect, classes[0] or None, classes[1] or None, new.pointer)


def _names_a_job(schemas: Schemas, answer: Node) -> bool:
    """Tell whether the client may find a job's id in an answer; one that the document does not describe may have it."""
    names: list[dict[str, Any] | None] = [
        as_object(alternative.rules.get("properties")) or {} if alternative.kind in ("object", "any") else None
        for alternative in schemas.read(answer).alternatives
    ]
    return any(fields is not None and (not fields or not _READ.isdisjoint(fields)) for fields in names)


def _class_of(schemas: Schemas, answer: Node) -> str:
    """The class an answer is read into: the schema's, or a list of it; empty where the JSON stays as it came."""
    shapes = schemas.read(answer).alternatives
    if len(shapes) == 1 and shapes[0].kind == "array" and shapes[0].rules.get("items"):
        inner = schemas.read(Node(shapes[0].rules["items"], f"{shapes[0].pointer}/items")).alternatives
        return f"list[{inner[0].model}]" if len(inner) == 1 and inner[0].model else ""
    return shapes[0].model if len(shapes) == 1 else ""
