"""Contents: what a body and an answer have in common, the kinds of content and their schemas. Pure.

Lives here: content types compared, and the remarks beside them. Does not live here: bodies (``operations``), answers
(``responses``), schemas (``values``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.findings import Finding
from muapi_client.pinning._diff.schemas import MISSING
from muapi_client.pinning._document.reader import JSON, Node, key_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from muapi_client.pinning._diff.equivalence import Equivalence

BODIES: Final = (JSON, "multipart/form-data")  # the kinds a function can make, the better first


def compare_rest(old: Node, new: Node, handled: Collection[str], equivalence: Equivalence) -> Iterator[Finding]:
    """Whatever nobody else looks at.

    Args:
        told: The words somebody else does look at.
    """
    for word in sorted((old.fields.keys() | new.fields.keys()) - {*handled}):
        before, after = old.fields.get(word), new.fields.get(word)
        if not equivalence.is_same(before, after):
            kind = "text" if word in TEXTS else "remark"
            yield Finding(kind, "changed", {word: before}, {word: after}, new.pointer)


def schema_of(media: Node) -> Node:
    """The schema of a content; one that allows everything where none is told."""
    node = media.at("schema")
    return node if node.value is not None else Node(MISSING, node.pointer)


def drop_repeated(found: Sequence[Finding]) -> Iterator[Finding]:
    """Findings without repetitions: two content types of one form say everything twice, each at its own place."""
    seen: set[str] = set()
    for finding in found:
        key = key_of([finding.kind, finding.effect, finding.field, finding.before, finding.after])
        if key not in seen:
            seen.add(key)
            yield finding


def compare_content_types(old: Node, new: Node, wanted: Sequence[str]) -> Iterator[Finding]:
    """Which kinds of content came and went.

    Args:
        wanted: The kinds this client can use, the better first.
    """
    before, after = old.at("content").fields, new.at("content").fields
    used = _choose_kind(before, wanted)
    values = [*before], [*after], new.at("content").pointer
    if used and used not in after:
        yield Finding("content_type", "removed", *values)
    elif before.keys() - after.keys():
        yield Finding("content_type", "narrowed", *values)
    if after.keys() - before.keys() and (not used or used in after):
        yield Finding("content_type", "widened", *values)


def pair_contents(old: Node, new: Node, wanted: Sequence[str]) -> list[tuple[Node, Node]]:
    """Which contents to compare: those of one kind, or else the two that are used."""
    before, after = old.at("content"), new.at("content")
    both = [kind for kind in before.fields if kind in after.fields]
    if not both and before.fields and after.fields:
        return [(before.at(_choose_kind(before.fields, wanted)), after.at(_choose_kind(after.fields, wanted)))]
    return [(before.at(kind), after.at(kind)) for kind in both]


def _choose_kind(kinds: Collection[str], wanted: Sequence[str]) -> str:
    return next((kind for kind in wanted if kind in kinds), next(iter(kinds), ""))
