"""The changelog's "API" part: what a new document changed, for people who did not ask. Pure.

Lives here: one entry for one step from document to document, its place in a changelog that people write too, and the
title of a pull request with it. Does not live here: finding and judging changes (``_diff``), the text of the pull
request (its ``_report/markdown``), files and git (``__main__``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client.pinning._diff.changes import IMPACTS
from muapi_client.pinning._document.lock import SHORT
from muapi_client.pinning._report.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muapi_client.pinning._diff.changes import Change, Diff, Impact

NAMED: Final = 8  # functions named in one line where nothing breaks; who is broken finds his own by searching
LISTED: Final = ("breaking", "types", "silent", "additive")  # one by one; what is cosmetic is counted
UNPLACED: Final = ("operation", "document", "price")  # places that a sentence tells of by itself
UNRELEASED: Final = "## [Unreleased]"
SECTION: Final = "### API"


@frozen
class Step:
    """One step from pin to pin.

    Attributes:
        before: Hash of the old document.
        after: Hash of the new one; the same where only prices changed.
        day: When the new one was fetched, or its prices became known, an ISO date.
        priced: The date of the old prices, an ISO date.
    """

    before: str
    after: str
    day: str
    priced: str = ""

    @property
    def mark(self) -> str:
        """The words its entry is known by: the document it starts from, or the prices where that stays."""
        old = f"`{self.before[:SHORT]}`"
        return f"From document {old}" if self.before != self.after else f"From the prices of {self.priced} beside {old}"

    @property
    def heading(self) -> str:
        """How its entry begins."""
        goal = f"`{self.after[:SHORT]}` of {self.day}" if self.before != self.after else f"those of {self.day}"
        return f"{self.mark}, to {goal}"


def make_entry(diff: Diff, step: Step) -> str:
    """Tell one step from pin to pin.

    Args:
        diff: What changed.
        step: Between what.

    Returns:
        A list item in Markdown, its first line without a newline before it, its last one with one after it. Whatever
        comes from a document is escaped.
    """
    old, new = diff.operations
    lines = [f"- {step.heading}: {old} operations before, {new} now."]
    for impact in LISTED:
        changes = [change for change in diff.changes if change.impact == impact]
        if changes:
            lines += [
                f"  - {_capitalize(IMPACTS[impact])}:",
                *(f"    - {line}" for line in _render_changes(changes, impact)),
            ]
    if diff.counts["cosmetic"]:
        lines.append(f"  - {_capitalize(IMPACTS['cosmetic'])}: {diff.counts['cosmetic']} more.")
    return "\n".join(lines) + "\n"


def insert_entry(changelog: str, new_entry: str, step: Step) -> str:
    """Put an entry into a changelog: in the place of one from the same old pin, else at the API part's end.

    Args:
        changelog: The changelog, in the form of Keep a Changelog.
        told: The entry.
        step: What it tells of.

    Returns:
        The changelog; the same entry once more changes nothing.
    """
    head, unreleased, tail = _split_changelog(changelog)
    above, section, below = _split_unreleased(unreleased)
    start = section.find(f"- {step.mark},")
    if start < 0:
        section = f"{section.rstrip()}\n{new_entry}"
    else:
        end = re.compile(r"^- ", re.MULTILINE).search(section, start + 1)
        section = section[:start] + new_entry + (section[end.start() :] if end else "")
    spaced = [part.strip("\n") for part in (above, section, below)]
    return head + "\n\n".join(part for part in spaced if part) + "\n" + (f"\n{tail}" if tail else "")


def make_title(diff: Diff, step: Step) -> str:
    """Make the title of a pull request with the new pin, one line: the document's hash, and how much changed."""
    pin = f"MuAPI's document {step.after[:SHORT]}" if step.before != step.after else f"MuAPI's prices of {step.day}"
    return f"Pin {pin}: {summarize(diff.counts)}"


def summarize(counts: dict[Impact, int]) -> str:
    """How many changes of each impact there are, in a few words."""
    return ", ".join(f"{count} {impact}" for impact, count in counts.items() if count) or "nothing for any operation"


def render_code(text: str) -> str:
    """A text of a document as code in Markdown: fenced by more backticks than it holds in a row, in one line."""
    plain = _to_line(text) or " "
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    room = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{room}{plain}{room}{fence}"


def _to_line(text: str) -> str:
    """Text without breaks, and without what turns a line around or hides in it."""
    shown = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown)


def _capitalize(words: str) -> str:
    return words[0].upper() + words[1:]


def _render_changes(changes: Iterable[Change], impact: Impact) -> Iterator[str]:
    """One line for each change, once for all functions that share it."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        alike.setdefault((change.place, change.field, change.sentence), []).append(change.function or change.slug)
    for (place, field, sentence), names in alike.items():
        shown = names[:NAMED] if impact == "additive" else names
        named = ", ".join(render_code(name) for name in shown if name)
        more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
        where = " ".join(
            part for part in ("" if place in UNPLACED else escape(place), field and render_code(field)) if part
        )
        yield ": ".join(part for part in (f"{named}{more}", where, escape(sentence)) if part)


def _split_changelog(changelog: str) -> tuple[str, str, str]:
    """A changelog in three: before its unreleased part, that part, and the releases."""
    if UNRELEASED not in changelog:
        first = re.search(r"^## ", changelog, re.MULTILINE)
        place = first.start() if first else len(changelog)
        above = changelog[:place].rstrip("\n")
        return f"{above}\n\n" if above else "", f"{UNRELEASED}\n", changelog[place:]
    start = changelog.index(UNRELEASED)
    end = re.compile(r"^## |^\[[^\]\n]+\]: ", re.MULTILINE).search(changelog, start + 1)
    stop = end.start() if end else len(changelog)
    return changelog[:start], changelog[start:stop], changelog[stop:]


def _split_unreleased(unreleased: str) -> tuple[str, str, str]:
    """The unreleased part in three: before its API section, that section, and the sections behind it."""
    start = re.search(rf"^{SECTION}$", unreleased, re.MULTILINE)
    if start is None:
        return unreleased, f"{SECTION}\n", ""
    end = re.compile(r"^### ", re.MULTILINE).search(unreleased, start.end())
    stop = end.start() if end else len(unreleased)
    return unreleased[: start.start()], unreleased[start.start() : stop], unreleased[stop:]
