"""Reports: changes gathered for readers, and the forms they are told in.

Lives here: what every form needs, equal changes of many operations as one, and which form is which. Does not live here:
the forms (``text``, ``markdown``, ``record``, ``sarif``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from muapi_client.pinning._document.reader import key_of

if TYPE_CHECKING:
    from muapi_client.pinning._diff.changes import Change, Diff, Impact
    from muapi_client.pinning._usage.usage import Usage

Form = Literal["text", "markdown", "json", "sarif"]
_HOMES: Final[dict[Form, str]] = {"text": "text", "markdown": "markdown", "json": "record", "sarif": "sarif"}


@frozen
class Report:
    """What is told.

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
        """What has it: functions, or a slug or the document where there is none."""
        return [_named(member) for member in self.members]

    @property
    def where(self) -> str:
        """Where in the operation it is; empty for the operation itself."""
        change = self.change
        place = "" if change.place in ("operation", "document", "price") else change.place
        return " ".join(part for part in (place, change.field) if part)


def told(report: Report, form: Form) -> str:
    """Tell what changed.

    Args:
        report: What to tell.
        form: ``text`` for a terminal, ``markdown`` for a pull request, ``json``, or ``sarif`` (2.1.0) for tools that
            show findings beside code.

    Returns:
        The text, without a newline at its end.
    """
    module = import_module(f"muapi_client.pinning._report.{_HOMES[form]}")
    text: str = module.told(report)
    return text


def gathered(diff: Diff, impact: Impact) -> list[Group]:
    """The changes of one impact, equal ones together, the most common first among equals."""
    groups: dict[str, list[Change]] = {}
    for change in diff.changes:
        if change.impact == impact:
            groups.setdefault(_sameness(change), []).append(change)
    return [Group(some[0], tuple(some)) for some in groups.values()]


def _sameness(change: Change) -> str:
    """What two changes have in common that are told as one: added and removed operations differ in name only."""
    values = [] if change.kind == "operation" and change.effect != "renamed" else [change.before, change.after]
    return key_of([change.kind, change.effect, change.place, change.field, change.sentence, *values])


def _named(change: Change) -> str:
    if change.function:
        return change.function
    return f"{change.method} {change.path}" if change.path else change.slug or "the whole document"
