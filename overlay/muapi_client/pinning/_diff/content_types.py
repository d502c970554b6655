"""Contents: what a body and an answer have in common, the kinds of content and their schemas. Pure.

Lives here: content types compared, and the remarks beside them. Does not live here: bodies (``operations``), answers
(``responses``), schemas (``values``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.findings import Finding
from muapi_client.pinning._diff.schemas import MISSING
from muapi_client.pinning._document.media_types import find_media_type, name_kind
from muapi_client.pinning._document.reader import Node, key_of

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterator, Sequence

    from muapi_client.pinning._diff.equivalence import Equivalence


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


def compare_content_types(old: Node, new: Node, wanted: Sequence[re.Pattern[str]]) -> Iterator[Finding]:
    """Which kinds of content came and went; a charset beside JSON makes no other kind.

    Args:
        wanted: The forms of media types this client can use, the better first.
    """
    before, after = _index_kinds(old.at("content")), _index_kinds(new.at("content"))
    used = find_media_type(before, wanted)
    values = [*before], [*after], new.at("content").pointer
    if used and used not in after:
        yield Finding("content_type", "removed", *values)
    elif before.keys() - after.keys():
        yield Finding("content_type", "narrowed", *values)
    if after.keys() - before.keys() and (not used or used in after):
        yield Finding("content_type", "widened", *values)


def pair_contents(old: Node, new: Node, wanted: Sequence[re.Pattern[str]]) -> list[tuple[Node, Node]]:
    """Which contents to compare: those of one kind, or else the two that are used."""
    before, after = _index_kinds(old.at("content")), _index_kinds(new.at("content"))
    both = [(before[kind], after[kind]) for kind in before if kind in after]
    if both or not (before and after):
        return both
    return [(before[_choose_kind(before, wanted)], after[_choose_kind(after, wanted)])]


def _index_kinds(content: Node) -> dict[str, Node]:
    """The contents by kind; of several that are of one, the first."""
    found: dict[str, Node] = {}
    for media_type in content.fields:
        found.setdefault(name_kind(media_type), content.at(media_type))
    return found


def _choose_kind(kinds: Collection[str], wanted: Sequence[re.Pattern[str]]) -> str:
    return find_media_type(kinds, wanted) or next(iter(kinds))
