"""Findings: what differs at one place, before it is known what that does. Pure values.

Lives here: what the comparing rooms give each other. Does not live here: comparing, judging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

if TYPE_CHECKING:
    from muapi_client.pinning._document.reader import Document, Operation

UNION = " | "  # between the alternatives of a type, as a finding has it
Side = Literal["request", "client", "answer", "error"]


@frozen
class Finding:
    """One difference, relative to what was compared."""

    kind: str
    effect: str
    before: Any
    after: Any
    pointer: str
    field: str = ""


@frozen
class Located:
    """A finding, and where in the operation it is."""

    side: Side
    place: str
    finding: Finding


@frozen
class Pair:
    """Two operations that are one, and the documents they stand in."""

    old_document: Document
    new_document: Document
    old: Operation
    new: Operation

    @property
    def renamed(self) -> bool:
        """True where it has another path or method now."""
        return (self.old.method, self.old.path) != (self.new.method, self.new.path)

    @property
    def documents(self) -> tuple[Document, Document]:
        """The old document and the new one."""
        return self.old_document, self.new_document


def join_field(path: str, name: str) -> str:
    """The path of a field inside another: ``a``, ``a.b``, ``a[].b``; a name of odd characters is quoted."""
    if name in ("[]", "{}"):
        return f"{path}{name}"
    plain = name.replace("_", "").replace("-", "")
    shown = name if plain.isascii() and plain.isalnum() else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{path}.{shown}" if path else shown
