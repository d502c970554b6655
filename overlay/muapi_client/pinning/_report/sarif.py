"""The report as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"). Pure.

A finding stands where the reader can act: at the line of the code that uses the operation, where a code base was looked
into, and otherwise in the document, at a JSON pointer.

Lives here: SARIF's words. Does not live here: which changes there are.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from muapi_client._version import __version__
from muapi_client.pinning._diff.changes import IMPACTS
from muapi_client.pinning._report.report import group_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._diff.changes import Impact
    from muapi_client.pinning._report.report import Group, Report
    from muapi_client.pinning._usage.usage import Usage, Use

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
DOCUMENT: Final = "spec/openapi.json"
LEVELS: Final[dict[Impact, str]] = {
    "breaking": "error",
    "types": "warning",
    "silent": "warning",
    "additive": "note",
    "cosmetic": "note",
}
_NAMED: Final = 20  # operations named in one message


def render(report: Report) -> str:
    """The report as one SARIF log."""
    results = [
        result
        for impact in IMPACTS
        for group in group_changes(report.diff, impact)
        for result in _make_results(group, report)
    ]
    rules = {result["ruleId"]: _make_rule(result["ruleId"]) for result in results}
    order = list(rules)
    driver = {
        "name": "muapi-client spec diff",
        "semanticVersion": __version__,
        "rules": [*rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [{**result, "ruleIndex": order.index(result["ruleId"])} for result in results],
        "properties": {"old": report.old, "new": report.new, "counts": report.diff.counts},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _make_rule(name: str) -> dict[str, Any]:
    impact, _, kind = name.partition("/")
    level = next(level for impact_of_level, level in LEVELS.items() if impact_of_level == impact)
    words = next(words for impact_of_words, words in IMPACTS.items() if impact_of_words == impact)
    return {
        "id": name,
        "shortDescription": {"text": f"{kind.replace('-', ' ').replace('_', ' ')}: {words}"},
        "defaultConfiguration": {"level": level},
    }


def _make_results(group: Group, report: Report) -> Iterator[dict[str, Any]]:
    """One finding for a change, or one for each operation where its code is known."""
    if report.usage is None or not any(change.names for change in group.members):
        yield _make_result(group, group.names, [])
        return
    for member, name in zip(group.members, group.names, strict=True):
        yield _make_result(
            group, [name], _find_places(report.usage, {*member.names, member.slug}), pointer=member.pointer
        )


def _find_places(usage: Usage, names: set[str]) -> list[Use]:
    return sorted({place for name in names for place in usage.names.get(name, ())})


def _make_result(group: Group, names: list[str], places: list[Use], pointer: str = "") -> dict[str, Any]:
    change = group.change
    kind = f"{change.impact}/{change.kind}-{change.effect}"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    where = f", {group.where}" if group.where else ""
    identity = json.dumps([kind, change.place, change.field, names, change.before, change.after], sort_keys=True)
    there = _locate_in_document(pointer or change.pointer)
    result: dict[str, Any] = {
        "ruleId": kind,
        "level": LEVELS[change.impact],
        "message": {"text": _escape_links(f"{', '.join(names[:_NAMED])}{more}{where}: {change.sentence}")},
        "locations": [_locate_in_code(place) for place in places] or [there],
        "partialFingerprints": {"change/v1": hashlib.sha256(identity.encode()).hexdigest()},
        "properties": {"before": change.before, "after": change.after, "operations": names},
    }
    return {**result, "relatedLocations": [{**there, "id": 1}]} if places else result


def _escape_links(text: str) -> str:
    """A message in which nothing is a link, as SARIF reads ``[text](place)``, but for a bracket behind a backslash."""
    return re.sub(r"(\\*)\](?=\()", r"\1\1\\]", text)


def _locate_in_code(place: Use) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.file)},
            "region": {"startLine": place.line},
        }
    }


def _locate_in_document(pointer: str) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": DOCUMENT}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": pointer, "kind": "member"}],
    }
