"""A report: changes gathered for readers.

Lives here: what every form needs, equal changes of many operations as one. Does not live here: the forms (``forms``,
``text``, ``markdown``, ``sarif``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from muapi_client.pinning._document.reader import key_of

if TYPE_CHECKING:
    from muapi_client.pinning._diff.changes import Change, Diff, Impact
    from muapi_client.pinning._usage.usage import Usage


@frozen
class Report:
    """The changes to report, and between what.

    Attributes:
        diff: The changes.
        old: What the old document is called.
        new: What the new document is called.
        usage: The code base they were narrowed to; None where they were not.
    """

    diff: Diff
    old: str
    new: str
    usage: Usage | None = None


@frozen
class Group:
    """A change that several operations have in common."""

    change: Change
    members: tuple[Change, ...]

    @property
    def names(self) -> list[str]:
        """The names of what has it: functions, or a slug or the document where there is none."""
        return [_name_of(member) for member in self.members]

    @property
    def where(self) -> str:
        """Where in the operation it is; empty for the operation itself."""
        change = self.change
        place = "" if change.place in ("operation", "document", "price") else change.place
        return " ".join(part for part in (place, change.field) if part)


def group_changes(diff: Diff, impact: Impact) -> list[Group]:
    """The changes of one impact, equal ones together, the most common first among equals."""
    groups: dict[str, list[Change]] = {}
    for change in diff.changes:
        if change.impact == impact:
            groups.setdefault(_grouping_key(change), []).append(change)
    return [Group(some[0], tuple(some)) for some in groups.values()]


def _grouping_key(change: Change) -> str:
    """The key that changes shown as one have in common: added and removed operations differ in name only."""
    values = [] if change.kind == "operation" and change.effect != "renamed" else [change.before, change.after]
    return key_of([change.kind, change.effect, change.place, change.field, change.sentence, *values])


def _name_of(change: Change) -> str:
    if change.function:
        return change.function
    return f"{change.method} {change.path}" if change.path else change.slug or "the whole document"
