"""Operations: what differs between two operations that are one, in the old document and in the new. Pure.

Lives here: parameters, bodies, answers, and what an operation says of itself. Does not live here: schemas
(``values``), who is allowed (``security``), judging (``impacts``).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, get_args

from muapi_client.pinning._diff.content_types import (
    compare_content_types,
    compare_rest,
    drop_repeated,
    pair_contents,
    schema_of,
)
from muapi_client.pinning._diff.findings import Finding, Located, Pair
from muapi_client.pinning._diff.media_fields import add_media
from muapi_client.pinning._diff.responses import compare_responses
from muapi_client.pinning._diff.schemas import MISSING
from muapi_client.pinning._diff.security import compare_security, list_credentials
from muapi_client.pinning._diff.unexplained import find_unexplained
from muapi_client.pinning._document.media_types import BODIES, JSON
from muapi_client.pinning._document.naming import CLIENTS, OWN_HEADERS, WEBHOOK, split_summary
from muapi_client.pinning._document.reader import Node, is_same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client.pinning._diff.values import Comparison
    from muapi_client.pinning._document.reader import Document, Operation

ParameterSide = Literal["client", "request"]
_DESCRIPTIONS: Final = ("operationId", "summary", "description", "tags", "deprecated", "security")
_READ: Final = ("parameters", "requestBody", "responses", "servers", *_DESCRIPTIONS)
_WIRE: Final = ("style", "explode", "allowReserved", "allowEmptyValue")


def compare_operations(pair: Pair, comparison: Comparison) -> Iterator[Located]:
    """Every difference between two operations; whatever was looked at and not understood is told, too."""
    found = _compare(pair, comparison)
    first = next(found, None)
    yield from find_unexplained(pair, comparison.equivalence) if first is None else chain((first,), found)


def _compare(pair: Pair, comparison: Comparison) -> Iterator[Located]:
    for finding in (*_compare_descriptions(pair, comparison), *compare_security(*pair.documents, pair.old, pair.new)):
        yield Located("request", "operation", finding)
    yield from _compare_parameters(pair, comparison)
    yield from _compare_bodies(pair, comparison)
    yield from compare_responses(pair, comparison)


def _compare_descriptions(pair: Pair, comparison: Comparison) -> Iterator[Finding]:
    old, new = pair.old.node, pair.new.node
    yield from _compare_summaries(pair)
    if not is_same(old.fields.get("description"), new.fields.get("description")):
        yield _text_finding("description", old, new)
    if old.text("operationId") != new.text("operationId") and not pair.renamed:  # FastAPI makes it from the path
        yield Finding("operation_id", "changed", old.text("operationId"), new.text("operationId"), new.pointer)
    flags = old.fields.get("deprecated") is True, new.fields.get("deprecated") is True
    if flags[0] != flags[1]:
        yield Finding("deprecated", "added" if flags[1] else "removed", *flags, new.pointer)
    yield from _compare_groups(pair)
    servers = [
        operation.node.fields.get("servers") or operation.beside.get("servers") for operation in (pair.old, pair.new)
    ]
    if not is_same(*servers):
        yield Finding("own_servers", "changed", servers[0], servers[1], f"{new.pointer}/servers")
    yield from compare_rest(old, new, _READ, comparison.equivalence)
    beside = Node(pair.old.beside, new.pointer), Node(pair.new.beside, new.pointer)
    yield from compare_rest(*beside, ("servers",), comparison.equivalence)


def _compare_summaries(pair: Pair) -> Iterator[Finding]:
    """The summary, which for a model is its catalogue name and its tier."""
    old, new = pair.old.node, pair.new.node
    was, now = old.text("summary"), new.text("summary")
    if is_same(old.fields.get("summary"), new.fields.get("summary")):
        return
    if pair.new.job != "job":
        yield _text_finding("summary", old, new)
        return
    (name, tier), (new_name, new_tier) = split_summary(was), split_summary(now)
    if name != new_name:
        yield Finding("catalogue_name", "changed", name, new_name, f"{new.pointer}/summary")
    if tier != new_tier:
        yield Finding("tier", "changed", tier or None, new_tier or None, f"{new.pointer}/summary")


def _compare_groups(pair: Pair) -> Iterator[Finding]:
    """Where its function is: among the models or not, and in which group."""
    old, new = pair.old, pair.new
    if old.job != new.job:
        yield Finding("job", "changed", old.job, new.job, new.node.pointer)
        return
    groups = [old.group, new.group]
    if groups[0] != groups[1]:
        yield Finding("group", "changed", groups[0], groups[1], f"{new.node.pointer}/tags")
    elif not is_same(old.node.fields.get("tags"), new.node.fields.get("tags")):
        yield Finding("tags", "changed", old.tags, new.tags, f"{new.node.pointer}/tags")


def _text_finding(word: str, old: Node, new: Node) -> Finding:
    return Finding("text", "changed", {word: old.fields.get(word)}, {word: new.fields.get(word)}, new.pointer)


def _compare_parameters(pair: Pair, comparison: Comparison) -> Iterator[Located]:
    olds, news = _index_parameters(pair.old), _index_parameters(pair.new)
    if pair.old.job != pair.new.job:  # said already: the webhook is what makes a job of it
        olds.pop(("query", WEBHOOK), None)
        news.pop(("query", WEBHOOK), None)
    for side in get_args(ParameterSide):  # what becomes the client's own is gone from the function
        yield from _compare_indexed(
            side,
            {key: node for key, node in olds.items() if _find_side(key, pair.old_document) == side},
            {key: node for key, node in news.items() if _find_side(key, pair.new_document) == side},
            comparison,
        )


def _find_side(key: tuple[str, str], document: Document) -> ParameterSide:
    """Find whether the client sends a parameter by itself, or not at all, so that no function takes it."""
    place, name = key[0], key[1].lower()
    is_own_header = place == "header" and name in OWN_HEADERS
    is_key = place in ("header", "cookie") and (place, name) in list_credentials(document)
    return "client" if key in CLIENTS or is_own_header or is_key else "request"


def _compare_indexed(
    side: ParameterSide,
    olds: Mapping[tuple[str, str], Node],
    news: Mapping[tuple[str, str], Node],
    comparison: Comparison,
) -> Iterator[Located]:
    for key in olds.keys() - news.keys():
        schema = olds[key].fields.get("schema")
        yield _locate_parameter(side, key, Finding("parameter", "removed", schema, None, olds[key].pointer))
    for key in news.keys() - olds.keys():
        effect = "needed" if _is_required(news[key]) else "added"
        found = Finding("parameter", effect, None, news[key].fields.get("schema"), news[key].pointer)
        yield _locate_parameter(side, key, found)
    for key in olds.keys() & news.keys():
        for finding in _compare_parameter(olds[key], news[key], comparison):
            yield _locate_parameter(side, key, finding)


def _index_parameters(operation: Operation) -> dict[tuple[str, str], Node]:
    """Its parameters; those of the path by their position, for their names are part of the path."""
    places = [part.split("}")[0] for part in operation.path.split("{")[1:]]
    return {
        (place, str(places.index(name)) if place == "path" and name in places else name): node
        for (place, name), node in operation.parameters.items()
    }


def _locate_parameter(side: ParameterSide, key: tuple[str, str], finding: Finding) -> Located:
    place, name = key
    inner = f"{name}.{finding.field}" if finding.field and finding.field[0] not in "[{" else f"{name}{finding.field}"
    inside = Finding(finding.kind, finding.effect, finding.before, finding.after, finding.pointer, inner)
    return Located(side, place or "parameter", inside)


def _is_required(parameter: Node) -> bool:
    return parameter.fields.get("required") is True or parameter.text("in") == "path"


def _compare_parameter(old: Node, new: Node, comparison: Comparison) -> Iterator[Finding]:
    needs = _is_required(old), _is_required(new)
    if needs[0] != needs[1]:
        yield Finding("required", "narrowed" if needs[1] else "widened", *needs, new.pointer)
    flags = old.fields.get("deprecated") is True, new.fields.get("deprecated") is True
    if flags[0] != flags[1]:
        yield Finding("deprecated", "added" if flags[1] else "removed", *flags, new.pointer)
    for word in _WIRE:
        before, after = old.fields.get(word), new.fields.get(word)
        if not is_same(before, after):
            yield Finding("rule", "changed", {word: before}, {word: after}, new.pointer)
    handled = ("name", "in", "required", "deprecated", "schema", "content", *_WIRE)
    yield from compare_rest(old, new, handled, comparison.equivalence)
    yield from comparison.findings(_schema_of(old), _schema_of(new), required=all(needs))


def _schema_of(parameter: Node) -> Node:
    kind = next(iter(parameter.at("content").fields), None)
    node = parameter.at("schema") if kind is None else parameter.at("content", kind, "schema")
    return node if node.value is not None else Node(MISSING, node.pointer)


def _compare_bodies(pair: Pair, comparison: Comparison) -> Iterator[Located]:
    old = pair.old_document.resolve(pair.old.node.at("requestBody"))
    new = pair.new_document.resolve(pair.new.node.at("requestBody"))
    had, has = bool(old.fields), bool(new.fields)
    need, needs = (body.fields.get("required") is True for body in (old, new))
    if had != has:
        effect = "removed" if had else "needed" if needs else "added"
        finding = Finding("body", effect, old.value, new.value, (old if had else new).pointer)
        yield Located("request", "body", finding)
        return
    if need != needs:
        finding = Finding("required", "narrowed" if needs else "widened", need, needs, new.pointer)
        yield Located("request", "body", finding)
    for finding in compare_rest(old, new, ("content", "required", "$ref"), comparison.equivalence):
        yield Located("request", "body", finding)
    found = [*compare_content_types(old, new, BODIES)]
    for before, after in pair_contents(old, new, BODIES):
        found += compare_rest(before, after, ("schema",), comparison.equivalence)
        schemas = schema_of(before), schema_of(after)
        inside = comparison.findings(*schemas)
        media = JSON.fullmatch(_media_type_of(after)) and not comparison.equivalence.is_same(
            schemas[0].value, schemas[1].value
        )
        found += add_media(comparison.schemas, schemas, [*inside]) if media else inside
    for finding in drop_repeated(found):
        yield Located("request", "body", finding)


def _media_type_of(content: Node) -> str:
    return content.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
