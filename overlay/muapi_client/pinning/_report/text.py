"""The report as text for a terminal. Pure.

Lives here: lines. Does not live here: which changes there are, and how a terminal is kept safe from them (``cli``).
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Final

from muapi_client.pinning._diff.changes import IMPACTS
from muapi_client.pinning._report.report import group_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._report.report import Group, Report
    from muapi_client.pinning._usage.usage import Usage

WIDTH: Final = 100  # columns
_SHOWN: Final = 8  # names of operations that share a change


def render(report: Report) -> str:
    """The report as lines."""
    return "\n".join(_render_lines(report))


def _render_lines(report: Report) -> Iterator[str]:
    before, after = report.diff.operations
    yield f"{_to_line(report.old)} -> {_to_line(report.new)}: {before} -> {after} operations"
    if report.usage is not None:
        yield from _render_usage(report.usage)
    counts = report.diff.counts
    if not report.diff.changes:
        yield "nothing changed" if report.usage is None else "nothing changed that is used there"
    for impact, words in IMPACTS.items():
        if not counts[impact]:
            continue
        yield ""
        yield f"{impact.upper()} ({counts[impact]}): {words}"
        for group in group_changes(report.diff, impact):
            yield from _render_group(group)


def _render_group(group: Group) -> Iterator[str]:
    names = group.names
    head = f"{group.where}: " if group.where else ""
    if len(names) == 1:
        yield _wrap(f"{names[0]}: {head}{group.change.sentence}", "  ")
        return
    yield _wrap(f"{head}{group.change.sentence}", "  ")
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    yield _wrap(f"in {len(names)} operations: {', '.join(names[:_SHOWN])}{more}", "      ")


def _render_usage(usage: Usage) -> Iterator[str]:
    counting = "only their changes are told" if usage.complete else "more may be, so every change is told"
    yield f"{len(usage.names)} names are used in {usage.files} files; {counting}"
    yield from (f"  {use} uses what cannot be told without running it" for use in usage.unknown)
    yield from (f"  {_to_line(file)} could not be read: {_to_line(reason)}" for file, reason in usage.unread)


def _wrap(text: str, indent: str) -> str:
    return fill(_to_line(text), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ", break_on_hyphens=False)


def _to_line(text: str) -> str:
    """Text of a document in one line."""
    return " ".join(text.split())
