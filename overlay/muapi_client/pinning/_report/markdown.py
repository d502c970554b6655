"""The report as Markdown for a pull request. Pure.

Text of the document is the server's, and a page that shows it must not obey it: every character of it that Markdown or
HTML could read stands as a character reference, so that it links nowhere and ends no list. What GitHub looks for once
the page is made (mentions, issues, addresses) has a space of no width in it, so that it names nobody.

Lives here: Markdown, how foreign text is escaped in it, and how long it may be. Does not live here: which changes there
are, the changelog (``_locks/changelog``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from muapi_client.pinning._diff.changes import IMPACTS
from muapi_client.pinning._report.report import group_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._diff.changes import Impact
    from muapi_client.pinning._report.report import Group, Report
    from muapi_client.pinning._usage.usage import Usage

LONGEST: Final = 60_000  # characters; GitHub refuses the text of a pull request beyond 65,536
_LENGTHS: Final = (10_000, 300, 100, 30, 10, 3)  # changes told of one impact, until the whole is short enough
_SHOWN: Final = 5  # names of operations that share a change; the rest opens on a click
_NAMED: Final = 60  # names on that click
_OPEN: Final[tuple[Impact, ...]] = ("breaking", "types", "silent")
_PLAIN: Final = frozenset(" ,;:.()/=%+-?!_'\"…")  # means nothing to Markdown or HTML, nor do letters and digits
_LINKING: Final = re.compile(r"(?i)(https?|ftp|mailto|xmpp|www|gh)([:.-])")  # what GitHub makes links of by itself
_CALLING: Final = frozenset("@#")  # what GitHub makes mentions and issues of, even where it was escaped
_APART: Final = "&#8203;"  # a space of no width
_EDGE: Final = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")  # an underscore that could be emphasis


def render(report: Report) -> str:
    """The report as Markdown."""
    texts = ("\n".join(_render_lines(report, most)) for most in _LENGTHS)
    return next((text for text in texts if len(text) <= LONGEST), _render_head(report))


def _render_lines(report: Report, most: int) -> Iterator[str]:
    diff = report.diff
    yield _render_head(report)
    if report.usage is not None:
        yield from _render_usage(report.usage)
    if diff.changes:
        yield from ("", "| impact | changes |", "|---|---:|")
        yield from (f"| {impact}: {words} | {diff.counts[impact]} |" for impact, words in IMPACTS.items())
    for impact, words in IMPACTS.items():
        groups = group_changes(diff, impact)
        if groups:
            yield from _render_section(impact, words, groups, most)


def _render_head(report: Report) -> str:
    before, after = report.diff.operations
    return f"**{escape(report.old)} → {escape(report.new)}**: {before} → {after} operations, {_summarize(report)}."


def _summarize(report: Report) -> str:
    counts = report.diff.counts
    listed = [f"{counts[impact]} {impact}" for impact in IMPACTS if counts[impact]]
    return ", ".join(listed) if listed else "nothing changed"


def _render_section(impact: Impact, words: str, groups: list[Group], most: int) -> Iterator[str]:
    if impact in _OPEN:
        yield from ("", f"### {impact}: {words}", "")
    else:
        yield from ("", f"<details><summary><b>{impact}</b>: {words}</summary>", "")
    for group in groups[:most]:
        yield from _render_group(group)
    if len(groups) > most:
        yield f"- … and {len(groups) - most} more; `--output json` has them all"
    if impact not in _OPEN:
        yield from ("", "</details>")


def _render_group(group: Group) -> Iterator[str]:
    names = [_render_name(name) for name in group.names]
    head = f"<b>{escape(group.where)}</b>: " if group.where else ""
    if len(names) == 1:
        yield f"- {names[0]} {head}{escape(group.change.sentence)}"
        return
    yield f"- {head}{escape(group.change.sentence)} In {len(names)} operations: {', '.join(names[:_SHOWN])}"
    if len(names) > _SHOWN:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        rest = f"{', '.join(names[_SHOWN:_NAMED])}{more}"
        yield f"  <details><summary>and {len(names) - _SHOWN} more</summary>{rest}</details>"


def _render_name(name: str) -> str:
    return f"`{name}`" if name.isascii() and name.isidentifier() else escape(name)


def _render_usage(usage: Usage) -> Iterator[str]:
    counting = "only their changes are told" if usage.complete else "more may be, so every change is told"
    yield f"{len(usage.names)} names are used in {usage.files} files; {counting}."
    for use in usage.unknown:
        yield f"- {escape(str(use))} uses what cannot be told without running it"
    for file, reason in usage.unread:
        yield f"- {escape(file)} could not be read: {escape(reason)}"


def escape(text: str) -> str:
    """A text of a document as words in Markdown: in one line, as characters that mean nothing but themselves."""
    plain = "".join(map(_escape_letter, " ".join(text.split())))
    return _EDGE.sub("&#95;", _LINKING.sub(lambda found: f"{found[1]}&#{ord(found[2])};{_APART}", plain))


def _escape_letter(letter: str) -> str:
    if letter.isalnum() or letter in _PLAIN:
        return letter
    apart = _APART if letter in _CALLING else ""
    return f"&#{ord(letter)};{apart}" if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
