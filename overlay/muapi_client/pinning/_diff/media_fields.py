"""Media: which fields of a body take a local file in the place of an address, and which no longer do. Pure.

A field whose text is an address is rendered as ``Media``, and as ``str`` without that format: then a path that was
uploaded is refused. The rule is the generator's (``generator_templates/rules/signatures.py``), said once more; a test
holds the two together.

Lives here: that one loss or gain. Does not live here: any other format (``constraints``), judging (``impacts``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attrs import evolve

from muapi_client.pinning._diff.findings import Finding, join_field
from muapi_client.pinning._document.reader import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muapi_client.pinning._diff.schemas import Alternative, Schemas, Value

ALWAYS: Final = frozenset({"image_url", "video_url", "audio_url"})
NEVER: Final = re.compile(r"webhook|callback|linkedin|lora|^path$|^link$")
_OTHER: Final = frozenset({"type", "format", "enum", "const", "file", "moment"})  # what tells more of the field


def add_media(
    schemas: tuple[Schemas, Schemas], bodies: tuple[Node, Node], found: Sequence[Finding]
) -> Iterator[Finding]:
    """The findings of two bodies in JSON, with what becomes of their media.

    A lost format that costs a field its media is told as that; a format that came is told as what it is.
    """
    old, new = (dict(iter_fields(side, body)) for side, body in zip(schemas, bodies, strict=True))
    turned = {name: (old[name], new[name]) for name in old if name in new and old[name] != new[name]}
    lost = {name for name, (was, _) in turned.items() if was}
    for finding in found:
        field = finding.field.removesuffix("[]")
        idle = finding.kind == "format" and finding.effect == "widened" and field in lost
        yield evolve(finding, kind="media", effect="removed") if idle else finding
    explained = {finding.field.removesuffix("[]") for finding in found if finding.kind in _OTHER}
    for name in sorted(turned.keys() - explained):
        yield Finding("media", "removed" if name in lost else "added", *turned[name], bodies[1].pointer, name)


def iter_fields(schemas: Schemas, body: Node) -> Iterator[tuple[str, bool]]:
    """Each field of a body, and whether it takes media."""
    for alternative in schemas.read(body).alternatives:
        named = Node(alternative.rules, alternative.pointer).at("properties")
        for name in named.fields:
            about = schemas.read(named.at(name))
            items = [schemas.read(Node(each.rules["items"], f"{each.pointer}/items")) for each in _select_lists(about)]
            address = name in ALWAYS or any(map(_has_address, (about, *items)))
            yield join_field("", name), address and not NEVER.search(name)


def _select_lists(about: Value) -> list[Alternative]:
    return [
        alternative
        for alternative in about.alternatives
        if alternative.kind == "array" and alternative.rules.get("items")
    ]


def _has_address(about: Value) -> bool:
    return any(
        alternative.kind == "string" and alternative.rules.get("format") == "uri" and not alternative.choices
        for alternative in about.alternatives
    )
